"""Tag stretches of a text: named entities, slots, terms; from tokens with tags or from character spans.

A linear layer gives each word (each character in Chinese) a tag; decoding admits legal tag sequences only. Long texts
are read in overlapping windows. Source: Ramshaw and Marcus, 1995 (BIO); Devlin et al., 2019, arXiv:1810.04805.
Stretches that overlap or nest cannot be told apart by one tag a word; for the answer to a question choose `extract`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from sibu.catalog import Descriptions, Entry, Labels, Spec, Words
from sibu.tasks._written import AsWritten, WrittenTask, spelled_out

if TYPE_CHECKING:
    from sibu.core.protocols import Task


class ComparedSpec(Spec):
    """How words are told by their meaning."""

    nothing: Annotated[tuple[Words, ...], Field(min_length=1)] | None = None
    """What words are that have no label; null: a verb, a number, ..., in Chinese for labels in Chinese."""
    margin: float = Field(default=0.08, ge=-1, le=1)
    """How much more similar than to `nothing` a word must be to a label: more finds less, and is more often right."""


AsCompared = Annotated[ComparedSpec | None, BeforeValidator(spelled_out)]


class TagSpec(Spec):
    """Options of `tag`."""

    type: Literal["tag"] = "tag"
    labels: Labels | None = None
    """The kinds of stretches in a fixed order; null: those of the training data, sorted."""
    descriptions: Descriptions | None = None
    """What labels mean, in words: `{label: words}`, or a list of words a label; for `compared` and `written`. Where
    `labels` is null they are the labels."""
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

    compared: AsCompared = None
    """Answer without any training row, each word read alone: it takes the label whose description is nearest to it, or
    none. `true`, or a block with `nothing` and `margin`; null: by a head of its own. A rough first draft of labels, for
    encoders of sentences such as `minilm` and `me5`; the words of Chinese need jieba (`pip install sibu[chinese]`)."""

    @property
    def compares_words(self) -> bool:
        """Whether it needs no training row."""
        return self.compared is not None

    @model_validator(mode="after")
    def _one_way(self) -> TagSpec:
        if self.written is not None and self.compared is not None:
            raise ValueError("stretches are either `written` or `compared`: leave one out")
        unknown = sorted(set(self.descriptions or ()) - set(self.labels or self.descriptions or ()))
        if unknown:
            raise ValueError(
                f"descriptions names {', '.join(unknown)}, no label; allowed: {', '.join(self.labels or ())}"
            )
        return self

    @property
    def writes(self) -> bool:
        """Whether the model's language head answers."""
        return self.written is not None


def build(spec: TagSpec, state: dict[str, Any] | None = None) -> Task:
    """The task; ``state`` is what a bundle saved of it."""
    from sibu.tasks.tag.task import Tag

    task = Tag(
        labels=spec.labels or (None if spec.descriptions is None else tuple(spec.descriptions)),
        scheme=spec.scheme,
        overlaps=spec.overlaps,
        dropout=spec.dropout,
        label_smoothing=spec.label_smoothing,
        state=state,
    )
    if spec.compared is not None:
        from sibu.tasks.tag.compared import Compared

        return Compared(task, spec.compared, spec.descriptions or {})
    if spec.written is None:
        return task
    from sibu.tasks.tag.written import TagScript

    return WrittenTask(task, TagScript(task, spec.descriptions or {}), spec.written)


ENTRY = Entry(TagSpec, build)
