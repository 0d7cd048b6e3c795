"""Keyboard: some words get a letter that lies beside the right one on a keyboard (QWERTY).

For text typed on phones. Words of three Latin letters and more; Chinese is left as it is. Source: Belinkov and Bisk,
2018, arXiv:1711.02173.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from random import Random

    from sibu.core.protocols import Augmenter

ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


class KeyboardSpec(Spec):
    """Options of `keyboard`."""

    name: Literal["keyboard"] = "keyboard"
    share: float = Field(default=0.1, gt=0, lt=1)
    """Share of the words that get a wrong letter; at least one."""


def beside(letter: str) -> str:
    """The letters beside a lower-case one: left, right, above and below."""
    row = next(number for number, keys in enumerate(ROWS) if letter in keys)
    place = ROWS[row].index(letter)
    found = [ROWS[row][n] for n in (place - 1, place + 1) if 0 <= n < len(ROWS[row])]
    if row > 0:
        found += ROWS[row - 1][place : place + 2]
    if row + 1 < len(ROWS):
        found += [ROWS[row + 1][n] for n in (place - 1, place) if 0 <= n < len(ROWS[row + 1])]
    return "".join(found)


def mistyped(word: str, draw: Random) -> str:
    """A word with one wrong letter behind its first."""
    place = draw.randrange(1, len(word))
    letter = draw.choice(beside(word[place].lower()))
    return word[:place] + (letter.upper() if word[place].isupper() else letter) + word[place + 1 :]


def build(spec: KeyboardSpec) -> Augmenter:
    """The augmenter."""
    from sibu.augmenters._words import ByWords, some, spelled

    def edit(words, free, draw):  # type: ignore[no-untyped-def]
        return {n: mistyped(words[n], draw) for n in some(len(words), spec.share, spelled(words, free, 3), draw)}

    return ByWords(edit)


ENTRY = Entry(KeyboardSpec, build)
