"""Spelling: some words get a slip of the pen: a letter left out, doubled, or two changed about.

For text that people type in haste. Words of four Latin letters and more; Chinese is left as it is. Source: Belinkov and
Bisk, 2018, arXiv:1711.02173.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from random import Random

    from sibu.core.protocols import Augmenter


class SpellingSpec(Spec):
    """Options of `spelling`."""

    name: Literal["spelling"] = "spelling"
    share: float = Field(default=0.1, gt=0, lt=1)
    """Share of the words that get a slip; at least one."""


def slip(word: str, draw: Random) -> str:
    """A word with one slip behind its first letter."""
    place = draw.randrange(1, len(word) - 1)
    kind = draw.choice(("drop", "double", "turn"))
    if kind == "drop":
        return word[:place] + word[place + 1 :]
    if kind == "double":
        return word[:place] + word[place] + word[place:]
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


def build(spec: SpellingSpec) -> Augmenter:
    """The augmenter."""
    from sibu.augmenters._words import ByWords, some, spelled

    def edit(words, free, draw):  # type: ignore[no-untyped-def]
        return {n: slip(words[n], draw) for n in some(len(words), spec.share, spelled(words, free, 4), draw)}

    return ByWords(edit)


ENTRY = Entry(SpellingSpec, build)
