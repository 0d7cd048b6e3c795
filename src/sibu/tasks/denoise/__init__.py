"""Denoise: vectors that hold a whole text, learned by writing texts anew of which most words were taken out (TSDAE).

Needs no labels. The encoder reads what is left, and a small decoder must write the whole text from the encoder's one
vector of it; which words are gone is drawn anew at each step. The bundle is the `model` of other recipes, which do not
see the decoder, and `sibu predict` gives the vectors; of a text longer than the model the mean over its windows.
Another way, with or without pairs of texts: `contrast`; for tasks on single words take `mask`.
Source: Wang et al., 2021, arXiv:2104.06979 (there the decoder is as large as the encoder and shares its weights); a
decoder of one layer: Xiao et al., 2022, arXiv:2205.12035.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, PositiveInt

from sibu.catalog import Entry, Spec
from sibu.core.errors import MissingExtra

if TYPE_CHECKING:
    from sibu.core.protocols import Task


class DenoiseSpec(Spec):
    """Options of `denoise`."""

    pretrains: ClassVar[bool] = True
    type: Literal["denoise"] = "denoise"
    share: float = Field(default=0.6, gt=0, lt=1)
    """Chance of each word to be taken out; one stays in any case."""
    words: Literal["whole", "chinese", "pieces"] = "whole"
    """What is taken out together: `whole` words (a Chinese character is one), whole words with those of Chinese found
    by jieba (`chinese`; `pip install sibu[chinese]`), or single `pieces`."""
    pooling: Literal["mean", "first", "max"] = "mean"
    """How token vectors become the one that the decoder sees: `mean` suits sentence encoders, `first` plain BERT."""
    layers: PositiveInt = 1
    """Layers of the decoder. The fewer, the more the vector must hold."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Dropout inside the decoder."""


def build(spec: DenoiseSpec, state: dict[str, Any] | None = None) -> Task:
    """The task; ``state`` is what a bundle saved of it.

    Raises:
        MissingExtra: When jieba is asked for and not installed.
    """
    from sibu.tasks.denoise.task import Denoise

    if spec.words == "chinese" and find_spec("jieba") is None:
        raise MissingExtra("`words: chinese`", "jieba", "chinese")
    return Denoise(
        share=spec.share,
        words=spec.words,
        pooling=spec.pooling,
        layers=spec.layers,
        dropout=spec.dropout,
        state=state,
    )


ENTRY = Entry(DenoiseSpec, build)
