"""A correlation held against chance."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from sibu.align.chance import AT_CHANCE, Held, against_chance


def test_the_correlation_is_that_of_ranks() -> None:
    draw = np.random.default_rng(0)
    one, two = draw.normal(size=300).round(1), draw.normal(size=300).round(1)  # with equal values
    two += one
    assert against_chance(one, two, lags=1, lines=1).correlation == pytest.approx(spearmanr(one, two)[0])
    assert against_chance(one, -two, lags=1, lines=1).correlation == pytest.approx(-spearmanr(one, two)[0])


@pytest.mark.parametrize("width", [1, 5, 15])
def test_one_in_twenty_unrelated_pairs_passes_at_one_place(width: int) -> None:
    draw = np.random.default_rng(width)
    box = np.ones(width)
    pairs = [[np.convolve(draw.normal(size=400), box, "valid") for _ in range(2)] for _ in range(400)]
    # one place is looked at once: lags of 0 leave a single look
    passed = sum(against_chance(*pair, lags=0, lines=1).quality >= AT_CHANCE for pair in pairs)
    assert 4 <= passed <= 36  # 20 are expected: four standard errors


def test_the_more_places_are_looked_at_the_more_chance_gives() -> None:
    draw = np.random.default_rng(3)
    one, two = draw.normal(size=(2, 200))
    levels = [against_chance(one, two, lags=lags, lines=1).by_chance for lags in (0, 10, 100, 1000)]
    assert levels == sorted(levels) and levels[0] < levels[-1] < 1


def test_of_too_little_nothing_is_told() -> None:
    steps = np.arange(11.0)
    assert against_chance(steps, steps, lags=1, lines=1) == Held(0.0, 1.0)
    assert against_chance(np.zeros(50), np.arange(50.0), lags=1, lines=1).quality == 0
    slow = np.arange(50.0)  # one long rise: as good as a single value
    held = against_chance(slow, slow, lags=1, lines=1)
    assert held.correlation == pytest.approx(1) and held.by_chance == 1 and held.quality == 0
