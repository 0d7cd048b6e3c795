"""Prompt tuning: trained vectors before the text's own.

Source: Lester et al., 2021, arXiv:2104.08691. The fewest trained weights; close to `full` only for models of billions
of weights. By PEFT, saved in PEFT's layout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import PositiveInt

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from pathlib import Path

    from sibu.core.protocols import Adapted


class PromptSpec(Spec):
    """Options of `prompt`."""

    default_rate: ClassVar[float] = 1e-2
    name: Literal["prompt"] = "prompt"
    length: PositiveInt = 16
    """How many trained vectors stand before the text; the longest input is shorter by as many."""

    @property
    def reserved_positions(self) -> int:
        """Places of the model that are no longer the text's."""
        return self.length


def build(encoder: Any, spec: PromptSpec, saved: Path | None = None) -> Adapted:
    """Put the vectors before the encoder's input; ``saved``: with the weights of a bundle's ``adapter/``."""
    from peft import PromptTuningConfig

    from sibu.methods._peft import adapt

    return adapt(encoder, PromptTuningConfig(num_virtual_tokens=spec.length), saved, leading=spec.length)


ENTRY = Entry(PromptSpec, build, needs=("peft",))
