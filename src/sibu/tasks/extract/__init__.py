"""Extract the answer to a question from a text, as a stretch of it; or say that the text has none.

Two scores a piece: does the answer begin here, does it end here. Long texts are read in overlapping windows, the
question repeated before each. Source: Devlin et al., 2019, arXiv:1810.04805 (sections 4.2, 4.3); no-answer as in
Rajpurkar et al., 2018, arXiv:1806.03822.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, PositiveInt

from sibu.catalog import Entry, Spec
from sibu.tasks._written import AsWritten, WrittenTask

if TYPE_CHECKING:
    from sibu.core.protocols import Task


class ExtractSpec(Spec):
    """Options of `extract`."""

    type: Literal["extract"] = "extract"
    no_answer: bool | None = None
    """Whether a question may have no answer in the text; null: yes where the training data has such questions."""
    no_answer_margin: float = 0.0
    """How much better than the best stretch 'no answer' must score to be given, in logits."""
    longest_answer: PositiveInt = 64
    """Most pieces that an answer may have."""
    language: Literal["auto", "en", "zh"] = "auto"
    """How EM and F1 compare texts: SQuAD's way, or CMRC's for Chinese; `auto`: by the gold answers."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Dropout before the last layer."""
    written: AsWritten = None
    """Answer in words, by the language head of a model that writes, bound to what is allowed: `true`, or a block with
    `instruction`, `system`, `template`, `max_new_tokens`; null: by a head of its own."""

    @property
    def writes(self) -> bool:
        """Whether the model's language head answers."""
        return self.written is not None


def build(spec: ExtractSpec, state: dict[str, Any] | None = None) -> Task:
    """The task; ``state`` is what a bundle saved of it."""
    from sibu.tasks.extract.task import Extract

    task = Extract(
        no_answer=spec.no_answer,
        no_answer_margin=spec.no_answer_margin,
        longest_answer=spec.longest_answer,
        language=spec.language,
        dropout=spec.dropout,
        state=state,
    )
    if spec.written is None:
        return task
    from sibu.tasks.extract.written import ExtractScript

    return WrittenTask(task, ExtractScript(task), spec.written)


ENTRY = Entry(ExtractSpec, build)
