"""Offsets and drifts that were put in are found again; what cannot be found is said."""

import numpy as np
import pytest

from sibu.align import TimeFit, align_readings, align_streams, apply, inverse
from sibu.align.chance import AT_CHANCE
from sibu.core.errors import DataError

RATE = 1000.0


def happening(seconds, seed=0):
    """Bursts of low-passed noise, as a function of time: a sum of many waves under a slow envelope."""
    draw = np.random.default_rng(seed)
    waves = draw.uniform(5, 120, 60)
    phases = draw.uniform(0, 2 * np.pi, 60)
    knots = draw.uniform(0, 1, int(seconds) * 3 + 30) ** 3

    def heard(times):
        times = np.asarray(times)
        loud = np.interp(times, np.arange(len(knots)) / 3 - 4, knots)
        return loud * np.sin(2 * np.pi * times[..., None] * waves + phases).sum(axis=-1)

    return heard


def pair(offset, drift, seconds=20, noise=0.0, seed=0, rate=RATE):
    heard, draw = happening(seconds, seed), np.random.default_rng(seed + 1)
    times = np.arange(round(seconds * rate)) / rate
    first, second = heard(times), heard(times + offset + drift * 1e-6 * times)
    return [each + noise * np.std(each) * draw.normal(size=len(each)) for each in (first, second)]


@pytest.mark.parametrize(
    ("offset", "drift", "noise"), [(1.2345, 300.0, 1.0), (-1.987, -500.0, 1.0), (0.0, 0.0, 0.0), (0.31, 900.0, 0.0)]
)
def test_what_was_put_in_is_found(offset, drift, noise):
    fit = align_streams(*pair(offset, drift, noise=noise), RATE)
    assert fit.offset == pytest.approx(offset, abs=0.002)
    assert fit.drift == pytest.approx(drift, abs=20)
    assert fit.quality > 0.6
    assert fit.residual < 0.001
    assert abs(fit.lags[fit.curve.argmax()] - offset) < 0.02


def test_the_sign_is_that_of_the_formula():
    fit = TimeFit(2.0, 100.0, 1.0, 0.0)
    assert apply(fit, [0.0, 10.0]).tolist() == pytest.approx([2.0, 2.0 + (1 + 100e-6) * 10.0])
    # the other was started two seconds later: what it hears at its 0 the reference hears at 2
    sound = happening(12)(np.arange(12_000) / RATE)
    assert align_streams(sound[:10_000], sound[2000:], RATE).offset == pytest.approx(2.0, abs=1e-4)


@pytest.mark.parametrize("since", [0.0, 1.7e9])
def test_the_inverse_takes_times_back(since):
    fit = TimeFit(-1.5, 480.0, 0.9, 0.001, since)
    times = since + np.linspace(-5, 400, 9)
    assert apply(inverse(fit), apply(fit, times)) == pytest.approx(times, abs=1e-6)
    assert apply(inverse(inverse(fit)), times) == pytest.approx(apply(fit, times), abs=1e-6)


def test_exchanged_streams_give_the_inverse():
    first, second = pair(0.7, 400.0, noise=0.3)
    one, two = align_streams(first, second, RATE), align_streams(second, first, RATE)
    times = np.array([0.0, 20.0])
    assert apply(two, times) == pytest.approx(apply(inverse(one), times), abs=1e-3)


def test_a_stream_that_is_upside_down_and_softer():
    first, second = pair(-0.8, -250.0, noise=0.5)
    fit = align_streams(first, -0.001 * second + 40, RATE)
    assert fit.offset == pytest.approx(-0.8, abs=0.002)
    assert fit.drift == pytest.approx(-250, abs=20)


def test_what_has_nothing_in_common_has_a_low_quality():
    first, second = pair(0.5, 100.0)[0], pair(0.5, 100.0, seed=7)[1]
    assert align_streams(first, second, RATE).quality < 0.25


def wandering(draw, seconds, rate=20):
    """A stream whose values hang together over some tenths of a second."""
    width = draw.choice([2, 4, 8])
    made = np.convolve(draw.normal(size=round(seconds * rate) + 4 * width), np.hanning(2 * width + 1), "valid")
    return made[: round(seconds * rate)] / made.std()


@pytest.mark.parametrize("reach", [5.0, 0.2])
@pytest.mark.parametrize("seconds", [4, 20, 60])
def test_at_most_one_in_twenty_unrelated_pairs_passes(seconds, reach):
    draw = np.random.default_rng([seconds, round(10 * reach)])
    pairs = [(wandering(draw, seconds), wandering(draw, seconds)) for _ in range(100)]
    fits = [align_streams(*pair, 20.0, reach=reach) for pair in pairs]
    assert sum(fit.quality >= AT_CHANCE for fit in fits) <= 5
    for fit in fits:  # the quality is that of the two figures
        assert (fit.quality >= AT_CHANCE) == (abs(fit.correlation) >= fit.by_chance) or fit.by_chance == 1


