"""Results come in order, faults in their place, and no more is read ahead than was said."""

import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sibu.core.errors import DataError
from sibu.media.decoding import decoded


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 20), max_size=30), st.integers(0, 3), st.integers(1, 6))
def test_results_come_in_order_with_faults_in_their_place(values, workers, ahead):
    def decode(value):
        time.sleep(value / 20000)
        if value % 5 == 0:
            raise DataError(f"no {value}")
        return value * 2

    found = list(decoded(values, decode, workers=workers, ahead=ahead))
    assert [str(each) if isinstance(each, DataError) else each for each in found] == [
        f"no {value}" if value % 5 == 0 else value * 2 for value in values
    ]


@pytest.mark.parametrize("workers", [0, 2])
def test_what_is_our_own_bug_is_raised_in_its_place(workers):
    def decode(value):
        return 10 // value

    results = decoded([5, 2, 0, 1], decode, workers=workers)
    assert [next(results), next(results)] == [2, 5]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_memory_is_bounded_by_what_is_read_ahead():
    alive, most, taken = set(), [], []
    lock = threading.Lock()

    def values():
        for number in range(200):
            taken.append(number)
            yield number

    def decode(value):
        with lock:
            alive.add(value)
            most.append(len(alive))
        return value

    for place, result in enumerate(decoded(values(), decode, workers=3, ahead=5)):
        assert result == place
        assert len(taken) <= place + 5
        with lock:
            alive.discard(result)
    assert max(most) <= 6  # five, and the one that the reader holds


def test_it_runs_at_once_in_several_threads():
    meeting = threading.Barrier(3, timeout=10)
    assert list(decoded(range(3), lambda value: meeting.wait() >= 0 and value, workers=3)) == [0, 1, 2]


def test_stopping_early_ends_the_workers():
    begun = []
    results = decoded(range(1000), begun.append, workers=2, ahead=4)
    next(results)
    results.close()
    assert len(begun) <= 5
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("sibu-decode")]


def test_limits():
    with pytest.raises(ValueError, match="at least one value is read ahead, given 2 and 0"):
        next(decoded([1], str, workers=2, ahead=0))
    assert list(decoded([], str)) == []
