"""Synonyms: some words become another word of the same meaning, by WordNet. English.

Changes the words and keeps most of the sense; the commonest sense is taken, which is not always the one that is meant.
WordNet's files come with the Debian package `wordnet-base` (28 MB). Source: Zhang et al., 2015, arXiv:1509.01626;
WordNet: Miller, 1995.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Augmenter


class SynonymsSpec(Spec):
    """Options of `synonyms`."""

    folders: ClassVar[tuple[str, ...]] = ("folder",)
    name: Literal["synonyms"] = "synonyms"
    share: float = Field(default=0.2, gt=0, lt=1)
    """Share of the words that are changed; at least one, where any has a synonym."""
    folder: str = "/usr/share/wordnet"
    """Where WordNet's files `index.noun`, `data.noun`, ... lie."""


def build(spec: SynonymsSpec) -> Augmenter:
    """The augmenter."""
    from sibu.augmenters._words import ByWords
    from sibu.augmenters.synonyms.wordnet import changing, read

    return ByWords(changing(read(spec.folder), spec.share))


ENTRY = Entry(SynonymsSpec, build)
