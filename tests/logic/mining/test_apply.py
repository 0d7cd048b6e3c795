"""What rules give is what a plain evaluation gives, with the scores of their definitions and bindings that hold."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sibu.core.errors import RecipeError
from sibu.core.logic import TYPE, Atom, Comparison, Entity, Not, Rule, Value, Variable
from sibu.logic.mining import apply
from sibu.logic.mining.apply import Applied, Hypothesis, hypotheses
from sibu.logic.mining.columns import Relations
from sibu.logic.mining.search import Mined, mine
from tests.logic.mining import plainly
from tests.logic.mining.test_search import ALL, classes, facts_, name

X, Y, Z = (Variable(letter) for letter in "XYZ")
P, Q = name("p"), name("q")


def rule(head: Atom, *body: Any, support: int = 8, standard: float = 0.5, pca: float = 0.8) -> Mined:
    return Mined(Rule("r", head, body, confidence=pca), support, 1.0, standard, pca)


def told(facts: list[plainly.Fact], mined: list[Mined], **options: Any) -> dict[plainly.Fact, Hypothesis]:
    graph, terms = plainly.columns(facts)
    every = list(hypotheses(mined, graph, terms=terms, **options))
    assert [each.score for each in every] == sorted((each.score for each in every), reverse=True)
    return {(terms[each.subject], each.predicate, terms[each.object]): each for each in every}


def wanted(facts: list[plainly.Fact], mined: list[Mined]) -> dict[plainly.Fact, list[int]]:
    """What may be told: no value as a subject, no pair of a thing with itself where there is none yet."""
    looped = {each for subject, each, thing in facts if subject == thing}
    found = plainly.given([each.rule for each in mined], frozenset(facts))
    return {
        fact: numbers
        for fact, numbers in found.items()
        if isinstance(fact[0], Entity) and (fact[0] != fact[2] or fact[1] in looped)
    }


@given(facts_, classes, st.booleans(), st.sampled_from([2, 3]), st.sampled_from([1 << 22, 1, 40]))
@settings(max_examples=40)
def test_what_rules_give(
    facts: list[plainly.Fact], types: list[plainly.Fact], constants: bool, longest: int, rows: int
) -> None:
    facts += types
    graph, terms = plainly.columns(facts)
    mined = list(mine(graph, terms=terms, **ALL, longest=longest, constants=constants))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(apply, "ROWS", rows)
        patch.setattr(apply, "PART", 5)
        found = told(facts, mined, most=None)
        joint = told(facts, mined, most=None, score="or", measure="pca", doubt=1)
    assert found.keys() == joint.keys() == wanted(facts, mined).keys()
    for fact, numbers in wanted(facts, mined).items():
        rules = [mined[number] for number in numbers]
        standard = [each.support / (each.support / each.confidence + 5) for each in rules]
        pca = [each.support / (each.support / each.pca_confidence + 1) for each in rules]
        assert found[fact].score == pytest.approx(max(standard))
        assert joint[fact].score == pytest.approx(1 - prod(1 - each for each in pca))
        assert {each.rule.id for each in found[fact].mined} == {each.rule.id for each in rules}
        best = found[fact].mined[0]
        assert best.support / (best.support / best.confidence + 5) == pytest.approx(max(standard))
        binding = {Variable(key): terms[place] for key, place in found[fact].binding.items()}
        assert best.rule.head and plainly.ground(best.rule.head, binding) == (fact[0], fact[2])
        for atom in best.rule.atoms:
            subject, thing = plainly.ground(atom, binding)
            assert (subject, atom.predicate, thing) in facts


@given(facts_, st.sampled_from(["subject", "object"]), st.sets(st.integers(0, 6)), st.sampled_from([1 << 22, 1]))
@settings(max_examples=40)
def test_what_rules_give_of_some_things(facts: list[plainly.Fact], side: Any, places: set[int], rows: int) -> None:
    graph, terms = plainly.columns(facts)
    mined = list(mine(graph, terms=terms, **ALL, constants=True))
    relations = Relations(graph, terms)
    applied = Applied(mined, relations, terms)
    at = 0 if side == "subject" else 1
    things = np.array(sorted(place for place in places if place < relations.size), np.int64)
    for predicate in applied.predicates:
        whole = [pair for part in applied.conclusions(predicate) for pair in pairs(part)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(apply, "ROWS", rows)
            some = [pair for part in applied.conclusions(predicate, side, things) for pair in pairs(part)]
        assert sorted(some) == sorted(pair for pair in whole if pair[at] in places)
        assert [pair[at] for pair in some] == sorted(pair[at] for pair in some)


def pairs(part: apply.Conclusions) -> list[tuple[Any, ...]]:
    return list(zip(part.subjects, part.objects, part.surest, part.joint, strict=True))


def test_best_first_and_no_more_than_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = [(name(f"a{number}"), Q, name(f"b{number}")) for number in range(30)]
    sure, unsure = rule(Atom(P, (X, Y)), Atom(Q, (X, Y))), rule(Atom(P, (X, Y)), Atom(Q, (Y, X)), standard=0.3)
    every = told(facts, [unsure, sure], most=None)
    assert len(every) == 60
    monkeypatch.setattr(apply, "ROWS", 8)
    first = told(facts, [unsure, sure], most=3)
    assert list(first.items()) == list(every.items())[:3]
    assert {each.mined for each in first.values()} == {(sure,)}
    assert next(iter(first.values())).score == 8 / 21


def test_what_is_known_is_not_told() -> None:
    graph, terms = plainly.columns([(name("甲"), Q, name("乙")), (name("丙"), Q, name("丁"))])
    terms.append(name("elsewhere"))
    known = {P: ([0, 4, 2], [1, 0, 4]), Q: ([2], [3])}
    (only,) = hypotheses([rule(Atom(P, (X, Y)), Atom(Q, (X, Y)))], graph, known, terms=terms)
    assert (terms[only.subject], only.predicate, terms[only.object]) == (name("丙"), P, name("丁"))
    assert only.binding == {"X": 2, "Y": 3}


def test_of_equal_pairs_under_max_the_one_with_more_rules_is_first() -> None:
    facts = [(name("a"), Q, name("b")), (name("c"), Q, name("d")), (name("d"), TYPE, name("C"))]
    one = rule(Atom(P, (X, Y)), Atom(Q, (X, Y)))
    other = rule(Atom(P, (X, Y)), Atom(Q, (X, Y)), Atom(TYPE, (Y, name("C"))), standard=0.2)
    found = told(facts, [one, other], score="max")
    assert list(found) == [(name("c"), P, name("d")), (name("a"), P, name("b"))]
    assert len({each.score for each in found.values()}) == 1


def test_a_sure_rule_leaves_a_guess() -> None:
    found = told([(name("a"), Q, name("b"))], [rule(Atom(P, (X, Y)), Atom(Q, (X, Y)), standard=1.0)], doubt=0)
    assert 0.99 < found[name("a"), P, name("b")].score < 1


def test_rules_of_any_horn_body() -> None:
    """A loop in an atom, a constant that the graph does not know, parts that share no variable."""
    facts = [(name("a"), Q, name("a")), (name("b"), Q, name("c")), (name("d"), P, name("e"))]
    loop = rule(Atom(name("r"), (X, Y)), Atom(Q, (X, X)), Atom(P, (Z, Y)))
    assert list(told(facts, [loop])) == [(name("a"), name("r"), name("e"))]
    assert told(facts, [rule(Atom(P, (X, Y)), Atom(Q, (X, Y)), Atom(Q, (X, name("nobody"))))]) == {}
    assert told(facts, [rule(Atom(P, (X, Y)), Atom(name("unknown"), (X, Y)))]) == {}
    assert told(facts, []) == {} and told([], [loop]) == {}


def test_rules_that_cannot_be_applied() -> None:
    head, body = Atom(P, (X, Y)), Atom(Q, (X, Y))
    rules = [rule(head), rule(head, Not(body)), rule(head, body, Comparison("<", X, Y)), rule(head, Atom(Q, (X, Z)))]
    rules += [replace(rule(head, body), rule=replace(rule(head, body).rule, head=None, where="家.rules:3:1"))]
    with pytest.raises(RecipeError) as caught:
        told([(name("a"), Q, name("b"))], rules)
    text = str(caught.value)
    assert "has 5 faults" in text and "rule r: Y is not in the body." in text and "家.rules:3:1: only rules" in text
    with pytest.raises(RecipeError, match="rules with constants are applied by their names"):
        list(hypotheses([rule(head, body, Atom(Q, (X, Value.of(3))))], {Q: ([0], [1])}))
    with pytest.raises(RecipeError) as caught:
        told([], [], score="sum", measure="odds", doubt=-1, most=0)
    assert "has 4 faults" in str(caught.value) and "score: given sum; allowed: or, max." in str(caught.value)
