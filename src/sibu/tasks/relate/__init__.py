"""Relate marked entities of a text: which relation holds between two of them, and in which direction.

Each pair of entities is marked in the text and classified from the vectors at its two marks.
Source: Baldini Soares et al., 2019, arXiv:1906.03158 (entity start). Entities that are not given: find them by `tag`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from sibu.catalog import Entry, Labels, Spec
from sibu.tasks._written import AsWritten, WrittenTask

if TYPE_CHECKING:
    from sibu.core.protocols import Task


class RelateSpec(Spec):
    """Options of `relate`."""

    type: Literal["relate"] = "relate"
    labels: Labels | None = None
    """The relations in a fixed order, without the one that means none; null: those of the training data, sorted."""
    none_label: str | None = None
    """The data's name for 'no relation' (such as `Other`); pairs that the data does not list have none either."""
    mark_types: bool | None = None
    """Write each entity's own label into its mark; null: yes where the training entities have labels."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Dropout before the last layers."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    """Share of the target spread over all relations."""
    written: AsWritten = None
    """Answer in words, by the language head of a model that writes, bound to what is allowed: `true`, or a block with
    `instruction`, `system`, `template`, `max_new_tokens`; null: by a head of its own."""

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        if self.none_label is not None and self.none_label in (self.labels or ()):
            raise ValueError(
                f"`labels` names {self.none_label!r} too, which is `none_label`: leave it out of one of the two"
            )
        return self

    @property
    def writes(self) -> bool:
        """Whether the model's language head answers."""
        return self.written is not None


def build(spec: RelateSpec, state: dict[str, Any] | None = None) -> Task:
    """The task; ``state`` is what a bundle saved of it."""
    from sibu.tasks.relate.task import Relate

    task = Relate(
        labels=spec.labels,
        none_label=spec.none_label,
        mark_types=spec.mark_types,
        dropout=spec.dropout,
        label_smoothing=spec.label_smoothing,
        state=state,
    )
    if spec.written is None:
        return task
    from sibu.tasks.relate.written import RelateScript

    return WrittenTask(task, RelateScript(task), spec.written)


ENTRY = Entry(RelateSpec, build)
