"""Masked: some words are hidden, and a masked language model tells what else could stand there.

The words fit their sentence, better than synonyms do; they need not keep its sense (`a good film`, `a bad film`), since
the model does not know the label. For English words and Chinese characters, and other languages that the model knows.
Words for the grammar, numbers and what is marked stay. Source: Kobayashi, 2018, arXiv:1805.06201; Wu et al., 2019,
arXiv:1812.06705.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, PositiveInt

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Augmenter


class MaskedSpec(Spec):
    """Options of `masked`."""

    models: ClassVar[tuple[str, ...]] = ("model",)
    name: Literal["masked"] = "masked"
    model: str
    """A model with a masked-language head: a folder, a bundle of the task `mask`, an alias, or a Hub id
    (`bert-base-uncased`, `bert-base-chinese` and their like; the packaged models have none)."""
    share: float = Field(default=0.15, gt=0, lt=1)
    """Share of the words (in Chinese of the characters) that are hidden at once; at least one."""
    candidates: PositiveInt = 10
    """The likeliest words of which one is drawn, by their probabilities; never the one that stood there."""
    allow_pickle: bool = False
    """Accept a model whose weights are a pickle, which can run code when read."""


def build(spec: MaskedSpec) -> Augmenter:
    """The augmenter.

    Raises:
        RecipeError: When there is no such model, or it has no masked-language head.
    """
    from sibu.augmenters.masked.filling import Filler, Masked, require_head
    from sibu.models.sources import find_model

    source = find_model(spec.model, home=Path(), allow_pickle=spec.allow_pickle)
    require_head(source)
    return Masked(lambda: Filler(source), share=spec.share, candidates=spec.candidates)


ENTRY = Entry(MaskedSpec, build, needs=("transformers",))
