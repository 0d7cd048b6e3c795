"""What names in a text mean: mentions, and the things of a knowledge base that they are linked to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sibu.core.logic import Entity


@dataclass(frozen=True, slots=True)
class Mention:
    """A passage that names something."""

    text: str
    """As it is written."""
    start: int
    """Its first character within the text it is from."""
    end: int
    """The character behind its last."""
    kinds: tuple[Entity, ...] = ()
    """Classes one of which is expected of what is named, such as those an extractor's label stands for; empty: any."""
    context: str = ""
    """What stands around it, such as its sentence; empty: not known."""
    language: str = ""
    """Tag of BCP 47, in lower case; empty: not known."""

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"a mention begins at 0 or later and ends no sooner, given {self.start} to {self.end}")


@dataclass(frozen=True, slots=True)
class Link:
    """What a mention is taken to mean."""

    entity: Entity | None
    """None (NIL): none of the candidates is likely enough, or there are none."""
    score: float
    """Of the best candidate, whether or not it is likely enough, from 0 to 1; 0 where there is none."""
    candidates: tuple[tuple[Entity, float], ...]
    """What it may mean, each with its score from 0 to 1, the best first."""

    def __post_init__(self) -> None:
        if not all(0 <= score <= 1 for score in (self.score, *(score for _, score in self.candidates))):
            raise ValueError("scores of links are from 0 to 1")


class Linker(Protocol):
    """Joins names in a text to things."""

    def link(self, mentions: Sequence[Mention]) -> list[Link]:
        """One link a mention, in order."""
        ...
