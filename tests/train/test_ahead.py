"""Work is done ahead in its order, no further than told, and ends with who takes it."""

import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sibu.train.ahead import ahead


def makers() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "sibu-ahead"]


@given(st.lists(st.integers(), max_size=30), st.integers(1, 5))
def test_order_is_kept(items: list[int], count: int) -> None:
    assert list(ahead(iter(items), count)) == items
    assert not makers()


def test_it_runs_no_further_ahead_than_told() -> None:
    made: list[int] = []

    def work() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    source = ahead(work(), 2)
    assert next(source) == 0
    time.sleep(0.3)
    assert len(made) <= 5  # one taken, two on the shelf, one in hand, one begun
    source.close()  # type: ignore[attr-defined]
    assert not makers()
    assert len(made) <= 6


def test_a_fault_comes_in_its_place() -> None:
    def work() -> Iterator[int]:
        yield 1
        raise ValueError("the second is broken")

    source = ahead(work())
    assert next(source) == 1
    with pytest.raises(ValueError, match="the second is broken"):
        next(source)
    assert not makers()


def test_the_next_is_made_while_one_is_used() -> None:
    begun = threading.Event()

    def work() -> Iterator[int]:
        yield 0
        begun.set()
        yield 1

    source = ahead(work())
    assert next(source) == 0
    assert begun.wait(30)  # before it is asked for
    assert list(source) == [1]
