"""Tag stretches of a text: named entities, slots, terms; from tokens with tags or from character spans.

A linear layer gives each word (each character in Chinese) a tag; decoding admits legal tag sequences only. Long texts
are read in overlapping windows. Source: Ramshaw and Marcus, 1995 (BIO); Devlin et al., 2019, arXiv:1810.04805.
Stretches that overlap or nest cannot be told apart by one tag a word; for the answer to a question choose `extract`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from sibu.catalog import Entry, Labels, Spec
from sibu.tasks._written import AsWritten, WrittenTask

if TYPE_CHECKING:
    from sibu.core.protocols import Task


class TagSpec(Spec):
    """Options of `tag`."""

    type: Literal["tag"] = "tag"
    labels: Labels | None = None
    """The kinds of stretches in a fixed order; null: those of the training data, sorted."""
    scheme: Literal["BIO", "BIOES"] = "BIO"
    """Tags inside the model; data may come in IO, BIO or BIOES whatever this says."""
    overlaps: Literal["error", "longest"] = "error"
    """What to do with training spans that overlap: refuse, or learn the longest and count the others."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Dropout before the last layer."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    """Share of the target spread over all tags."""
    written: AsWritten = None
    """Answer in words, by the language head of a model that writes, bound to what is allowed: `true`, or a block with
    `instruction`, `system`, `template`, `max_new_tokens`; null: by a head of its own."""

    @property
    def writes(self) -> bool:
        """Whether the model's language head answers."""
        return self.written is not None


def build(spec: TagSpec, state: dict[str, Any] | None = None) -> Task:
    """The task; ``state`` is what a bundle saved of it."""
    from sibu.tasks.tag.task import Tag

    task = Tag(
        labels=spec.labels,
        scheme=spec.scheme,
        overlaps=spec.overlaps,
        dropout=spec.dropout,
        label_smoothing=spec.label_smoothing,
        state=state,
    )
    if spec.written is None:
        return task
    from sibu.tasks.tag.written import TagScript

    return WrittenTask(task, TagScript(task), spec.written)


ENTRY = Entry(TagSpec, build)
