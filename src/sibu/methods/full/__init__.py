"""Full fine-tuning: every weight trains, lower layers more slowly if asked.

The most accurate with enough data and the largest bundle change; with little memory or many variants of one model
choose `lora`, with no time to train choose `probe`.
Source: Howard and Ruder, 2018, arXiv:1801.06146 (layer-wise rates); Devlin et al., 2019, arXiv:1810.04805.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from pathlib import Path

    from sibu.core.protocols import Adapted


class FullSpec(Spec):
    """Options of `full`."""

    default_rate: ClassVar[float] = 1.5e-4
    trains_own: ClassVar[bool] = True
    rate_falls_with_width: ClassVar[bool] = True
    name: Literal["full"] = "full"
    layer_decay: float = Field(default=1.0, gt=0, le=1)
    """Each layer trains at this share of the rate of the layer above it; 1: all alike."""


def build(encoder: Any, spec: FullSpec, saved: Path | None = None) -> Adapted:  # noqa: ARG001
    """Train every weight of the encoder."""
    from sibu.methods.full.layers import train_all

    return train_all(encoder, layer_decay=spec.layer_decay)


ENTRY = Entry(FullSpec, build)
