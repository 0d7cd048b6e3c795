"""Swap: neighbouring words change places.

For tasks that hang on the words more than on their order (topics, intents), in any language; not for word order itself
(acceptability, relations). Source: Wei and Zou, 2019, arXiv:1901.11196, who change any two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Augmenter


class SwapSpec(Spec):
    """Options of `swap`."""

    name: Literal["swap"] = "swap"
    share: float = Field(default=0.1, gt=0, lt=1)
    """Pairs that change places, as a share of the words (in Chinese of the characters); at least one."""


def build(spec: SwapSpec) -> Augmenter:
    """The augmenter."""
    from sibu.augmenters._words import ByWords, some

    def edit(words, free, draw):  # type: ignore[no-untyped-def]
        may = [n for n in range(len(words) - 1) if free[n] and free[n + 1] and words[n] != words[n + 1]]
        may = [n for n in may if words[n].isalnum() and words[n + 1].isalnum()]
        found: dict[int, str] = {}
        for n in some(len(words), spec.share, may, draw):
            if n not in found:  # the pair before took its first word
                found |= {n: words[n + 1], n + 1: words[n]}
        return found

    return ByWords(edit)


ENTRY = Entry(SwapSpec, build)
