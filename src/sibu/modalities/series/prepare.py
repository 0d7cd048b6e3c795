"""Streams of readings to arrays."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from sibu.core.columns import Column
from sibu.core.errors import DataError, counted
from sibu.core.example import as_names
from sibu.core.protocols import Features, Found, State
from sibu.core.text import Feature
from sibu.media.series import SHORTEST, Series, read_series, resampled, series_faults
from sibu.store.hashes import hash_json

if TYPE_CHECKING:
    from sibu.modalities.series.encoder import SeriesEncoder

FARTHEST = 20.0
"""Deviations from the mean that a reading counts at most."""
UNEVEN = 5.0
"""Most that the log of a distance between readings, relative to the usual one, counts."""


class SeriesPreparer:
    """The series modality: a stream as patches of readings, in deviations from the mean, NaN where one is missing.

    Args:
        field: Its column.
        reading: How a file is read: ``channels``, ``time``, ``unit``.
        rate: Readings a second that it is brought to; None: as they are.
        gap: Seconds between readings that are not bridged then; None: all are.
        seconds: What is beyond them is cut; None: nothing.
        longest: Most readings.
        patch: P, readings a patch.
        by_example: Whether each stream is scaled by its own mean and deviation.
        layout: How the encoder is made.
        state: What was learned before.
    """

    stride = 1
    """Patches to a place of the encoder."""

    def __init__(
        self,
        *,
        field: str,
        reading: Mapping[str, Any],
        rate: float | None,
        gap: float | None,
        seconds: float | None,
        longest: int,
        patch: int,
        by_example: bool,
        layout: Mapping[str, Any],
        state: State | None = None,
    ) -> None:
        self.field = field
        self.column = Column(field, "series", "input", "a file of readings, or rows of one number a channel")
        self.reading, self.rate, self.gap = reading, rate, gap
        self.seconds, self.longest, self.patch, self.by_example = seconds, longest, patch, by_example
        self.layout = layout
        self._is_trained = state is not None
        self.state: State = state or {"names": [], "means": [], "deviations": [], "step": 1.0}

    @property
    def features(self) -> tuple[Feature, ...]:
        """`readings` by patch, and `figures` of the stream.

        A patch is P readings of C channels, the log of each one's distance from the one before, and where it begins in
        time. The figures: readings that were cut, gaps, seconds of the longest gap.
        """
        width = self.patch * (len(self.state["names"]) + 1) + 1
        return Feature("readings", "float32", "token", width=width), Feature("figures", "float32", "window")

    @property
    def key(self) -> str:
        """Equal for two that give the same arrays."""
        options = [self.field, dict(self.reading), self.rate, self.gap, self.seconds, self.longest, self.patch]
        return hash_json(["series", *options, self.by_example, self.state])

    def learn(self, values: Iterable[Any]) -> None:
        """Find the channels, the mean and deviation of each, and how far apart readings mostly are.

        Raises:
            DataError: When no stream can be read; the fault of the first value is told.
        """
        self._is_trained = False
        fault: DataError | None = None
        names: tuple[str, ...] = ()
        steps, spread = [], _Spread()
        for value in values:
            try:
                series, _ = self._read(value)
            except DataError as found:  # it is told, with its row, when its arrays are asked for
                fault = fault or found
                continue
            names = names or series.names
            if set(series.names) == set(names):
                spread.add(_ordered(series, names))
                if series.rate:
                    steps.append(1 / series.rate)
        if not names:
            if fault is not None:
                raise DataError(f"{fault} No other training row has a stream that can be read.")
            raise DataError(f"`{self.field}`: no training row has a stream of readings.")
        means, deviations = spread.found()
        step = max(median(steps or [1.0]), SHORTEST)
        self.state = {"names": list(names), "means": means, "deviations": deviations, "step": step}

    def raw(self, value: Any) -> Series:
        """The whole stream, as it is."""
        return value if isinstance(value, Series) else read_series(value, rate=self.rate or 1.0, **self.reading)

    def _read(self, value: Any) -> tuple[Series, list[float]]:
        """A stream, at its rate and of its length; and how many readings were cut, gaps, seconds of the longest."""
        series = self.raw(value)
        figures = series_faults(series)
        if self.rate is not None:
            series = resampled(series, self.rate, gap=self.gap)
        count = min(len(series.times), self.longest)
        if self.seconds is not None:
            count = min(count, int(np.searchsorted(series.times, series.times[0] + self.seconds, side="right")))
        cut = len(series.times) - count
        series = Series(series.times[:count], series.values[:count], series.names, series.start)
        return series, [cut, figures.gaps, figures.longest_gap]

    def arrays(self, value: Any) -> Features:
        """The patches of a stream.

        Raises:
            DataError: When it cannot be read, has other channels than the training streams, or no reading of any.
        """
        series, figures = self._read(value)
        names = tuple(self.state["names"])
        if set(series.names) != set(names):
            raise DataError(self._other_channels(series.names, names))
        if np.isnan(series.values).all():
            raise DataError(
                "The stream has no reading; all are missing. Leave it out, or see whether the sensor works."
            )
        scaled = self._scaled(_ordered(series, names))
        times, step = series.times - series.times[0], self.state["step"]
        with np.errstate(divide="ignore"):
            uneven = np.log(np.diff(times, prepend=times[0] - step) / step).clip(-UNEVEN, UNEVEN)
        rest = -len(times) % self.patch
        scaled = np.pad(scaled, ((0, rest), (0, 0)), constant_values=np.nan).reshape(-1, self.patch * len(names))
        uneven = np.pad(uneven, (0, rest)).reshape(-1, self.patch)
        begins = times[:: self.patch, None] / (step * self.patch)
        readings = np.concatenate([scaled, uneven, begins], 1).astype(np.float32)
        return {"readings": readings.reshape(-1), "figures": np.asarray(figures, np.float32)}

    def _other_channels(self, given: Sequence[str], known: Sequence[str]) -> str:
        """What is told of a stream whose channels are not those of the training streams."""
        said = f"`{self.field}` has {counted(len(given), 'channel')}"
        had = f"where the training streams have {counted(len(known), 'channel')} ({as_names(known)})"
        nameless = list(given) == [str(number) for number in range(len(given))]
        if nameless and len(given) == len(known):
            listed = ", ".join(json.dumps(name, ensure_ascii=False) for name in known)
            how = f'in the row by `"names": [{listed}]` beside `values`, in a file by its first line'
            return f"{said} without names {had}. Name them, in their order: {how}."
        choose = "" if self._is_trained else ", or name those that all have in `channels`"
        return f"{said} ({as_names(given)}) {had}. Give the same{choose}."

    def _scaled(self, values: np.ndarray) -> np.ndarray:
        """In deviations from the mean: the training streams', or its own. Shape ``(N, C)``."""
        if self.by_example:
            spread = _Spread()
            spread.add(values)
            means, deviations = spread.found()
        else:
            means, deviations = self.state["means"], self.state["deviations"]
        scale = np.where(np.asarray(deviations) > 0, deviations, np.inf)  # of one that stands still nothing is known
        found: np.ndarray = ((values - np.asarray(means)) / scale).clip(-FARTHEST, FARTHEST)
        return found

    def check(self, value: Any, arrays: Features) -> Iterator[Found]:  # noqa: ARG002
        """Channels that are empty or stand still, one reading alone, gaps, readings far from all, what was cut."""
        values = self._values(arrays)
        there = ~np.isnan(values)
        names = np.asarray(self.state["names"])
        if len(empty := names[~there.any(0)]):
            said = f"the stream has no reading of {as_names(empty.tolist())}."
            yield "empty channel", "warning", said, "See whether the sensor was on; or leave it so: it is missing."
        low, high = np.where(there, values, np.inf).min(0), np.where(there, values, -np.inf).max(0)
        moved = np.asarray(self.state["deviations"]) > 0  # one that never moved is told as a whole
        if len(still := names[(low == high) & moved & (there.sum(0) > 1)]):
            said = f"{as_names(still.tolist())} {'stands' if len(still) == 1 else 'stand'} still over the whole stream."
            yield "constant channel", "warning", said, "See whether the sensor works."
        if self.rate is not None and there.any(1).sum() == 1:
            said = f"the stream is one reading at {self.rate:g} a second (`rate`): it lasts no longer."
            yield "short stream", "warning", said, "See what its clock counts (`unit`), or raise `rate`."
        if len(far := names[(np.abs(np.where(there, values, 0)) >= FARTHEST).any(0)]):
            said = f"{as_names(far.tolist())} is {FARTHEST:g} or more deviations from the mean; it counts as so many."
            yield "far reading", "warning", said, "Check its unit."
        cut, gaps, longest = arrays["figures"].tolist()
        if gaps:
            said = f"the stream has {counted(int(gaps), 'gap')}, the longest of {longest:.6g} seconds"
            mend = "See whether readings were lost; or leave it so: the model is told how far apart readings are."
            if self.rate is not None:
                mend = "See whether readings were lost; a line bridges what lies between, unless `gap` says otherwise."
            yield "gap", "warning", f"{said} (five times the usual distance or more).", mend
        if cut:
            said = f"{counted(int(cut), 'reading')} at the end of the stream were cut."
            yield "cut", "warning", said, "Raise `longest` or `seconds`, or lower `rate`."

    def _values(self, arrays: Features) -> np.ndarray:
        """The scaled readings of the arrays, ``(N, C)``, with what fills the last patch."""
        channels = len(self.state["names"])
        patches = arrays["readings"].reshape(-1, self.patch * (channels + 1) + 1)
        found: np.ndarray = patches[:, : self.patch * channels].reshape(-1, channels)
        return found

    def remarks(self) -> Iterator[Found]:
        """What the training streams as a whole have: channels that never change."""
        for name, deviation in zip(self.state["names"], self.state["deviations"], strict=True):
            if not deviation:
                said = f"the channel {name!r} has one value, or none, in all training streams."
                yield "constant channel", "warning", said, "Leave it out."

    def noised(self, arrays: Features, draw: np.random.Generator) -> Features:
        """Readings with noise of each channel's own strength (the root of its mean square)."""
        channels = len(self.state["names"])
        values = self._values(arrays)
        there = ~np.isnan(values)
        strength = np.sqrt((np.where(there, values, 0.0) ** 2).sum(0) / there.sum(0).clip(1))
        noisy = values + strength * draw.standard_normal(values.shape)
        patches = arrays["readings"].reshape(-1, self.patch * (channels + 1) + 1).copy()
        patches[:, : self.patch * channels] = noisy.reshape(len(patches), -1)
        return {**arrays, "readings": patches.reshape(-1)}

    def encoder(self) -> SeriesEncoder:
        """The encoder for the channels that were learned."""
        from sibu.modalities.series.encoder import SeriesEncoder

        return SeriesEncoder(patch=self.patch, channels=len(self.state["names"]), **self.layout)


