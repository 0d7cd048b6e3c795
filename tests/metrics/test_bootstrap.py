"""Intervals: deterministic, ordered, fast, and about as wide as they say."""

import json
import time
import tracemalloc

import numpy as np
import pytest

import sibu.metrics
from sibu.metrics import bootstrap as module
from sibu.metrics.bootstrap import bootstrap, values
from sibu.metrics.classes import SingleLabel
from sibu.metrics.correlation import Numbers
from sibu.metrics.spans import SpanMatch


class Mean:
    """The mean of given numbers; asked for how often, and for which rows."""

    def __init__(self, numbers):
        self.numbers = np.asarray(numbers, dtype=float)
        self.n = len(self.numbers)
        self.calls = 0

    def __call__(self, rows):
        self.calls += 1
        assert rows.shape == (self.n,)
        return {"mean": float(self.numbers[rows].mean())}


def test_interval_of_a_mean_is_the_normal_one():
    numbers = np.random.default_rng(0).normal(size=2000)
    score = bootstrap(Mean(numbers))["mean"]
    half = 1.96 * numbers.std() / np.sqrt(2000)
    assert score.value == pytest.approx(numbers.mean())
    assert score.low == pytest.approx(score.value - half, abs=0.2 * half)
    assert score.high == pytest.approx(score.value + half, abs=0.2 * half)
    assert score.n == 2000


def test_ninety_five_percent_of_intervals_hold_the_truth():
    random = np.random.default_rng(5)
    held = 0
    for _ in range(200):
        score = bootstrap(Mean(random.random(150) < 0.8), resamples=300)["mean"]
        held += score.low <= 0.8 <= score.high
    assert 0.90 <= held / 200 <= 0.99


def test_level_sets_the_width():
    mean = Mean(np.random.default_rng(0).normal(size=300))
    narrow, wide = bootstrap(mean, level=0.5)["mean"], bootstrap(mean, level=0.99)["mean"]
    assert wide.low < narrow.low < narrow.high < wide.high


def test_same_seed_same_interval_other_seed_another():
    mean = Mean(np.random.default_rng(0).normal(size=100))
    assert bootstrap(mean) == bootstrap(mean)
    assert bootstrap(mean) != bootstrap(mean, seed=14)


@pytest.mark.parametrize("resamples", [1, 2, 5])
def test_low_value_high_are_in_order_however_few_the_resamples(resamples):
    for seed in range(20):
        score = bootstrap(Mean(np.random.default_rng(seed).normal(size=5)), resamples=resamples, seed=seed)["mean"]
        assert score.low <= score.value <= score.high


def test_undefined_resamples_are_left_out():
    # two rows: every second resample draws one row twice, where a correlation is undefined
    score = bootstrap(Numbers([0.0, 1.0], [0.0, 2.0]))["pearson"]
    assert (score.value, score.low, score.high) == pytest.approx((1, 1, 1))


def test_what_is_undefined_everywhere_is_zero_and_json():
    scores = bootstrap(Numbers([1.0, 2.0, 3.0], [5.0, 5.0, 5.0]))
    assert scores["pearson"].as_json() == {"value": 0.0, "low": 0.0, "high": 0.0, "n": 3}
    assert scores["spearman"].value == 0.0
    assert scores["mse"].value > 0
    nothing = bootstrap(SpanMatch([[], []], [[], []]))
    json.dumps({name: score.as_json() for name, score in nothing.items()}, allow_nan=False)
    assert nothing["f1"].value == 0.0
    assert values(SpanMatch([[]], [[]]))["macro_f1"] == 0.0


def test_no_examples_is_an_error():
    with pytest.raises(ValueError, match="no examples"):
        bootstrap(SingleLabel([], [], 2))


@pytest.mark.parametrize("wrong", [{"resamples": 0}, {"level": 0.0}, {"level": 1.0}])
def test_arguments_out_of_range(wrong):
    with pytest.raises(ValueError, match="resamples >= 1 and 0 < level < 1"):
        bootstrap(Mean([1.0]), **wrong)


def test_infinite_metric_is_an_error():
    with pytest.raises(ValueError, match="infinite: mean"):
        bootstrap(Mean([np.inf]))


def test_many_examples_get_fewer_resamples(monkeypatch):
    monkeypatch.setattr(module, "MOST_DRAWS", 3000)
    monkeypatch.setattr(module, "FEWEST_RESAMPLES", 20)
    for n, resamples, expected in [(10, 250, 250), (10, 1000, 300), (100, 1000, 30), (1000, 1000, 20), (1000, 5, 5)]:
        mean = Mean(np.arange(n))
        bootstrap(mean, resamples=resamples)
        assert mean.calls == expected + 1


def test_ten_thousand_examples_of_77_classes_take_under_two_seconds():
    random = np.random.default_rng(0)
    gold = random.integers(0, 77, 10_000)
    predicted = np.where(random.random(10_000) < 0.9, gold, random.integers(0, 77, 10_000))
    begin = time.process_time()
    scores = bootstrap(SingleLabel(gold, predicted, 77))
    assert time.process_time() - begin < 2
    assert scores["accuracy"].low < scores["accuracy"].value < scores["accuracy"].high


def test_a_million_examples_take_the_memory_of_one_resample():
    gold = np.random.default_rng(0).integers(0, 77, 1_000_000)
    measure = SingleLabel(gold, np.roll(gold, 1), 77)
    tracemalloc.start()
    bootstrap(measure, resamples=3)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100e6


def test_only_errors_are_better_low():
    assert {"mse", "mae", "perplexity", "repetition", "uniformity"} == sibu.metrics.LOWER_IS_BETTER
