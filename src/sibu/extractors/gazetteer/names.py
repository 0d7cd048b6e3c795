"""Many names, found in a text in one pass.

A name is a sequence of units (words, numbers, signs, Chinese characters), each in a form without case and width. The
beginnings of all names stand in one table, so that at each place of a text as many looks are taken as the longest
beginning has units: the time is that of the text, whatever the number of names.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from sibu.core.example import is_cjk
from sibu.core.units import units
from sibu.graph.labels import normal


@dataclass(frozen=True, slots=True)
class Piece:
    """A unit in the form that is compared."""

    form: str
    """With a blank before it where one stands there in the text, but for between Chinese characters."""
    start: int
    end: int
    first: bool
    """Whether it is the first of its unit: some signs, such as ½, are several."""
    last: bool


def pieces(text: str) -> list[Piece]:
    """The units of a text in the form that is compared."""
    found: list[Piece] = []
    before = 0
    for start, end in units(text):
        forms = _forms(text[start:end])
        blank = before < start and not (found and is_cjk(text[before - 1]) and is_cjk(text[start]))
        for number, form in enumerate(forms):
            told = " " + form if blank and not number else form
            found.append(Piece(told, start, end, number == 0, number == len(forms) - 1))
        before = end
    return found


@lru_cache(maxsize=1 << 16)
def _forms(unit: str) -> tuple[str, ...]:
    whole = normal(unit)
    return tuple(whole[start:end] for start, end in units(whole)) or (unit,)


def is_word(sign: str) -> bool:
    """Whether a sign goes on with a word, in scripts with blanks between words."""
    return not is_cjk(sign) and (sign.isalnum() or unicodedata.category(sign) in ("Mn", "Mc"))


def within_word(text: str, place: int) -> bool:
    """Whether a place lies inside a word."""
    return 0 < place < len(text) and is_word(text[place - 1]) and is_word(text[place])


class NameTable:
    """Names, each with a number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int | None] = {}
        """By beginnings of names: the number of the name that it is; None: it is but a beginning."""
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, name: str) -> int | None:
        """The number of a name, a new one where it is new; None: it has no visible sign."""
        key, found = "", pieces(name)
        for place, piece in enumerate(found):
            key += "\x1f" + (piece.form.lstrip(" ") if not place else piece.form)
            self._numbers.setdefault(key, None)
        if not found:
            return None
        if self._numbers[key] is None:
            self._numbers[key] = self._count
            self._count += 1
        return self._numbers[key]

    def find(self, text: str) -> Iterator[tuple[int, int, int]]:
        """Start, end and number of each name in a text: from the left the longest, none within another."""
        found = pieces(text)
        place = 0
        while place < len(found):
            longest = self._longest(text, found, place)
            if longest is None:
                place += 1
                continue
            last, number = longest
            yield found[place].start, found[last].end, number
            place = last + 1

    def _longest(self, text: str, found: list[Piece], place: int) -> tuple[int, int] | None:
        piece = found[place]
        if not piece.first:
            return None
        key, numbers, best = "\x1f" + piece.form.lstrip(" "), self._numbers, None
        if key not in numbers or within_word(text, piece.start):
            return None
        last = place
        while True:
            number = numbers[key]
            if number is not None and found[last].last and not within_word(text, found[last].end):
                best = last, number
            last += 1
            if last == len(found):
                return best
            key += "\x1f" + found[last].form
            if key not in numbers:
                return best
