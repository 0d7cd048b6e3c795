"""Best of n: several answers are drawn; of those that came to an end, the one with the highest reward is given.

Where none came to an end, the best of all. The task's block says by `reward` what is good. Costs n answers of writing,
no training; `reinforce` trains the same into the model. Source: Stiennon et al., 2020, arXiv:2009.01325; Nakano et al.,
2021, arXiv:2112.09332.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Decoder


class BestOfSpec(Spec):
    """Options of `best_of`."""

    name: Literal["best_of"] = "best_of"
    n: int = Field(default=8, ge=2, le=256)
    """Answers that are drawn."""
    temperature: PositiveFloat = Field(default=0.8, le=10)
    """Divides the scores: below 1 surer, above 1 more different answers."""
    top_p: float = Field(default=0.95, gt=0, le=1)
    """Share of the probability that the pieces drawn from hold together; 1: all."""
    top_k: NonNegativeInt = 0
    """How many of the likeliest pieces are drawn from; 0: all."""
    seed: int = Field(default=13, ge=0)
    """Seed of the draws."""

    @property
    def rows(self) -> int:
        """Rows that are computed for each prompt."""
        return self.n


def build(spec: BestOfSpec) -> Decoder:
    """The decoder: gives all n, of which the reward then chooses."""
    from sibu.decoders._draw import drawing
    from sibu.decoders._hf import decoder
    from sibu.decoders._steps import by_steps

    among: dict[str, Any] = {"temperature": spec.temperature, "top_p": spec.top_p, "top_k": spec.top_k}
    return by_steps(
        lambda: drawing(seed=spec.seed, **among),
        otherwise=decoder(seed=spec.seed, do_sample=True, num_beams=1, num_return_sequences=spec.n, **among),
        answers=spec.n,
    )


ENTRY = Entry(BestOfSpec, build, needs=("transformers",))