class _Spread:
    """Mean and deviation of each channel, stream after stream (Chan et al., 1983)."""

    def __init__(self) -> None:
        self._count: Any = 0
        self._mean: Any = 0.0
        self._squares: Any = 0.0

    def add(self, values: np.ndarray) -> None:
        """Count the readings ``(N, C)``, those that are missing left out."""
        there = ~np.isnan(values)
        count = there.sum(0)
        filled = np.where(there, values, 0.0).astype(np.float64)
        mean = filled.sum(0) / count.clip(1)
        squares = (np.where(there, filled - mean, 0.0) ** 2).sum(0)
        total = self._count + count
        step = mean - self._mean
        self._squares = self._squares + squares + step**2 * self._count * count / np.maximum(total, 1)
        self._mean = self._mean + step * count / np.maximum(total, 1)
        self._count = total

    def found(self) -> tuple[list[float], list[float]]:
        """Means and deviations; 0 where a channel does not change, up to rounding."""
        deviation = np.sqrt(self._squares / np.maximum(self._count, 1))
        deviation = np.where(deviation > 1e-6 * np.abs(self._mean), deviation, 0.0)
        return self._mean.tolist(), deviation.tolist()


def _ordered(series: Series, names: tuple[str, ...]) -> np.ndarray:
    """The readings with their channels in the order of ``names``, which are the same. Shape ``(N, C)``."""
    found: np.ndarray = series.values[:, [series.names.index(name) for name in names]]
    return found
