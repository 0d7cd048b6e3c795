"""Dynamic time warping: which place of one stream answers to which of another, where speeds differ from place to place.

Source: Sakoe & Chiba, 1978, Dynamic programming algorithm optimization for spoken word recognition.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sibu.core.errors import DataError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class WarpPath:
    """The cheapest way through two streams."""

    cost: float
    """Sum of the distances along it."""
    path: NDArray[np.intp]
    """Places of the two streams that belong together, from (0, 0) to the last of both. Shape (K, 2)."""

    def places(self) -> Floats:
        """For each place of the first stream the mean of those of the second that belong to it. Shape (N,)."""
        first, second = self.path.T
        found: Floats = np.bincount(first, weights=second) / np.bincount(first)
        return found


def warp(a: ArrayLike, b: ArrayLike, *, band: int | None = None) -> WarpPath:
    """Warp two streams onto each other.

    The steps are one place on in ``a``, in ``b`` or in both, each at the Euclidean distance of the places that it
    reaches; of ways of one cost that with a step in both is taken, then that with a step in ``a``. Bring streams of
    other units to one scale first. Time grows with N times the band, memory too (a byte a cell).

    Args:
        a: Shape (N,) or (N, C).
        b: Shape (M,) or (M, C).
        band: How many places of the shorter stream a place of the longer may lie from the straight way (the
            Sakoe-Chiba band), at least 1; None: any.

    Raises:
        DataError: When a stream is empty or not finite, channels differ, or the band is below 1.
    """
    first, second = _stream(a, "first"), _stream(b, "second")
    if first.shape[1] != second.shape[1]:
        raise DataError(f"Both streams need the same channels, given {first.shape[1]} and {second.shape[1]}.")
    if band is not None and band < 1:
        raise DataError(f"The band must be at least 1 place, given {band}.")
    n, m = len(first) - 1, len(second) - 1
    if band is None:
        band = max(n, m, 1)
    lows, highs = _diagonals(n, m, band)
    steps, cost = _filled(first, second, lows, highs)
    return WarpPath(cost, _back(steps, lows, n, m))


def _stream(values: ArrayLike, which: str) -> Floats:
    held = np.asarray(values, dtype=np.float64)
    if held.ndim not in (1, 2) or not held.size:
        raise DataError(f"The {which} stream must be (N,) or (N, C) with at least one reading, given {held.shape}.")
    if not np.isfinite(held).all():
        raise DataError(f"The {which} stream holds a number that is not finite; fill it or leave it out.")
    return held.reshape(len(held), -1)


def _diagonals(n: int, m: int, band: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First and last place of ``a`` within the band on each diagonal i + j = 0 ... n + m.

    A cell is within it where ``|i m - j n| <= band max(n, m)``; of streams of one length, ``|i - j| <= band``.
    """
    sums, whole, wide = np.arange(n + m + 1, dtype=np.int64), max(n + m, 1), band * max(n, m)
    lows = np.maximum(-((wide - sums * n) // whole), np.maximum(sums - m, 0))
    highs = np.minimum((sums * n + wide) // whole, np.minimum(sums, n))
    return lows.astype(np.intp), highs.astype(np.intp)


BOTH, FIRST, SECOND = 0, 1, 2


def _filled(a: Floats, b: Floats, lows: NDArray[np.intp], highs: NDArray[np.intp]) -> tuple[NDArray[np.uint8], float]:
    """The step by which each cell is reached, a row a diagonal, and the cost of the last cell."""
    steps = np.zeros((len(lows), int((highs - lows).max()) + 1), np.uint8)
    # costs of the last two diagonals, by place of `a`; a cell outside the band costs infinitely much
    size = len(a) + 1
    before, last = np.full(size, np.inf), np.full(size, np.inf)
    last[1] = float(np.sqrt(((a[0] - b[0]) ** 2).sum()))
    for number in range(1, len(lows)):
        low, high = int(lows[number]), int(highs[number])
        own = np.sqrt(((a[low : high + 1] - b[number - high : number - low + 1][::-1]) ** 2).sum(axis=1))
        # at `i + 1` stands the cost of place i, so that a step in `a` comes from the place to the left
        ways = np.stack([before[low : high + 1], last[low : high + 1], last[low + 1 : high + 2]])
        taken = ways.argmin(axis=0)
        steps[number, : high - low + 1] = taken
        before, last = last, _cleared(before, lows, highs, number - 2)
        last[low + 1 : high + 2] = own + np.take_along_axis(ways, taken[None], axis=0)[0]
    return steps, float(last[len(a)])


def _cleared(costs: Floats, lows: NDArray[np.intp], highs: NDArray[np.intp], number: int) -> Floats:
    """The array of an older diagonal, to be filled anew."""
    if number >= 0:
        costs[lows[number] + 1 : highs[number] + 2] = np.inf
    return costs


def _back(steps: NDArray[np.uint8], lows: NDArray[np.intp], n: int, m: int) -> NDArray[np.intp]:
    i, j, found = n, m, [(n, m)]
    while i or j:
        step = steps[i + j, i - lows[i + j]]
        i, j = i - (step != SECOND), j - (step != FIRST)
        found.append((i, j))
    return np.array(found[::-1], dtype=np.intp).reshape(-1, 2)
