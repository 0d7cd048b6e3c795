"""A sweep of learning rates: the rate grows from step to step, and the loss tells which rates suit.

Source: Smith, 2017, arXiv:1506.01186 (the range test). The valley is found as fastai's ``lr_find`` finds it, but in
means that do not lag behind the rate, and only from where the loss begins to fall.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median

RISE = 4.0
"""A sweep ends where the smoothed loss is this many times its lowest."""
WINDOW = 0.05
"""Share of the steps that the smoothed loss looks back over."""
FEWEST = 10
"""Steps to the lowest loss, not counted the first ones that it is compared with; from fewer nothing is read."""
VARIES = 4.0
"""By how many standard deviations of a mean the loss must fall, so that it is no chance: the lowest of many is taken.
Of sweeps over a loss that only varies, about one in twenty passes."""
SLIGHT = 0.01
"""Share of its first value that the loss must fall, however little it varies."""


def rates_of(low: float, high: float, steps: int) -> list[float]:
    """Rates from ``low`` to ``high``, each the same multiple of the one before."""
    span = math.log(high / low)
    return [low * math.exp(span * place / (steps - 1)) for place in range(steps)]


@dataclass(frozen=True, slots=True)
class Point:
    """One step of a sweep."""

    rate: float
    loss: float
    smoothed: float
    """Running mean of the losses so far, each kind's for itself."""
    level: float
    """The smoothed loss and by how much this one was off its kind's: the loss itself where there is one kind."""


@dataclass(slots=True)
class _Mean:
    """Exponential running mean without the pull to zero at the beginning."""

    total: float = 0.0
    weight: float = 0.0
    count: int = 0

    def add(self, value: float, keep: float) -> None:
        self.total = keep * self.total + (1 - keep) * value
        self.weight = keep * self.weight + (1 - keep)
        self.count += 1

    @property
    def value(self) -> float:
        return self.total / self.weight


class Curve:
    """The loss over the rates of a sweep.

    Steps of several tasks have losses of different heights in turn; each kind of step is smoothed for itself, and the
    smoothed loss is the mean of the kinds' by how often they came.

    Args:
        steps: As many as the sweep has when nothing ends it.
    """

    def __init__(self, steps: int) -> None:
        self.window = max(steps * WINDOW, 2.0)
        self.points: list[Point] = []
        self._kinds: dict[Hashable, _Mean] = {}
        self._since = 0

    def add(self, rate: float, loss: float, kind: Hashable = None) -> None:
        """One more step: its rate, its finite loss, and what tells steps of its kind from others (its tasks)."""
        if kind not in self._kinds:
            self._kinds[kind] = _Mean()
            self._since = len(self.points)  # the mean of other kinds is no measure of this one
        own = self._kinds[kind]
        own.add(loss, 1 - 1 / self.window)
        count = sum(each.count for each in self._kinds.values())
        smoothed = sum(each.value * each.count for each in self._kinds.values()) / count
        self.points.append(Point(rate, loss, smoothed, smoothed + loss - own.value))

    @property
    def half(self) -> int:
        """Steps on each side that a centred mean looks at."""
        return math.ceil(self.window)

    @property
    def centred(self) -> list[float]:
        """The mean of each step's level and of those around it: what a curve is read by, since it does not lag."""
        return centred_means([point.level for point in self.points], half=self.half)

    @property
    def whole(self) -> range:
        """The steps that are read: their centred means are of as many as all others, and vary no more than they."""
        first = min(self.half, len(self.points) - 1)
        return range(first, max(len(self.points) - self.half, first + 1))

    @property
    def fewest(self) -> int:
        """Steps up to the lowest loss that are needed to read the curve."""
        return self.half + FEWEST + 1

    @property
    def risen(self) -> bool:
        """Whether the smoothed loss is far above its lowest: then higher rates tell nothing more."""
        return self.points[-1].smoothed > self.limit

    @property
    def limit(self) -> float:
        """What the smoothed loss may reach: ``RISE`` times its lowest.

        Where that is not above zero (learned weights of tasks make it so), as many times its size, or what it fell.
        """
        smoothed = [point.smoothed for point in self.points[self._since :]]
        lowest = min(smoothed)
        size = lowest if lowest > 0 else max(-lowest, smoothed[0] - lowest)
        return lowest + (RISE - 1) * size


