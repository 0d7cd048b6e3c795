"""Freeze: the top layers train, those below stay as they are and are computed once for each text.

Between `probe` and `full` in cost and accuracy. Source: Lee et al., 2019, arXiv:1911.03090.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import PositiveInt

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from pathlib import Path

    from sibu.core.protocols import Adapted


class FreezeSpec(Spec):
    """Options of `freeze`."""

    default_rate: ClassVar[float] = 1.5e-4
    trains_own: ClassVar[bool] = True
    rate_falls_with_width: ClassVar[bool] = True
    trains_inputs: ClassVar[bool] = False
    name: Literal["freeze"] = "freeze"
    layers: PositiveInt = 2
    """How many layers train, counted from the top."""


def build(encoder: Any, spec: FreezeSpec, saved: Path | None = None) -> Adapted:  # noqa: ARG001
    """Freeze all but the top layers."""
    from sibu.methods.freeze.layers import train_top

    return train_top(encoder, count=spec.layers)


ENTRY = Entry(FreezeSpec, build)
