"""AdaLoRA: LoRA whose rank is dealt out during training to the layers that need it most.

Source: Zhang et al., 2023, arXiv:2303.10512. Worth it where the number of trained weights must be small; otherwise
`lora` is simpler and faster. By PEFT, saved in PEFT's layout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from pathlib import Path

    from sibu.core.protocols import Adapted


class AdaloraSpec(Spec):
    """Options of `adalora`."""

    default_rate: ClassVar[float] = 2e-3
    name: Literal["adalora"] = "adalora"
    rank: PositiveInt = 8
    """Average rank of a layer at the end."""
    start_rank: PositiveInt = 12
    """Rank of every layer at the beginning; not below `rank`."""
    alpha: PositiveFloat = 16.0
    """Scale of the update."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Dropout before the update."""
    warmup: float = Field(default=0.1, ge=0, lt=1)
    """Share of the steps before ranks begin to fall."""
    final: float = Field(default=0.3, ge=0, lt=1)
    """Share of the steps at the end in which ranks stay."""
    orthogonal: float = Field(default=0.1, ge=0)
    """Weight of the penalty that keeps the update's vectors orthogonal."""

    @model_validator(mode="after")
    def _falls(self) -> AdaloraSpec:
        if self.start_rank < self.rank:
            raise ValueError(f"start_rank {self.start_rank} must not be below rank {self.rank}")
        if self.warmup + self.final >= 1:
            raise ValueError(f"warmup {self.warmup} and final {self.final} leave no steps in which ranks fall")
        return self


def build(encoder: Any, spec: AdaloraSpec, saved: Path | None = None) -> Adapted:
    """Put AdaLoRA layers into the encoder; ``saved``: with the weights of a bundle's ``adapter/``."""
    from sibu.methods.adalora.budget import add_adalora

    return add_adalora(
        encoder,
        saved,
        rank=spec.rank,
        start_rank=spec.start_rank,
        alpha=spec.alpha,
        dropout=spec.dropout,
        warmup=spec.warmup,
        final=spec.final,
        orthogonal=spec.orthogonal,
    )


ENTRY = Entry(AdaloraSpec, build, needs=("peft",))
