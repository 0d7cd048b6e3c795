"""The best new triples against all pairs, sorted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sibu.curation import hypotheses
from sibu.curation.hypotheses import search
from sibu.metrics.ranking import Answers

ENTITIES = 8


@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 1), st.integers(0, 7)), min_size=1, max_size=25),
    st.integers(0, 99),
    st.integers(1, 9),
    st.booleans(),
    st.integers(1, 40),
    st.sampled_from([-np.inf, 2.0]),
)
def test_as_all_pairs_sorted(rows, seed, count, typed, cells, least) -> None:
    table = np.random.default_rng(seed).integers(0, 5, (ENTITIES, ENTITIES)).astype(float)  # many are equal
    known = set(rows)
    subjects = {s for s, r, _ in known if r == 0} if typed else set(range(ENTITIES))
    objects = {o for _, r, o in known if r == 0} if typed else set(range(ENTITIES))
    loops = not typed or any(s == o for s, r, o in known if r == 0)
    new = [
        (-table[s, o], s, o)
        for s in subjects
        for o in objects
        if (s, 0, o) not in known and table[s, o] >= least and (loops or s != o)
    ]
    wanted = [((s, 0, o), -score) for score, s, o in sorted(new)[:count]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hypotheses, "CELLS", cells)
        found = search(
            lambda s, r, o: table[np.ix_(s, o)], Answers(np.array(rows)), 0, entities=ENTITIES, count=count,
            least=least, typed=typed,
        )  # fmt: skip
    assert list(zip(map(tuple, found.triples.tolist()), found.scores.tolist(), strict=True)) == wanted


def test_a_relation_that_nothing_is_known_of_has_no_places() -> None:
    found = search(lambda s, r, o: np.ones((len(s), len(o))), Answers(np.array([(0, 0, 1)])), 1, entities=3, count=5)
    assert len(found.scores) == 0
