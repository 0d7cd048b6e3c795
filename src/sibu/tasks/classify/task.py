"""Rows to class numbers, class scores to labels, labels to metrics."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sibu.core.columns import Column
from sibu.core.errors import DataError, Fault, RecipeError, counted
from sibu.core.example import LabelSet, Row, as_names
from sibu.core.knowing import Options
from sibu.core.protocols import Features, Found, HeadPlace, Judged, State, WindowOutput
from sibu.core.result import Prediction
from sibu.core.text import Feature, TextInput, Window
from sibu.metrics.classes import MultiLabel, SingleLabel, by_class, confusion
from sibu.tasks._mean import mean_chances, mean_odds
from sibu.tasks._pair import Pairs, check_pair

if TYPE_CHECKING:
    from torch import Tensor

    from sibu.core.tensors import Output


_JOINTS = re.compile(r"[_\-.:/]+|(?<=[a-z])(?=[A-Z])")
"""Where the parts of a label's name meet: `card_arrival`, `cardArrival`."""


def no_labels(key: str, given: Collection[str], labels: Sequence[str]) -> list[Fault]:
    """The fault of an option that names labels of which some are none; an empty list where all are."""
    unknown = sorted(set(given) - set(labels))
    return [Fault(key, f"names {as_names(unknown)}, no label.", f"Allowed: {as_names(labels)}.")] if unknown else []


