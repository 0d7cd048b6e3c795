"""Two streams of the same events by clocks of their own: how one clock reads where the other is known.

The model: ``t_reference = t_other + offset + drift * 1e-6 * (t_other - since)``, which with ``since`` 0 is
``offset + (1 + drift * 1e-6) * t_other``. A positive offset: the other clock was started later, so it reads less. A
positive drift: the other clock is slow, it counts fewer seconds than the reference does for the same stretch.

Whether the streams have anything to do with each other is told by what they share on the line that was found
(``chance``).

Sources: Knapp & Carter, 1976, The generalized correlation method for estimation of time delay.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sibu.align.chance import Held, against_chance
from sibu.align.streams import Readings, checked, fast_length, rate_converted
from sibu.core.errors import DataError, counted

Floats = NDArray[np.floating[Any]]
Feature = Literal["samples", "change", "envelope"]

FASTEST = 8000.0
"""Values a second that are looked at; a stream of more is thinned out first."""
SLOWER = 200.0
"""The same of what is told of a stream: its loudness, its change."""
BIN = 0.002
"""Seconds of lag that the first search tells apart."""
NEAR = 0.005
"""Seconds within which a window of its own speaks for the line that all windows agree on."""
SHORTER = 0.75
"""Share of the other stream's length below which the reference is the one that is cut into windows."""
TOLD = 0.5
"""A drift whose standard error is above this share of the bound is not told: 0 is nearer, as clocks go."""
MOST_WINDOWS = 40
MOST_NUMBERS = 1 << 29
"""Numbers of all windows' curves, 4 bytes each, beyond which an offset is not sought."""


@dataclass(frozen=True, slots=True)
class TimeFit:
    """One clock by another: ``t_reference = t_other + offset + drift * 1e-6 * (t_other - since)``."""

    offset: float
    """Seconds that the reference is ahead when the other clock says ``since``."""
    drift: float
    """Parts in a million that the reference gains on the other clock."""
    quality: float
    """How far the correlation is beyond chance's, in [0, 1]: ``1 - 0.75 * by chance / found``, both as Fisher's z, and
    0 where that is less. 0.25 is what 1 in 20 unrelated pairs comes to, at any length."""
    residual: float
    """Median distance from the line of the windows that agree on it, in seconds; NaN where there is none."""
    since: float = 0.0
    """Second of the other clock; 0 of recordings, the first reading's of streams with times."""
    correlation: float = 0.0
    """Rank correlation of the two on the line, over all they share, in [-1, 1]; below 0: one is upside down."""
    by_chance: float = 1.0
    """Its size that 1 in 20 unrelated pairs of this length, pace and number of lags comes to, in [0, 1]. Near 1: the
    streams share too little for related and unrelated ones to be told apart."""
    agree: float = 0.0
    """Share, by their weight, of the windows that each on its own find the same line, in [0, 1]; windows of which the
    reference has nothing are left out. Of short streams it is high by chance."""
    drift_error: float = math.inf
    """Standard error of the drift, parts in a million. Above half of the drifts that were sought, 0 is taken."""
    lags: Floats = field(default_factory=lambda: np.zeros(0), compare=False, repr=False)
    """Offsets that were looked at, in seconds. Shape (L,)."""
    curve: Floats = field(default_factory=lambda: np.zeros(0), compare=False, repr=False)
    """How well the windows agree on each, at the drift that was found, in deviations from the median. Shape (L,)."""


def apply(fit: TimeFit, times: ArrayLike) -> Floats:
    """Times of the other clock as the reference's. Any shape."""
    given = np.asarray(times, dtype=np.float64)
    told: Floats = given + (fit.offset + fit.drift * 1e-6 * (given - fit.since))
    return told


def inverse(fit: TimeFit) -> TimeFit:
    """The fit with the clocks exchanged: it takes times of the reference to the other's. It has no curve."""
    rate = 1 + fit.drift * 1e-6
    return replace(
        fit,
        offset=-fit.offset,
        drift=(1 / rate - 1) * 1e6,
        residual=fit.residual / rate,
        since=fit.since + fit.offset,
        lags=np.zeros(0),
        curve=np.zeros(0),
    )


