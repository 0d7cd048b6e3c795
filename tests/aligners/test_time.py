"""Streams are brought to one clock and cut to what they share, whatever their kinds, and what cannot be is told."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sibu.aligners import ALIGNERS
from sibu.core.errors import RecipeError
from sibu.media.series import Series
from sibu.media.sound import Sound

RATE = 1000


def aligner(**options: Any) -> Any:
    spec = ALIGNERS.spec({"name": "time", "reference": "声音", "others": "sensor"} | options)
    return ALIGNERS.of(spec).build(spec)


def events(seconds: float, *, seed: int = 0) -> np.ndarray:
    """Something that happens in bursts, as amplitudes."""
    draw = np.random.default_rng(seed)
    loud = np.repeat(draw.random(round(seconds * 4)) ** 3, RATE // 4)
    return (loud * draw.standard_normal(len(loud))).astype(np.float32)


def sound(samples: np.ndarray, rate: int = RATE) -> Sound:
    return Sound(samples, rate, rate, 1, 0.0, len(samples) / rate)


def shifted(samples: np.ndarray, offset: float, ppm: float, *, rate: float = RATE) -> np.ndarray:
    """The same events by another clock: reference = other + offset + drift."""
    own = np.arange(round(len(samples) / RATE * rate)) / rate
    places = offset + own * (1 + ppm * 1e-6)
    return np.interp(places, np.arange(len(samples)) / RATE, samples, left=0, right=0).astype(np.float32)


def readings(values: np.ndarray, rate: float, *, begins: float = 0.0, start: float | None = None) -> Series:
    return Series(begins + np.arange(len(values)) / rate, values.reshape(len(values), -1), ("x",), start)


@pytest.mark.parametrize(("offset", "ppm"), [(0.8, 300.0), (-1.2, -400.0), (0.0, 0.0)])
def test_offset_and_drift_of_two_recordings_are_taken_out(offset: float, ppm: float) -> None:
    whole = events(12)
    part = aligner()
    raw = {"声音": sound(whole), "sensor": sound(shifted(whole, offset, ppm))}
    found, gone = part.fit({}, raw)
    (told,) = part.told(found)
    assert not gone
    assert told["offset_seconds"] == pytest.approx(offset, abs=0.003)
    assert told["drift_ppm"] == pytest.approx(ppm, abs=30)
    assert told["quality"] > 0.5
    one, two = (part.laid(name, value, found) for name, value in raw.items())
    assert len(one.samples) == len(two.samples)
    assert np.corrcoef(one.samples, two.samples)[0, 1] > 0.7  # a millisecond off, white noise would agree in nothing
    assert one.total == pytest.approx(len(one.samples) / RATE)


def test_a_sensor_is_brought_to_a_recordings_clock() -> None:
    whole = events(10, seed=3)
    loudness = np.sqrt(np.convolve(whole**2, np.ones(40) / 40, "same"))
    part = aligner()
    raw = {"声音": sound(whole), "sensor": readings(shifted(loudness, 0.5, 0, rate=50), 50)}
    found, gone = part.fit({}, raw)
    (told,) = part.told(found)
    assert not gone
    assert told["offset_seconds"] == pytest.approx(0.5, abs=0.03)
    laid = part.laid("sensor", raw["sensor"], found)
    there = np.interp(laid.times, np.arange(len(loudness)) / RATE - 0.5, loudness)
    assert np.corrcoef(there, laid.values[:, 0])[0, 1] > 0.95
    assert laid.times[0] >= 0


@pytest.mark.parametrize("seconds", [4, 20, 60])
def test_a_recording_and_a_sensor_of_other_things_do_not_pass(seconds: int) -> None:
    part, passed, count = aligner(), 0, 40
    for seed in range(count):
        draw = np.random.default_rng([seconds, seed])
        noise = sound(events(seconds, seed=seed))
        raw = {"声音": noise, "sensor": readings(draw.standard_normal(20 * seconds).astype(np.float32), 20)}
        (told,) = part.told(part.fit({}, raw)[0])
        passed += told["quality"] >= part.warn
    assert passed <= count // 20


def test_what_is_said_of_streams_that_agree_no_better_than_chance() -> None:
    part, draw = aligner(), np.random.default_rng(2)
    said = []
    for seconds in (4, 60):
        raw = {"声音": sound(events(seconds)), "sensor": readings(draw.standard_normal(20 * seconds), 20)}
        found, _ = part.fit({}, raw)
        (told,) = part.told(found)
        assert told["quality"] < part.warn
        assert part.remarks(found) == []  # of such a drift nothing more is said
        said.append(part.doubt(told))
    assert said[1][0].startswith("they correlate by 0.") and "1 in 20 unrelated pairs" in said[1][0]
    assert said[1][1].startswith("Look whether both are of the same events; widen `reach`")
    short = {"correlation": 0.7, "by_chance": 0.93}
    message, mend = part.doubt(short)
    assert message.endswith("comes to 0.93: they are too short or too even for anything to be told")
    assert mend.startswith("Give longer stretches of both")


def test_drifts_that_cannot_be_told_or_lie_at_the_bound_are_told() -> None:
    whole = events(6, seed=3)
    loudness = np.sqrt(np.convolve(whole**2, np.ones(40) / 40, "same"))
    raw = {"声音": sound(whole), "sensor": readings(shifted(loudness, 0.5, 0, rate=50), 50)}
    found, _ = aligner(most_drift=100.0).fit({}, raw)
    ((kind, message, mend),) = aligner(most_drift=100.0).remarks(found)
    assert kind == "no drift" and "and up to 100 are sought (`most_drift`); 0 is taken." in message
    assert mend.startswith("Set `most_drift: 0`")
    none = aligner(most_drift=0.0)
    assert none.remarks(none.fit({}, raw)[0]) == []
    whole = events(12)
    raw = {"声音": sound(whole), "sensor": sound(shifted(whole, 0.5, 900.0))}
    found, _ = aligner(most_drift=300.0).fit({}, raw)
    kinds = [kind for kind, *_ in aligner(most_drift=300.0).remarks(found)]
    assert kinds == ["drift at bound"]


def test_days_between_dates_are_no_offset() -> None:
    day = datetime(2024, 5, 1, 8, tzinfo=UTC).timestamp()
    values = np.cumsum(np.random.default_rng(1).standard_normal(600)).astype(np.float32)
    part = aligner()
    raw = {"声音": readings(values, 20, start=day), "sensor": readings(values[100:], 20, start=day + 5 + 0.7)}
    (told,) = part.told(part.fit({}, raw)[0])  # the other began 5 s later, and its clock is 0.7 s ahead
    assert told["offset_seconds"] == pytest.approx(5.0, abs=0.02)
    assert told["quality"] > 0.5


def test_windows_hold_what_falls_into_them() -> None:
    part = aligner(clock="shared", window=2.0, start="at")
    one, two = readings(np.arange(100.0), 10), readings(np.arange(50.0), 5, begins=0.1)
    found, gone = part.fit({"at": 3.0}, {"声音": one, "sensor": two})
    assert not gone and part.told(found) == []
    first, second = part.laid("声音", one, found), part.laid("sensor", two, found)
    assert first.values[:, 0].tolist() == list(range(30, 50))
    assert first.times == pytest.approx(np.arange(20) / 10)
    assert second.values[:, 0].tolist() == list(range(15, 25))
    assert second.times == pytest.approx(np.arange(10) / 5 + 0.1)


def test_a_window_that_a_stream_covers_in_part_keeps_its_place() -> None:
    part = aligner(clock="shared", window=4.0, start="at")
    raw = {"声音": sound(np.ones(5000, np.float32)), "sensor": readings(np.arange(30.0), 10, begins=3.0)}
    found, _ = part.fit({"at": 1.0}, raw)
    laid = part.laid("sensor", raw["sensor"], found)
    assert np.isnan(laid.values[0]).all() and laid.times[0] == 0 and laid.times[1] == pytest.approx(2.0)
    late, _ = part.fit({"at": 4.0}, raw)
    short = part.laid("声音", raw["声音"], late)
    assert len(short.samples) == 4000 and not short.samples[1000:].any()


def test_a_window_that_the_streams_do_not_fill_is_told() -> None:
    raw = {"声音": readings(np.arange(50.0), 10), "sensor": readings(np.arange(40.0), 10, begins=3.0)}
    found, gone = aligner(clock="shared", window=3.0).fit({}, raw)
    ((kind, message, mend),) = aligner(clock="shared", window=3.0).remarks(found)
    assert not gone
    assert kind == "short window"
    assert message == "'声音', 'sensor' share 2 s, and the window has 3: the row has the shorter one."
    assert mend == "Give a shorter `window`, or leave the row out."
    for window in (2.0, None):
        part = aligner(clock="shared", window=window)
        assert part.remarks(part.fit({}, raw)[0]) == []
    part = aligner(clock="shared", window=3.0)
    assert part.remarks(part.fit({}, {"声音": raw["声音"]})[0]) == []


@pytest.mark.parametrize(
    ("raw", "row", "who", "told"),
    [
        ({"sensor": readings(np.ones(100), 10)}, {}, "sensor", "constant"),
        ({"sensor": readings(np.ones(1), 10)}, {}, "sensor", "1 reading at one moment"),
        ({}, {"at": 99.0}, "声音", "its `at` is 99; `声音` lasts from 0 to 4 seconds. Name a second within it."),
        (
            {"sensor": readings(np.random.default_rng(0).random(100), 10, begins=50.0)},
            {"at": 1.0},
            "sensor",
            "they do not overlap",
        ),
    ],
)
def test_what_cannot_be_aligned_is_told(raw: dict, row: dict, who: str, told: str) -> None:
    clock = "shared" if "overlap" in told else "own"
    part = aligner(start="at", window=2.0, clock=clock)
    found, gone = part.fit(row, {"声音": sound(events(4))} | raw)
    assert told in gone[who]
    value = raw.get(who, sound(events(4)))
    assert part.laid(who, value, found) is None


def test_a_stream_alone_stays_as_it_is() -> None:
    part = aligner()
    one, two = sound(events(2)), readings(np.arange(20.0), 10)
    found, gone = part.fit({}, {"sensor": two})
    assert not gone and part.laid("sensor", two, found) is two and part.told(found) == []
    found, gone = part.fit({}, {"声音": one})
    assert not gone
    assert np.array_equal(part.laid("声音", one, found).samples, one.samples)


def test_one_bad_stream_leaves_the_others_in_line() -> None:
    whole = events(8)
    part = aligner(others=["a", "b"])
    raw = {"声音": sound(whole), "a": readings(np.ones(80), 10), "b": sound(shifted(whole, 0.4, 0))}
    found, gone = part.fit({}, raw)
    assert set(gone) == {"a"}
    assert [each["of"] for each in part.told(found)] == ["b"]
    assert part.laid("a", raw["a"], found) is None
    assert part.laid("b", raw["b"], found).total == pytest.approx(7.6, abs=0.01)


@settings(max_examples=20, deadline=None)
@given(begin=st.floats(0, 5), window=st.floats(0.5, 4), apart=st.floats(-2, 2))
def test_readings_keep_their_moments(begin: float, window: float, apart: float) -> None:
    """Of a shared clock whatever is laid lies where it lay."""
    part = aligner(clock="shared", window=window, start="at")
    one, two = readings(np.arange(200.0), 20), readings(np.arange(200.0), 20, begins=apart)
    found, gone = part.fit({"at": begin}, {"声音": one, "sensor": two})
    if gone:
        return
    laid = part.laid("sensor", two, found)
    if laid is None:
        return
    there = ~np.isnan(laid.values[:, 0])
    assert laid.times[there] + begin == pytest.approx(two.times[laid.values[there, 0].astype(int)], abs=1e-6)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"start": "at"}, "give its seconds as `window`"),
        ({"compare": {"x": "change"}}, "`compare` names 'x'"),
        ({"others": ["声音"]}, "names a stream twice"),
    ],
)
def test_options_that_do_not_agree(options: dict, told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        aligner(**options)
