"""Why a fact does not hold: what is said to hold does, what is said to be missing is, and with it the fact follows."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from sibu.core.logic import (
    TYPE,
    Aggregate,
    Atom,
    Comparison,
    Entity,
    Not,
    Rule,
    Term,
    Value,
    Variable,
)
from sibu.logic.closure import Closure
from sibu.logic.missing import Attempt, Told, attempts, could_conclude
from sibu.logic.written import write
from tests.logic import naive
from tests.logic.closures import NAMES, closed, entity, fact
from tests.logic.programs import Program, programs


def tried(asked: str, text: str) -> list[Attempt]:
    """How close each rule of a text comes."""
    return attempts(fact(asked), closed(text))


def only(asked: str, text: str) -> Attempt:
    (found,) = tried(asked, text)
    return found


def said(attempt: Attempt) -> list[str]:
    """Each condition with what is told of it."""
    marks = {True: "+", False: "-", None: "?"}
    return [f"{marks[each.holds]} {write(each.condition, NAMES)}" for each in attempt.conditions]


# By hand.


def test_one_premise_is_missing() -> None:
    found = only("above(a, c)", "above(X, Z) :- parent(X, Y), parent(Y, Z). parent(a, b). parent(d, c).")
    assert said(found) == ["+ parent(a, b)", "- parent(b, c)"]
    assert found.missing == (fact("parent(b, c)"),)
    assert found.conclusion == fact("above(a, c)")
    assert found.ways == 2, "over b or over d"
    assert found.conditions[0].facts == (fact("parent(a, b)"),)


def test_all_premises_are_missing() -> None:
    found = only("above(a, c)", "above(X, Z) :- parent(X, Y), parent(Y, Z). parent(e, f).")
    assert said(found) == ["- parent(a, Y)", "- parent(Y, c)"]
    assert found.binding == {"X": entity("a"), "Z": entity("c")}


def test_what_is_left_open_depends_on_what_is_missing() -> None:
    text = "ripe(X) :- fruit(X), age(X, N), N > 5, M = N * 2, weight(X, M). fruit(a). weight(a, 20)."
    found = only("ripe(a)", text)
    assert said(found) == ["+ fruit(a)", "- age(a, N)", "? N > 5", "? 20 = N * 2", "+ weight(a, 20)"]


def test_a_comparison_fails() -> None:
    found = only("old(a)", "old(X) :- age(X, N), N + 1 >= 65. age(a, 40). age(b, 80).")
    assert said(found) == ["+ age(a, 40)", "- 40 + 1 >= 65"]
    assert found.conditions[1].sides == (Value.of(41), Value.of(65))
    assert found.missing == ()
    assert len(found.failing) == 1


def test_of_several_ways_the_one_with_the_fewest_faults() -> None:
    text = "ok(X) :- value(X, N), N > 3, not bad(N). value(a, 1). value(a, 5). bad(1). bad(5)."
    assert said(only("ok(a)", text)) == ["+ value(a, 5)", "+ 5 > 3", "- not bad(5)"]


def test_what_is_denied_is_named() -> None:
    found = only("free(a)", "free(X) :- thing(X), not held(X, _). thing(a). held(a, b). held(a, c).")
    assert said(found)[1].startswith("- not held(a, ")
    assert set(found.conditions[1].facts) == {fact("held(a, b)"), fact("held(a, c)")}


def test_what_is_reckoned_is_compared_with_what_is_asked() -> None:
    text = "double(X, M) :- value(X, N), M = N * 2. value(a, 2)."
    found = only("double(a, 5)", text)
    assert said(found) == ["+ value(a, 2)", "- 5 = 2 * 2"]
    assert said(only("double(a, M)", text.replace("value(a", "value(b"))) == ["- value(a, N)", "? M = N * 2"]


def test_what_cannot_be_reckoned() -> None:
    found = only("part(a, M)", "part(X, M) :- value(X, N), M = 1 / N. value(a, 0).")
    assert [each.holds for each in found.conditions] == [True, False]
    assert found.conditions[1].sides == (None, None)


def test_an_aggregate_comes_to_something_else() -> None:
    text = "many(X, N) :- thing(X), N = count { Y : has(X, Y) }, N >= 3. thing(a). has(a, b). has(a, c)."
    found = only("many(a, N)", text)
    assert [each.holds for each in found.conditions] == [True, True, False]
    assert found.binding["N"] == Value.of(2)
    other = only("many(a, 5)", text)
    assert [each.holds for each in other.conditions] == [True, False, True]
    assert other.conditions[1].sides == (Value.of(5), Value.of(2))


def test_an_aggregate_of_nothing() -> None:
    found = only("best(a, N)", "best(X, N) :- thing(X), N = max { Y : has(X, Y) }. thing(a).")
    assert [each.holds for each in found.conditions] == [True, False]
    assert found.conditions[1].sides == (None, None)


def test_an_aggregate_bound_by_an_atom() -> None:
    text = "right(X) :- said(X, N), N = count { Y : has(X, Y) }. said(a, 3). has(a, b)."
    found = only("right(a)", text)
    assert found.conditions[1].sides == (Value.of(3), Value.of(1))
    assert [each.holds for each in found.conditions] == [True, False]


def test_the_closest_rule_is_first() -> None:
    text = """
    @id "far" ok(X) :- a(X), b(X), c(X).
    @id "near" ok(X) :- a(X), b(X).
    a(x).
    """
    assert [each.rule.id for each in tried("ok(x)", text)] == ["near", "far"]


def test_other_heads_say_nothing() -> None:
    text = "ok(X) :- a(X). good(X, Y) :- a(X), b(Y). same(X, X) :- a(X). :- a(X), b(X). a(a)."
    assert tried("good(a)", text) == []
    assert tried("same(a, b)", text) == []
    assert said(only("good(a, b)", text)) == ["+ a(a)", "- b(b)"]
    rules = closed(text).rules
    assert [rule.head for rule in could_conclude(fact("ok(c)"), rules)] == [fact("ok(X)")]
    assert could_conclude(fact("elsewhere(c)"), rules) == []


def test_a_fact_of_a_rule_file_says_nothing_of_others() -> None:
    closure = Closure([Rule("r1", fact("ok(a)"), ())])
    closure.close()
    assert attempts(fact("ok(b)"), closure) == []


def test_names_that_were_never_seen() -> None:
    assert said(only("ok(新)", "ok(X) :- 服用(X, Y), 药(Y). 药(a).")) == ["- 服用(新, Y)", "? 药(Y)"]


def test_a_rule_over_all_classes_is_told_where_the_schema_says_so() -> None:
    text = """
    @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
    triple(X, <http://www.w3.org/1999/02/22-rdf-syntax-ns#type>, D) :-
        triple(X, <http://www.w3.org/1999/02/22-rdf-syntax-ns#type>, C), rdfs:subClassOf(C, D).
    rdfs:subClassOf(calmer, drug).
    calmer(b).
    """
    closure = closed(text)
    (found,) = attempts(fact("drug(a)"), closure)
    assert found.missing == (Atom(TYPE, (entity("a"), entity("calmer"))),)
    assert attempts(fact("ward(a)"), closure) == [], "nothing is below a ward"


def test_a_rule_over_all_relations_without_a_schema_is_not_told() -> None:
    assert tried("p(a, b)", "triple(X, P, Y) :- triple(Y, P, X), symmetric(P). q(a, b).") == []


def test_of_many_premises_two_may_be_missing() -> None:
    body = ", ".join(f"p{number}(X)" for number in range(10))
    facts = " ".join(f"p{number}(a). p{number}(b)." for number in range(7))
    text = f"all(X) :- {body}. {facts} p7(a)."
    assert len(only("all(a)", text).missing) == 2
    assert tried("all(b)", text) == [], "three are"


def test_a_limit_of_time() -> None:
    assert attempts(fact("ok(b)"), closed("ok(X) :- a(X), b(X). a(a)."), seconds=-1) == []


# Random programs.


@settings(max_examples=12)
@given(programs(depth=2), st.integers(0, 2**16))
def test_what_is_told_of_a_condition_is_so(made: Program, seed: int) -> None:
    made = few(made.rules, made)
    model = small(made)
    known = naive._Facts(model.facts)
    closure = closure_of(made)
    for asked in unfounded(made, model, Random(seed)):
        for attempt in attempts(asked, closure):
            assert attempt.ways >= 1
            pairs = zip(asked.terms, attempt.conclusion.terms, strict=True)
            assert all(own == its or isinstance(own, Variable) for own, its in pairs)
            for told in attempt.conditions:
                assert_so(told, known)


@settings(max_examples=12)
@given(programs(depth=2), st.integers(0, 2**16))
def test_with_what_is_missing_the_fact_follows(made: Program, seed: int) -> None:
    made = few((rule for rule in made.rules if not any(isinstance(each, Not | Aggregate) for each in rule.body)), made)
    model = small(made)
    closure = closure_of(made)
    for asked in unfounded(made, model, Random(seed)):
        for attempt in attempts(asked, closure):
            assert attempt.failing, "else it would follow"
            whole = all(each.condition.ground if isinstance(each.condition, Atom) else each.holds
                        for each in attempt.conditions)  # fmt: skip
            if whole:
                assert attempt.conclusion == asked
                found = naive._instances(attempt.rule, naive._Facts([*model.facts, *attempt.missing]))
                assert any(conclusion == asked for _, _, conclusion, _ in found)


@settings(max_examples=12)
@given(programs(depth=2), st.integers(0, 2**16))
def test_nothing_is_missing_where_all_premises_hold_together(made: Program, seed: int) -> None:
    made = few(made.rules, made)
    model = small(made)
    closure = closure_of(made)
    for asked in unfounded(made, model, Random(seed)):
        for attempt in attempts(asked, closure):
            start = naive._fits(attempt.rule.head, asked, {})  # type: ignore[arg-type]
            joined = naive._solutions(attempt.rule.atoms, set(), start or {}, naive._Facts(model.facts))
            assert (not attempt.missing) == any(True for _ in joined)


def few(rules: Iterable[Rule], made: Program) -> Program:
    """A program of so few facts that all choices of premises can be tried."""
    return Program(tuple(rule for rule in rules if len(rule.atoms) < 3), made.facts[:12])


def small(made: Program) -> naive.Model:
    try:
        return naive.evaluate(made.rules, made.facts, limit=60, rounds=20)
    except naive.TooMuch:
        reject()


def closure_of(made: Program) -> Closure:
    closure = Closure(made.rules)
    closure.add(made.facts)
    closure.close()
    return closure


def unfounded(made: Program, model: naive.Model, draw: Random) -> list[Atom]:
    """Facts that do not hold, though rules conclude such."""
    terms: list[Term] = sorted({term for each in model.facts for term in each.terms}, key=repr)
    found = []
    for rule in made.rules:
        if rule.head is None or not rule.body or not terms:
            continue
        chosen = {name: draw.choice(terms) for name in rule.head.variables}
        asked = naive._put(rule.head, chosen)
        if asked is not None and asked not in model.facts:
            found.append(asked)
    return draw.sample(found, min(4, len(found)))


def assert_so(told: Told, known: naive._Facts) -> None:
    each = told.condition
    if isinstance(each, Atom):
        fitting = any(naive._fits(each, other, {}) is not None for other in known.like(each, {}))
        assert told.holds == (fitting if each.ground else None if fitting else False)
    elif told.holds is None:
        return
    elif isinstance(each, Not):
        fitting = [other for other in known.like(each.atom, {}) if naive._fits(each.atom, other, {}) is not None]
        assert told.holds == (not fitting)
        assert set(told.facts) <= set(fitting)
        assert bool(told.facts) == bool(fitting)
    elif isinstance(each, Comparison):
        sides = (each.right, each.left) if naive._variables(each.right) else (each.left, each.right)
        assert told.holds == (naive._compared(each.operator, *sides, {}) is not None)
    else:
        worth = naive._aggregated(each, {}, known)
        assert told.sides[1] == worth
        bound = told.sides[0]
        assert told.holds == (worth is not None and (bound is None or naive._holds("=", bound, worth)))


@pytest.mark.parametrize("name", ["{row}", "{before}"])
def test_columns_of_its_own_are_no_variables(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        write(Variable(name), NAMES)
    assert isinstance(entity("a"), Entity)
