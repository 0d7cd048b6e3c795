"""Pairs of entities to marked texts, scores to relations, relations to metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from sibu.core.columns import Column
from sibu.core.errors import DataError
from sibu.core.example import LabelSet, Row, as_names, span_says_otherwise
from sibu.core.protocols import Features, Found, Judged, State, WindowOutput
from sibu.core.result import Prediction
from sibu.core.text import Feature, TextInput, Window
from sibu.metrics.relations import RelationMatch
from sibu.tasks._mean import mean_chances

if TYPE_CHECKING:
    from torch import Tensor

    from sibu.core.tensors import Output
    from sibu.tasks.relate.head import MarkedPairHead

MARKS = ("@", "#")
"""What stands before and after the first and the second entity of a pair: characters that every vocabulary has."""
NONE = ""
"""The class of pairs without a relation."""


class Relate:
    """See the door plate ``sibu.tasks.relate`` for the options.

    A class is a relation with its direction in the text: ``>`` where the entity that stands first is the head.
    """

    writes = False
    columns = (
        Column("text", "text", "input", help="the text"),
        Column("entities", "entities", "input", help="[{start, end, label?}], characters of the text"),
        Column("relations", "relations", "target", help="[{head, tail, label}], places in the list of entities"),
    )
    needs = (("text",), ("entities",), ("relations",))
    features = (Feature("relation", "int64", "window"), Feature("marks", "int64", "window"))
    metrics = ("precision", "recall", "f1", "macro_precision", "macro_recall", "macro_f1")
    main_metric = "f1"

    def __init__(
        self,
        *,
        labels: Sequence[str] | None,
        none_label: str | None,
        mark_types: bool | None,
        dropout: float,
        label_smoothing: float,
        state: State | None,
    ) -> None:
        self.fixed_labels = labels
        self.none_label = none_label
        self.mark_types = mark_types
        self.dropout = dropout
        self.label_smoothing = label_smoothing
        self.state: State = state or {}
        if state:
            self._restore()

    def learn(self, rows: Iterable[Row]) -> None:
        """Collect relations with their directions, and whether there are pairs without one."""
        classes: Counter[str] = Counter()
        typed = False
        for row in rows:
            typed = typed or any(entity["label"] for entity in row["entities"])
            listed = self._by_pair(row)
            for pair in self._pairs(row):
                classes[listed.get(pair, NONE)] += 1
        found = sorted({name[:-1] for name in classes if name != NONE})
        names = list(self.fixed_labels) if self.fixed_labels is not None else found
        if len(classes) < 2:
            (only,) = classes or [NONE]
            every = f"have the relation {only[:-1]!r}" if only else "have no relation"
            raise DataError(
                f"All {sum(classes.values())} pairs of the training data {every}; "
                "there is nothing to tell apart. Add rows with other relations, or with none."
            )
        directed = [name for label in names for name in (f"{label}>", f"{label}<") if classes[name]]
        self.state = {
            "labels": names,
            "classes": [NONE, *directed] if classes[NONE] or self.none_label else directed,
            "mark_types": typed if self.mark_types is None else self.mark_types,
            "counts": dict(classes),
        }
        self._restore()

    def _restore(self) -> None:
        self.labels = LabelSet(tuple(self.state["labels"]))
        self._numbers = {name: number for number, name in enumerate(self.state["classes"])}

    def _pairs(self, row: Row) -> list[tuple[int, int]]:
        """Every two entities, the one that stands first in the text first."""
        entities = row["entities"]
        order = sorted(range(len(entities)), key=lambda place: (entities[place]["start"], entities[place]["end"]))
        return list(combinations(order, 2))

    def _by_pair(self, row: Row) -> dict[tuple[int, int], str]:
        """The class of each listed pair."""
        classes = {}
        pairs = set(self._pairs(row))
        for relation in row.get("relations") or []:
            if relation["label"] == self.none_label:
                continue
            pair = (relation["head"], relation["tail"])
            classes[pair if pair in pairs else pair[::-1]] = relation["label"] + (">" if pair in pairs else "<")
        return classes

    def check(self, row: Row, windows: Sequence[Sequence[Window]]) -> Iterator[Found]:
        """Entities outside the text, relations of entities that are not there, pairs too far apart."""
        text, entities = row["text"], row["entities"]
        if not text.strip():
            yield "empty input", "error", "the text is empty.", "Remove the row or fill in its text."
        for entity in entities:
            if not entity["start"] < entity["end"] <= len(text):
                message = (
                    f"the entity {entity['start']}..{entity['end']} is not inside the text of {len(text)} characters."
                )
                yield "span outside the text", "error", message, "Offsets count characters from 0, end exclusive."
            elif said := span_says_otherwise(text, entity):
                yield "span and its text", "error", said, "Mend `start` and `end` (characters from 0), or the text."
        seen: dict[frozenset[int], str] = {}
        for relation in row.get("relations") or []:
            head, tail, label = relation["head"], relation["tail"], relation["label"]
            if max(head, tail) >= len(entities) or head == tail:
                message = f"the relation {label!r} names the entities {head} and {tail} of {len(entities)}."
                yield "bad relation", "error", message, "head and tail are two places in `entities`, from 0."
                continue
            pair = frozenset((head, tail))
            if pair in seen:
                message = f"the entities {head} and {tail} have two relations, {seen[pair]!r} and {label!r}."
                yield "two relations", "warning", message, "One relation a pair is learned: the last."
            seen[pair] = label
            if label != self.none_label and label not in self.labels:
                yield (
                    "unknown label",
                    "error" if self.fixed_labels is not None else "warning",
                    f"the relation {label!r} is not among: {as_names(self.labels)}.",
                    "Mend the label, or add rows of it to the training data; as it is it counts as an error.",
                )
        if any(len(window.places) < 2 for group in windows for window in group):
            message = "two entities stand farther apart than the model's longest input."
            yield (
                "entities far apart",
                "warning",
                message,
                "Their relation is judged from one of them; shorten the text.",
            )

    def inputs(self, row: Row) -> Sequence[TextInput]:
        """The text once a pair, its two entities marked."""
        return [self._marked(row, pair) for pair in self._pairs(row)]

    def _marked(self, row: Row, pair: tuple[int, int]) -> TextInput:
        text, entities = row["text"], row["entities"]
        cuts: list[tuple[int, int, str]] = []
        for order, (mark, place) in enumerate(zip(MARKS, pair, strict=True)):
            entity = entities[place]
            kind = f"{entity['label']} : " if self.state["mark_types"] and entity["label"] else ""
            cuts.append((entity["start"], 2 + order, f" {mark} {kind}"))
            cuts.append((entity["end"], 1 - order, f" {mark} "))
        parts: list[str] = []
        places: dict[int, int] = {}
        begin = length = 0
        for cut, order, mark in sorted(cuts):  # marks that close stand before marks that open
            parts += [text[begin:cut], mark]
            length += cut - begin
            if order >= 2:
                places[order - 2] = length + 1
            length += len(mark)
            begin = cut
        parts.append(text[begin:])
        found = tuple((places[number], places[number] + 1) for number in (0, 1))
        return TextInput("".join(parts), places=found, fit="around", split_characters=True)

    def targets(self, row: Row, number: int, window: Window, *, gold: bool) -> Features:
        """The pieces of the two marks; the class of the pair."""
        marks = {place: piece for place, _, _, piece in window.places}
        features: dict[str, np.ndarray] = {"marks": np.asarray([marks.get(0, 0), marks.get(1, 0)], dtype=np.int64)}
        if gold:
            name = self._by_pair(row).get(self._pairs(row)[number], NONE)
            features["relation"] = np.asarray(self._numbers[name], dtype=np.int64)
        return features

    def head(self, width: int) -> MarkedPairHead:
        """A layer on the vectors of the two marks."""
        from sibu.tasks.relate.head import MarkedPairHead

        return MarkedPairHead(width=width, classes=len(self.state["classes"]), dropout=self.dropout)

    def loss(self, output: Output, targets: Mapping[str, Tensor]) -> Tensor:
        """Mean cross entropy over the pairs."""
        import torch.nn.functional as F

        return F.cross_entropy(output.logits, targets["relation"], label_smoothing=self.label_smoothing)

    def decode(self, row: Row, answers: Sequence[Sequence[WindowOutput]]) -> Prediction:
        """The likeliest class of each pair; pairs without a relation are left out."""
        found: list[dict[str, Any]] = []
        for (first, second), outputs in zip(self._pairs(row), answers, strict=True):
            logits = outputs[0].logits.astype(np.float64)
            chances = np.exp(logits - logits.max())
            chances /= chances.sum()
            best = int(chances.argmax())
            name = self.state["classes"][best]
            if name == NONE:
                continue
            head, tail = (first, second) if name.endswith(">") else (second, first)
            score = round(float(chances[best]), 6)
            found.append({"head": head, "tail": tail, "label": name[:-1], "score": score})
        return Prediction(found, min((item["score"] for item in found), default=None))

    def combine(self, said: Sequence[WindowOutput]) -> WindowOutput:
        """The mean of the probabilities of a pair's classes."""
        return mean_chances(said)

    def judge(self, rows: Iterable[Row], predictions: Sequence[Prediction]) -> Judged:
        """Micro and macro F1 over relations with their direction; 'no relation' is not counted."""
        golds: list[set[tuple[int, int, str]]] = []
        guesses: list[set[tuple[int, int, str]]] = []
        for row, prediction in zip(rows, predictions, strict=True):
            listed = [r for r in row.get("relations") or [] if r["label"] != self.none_label]
            golds.append({(r["head"], r["tail"], r["label"]) for r in listed})
            guesses.append({(r["head"], r["tail"], r["label"]) for r in prediction.value})
        measure = RelationMatch(golds, guesses)
        wrong = [gold != guess for gold, guess in zip(golds, guesses, strict=True)]
        return Judged(measure, {"by_label": measure.by_label()}, wrong)
