"""Classification: one label an example, or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sibu.metrics.tally import Counts, Pairs, Tally, table

UNSEEN = "(unseen)"
"""The row of a report in which true labels without a name are pooled."""

Ints = NDArray[np.intp]


class SingleLabel:
    """Metrics where each example has one label.

    ``accuracy``, ``macro_f1``, ``weighted_f1``, ``mcc`` (multi-class, Gorodkin 2004) and, with ``positive``, ``f1``.
    Each is what scikit-learn computes on the same numbers. Micro F1 would be the accuracy again and is left out.

    A true label that training never saw has a number outside of ``0 .. classes - 1``: -1 for all such labels together,
    or numbers from ``classes`` on to keep them apart. No prediction can hit it, so it counts as wrong in the accuracy;
    each such number is one more label with F1 0 in ``macro_f1``, and weighs by its examples in ``weighted_f1``.
    ``macro_f1`` is the mean over the labels that occur in gold or predicted among the rows asked for.
    ``mcc`` is 0 where gold or predicted is constant. ``f1`` is NaN where the positive label does not occur.

    Args:
        gold: True class numbers, shape (n,).
        predicted: Predicted class numbers in ``0 .. classes - 1``, shape (n,).
        classes: Number of classes that can be predicted, C.
        positive: The class that ``f1`` is about, where one of two is.

    Raises:
        ValueError: When the shapes differ, a number is not whole, or a predicted one is no class.
    """

    def __init__(self, gold: ArrayLike, predicted: ArrayLike, classes: int, *, positive: int | None = None) -> None:
        true, said = _numbers(gold, predicted, classes)
        self.n = len(true)
        occurring, codes = np.unique(np.concatenate([true, said]), return_inverse=True)
        self._tally = _tally(codes[: self.n], codes[self.n :], len(occurring))
        self._positive = None if positive is None else np.flatnonzero(occurring == positive)

    def __call__(self, rows: Ints) -> Mapping[str, float]:
        """Every metric over the examples ``rows`` (at least one)."""
        counts = self._tally(rows)
        f1 = counts.f1()
        found = {
            "accuracy": float(counts.hits.sum() / len(rows)),
            "macro_f1": counts.macro(f1),
            "weighted_f1": float(f1 @ counts.gold / len(rows)),
            "mcc": _mcc(counts),
        }
        if self._positive is not None:
            one = Counts(*(part[self._positive] for part in (counts.gold, counts.predicted, counts.hits)))
            found["f1"] = one.macro(one.f1())
        return found


class MultiLabel:
    """Metrics where each example has any number of labels.

    ``micro_f1`` over all decisions for a label, ``macro_f1`` the mean over the labels that occur in gold or predicted
    among the rows asked for, ``exact_match`` the share of examples with all labels right (subset accuracy).
    An F1 is NaN where nothing is true and nothing predicted. Hamming accuracy is left out: with many labels nearly all
    of it is labels that are rightly absent. A true label that training never saw is one more column.

    Args:
        gold: Which labels are true, bool, shape (n, C).
        predicted: Which labels were predicted, bool, shape (n, C).

    Raises:
        ValueError: When the shapes differ or are not (n, C), or the arrays are not bool.
    """

    def __init__(self, gold: ArrayLike, predicted: ArrayLike) -> None:
        true, said = np.asarray(gold), np.asarray(predicted)
        if true.ndim != 2 or true.shape != said.shape:
            raise ValueError(f"gold and predicted must both be (n, C), given {true.shape} and {said.shape}")
        if true.dtype != bool or said.dtype != bool:  # chances would all turn true
            raise ValueError(f"gold and predicted must be bool, given {true.dtype} and {said.dtype}")
        self.n, classes = true.shape
        self._tally = Tally(self.n, classes, gold=_pairs(true), predicted=_pairs(said), hits=_pairs(true & said))
        self._exact = (true == said).all(axis=1).astype(np.float64)

    def __call__(self, rows: Ints) -> Mapping[str, float]:
        """Every metric over the examples ``rows`` (at least one)."""
        counts = self._tally(rows)
        return {
            "micro_f1": counts.micro()["f1"],
            "macro_f1": counts.macro(counts.f1()),
            "exact_match": float(self._exact[rows].mean()),
        }

    def by_label(self, names: Sequence[str]) -> dict[str, dict[str, float]]:
        """Figures by label for the report; ``names`` in the order of the columns."""
        return table(names, self._tally.all())


def confusion(gold: ArrayLike, predicted: ArrayLike, classes: int) -> list[list[int]]:
    """How often each true class (row) was predicted as each class (column).

    Args:
        gold: True class numbers, shape (n,).
        predicted: Predicted class numbers in ``0 .. classes - 1``, shape (n,).
        classes: C.

    Returns:
        C rows of C columns; one more row at the end where gold has numbers outside of ``0 .. classes - 1``.

    Raises:
        ValueError: When the shapes differ, a number is not whole, or a predicted one is no class.
    """
    true, said = _numbers(gold, predicted, classes)
    rows = _pooled(true, classes)
    height = classes + bool((rows == classes).any())
    cells = np.bincount(rows * classes + said, minlength=height * classes)
    found: list[list[int]] = cells.reshape(height, classes).tolist()
    return found


def by_class(gold: ArrayLike, predicted: ArrayLike, names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Figures by class for the report.

    Args:
        gold: True class numbers, shape (n,).
        predicted: Predicted class numbers in ``0 .. len(names) - 1``, shape (n,).
        names: The classes' names by number, C of them.

    Returns:
        For each name ``precision``, ``recall``, ``f1``, ``support`` and ``predicted``; at the end a row ``(unseen)``
        where gold has numbers without a name.

    Raises:
        ValueError: When the shapes differ, a number is not whole, or a predicted one has no name.
    """
    true, said = _numbers(gold, predicted, len(names))
    true = _pooled(true, len(names))
    shown = [*names, UNSEEN] if (true == len(names)).any() else list(names)
    return table(shown, _tally(true, said, len(shown)).all())


