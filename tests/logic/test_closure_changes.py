"""After facts have come and gone the closure is the one that is computed afresh, and its proofs stand."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sibu.core.logic import Atom
from sibu.logic.closure import Closure, upkeep
from tests.logic import naive
from tests.logic.closures import assert_proved, closed, cramped, everything, fact, found, of, program
from tests.logic.programs import Program, programs
from tests.logic.test_closure import BOUNDS, SCHEMA


def expected(program: Program, asserted: set[Atom]) -> set[Atom]:
    try:
        return naive.evaluate(program.rules, asserted).facts
    except (naive.Unstratified, naive.TooMuch):
        assume(False)
        raise


def some(draw: Random, facts: set[Atom], most: int) -> list[Atom]:
    return draw.sample(sorted(facts, key=str), min(len(facts), draw.randint(1, most)))


@settings(max_examples=40)
@given(programs(depth=6), st.integers(0, 2**32 - 1), BOUNDS, st.sampled_from((True, True, True, False)))
def test_random_changes_leave_what_is_computed_afresh(program: Program, seed: int, bounds: tuple, proofs: bool) -> None:
    """Also facts that follow are asserted for a while, and asserted ones withdrawn that follow as well."""
    draw = Random(seed)
    with cramped(*bounds):
        closure = Closure(program.rules, proofs=proofs)
        asserted, holds = set[Atom](), set[Atom]()
        for turn in range(4):
            for _ in range(draw.randint(1, 2)):
                new = some(draw, set(program.facts), 99 if turn == 0 else 4) + some(draw, holds, 1)
                assert closure.add(new) == len(set(new) - asserted)
                asserted |= set(new)
                old = some(draw, asserted, 3) + some(draw, holds, 1)
                assert closure.retract(old) == len(set(old) & asserted)
                asserted -= set(old)
            came, went = of(closure.close())
            before, holds = holds, everything(closure, program.rules, {*program.facts, *asserted})
            assert holds == expected(program, asserted)
            assert (came, went) == (holds - before, before - holds)
            assert {each for each in holds if closure.asserted(each)} == asserted
            if proofs:
                assert_proved(closure, holds, asserted)


def test_what_leans_on_a_withdrawn_fact_alone_goes_with_it_and_the_rest_stays() -> None:
    closure = closed("""
        reach(X, Y) :- edge(X, Y). reach(X, Z) :- reach(X, Y), edge(Y, Z).
        edge(a, b). edge(b, c). edge(a, c). edge(c, d).
    """)
    assert closure.retract([fact("edge(b, c)"), fact("edge(z, z)")]) == 1
    came, went = of(closure.close())
    assert came == set()
    assert went == {fact("edge(b, c)"), fact("reach(b, c)"), fact("reach(b, d)")}
    assert closure.holds(fact("reach(a, d)"))
    assert_proved(closure, [fact("reach(a, d)")], [fact("edge(a, c)"), fact("edge(c, d)")])


def test_facts_that_only_hold_each_other_up_go() -> None:
    closure = closed("p(X) :- q(X). q(X) :- p(X). p(X) :- start(X). start(a). start(b).")
    closure.retract([fact("start(a)")])
    assert of(closure.close())[1] == {fact("start(a)"), fact("p(a)"), fact("q(a)")}


def test_a_withdrawn_fact_that_follows_stays_derived() -> None:
    closure = closed("p(X) :- q(X). q(a). p(a). q(b).")
    assert closure.proof(fact("p(a)")).steps[-1].rule == ""
    assert closure.retract([fact("p(a)"), fact("p(b)")]) == 1
    assert of(closure.close()) == (set(), set())
    assert not closure.asserted(fact("p(a)"))
    assert closure.proof(fact("p(a)")).steps[-1].rule == "r1"
    assert closure.add([fact("p(b)")]) == 1
    closure.retract([fact("q(b)")])
    assert of(closure.close())[1] == {fact("q(b)")}
    assert closure.proof(fact("p(b)")).steps[-1].rule == ""


def test_withdrawn_and_asserted_again_before_it_is_closed() -> None:
    closure = closed("p(X) :- q(X). q(a).")
    closure.retract([fact("q(a)")])
    assert not closure.asserted(fact("q(a)"))
    closure.add([fact("q(a)")])
    assert of(closure.close()) == (set(), set())
    closure.add([fact("q(b)")])
    closure.retract([fact("q(b)")])
    assert of(closure.close()) == (set(), set())
    assert found(closure, "p(X)") == {fact("p(a)")}


def test_what_was_denied_comes_and_goes() -> None:
    closure = closed("""
        ready(P) :- patient(P), not barred(P). barred(P) :- flag(P, _). free(P) :- patient(P), not ready(P).
        patient(anna). patient(ben). flag(ben, a).
    """)
    closure.add([fact("flag(anna, a)")])
    came, went = of(closure.close())
    assert came == {fact("flag(anna, a)"), fact("barred(anna)"), fact("free(anna)")}
    assert went == {fact("ready(anna)")}
    closure.retract([fact("flag(anna, a)"), fact("flag(ben, a)")])
    assert of(closure.close())[0] == {fact("ready(anna)"), fact("ready(ben)")}


def test_aggregates_follow_what_they_count() -> None:
    closure = closed("""
        number(P, N) :- patient(P), N = count { X : takes(P, X), not stopped(P, X) }.
        many(P) :- number(P, N), N >= 2.
        patient(anna). patient(ben). takes(anna, a). takes(anna, b). takes(ben, a).
    """)
    assert found(closure, "many(P)") == {fact("many(anna)")}
    closure.add([fact("stopped(anna, b)"), fact("takes(ben, c)")])
    came, went = of(closure.close())
    assert came - {fact("stopped(anna, b)"), fact("takes(ben, c)")} == {
        fact("number(anna, 1)"), fact("number(ben, 2)"), fact("many(ben)"),
    }  # fmt: skip
    assert went == {fact("number(anna, 2)"), fact("number(ben, 1)"), fact("many(anna)")}
    assert_proved(closure, [fact("many(ben)")], [each for each in everything(closure, closure.rules, ())
                                                 if closure.asserted(each)])  # fmt: skip


def test_a_total_that_stays_keeps_its_proof_right() -> None:
    """The head says nothing of the number, which changes: the proof tells the new one."""
    closure = closed("some(P) :- patient(P), N = count { X : takes(P, X) }, N > 0. patient(a). takes(a, x).")
    closure.add([fact("takes(a, y)")])
    assert of(closure.close()) == ({fact("takes(a, y)")}, set())
    proof = closure.proof(fact("some(a)"))
    assert proof.steps[-1].binding["N"].number == 2
    assert_proved(closure, [fact("some(a)")], [fact("patient(a)"), fact("takes(a, x)"), fact("takes(a, y)")])


def test_a_schema_comes_and_goes() -> None:
    closure = closed(
        SCHEMA + "rdfs:subPropertyOf(takes, uses). takes(anna, a). takes(ben, b). rdfs:domain(uses, user)."
    )
    assert found(closure, "user(X)") == {fact("user(anna)"), fact("user(ben)")}
    closure.retract([fact("rdfs:subPropertyOf(takes, uses)")])
    assert len(of(closure.close())[1]) == 5
    closure.add([fact("owl:sameAs(anna, ann)"), fact("rdfs:subPropertyOf(takes, knows)")])
    came, _ = of(closure.close())
    assert came >= {fact("takes(ann, a)"), fact("knows(ann, a)"), fact("knows(ben, b)")}


@pytest.mark.parametrize("proofs", [True, False])
def test_whole_columns_come_and_go(proofs: bool) -> None:
    rules, _ = program("path(X, Y) :- edge(X, Y). path(X, Z) :- path(X, Y), edge(Y, Z).")
    closure = Closure(rules, proofs=proofs)
    edge = fact("edge(a, b)").predicate
    ids = closure.terms.entities(f"urn:n{number}" for number in range(80))
    closure.add_columns(edge, ids[:-1], ids[1:])
    assert closure.add_columns(edge, ids[:-1], ids[1:]) == 0
    closure.close()
    assert closure.retract_columns(edge, ids[39:41], ids[40:42]) == 2
    changes = closure.close()
    assert changes.counts[edge] == (0, 2)
    assert closure.count() == 77 + (40 * 39) // 2 + (39 * 38) // 2
    closure.add_columns(edge, ids[39:41], ids[40:42])
    closure.close()
    assert closure.count() == 79 + (80 * 79) // 2


def test_what_went_does_not_pile_up() -> None:
    with cramped(chunk=9, room=9, dead=20, alike=6, hashes=False):
        closure = closed("p(X) :- q(X). q(a).")
        for _ in range(30):
            new = [fact(f"q(b{number})") for number in range(10)]
            closure.add(new)
            closure.close()
            closure.retract(new)
            closure.close()
        relations = closure._upkeep.store.relations
        assert sum(relation.count for relation in relations) < 60
        assert sum(len(each) for each in closure._upkeep.derivations if each is not None) < 60
        assert_proved(closure, [fact("p(a)")], [fact("q(a)")])


@pytest.mark.parametrize(("many", "anew"), [(0, True), (1_000, False)])
def test_where_much_goes_all_is_derived_anew(many: int, anew: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is the same."""
    monkeypatch.setattr(upkeep, "_MANY", many)
    began = []
    monkeypatch.setattr(upkeep.Upkeep, "_restart", _noted(upkeep.Upkeep._restart, began))
    closure = closed("p(X) :- q(X). r(X) :- p(X), not s(X). q(a). q(b). q(c). s(c).")
    began.clear()
    closure.retract([fact("q(a)"), fact("q(c)")])
    came, went = of(closure.close())
    assert bool(began) == anew
    assert came == set()
    assert went == {fact("q(a)"), fact("p(a)"), fact("r(a)"), fact("q(c)"), fact("p(c)")}
    assert_proved(closure, [fact("p(b)"), fact("r(b)")], [fact("q(b)"), fact("s(c)")])


def _noted(method: Callable[..., None], calls: list[None]) -> Callable[..., None]:
    def noting(self: object) -> None:
        calls.append(None)
        method(self)

    return noting
