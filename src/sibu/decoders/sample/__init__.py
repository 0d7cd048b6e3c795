"""Sampling: the next piece is drawn by its probability, from the likeliest alone.

For dialogue and for several different answers to one question. Seeded: the same inputs in the same order give the same
answers. Source: nucleus: Holtzman et al., 2020, arXiv:1904.09751; top-k: Fan et al., 2018, arXiv:1805.04833.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Decoder


class SampleSpec(Spec):
    """Options of `sample`."""

    name: Literal["sample"] = "sample"
    temperature: PositiveFloat = Field(default=0.8, le=10)
    """Divides the scores: below 1 surer, above 1 more surprising."""
    top_p: float = Field(default=0.95, gt=0, le=1)
    """Share of the probability that the pieces drawn from hold together; 1: all."""
    top_k: NonNegativeInt = 0
    """How many of the likeliest pieces are drawn from; 0: all."""
    repetition_penalty: PositiveFloat = Field(default=1.0, le=10)
    """Divides the scores of pieces that were there already; 1: none. Source: Keskar et al., 2019, arXiv:1909.05858."""
    no_repeat: NonNegativeInt = 0
    """No run of so many pieces comes twice; 0: no bound."""
    seed: int = Field(default=13, ge=0)
    """Seed of the draws."""


def build(spec: SampleSpec) -> Decoder:
    """The decoder."""
    from sibu.decoders._draw import drawing
    from sibu.decoders._hf import decoder, penalties
    from sibu.decoders._steps import by_steps

    own: dict[str, Any] = {"repetition_penalty": spec.repetition_penalty, "no_repeat_ngram_size": spec.no_repeat}
    among: dict[str, Any] = {"temperature": spec.temperature, "top_p": spec.top_p, "top_k": spec.top_k}
    return by_steps(
        lambda: drawing(seed=spec.seed, **among),
        processors=lambda: penalties(**own),
        otherwise=decoder(seed=spec.seed, do_sample=True, num_beams=1, **among, **own),
    )


ENTRY = Entry(SampleSpec, build, needs=("transformers",))
