"""Prefix tuning: trained keys and values before every layer's own.

Source: Li and Liang, 2021, arXiv:2101.00190. Learns slowly on small encoders; made for large models, where `lora` costs
more memory. By PEFT, saved in PEFT's layout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import PositiveInt

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from pathlib import Path

    from sibu.core.protocols import Adapted


class PrefixSpec(Spec):
    """Options of `prefix`."""

    default_rate: ClassVar[float] = 1e-2
    name: Literal["prefix"] = "prefix"
    length: PositiveInt = 16
    """How many trained places stand before the text; the longest input is shorter by as many."""

    @property
    def reserved_positions(self) -> int:
        """Places of the model that are no longer the text's."""
        return self.length


def build(encoder: Any, spec: PrefixSpec, saved: Path | None = None) -> Adapted:
    """Put the prefix before the encoder's layers; ``saved``: with the weights of a bundle's ``adapter/``."""
    from peft import PrefixTuningConfig

    from sibu.methods._peft import adapt

    return adapt(encoder, PrefixTuningConfig(num_virtual_tokens=spec.length), saved)


ENTRY = Entry(PrefixSpec, build, needs=("peft",))
