"""Numbers against numbers: how far off, and whether they rise together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

LARGEST = 1e140
"""Far above it the sum of squares is no longer a finite double."""


class Numbers:
    """Metrics of regression: ``pearson`` and ``spearman`` in [-1, 1], ``mse`` and ``mae`` from 0, less being better.

    Spearman's is Pearson's over ranks; equal numbers share the mean of their ranks, and every resample is ranked anew.
    A number's rank follows from how often each distinct number was drawn, so a resample needs no sorting.
    Both correlations are NaN where gold or predicted is constant, or there is one row only.

    Args:
        gold: True numbers, shape (n,).
        predicted: Predicted numbers, shape (n,).

    Raises:
        ValueError: When the shapes differ, or a number is not finite or beyond 1e140 in size.
    """

    def __init__(self, gold: ArrayLike, predicted: ArrayLike) -> None:
        true, said = np.asarray(gold, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
        if true.ndim != 1 or true.shape != said.shape:
            raise ValueError(f"gold and predicted must both be (n,), given {true.shape} and {said.shape}")
        for name, numbers in (("gold", true), ("predicted", said)):
            if not (np.abs(numbers) <= LARGEST).all():  # false for NaN too
                raise ValueError(f"{name} must hold finite numbers of at most {LARGEST:g} in size")
        self.n = len(true)
        self._places = [np.unique(each, return_inverse=True)[1] for each in (true, said)]
        self._scaled = [_scaled(each) for each in (true, said)]
        self._off = np.abs(said - true)

    def __call__(self, rows: Ints) -> Mapping[str, float]:
        """Every metric over the examples ``rows`` (at least one)."""
        # how often each row was drawn: weighted sums run through memory in order, which gathering rows would not
        weights = np.bincount(rows, minlength=self.n).astype(np.float64)
        drawn = [np.bincount(places, weights=weights).astype(np.float64) for places in self._places]
        moves = all(np.count_nonzero(counts) > 1 for counts in drawn)
        first, second = (_mean_ranks(counts)[places] for counts, places in zip(drawn, self._places, strict=True))
        return {
            "pearson": _pearson(self._scaled[0], self._scaled[1], weights) if moves else float("nan"),
            "spearman": _pearson(first, second, weights) if moves else float("nan"),
            "mse": float(weights @ self._off**2 / len(rows)),
            "mae": float(weights @ self._off / len(rows)),
        }


def _mean_ranks(counts: Floats) -> Floats:
    """The rank from 1, averaged over equals, of each distinct number from how often it was drawn. Shape (U,)."""
    ranks: Floats = np.cumsum(counts) - (counts - 1) / 2
    return ranks


def _pearson(x: Floats, y: Floats, weights: Floats) -> float:
    """Weighted correlation of two arrays of shape (n,), neither constant where the weights are not 0."""
    x, y = x - np.average(x, weights=weights), y - np.average(y, weights=weights)
    size = float(np.sqrt(weights @ x**2) * np.sqrt(weights @ y**2))
    return min(1.0, max(-1.0, float(weights @ (x * y)) / size)) if size > 0 else float("nan")


def _scaled(numbers: Floats) -> Floats:
    """Deviations from the mean, at most 1 in size: squares neither vanish nor overflow, and correlations stay."""
    if not numbers.size or numbers.min() == numbers.max():
        return np.zeros_like(numbers)
    away = numbers - numbers.mean()
    scaled: Floats = away / np.abs(away).max()
    return scaled
