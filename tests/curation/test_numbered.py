"""A graph as numbers: names, faults, what is held out, what stands in a fact's place."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sibu.core.errors import DataError
from sibu.core.logic import Entity, Triple, Value
from sibu.curation.numbered import Numbered, hold_out, others_of

BASE = "https://example.org/"


def triple(subject: str, relation: str, object_: str) -> Triple:
    return Triple(Entity(BASE + subject), Entity(BASE + relation), Entity(BASE + object_))


def test_triples_become_numbers_in_the_order_of_their_names() -> None:
    named = Triple(Entity(BASE + "安娜"), Entity(BASE + "名"), Value.of("Anna"))
    graph = Numbered.of([triple("安娜", "服用", "布洛芬"), named, triple("布洛芬", "treats", "🤒"),
                         triple("安娜", "服用", "布洛芬")])  # fmt: skip
    assert graph.entities == (BASE + "安娜", BASE + "布洛芬", BASE + "🤒")
    assert graph.relations == (BASE + "服用", BASE + "treats")
    assert graph.triples.tolist() == [[0, 0, 1], [1, 1, 2]]
    assert graph.left_out == 1
    asked = [triple("布洛芬", "treats", "🤒"), triple("🤒", "服用", "安娜")]
    assert graph.numbers_of(asked).tolist() == [[1, 1, 2], [2, 0, 0]]
    assert graph.entity(BASE + "🤒") == graph.entity(Entity(BASE + "🤒")) == 2


def test_numbers_are_their_own_names() -> None:
    graph = Numbered.of(np.array([[3, 1, 0], [0, 0, 2]]))
    assert graph.entities == ("0", "1", "2", "3")
    assert graph.relations == ("0", "1")
    assert graph.triples.tolist() == [[0, 0, 2], [3, 1, 0]]
    assert Numbered.of([]).triples.shape == Numbered.of(np.zeros((0, 3))).triples.shape == (0, 3)


FORM = r"whole numbers of shape \(N, 3\): subject, relation, object. Given: "


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        (np.zeros((2, 3)), FORM + r"float64 of shape \(2, 3\)"),
        (np.zeros((2, 4), int), FORM + r"int64 of shape \(2, 4\)"),
        (np.array([["a", "b", "c"]]), FORM + r"<U1 of shape \(1, 3\)"),
        (np.array([[0, 0, 1], [0, -1, 1]]), "no relation of number -1; the graph's numbers: 0"),
        ([triple("a", "r", "b"), (1, 2, 3)], FORM + "a list of Triple and tuple"),
    ],
)
def test_other_forms_are_told(given_: object, said: str) -> None:
    with pytest.raises(DataError, match=said):
        Numbered.of(given_)  # type: ignore[arg-type]


def test_unknown_names_and_numbers_are_told() -> None:
    graph = Numbered.of([triple("aspirin", "treats", "pain")])
    with pytest.raises(DataError, match=r"no entity 'https://example.org/asprin'. Did you mean '.*/aspirin'\?"):
        graph.numbers_of([triple("asprin", "treats", "pain")])
    with pytest.raises(DataError, match="know no relation"):
        graph.relation("cures")
    with pytest.raises(DataError, match=r"no object of number 2; the graph's numbers: 0 to 1"):
        graph.numbers_of(np.array([[0, 0, 2]]))
    with pytest.raises(DataError, match="'5' is a value, and links are between entities alone"):
        graph.numbers_of([Triple(Entity(BASE + "pain"), Entity(BASE + "treats"), Value.of(5))])
    with pytest.raises(DataError, match="Two have the entity name 'a'"):
        Numbered(("a", "b", "a"), ("r",), np.array([[0, 0, 1]]))


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2), st.integers(0, 5)), min_size=1, max_size=30),
    st.floats(0, 0.9),
    st.integers(0, 5),
)
def test_what_is_held_out_leaves_every_name_a_triple(rows, share, seed) -> None:
    triples = np.unique(np.array(rows), axis=0)
    left, out = hold_out(triples, share, 8, seed)
    assert sorted(left.tolist() + out.tolist()) == triples.tolist()
    assert len(out) <= min(round(len(triples) * share), 8)
    assert set(left[:, [0, 2]].ravel()) == set(triples[:, [0, 2]].ravel())
    assert set(left[:, 1]) == set(triples[:, 1])
    again = hold_out(triples, share, 8, seed)
    assert again[1].tolist() == out.tolist()


def test_the_share_is_held_out_where_it_can_be_spared() -> None:
    full = np.array([(s, 0, o) for s in range(10) for o in range(10)])
    left, out = hold_out(full, 0.2, 1000, 3)
    assert (len(left), len(out)) == (80, 20)


def test_one_end_of_a_fact_is_replaced_by_another_of_its_place() -> None:
    graph = Numbered.of(np.array([(s, 0, o) for s in range(4) for o in range(10, 15) if s != o - 10]
                                 + [(20, 1, 21)]))  # fmt: skip
    facts = graph.numbers_of(graph.triples)
    others = others_of(graph, facts, np.random.default_rng(0))
    known = set(map(tuple, graph.triples.tolist()))
    assert not known & set(map(tuple, others.tolist()))
    assert (others[:, 1] == 0).all()  # of relation 1 nothing else has its places
    assert set(others[:, 0]) <= set(range(4))
    assert set(others[:, 2]) <= set(range(10, 15))
