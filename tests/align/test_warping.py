"""Warping equals the plain dynamic programme, cell by cell, with and without a band."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sibu.align import warp
from sibu.core.errors import DataError


def plainly(a, b, band):
    """Cost of the cheapest way by two loops."""
    n, m = len(a) - 1, len(b) - 1
    cost = np.full((n + 1, m + 1), np.inf)
    for i in range(n + 1):
        for j in range(m + 1):
            if band is not None and abs(i * m - j * n) > band * max(n, m):
                continue
            before = min(
                cost[i - 1, j - 1] if i and j else np.inf,
                cost[i - 1, j] if i else np.inf,
                cost[i, j - 1] if j else np.inf,
            )
            cost[i, j] = np.linalg.norm(a[i] - b[j]) + (0 if i == j == 0 else before)
    return cost[n, m]


@settings(deadline=None, max_examples=80)
@given(st.integers(1, 14), st.integers(1, 14), st.sampled_from([None, 1, 2, 5]), st.integers(1, 2), st.integers(0, 99))
def test_equals_the_plain_programme(n, m, band, channels, seed):
    draw = np.random.default_rng(seed)
    a, b = draw.integers(-3, 4, (n, channels)), draw.integers(-3, 4, (m, channels))
    found = warp(a, b, band=band)
    assert found.cost == pytest.approx(plainly(a, b, band))
    # the way itself: from corner to corner by allowed steps, within the band, and at the cost that is told
    assert found.path[0].tolist() == [0, 0]
    assert found.path[-1].tolist() == [n - 1, m - 1]
    assert {tuple(step) for step in np.diff(found.path, axis=0).tolist()} <= {(1, 1), (1, 0), (0, 1)}
    first, second = found.path.T
    assert np.linalg.norm(a[first] - b[second], axis=1).sum() == pytest.approx(found.cost)
    if band is not None:
        off = np.abs(first * (m - 1) - second * (n - 1))
        assert (off <= band * max(n - 1, m - 1)).all()


def test_a_stream_that_was_slowed_down_lies_on_itself():
    times = np.linspace(0, 1, 200)
    a, b = np.sin(9 * times), np.sin(9 * times**1.5)
    found = warp(a, b, band=40)
    assert found.cost < 0.1 * np.abs(a - b).sum()
    assert np.abs(times[found.places().round().astype(int)] ** 1.5 - times).max() < 0.03
    assert (np.diff(found.places()) >= 0).all()


def test_the_same_stream_costs_nothing():
    a = np.random.default_rng(0).normal(size=(30, 4))
    found = warp(a, a)
    assert found.cost == 0
    assert found.places().tolist() == list(range(30))


def test_long_streams_take_memory_by_the_band():
    import tracemalloc

    a = np.random.default_rng(0).normal(size=1200).cumsum()
    tracemalloc.start()
    warp(a, a[::2], band=20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 400_000  # all cells would take 720,000


@pytest.mark.parametrize(
    ("a", "b", "band", "message"),
    [
        ([], [1.0], None, r"first stream must be \(N,\) or \(N, C\) with at least one reading, given \(0,\)"),
        ([1.0], [[1.0, 2.0]], None, "same channels, given 1 and 2"),
        ([1.0], [np.nan], None, "second stream holds a number that is not finite"),
        ([1.0], [1.0], 0, "at least 1 place, given 0"),
    ],
)
def test_what_cannot_be_warped(a, b, band, message):
    with pytest.raises(DataError, match=message):
        warp(a, b, band=band)
