"""Delete: some words go.

Cheap, for any language; keeps a classifier from leaning on single words. A word that turns the meaning ("not") may go
too. Source: Wei and Zou, 2019, arXiv:1901.11196.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Augmenter


class DeleteSpec(Spec):
    """Options of `delete`."""

    name: Literal["delete"] = "delete"
    share: float = Field(default=0.1, gt=0, lt=1)
    """Share of the words (in Chinese of the characters) that go; at least one, never all."""


def build(spec: DeleteSpec) -> Augmenter:
    """The augmenter."""
    from sibu.augmenters._words import ByWords, some

    def edit(words, free, draw):  # type: ignore[no-untyped-def]
        may = [number for number, own in enumerate(free) if own and words[number].isalnum()]
        return {} if len(words) < 2 else dict.fromkeys(some(len(words), spec.share, may, draw)[: len(words) - 1], "")

    return ByWords(edit)


ENTRY = Entry(DeleteSpec, build)
