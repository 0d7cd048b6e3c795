"""From text to facts: what an extractor reads, what it sees there, and what it may ask for.

An extractor speaks in its own words, the labels of a bundle or the names in a file; which class or property of a
knowledge base a label stands for is settled outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sibu.core.logic import Entity, Value

if TYPE_CHECKING:
    from sibu.core.errors import SibuError
    from sibu.core.result import Prediction


@dataclass(frozen=True, slots=True)
class Text:
    """A document to read."""

    document: str
    """Its name."""
    text: str
    language: str = ""
    """Tag of BCP 47, in lower case; empty: not known."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A passage that names something, or is a value."""

    start: int
    """Its first character."""
    end: int
    """The character behind its last."""
    label: str = ""
    """What the extractor takes it for, in its own words; empty: it does not say."""
    kinds: tuple[Entity, ...] = ()
    """Classes one of which is that of what is named."""
    score: float = 1.0
    """How sure the extractor is, from 0 to 1."""
    entity: Entity | None = None
    """What it names, where the extractor was told."""
    value: Value | None = None
    """Where it is a number, a date or a text and names nothing."""

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"a passage begins at 0 or later and ends behind that, given {self.start} to {self.end}")
        if not 0 <= self.score <= 1:
            raise ValueError(f"scores of passages are from 0 to 1, given {self.score}")


@dataclass(frozen=True, slots=True)
class Tie:
    """A relation between two passages."""

    head: Spot
    tail: Spot
    label: str
    """The relation, in the extractor's own words."""
    start: int
    """First character of the passage that says so."""
    end: int
    """The character behind its last."""
    score: float = 1.0
    """How sure the extractor is of the relation, given its two ends, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen in a text."""

    spots: tuple[Spot, ...] = ()
    ties: tuple[Tie, ...] = ()


class Extractor(Protocol):
    """What sees names and relations in texts."""

    @property
    def version(self) -> str:
        """Changes where it may see something else, such as a bundle's hash."""
        ...

    @property
    def follows(self) -> bool:
        """Whether it changes with the knowledge base, so that its version says nothing of what it was told."""
        ...

    def extract(self, texts: Sequence[Text], so_far: Sequence[Seen]) -> list[Seen]:
        """What it sees in each text, given what the extractors before it saw there."""
        ...


class Answering(Protocol):
    """A bundle that answers."""

    @property
    def version(self) -> str:
        """Its hash."""
        ...

    @property
    def tasks(self) -> Mapping[str, str]:
        """Its tasks: type by name."""
        ...

    def answer(self, task: str, rows: Sequence[Mapping[str, Any]]) -> Sequence[Prediction | SibuError]:
        """One answer a row, in order; a row that cannot be answered has its fault."""
        ...

    def bound(self, task: str, overrides: Sequence[str]) -> Answering:
        """The same bundle, of which a task answers otherwise: ``KEY=VALUE``."""
        ...


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What facts may be made of, by short names."""

    classes: tuple[str, ...]
    properties: tuple[str, ...]


class Surroundings(Protocol):
    """What an extractor may ask of who builds it."""

    def file(self, given: str) -> Path:
        """A file that its options name."""
        ...

    def bundle(self, given: str) -> Answering:
        """A bundle that its options name, opened."""
        ...

    def named(self) -> Iterable[tuple[str, Entity]]:
        """Every label and alias in the knowledge base, with what it names."""
        ...

    def kinds(self, entity: Entity) -> tuple[Entity, ...]:
        """The classes of a thing."""
        ...

    def entity(self, name: str) -> Entity:
        """The thing of a name, short name or IRI.

        Raises:
            DataError: When it can be no name.
        """
        ...

    def fits(self, spot: Spot, label: str) -> bool:
        """Whether what a passage names is of a class, as far as is known."""
        ...

    def vocabulary(self) -> Vocabulary:
        """Classes and properties that facts may be made of."""
        ...
