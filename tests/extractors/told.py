"""What extractors are told in tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sibu.core.extraction import Spot, Vocabulary
from sibu.core.logic import Entity
from sibu.core.result import Prediction

BASE = "https://example.org/"


@dataclass
class Answers:
    """A bundle that answers by a function of the row."""

    by: Callable[[str, Mapping[str, Any]], Any]
    tasks: Mapping[str, str]
    version: str = "v1"
    asked: list[Mapping[str, Any]] = field(default_factory=list)
    overrides: list[str] = field(default_factory=list)

    def answer(self, task: str, rows: Sequence[Mapping[str, Any]]) -> Sequence[Any]:
        self.asked += rows
        found = [self.by(task, row) for row in rows]
        return [each if isinstance(each, Exception) else Prediction(each) for each in found]

    def bound(self, task: str, overrides: Sequence[str]) -> Answers:
        return Answers(self.by, self.tasks, self.version, self.asked, [*overrides])


@dataclass
class Told:
    """A small knowledge base: names, classes of things."""

    home: Path
    names: Mapping[str, str] = field(default_factory=dict)
    classes: Mapping[str, str] = field(default_factory=dict)
    bundles: Mapping[str, Answers] = field(default_factory=dict)
    words: Vocabulary = field(default_factory=lambda: Vocabulary(("Drug",), ("treats",)))

    def file(self, given: str) -> Path:
        return self.home / given

    def bundle(self, given: str) -> Answers:
        return self.bundles[given]

    def named(self) -> Iterator[tuple[str, Entity]]:
        return ((name, self.entity(thing)) for name, thing in self.names.items())

    def kinds(self, entity: Entity) -> tuple[Entity, ...]:
        return tuple(self.entity(kind) for thing, kind in self.classes.items() if self.entity(thing) == entity)

    def entity(self, name: str) -> Entity:
        return Entity(BASE + name)

    def fits(self, spot: Spot, label: str) -> bool:
        return spot.label == label or self.entity(label) in spot.kinds

    def vocabulary(self) -> Vocabulary:
        return self.words