@pytest.mark.parametrize("seconds", [30, 60])
def test_pairs_of_the_same_in_noise_of_0_decibels_pass(seconds):
    draw = np.random.default_rng(seconds)
    right = 0
    for _ in range(60):
        whole, offset = wandering(draw, seconds + 4), draw.integers(0, 40)
        parts = whole[40 : 40 + 20 * seconds], whole[40 + offset : 40 + offset + 20 * seconds]
        fit = align_streams(*(part + draw.normal(size=part.size) * part.std() for part in parts), 20.0)
        right += fit.quality >= AT_CHANCE and abs(fit.offset - offset / 20) < 0.1
    assert right >= 57


def test_single_events_and_equal_values_are_no_correlation():
    draw = np.random.default_rng(5)
    passed = 0
    for _ in range(40):
        one, two = np.zeros((2, 400))
        for each in (one, two):  # still but for one event: any two fit on each other
            at = draw.integers(50, 340)
            each[at : at + 10] += 5 * np.hanning(10)
        passed += align_streams(one, two, 20.0, reach=15.0).quality >= AT_CHANCE
    assert passed <= 2


def test_a_drift_that_cannot_be_told_is_0():
    heard, draw = happening(60), np.random.default_rng(2)
    times = np.arange(80) / 20
    level = [np.abs(heard(at)) + draw.normal(size=80) for at in (times, times + 0.3 + 900e-6 * times)]
    fit = align_streams(*level, 20.0)
    assert fit.drift == 0 and fit.drift_error > 500
    assert align_streams(*pair(0.3, 900.0), RATE).drift_error < 10
    still = align_streams(*pair(0.3, 0.0), RATE, most_drift=0.0)
    assert still.drift == 0 and still.offset == pytest.approx(0.3, abs=0.002)


def test_a_burst_in_one_stream_alone_does_not_matter():
    first, second = pair(1.0, -300.0, noise=0.3)
    second[3000:3400] += 80 * np.std(second) * np.random.default_rng(1).normal(size=400)
    fit = align_streams(first, second, RATE)
    assert fit.offset == pytest.approx(1.0, abs=0.002)
    assert fit.drift == pytest.approx(-300, abs=20)


def test_a_high_rate_is_thinned_out():
    first, second = pair(0.4321, 200.0, seconds=3, rate=24_000.0)
    fit = align_streams(first, second, 24_000.0, reach=1.0)
    assert fit.offset == pytest.approx(0.4321, abs=2e-4)
    assert fit.drift == pytest.approx(200, abs=40)


def test_the_same_again_is_the_same():
    streams = pair(0.2, 50.0, noise=1.0)
    one, two = align_streams(*streams, RATE), align_streams(*streams, RATE)
    assert one == two
    assert (one.curve == two.curve).all()


def test_readings_of_other_rates_and_units_at_irregular_times():
    draw = np.random.default_rng(3)
    knots = draw.normal(size=700).cumsum()
    knots -= np.linspace(knots[0], knots[-1], len(knots))

    def warmth(times):
        return np.interp(times, np.arange(len(knots)) / 5 - 5, knots)

    offset, drift, began = 1.3, 800.0, 1.7e9
    first = began + np.cumsum(draw.uniform(0.02, 0.06, 2500))
    own = np.cumsum(draw.uniform(0.05, 0.15, 900))  # the other's clock starts at 0
    true = own + offset + drift * 1e-6 * (own - own[0])
    values = np.stack([32 + 1.8 * warmth(true), draw.normal(size=len(own)) * 1e-9], axis=1)
    values[::50, 0] = np.nan
    reference = (warmth(first - began), first)
    fit = align_readings(reference, (values[:, 0], own), first="samples", second="samples", near=began)
    assert fit.since == own[0]
    assert np.abs(apply(fit, own) - true - began).max() < 0.05
    assert fit.drift == pytest.approx(drift, abs=200)
    moved = align_readings(reference, (values[:, :1], own), near=began)
    assert np.abs(apply(moved, own) - true - began).max() < 0.15
    with pytest.raises(DataError, match="other stream has 2 channels, and samples are compared of one"):
        align_readings(reference, (values, own), first="samples", second="samples", near=began)


