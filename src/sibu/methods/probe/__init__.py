"""Probe: the encoder stays as it is, only the heads train; its vectors are computed once and kept.

The fastest way to a first figure, and a measure of what the pretrained model already knows. More accurate: `freeze`,
`lora`, `full`. Source: Alain and Bengio, 2016, arXiv:1610.01644.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from pathlib import Path

    from sibu.core.protocols import Adapted


class ProbeSpec(Spec):
    """Options of `probe`: none."""

    default_rate: ClassVar[float] = 1e-3
    trains_inputs: ClassVar[bool] = False
    trains_encoder: ClassVar[bool] = False
    name: Literal["probe"] = "probe"


def build(encoder: Any, spec: ProbeSpec, saved: Path | None = None) -> Adapted:  # noqa: ARG001
    """Freeze the whole encoder."""
    from sibu.core.protocols import Adapted

    encoder.requires_grad_(False)
    return Adapted(encoder=encoder, groups=[], frozen_layers=len(encoder.layers()))


ENTRY = Entry(ProbeSpec, build)
