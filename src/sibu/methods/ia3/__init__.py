"""(IA)³: a trained factor for each key, value and hidden feature; a few thousand weights.

Source: Liu et al., 2022, arXiv:2205.05638. The smallest adapter here; `lora` is more accurate where data is plenty.
By PEFT, saved in PEFT's layout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from pathlib import Path

    from sibu.core.protocols import Adapted


class Ia3Spec(Spec):
    """Options of `ia3`: none."""

    default_rate: ClassVar[float] = 5e-3
    name: Literal["ia3"] = "ia3"


def build(encoder: Any, spec: Ia3Spec, saved: Path | None = None) -> Adapted:  # noqa: ARG001
    """Put the factors into the encoder; ``saved``: with the weights of a bundle's ``adapter/``."""
    from peft import IA3Config

    from sibu.methods._peft import adapt

    return adapt(encoder, IA3Config(), saved)


ENTRY = Entry(Ia3Spec, build, needs=("peft",))