def _numbers(gold: ArrayLike, predicted: ArrayLike, classes: int) -> tuple[Ints, Ints]:
    """Both as checked arrays of shape (n,)."""
    true, said = np.asarray(gold), np.asarray(predicted)
    if true.ndim != 1 or true.shape != said.shape:
        raise ValueError(f"gold and predicted must both be (n,), given {true.shape} and {said.shape}")
    if true.size and (true.dtype.kind not in "iu" or said.dtype.kind not in "iu"):
        raise ValueError(f"gold and predicted must be whole numbers, given {true.dtype} and {said.dtype}")
    if said.size and not (said.min() >= 0 and said.max() < classes):
        raise ValueError(f"predicted must be in 0 .. {classes - 1}, given {said.min()} .. {said.max()}")
    return true.astype(np.intp), said.astype(np.intp)


def _pairs(table: NDArray[np.bool_]) -> Pairs:
    """Example and label of each true cell of an array (n, C)."""
    examples, labels = table.nonzero()
    return examples, labels


def _pooled(gold: Ints, classes: int) -> Ints:
    """Gold numbers with every one that is no class turned to ``classes``."""
    return np.where((gold >= 0) & (gold < classes), gold, classes)


def _tally(gold: Ints, predicted: Ints, classes: int) -> Tally:
    everyone = np.arange(len(gold))
    right = np.flatnonzero(gold == predicted)
    return Tally(len(gold), classes, gold=(everyone, gold), predicted=(everyone, predicted), hits=(right, gold[right]))


def _mcc(counts: Counts) -> float:
    """Matthews correlation of any number of classes from their margins, in [-1, 1]."""
    total = float(counts.gold.sum())
    gold, predicted = total**2 - float(counts.gold @ counts.gold), total**2 - float(counts.predicted @ counts.predicted)
    if gold <= 0 or predicted <= 0:
        return 0.0
    return (float(counts.hits.sum()) * total - float(counts.gold @ counts.predicted)) / sqrt(gold * predicted)
