"""Classify a text or a pair: one label (sentiment, topic, intent, NLI, paraphrase) or several (multi-label).

A linear layer on the pooled vector, or another `head`; cross entropy for one label, binary cross entropy for several.
Source: Devlin et al., 2019, arXiv:1810.04805 (section 4.1). For a number instead of a label choose `regress`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sibu.catalog import Descriptions, Entry, Labels, Spec, Template, Words
from sibu.tasks._written import WrittenSpec, WrittenTask, spelled_out

if TYPE_CHECKING:
    from sibu.core.protocols import Task


class ClassifyWrittenSpec(WrittenSpec):
    """How a label is given in words."""

    by: Literal["writing", "likelihood"] = "writing"
    """Whether the answer is written, or each label's likelihood computed and the likeliest told."""
    calibrate: bool = True
    """With `likelihood`: take off how likely each label is where the text says nothing."""


AsClassifyWritten = Annotated[ClassifyWrittenSpec | None, BeforeValidator(spelled_out)]


class EntailedSpec(Spec):
    """How a label is told by entailment."""

    task: str | None = None
    """The task of the model's bundle that tells whether one text follows from another; null: its only one on pairs."""
    entailment: str | None = None
    """Its label for a text that follows; null: `entailment`, or another of its usual names."""
    templates: Annotated[tuple[Template, ...], Field(min_length=1)] | None = None
    """Sentences that say a label, `{}` being its words; the mean over them counts; null: one of our own, in Chinese for
    labels in Chinese."""


def _with_blank(pattern: str) -> str:
    """One blank and the text, and nothing else in braces."""
    rest = pattern.replace("{mask}", "", 1).replace("{text}", "", 1).replace("{text_pair}", "", 1)
    if "{mask}" not in pattern or "{text}" not in pattern or "{" in rest or "}" in rest:
        raise ValueError("a pattern has one `{mask}`, one `{text}`, for pairs `{text_pair}`, and no other braces")
    return pattern


class ClozeSpec(Spec):
    """How a label is told by filling in a blank."""

    pattern: Annotated[str, AfterValidator(_with_blank)]
    """The text with a sentence around it, `{mask}` being the blank: `"{text} It was {mask}."`."""
    words: dict[str, Words] = Field(default_factory=dict)
    """The word of a label that is to stand in the blank; null: its description, or its name."""


AsEntailed = Annotated[EntailedSpec | None, BeforeValidator(spelled_out)]


class ClassifySpec(Spec):
    """Options of `classify`."""

    type: Literal["classify"] = "classify"
    labels: Labels | None = None
    """The labels in a fixed order; null: those of the training data, sorted."""
    descriptions: Descriptions | None = None
    """What labels mean, in words: `{label: words}`, or a list of words a label; a head or a model that reads labels
    takes them in place of the names. Where `labels` is null they are the labels."""
    multi_label: bool | None = None
    """Whether an input may have several labels or none; null: yes where the data's labels are lists."""
    threshold: float = Field(default=0.5, gt=0, lt=1)
    """Multi-label: a label is given from this probability on."""
    pooling: Literal["mean", "first", "max"] = "mean"
    """How token vectors become one: `mean` suits sentence encoders, `first` plain BERT."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Dropout before the last layer."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    """Share of the target spread over all labels. Source: Szegedy et al., 2016, arXiv:1512.00567."""
    mixup: float = Field(default=0.0, ge=0, le=8)
    """Learn from mixtures of two texts' vectors and labels, their share drawn from Beta(mixup, mixup); 0: no. With the
    head `linear`. Sources: Zhang et al., 2018, arXiv:1710.09412; of texts: Guo et al., 2019, arXiv:1905.08941."""
    class_weights: Literal["none", "balanced"] | dict[str, float] = "none"
    """Weight of each label in the loss; `balanced`: inverse to its frequency."""
    written: AsClassifyWritten = None
    """Answer in words, by the language head of a model that writes, bound to what is allowed: `true`, or a block with
    `instruction`, `system`, `template`, `max_new_tokens`, `by` (`writing`: the answer is written; `likelihood`: every
    label's likelihood is computed, one reading of the text a label, and the likeliest told, with probabilities) and
    `calibrate` (with `likelihood`: how likely each label is where the text says nothing is taken off; Zhao et al.,
    2021, arXiv:2102.09690); null: by a head of its own."""
    entailed: AsEntailed = None
    """Answer by entailment: the run's `model` is a bundle that was trained on pairs of texts (premise, hypothesis), and
    its head tells whether the text entails a sentence that says the label (Yin et al., 2019, arXiv:1909.00161; with
    training rows Wang et al., 2021, arXiv:2104.14690). `true`, or a block with `task`, `entailment`, `templates`;
    null: by a head of its own. One reading of the text a label."""
    cloze: ClozeSpec | None = None
    """Answer by filling in a blank: which label's word a masked language model puts into a pattern around the text
    (PET: Schick and Schütze, 2021, arXiv:2001.07676). A block with `pattern` and `words`; with training rows it goes on
    from what the model knows of language, which suits few of them. For models with a masked-language head: those of a
    task `mask`, or as they come; null: by a head of its own."""

    @property
    def writes(self) -> bool:
        """Whether the model's language head answers."""
        return self.written is not None

    @property
    def borrows(self) -> bool:
        """Whether it answers by the head of another task."""
        return self.entailed is not None

    @property
    def fills(self) -> bool:
        """Whether the model's masked-language head answers."""
        return self.cloze is not None

    @model_validator(mode="after")
    def _one_way(self) -> ClassifySpec:
        ways = [f"`{name}`" for name in ("written", "entailed", "cloze") if getattr(self, name) is not None]
        if len(ways) > 1:
            raise ValueError(f"a label is told in one way, given {' and '.join(ways)}: leave one out")
        return self


def build(spec: ClassifySpec, state: dict[str, Any] | None = None) -> Task:
    """The task; ``state`` is what a bundle saved of it."""
    from sibu.tasks.classify.task import Classify

    task = Classify(
        labels=spec.labels,
        descriptions=spec.descriptions or {},
        multi_label=spec.multi_label,
        threshold=spec.threshold,
        pooling=spec.pooling,
        dropout=spec.dropout,
        label_smoothing=spec.label_smoothing,
        class_weights=spec.class_weights,
        mixup=spec.mixup,
        state=state,
    )
    if spec.cloze is not None:
        from sibu.tasks.classify.cloze import Cloze

        return Cloze(task, spec.cloze)
    if spec.entailed is not None:
        from sibu.tasks.classify.entailed import EntailedLabels

        return EntailedLabels(task, spec.entailed)
    if spec.written is None:
        return task
    from sibu.tasks.classify.written import ClassifyScript, WeighedLabels

    script = ClassifyScript(task)
    if spec.written.by == "likelihood":
        return WeighedLabels(task, script, spec.written, calibrate=spec.written.calibrate)
    return WrittenTask(task, script, spec.written)


ENTRY = Entry(ClassifySpec, build)
