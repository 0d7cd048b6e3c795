"""Counts by label of what is true, predicted and right, over any choice of examples."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
Floats = NDArray[np.float64]
Pairs = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Example numbers and, beside them, label numbers; shape (K,) both."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How often each of C labels is true, predicted, and both at once; shape (C,) each.

    A ratio without a denominator is 0, as scikit-learn and seqeval report it. A mean or a sum over nothing at all
    (no label is true, none predicted) is NaN.
    """

    gold: Floats
    predicted: Floats
    hits: Floats

    def precision(self) -> Floats:
        """Share of the predictions that are right, by label. Shape (C,), in [0, 1]."""
        return _ratio(self.hits, self.predicted)

    def recall(self) -> Floats:
        """Share of the true ones that were found, by label. Shape (C,), in [0, 1]."""
        return _ratio(self.hits, self.gold)

    def f1(self) -> Floats:
        """Harmonic mean of precision and recall, by label. Shape (C,), in [0, 1]."""
        return _ratio(2 * self.hits, self.gold + self.predicted)

    def micro(self) -> dict[str, float]:
        """``precision``, ``recall`` and ``f1`` over all labels together."""
        # in plain numbers: a bootstrap asks this a thousand times, and arrays of one number cost ten times as much
        gold, predicted, hits = (float(part.sum()) for part in (self.gold, self.predicted, self.hits))
        if not gold + predicted:
            return dict.fromkeys(("precision", "recall", "f1"), float("nan"))
        return {
            "precision": hits / predicted if predicted else 0.0,
            "recall": hits / gold if gold else 0.0,
            "f1": 2 * hits / (gold + predicted),
        }

    def macro(self, by_label: Floats) -> float:
        """Mean of a figure by label, over the labels that are true or predicted at least once.

        On all rows this is scikit-learn's and seqeval's macro average. A resample that holds nothing of a rare label
        says nothing of it: counting it as 0 there would push the whole interval below the value.
        """
        occurs = self.gold + self.predicted > 0
        return float(by_label[occurs].mean()) if occurs.any() else float("nan")


class Tally:
    """Counts that can be taken over any choice of examples in time linear in what they hold.

    Args:
        n: Number of examples.
        classes: Number of labels, C.
        gold: Which label is true in which example.
        predicted: Which label was predicted in which example.
        hits: Which predictions are right.
    """

    def __init__(self, n: int, classes: int, *, gold: Pairs, predicted: Pairs, hits: Pairs) -> None:
        self.n = n
        self.classes = classes
        self._gold, self._predicted, self._hits = gold, predicted, hits

    def __call__(self, rows: NDArray[np.intp]) -> Counts:
        """The counts over the examples ``rows`` (numbers from 0, repeats allowed)."""
        weights = np.bincount(rows, minlength=self.n).astype(np.float64)
        return Counts(
            self._sums(self._gold, weights), self._sums(self._predicted, weights), self._sums(self._hits, weights)
        )

    def all(self) -> Counts:
        """The counts over every example once."""
        return self(np.arange(self.n))

    def _sums(self, pairs: Pairs, weights: Floats) -> Floats:
        examples, labels = pairs
        sums: Floats = np.bincount(labels, weights=weights[examples], minlength=self.classes).astype(np.float64)
        return sums


def tally_sets(
    gold: Sequence[Collection[T]], predicted: Sequence[Collection[T]], label: Callable[[T], str]
) -> tuple[list[str], Tally]:
    """A tally of sets of things, where a prediction is right if it equals a true thing of its example.

    Args:
        gold: The true things of each example; n of them. Duplicates count once.
        predicted: The predicted things of each example; n of them.
        label: Under which label a thing is counted.

    Returns:
        The labels that occur, sorted, and the tally over them.

    Raises:
        ValueError: When ``gold`` and ``predicted`` differ in length.
    """
    if len(gold) != len(predicted):
        raise ValueError(f"gold and predicted must be of one length, given {len(gold)} and {len(predicted)}")
    true = [set(things) for things in gold]
    said = [set(things) for things in predicted]
    found = [one & other for one, other in zip(true, said, strict=True)]
    names = sorted({label(thing) for sets in (true, said) for things in sets for thing in things})
    numbers = {name: number for number, name in enumerate(names)}

    def pairs(sets: Sequence[set[T]]) -> Pairs:
        listed = [(example, numbers[label(thing)]) for example, things in enumerate(sets) for thing in things]
        table = np.array(listed, dtype=np.intp).reshape(-1, 2)
        return np.ascontiguousarray(table[:, 0]), np.ascontiguousarray(table[:, 1])

    return names, Tally(len(true), len(names), gold=pairs(true), predicted=pairs(said), hits=pairs(found))


def table(names: Sequence[str], counts: Counts) -> dict[str, dict[str, float]]:
    """What the report prints by label: ``precision``, ``recall``, ``f1`` in [0, 1], ``support``, ``predicted``.

    Args:
        names: The C labels in the order of the counts.
        counts: Over all examples.

    Returns:
        One row a label, in the given order; JSON.
    """
    ratios = zip(counts.precision().tolist(), counts.recall().tolist(), counts.f1().tolist(), strict=True)
    sizes = zip(counts.gold.astype(int).tolist(), counts.predicted.astype(int).tolist(), strict=True)
    return {
        name: {"precision": precision, "recall": recall, "f1": f1, "support": support, "predicted": predicted}
        for name, (precision, recall, f1), (support, predicted) in zip(names, ratios, sizes, strict=True)
    }


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
