"""Prefer: of two answers to a question learn to write the one that was chosen rather than the one that was rejected.

Begins from a model that can write such answers already (one trained by `generate`: name its bundle as `model`). Two
losses look at how much likelier the chosen answer became than it was: `dpo` (Rafailov et al., 2023, arXiv:2305.18290),
and `ipo` (Azar et al., 2023, arXiv:2310.12036), which does not push pairs apart without end. Two have no reference:
`simpo` (Meng et al., 2024, arXiv:2405.14734), and `orpo` (Hong et al., 2024, arXiv:2403.07691), which learns to write
the chosen answers too and may begin from any model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from sibu.catalog import Entry, Spec, Stops

if TYPE_CHECKING:
    from sibu.tasks.prefer.task import Prefer


class PreferSpec(Spec):
    """Options of `prefer`."""

    writes: ClassVar[bool] = True
    type: Literal["prefer"] = "prefer"
    loss: Literal["dpo", "ipo", "simpo", "orpo"] = "dpo"
    """What is made small; `dpo` and `ipo` compare with the model as it was before training."""
    beta: PositiveFloat | None = None
    """How far the model may move from its reference: less holds it less. `orpo`: weight of the preference beside the
    writing. null: `dpo` and `ipo` 0.1, `simpo` 2, `orpo` 0.1."""
    gamma: NonNegativeFloat = 1.0
    """`simpo`: by how much the chosen answer is to be likelier, in log probabilities of a piece times `beta`."""
    write_weight: NonNegativeFloat = 0.0
    """Weight of learning to write the chosen answers beside the preference; keeps answers fluent.
    Source: Pang et al., 2024, arXiv:2404.19733."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=0.5)
    """`dpo`: share of the pairs that are taken to be the wrong way round. Source: Mitchell, 2023."""
    instruction: str = ""
    """What is asked of the model, put before each text."""
    system: str | None = None
    """What the model is told about its part before the dialogue."""
    template: str | None = None
    """A chat template (Jinja); null: the model's own."""
    max_new_tokens: PositiveInt = 128
    """Most pieces of an answer; the prompt has what the model's longest input leaves beside them."""
    stop: Stops = ()
    """Texts at which an answer ends, beside the end that the model has learned; they are left out of it."""


def build(spec: PreferSpec, state: dict[str, Any] | None = None) -> Prefer:
    """The task; ``state`` is what a bundle saved of it."""
    from sibu.tasks._ask import Asking
    from sibu.tasks.prefer.task import Prefer

    betas = {"dpo": 0.1, "ipo": 0.1, "simpo": 2.0, "orpo": 0.1}
    asking = Asking(
        instruction=spec.instruction, system=spec.system, template=spec.template, turns="last", room=spec.max_new_tokens
    )
    return Prefer(
        loss=spec.loss,
        beta=betas[spec.loss] if spec.beta is None else spec.beta,
        gamma=spec.gamma,
        write_weight=spec.write_weight,
        label_smoothing=spec.label_smoothing,
        asking=asking,
        stops=spec.stop,
        state=state,
    )


ENTRY = Entry(PreferSpec, build)
