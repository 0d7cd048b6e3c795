"""Reinforce: learn to write answers that a reward finds good, from answers that the model writes itself.

At each step several answers are drawn to each prompt; those that get more than the others to the same prompt become
likelier (REINFORCE with the others' mean as its baseline). Begins from a model that writes such answers now and then
(a bundle of `generate`): what it never writes it cannot learn. Try the decoding `best_of` first: it needs no training.
Source: Williams, 1992; baseline: Kool et al., 2019; for language models: Ahmadian et al., 2024, arXiv:2402.14740.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from sibu.catalog import Entry, Spec, Stops

if TYPE_CHECKING:
    from sibu.tasks.reinforce.task import Reinforce


class ReinforceSpec(Spec):
    """Options of `reinforce`."""

    writes: ClassVar[bool] = True
    type: Literal["reinforce"] = "reinforce"
    candidates: int = Field(default=4, ge=2, le=64)
    """Answers that are drawn to each prompt."""
    temperature: PositiveFloat = Field(default=1.0, le=10)
    """Divides the scores when they are drawn."""
    kl: NonNegativeFloat = 0.05
    """What it costs an answer to be likelier than it was before training, per unit of log probability: holds the model
    to what it could do before. 0: nothing."""
    instruction: str = ""
    """What is asked of the model, put before each text."""
    system: str | None = None
    """What the model is told about its part before the dialogue."""
    template: str | None = None
    """A chat template (Jinja); null: the model's own."""
    max_new_tokens: PositiveInt = 64
    """Most pieces of an answer; the prompt has what the model's longest input leaves beside them."""
    stop: Stops = ()
    """Texts at which an answer ends, beside the end that the model has learned; they are left out of it."""


def build(spec: ReinforceSpec, state: dict[str, Any] | None = None) -> Reinforce:
    """The task; ``state`` is what a bundle saved of it."""
    from sibu.tasks._ask import Asking
    from sibu.tasks.reinforce.task import Reinforce

    asking = Asking(
        instruction=spec.instruction, system=spec.system, template=spec.template, turns="last", room=spec.max_new_tokens
    )
    return Reinforce(
        candidates=spec.candidates,
        temperature=spec.temperature,
        kl=spec.kl,
        asking=asking,
        stops=spec.stop,
        state=state,
    )


ENTRY = Entry(ReinforceSpec, build, needs=("sacrebleu",))
