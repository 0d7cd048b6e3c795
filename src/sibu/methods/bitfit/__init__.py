"""BitFit: only the biases train, about a thousandth of the weights.

Source: Ben Zaken et al., 2022, arXiv:2106.10199. More accurate at a like size on most tasks: `lora`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from pathlib import Path

    from sibu.core.protocols import Adapted


class BitfitSpec(Spec):
    """Options of `bitfit`: none."""

    default_rate: ClassVar[float] = 1e-3
    trains_own: ClassVar[bool] = True
    name: Literal["bitfit"] = "bitfit"


def build(encoder: Any, spec: BitfitSpec, saved: Path | None = None) -> Adapted:  # noqa: ARG001
    """Freeze all but the biases (and the input vectors that Sibu itself added)."""
    from sibu.methods.bitfit.biases import train_biases

    return train_biases(encoder)


ENTRY = Entry(BitfitSpec, build)
