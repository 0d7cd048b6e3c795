"""A model that a recipe makes anew."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, PositiveInt, model_validator

from sibu.catalog import Spec


class NewModel(Spec):
    """A transformer with random weights, and a tokenizer learned from the training texts.

    For a language, a notation or a translation that no pretrained model knows; where one does, and rows are few, it is
    better. Source: Vaswani et al., 2017, arXiv:1706.03762.
    """

    new: Literal["encoder-decoder", "causal"]
    """`encoder-decoder`: as in the paper, but with the norms before the layers (transformers' M2M100); `causal`: a
    decoder alone (transformers' Llama)."""
    width: PositiveInt = 256
    """D of the vectors."""
    layers: PositiveInt = 3
    """Layers; of an encoder-decoder, in each of its halves."""
    heads: PositiveInt = 4
    """Attention heads of a layer; twice their number must divide `width`."""
    inner: PositiveInt | None = None
    """Width inside a layer; null: four times `width` (two, where it is 128 or less)."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Share of values dropped in training: of an encoder-decoder's vectors; of a causal model's attention."""
    longest: int = Field(default=512, ge=32)
    """Most pieces of a text; of a causal model, with its answer."""
    vocabulary: int = Field(default=8000, ge=300)
    """Most pieces of the tokenizer: bytes, and what byte-pair encoding joins them to. One for both languages of a
    translation. Source: Sennrich et al., 2016, arXiv:1508.07909."""
    seed: int = Field(default=13, ge=0)
    """Seed of the random weights."""

    @model_validator(mode="after")
    def _even(self) -> Any:
        if self.width % (2 * self.heads):
            raise ValueError(f"width must be a multiple of twice the heads ({2 * self.heads})")
        return self

    @property
    def inside(self) -> int:
        """Width inside a layer."""
        return self.inner or self.width * (2 if self.width <= 128 else 4)
