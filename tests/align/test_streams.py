"""Streams at one rate and in windows: what falls where, and what is refused."""

import numpy as np
import pytest

from sibu.align import rate_converted, windows
from sibu.core.errors import DataError


def test_the_own_rate_changes_nothing():
    times = 5 + np.arange(50) / 10
    values = np.random.default_rng(0).normal(size=(50, 3))
    made, grid = rate_converted(values, times, 10)
    assert grid == pytest.approx(times)
    assert made == pytest.approx(values)


def test_a_higher_rate_is_interpolated():
    made, grid = rate_converted([0, 2, 4], [1.0, 2.0, 4.0], 2)
    assert grid.tolist() == [1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0]
    assert made.tolist() == [0.0, 1.0, 2.0, 2.5, 3.0, 3.5, 4.0]


def test_a_lower_rate_evens_out_what_it_cannot_show():
    times = np.arange(10_001) / 1000
    slow = np.sin(2 * np.pi * 0.5 * times)
    made, grid = rate_converted(slow + np.sin(2 * np.pi * 100 * times), times, 10)
    assert np.abs(made - np.sin(2 * np.pi * 0.5 * grid))[1:-1].max() < 0.02


def test_cell_means_are_the_mean_of_a_fine_line():
    draw = np.random.default_rng(2)
    times = np.cumsum(draw.uniform(0.01, 0.05, 400))
    values = draw.normal(size=400)
    made, grid = rate_converted(values, times, 4)
    for at in range(1, len(grid) - 2):
        fine = np.linspace(grid[at] - 0.125, grid[at] + 0.125, 20_001)
        assert made[at] == pytest.approx(np.interp(fine, times, values).mean(), abs=1e-3)


def test_missing_readings_are_left_out_by_channel():
    values = np.array([[0, 0], [np.nan, 1], [2, np.nan], [3, 3]], float)
    made, _ = rate_converted(values, [0.0, 1.0, 2.0, 3.0], 1)
    assert made.tolist() == [[0, 0], [1, 1], [2, 2], [3, 3]]
    with pytest.raises(DataError, match="Channel 1 has no reading"):
        rate_converted([[0, np.nan], [1, np.nan]], [0.0, 1.0], 1)


def test_a_gap_stays_one():
    made, _ = rate_converted([0, 1, 5, 6], [0.0, 1.0, 5.0, 6.0], 1, gap=2)
    assert np.isnan(made).tolist() == [False, False, True, True, True, False, False]
    assert made[[0, 1, 5, 6]].tolist() == [0, 1, 5, 6]


def test_one_reading_and_readings_at_one_moment():
    made, grid = rate_converted([7], [3.0], 10, gap=1)
    assert (made.tolist(), grid.tolist()) == ([7.0], [3.0])
    made, _ = rate_converted([0, 0, 4, 4], [0.0, 1.0, 1.0, 2.0], 0.5)
    assert np.isfinite(made).all()


def test_windows_hold_what_falls_into_them():
    fast = (np.arange(100), np.arange(100) / 10)
    slow = (np.arange(20, dtype=float).reshape(10, 2), np.arange(10) + 0.5)
    found = list(windows({"fast": fast, "slow": slow}, 2.0, 1.0))
    # from 0.5, where the later begins, while two seconds fit before 9.5 and a step of the faster
    assert [each.start for each in found] == [0.5 + n for n in range(8)]
    for each in found:
        times = each.parts["fast"][1]
        assert len(times) == 20 and each.start <= times[0] and times[-1] < each.end
        assert each.parts["slow"][0].shape == (2, 2)
        assert each.empty == ()


def test_a_stream_of_whole_windows_is_cut_into_all_of_them():
    times = np.arange(30) / 10
    found = list(windows({"a": (times, times)}, 0.3))
    assert [len(each.parts["a"][1]) for each in found] == [3] * 10
    assert np.concatenate([each.parts["a"][0] for each in found]).tolist() == times.tolist()


def test_empty_parts_are_marked():
    often, seldom = np.arange(10) + 0.0, np.array([0.0, 7.5])
    found = list(windows({"often": (often, often), "seldom": (seldom, seldom)}, 2.0, over="all"))
    assert [each.empty for each in found] == [(), ("seldom",), ("seldom",), (), ("seldom",)]
    assert found[1].parts["seldom"][0].shape == (0,)


def test_all_covers_every_reading():
    early, late = np.arange(5) + 0.0, np.arange(5) + 20.25
    found = list(windows({"early": (early, early), "late": (late, late)}, 3.0, over="all"))
    assert sum(len(each.parts["late"][1]) for each in found) == 5
    assert sum(len(each.parts["early"][1]) for each in found) == 5


def test_streams_that_do_not_overlap_are_told():
    early, late = np.arange(5) + 0.0, np.arange(5) + 20.0
    with pytest.raises(DataError, match=r"do not overlap: 'mic' ends at 4 s, and 'cam' begins at 20 s"):
        windows({"mic": (early, early), "cam": (late, late)}, 1.0)
    with pytest.raises(DataError, match=r"share 2 s, from 3 s on, which is less than one window of 5 s"):
        windows({"mic": (early, early), "cam": (early, early + 3)}, 5.0)


@pytest.mark.parametrize(
    ("streams", "seconds", "message"),
    [
        ({}, 1.0, "There is no stream"),
        ({"a": ([1, 2], [0.0, 1.0])}, 0.0, "must be above 0 seconds, given 0.0"),
        ({"声音": ([1, 2], [1.0, 0.5])}, 1.0, "stream '声音': its clock runs backwards: reading 1 is at 0.5 s"),
        ({"a": ([1, 2], [0.0])}, 1.0, r"needs one time for each reading, given values \(2,\), times \(1,\)"),
        ({"a": ([], [])}, 1.0, "stream 'a': has no readings"),
        ({"a": ([1, 2], [0.0, np.nan])}, 1.0, "time of reading 1 is nan"),
    ],
)
def test_what_cannot_be_cut_is_told_at_once(streams, seconds, message):
    with pytest.raises(DataError, match=message):
        windows(streams, seconds)


def test_a_rate_that_is_none():
    with pytest.raises(DataError, match="finite number above 0, given 0"):
        rate_converted([1, 2], [0.0, 1.0], 0)
