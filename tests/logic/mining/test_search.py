"""Mined rules are those that a plain search over tuples finds, with the same counts."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sibu.core.errors import DataError, RecipeError
from sibu.core.logic import TYPE, Atom, Entity, Term, Value, Variable
from sibu.logic.mining import counting, kinds
from sibu.logic.mining.search import Findings, Mined, mine
from tests.logic.mining import plainly

ALL: dict[str, Any] = {"support": 1, "head_coverage": 0.0, "confidence": 0.0}
X, Y, Z = (Variable(name) for name in "XYZ")


def name(text: str) -> Entity:
    return Entity(f"https://example.org/{text}")


def found(facts: list[plainly.Fact], **options: Any) -> Findings:
    graph, terms = plainly.columns(facts)
    return mine(graph, terms=terms, **options)


def by_rule(findings: Findings) -> dict[tuple[Atom, plainly.Body], Mined]:
    rules = {plainly.key(each.rule): each for each in findings}
    assert len(rules) == len(findings), "a rule stands twice"
    return rules


def written(findings: list[Mined]) -> list[tuple[Any, ...]]:
    return [(each.rule, each.support, each.head_coverage, each.confidence, each.pca_confidence) for each in findings]


things = st.sampled_from([name(letter) for letter in "abcde"])
ends = st.one_of(things, st.sampled_from([Value.of(3), Value.of("三")]))
facts_ = st.lists(st.tuples(things, st.sampled_from([name("p"), name("q")]), ends), max_size=12)
classes = st.lists(st.tuples(things, st.just(TYPE), st.sampled_from([name("C"), name("D")])), max_size=5)


@given(
    facts_,
    st.one_of(st.just([]), classes),
    st.fixed_dictionaries(
        {
            "support": st.sampled_from([1, 2, 3]),
            "head_coverage": st.sampled_from([0.0, 0.01, 0.4]),
            "confidence": st.sampled_from([0.0, 0.1, 0.5, 1.0]),
            "longest": st.sampled_from([2, 3, 3, 4]),
            "constants": st.booleans(),
        }
    ),
    st.sampled_from([1 << 21, 1, 7]),
)
@settings(max_examples=60)
def test_every_rule_of_the_language_with_its_counts(
    facts: list[plainly.Fact], types: list[plainly.Fact], options: dict[str, Any], most: int
) -> None:
    wanted = plainly.mined(frozenset(facts + types), **options)
    with pytest.MonkeyPatch.context() as patch:  # whatever fits into memory at a time
        patch.setattr(counting, "MOST", most)
        patch.setattr(kinds, "CELLS", most)
        rules = by_rule(found(facts + types, **options))
    assert set(rules) == set(wanted)
    for key, own in rules.items():
        counts = wanted[key]
        assert own.support == counts.support
        assert own.head_coverage == counts.support / counts.head
        assert own.confidence == counts.support / counts.body
        assert own.pca_confidence == counts.support / counts.known
        assert own.rule.confidence == min(own.pca_confidence, counts.known / (counts.known + 1)) < 1


def test_the_example_of_the_paper() -> None:
    """Galárraga et al. 2013, section 3: who was born elsewhere speaks against a rule, who is not known does not."""
    lives, born = name("livesIn"), name("wasBornIn")
    pairs = [("Adam", lives, "Paris"), ("Adam", lives, "Rome"), ("Bob", lives, "Zurich")]
    pairs += [("Adam", born, "Paris"), ("Carl", born, "Rome")]
    rules = by_rule(found([(name(one), each, name(other)) for one, each, other in pairs], **ALL, longest=2))
    own = rules[Atom(born, (X, Y)), frozenset({Atom(lives, (X, Y))})]
    assert (own.support, own.head_coverage, own.confidence, own.pca_confidence) == (1, 1 / 2, 1 / 3, 1 / 2)


def test_pca_looks_from_the_side_that_is_more_of_a_function() -> None:
    """``hasCitizen`` is a function of the citizen, not of the country: the rule is judged by citizens."""
    citizen, lives = name("公民"), name("居住")
    facts = [(name("中国"), citizen, name(who)) for who in ("甲", "乙", "丙")]
    facts += [(name(who), lives, name("中国")) for who in ("甲", "乙", "丁")]
    own = by_rule(found(facts, **ALL, longest=2))[Atom(citizen, (X, Y)), frozenset({Atom(lives, (Y, X))})]
    assert (own.support, own.confidence, own.pca_confidence) == (2, 2 / 3, 1.0)
    assert own.rule.confidence == 2 / 3, "two cases make no certainty"


def test_the_order_of_facts_does_not_matter() -> None:
    draw = random.Random(5)
    people = [name(f"n{number}") for number in range(12)]
    facts = [(draw.choice(people), name(draw.choice("pqr")), draw.choice(people)) for _ in range(60)]
    facts += [(each, TYPE, name(draw.choice("CD"))) for each in people]
    first = found(facts, **ALL, constants=True)
    for workers in (1, 3):
        draw.shuffle(facts)
        assert written(found(facts + facts[:9], **ALL, constants=True, workers=workers)) == written(first)
    order = [(-each.pca_confidence, -each.support, len(each.rule.body)) for each in first]
    assert order == sorted(order)
    assert [each.rule.id for each in first[:2]] == ["m1", "m2"]
    assert written(found(facts, **ALL, constants=True, most=7)) == written(first[:7])


def test_nothing_gives_nothing() -> None:
    nothing = np.zeros(0, np.int64)
    for graph in ({}, {name("p"): (nothing, nothing)}, {name("p"): ([], [])}):
        for longest in (2, 3, 4):
            findings = mine(graph, terms=[], **ALL, constants=True, longest=longest)
            assert findings == [] and not findings.stopped


def test_one_triple() -> None:
    assert found([(name("a"), name("p"), name("b"))], **ALL, longest=2) == []
    only = by_rule(found([(name("a"), name("p"), name("b"))], **ALL, longest=4))
    there_and_back = frozenset({Atom(name("p"), pair) for pair in ((X, Z), (Variable("W"), Z), (Variable("W"), Y))})
    assert there_and_back not in {body for _, body in only}, "p(X, Y) gives itself back"


def test_loops_count_as_any_pair() -> None:
    facts = [(name(each), name("p"), name(each)) for each in "abc"]
    rules = by_rule(found(facts, **ALL, longest=2))
    assert set(rules) == {(Atom(name("p"), (X, Y)), frozenset({Atom(name("p"), (Y, X))}))}
    assert rules.popitem()[1].pca_confidence == 1.0


def test_classes_are_units() -> None:
    facts: list[plainly.Fact] = [(name(f"医生{n}"), name("治疗"), name(f"病人{n}")) for n in range(4)]
    facts += [(name(f"医生{n}"), TYPE, name("医生")) for n in range(4)]
    facts += [(name(f"病人{n}"), TYPE, name("病人")) for n in range(4)]
    rules = by_rule(found(facts, **ALL, longest=3))
    doctor = Atom(TYPE, (X, name("医生")))
    body = frozenset({Atom(name("治疗"), (X, Z)), Atom(TYPE, (Z, name("病人")))})
    assert rules[doctor, body].pca_confidence == 1.0
    assert not [rule for rule in rules if TYPE in {atom.predicate for atom in rule[1]} and len(rule[1]) == 1]


def test_a_condition_is_told_where_it_makes_surer() -> None:
    facts: list[plainly.Fact] = []
    for number in range(20):
        one, other = name(f"a{number}"), name(f"b{number}")
        facts += [(one, name("knows"), other), (one, name("likes"), other if number < 10 else name("c"))]
        facts += [(one, name("from"), name("Rome" if number < 10 else "Oslo"))]
    rules = by_rule(found(facts, **{**ALL, "support": 5}, constants=True))
    head, body = Atom(name("likes"), (X, Y)), Atom(name("knows"), (X, Y))
    assert rules[head, frozenset({body})].pca_confidence == 0.5
    assert rules[head, frozenset({body, Atom(name("from"), (X, name("Rome")))})].pca_confidence == 1.0
    assert (head, frozenset({body, Atom(name("from"), (X, name("Oslo")))})) not in rules


def test_the_time_limit_ends_with_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(3)
    people = [name(f"n{number}") for number in range(9)]
    facts = [(draw.choice(people), name(draw.choice("pqr")), draw.choice(people)) for _ in range(60)]
    whole = by_rule(found(facts, **ALL, seconds=600))
    assert found(facts, **ALL, seconds=1e-9) == []
    now = iter(range(10**6))
    monkeypatch.setattr("time.monotonic", lambda: float(next(now)))
    findings = found(facts, **ALL, seconds=15)
    assert findings.stopped == "stopped after 15 seconds: 1 of 6 first steps of two were looked at"
    rules = by_rule(findings)
    assert 0 < len(rules) < len(whole)
    same = [(each.support, each.confidence) for each in (whole[key] for key in rules)]
    assert same == [(each.support, each.confidence) for each in findings]


def test_all_faults_of_the_options_at_once() -> None:
    with pytest.raises(RecipeError) as caught:
        mine({}, support=0, head_coverage=2, confidence=-1, longest=5, constants=True, most=0, seconds=0, workers=0)
    text = str(caught.value)
    assert "The recipe has 8 faults" in text
    assert "longest: given 5; allowed: 2, 3 or 4 atoms" in text and "constants: rules with constants need names" in text
    with pytest.raises(RecipeError, match="classes are mined by their names"):
        mine({TYPE: ([0], [1])})


@pytest.mark.parametrize(
    ("pair", "terms", "said"),
    [
        (([0, 1], [1]), None, "2 subjects, but 1 objects"),
        (([0.5], [1]), None, "a column of float64"),
        (([[0]], [[1]]), None, "the shape (1, 1)"),
        (([0], [-1]), None, "ids from -1 to 0"),
        (([0], [2]), [name("a"), name("b")], "ids from 0 to 2; there are terms for 0 to 1"),
    ],
)
def test_a_graph_that_is_none(pair: tuple[Any, Any], terms: list[Term] | None, said: str) -> None:
    with pytest.raises(DataError) as caught:
        mine({name("好"): pair, name("p"): ([0], ["x"])}, terms=terms)
    assert said in str(caught.value) and "https://example.org/好" in str(caught.value)
    assert "https://example.org/p: a column of" in str(caught.value), "all faults at once"


def test_ids_may_be_any() -> None:
    graph = {name("p"): (np.array([7, 9], np.uint32), np.array([10**12, 3])), name("q"): ([7, 9], [10**12, 4])}
    rules = by_rule(mine(graph, **ALL, longest=2))
    assert rules[Atom(name("p"), (X, Y)), frozenset({Atom(name("q"), (X, Y))})].support == 1
