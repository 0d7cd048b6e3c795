"""Batches that hold several records of each kind that they hold."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sibu.train.batches import TOGETHER, Budget, plan_pairs
from sibu.train.spec import WHOLE

RECORDS = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 5)), min_size=1, max_size=160)


@given(RECORDS, st.integers(20, 1600), st.integers(0, 3))
def test_every_record_once_within_the_budget(records: list[tuple[int, int]], tokens: int, seed: int) -> None:
    lengths, kinds = (np.array(column) for column in zip(*records, strict=True))
    batches = plan_pairs(lengths, kinds, Budget(tokens), seed=seed, epoch=0)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(records)))
    for batch in batches:
        padded = len(batch) * int(lengths[batch].max())
        whole = int(lengths[batch].sum()) if len(batch) <= WHOLE else padded
        runs = len(np.unique(kinds[batch]))
        assert whole <= tokens or (runs == 1 and len(batch) <= TOGETHER)


@given(RECORDS, st.integers(0, 3))
def test_who_has_kin_meets_some(records: list[tuple[int, int]], seed: int) -> None:
    lengths, kinds = (np.array(column) for column in zip(*records, strict=True))
    counts = np.bincount(kinds)
    for batch in plan_pairs(lengths, kinds, Budget(64), seed=seed, epoch=1):
        for kind, here in zip(*np.unique(kinds[batch], return_counts=True), strict=True):
            assert here >= min(counts[kind], 2)


def test_one_long_text_does_not_cut_few_rows_in_two() -> None:
    lengths = np.array([200] + [40] * 31)
    batches = plan_pairs(lengths, np.arange(32) % 4, Budget(4096), seed=1, epoch=0)
    assert [len(batch) for batch in batches] == [32]


def test_the_padding_of_many_rows_counts() -> None:
    lengths = np.array([200] + [10] * 199)
    batches = plan_pairs(lengths, np.arange(200) % 4, Budget(4096), seed=1, epoch=0)
    assert max(len(batch) for batch in batches) > WHOLE  # those without the long one
    assert all(len(batch) <= WHOLE for batch in batches if 0 in batch)


def test_by_seed_and_epoch() -> None:
    lengths, kinds = np.full(40, 5), np.arange(40) % 4
    first, same, next_, other = (
        [batch.tolist() for batch in plan_pairs(lengths, kinds, Budget(60), seed=seed, epoch=epoch)]
        for seed, epoch in ((1, 0), (1, 0), (1, 1), (2, 0))
    )
    assert first == same
    assert first != next_
    assert first != other


def test_a_hundred_thousand_records_take_no_square() -> None:
    kinds = np.arange(100_000) % 7
    batches = plan_pairs(np.full(100_000, 10), kinds, Budget(1000), seed=1, epoch=0)
    assert sum(map(len, batches)) == 100_000
