"""Whether two streams that were laid on each other have anything in common, or agree by chance.

Their rank correlation is held against the highest that unrelated streams of this length and pace reach among as many
lags. Sources: Bartlett, 1946, On the theoretical specification and sampling properties of autocorrelated time-series;
Fisher, 1915, Frequency distribution of the values of the correlation coefficient.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from sibu.align.streams import Floats, fast_length

LEVEL = 0.05
"""Share of unrelated pairs whose correlation comes to what is told as chance's."""
AT_CHANCE = 0.25
"""The quality of a pair whose correlation is just that."""
FEWEST = 12
"""Values that the streams must share for their correlation to be asked."""


@dataclass(frozen=True, slots=True)
class Held:
    """A correlation, and what of it chance gives."""

    correlation: float
    """Rank correlation, in [-1, 1]."""
    by_chance: float
    """Its size that 1 in 20 unrelated pairs comes to, in [0, 1]; 1: nothing can be told."""

    @property
    def quality(self) -> float:
        """How far it is beyond chance's, in [0, 1]: ``1 - 0.75 * by chance / found`` in Fisher's z, at least 0."""
        if self.by_chance >= 1 or not self.correlation:
            return 0.0
        found = math.atanh(min(abs(self.correlation), 1 - 1e-12))
        return max(1 - (1 - AT_CHANCE) * math.atanh(self.by_chance) / found, 0.0)


def against_chance(first: Floats, second: Floats, *, lags: int, lines: float) -> Held:
    """Rank correlation of two streams, and what 1 in 20 unrelated pairs comes to where the best place was chosen.

    Autocorrelated streams count as fewer independent values (Bartlett), and so do those in which little happens; the
    highest of M lags passes the level as one does a level M times as small.

    Args:
        first: Shape (N,).
        second: The other, laid on it. Shape (N,).
        lags: Places, a value apart, of which this was the best.
        lines: Ways of looking at each: drifts times features.
    """
    count = len(first)
    if count < FEWEST:
        return Held(0.0, 1.0)
    one, two = _ranks(first), _ranks(second)
    sizes = float(np.linalg.norm(one)), float(np.linalg.norm(two))
    if not all(sizes):
        return Held(0.0, 1.0)
    length = fast_length(2 * count)
    powers = [np.abs(np.fft.rfft(each / size, length)) ** 2 for each, size in zip((one, two), sizes, strict=True)]
    together = powers[0] * powers[1]
    width = max(float(2 * together.sum() - together[0] - (0 if length % 2 else together[-1])) / length, 1.0)
    found = float(one @ two) / (sizes[0] * sizes[1])
    # still streams with an event or two lie on each other by that alone: their products vary more than Gaussians'
    rare = max(count * float(one**2 @ two**2) / (sizes[0] * sizes[1]) ** 2 / (1 + 2 * found**2), 1.0)
    alone = count / (width * rare)
    if alone <= 4:
        return Held(found, 1.0)
    far = -NormalDist().inv_cdf(LEVEL / (2 * lines * (1 + lags / width)))
    return Held(found, math.tanh(far / math.sqrt(alone - 3)))


def _ranks(values: Floats) -> Floats:
    """The places of values in their order, of equal ones the middle, about 0."""
    _, at, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(counts) - (counts + len(values)) / 2)[at]
    ranks -= ranks.mean()
    return ranks