def align_streams(
    reference: ArrayLike,
    other: ArrayLike,
    rate: float,
    *,
    reach: float = 5.0,
    most_drift: float = 1000.0,
    near: float = 0.0,
    weighting: float = 0.5,
    tries: int = 1,
) -> TimeFit:
    """Find offset and drift of two recordings of the same events.

    Windows of the other stream are each correlated with the reference over all lags (generalised cross-correlation, by
    FFT). The curves are added along every line that a clock may follow, so that windows in which little happens do no
    harm, first coarsely, then to a sample. Then the other stream is laid on the reference's clock, and what is left of
    lag in each window, between samples, is fitted by a line that passes over outliers; three times. There every
    frequency counts by its coherence, as is the most likely where noise is Gaussian (Knapp & Carter, 1976). Where the
    reference is much the shorter, its windows are sought in the other stream instead.

    Args:
        reference: Shape (N,).
        other: Shape (M,), at the same nominal rate. Each stream begins at second 0 of its own clock.
        rate: Values a second.
        reach: Offsets are sought up to this many seconds from ``near``.
        most_drift: Drifts are sought up to this many parts in a million.
        near: Offset about which is sought, in seconds.
        weighting: How far every frequency counts alike: 0: as loud as it is (plain correlation), 1: all the same
            (PHAT). Chosen by measurement on speech in noise.
        tries: Ways of comparing the two of which the surest is taken; the more, the more chance gives.

    Raises:
        DataError: When a stream is not one of finite numbers, is constant, or too short (of less than 64 values, or
            a second); when the streams cannot overlap within reach.
    """
    if not (0 < rate < math.inf and 0 < reach < math.inf and 0 <= most_drift < 1e5):
        raise DataError(
            f"Rate and reach must be above 0 and the drift in [0, 100000), given {rate}, {reach}, {most_drift}."
        )
    first, second = _samples(reference, "reference"), _samples(other, "other stream")
    thin = max(int(rate / FASTEST), 1)
    first, second = _thinned(first, thin), _thinned(second, thin)
    # Windows of a much longer stream would mostly lie where the reference has nothing; what is too short is told below.
    if rate / thin <= len(first) < SHORTER * len(second):
        return _exchanged(_Pair(second, first, rate / thin, -near, reach, most_drift, weighting).fitted(tries))
    return _Pair(first, second, rate / thin, near, reach, most_drift, weighting).fitted(tries)


def _exchanged(fit: TimeFit) -> TimeFit:
    """The fit of two recordings with the clocks exchanged, from second 0 of the other on, with its curve."""
    found = inverse(fit)
    offset = found.offset - found.drift * 1e-6 * found.since
    return replace(found, offset=offset, since=0.0, lags=-fit.lags[::-1], curve=fit.curve[::-1])


def align_readings(
    reference: Readings,
    other: Readings,
    *,
    first: Feature = "change",
    second: Feature = "change",
    rate: float | None = None,
    reach: float = 5.0,
    most_drift: float = 1000.0,
    near: float = 0.0,
    tries: int = 1,
) -> TimeFit:
    """Find offset and drift of two streams with times of their own, whatever their rates and units.

    Each is brought to one rate, as a number that moves when something happens, and these are held against each other
    as recordings are (``align_streams``). Missing readings (NaN) are left out.

    Args:
        reference: Values, shape (N,) or (N, C), and the second of each, shape (N,).
        other: The same of the other stream, by its own clock.
        first: What of the reference is compared: ``samples``: the values as they are, of one channel; ``change``: how
            fast they move, over all channels; ``envelope``: how loud they are, on the scale of decibels.
        second: What of the other stream is compared.
        rate: Values a second that are compared; None: the slower stream's own (its median step), at most 200, or 8000
            where samples are held against samples.
        reach: Offsets are sought up to this many seconds from ``near``.
        most_drift: Drifts are sought up to this many parts in a million.
        near: Offset about which is sought, in seconds: 0 where the clocks are roughly set alike.
        tries: As of ``align_streams``.

    Raises:
        DataError: When a clock runs backwards, and as of ``align_streams``.
    """
    parts = [
        (*checked(*reference, "reference"), first, "reference"),
        (*checked(*other, "other stream"), second, "other stream"),
    ]
    if rate is None:
        most = FASTEST if (first, second) == ("samples", "samples") else SLOWER
        rate = min(most, *(_own_rate(times, name) for _, times, _, name in parts))
    for held, _, _, name in parts:
        _require_motion(held, name)
    one, two = (_feature(held, times, rate, kind, name) for held, times, kind, name in parts)
    begun = [float(times[0]) for _, times, _, _ in parts]
    apart = begun[0] - begun[1]
    fit = align_streams(one, two, rate, reach=reach, most_drift=most_drift, near=near - apart, tries=tries)
    return replace(fit, offset=fit.offset + apart, since=begun[1], lags=fit.lags + apart)


