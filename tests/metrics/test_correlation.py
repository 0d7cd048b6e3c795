"""Correlations equal scipy's, on all rows and on resamples."""

import time
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import mean_absolute_error, mean_squared_error

from sibu.metrics.bootstrap import bootstrap
from sibu.metrics.correlation import Numbers

# halves, so that ties are common
SMALL = st.integers(-6, 6).map(lambda number: number / 2)
PAIRS = st.lists(st.tuples(SMALL, SMALL), min_size=2, max_size=30)


def check(measure, rows, gold, predicted):
    found = measure(rows)
    assert found["mse"] == pytest.approx(mean_squared_error(gold, predicted))
    assert found["mae"] == pytest.approx(mean_absolute_error(gold, predicted))
    if np.ptp(gold) == 0 or np.ptp(predicted) == 0:
        assert np.isnan(found["pearson"])
        assert np.isnan(found["spearman"])
    else:
        assert found["pearson"] == pytest.approx(pearsonr(gold, predicted).statistic, abs=1e-9)
        assert found["spearman"] == pytest.approx(spearmanr(gold, predicted).statistic, abs=1e-9)


@settings(deadline=None, max_examples=150)
@given(PAIRS, st.data())
def test_equals_scipy(pairs, data):
    gold, predicted = np.array(pairs).T
    measure = Numbers(gold, predicted)
    check(measure, np.arange(len(gold)), gold, predicted)
    rows = np.array(data.draw(st.lists(st.integers(0, len(gold) - 1), min_size=2, max_size=30)))
    check(measure, rows, gold[rows], predicted[rows])


@pytest.mark.parametrize("scale", [1e-160, 1e-9, 1.0, 1e130])
def test_scale_does_not_matter(scale):
    random = np.random.default_rng(0)
    gold = random.normal(size=200)
    predicted = gold + random.normal(size=200)
    expected = pearsonr(gold, predicted).statistic
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = Numbers(gold * scale, predicted)(np.arange(200))
    assert found["pearson"] == pytest.approx(expected)


def test_a_constant_that_no_double_holds_is_still_constant():
    # the mean of ten times 0.1 is not 0.1
    found = Numbers([0.1] * 10, np.arange(10))(np.arange(10))
    assert np.isnan(found["pearson"])
    found = Numbers([0.1] * 10 + [0.2], np.arange(11))(np.arange(10).repeat(2)[:11])
    assert np.isnan(found["pearson"])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e200])
def test_numbers_must_be_finite(bad):
    with pytest.raises(ValueError, match="gold must hold finite numbers"):
        Numbers([1.0, bad], [1.0, 2.0])
    with pytest.raises(ValueError, match="predicted must hold finite numbers"):
        Numbers([1.0, 2.0], [1.0, bad])


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r"must both be \(n,\)"):
        Numbers([1.0, 2.0], [1.0])


def test_ten_thousand_rows_take_under_ten_seconds():
    random = np.random.default_rng(0)
    gold = random.normal(size=10_000)
    begin = time.process_time()
    scores = bootstrap(Numbers(gold, gold + random.normal(size=10_000)))
    assert time.process_time() - begin < 10
    assert scores["spearman"].low < scores["spearman"].value < scores["spearman"].high
