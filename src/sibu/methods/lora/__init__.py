"""LoRA: a low-rank update beside each frozen weight.

About one percent of the weights trains, with most of the accuracy of `full`; many tasks can share one base model.
Source: Hu et al., 2021, arXiv:2106.09685; rsLoRA: Kalajdzievski, 2023, arXiv:2312.03732; DoRA: Liu et al., 2024,
arXiv:2402.09353. By PEFT, saved in PEFT's layout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from pathlib import Path

    from sibu.core.protocols import Adapted


class LoraSpec(Spec):
    """Options of `lora`."""

    default_rate: ClassVar[float] = 1e-3
    name: Literal["lora"] = "lora"
    rank: PositiveInt = 8
    """Rank r of the update; the number of trained weights grows linearly with it."""
    alpha: PositiveFloat = 16.0
    """Scale of the update: alpha / r (rsLoRA: alpha / sqrt(r))."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Dropout before the update."""
    targets: Literal["all-linear", "default"] | Annotated[tuple[str, ...], Field(min_length=1)] = "all-linear"
    """Which layers get an update: every linear one, PEFT's default for the model (attention only), or names."""
    rslora: bool = False
    """Rank-stabilised scale, better at high ranks."""
    dora: bool = False
    """Train each weight's length and direction apart; a little more accurate, slower."""


def build(encoder: Any, spec: LoraSpec, saved: Path | None = None) -> Adapted:
    """Put LoRA layers into the encoder; ``saved``: with the weights of a bundle's ``adapter/``."""
    from peft import LoraConfig

    from sibu.methods._peft import adapt

    targets = list(spec.targets) if isinstance(spec.targets, tuple) else spec.targets
    config = LoraConfig(
        r=spec.rank,
        lora_alpha=spec.alpha,
        lora_dropout=spec.dropout,
        target_modules=None if targets == "default" else targets,
        use_rslora=spec.rslora,
        use_dora=spec.dora,
    )
    return adapt(encoder, config, saved)


ENTRY = Entry(LoraSpec, build, needs=("peft",))