def _require_motion(values: NDArray[np.generic], name: str) -> None:
    """Something happens in a stream: told of its own values, not of what is made of them."""
    channels = values.astype(np.float64).reshape(len(values), -1)
    channels = channels[:, np.isfinite(channels).any(axis=0)]
    if channels.size and not (np.nanmax(channels, axis=0) > np.nanmin(channels, axis=0)).any():
        raise DataError(f"The {name} is constant, so nothing in it can be found again.")


def _own_rate(times: Floats, name: str) -> float:
    steps = np.diff(times)
    if not (steps > 0).any():
        raise DataError(
            f"The {name} has {counted(len(times), 'reading')} at one moment; give readings at several times."
        )
    return 1 / float(np.median(steps[steps > 0]))


def _feature(values: NDArray[np.generic], times: Floats, rate: float, kind: Feature, name: str) -> Floats:
    """One number for each moment, at even times."""
    channels = values.astype(np.float64).reshape(len(values), -1)
    if kind == "samples":
        if channels.shape[1] > 1:
            raise DataError(
                f"The {name} has {channels.shape[1]} channels, and samples are compared of one: choose it, or compare "
                "the 'change' of all."
            )
        return rate_converted(channels[:, 0], times, rate)[0]
    channels = channels[:, np.isfinite(channels).any(axis=0)]
    if not channels.size:
        raise DataError(f"The {name} has no reading: every value is missing.")
    spread = np.nanstd(channels, axis=0)
    scaled = (channels - np.nanmean(channels, axis=0)) / np.where(spread > 0, spread, 1.0)
    if kind == "change":
        even = rate_converted(scaled, times, rate)[0]
        if len(even) < 2:
            lasts = f"The {name} lasts {times[-1] - times[0]:.3g} s"
            raise DataError(f"{lasts}, which is one value at {rate:g} a second: too short for its clock to be found.")
        return _even(np.linalg.norm(np.gradient(even, axis=0), axis=1))
    return _even(np.sqrt(np.abs(rate_converted(scaled**2, times, rate)[0]).mean(axis=1)))


def _even(size: Floats) -> Floats:
    """Sizes on the scale of decibels, whose least do not run away."""
    made: Floats = np.log(size + 0.1 * (float(np.median(size)) or float(size.max()) or 1.0))
    return made


def _samples(values: ArrayLike, name: str) -> Floats:
    held = np.asarray(values, dtype=np.float64)
    if held.ndim != 1:
        raise DataError(f"The {name} must be one channel, (N,), given {held.shape}; average or choose channels first.")
    if not np.isfinite(held).all():
        at = int(np.flatnonzero(~np.isfinite(held))[0])
        raise DataError(f"The {name} holds {held[at]} at place {at}; fill what is missing or leave it out.")
    if len(held) and np.ptp(held) == 0:
        raise DataError(f"The {name} is constant ({held[0]:g}), so nothing in it can be found again.")
    return held - held.mean() if len(held) else held


