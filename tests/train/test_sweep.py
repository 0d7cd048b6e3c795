"""A sweep's curve: how it is smoothed, where it ends, what is read from it."""

import math
import random

import pytest

from sibu.pipeline.report.charts import smooth
from sibu.train.sweep import Curve, Reading, rates_of, read, steepest_place, valley_place, variation


def curve_of(losses: list[float], low: float = 1e-7, high: float = 1.0, *, steps: int = 100) -> Curve:
    curve = Curve(steps)
    for rate, loss in zip(rates_of(low, high, steps), losses, strict=False):
        curve.add(rate, loss)
    return curve


def falling(rate: float, *, at: float = 1e-3, bursts: float = 0.1) -> float:
    """From 2 to 1 around a rate, and up again from another."""
    return 2 - 1 / (1 + (at / rate) ** 2) + (rate / bursts) ** 2


def noisy(seed: int, deviation: float) -> list[float]:
    draw = random.Random(seed)
    return [falling(rate) + draw.gauss(0, deviation) for rate in rates_of(1e-7, 1.0, 100)]


def fastai_valley(losses: list[float]) -> int:
    """`valley` of fastai 2.7 (callback/schedule.py) on a list."""
    n = len(losses)
    max_start, max_end = 0, 0
    lds = [1] * n
    for i in range(1, n):
        for j in range(i):
            if losses[i] < losses[j] and lds[i] < lds[j] + 1:
                lds[i] = lds[j] + 1
            if lds[max_end] < lds[i]:
                max_end = i
                max_start = max_end - lds[max_end]
    sections = (max_end - max_start) / 3
    return max_start + int(sections) + int(sections / 2)


def test_rates_grow_by_one_multiple() -> None:
    rates = rates_of(1e-7, 1.0, 8)
    assert rates == pytest.approx([10.0**power for power in range(-7, 1)])
    assert rates_of(1e-5, 1e-5 * (1 + 1e-9), 20)[-1] == pytest.approx(1e-5)


@pytest.mark.parametrize("seed", range(30))
def test_the_valley_is_fastais(seed: int) -> None:
    draw = random.Random(seed)
    values = [draw.choice([draw.random(), 0.5]) - place * draw.choice([0, 0.02]) for place in range(60)]
    assert valley_place(values) == fastai_valley(values)


def test_one_kind_is_smoothed_as_the_charts_do() -> None:
    losses = noisy(0, 0.2)
    curve = curve_of(losses)
    assert [point.smoothed for point in curve.points] == pytest.approx(smooth(losses, 5))
    assert [point.level for point in curve.points] == pytest.approx(losses)


def test_tasks_whose_losses_differ_in_height_do_not_end_a_sweep() -> None:
    curve, mixed = Curve(100), Curve(100)
    draw = random.Random(0)
    for rate in rates_of(1e-7, 1.0, 100):
        task = draw.choice(["small", "large"])
        loss = {"small": 0.1, "large": 3.0}[task]
        curve.add(rate, loss, task)
        mixed.add(rate, loss)
        assert not curve.risen
    settled = [point.smoothed for point in curve.points[20:]]
    assert max(settled) - min(settled) < 0.5 * (max(p.smoothed for p in mixed.points[20:]) - 0.1)
    assert variation([point.level for point in curve.points]) < 0.1 < variation([p.loss for p in curve.points])


def test_it_ends_at_four_times_the_lowest() -> None:
    curve = curve_of([1.0] * 30)
    curve.add(1e-4, 15.9)  # a fifth of it counts: 0.8 + 3.18
    assert curve.points[-1].smoothed == pytest.approx(3.98, abs=0.02)
    assert not curve.risen
    curve = curve_of([1.0] * 30)
    curve.add(1e-4, 16.2)
    assert curve.risen


def test_losses_below_zero_end_it_too() -> None:
    curve = curve_of([1.0 - place * 0.05 for place in range(40)])
    assert curve.points[-1].smoothed < -0.5
    assert not curve.risen
    for _ in range(3):
        curve.add(1e-3, 20.0)
    assert curve.risen


@pytest.mark.parametrize("deviation", [0.0, 0.02, 0.1])
@pytest.mark.parametrize("seed", range(5))
def test_the_fall_is_found(seed: int, deviation: float) -> None:
    found = read(curve_of(noisy(seed, deviation)), ended=True)
    assert found.few is None
    assert found.rose
    assert found.steepest == pytest.approx(1e-3, rel=0.8)
    assert found.valley is not None
    assert found.lowest is not None
    assert 4e-4 < found.valley < 2.5e-3 < found.lowest < 1e-1
    assert found.best < 1.3 < 1.9 < found.before


def test_what_is_read_is_of_whole_means_alone() -> None:
    curve = curve_of(noisy(0, 0.1))
    found = read(curve, ended=True)
    assert curve.whole == range(5, 95)
    assert curve.centred[50] == pytest.approx(sum(point.loss for point in curve.points[45:56]) / 11)
    lowest = min(curve.whole, key=curve.centred.__getitem__)
    assert (found.best, found.lowest) == (curve.centred[lowest], curve.points[lowest].rate)
    assert found.before == curve.centred[5]
    assert curve_of([2.0, 1.0, 9.0]).whole == range(2, 3)


def test_steepest_is_a_line_by_least_squares() -> None:
    rates, values = [1.0, math.e, math.e**2, math.e**3, math.e**4], [5.0, 5.0, 4.0, 1.0, 2.0]
    assert steepest_place(rates, values, range(5), half=1) == 2  # -2 a step; -1 at 3, where 2.0 follows
    assert steepest_place(rates, values, range(5), half=4) == 0


@pytest.mark.parametrize("seed", range(5))
def test_a_loss_that_only_varies_suggests_nothing(seed: int) -> None:
    draw = random.Random(seed)
    flat = [1 + draw.gauss(0, 0.2) for _ in range(100)]
    found = read(curve_of(flat), ended=True)
    assert found == Reading(found.before, found.best)
    assert found.before == pytest.approx(sum(flat[:11]) / 11)
    risen = flat[:60] + [1 + 0.2 * place for place in range(20)]
    found = read(curve_of(risen), ended=False)
    assert found == Reading(found.before, found.best, rose=True)


def test_a_slight_fall_without_noise_suggests_nothing() -> None:
    found = read(curve_of([1 - place * 5e-5 for place in range(100)]), ended=True)
    assert found == Reading(found.before, found.best)


@pytest.mark.parametrize("losses", [[1.0] * 6 + [9.0], [1.0], [2.0 - 0.1 * place for place in range(9)] + [9.0] * 3])
def test_few_steps_before_the_rise_suggest_nothing(losses: list[float]) -> None:
    found = read(curve_of(losses), ended=False)
    assert (found.steepest, found.valley, found.lowest) == (None, None, None)
    assert found.few is not None
    assert found.few <= len(losses)


def test_a_loss_that_never_rose_is_told() -> None:
    found = read(curve_of([falling(rate, bursts=1e9) for rate in rates_of(1e-7, 1.0, 100)]), ended=True)
    assert not found.rose
    assert found.steepest is not None


def test_variation_is_a_standard_deviation() -> None:
    draw = random.Random(0)
    assert variation([draw.gauss(place * 0.01, 0.3) for place in range(4000)]) == pytest.approx(0.3, rel=0.05)
    assert variation([1.0]) == 0.0
