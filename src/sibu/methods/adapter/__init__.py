"""Adapter: a small bottleneck behind each frozen layer.

Source: Houlsby et al., 2019, arXiv:1902.00751; one a layer as in Pfeiffer et al., 2021, arXiv:2005.00247. Adds a little
time to every prediction, where `lora` can be merged; PEFT has no such method for encoders, so the layer is Sibu's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import PositiveInt

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from pathlib import Path

    from sibu.core.protocols import Adapted


class AdapterSpec(Spec):
    """Options of `adapter`."""

    default_rate: ClassVar[float] = 1e-3
    name: Literal["adapter"] = "adapter"
    size: PositiveInt = 48
    """Width of the bottleneck."""


def build(encoder: Any, spec: AdapterSpec, saved: Path | None = None) -> Adapted:  # noqa: ARG001
    """Put a bottleneck behind each layer (its weights are in the bundle's ``heads.safetensors``)."""
    from sibu.methods.adapter.layer import add_bottlenecks

    return add_bottlenecks(encoder, size=spec.size)


ENTRY = Entry(AdapterSpec, build)
