"""Labels by entailment: whether a text entails a sentence that says the label, by the head of a bundle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sibu.core.errors import RecipeError
from sibu.core.example import Row, as_names, is_cjk
from sibu.core.protocols import Features, Found, HeadPlace, State, WindowOutput
from sibu.core.result import Prediction
from sibu.core.text import Feature, TextInput, Window
from sibu.tasks._inner import Answered
from sibu.tasks._mean import mean_chances

if TYPE_CHECKING:
    from torch import Tensor

    from sibu.core.tensors import Output
    from sibu.tasks.classify import EntailedSpec
    from sibu.tasks.classify.task import Classify

ENGLISH, CHINESE = ("This text is about {}.",), ("这段文字是关于{}的。",)
YES = ("entailment", "entails", "entailed", "蕴含", "蕴涵", "yes", "true", "1")
"""What data sets call a pair whose second sentence follows from the first."""
NO = ("contradiction", "contradicts", "not_entailment", "矛盾", "no", "false", "0")
"""What they call one of which it does not."""


class EntailedLabels(Answered):
    """Each label is a sentence that the text entails or not.

    Args:
        inner: The task as a head of its own would answer it: its labels, checks and metrics hold.
        spec: The options.
    """

    writes = False
    borrows = True
    needs = (("text",), ("label",))
    features = (Feature("label", "int64", "window"),)

    def __init__(self, inner: Classify, spec: EntailedSpec) -> None:
        super().__init__(inner)
        self.inner: Classify = inner
        self.spec = spec
        self.columns = tuple(column for column in inner.columns if column.name != "text_pair")
        self.lent: Mapping[str, Any] = inner.state.get("lent", {})

    def borrow(self, task: str, labels: Sequence[str], pooling: str) -> None:
        """Take what another task says of a pair of texts.

        Args:
            task: Its name.
            labels: Its labels in their order.
            pooling: How its head pools.

        Raises:
            RecipeError: When none of its labels says that one text follows from the other.
        """
        named = self.spec.entailment
        found = [label for label in labels if label == named or (named is None and label.casefold() in YES)]
        if len(found) != 1:
            what = f"no label of {task!r} is called {named!r}" if named else f"none of {task!r} clearly says so"
            raise RecipeError(
                f"Which label says that the text entails the sentence? {what[0].upper()}{what[1:]}. "
                f"Name it in `entailed.entailment`. Its labels: {as_names(labels)}."
            )
        others = [label for label in labels if label != found[0]]
        no = next((label for label in others if label.casefold() in NO), others[0])
        self.lent = {"task": task, "labels": list(labels), "pooling": pooling, "yes": found[0], "no": no}

    @property
    def state(self) -> State:
        """The labels, and what was lent."""
        return self.inner.state | {"lent": dict(self.lent)}

    def learn(self, rows: Iterable[Row]) -> None:
        """The labels, as the task itself does."""
        self.inner.learn(rows)
        self.inner.state["pairs"] = None

    def check(self, row: Row, windows: Sequence[Sequence[Window]]) -> Iterator[Found]:
        """As the task itself does."""
        yield from self.inner.check(row, windows)

    def sentences(self) -> list[tuple[int, str]]:
        """The number of a label and a sentence that says it, for each way of saying it."""
        found = []
        for number, words in enumerate(self.inner.words):
            own = CHINESE if any(map(is_cjk, "".join(words))) else ENGLISH
            found += [(number, way.replace("{}", word)) for word in words for way in self.spec.templates or own]
        return found

    def inputs(self, row: Row) -> Sequence[TextInput]:
        """The text with each sentence."""
        return [TextInput(row["text"], pair=sentence) for _, sentence in self.sentences()]

    def targets(self, row: Row, number: int, window: Window, *, gold: bool) -> Features:  # noqa: ARG002
        """Whether the text entails this input's sentence, as the lent head says it."""
        if not gold:
            return {}
        label = self.inner.labels.names[self.sentences()[number][0]]
        own = row["label"]
        holds = label in own if isinstance(own, list) else label == own
        return {"label": np.asarray(self.lent["labels"].index(self.lent["yes" if holds else "no"]), dtype=np.int64)}

    def head(self, width: int) -> HeadPlace:
        """The place of the lent head."""
        return HeadPlace(width, len(self.lent["labels"]), self.lent["pooling"], self.inner.dropout, False)

    def loss(self, output: Output, targets: Mapping[str, Tensor]) -> Tensor:
        """Cross entropy over the lent head's labels."""
        from sibu.tasks.classify.loss import classify_loss

        smoothing = self.inner.label_smoothing
        return classify_loss(
            output.logits, targets["label"], multi_label=False, label_smoothing=smoothing, weights=None
        )

    def _joined(self, answers: Sequence[Sequence[WindowOutput]]) -> list[list[WindowOutput]]:
        """One answer with a score a label: the log odds that its sentences follow, their mean."""
        scores: list[list[float]] = [[] for _ in self.inner.labels]
        yes = self.lent["labels"].index(self.lent["yes"])
        for (label, _), windows in zip(self.sentences(), answers, strict=True):
            logits = windows[0].logits.astype(np.float64)
            scores[label].append(float(logits[yes] - np.logaddexp.reduce(np.delete(logits, yes))))
        return [[replace(answers[0][0], logits=np.array([np.mean(own) for own in scores]))]]

    def decode(self, row: Row, answers: Sequence[Sequence[WindowOutput]]) -> Prediction:
        """The label whose sentence most likely follows, or all that likely do."""
        return self.inner.decode(row, self._joined(answers))

    def combine(self, said: Sequence[WindowOutput]) -> WindowOutput:
        """The mean of the lent heads' probabilities for one sentence."""
        return mean_chances(said)

    def chances(self, answers: Sequence[Sequence[WindowOutput]]) -> np.ndarray:
        """As of the task itself."""
        return self.inner.chances(self._joined(answers))
