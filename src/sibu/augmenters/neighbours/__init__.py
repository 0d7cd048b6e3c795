"""Neighbours: some words become others of the training rows that lie near them in a model's vectors. Any language.

A word's vector is the mean of its pieces' input vectors: what the model knows of the word alone. Near is what stands in
like places, which opposites do too (`good`, `bad`): compare before you trust it where single words decide. Words for
the grammar, numbers and what is marked stay. Source: Wang and Yang, 2015 (EMNLP D15-1306).
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, PositiveInt

from sibu.catalog import Entry, Spec
from sibu.core.errors import MissingExtra

if TYPE_CHECKING:
    from sibu.core.protocols import Augmenter


class NeighboursSpec(Spec):
    """Options of `neighbours`."""

    models: ClassVar[tuple[str, ...]] = ("model",)
    name: Literal["neighbours"] = "neighbours"
    share: float = Field(default=0.2, gt=0, lt=1)
    """Share of the words that are changed; at least one, where any has a neighbour."""
    model: str = "minilm"
    """Whose vectors say what is near: an alias, a folder, a bundle, or a Hub id. `minilm` knows English; `me5` knows
    Chinese and many others."""
    candidates: PositiveInt = 5
    """The nearest words of which one is drawn."""
    least: float = Field(default=0.4, ge=-1, le=1)
    """Cosine similarity below which a word is no neighbour."""
    words: Literal["whole", "chinese"] = "whole"
    """What is changed: whole words (a Chinese character is one), or those of Chinese as jieba finds them (`chinese`;
    `pip install sibu[chinese]`), which is better for Chinese."""
    allow_pickle: bool = False
    """Accept a model whose weights are a pickle, which can run code when read."""


def build(spec: NeighboursSpec) -> Augmenter:
    """The augmenter.

    Raises:
        RecipeError: When there is no such model.
        MissingExtra: When jieba is asked for and not installed.
    """
    from sibu.augmenters.neighbours.near import Neighbours, vectors_of
    from sibu.core.units import chinese_words, units
    from sibu.models.sources import find_model

    if spec.words == "chinese" and find_spec("jieba") is None:
        raise MissingExtra("`words: chinese`", "jieba", "chinese")
    source = find_model(spec.model, home=Path(), allow_pickle=spec.allow_pickle)
    return Neighbours(
        lambda words: vectors_of(source, words),
        share=spec.share,
        candidates=spec.candidates,
        least=spec.least,
        cut=chinese_words if spec.words == "chinese" else units,
    )


ENTRY = Entry(NeighboursSpec, build, needs=("transformers",))
