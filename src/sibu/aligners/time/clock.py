"""Streams to one clock, and what they share of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sibu.align import TimeFit, align_readings, align_streams, apply, inverse
from sibu.align.chance import AT_CHANCE
from sibu.align.clocks import TOLD
from sibu.core.columns import Column
from sibu.core.errors import DataError
from sibu.core.example import Row, as_names
from sibu.core.protocols import Features
from sibu.core.text import Feature
from sibu.media.series import Series
from sibu.media.sound import Sound, resampled
from sibu.store.hashes import hash_json

if TYPE_CHECKING:
    from sibu.align.clocks import Feature as Compared
    from sibu.align.streams import Readings
    from sibu.aligners.time import TimeSpec

Stream = Sound | Series
ALONE, ALIGNED, GONE = 0.0, 1.0, 2.0
"""Of another stream: the row has no reference; it is on the reference's clock; it could not be brought there."""
BESIDE_SOUND: tuple[tuple[Compared, Compared], ...]
BESIDE_SOUND = (("envelope", "change"), ("envelope", "samples"), ("change", "change"))
"""What of a recording and of a sensor is compared, where the recipe leaves it open: that which agrees best counts."""
BESIDE_READINGS: tuple[tuple[Compared, Compared], ...]
BESIDE_READINGS = (("change", "change"), ("samples", "samples"), ("envelope", "envelope"))
"""The same of a sensor and another stream."""
NUMBERS = 10
"""Of another stream: one of the above, offset, drift, since, quality, residual, correlation, what of it chance gives,
share of windows that agree, standard error of the drift."""
AT_BOUND = 0.995
"""Share of the most drift that is sought from which one lies at the bound."""
HARD = 0.8
"""Correlation that chance gives from which streams are said to be too short: even related ones hardly pass it."""
SLACK = 0.01
"""Seconds by which a window may be shorter than it should be without a word: the clocks are not found more finely."""
NEAR = 1.5
"""Steps of a stream from a window's begin within which its first reading stands for it."""