def _thinned(values: Floats, factor: int) -> Floats:
    """Every so many-th value, after a low pass."""
    if factor == 1:
        return values
    half = 4 * factor
    taps = np.sinc(np.arange(-half, half + 1) / factor) * np.hanning(2 * half + 3)[1:-1]
    padded = np.pad(values, half)
    count = (len(values) - 1) // factor + 1
    made: Floats = np.zeros(count)
    for at, tap in enumerate(taps / taps.sum()):
        made += tap * padded[at : at + (count - 1) * factor + 1 : factor]
    return made


class _Pair:
    """Two streams at one rate, and the windows that are looked at."""

    def __init__(
        self, reference: Floats, other: Floats, rate: float, near: float, reach: float, drift: float, weighting: float
    ) -> None:
        self.reference, self.other, self.rate, self.weighting = reference, other, rate, weighting
        shortest = min(len(reference), len(other)) / rate
        self.size = max(round(rate * min(max(shortest / 8, 0.25), max(2.0, 512 / rate))), 16)
        if 4 * self.size > min(len(reference), len(other)):
            raise DataError(
                f"The streams have {len(reference) / rate:.3g} and {len(other) / rate:.3g} s at {rate:g} values a "
                f"second; each needs at least {4 * self.size / rate:.3g} s for its clock to be found."
            )
        low, high = near - reach, near + reach
        if low > len(reference) / rate or high < -len(other) / rate:
            raise DataError(
                f"The streams cannot overlap at offsets from {low:.6g} to {high:.6g} s: the reference has "
                f"{len(reference) / rate:.6g} s, the other {len(other) / rate:.6g} s. Seek near another offset."
            )
        hop = max(self.size // 2, -(-(len(other) - self.size) // (MOST_WINDOWS - 1)))
        self.starts = np.arange(0, len(other) - self.size + 1, hop)
        self.overlap = max(self.size / hop, 1.0)
        self.centres = (self.starts + (self.size - 1) / 2) / rate
        self.middle = float(self.centres.mean())
        self.most_drift = drift
        self.half = max(float(np.abs(self.centres - self.middle).max()), 1 / rate)
        shift = drift * 1e-6 * float(self.centres.max())
        self.first_lag = math.floor((low - shift) * rate)
        self.lags = math.ceil((high + shift) * rate) - self.first_lag + 1
        if (numbers := len(self.starts) * self.lags) > MOST_NUMBERS:
            raise DataError(
                f"Offsets up to {reach:g} s at {rate:g} values a second are {numbers:,} numbers; at most "
                f"{MOST_NUMBERS:,} are made. Lower the `reach`, or cut the streams."
            )
        taper = np.hanning(self.size + 2)[1:-1] ** 0.5
        self.taper = taper
        energy = np.array([np.std(other[at : at + self.size]) for at in self.starts])
        self.weights = np.minimum(energy / max(float(np.median(energy)), 1e-300), 1.0)

    def fitted(self, tries: int) -> TimeFit:
        """Coarse, fine, and between samples; without a drift where none can be told."""
        curves = self._curves()
        step = max(round(BIN * self.rate), 1)
        bound, error = self.most_drift * 1e-6, math.inf
        if self.most_drift:
            offset, drift, sign, error, looked = self._sought(curves, step)
        if not error <= TOLD * bound:
            self.most_drift = 0.0
            offset, drift, sign, _, looked = self._sought(curves, step)
        agree, residual = self._judged(curves, offset, drift, sign, step)
        held = self._held(offset, drift, bound, tries)
        return TimeFit(
            offset - drift * self.middle,
            drift * 1e6,
            held.quality,
            residual,
            correlation=held.correlation,
            by_chance=held.by_chance,
            agree=agree,
            drift_error=error * 1e6,
            lags=looked[0] - drift * self.middle,
            curve=looked[1],
        )

    def _sought(self, curves: Floats, step: int) -> tuple[float, float, int, float, tuple[Floats, Floats]]:
        """Offset at the middle, drift, sign, the drift's standard error, and what was looked at first."""
        offset, drift, *looked = self._coarse(curves, step)
        offset, drift, sign = self._fine(curves, offset, drift, step)
        error = math.inf
        for _ in range(3):
            offset, drift, error = self._refined(offset, drift, sign, max(2 * step, 4))
        return offset, drift, sign, error, (looked[0], looked[1])

    def _weighted(self, spectrum: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """A cross-spectrum whose frequencies count more alike."""
        if self.weighting == 0:
            return spectrum
        size = np.abs(spectrum)
        floor = 1e-12 * float(size.max()) or 1.0
        return spectrum / np.maximum(size, floor) ** self.weighting

    def _curves(self) -> Floats:
        """Correlation of each window with the reference over all lags, in its own deviations. Shape (K, L)."""
        length = fast_length(self.size + self.lags)
        made = np.empty((len(self.starts), self.lags), np.float32)
        single = self.reference.astype(np.float32)  # half the time; what is found is refined in double
        for row, start in enumerate(self.starts):
            own = (self.other[start : start + self.size] * self.taper).astype(np.float32)
            low = start + self.first_lag
            there = _stretch(single, int(low), self.size + self.lags - 1)
            spectrum = np.fft.rfft(there, length) * np.conj(np.fft.rfft(own, length))
            curve = np.fft.irfft(self._weighted(spectrum), length)[: self.lags]
            made[row] = curve / (float(np.sqrt(np.mean(curve**2))) or 1.0)  # 0: beside all of the reference
        return made

    def _coarse(self, curves: Floats, step: int) -> tuple[float, float, Floats, Floats]:
        """The line that the windows' curves, each bin at its highest, agree on most."""
        bins = self.lags // step
        pooled = np.abs(curves[:, : bins * step]).reshape(len(curves), bins, step).max(axis=2)
        pooled = np.maximum(pooled, np.pad(pooled[:, 1:], ((0, 0), (0, 1))))  # a peak on an edge counts on both sides
        middle = np.median(pooled, axis=1, keepdims=True)
        spread = np.median(np.abs(pooled - middle), axis=1, keepdims=True)
        scores = np.clip((pooled - middle) / np.maximum(spread, 1e-12), -3, 30)
        width = step / self.rate
        drifts = _around(0.0, self.most_drift * 1e-6, width / self.half)
        stacked = self._stacked(scores, drifts, width)
        at = np.unravel_index(int(stacked.argmax()), stacked.shape)
        curve = stacked[at[0]]
        spread_ = float(np.median(np.abs(curve - np.median(curve)))) or 1.0
        lags = (self.first_lag + step * (np.arange(bins) + 0.5)) / self.rate
        return float(lags[at[1]]), float(drifts[at[0]]), lags, (curve - np.median(curve)) / spread_

    def _stacked(self, scores: Floats, drifts: Floats, width: float) -> Floats:
        """Sum of the windows' scores along each line, by drift and by lag at the middle. Shape (drifts, bins)."""
        stacked = np.zeros((len(drifts), scores.shape[1]))
        for row, drift in enumerate(drifts):
            shifts = np.rint(drift * (self.centres - self.middle) / width).astype(int)
            for score, shift in zip(scores, shifts, strict=True):
                if shift >= 0:
                    stacked[row, : len(score) - shift] += score[shift:]
                else:
                    stacked[row, -shift:] += score[:shift]
        return stacked

    def _fine(self, curves: Floats, offset: float, drift: float, step: int) -> tuple[float, float, int]:
        """The same near the line that was found, to a sample, with what the curves' signs tell."""
        width = step / self.rate
        offsets = _around(offset, 2 * width, 1 / self.rate)
        drifts = _around(drift, 1.5 * width / self.half if self.most_drift else 0.0, 0.5 / self.rate / self.half)
        # windows whose curve is a mere peak of one loud event do not outweigh all others
        held = np.clip(curves, -12, 12)
        rows = np.arange(len(curves))[:, None]
        sums = np.empty((len(drifts), len(offsets)))
        for at, each in enumerate(drifts):
            lags = offsets[None, :] + each * (self.centres - self.middle)[:, None]
            places = np.rint(lags * self.rate).astype(int) - self.first_lag
            sums[at] = held[rows, np.clip(places, 0, self.lags - 1)].sum(axis=0)
        best = np.unravel_index(int(np.abs(sums).argmax()), sums.shape)
        return float(offsets[best[1]]), float(drifts[best[0]]), 1 if sums[best] >= 0 else -1

    def _local(self, offset: float, drift: float, sign: int, reach: int) -> tuple[Floats, Floats]:
        """What is left of lag in each window, once the other stream lies on the reference's clock, and its peak."""
        found, peaks = np.zeros(len(self.starts)), np.zeros(len(self.starts))
        length = fast_length(self.size + reach + 1)
        spectra = np.empty((2, len(self.starts), length // 2 + 1), np.complex128)
        for row, centre in enumerate(self.centres):
            low = round((centre + offset + drift * (centre - self.middle)) * self.rate - self.size / 2)
            own = self._laid((low + np.arange(self.size)) / self.rate, offset, drift) * self.taper
            # both tapered alike: of the same sound the peak is then at 0, however its loudness moves
            there = _stretch(self.reference, low, self.size) * self.taper
            for side, each in enumerate((there, own)):
                # every window alike, so that a loud event in one stream alone does not decide
                spectra[side, row] = np.fft.rfft(each / max(float(np.linalg.norm(each)), 1e-300), length)
        cross = sign * spectra[0] * np.conj(spectra[1])
        curves = np.fft.irfft(cross * _likely(spectra, cross), length, axis=1)
        curves = np.concatenate([curves[:, -reach:], curves[:, : reach + 1]], axis=1)
        for row, curve in enumerate(curves):
            at = int(curve.argmax())
            if 0 < at < 2 * reach:  # a peak at the edge lies beyond it
                found[row] = (at - reach + _between(curve, at)) / self.rate
                peaks[row] = curve[at] / max(float(np.sqrt(np.mean(curve**2))), 1e-300)
        return found, peaks

    def _laid(self, times: Floats, offset: float, drift: float) -> Floats:
        """The other stream at times of the reference, by cubic interpolation; 0 where it has none."""
        own = self.middle + (times - self.middle - offset) / (1 + drift)
        places = own * self.rate
        whole = np.floor(places).astype(int)
        part = places - whole
        padded = _stretch(self.other, int(whole[0]) - 1, int(whole[-1] - whole[0]) + 4)
        at = whole - whole[0] + 1
        before, left, right, after = (padded[at + shift] for shift in (-1, 0, 1, 2))
        third = (after - before) / 2 + 1.5 * (left - right)
        second = before - 2.5 * left + 2 * right - after / 2
        made: Floats = left + part * ((right - before) / 2 + part * (second + part * third))
        return made

    def _refined(self, offset: float, drift: float, sign: int, reach: int) -> tuple[float, float, float]:
        """A line through what is left, by least squares with Tukey's weights, and its slope's standard error."""
        left, peaks = self._local(offset, drift, sign, reach)
        weights = self.weights * peaks**2
        if np.count_nonzero(weights) < 3:
            return offset, drift, math.inf
        away = self.centres - self.middle
        line, slope, error = _weighted_median(left, weights), 0.0, math.inf
        for _ in range(10):
            rest = left - line - slope * away
            scale = max(1.4826 * _weighted_median(np.abs(rest), weights), 0.05 / self.rate)
            held = weights * np.clip(1 - (rest / (4.685 * scale)) ** 2, 0, None) ** 2
            if np.count_nonzero(held) < 3:
                break
            line, slope = _line(away, left, held)
            apart = away - (held @ away) / held.sum()
            error = scale * float(np.linalg.norm(held * apart) / max(held @ apart**2, 1e-300)) * self.overlap**0.5
        slope = min(max(slope, -self.most_drift * 1e-6 - drift), self.most_drift * 1e-6 - drift)
        return offset + line, drift + slope, error

    def _held(self, offset: float, drift: float, bound: float, tries: int) -> Held:
        """What the two share on the line, held against chance."""
        ends = (np.array([0.0, (len(self.other) - 1) / self.rate]) - self.middle) * (1 + drift) + self.middle + offset
        low = max(math.ceil(ends[0] * self.rate), 0)
        high = min(math.floor(ends[1] * self.rate) + 1, len(self.reference))
        if high <= low:
            return Held(0.0, 1.0)
        lags = min(self.lags, len(self.reference) + len(self.other))
        laid = self._laid(np.arange(low, high) / self.rate, offset, drift)
        return against_chance(
            self.reference[low:high], laid, lags=lags, lines=tries * (1 + 2 * bound * self.half * self.rate)
        )

    def _judged(self, curves: Floats, offset: float, drift: float, sign: int, step: int) -> tuple[float, float]:
        """Share of the windows whose own highest peak lies on the line, and how far off these are."""
        lags = offset + drift * (self.centres - self.middle)
        own = (self.first_lag + (sign * curves).argmax(axis=1)) / self.rate
        agree = np.abs(own - lags) <= max(NEAR, 1.5 / self.rate)
        middles = (self.centres + lags) * self.rate
        inside = (middles >= 0) & (middles < len(self.reference))
        # windows without a counterpart are nobody's fault, as long as they are not most of all
        total = max(float(self.weights[inside].sum()), 0.5 * float(self.weights.sum()))
        if not agree.any() or total == 0:
            return 0.0, math.nan
        left, peaks = self._local(offset, drift, sign, max(2 * step, 4))
        good = agree & (peaks > 0)
        residual = float(np.median(np.abs(left[good]))) if good.any() else math.nan
        return min(float(self.weights[agree].sum() / total), 1.0), residual


def _likely(spectra: NDArray[np.complex128], cross: NDArray[np.complex128]) -> Floats:
    """How much each frequency tells of the lag: Hannan and Thomson's weights, from the coherence over all windows."""
    width = 9
    box = np.ones(width) / width
    powers = [np.convolve((np.abs(each) ** 2).sum(axis=0), box, mode="same") for each in spectra]
    shared = np.abs(np.convolve(cross.sum(axis=0), box, mode="same"))
    floor = 1e-12 * (float(shared.max()) or 1.0)
    chance = 1 / (width * cross.shape[0])  # coherence of what has nothing in common, over as many values
    coherence = np.clip(shared**2 / np.maximum(powers[0] * powers[1], floor**2) - chance, 0.0, 0.99)
    weights: Floats = coherence / (1 - coherence) / np.maximum(shared, floor)
    return weights if weights.any() else 1 / np.maximum(shared, floor)


def _stretch(values: Floats, start: int, length: int) -> Floats:
    """A stretch of a stream, with zeros where it has nothing."""
    low, high = max(start, 0), min(start + length, len(values))
    if low >= high:
        return np.zeros(length, values.dtype)
    return np.pad(values[low:high], (low - start, start + length - high))


def _around(middle: float, reach: float, step: float) -> Floats:
    """Even numbers about one, itself among them."""
    count = math.ceil(reach / step) if reach > 0 else 0
    made: Floats = middle + step * np.arange(-count, count + 1)
    return made


def _between(curve: Floats, at: int) -> float:
    """Where between samples a peak is, by a parabola."""
    if not 0 < at < len(curve) - 1:
        return 0.0
    before, top, after = (float(each) for each in curve[at - 1 : at + 2])
    bend = before - 2 * top + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0


def _weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values, kind="stable")
    sums = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(sums, sums[-1] / 2)])


def _line(x: Floats, y: Floats, weights: Floats) -> tuple[float, float]:
    """Height at 0 and slope of the line of least squares."""
    total = weights.sum()
    x_mean, y_mean = (weights @ x) / total, (weights @ y) / total
    spread = weights @ (x - x_mean) ** 2
    slope = float(weights @ ((x - x_mean) * (y - y_mean)) / spread) if spread > 0 else 0.0
    return float(y_mean - slope * x_mean), slope
