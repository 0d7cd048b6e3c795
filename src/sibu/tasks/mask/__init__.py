"""Mask: go on with a model's pretraining on plain texts of the domain, by filling in words that are hidden from it.

Needs no labels. The bundle is the `model` of other recipes, which then begin from the domain's language; worth it where
there are many texts and few labels, and the domain's words differ from what the model was trained on. For models that
write take `generate`. With other tasks beside it, it teaches the encoder while they train.
Source: Devlin et al., 2019, arXiv:1810.04805; whole words: Cui et al., 2019, arXiv:1906.08101; going on in the domain:
Gururangan et al., 2020, arXiv:2004.10964.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from sibu.catalog import Entry, Spec
from sibu.core.errors import MissingExtra

if TYPE_CHECKING:
    from sibu.core.protocols import Task


class MaskSpec(Spec):
    """Options of `mask`."""

    fills: ClassVar[bool] = True
    pretrains: ClassVar[bool] = True
    type: Literal["mask"] = "mask"
    share: float = Field(default=0.15, gt=0, lt=1)
    """Share of the pieces that are hidden. Of the words that they make up 80 % become the mask, 10 % other pieces, and
    10 % stay and are to be told all the same."""
    words: Literal["whole", "chinese", "pieces"] = "whole"
    """What is hidden together: `whole` words (a Chinese character is one), whole words with those of Chinese found by
    jieba (`chinese`; `pip install sibu[chinese]`), or single `pieces`."""


def build(spec: MaskSpec, state: dict[str, Any] | None = None) -> Task:
    """The task; ``state`` is what a bundle saved of it.

    Raises:
        MissingExtra: When jieba is asked for and not installed.
    """
    from sibu.tasks.mask.task import Mask

    if spec.words == "chinese" and find_spec("jieba") is None:
        raise MissingExtra("`words: chinese`", "jieba", "chinese")

    return Mask(share=spec.share, words=spec.words, state=state)


ENTRY = Entry(MaskSpec, build)