class OneClock:
    """See the door plate ``sibu.aligners.time`` for the options."""

    def __init__(self, spec: TimeSpec) -> None:
        self.spec = spec
        self.reads = self.moves = (spec.reference, *spec.others)
        said = "the second at which the row's window begins"
        self.columns = () if spec.start is None else (Column(spec.start, "number", "input", said),)
        self.features = (Feature("clocks", "float64", "window", width=2 + NUMBERS * len(spec.others)),)
        self.warn = spec.warn
        self.key = hash_json(["time", 2, spec.model_dump(mode="json", exclude={"warn"})])

    def fit(self, row: Row, raw: Mapping[str, Any]) -> tuple[Features, Mapping[str, str]]:
        """Each other stream's clock by the reference's, and the stretch that is kept."""
        spec, gone = self.spec, dict[str, str]()
        start = None if spec.start is None else row.get(spec.start)
        reference: Stream | None = raw.get(spec.reference)
        fits: dict[str, TimeFit] = {}
        try:
            cut = self._cut(reference, start)
        except DataError as fault:
            return self._numbers(_Cut(), fits, gone := dict.fromkeys(raw, str(fault))), gone
        for name in spec.others:
            if reference is None or raw.get(name) is None:
                continue
            try:
                fits[name] = self._clock(name, reference, raw[name])
                cut = self._narrowed(cut, name, fits[name], raw[name])
            except DataError as fault:
                fits.pop(name, None)
                gone[name] = str(fault)
        return self._numbers(cut, fits, gone), gone

    def _cut(self, reference: Stream | None, start: float | None) -> _Cut:
        """What is kept of the reference, before others are looked at."""
        if reference is None:
            return _Cut()
        begin, end = _ends(reference)
        if start is not None:
            if not begin <= start < end:
                message = f"its `{self.spec.start}` is {start:g}; `{self.spec.reference}` lasts from {begin:g} to "
                raise DataError(f"{message}{end:g} seconds. Name a second within it.")
            return _Cut(start, start + float(self.spec.window or 0), fixed=True)
        return _Cut(begin, end)

    def _narrowed(self, cut: _Cut, name: str, fit: TimeFit, other: Stream) -> _Cut:
        """What is kept where this stream is to be in it too."""
        begin, end = apply(fit, _ends(other)).tolist()
        if min(end, cut.end) <= max(begin, cut.begin):
            what = f"`{name}` lasts from {begin:.6g} to {end:.6g} s on the clock of `{self.spec.reference}`"
            rest = f"where what is kept lies from {cut.begin:.6g} to {cut.end:.6g} s: they do not overlap."
            raise DataError(f"{what}, {rest}")
        return cut if cut.fixed else _Cut(max(begin, cut.begin), min(end, cut.end))

    def _clock(self, name: str, reference: Stream, other: Stream) -> TimeFit:
        """Another stream's clock by the reference's; of dates the days between them are taken out first."""
        first, second = getattr(reference, "start", None), getattr(other, "start", None)
        apart = 0.0 if first is None or second is None else float(second - first)
        if self.spec.clock == "shared":
            return TimeFit(apart, 0.0, math.nan, math.nan)
        if isinstance(reference, Sound) and isinstance(other, Sound) and not self.spec.compare:
            rate = min(reference.rate, other.rate)
            one, two = (resampled(each.samples, each.rate, rate) for each in (reference, other))
            return align_streams(one, two, rate, **self._sought())
        known, moved = _readings(reference), _readings(other)
        fit = self._surest(name, known, (moved[0], moved[1] + apart), sound=isinstance(reference, Sound))
        return replace(fit, offset=fit.offset + apart, since=fit.since - apart)

    def _sought(self) -> dict[str, Any]:
        return {"reach": self.spec.reach, "most_drift": self.spec.most_drift}

    def _surest(self, name: str, known: Readings, moved: Readings, *, sound: bool) -> TimeFit:
        """The fit by what of two streams agrees best, of what the recipe leaves open."""
        said = self.spec.compare
        tries = BESIDE_SOUND if sound else BESIDE_READINGS
        wanted = [(said.get(self.spec.reference, first), said.get(name, second)) for first, second in tries]
        found: list[TimeFit] = []
        fault: DataError | None = None
        ways = dict.fromkeys(wanted)
        sought = self._sought() | {"tries": len(ways)}
        for first, second in ways:
            try:
                found.append(align_readings(known, moved, first=first, second=second, **sought))
            except DataError as each:  # as where samples of several channels are asked for
                fault = fault or each
        if not found:
            raise fault or DataError("Nothing of the streams can be compared.")
        return max(found, key=lambda fit: (fit.quality, fit.agree))

    def _numbers(self, cut: _Cut, fits: Mapping[str, TimeFit], gone: Mapping[str, str]) -> Features:
        """What was found as one array."""
        window = self.spec.window
        end = cut.end if window is None or not cut.known else min(cut.end, cut.begin + window)
        found = [cut.begin, end]
        for name in self.spec.others:
            fit = fits.get(name)
            if fit is not None:
                found += [ALIGNED, fit.offset, fit.drift, fit.since, fit.quality, fit.residual]
                found += [fit.correlation, fit.by_chance, fit.agree, fit.drift_error]
            else:
                found += [GONE if name in gone else ALONE, *([math.nan] * (NUMBERS - 1))]
        if self.spec.reference in gone:
            found[:2] = [math.inf, -math.inf]
        return {"clocks": np.array(found)}

    def _fits(self, found: Features) -> Iterator[tuple[str, float, TimeFit]]:
        for place, name in enumerate(self.spec.others):
            at = 2 + NUMBERS * place
            state, offset, drift, since, quality, residual, *more = np.asarray(found["clocks"])[
                at : at + NUMBERS
            ].tolist()
            yield name, state, TimeFit(offset, drift, quality, residual, since, *more)

    def laid(self, name: str, raw: Any, found: Features) -> Any:
        """A stream's part of what is kept, second 0 being where it begins."""
        begin, end = np.asarray(found["clocks"])[:2].tolist()
        if begin > end:
            return None
        if name == self.spec.reference:
            return _part(raw, TimeFit(0.0, 0.0, 1.0, 0.0), begin, end)
        state, fit = next((state, fit) for own, state, fit in self._fits(found) if own == name)
        if state == GONE:
            return None
        if state == ALONE:  # nothing to go by: from its own begin
            first, last = _ends(raw)
            window = self.spec.window
            return raw if window is None else _part(raw, TimeFit(0.0, 0.0, 1.0, 0.0), first, min(last, first + window))
        return _part(raw, fit, begin, end)

    def told(self, found: Features) -> list[dict[str, Any]]:
        """Quality and what it was made of, offset, drift with its error, and what is left of distance, by stream."""
        if self.spec.clock == "shared":
            return []
        return [
            {
                "of": name,
                "with": self.spec.reference,
                "quality": round(fit.quality, 4),
                "correlation": round(fit.correlation, 4),
                "by_chance": round(fit.by_chance, 4),
                "agree": round(fit.agree, 4),
                "offset_seconds": round(fit.offset + fit.drift * 1e-6 * -fit.since, 6),
                "drift_ppm": round(fit.drift, 3),
                "drift_error_ppm": round(fit.drift_error, 3) if math.isfinite(fit.drift_error) else None,
                "residual_seconds": None if math.isnan(fit.residual) else round(fit.residual, 6),
            }
            for name, state, fit in self._fits(found)
            if state == ALIGNED
        ]

    def remarks(self, found: Features) -> list[tuple[str, str, str]]:
        """A window that what the streams share does not fill, and drifts that could not be told."""
        told = [] if self.spec.clock == "shared" else [*self._drifts(found)]
        begin, end = np.asarray(found["clocks"])[:2].tolist()
        window = self.spec.window
        if window is None or self.spec.start is not None or not begin < end < begin + window - SLACK:
            return told
        names = as_names((self.spec.reference, *self.spec.others))
        message = f"{names} share {end - begin:.6g} s, and the window has {window:g}: the row has the shorter one."
        return [*told, ("short window", message, "Give a shorter `window`, or leave the row out.")]

    def _drifts(self, found: Features) -> Iterator[tuple[str, str, str]]:
        """Drifts that are not told, or lie at the bound; of streams that agree no better than chance there is none."""
        most = self.spec.most_drift
        for name, state, fit in self._fits(found):
            if state != ALIGNED or not most or fit.quality < AT_CHANCE:
                continue
            pair = f"{name!r} against {self.spec.reference!r}"
            if not fit.drift_error <= TOLD * most:
                error = f"{fit.drift_error:.0f}" if math.isfinite(fit.drift_error) else "any number of"
                message = f"The drift of {pair} cannot be told from so little: it could be off by {error} parts in a "
                message += f"million, and up to {most:g} are sought (`most_drift`); 0 is taken."
                yield "no drift", message, "Set `most_drift: 0`, so that none is sought, or give longer streams."
            elif abs(fit.drift) > AT_BOUND * most:
                message = f"The drift of {pair} is {fit.drift:.6g} parts in a million, the most that is sought "
                message += "(`most_drift`): it may be more, or not be told from so little."
                yield "drift at bound", message, "Raise `most_drift`, or set it to 0 where the clocks keep pace."

    def doubt(self, told: Mapping[str, Any]) -> tuple[str, str]:
        """What chance gives of the correlation that was found, and what to do."""
        chance = told["by_chance"]
        said = f"they correlate by {abs(told['correlation']):.2f}, and 1 in 20 unrelated pairs of this length and pace "
        said += f"comes to {chance:.2f}"
        if abs(told["correlation"]) <= chance and chance >= HARD:
            return (
                f"{said}: they are too short or too even for anything to be told",
                "Give longer stretches of both, lower `reach`, or name what is compared (`compare`); where the clocks "
                "are known to agree, set `clock: shared`.",
            )
        mend = "Look whether both are of the same events; widen `reach`, give longer stretches, or leave the row out."
        return said, mend


