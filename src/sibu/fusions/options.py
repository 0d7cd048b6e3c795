"""Options that several fusions have."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, PositiveInt, model_validator

from sibu.catalog import Spec

Width = Annotated[
    PositiveInt | None,
    Field(description="Width of the fused vectors; null: the largest of the modalities', at most 256."),
]
Dropout = Annotated[float, Field(ge=0, lt=1, description="Dropout inside the fusion.")]


class AttentionSpec(Spec):
    """Options of a fusion by attention."""

    width: Width = None
    layers: PositiveInt = 2
    """Rounds in which vectors read others."""
    heads: PositiveInt = 4
    """Heads of attention; `width` is a multiple of it."""
    dropout: Dropout = 0.1

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.width is not None and self.width % self.heads:
            raise ValueError(f"`width` is {self.width}, which is no multiple of `heads` ({self.heads})")
        return self
