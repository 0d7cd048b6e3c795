"""Percentile bootstrap: how far a metric would move with another sample of examples.

Source: Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
"""

from __future__ import annotations

from math import isinf, isnan
from typing import TYPE_CHECKING

import numpy as np

from sibu.core.result import Score

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sibu.core.protocols import Measure

MOST_DRAWS = 200_000_000
"""How many rows are drawn in all. Above 200 000 examples the default of 1000 resamples is cut to keep to it."""
FEWEST_RESAMPLES = 200
"""What a cut leaves at least: the interval of that many examples is narrow, so few resamples place its ends."""


def values(measure: Measure) -> dict[str, float]:
    """Every metric over all rows, without an interval: cheap enough for each epoch.

    Args:
        measure: What to ask.

    Returns:
        Value by metric; 0.0 where a metric is undefined (such as the correlation with a constant).

    Raises:
        ValueError: When there are no examples, or a metric is infinite.
    """
    if measure.n == 0:
        raise ValueError("there is nothing to measure: the data has no examples")
    found = {name: float(value) for name, value in measure(np.arange(measure.n)).items()}
    endless = [name for name, value in found.items() if isinf(value)]
    if endless:
        raise ValueError(f"a metric must be finite, given infinite: {', '.join(endless)}")
    return {name: 0.0 if isnan(value) else value for name, value in found.items()}


def bootstrap(measure: Measure, *, resamples: int = 1000, seed: int = 13, level: float = 0.95) -> dict[str, Score]:
    """Every metric with its percentile interval over resamples of the examples.

    All metrics see the same resamples, one at a time: memory is that of one. Where the examples are more than
    ``MOST_DRAWS / resamples``, fewer resamples are drawn, but never fewer than ``FEWEST_RESAMPLES``.

    A resample on which a metric is undefined (NaN) is left out of that metric's interval. A metric that is undefined
    on all rows has the value 0.0: it shows no skill, and NaN is no JSON. The interval is that of the percentiles,
    widened to hold the value where bias put the value outside.

    Args:
        measure: What to ask; ``measure(rows)`` for index arrays of length n.
        resamples: How many resamples to draw, at least 1.
        seed: Same seed, same numpy: the same interval.
        level: Share of the resamples inside the interval, in (0, 1).

    Returns:
        Score by metric, in the measure's order, with ``low <= value <= high`` and ``n = measure.n``.

    Raises:
        ValueError: When there are no examples, an argument is out of its range, or a metric is infinite.
    """
    if resamples < 1 or not 0 < level < 1:
        raise ValueError(f"bootstrap needs resamples >= 1 and 0 < level < 1, given {resamples} and {level}")
    whole = values(measure)
    n = measure.n
    count = min(resamples, max(FEWEST_RESAMPLES, MOST_DRAWS // n))
    drawn = {name: np.full(count, np.nan) for name in whole}
    random = np.random.default_rng(seed)
    for number in range(count):
        for name, value in measure(random.integers(0, n, size=n)).items():
            drawn[name][number] = value
    return {name: _score(value, drawn[name], level, n) for name, value in whole.items()}


def _score(value: float, drawn: NDArray[np.float64], level: float, n: int) -> Score:
    defined = drawn[np.isfinite(drawn)]
    if not defined.size:
        return Score(value, value, value, n)
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Score(value, min(float(low), value), max(float(high), value), n)
