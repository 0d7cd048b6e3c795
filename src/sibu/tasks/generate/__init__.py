"""Generate: a text for a text or a dialogue (translation, summary, reply, anything that is asked for).

Learned from right answers, on their pieces alone; written by the language head of the model, which must be one that
writes. How is chosen by `decoding`, within bounds by `constrain`. Source: Radford et al., 2019; Sutskever et al., 2014,
arXiv:1409.3215; instructions: Wei et al., 2022, arXiv:2109.01652.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from sibu.catalog import Entry, Spec, Stops

if TYPE_CHECKING:
    from sibu.tasks.generate.task import Generate


class GenerateSpec(Spec):
    """Options of `generate`."""

    writes: ClassVar[bool] = True
    type: Literal["generate"] = "generate"
    instruction: str = ""
    """What is asked of the model, put before each text: `Summarise the dialogue.`"""
    system: str | None = None
    """What the model is told about its part before the dialogue; a row's own system message goes before it."""
    template: str | None = None
    """A chat template (Jinja); null: the model's own. A model that has none reads a text as it is, and a dialogue with
    the speaker's name before each turn."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    """Share of the probability that the loss spreads over all pieces; 0.1 is usual where a model learns to translate
    from nothing. Source: Szegedy et al., 2016, arXiv:1512.00567."""
    turns: Literal["last", "all"] = "all"
    """Rows of `messages`: whether all the assistant's turns are learned, or the last alone."""
    examples: NonNegativeInt = 0
    """Training rows that are shown with their answers before each text, as turns of a dialogue: those most like it."""
    max_new_tokens: PositiveInt = 128
    """Most pieces of an answer; the prompt has what the model's longest input leaves beside them."""
    stop: Stops = ()
    """Texts at which an answer ends, beside the end that the model has learned; they are left out of it."""


def build(spec: GenerateSpec, state: dict[str, Any] | None = None) -> Generate:
    """The task; ``state`` is what a bundle saved of it."""
    from sibu.tasks._ask import Asking
    from sibu.tasks.generate.task import Generate

    asking = Asking(
        instruction=spec.instruction,
        system=spec.system,
        template=spec.template,
        turns=spec.turns,
        room=spec.max_new_tokens,
    )
    return Generate(
        asking=asking, stops=spec.stop, label_smoothing=spec.label_smoothing, examples=spec.examples, state=state
    )


ENTRY = Entry(GenerateSpec, build, needs=("sacrebleu",))