class Classify:
    """See the door plate ``sibu.tasks.classify`` for the options."""

    writes = False
    any_modality = True
    """Whether a row may have other modalities in place of a text."""
    columns = (
        Column("text", "text", "input", help="the text"),
        Column("text_pair", "text", "input", help="its pair: hypothesis, second sentence, ..."),
        Column("label", "label", "target", help="a label, or a list of labels"),
    )
    needs = (("text",), ("label",))

    def __init__(
        self,
        *,
        labels: Sequence[str] | None,
        descriptions: Mapping[str, str | Sequence[str]],
        multi_label: bool | None,
        threshold: float,
        pooling: str,
        dropout: float,
        label_smoothing: float,
        class_weights: str | Mapping[str, float],
        mixup: float,
        state: State | None,
    ) -> None:
        self.fixed_labels = labels if labels is not None or not descriptions else tuple(descriptions)
        self.descriptions = descriptions
        self.multi_label = multi_label
        self.threshold = threshold
        self.pooling = pooling
        self.dropout = dropout
        self.label_smoothing = label_smoothing
        self.class_weights = class_weights
        self.mixup = mixup
        self.state: State = state or {}
        if state:
            self._restore()

    @property
    def metrics(self) -> tuple[str, ...]:
        """Of one label, or of several; ``f1`` is that of the second of two labels."""
        if self.state["multi_label"]:
            return ("micro_f1", "macro_f1", "exact_match")
        common = ("accuracy", "macro_f1", "weighted_f1", "mcc")
        return (*common, "f1") if len(self.labels) == 2 else common

    @property
    def main_metric(self) -> str:
        """Accuracy for one label, micro F1 for several."""
        return "micro_f1" if self.state["multi_label"] else "accuracy"

    @property
    def features(self) -> tuple[Feature, ...]:
        """The class number, or a 0/1 vector over the labels."""
        return (Feature("label", "float32" if self.state["multi_label"] else "int64", "window"),)

    def learn(self, rows: Iterable[Row]) -> None:
        """Count labels, and settle which there are."""
        counts: Counter[str] = Counter()
        lists = singles = 0
        pairs = Pairs()
        for row in rows:
            pairs.add(row)
            label = row["label"]
            lists += isinstance(label, list)
            singles += not isinstance(label, list)
            counts.update(label if isinstance(label, list) else [label])
        # Most rows say which form is meant; `check` names the others.
        multi = lists > singles if self.multi_label is None else self.multi_label
        names = list(self.fixed_labels) if self.fixed_labels is not None else sorted(counts)
        weighed = self.class_weights if isinstance(self.class_weights, Mapping) else ()
        if wrong := [*no_labels("descriptions", self.descriptions, names), *no_labels("class_weights", weighed, names)]:
            raise RecipeError(wrong)
        if len(names) < (1 if multi else 2) and self.fixed_labels is not None:
            what = f"has {counted(len(names), 'label')}, and a classifier needs at least 2."
            raise RecipeError(Fault("labels", what, "Add the others."))
        if len(names) < (1 if multi else 2):
            raise DataError(
                f"The training data has {counted(len(names), 'label')}{f' ({as_names(names)})' if names else ''}; "
                f"a classifier needs at least {1 if multi else 2}. "
                "Add rows of another label, or list all in `labels`."
            )
        self.state = {"labels": names, "multi_label": multi, "counts": {name: counts[name] for name in names}}
        self.state["pairs"] = pairs.share if pairs.rows else None
        self._restore()

    def _restore(self) -> None:
        self.labels = LabelSet(tuple(self.state["labels"]))
        self._numbers = self.labels.numbers()

    def check(self, row: Row, windows: Sequence[Sequence[Window]]) -> Iterator[Found]:  # noqa: ARG002
        """Labels that the training data does not have; empty texts."""
        if row.get("text") is not None and not row["text"].strip():
            yield "empty input", "error", "the text is empty.", "Remove the row or fill in its text."
        yield from check_pair(row, self.state.get("pairs"))
        label = row.get("label")
        if label is None:
            return
        if isinstance(label, list) != self.state["multi_label"]:
            given, wanted = ("a list", "one label") if isinstance(label, list) else ("one label", "a list of labels")
            yield (
                "label form",
                "error",
                f"the label is {given} where the task has {wanted}.",
                "Use one form in all rows.",
            )
        for name in label if isinstance(label, list) else [label]:
            if name not in self._numbers:
                listed = self.fixed_labels is not None
                yield (
                    "unknown label",
                    "error" if listed else "warning",
                    f"the label {name!r} is not among the {'recipe' if listed else 'training data'}'s: "
                    f"{as_names(self.labels)}.",
                    "Mend the label, or add it to `labels`."
                    if listed
                    else "Mend the label, or add rows of it to the training data; as it is it counts as an error.",
                )

    def inputs(self, row: Row) -> Sequence[TextInput]:
        """The text with its pair; an empty one where a row has other modalities alone."""
        return [TextInput(row.get("text") or "", pair=row.get("text_pair"))]

    def targets(self, row: Row, number: int, window: Window, *, gold: bool) -> Features:  # noqa: ARG002
        """The class number; for several labels 1 for each that holds."""
        if not gold:
            return {}
        if not self.state["multi_label"]:
            return {"label": np.asarray(self._numbers[row["label"]], dtype=np.int64)}
        vector = np.zeros(len(self.labels), dtype=np.float32)
        vector[[self._numbers[name] for name in row["label"]]] = 1
        return {"label": vector}

    def head(self, width: int) -> HeadPlace:
        """What the recipe's head answers for."""
        several = bool(self.state["multi_label"])
        return HeadPlace(width, len(self.labels), self.pooling, self.dropout, several)

    @property
    def words(self) -> list[tuple[str, ...]]:
        """What each label means in words: its descriptions, or its name with blanks between its parts."""
        found = []
        for name in self.labels:
            own = self.descriptions.get(name, _JOINTS.sub(" ", name).strip() or name)
            found.append((own,) if isinstance(own, str) else tuple(own))
        return found

    def loss(self, output: Output, targets: Mapping[str, Tensor]) -> Tensor:
        """Cross entropy, or binary cross entropy over the labels."""
        from sibu.tasks.classify.loss import classify_loss, mixed_loss

        named: dict[str, Any] = {"multi_label": self.state["multi_label"], "weights": self._weights()}
        named["label_smoothing"] = self.label_smoothing
        if self.mixup:
            return mixed_loss(output.logits, targets["label"], alpha=self.mixup, **named)
        return classify_loss(output.logits, targets["label"], **named)

    def _weights(self) -> list[float] | None:
        if self.class_weights == "none":
            return None
        if isinstance(self.class_weights, Mapping):
            return [float(self.class_weights.get(name, 1.0)) for name in self.labels]
        counts = np.array([max(self.state["counts"].get(name, 0), 1) for name in self.labels], dtype=float)
        return [float(weight) for weight in counts.sum() / (len(counts) * counts)]

    def decode(self, row: Row, answers: Sequence[Sequence[WindowOutput]]) -> Prediction:  # noqa: ARG002
        """The likeliest label, or those above the threshold."""
        logits = answers[0][0].logits.astype(np.float64)
        if self.state["multi_label"]:
            chances = 1 / (1 + np.exp(-logits))
            chosen = [name for name, chance in zip(self.labels, chances, strict=True) if chance >= self.threshold]
            return Prediction(chosen, None, {n: _short(c) for n, c in zip(self.labels, chances, strict=True)})
        chances = np.exp(logits - logits.max())
        chances /= chances.sum()
        best = int(chances.argmax())
        scores = {name: _short(chance) for name, chance in zip(self.labels, chances, strict=True)}
        return Prediction(self.labels.names[best], _short(chances[best]), scores)

    def combine(self, said: Sequence[WindowOutput]) -> WindowOutput:
        """The mean of the probabilities, of several labels of each by itself."""
        return mean_odds(said) if self.state["multi_label"] else mean_chances(said)

    def chances(self, answers: Sequence[Sequence[WindowOutput]]) -> np.ndarray:
        """Probabilities of the labels, ``(1, C)``; of several labels of each being given or not, ``(C, 2)``."""
        logits = answers[0][0].logits.astype(np.float64)
        if self.state["multi_label"]:
            given = 1 / (1 + np.exp(-logits))
            return np.stack([1 - given, given], 1)
        found = np.exp(logits - logits.max())
        return np.asarray(found / found.sum())[None]

    # ---- rules over labels ------------------------------------------------------------------------------------

    @property
    def exclusive(self) -> bool:
        """Whether exactly one label holds."""
        return not self.state["multi_label"]

    @property
    def ruled(self) -> Sequence[str]:
        """The labels."""
        return self.labels.names

    def held(self, row: Row) -> frozenset[str]:
        """The row's own labels."""
        label = row["label"]
        return frozenset(label if isinstance(label, list) else [label])

    def log_chances(self, output: Output, targets: Mapping[str, Tensor]) -> Tensor | None:  # noqa: ARG002
        """Log probabilities of the labels; of several of each label's not holding and holding."""
        import torch
        import torch.nn.functional as F

        logits = output.logits.float()
        if self.exclusive:
            return torch.log_softmax(logits, -1)
        return torch.stack([F.logsigmoid(-logits), F.logsigmoid(logits)], -1)

    def options(self, row: Row, answers: Sequence[Sequence[WindowOutput]]) -> Options:
        """The labels, one or several."""
        from sibu.tasks.classify.options import OneLabel, SeveralLabels

        logits, plain = answers[0][0].logits.astype(np.float64), self.decode(row, answers)
        if self.exclusive:
            return OneLabel(self.labels.names, logits - np.logaddexp.reduce(logits), plain)
        return SeveralLabels(self.labels.names, logits - np.log(self.threshold / (1 - self.threshold)), plain)

    def judge(self, rows: Iterable[Row], predictions: Sequence[Prediction]) -> Judged:
        """Accuracy and F1 (one label) or micro and macro F1 (several), with the confusion between labels."""
        golds = [row["label"] for row in rows]
        if self.state["multi_label"]:
            known = self._known(name for label in golds for name in label)
            gold = _vectors(golds, known)
            predicted = _vectors([each.value for each in predictions], known)
            several = MultiLabel(gold, predicted)
            shown: dict[str, Any] = {"labels": list(known), "by_label": several.by_label(list(known))}
            return Judged(several, shown, [bool(each) for each in (gold != predicted).any(1)])
        known = self._known(golds)
        numbers = np.array([known[label] for label in golds], dtype=np.int64)
        guesses = np.array([known[each.value] for each in predictions], dtype=np.int64)
        details: dict[str, Any] = {
            "labels": list(known),
            "confusion": confusion(numbers, guesses, len(known)),
            "by_label": by_class(numbers, guesses, list(known)),
        }
        measure = SingleLabel(numbers, guesses, len(known), positive=1 if len(self.labels) == 2 else None)
        return Judged(measure, details, [bool(each) for each in numbers != guesses])

    def _known(self, names: Iterable[str]) -> dict[str, int]:
        """The labels by number, with those that training never saw behind: they count, and count as errors."""
        known = dict(self._numbers)
        for name in names:
            known.setdefault(name, len(known))
        return known


def _vectors(labels: Sequence[Sequence[str]], numbers: Mapping[str, int]) -> np.ndarray:
    vectors = np.zeros((len(labels), len(numbers)), dtype=bool)
    for place, names in enumerate(labels):
        vectors[place, [numbers[name] for name in names]] = True
    return vectors


def _short(chance: float) -> float:
    """Six digits: more is noise in a file, and differs between machines."""
    return round(float(chance), 6)
