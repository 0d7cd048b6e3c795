"""Streams of readings with times of their own: checked, brought to one rate, cut into windows of one length."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sibu.core.errors import DataError

Floats = NDArray[np.floating[Any]]
Readings = tuple[ArrayLike, ArrayLike]
"""Values, shape (N,) or (N, C), and the second of each, shape (N,)."""
MOST = 50_000_000
"""Numbers that are made of a stream at even times."""


@dataclass(frozen=True, slots=True)
class Window:
    """What falls into one stretch of time."""

    start: float
    """Second at which it begins; that moment is within it."""
    end: float
    """Second at which it ends; that moment is the next one's."""
    parts: Mapping[str, tuple[NDArray[np.generic], Floats]]
    """Values and times of every stream, views of what was given; of length 0 where nothing falls into the window."""

    @property
    def empty(self) -> tuple[str, ...]:
        """The streams of which nothing falls into the window."""
        return tuple(name for name, (_, times) in self.parts.items() if not len(times))


def checked(values: ArrayLike, times: ArrayLike, name: str = "the stream") -> tuple[NDArray[np.generic], Floats]:
    """A stream as arrays.

    Args:
        values: Shape (N,) or (N, ...).
        times: Seconds, shape (N,); they never go back.
        name: What it is called in a message.

    Raises:
        DataError: When it is empty, lengths differ, a time is no finite number, or the clock runs backwards.
    """
    held, seconds = np.asarray(values), np.asarray(times, dtype=np.float64)
    if seconds.ndim != 1 or held.ndim < 1 or len(held) != len(seconds):
        raise DataError(f"{name}: needs one time for each reading, given values {held.shape}, times {seconds.shape}.")
    if not len(seconds):
        raise DataError(f"{name}: has no readings; give at least one.")
    wrong = np.flatnonzero(~np.isfinite(seconds))
    if len(wrong):
        raise DataError(f"{name}: the time of reading {wrong[0]} is {seconds[wrong[0]]}; each must be a finite number.")
    back = np.flatnonzero(np.diff(seconds) < 0)
    if len(back):
        at = int(back[0])
        raise DataError(
            f"{name}: its clock runs backwards: reading {at + 1} is at {seconds[at + 1]:.15g} s, the one before it at "
            f"{seconds[at]:.15g} s ({len(back)} such places). Sort the readings, or cut the stream where the clock was "
            "set back."
        )
    return held, seconds


def rate_converted(values: ArrayLike, times: ArrayLike, rate: float, *, gap: float = math.inf) -> tuple[Floats, Floats]:
    """A stream at even times, whatever its own were.

    Where the new rate is at least the stream's own (its median step), values are interpolated linearly, so readings
    that lie on the new times stay as they are. Below it each value is the mean of the interpolated line over its cell,
    so that what moves faster than the new rate is evened out; such a filter is a soft one (4 dB at half the new rate).
    For sound use a resampler made for it. Missing readings (NaN) are left out, channel by channel.

    Args:
        values: Shape (N,) or (N, C).
        times: Seconds, shape (N,); they never go back.
        rate: Values a second, above 0.
        gap: Seconds between two readings above which what lies between them is NaN.

    Returns:
        Values, shape (M,) or (M, C), and their times, shape (M,), from the first reading's on.

    Raises:
        DataError: As of ``checked``; when the rate is none; when a channel has no reading, or there would be more than
            ``MOST`` numbers.
    """
    held, seconds = checked(values, times)
    if not (rate > 0 and math.isfinite(rate)):
        raise DataError(f"A rate must be a finite number above 0, given {rate}.")
    if held.ndim > 2:
        raise DataError(f"Values must be (N,) or (N, C), given {held.shape}.")
    count = math.floor((seconds[-1] - seconds[0]) * rate + 1e-9) + 1
    if count * max(1, held[:1].size) > MOST:
        gives = f"{seconds[-1] - seconds[0]:,.0f} seconds at {rate:g} a second give {count:,} values of each channel"
        raise DataError(f"{gives}; at most {MOST:,} numbers are made. Lower the rate, or see whether the clock leaps.")
    grid: Floats = seconds[0] + np.arange(count) / rate
    channels = held.astype(np.float64).reshape(len(held), -1)
    made = np.stack([_channel(each, seconds, grid, rate, gap, at) for at, each in enumerate(channels.T)], axis=-1)
    return (made[:, 0] if held.ndim == 1 else made), grid


def _channel(values: Floats, times: Floats, grid: Floats, rate: float, gap: float, number: int) -> Floats:
    there = np.isfinite(values)
    if not there.any():
        raise DataError(f"Channel {number} has no reading: every value is missing.")
    values, times = values[there], times[there]
    steps = np.diff(times)
    own = float(np.median(steps[steps > 0])) if (steps > 0).any() else math.inf
    made: Floats
    if 1 / rate <= own * (1 + 1e-9):
        made = np.interp(grid, times, values)
    else:
        made = _cell_means(values, times, grid, 1 / rate)
    if math.isfinite(gap):
        after = np.clip(np.searchsorted(times, grid), 1, max(len(times) - 1, 1)) if len(times) > 1 else None
        if after is not None:
            on = np.isin(grid, times)
            made[(steps[after - 1] > gap) & ~on] = np.nan
        made[(grid < times[0] - gap) | (grid > times[-1] + gap)] = np.nan
    return made