def test_loudness_against_a_sound():
    first, second = pair(-0.6, 0.0, noise=0.1, seconds=30)
    level = 20 * np.log10(np.sqrt((second.reshape(-1, 20) ** 2).mean(axis=1)) + 0.01)
    times = np.arange(len(first)) / RATE
    fit = align_readings(
        (first, times), (level, (np.arange(len(level)) + 0.5) * 0.02), first="envelope", second="samples"
    )
    assert fit.offset == pytest.approx(-0.6, abs=0.01)
    assert fit.quality > 0.6


GOOD = np.random.default_rng(0).normal(size=4000)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (GOOD.reshape(-1, 2), GOOD, r"reference must be one channel, \(N,\), given \(2000, 2\)"),
        (GOOD, np.where(np.arange(4000) == 17, np.nan, GOOD), "other stream holds nan at place 17"),
        (GOOD, np.full(4000, 3.5), r"other stream is constant \(3.5\)"),
        (GOOD[:40], GOOD, "streams have 0.04 and 4 s at 1000 values a second; each needs at least 1 s"),
        (GOOD, np.zeros(0), "streams have 4 and 0 s"),
    ],
)
def test_streams_that_cannot_be_used(first, second, message):
    with pytest.raises(DataError, match=message):
        align_streams(first, second, RATE)


def test_streams_that_cannot_overlap():
    with pytest.raises(DataError, match=r"cannot overlap at offsets from 95 to 105 s: the reference has 4 s"):
        align_streams(GOOD, GOOD, RATE, near=100.0)
    with pytest.raises(DataError, match="Rate and reach must be above 0"):
        align_streams(GOOD, GOOD, 0.0)


def test_clocks_that_cannot_be_used():
    times = np.arange(4000) / RATE
    back = times.copy()
    back[10:] -= 0.5
    with pytest.raises(DataError, match=r"other stream: its clock runs backwards: reading 10 is at -0.49 s"):
        align_readings((GOOD, times), (GOOD, back))
    with pytest.raises(DataError, match="reference has 4,000 readings at one moment"):
        align_readings((GOOD, np.zeros(4000)), (GOOD, times))
    with pytest.raises(DataError, match=r"other stream lasts 0\.039 s, which is one value at 1 a second: too short"):
        align_readings((GOOD[:9], np.arange(9.0)), (GOOD[:40], times[:40]))
    for what in ("change", "envelope", "samples"):  # a figure that was made of it would tell nothing
        with pytest.raises(DataError, match=r"^The other stream is constant, so nothing in it can be"):
            align_readings((GOOD, times), (np.full(4000, 0.5), times), first=what, second=what)
    with pytest.raises(DataError, match="other stream has no reading: every value is missing"):
        align_readings((GOOD, times), (np.full(4000, np.nan), times))
    leap = times.copy()
    leap[-1] = 1e12
    with pytest.raises(DataError, match=r"at most 50,000,000 numbers are made. .* see whether the clock leaps"):
        align_readings((GOOD, times), (GOOD, leap))
    with pytest.raises(DataError, match="Lower the `reach`"):
        align_streams(GOOD, GOOD, RATE, reach=1e9)


def test_a_stream_that_goes_on_long_after_the_reference():
    heard, draw = happening(20), np.random.default_rng(3)
    times = np.arange(8000) / RATE
    other = np.concatenate([heard(times + 0.37), draw.normal(size=16_000)])
    fit = align_streams(heard(times), other, RATE, reach=2.0)
    assert fit.offset == pytest.approx(0.37, abs=0.005)
    assert np.isfinite(fit.curve).all()


@pytest.mark.parametrize(("begins", "drift"), [(31.7, 0.0), (12.25, 200.0)])
def test_a_short_reference_is_found_in_a_long_stream(begins, drift):
    """Its windows are sought in the other stream: the reference has nothing of most of that one's."""
    heard, draw = happening(60), np.random.default_rng(4)
    reference = heard(begins + np.arange(8 * RATE) / RATE)
    other = heard(np.arange(60 * RATE) / RATE * (1 + drift * 1e-6))
    noisy = [each + 0.5 * np.std(each) * draw.normal(size=len(each)) for each in (reference, other)]
    fit = align_streams(*noisy, RATE, reach=60.0)
    middle = (begins + 4) / (1 + drift * 1e-6)
    assert apply(fit, middle) == pytest.approx(4, abs=0.003)
    assert fit.quality > 0.4
    assert fit.since == 0
    assert abs(fit.lags[fit.curve.argmax()] + begins) < 0.05


def test_a_channel_that_is_dead_does_no_harm():
    first, second = pair(0.4, 0.0, noise=0.1)
    times = np.arange(len(first)) / RATE
    fit = align_readings((first, times), (np.stack([second, np.full(len(second), np.nan)], 1), times))
    assert fit.offset == pytest.approx(0.4, abs=0.02)
