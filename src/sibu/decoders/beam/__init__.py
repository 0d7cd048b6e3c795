"""Beam search: several unfinished answers are kept, the likeliest whole one is given.

Better translations and summaries than `greedy`, at as many times its cost as there are beams. Source: Sutskever et al.,
2014, arXiv:1409.3215; length penalty: Wu et al., 2016, arXiv:1609.08144.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Decoder


class BeamSpec(Spec):
    """Options of `beam`."""

    name: Literal["beam"] = "beam"
    beams: int = Field(default=4, ge=2, le=64)
    """Unfinished answers that are kept."""
    length_penalty: float = 1.0
    """Power of the length that a sum of log probabilities is divided by; above 1 favours long answers."""
    repetition_penalty: PositiveFloat = Field(default=1.0, le=10)
    """Divides the scores of pieces that were there already; 1: none. Source: Keskar et al., 2019, arXiv:1909.05858."""
    no_repeat: NonNegativeInt = 0
    """No run of so many pieces comes twice; 0: no bound."""

    @property
    def rows(self) -> int:
        """Rows that are computed for each prompt."""
        return self.beams


def build(spec: BeamSpec) -> Decoder:
    """The decoder."""
    from sibu.decoders._hf import decoder

    return decoder(
        do_sample=False,
        num_beams=spec.beams,
        length_penalty=spec.length_penalty,
        early_stopping=False,
        repetition_penalty=spec.repetition_penalty,
        no_repeat_ngram_size=spec.no_repeat,
    )


ENTRY = Entry(BeamSpec, build, needs=("transformers",))