@dataclass(frozen=True, slots=True)
class Reading:
    """What a curve tells."""

    before: float
    """The loss at the first rates, on average."""
    best: float
    """The loss around its lowest, on average."""
    steepest: float | None = None
    """The rate at which the loss fell fastest; None: nothing can be read."""
    valley: float | None = None
    """The rate in the middle of the longest fall."""
    lowest: float | None = None
    """The rate around which the loss was lowest."""
    rose: bool = False
    """Whether the loss rose behind its lowest."""
    few: int | None = None
    """Steps after which the loss was lowest or rose, where they are too few to read."""


def read(curve: Curve, *, ended: bool) -> Reading:
    """Read a curve: where the loss fell, and from where it rose.

    Args:
        curve: Of at least one step.
        ended: Whether the sweep came to its last rate; otherwise the loss rose, or was no number any more.

    Returns:
        Rates; none of them where the loss never fell by more than it varies, or where the steps are too few.
    """
    rates, levels = ([getattr(point, name) for point in curve.points] for name in ("rate", "level"))
    half, means, whole = curve.half, curve.centred, curve.whole
    first = whole.start
    place = min(whole, key=means.__getitem__)
    before = means[first]
    slack = max(VARIES * variation(levels) / math.sqrt(2 * half + 1), SLIGHT * abs(before))
    fell = before - means[place] > slack
    rose = not ended or max(means[place : whole.stop]) - (means[place] if fell else before) > slack
    last = max(number for number in whole if means[number] <= means[place] + slack)
    few = place if fell else last
    if (fell or rose) and few - first < FEWEST:
        return Reading(before, means[place], rose=rose, few=few + 1)
    if not fell:
        return Reading(before, means[place], rose=rose)
    begun = max((number for number in range(first, place) if means[number] >= before - slack), default=first)
    start = max(begun - half, first)  # what falls earlier is noise
    steepest = steepest_place(rates, levels, range(start, place + 1), half=half)
    valley = start + valley_place(means[start : whole.stop])
    return Reading(before, means[place], rates[steepest], rates[valley], rates[place], rose)


def centred_means(values: Sequence[float], *, half: int) -> list[float]:
    """The mean of each value and as many as ``half`` on each side, fewer at the ends: it does not lag."""
    return [fmean(values[max(place - half, 0) : place + half + 1]) for place in range(len(values))]


def variation(values: Sequence[float]) -> float:
    """About the standard deviation of values around their trend, by the median of what lies between neighbours.

    Zero for fewer than two values.
    """
    steps = [abs(two - one) for one, two in pairwise(values)]
    return median(steps) / (0.6745 * math.sqrt(2)) if steps else 0.0


def steepest_place(rates: Sequence[float], values: Sequence[float], places: range, *, half: int) -> int:
    """The place around which values fall fastest over the logarithm of the rate.

    Args:
        rates: Growing.
        values: One a rate.
        places: Which may be answered.
        half: Neighbours on each side through which, as far as there are, a line is laid by least squares.
    """

    def slope(place: int) -> float:
        about = slice(max(place - half, 0), place + half + 1)
        x, y = [math.log(rate) for rate in rates[about]], values[about]
        middle, mean = fmean(x), fmean(y)
        rise = sum((a - middle) * (b - mean) for a, b in zip(x, y, strict=True))
        return rise / sum((a - middle) ** 2 for a in x)

    return min(places, key=slope)


def valley_place(values: Sequence[float]) -> int:
    """The middle of the longest fall: of as many places before its end as its longest falling row of values has.

    The values of the row need not be neighbours, so that single steps up do not end it.
    """
    tails: list[float] = []  # of rows by length, the negative of the highest last value: ever higher
    longest, end = 0, 0
    for place, value in enumerate(values):
        length = bisect_left(tails, -value)
        tails[length : length + 1] = [-value]
        if length + 1 > longest:
            longest, end = length + 1, place
    third = longest / 3
    return max(end - longest + int(third) + int(third / 2), 0)
