"""Which rows each picker takes, against its formula."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sibu.core.protocols import Picker, Pool
from sibu.pickers import PICKERS
from sibu.pickers._spread import farthest
from sibu.pickers.bald.disagreement import disagreement


def picker(name: str, **options: object) -> Picker:
    spec = PICKERS[name].spec(**options)
    found: Picker = PICKERS.of(spec).build(spec)
    return found


def pool(rows: int = 40, seed: int = 0) -> Pool:
    draw = np.random.default_rng(seed)
    chances = [draw.dirichlet(np.ones(4), 1) for _ in range(rows)]
    draws = [draw.dirichlet(np.ones(4), (6, 1)) for _ in range(rows)]
    vectors = draw.normal(size=(rows, 5))
    return Pool(rows, chances, draws, vectors, draw.normal(size=(3, 5)))


def choose(name: str, own: Pool, count: int = 8) -> list[int]:
    return picker(name).choose(own, count, np.random.default_rng(1))


@pytest.mark.parametrize("name", list(PICKERS))
@pytest.mark.parametrize("count", [1, 8, 40])
def test_as_many_as_asked_for_each_once(name: str, count: int) -> None:
    found = choose(name, pool(), count)
    assert len(found) == count == len(set(found))
    assert set(found) <= set(range(40))
    assert found == choose(name, pool(), count)


FORMULAS = {
    "uncertainty": lambda p: 1 - max(p),
    "margin": lambda p: -(sorted(p)[-1] - sorted(p)[-2]),
    "entropy": lambda p: -sum(each * math.log(each) for each in p),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_the_most_in_doubt(name: str) -> None:
    own = pool()
    doubts = [FORMULAS[name](chances[0].tolist()) for chances in own.chances]
    assert choose(name, own) == sorted(range(40), key=lambda place: -doubts[place])[:8]


def test_of_many_words_the_mean_counts() -> None:
    sure, unsure = np.array([0.98, 0.01, 0.01]), np.array([0.4, 0.35, 0.25])
    own = Pool(3, [np.stack([sure, sure]), np.stack([sure, unsure]), np.stack([unsure, unsure])])
    for name in FORMULAS:
        assert choose(name, own, 3) == [2, 1, 0]
    assert choose("margin", Pool(2, [np.zeros((0, 3)), sure[None]]), 2) == [1, 0]  # a text without a word


def test_disagreement_is_mutual_information() -> None:
    """Between the answer and which variant gives it: of variants that agree none, of sure ones that differ log 2."""
    agree, differ = np.tile([[0.5, 0.5]], (4, 1)), np.array([[1.0, 0.0], [0.0, 1.0]] * 2)
    found = disagreement([agree[:, None], differ[:, None]])
    assert found == pytest.approx([0, math.log(2)], abs=1e-9)
    draw = np.random.default_rng(3)
    draws = draw.dirichlet(np.ones(3), 7)
    mean = draws.mean(0)
    by_hand = np.mean([sum(p * math.log(p / m) for p, m in zip(one, mean, strict=True)) for one in draws])
    assert disagreement([draws[:, None]]) == pytest.approx([by_hand], rel=1e-9)


def test_hard_rows_are_not_those_the_variants_differ_on() -> None:
    hard, open_ = np.tile([[0.5, 0.5]], (4, 1))[:, None], np.array([[0.9, 0.1], [0.1, 0.9]] * 2)[:, None]
    own = Pool(2, [hard.mean(0), open_.mean(0)], [hard, open_])
    assert choose("bald", own, 1) == [1]


@given(st.integers(1, 30), st.integers(0, 4), st.integers(1, 30), st.integers(0, 99))
def test_each_is_the_farthest_from_all_before(rows: int, labelled: int, count: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    vectors, known = draw.normal(size=(rows, 3)), draw.normal(size=(labelled, 3))
    found = farthest(vectors, known, count, np.random.default_rng(seed))
    assert len(found) == len(set(found)) == min(count, rows)
    there = list(known)
    for place in found:
        if there:
            near = [min(((one - other) ** 2).sum() for other in there) for one in vectors]
            assert near[place] == pytest.approx(max(near), abs=1e-9)
        there.append(vectors[place])


def test_many_known_rows_take_little_memory() -> None:
    """Distances alone are kept, a part of the known rows at a time."""
    import tracemalloc

    draw = np.random.default_rng(0)
    vectors, known = draw.normal(size=(2000, 64)), draw.normal(size=(1000, 64))
    tracemalloc.start()
    farthest(vectors, known, 3, draw)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * 2000 * 256 * 2  # bytes of a part's distances, twice; their differences were 64 times as many


def test_combined_takes_the_spread_of_the_doubtful() -> None:
    sure, unsure = np.array([[0.98, 0.01, 0.01]]), np.array([[0.36, 0.34, 0.3]])
    vectors = np.array([[0.0, 0.0], [0.1, 0.0], [5.0, 0.0], [99.0, 99.0]])
    own = Pool(4, [unsure, unsure, unsure, sure], (), vectors, np.zeros((0, 2)))
    found = picker("combined", wider=2).choose(own, 1, np.random.default_rng(0))
    assert found[0] != 3
    both = picker("combined", wider=2).choose(own, 2, np.random.default_rng(0))
    assert 3 in both  # four times as many as there are in doubt: the sure one comes in, and lies far


def test_what_each_asks_for() -> None:
    needs = {name: picker(name).needs for name in PICKERS}
    assert needs["random"] == ()
    assert needs["bald"] == ("draws",)
    assert picker("bald", passes=3).passes == 3
    assert needs["core_set"] == ("vectors",)
