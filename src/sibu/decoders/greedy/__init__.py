"""Greedy: always the likeliest next piece.

Fast, the same each time. For answers that are nearly settled by the question (labels, extraction, short summaries);
`beam` finds likelier sentences, `sample` livelier ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Decoder


class GreedySpec(Spec):
    """Options of `greedy`."""

    name: Literal["greedy"] = "greedy"
    repetition_penalty: PositiveFloat = Field(default=1.0, le=10)
    """Divides the scores of pieces that were there already; 1: none. Source: Keskar et al., 2019, arXiv:1909.05858."""
    no_repeat: NonNegativeInt = 0
    """No run of so many pieces comes twice; 0: no bound."""


def build(spec: GreedySpec) -> Decoder:
    """The decoder."""
    from sibu.decoders._hf import decoder, penalties
    from sibu.decoders._steps import by_steps

    own: dict[str, Any] = {"repetition_penalty": spec.repetition_penalty, "no_repeat_ngram_size": spec.no_repeat}
    return by_steps(
        lambda: lambda scores, *_: scores.argmax(-1),
        processors=lambda: penalties(**own),
        otherwise=decoder(do_sample=False, num_beams=1, **own),
    )


ENTRY = Entry(GreedySpec, build, needs=("transformers",))