def _cell_means(values: Floats, times: Floats, grid: Floats, step: float) -> Floats:
    """Mean of the line through the readings over a cell about each time, cut off at the stream's ends."""
    low, high = np.clip(grid - step / 2, times[0], times[-1]), np.clip(grid + step / 2, times[0], times[-1])
    areas = np.concatenate([[0.0], np.cumsum((values[1:] + values[:-1]) / 2 * np.diff(times))])

    def area(at: Floats) -> Floats:
        left = np.clip(np.searchsorted(times, at, side="right") - 1, 0, len(times) - 2)
        width = at - times[left]
        # the line's height at `at`, from the same two readings
        rise = values[left + 1] - values[left]
        span = times[left + 1] - times[left]
        slope = np.divide(rise, span, out=np.zeros_like(rise), where=span > 0)
        found: Floats = areas[left] + width * (values[left] + slope * width / 2)
        return found

    wide = high - low
    means = np.divide(area(high) - area(low), wide, out=np.interp(grid, times, values), where=wide > 0)
    made: Floats = means
    return made


def windows(
    streams: Mapping[str, Readings],
    seconds: float,
    hop: float | None = None,
    *,
    over: Literal["shared", "all"] = "shared",
) -> Iterator[Window]:
    """Windows of one length, with what falls into each of every stream; all times are those of one clock.

    Args:
        streams: Values, shape (N, ...), and times in seconds, shape (N,), by name.
        seconds: Length of a window, above 0.
        hop: From one window's start to the next one's; None: the length, so that they lie side by side.
        over: ``shared``: from the latest start of a stream to the earliest end, windows that fit in whole;
            ``all``: from the earliest start, until the last reading of any has fallen into one.

    Returns:
        The windows, in order; where nothing of a stream falls into one, ``Window.empty`` names it.

    Raises:
        DataError: As of ``checked``; when there is no stream or a length is not above 0; of ``shared``, when the
            streams do not overlap, or by less than a window.
    """
    hop = seconds if hop is None else hop
    if not (0 < seconds < math.inf and 0 < hop < math.inf):
        raise DataError(f"A window's length and hop must be above 0 seconds, given {seconds} and {hop}.")
    if not streams:
        raise DataError("There is no stream to cut into windows; give at least one.")
    held = {name: checked(values, times, f"stream {name!r}") for name, (values, times) in streams.items()}
    start, count = (_shared if over == "shared" else _all)(held, seconds, hop)
    return _cut(held, start, count, seconds, hop)


_Held = Mapping[str, tuple[NDArray[np.generic], Floats]]


def _shared(held: _Held, seconds: float, hop: float) -> tuple[float, int]:
    late = max(held, key=lambda name: held[name][1][0])
    soon = min(held, key=lambda name: held[name][1][-1])
    start, end = float(held[late][1][0]), float(held[soon][1][-1])
    if end < start:
        raise DataError(
            f"The streams do not overlap: {soon!r} ends at {end:.15g} s, and {late!r} begins at {start:.15g} s. "
            "Bring them to one clock first, or leave one out."
        )
    # the last reading stands for the step that it opens, so a stream of whole windows is cut into all of them
    end += min(float(np.median(np.diff(times))) if len(times) > 1 else 0.0 for _, times in held.values())
    if end - start < seconds * (1 - 1e-9):
        raise DataError(
            f"The streams share {end - start:.6g} s, from {start:.15g} s on, which is less than one window of "
            f"{seconds:g} s. Ask for shorter windows, or for windows over all that there is (over='all')."
        )
    return start, math.floor((end - start - seconds) / hop + 1e-9) + 1


def _all(held: _Held, seconds: float, hop: float) -> tuple[float, int]:
    start = min(float(times[0]) for _, times in held.values())
    end = max(float(times[-1]) for _, times in held.values())
    return start, max(math.floor((end - start - seconds) / hop + 1e-9) + 2, 1)


def _cut(held: _Held, start: float, count: int, seconds: float, hop: float) -> Iterator[Window]:
    for number in range(count):
        # sums would drift from the multiples; a billionth of a step keeps a reading on an edge in its own window
        begin = start + number * hop
        end, slack = begin + seconds, 1e-9 * hop
        parts = {}
        for name, (values, times) in held.items():
            low, high = np.searchsorted(times, [begin - slack, end - slack])
            parts[name] = (values[low:high], times[low:high])
        yield Window(begin, end, parts)


def fast_length(length: int) -> int:
    """The least length of that or more whose factors are 2, 3 and 5: Fourier transforms of it are fast."""
    best = 1 << max(length - 1, 1).bit_length()
    five = 1
    while five < best:
        three = five
        while three < best:
            made = three << max((-(-length // three) - 1).bit_length(), 0)
            best = min(best, made) if made >= length else best
            three *= 3
        five *= 5
    return best