@dataclass(frozen=True, slots=True)
class _Cut:
    """The stretch of the reference's clock that is kept; NaN: there is no such clock."""

    begin: float = math.nan
    end: float = math.nan
    fixed: bool = False
    """Whether the row says where it begins; streams that do not cover all of it do not shorten it."""

    @property
    def known(self) -> bool:
        """Whether there is one."""
        return not math.isnan(self.begin)


def _ends(stream: Stream) -> tuple[float, float]:
    """The seconds at which a stream begins and ends by its own clock; its last reading stands for a step."""
    if isinstance(stream, Sound):
        return 0.0, stream.seconds
    return float(stream.times[0]), float(stream.times[-1]) + _step(stream)


def _step(stream: Series) -> float:
    return 1 / stream.rate if stream.rate else 0.0


def _readings(stream: Stream) -> tuple[np.ndarray, np.ndarray]:
    """Values with their seconds."""
    if isinstance(stream, Sound):
        return stream.samples, np.arange(len(stream.samples)) / stream.rate
    return stream.values, stream.times


def _part(stream: Stream, fit: TimeFit, begin: float, end: float) -> Stream | None:
    """What of a stream lies between two seconds of the reference's clock; None: nothing."""
    if math.isnan(begin):
        return stream
    if isinstance(stream, Sound):
        return _part_of_sound(stream, fit, begin, end)
    times = apply(fit, stream.times) - begin
    there = (times >= -1e-9) & (times < end - begin - 1e-9)
    if not there.any():
        return None
    times, values = times[there].clip(0), stream.values[there]
    if times[0] > NEAR * _step(stream):  # so that what is read of it begins with the others
        times = np.concatenate([[0.0], times])
        values = np.concatenate([np.full((1, values.shape[1]), np.nan, values.dtype), values])
    return Series(times, values, stream.names)


def _part_of_sound(sound: Sound, fit: TimeFit, begin: float, end: float) -> Sound | None:
    """Samples between two seconds, at the reference's pace; silence where the recording has not begun or has ended."""
    back = inverse(fit)
    first, last = apply(back, [begin, end]).tolist()
    count = round((end - begin) * sound.rate)
    low, high = round(first * sound.rate), round(last * sound.rate)
    own = sound.samples[max(low, 0) : max(high, 0)]
    if not len(own) or not count:
        return None
    before = min(max(-low, 0), count)
    if high - low != count:  # the clocks run apart by a sample or more
        own = resampled(own, sound.rate * (high - low) / count, sound.rate)
    own = np.pad(own[: count - before], (before, 0))
    own = np.pad(own, (0, count - len(own)))
    return replace(sound, samples=own, total=len(own) / sound.rate)
