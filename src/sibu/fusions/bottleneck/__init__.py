"""Bottleneck: a few shared vectors read every modality round by round, and all that passes between them goes through.

Cheap for long inputs, as its cost grows with their length and not with its square; what the shared vectors cannot hold
is left out. Source: Nagrani et al., 2021, arXiv:2107.00135; Jaegle et al., 2021, arXiv:2103.03206.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import PositiveInt

from sibu.catalog import Entry
from sibu.fusions.options import AttentionSpec

if TYPE_CHECKING:
    from sibu.fusions.bottleneck.layer import Bottleneck


class BottleneckSpec(AttentionSpec):
    """Options of `bottleneck`."""

    name: Literal["bottleneck"] = "bottleneck"
    latents: PositiveInt = 8
    """How many shared vectors."""


def build(spec: BottleneckSpec, *, widths: Mapping[str, int]) -> Bottleneck:
    """The layers, for modalities whose vectors have these widths."""
    from sibu.fusions._inputs import fitting
    from sibu.fusions.bottleneck.layer import Bottleneck

    return Bottleneck(
        widths,
        width=fitting(widths, spec.width, heads=spec.heads),
        latents=spec.latents,
        layers=spec.layers,
        heads=spec.heads,
        dropout=spec.dropout,
    )


ENTRY = Entry(BottleneckSpec, build)
"""The fusion `bottleneck`."""
