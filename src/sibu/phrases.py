"""Names in texts: which of many known names stand where, in any script.

A text and a name are compared unit by unit (words, digits, signs, single Chinese characters), whatever their case,
width and composition. A name of up to five capitals (`ALL`, `AD`) is found in capitals alone, since in small letters it
is mostly another word; and the last word of a name may stand in the English plural.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from sibu.core.text import Match
from sibu.core.units import units

SHORT = 5
"""Names in capitals alone up to this length are found in capitals alone."""
_AS_WRITTEN = "\0"


@dataclass(frozen=True, slots=True)
class Name:
    """A name of a thing."""

    text: str
    """As it is written."""
    classes: tuple[str, ...]
    """Kinds of thing that it names."""
    entity: str = ""
    """IRI of the thing; empty: none is known."""


@dataclass(slots=True)
class Lexicon:
    """Names to be found in texts: a table of whole names, and how long those are that begin with a word."""

    names: Sequence[Name]
    _table: dict[str, list[int]] = field(default_factory=dict, repr=False)
    _reach: dict[str, int] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for number, name in enumerate(self.names):
            parts = [name.text[start:end] for start, end in units(name.text)]
            if not parts:
                continue
            folded = [normal_unit(part) for part in parts]
            key = _AS_WRITTEN + " ".join(parts) if _in_capitals(name.text) else " ".join(folded)
            self._table.setdefault(key, []).append(number)
            self._reach[folded[0]] = max(self._reach.get(folded[0], 0), len(parts))

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of its names, in alphabetical order."""
        return tuple(sorted({each for name in self.names for each in name.classes}))

    def groups(self) -> Iterator[tuple[int, ...]]:
        """The numbers of the names that are written alike, each group once."""
        return map(tuple, self._table.values())

    def every(self, text: str) -> Iterator[Match]:
        """Every place where a name stands, those that begin first first, of these the longest first."""
        places = units(text)
        raw = [text[start:end] for start, end in places]
        folded = [normal_unit(part) for part in raw]
        for first, unit in enumerate(folded):
            reach = max((self._reach.get(form, 0) for form in singulars(unit)), default=0)
            for count in range(min(reach, len(folded) - first), 0, -1):
                found = self._at(raw[first : first + count], folded[first : first + count])
                if found:
                    yield Match(places[first][0], places[first + count - 1][1], found)

    def _at(self, raw: Sequence[str], folded: Sequence[str]) -> tuple[int, ...]:
        before = " ".join(folded[:-1]) + " " if len(folded) > 1 else ""
        for form in singulars(folded[-1]):
            if found := self._table.get(before + form):
                return tuple(found)
        return tuple(self._table.get(_AS_WRITTEN + " ".join(raw), ()))

    def save(self, file: Path) -> None:
        """Write the names, one a line."""
        lines = (json.dumps([name.text, name.classes, name.entity], ensure_ascii=False) for name in self.names)
        file.write_text("".join(line + "\n" for line in lines), encoding="utf-8")

    @classmethod
    def load(cls, file: Path) -> Lexicon:
        """Read what ``save`` wrote."""
        rows = (json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line)
        return cls([Name(text, tuple(classes), entity) for text, classes, entity in rows])


def longest(found: Iterable[Match]) -> list[Match]:
    """Of places in the order of ``Lexicon.every`` those that overlap none before: the longest that begin first."""
    kept: list[Match] = []
    for match in found:
        if not kept or match.start >= kept[-1].end:
            kept.append(match)
    return kept


@lru_cache(maxsize=100_000)
def normal_unit(unit: str) -> str:
    """A unit by which texts are compared: no case, no width, no difference of composition."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", unit).casefold())


def singulars(unit: str) -> tuple[str, ...]:
    """A unit in small letters, and what it may be the English plural of."""
    if len(unit) < 4 or not unit.endswith("s") or unit.endswith("ss") or not unit.isascii():
        return (unit,)
    return (unit, unit[:-1], f"{unit[:-3]}y") if unit.endswith("ies") else (unit, unit[:-1])


def _in_capitals(text: str) -> bool:
    letters = [sign for sign in text if sign.isalpha()]
    return len(text) <= SHORT and text.isascii() and bool(letters) and all(sign.isupper() for sign in letters)
