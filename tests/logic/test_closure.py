"""The closure is what a naive evaluator finds, and each of its facts has a proof that the checker accepts."""

import re
from random import Random

import networkx
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sibu.core.errors import RuleError
from sibu.core.logic import TYPE, Atom, Comparison, Entity, Proof, Rule, Step, Value, Variable
from sibu.core.names import RDF, XSD
from sibu.logic.closure import Closure, Count, OutOfTime
from tests.logic import naive
from tests.logic.closures import NAMES, assert_proved, closed, cramped, entity, everything, fact, found, program
from tests.logic.programs import Program, programs

BOUNDS = st.tuples(
    st.sampled_from((3, 20, 2_000_000)), st.sampled_from((3, 1_000_000)), st.sampled_from((1, 100_000)),
    st.sampled_from((1, 6, 1000)), st.booleans(),
)  # fmt: skip


def model(program: Program, facts: frozenset[Atom]) -> naive.Model:
    try:
        return naive.evaluate(program.rules, facts)
    except (naive.Unstratified, naive.TooMuch):
        assume(False)
        raise


@settings(max_examples=40)
@given(programs(depth=8), BOUNDS)
def test_random_programs_give_what_the_naive_evaluator_finds_with_proofs(program: Program, bounds: tuple) -> None:
    expected = model(program, frozenset(program.facts))
    with cramped(*bounds):
        closure = Closure(program.rules)
        assert closure.add(program.facts) == len(set(program.facts))
        closure.close()
        holds = everything(closure, program.rules, program.facts)
        assert holds == expected.facts
        assert closure.count() == len(holds)
        assert sum(each.asserted for each in closure.counts().values()) == len(set(program.facts))
        assert_proved(closure, holds, program.facts)


@settings(max_examples=15)
@given(programs(depth=6), BOUNDS)
def test_without_proofs_the_closure_is_the_same(program: Program, bounds: tuple) -> None:
    expected = model(program, frozenset(program.facts))
    with cramped(*bounds):
        closure = Closure(program.rules, proofs=False)
        closure.add(program.facts)
        closure.close()
        assert everything(closure, program.rules, program.facts) == expected.facts


def test_the_clinic_in_two_languages() -> None:
    text = """
        contraindicated(P, D) :- takes(P, X), interacts(X, D), not cleared(P, D).
        禁忌(?病人, ?药) :- 服用(?病人, ?另一药), 相互作用(?另一药, ?药), not 放行(?病人, ?药).
        takes(anna, ibuprofen). takes(ben, ibuprofen). interacts(ibuprofen, warfarin). cleared(ben, warfarin).
        服用(安娜, 布洛芬). 相互作用(布洛芬, 华法林).
    """
    closure = closed(text)
    assert found(closure, "contraindicated(P, D)") == {fact("contraindicated(anna, warfarin)")}
    assert found(closure, "禁忌(P, D)") == {fact("禁忌(安娜, 华法林)")}
    proof = closure.proof(fact("contraindicated(anna, warfarin)"))
    names = {"P": entity("anna"), "X": entity("ibuprofen"), "D": entity("warfarin")}
    assert proof == Proof((
        Step(fact("takes(anna, ibuprofen)")),
        Step(fact("interacts(ibuprofen, warfarin)")),
        Step(fact("contraindicated(anna, warfarin)"), "r2", names, (0, 1)),
    ))  # fmt: skip
    assert closure.proof(fact("contraindicated(ben, warfarin)")) is None


@pytest.mark.parametrize("proofs", [True, False])
def test_a_long_chain(proofs: bool) -> None:
    """Many rounds of few rows; the deepest proof has more steps than Python may call itself."""
    length = 600
    rules, _ = program("path(X, Y) :- edge(X, Y). path(X, Z) :- path(X, Y), edge(Y, Z).")
    closure = Closure(rules, proofs=proofs)
    ids = closure.terms.entities(f"{NAMES.base}n{number}" for number in range(length))
    assert closure.add_columns(entity("edge"), ids[:-1], ids[1:]) == length - 1
    changes = closure.close()
    assert changes.counts == {entity("edge"): (length - 1, 0), entity("path"): (length * (length - 1) // 2, 0)}
    assert closure.counts()[entity("path")] == Count(length * (length - 1) // 2, 0)
    first, second = closure.columns(entity("path"))
    assert np.all(first < second)
    if proofs:
        far = fact(f"path(n0, n{length - 1})")
        proof = closure.proof(far)
        assert proof is not None
        assert len(proof.steps) == 2 * length - 2
        assert_proved(closure, [far], (fact(f"edge(n{number}, n{number + 1})") for number in range(length - 1)))


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.sampled_from(("path(X, Z) :- path(X, Y), edge(Y, Z).",
       "path(X, Z) :- edge(X, Y), path(Y, Z).", "path(X, Z) :- path(X, Y), path(Y, Z).")))  # fmt: skip
def test_transitive_closure_is_that_of_networkx(seed: int, step: str) -> None:
    draw = Random(seed)
    graph = networkx.gnm_random_graph(draw.randint(1, 40), draw.randint(0, 90), seed=seed, directed=True)
    rules, _ = program("path(X, Y) :- edge(X, Y). " + step)
    closure = Closure(rules)
    closure.add(fact(f"edge(n{one}, n{two})") for one, two in graph.edges)
    closure.close()
    expected = networkx.transitive_closure(graph, reflexive=False).edges
    assert found(closure, "path(X, Y)") == {fact(f"path(n{one}, n{two})") for one, two in expected}


# What the conditions mean.


def test_no_number_overflows_and_none_is_rounded() -> None:
    big = 2**62
    closure = closed(
        """
        twice(M) :- value(N), M = N + N.
        square(M) :- value(N), M = N * N.
        less(X, Y) :- value(X), value(Y), X < Y.
        half(M) :- value(N), M = N / 2.
        total(T) :- T = sum { N : value(N) }.
    """
        + f"value({big}). value({big + 1}). value(9007199254740993). value(9007199254740992.0)."
    )
    numbers = {each.terms[0].number for each in found(closure, "twice(M)")}
    assert numbers == {2 * big, 2 * big + 2, 2 * 9007199254740993, 2 * 9007199254740992.0}
    assert Value.of(big * (big + 1) + big + 1) in {each.terms[0] for each in found(closure, "square(M)")} | {
        Value.of((big + 1) ** 2)
    }
    assert Atom(TYPE, (Value.of((big + 1) ** 2), entity("square"))) in found(closure, "square(M)")
    pair = Atom(entity("less"), (Value.of(9007199254740992.0), Value.of(9007199254740993)))
    assert closure.holds(pair)
    assert closure.holds(Atom(TYPE, (Value.of((big + 1) / 2), entity("half"))))
    assert closure.holds(Atom(TYPE, (Value.of(float(2 * big + 9007199254740993 * 2)), entity("total"))))


def test_a_number_too_long_to_be_written_is_none() -> None:
    closure = closed("next(M) :- next(N), M = N * N. next(10).")
    digits = {len(each.terms[0].text) for each in found(closure, "next(M)")}
    assert digits == {2**power + 1 for power in range(13)}


def test_by_zero_and_with_a_text_nothing_is_reckoned() -> None:
    closure = closed("""
        out(X, M) :- pair(X, N), M = 10 / N.
        rest(X, M) :- pair(X, N), M = 10 % N.
        differs(X) :- pair(X, N), N + 1 != 5.
        pair(a, 0). pair(b, 4). pair(c, "four"). pair(d, 0.0). pair(e, 2).
    """)
    assert found(closure, "out(X, M)") == {fact("out(b, 2.5)"), fact("out(e, 5.0)")}
    assert found(closure, "rest(X, M)") == {fact("rest(b, 2)"), fact("rest(e, 0)")}
    assert found(closure, "differs(X)") == {fact("differs(a)"), fact("differs(d)"), fact("differs(e)")}


def test_what_is_compared_by_worth_and_what_by_identity() -> None:
    closure = closed("""
        same(X, Y) :- value(X), value(Y), X = Y.
        joined(X) :- value(X), other(X).
        before(X, Y) :- value(X), value(Y), X < Y.
        value(1). value(1.0). value("1"). value("2020-01-02"^^xsd:date). value("2020-01-10"^^xsd:date). value(anna).
        other(1).
    """)
    one, real = Value.of(1), Value.of(1.0)
    assert {one, real} == {each.terms[1] for each in closure.match(Atom(entity("same"), (one, Variable("Y"))))}
    assert found(closure, "joined(X)") == {fact("joined(1)")}
    days = [Value(f"2020-01-{day}", XSD + "date") for day in ("02", "10")]
    assert found(closure, "before(X, Y)") == {Atom(entity("before"), tuple(days))}


def test_dates_are_compared_by_their_moments_and_proved_so() -> None:
    """Zones, years of five digits, and days that there are not; the greatest too."""
    closure = closed("""
        at(a, "2024-01-01T23:00:00-05:00"^^xsd:dateTime). at(b, "2024-01-02T01:00:00+01:00"^^xsd:dateTime).
        bare(c, "2024-01-01T12:00:00"^^xsd:dateTime). on(d, "9999-12-31"^^xsd:date). on(e, "10000-01-01"^^xsd:date).
        on(f, "2024-02-30"^^xsd:date).
        before(X, Y) :- at(X, S), at(Y, T), S < T.
        mixed(X, Y) :- bare(X, S), at(Y, T), S < T.
        earlier(X, Y) :- on(X, S), on(Y, T), S < T.
        last(a, M) :- M = max { T : at(X, T) }.
    """)
    assert found(closure, "before(X, Y)") == {fact("before(b, a)")}
    assert found(closure, "earlier(X, Y)") == {fact("earlier(d, e)")}
    assert found(closure, "mixed(X, Y)") == set()
    last = Value("2024-01-01T23:00:00-05:00", XSD + "dateTime")
    assert found(closure, "last(X, Y)") == {Atom(entity("last"), (entity("a"), last))}
    given = found(closure, "at(X, Y)") | found(closure, "bare(X, Y)") | found(closure, "on(X, Y)")
    for pattern in ("before(X, Y)", "earlier(X, Y)", "last(X, Y)"):
        assert_proved(closure, found(closure, pattern), given)


def test_aggregates() -> None:
    closure = closed("""
        number(P, N) :- patient(P), N = count { X : takes(P, X) }.
        all(P, N) :- patient(P), N = sum { D, X : takes(P, X), dose(X, D) }.
        least(P, N) :- patient(P), N = min { D : takes(P, X), dose(X, D) }.
        mean(N) :- N = mean { D, X : dose(X, D) }.
        exactly(P) :- patient(P), wanted(N), N = count { X : takes(P, X) }.
        patient(anna). patient(ben). takes(anna, a). takes(anna, b). takes(anna, c).
        dose(a, 5). dose(b, 5). dose(c, 2.5). wanted(3.0).
    """)
    assert found(closure, "number(P, N)") == {fact("number(anna, 3)"), fact("number(ben, 0)")}
    assert found(closure, "all(P, N)") == {fact("all(anna, 12.5)"), fact("all(ben, 0)")}
    assert found(closure, "least(P, N)") == {fact("least(anna, 2.5)")}
    assert {each.terms[0] for each in found(closure, "mean(N)")} == {Value.of(12.5 / 3)}
    assert found(closure, "exactly(P)") == {fact("exactly(anna)")}
    assert closure.proof(fact("exactly(anna)")).steps[-1].binding == {"P": entity("anna"), "N": Value.of(3.0)}


def test_a_variable_that_stands_twice_and_one_that_stands_in_a_negation_alone() -> None:
    closure = closed("""
        loop(X) :- edge(X, X).
        end(X) :- edge(_, X), not edge(X, _).
        still(X) :- edge(X, _), not edge(_any, _any).
        edge(a, b). edge(b, b). edge(b, c).
    """)
    assert found(closure, "loop(X)") == {fact("loop(b)")}
    assert found(closure, "end(X)") == {fact("end(c)")}
    assert found(closure, "still(X)") == set()
    assert found(closure, "edge(X, X)") == {fact("edge(b, b)")}


def test_relations_of_any_width_and_one_name() -> None:
    closure = closed("""
        rule_of(A, B, C) :- four(A, B, C, D), D > 1.
        any() :- rule_of(_, _, _).
        wide(A, C) :- rule_of(A, b, C), not none().
        four(a, b, c, 1). four(a, b, d, 2). four(a, c, d, 2). four(a, b).
    """)
    assert found(closure, "rule_of(A, B, C)") == {fact("rule_of(a, b, d)"), fact("rule_of(a, c, d)")}
    assert closure.holds(fact("any()"))
    assert found(closure, "wide(A, B)") == {fact("wide(a, d)")}
    assert found(closure, "four(A, B)") == {fact("four(a, b)")}
    assert closure.count() == 4 + 2 + 1 + 1


def test_a_fact_of_the_program_is_proved_by_its_rule() -> None:
    rules = (Rule("told", fact("p(a)"), ()),)
    closure = Closure(rules)
    assert closure.close().counts == {TYPE: (1, 0)}
    assert closure.proof(fact("p(a)")) == Proof((Step(fact("p(a)"), "told"),))
    assert not closure.asserted(fact("p(a)"))


# Rules over open predicates and classes.

SCHEMA = """
    triple(X, Q, Y) :- triple(X, P, Y), rdfs:subPropertyOf(P, Q).
    triple(X, rdf:type, D) :- triple(X, rdf:type, C), rdfs:subClassOf(C, D).
    triple(X, rdf:type, C) :- triple(X, P, Y), rdfs:domain(P, C).
    triple(Y, P, O) :- owl:sameAs(X, Y), triple(X, P, O).
"""


def test_open_predicates_and_classes() -> None:
    closure = closed(
        SCHEMA
        + """
        rdfs:subPropertyOf(takes, uses). rdfs:subPropertyOf(uses, knows). rdfs:domain(knows, person).
        rdfs:subClassOf(person, being). takes(anna, ibuprofen). owl:sameAs(anna, ann).
        rdfs:subPropertyOf(uses, "no name"). rdfs:subPropertyOf(member, rdf:type). member(ben, person).
    """
    )
    assert found(closure, "knows(X, Y)") == {fact("knows(anna, ibuprofen)"), fact("knows(ann, ibuprofen)")}
    assert found(closure, "being(X)") == {fact("being(anna)"), fact("being(ann)"), fact("being(ben)")}
    assert {each.predicate for each in closure.match(Atom(Variable("P"), (entity("ann"), entity("ibuprofen"))))} == {
        entity("takes"), entity("uses"), entity("knows"),
    }  # fmt: skip
    assert_proved(closure, found(closure, "being(X)"), [each for each in everything(closure, closure.rules, ())
                                                        if closure.asserted(each)])  # fmt: skip


def test_what_a_schema_adds_to_what_is_denied_is_known_before() -> None:
    """That `minor` makes `barred` only the facts tell; the rule that denies it has to wait for it."""
    text = """
        barred(X) :- patient(X), not adult(X).
        served(X) :- patient(X), not refused(X).
        patient(anna). patient(ben). adult(anna).
    """
    assert found(closed(SCHEMA + text), "served(X)") == {fact("served(anna)"), fact("served(ben)")}
    more = text + "rdfs:subClassOf(barred, refused)."
    assert found(closed(SCHEMA + more), "served(X)") == {fact("served(anna)")}


def test_a_schema_that_itself_is_derived_puts_the_rules_in_another_order() -> None:
    text = """
        rdfs:subClassOf(C, D) :- alike(C, D).
        barred(X) :- patient(X), not adult(X).
        served(X) :- patient(X), not refused(X).
        patient(anna). patient(ben). adult(anna). alike(barred, middle). alike(middle, refused).
    """
    closure = closed(SCHEMA + text)
    assert found(closure, "served(X)") == {fact("served(anna)")}
    closure.retract([fact("alike(middle, refused)")])
    closure.close()
    assert found(closure, "served(X)") == {fact("served(anna)"), fact("served(ben)")}
    closure.add([fact("alike(middle, refused)"), fact("patient(carl)")])
    closure.close()
    assert found(closure, "served(X)") == {fact("served(anna)")}


def test_what_is_denied_goes_after_it_was_looked_at() -> None:
    """The new schema ties `refused` to `barred`, which goes in a later layer than the one that denies `refused`."""
    closure = closed(
        SCHEMA
        + """
        rdfs:subClassOf(C, D) :- alike(C, D).
        low(X) :- patient(X), not adult(X).
        barred(X) :- patient(X), not low(X).
        served(X) :- patient(X), not refused(X).
        patient(ben). adult(ben).
    """
    )
    assert closure.holds(fact("barred(ben)"))
    closure.add([fact("alike(barred, refused)")])
    closure.retract([fact("adult(ben)")])
    closure.close()
    assert found(closure, "served(X)") == {fact("served(ben)")}
    assert found(closure, "refused(X)") == set()


def test_a_schema_by_which_no_order_is_right_is_refused_and_mended_by_taking_it_back() -> None:
    rules, facts = program(SCHEMA + "served(X) :- patient(X), not refused(X). patient(anna).")
    closure = Closure(rules, names=NAMES)
    closure.add([*facts, fact("rdfs:subClassOf(served, refused)")])
    with pytest.raises(RuleError, match=r"served\(X\) depends on not refused\(X\), by the schema refused depends on"):
        closure.close()
    assert closure.stale
    closure.retract([fact("rdfs:subClassOf(served, refused)")])
    closure.close()
    assert closure.holds(fact("served(anna)"))


def test_a_rule_over_an_open_class_that_concludes_what_was_denied_is_refused() -> None:
    """No guard tells what the class is: it comes from a relation that the rule itself feeds."""
    rules, facts = program("""
        triple(X, rdf:type, C) :- becomes(X, C).
        becomes(X, refused) :- served(X).
        served(X) :- patient(X), not refused(X).
        patient(anna).
    """)
    closure = Closure(rules)
    closure.add(facts)
    with pytest.raises(RuleError, match="refused"):
        closure.close()


# What can be asked, and what cannot.


def test_matches() -> None:
    closure = closed("p(X, Y) :- q(X, Y). q(a, b). q(a, c). q(b, b). r(a).")
    assert found(closure, "p(a, Y)") == {fact("p(a, b)"), fact("p(a, c)")}
    assert found(closure, "p(X, b)") == {fact("p(a, b)"), fact("p(b, b)")}
    assert found(closure, "p(a, b)") == {fact("p(a, b)")}
    assert found(closure, "p(c, b)") == found(closure, "never(X)") == found(closure, "p(X, nowhere)") == set()
    assert len(found(closure, "triple(a, P, Y)")) == 5
    x = Variable("X")
    assert set(closure.match(Atom(x, (x, Variable("Y"))))) == set()
    assert [len(column) for column in closure.columns(entity("p"))] == [3, 3]
    assert [len(column) for column in closure.columns(entity("nothing"), 3)] == [0, 0, 0]


def test_violations_tell_binding_and_premises() -> None:
    closure = closed("""
        @id "alive" :- alive(P), dead(P).
        @id "dose" :- dose(P, N), limit(M), N > M, D = N - M, not waived(P).
        @id "many" :- patient(P), C = count { X : takes(P, X) }, C > 1.
        alive(anna). dead(anna). alive(ben). dose(anna, 7). dose(ben, 9). limit(5). waived(ben).
        patient(ben). takes(ben, a). takes(ben, b).
    """)
    met = {each.rule.id: each for each in closure.violations()}
    assert set(met) == {"alive", "dose", "many"}
    assert met["alive"].premises == (fact("alive(anna)"), fact("dead(anna)"))
    assert met["dose"].binding == {
        "P": entity("anna"), "N": Value.of(7), "M": Value.of(5), "D": Value.of(2),
    }  # fmt: skip
    assert met["many"].binding == {"P": entity("ben"), "C": Value.of(2)}


def test_a_closure_that_is_not_up_to_date_answers_nothing_but_what_is_asserted() -> None:
    rules, _ = program("p(X) :- q(X).")
    closure = Closure(rules)
    closure.add([fact("q(a)")])
    assert closure.asserted(fact("q(a)"))
    for ask in (closure.count, lambda: closure.holds(fact("q(a)")), lambda: list(closure.match(fact("q(X)")))):
        with pytest.raises(RuntimeError, match=re.escape("call close()")):
            ask()
    closure.close()
    assert closure.holds(fact("p(a)"))
    assert not closure.asserted(fact("p(a)"))


def test_faults_of_the_caller() -> None:
    closure = Closure(())
    with pytest.raises(ValueError, match="no variables"):
        closure.add([fact("p(X)")])
    ids = closure.terms.ids([entity("a"), entity("b")])
    with pytest.raises(ValueError, match="all of one length"):
        closure.add_columns(entity("p"), ids, ids[:1])
    with pytest.raises(ValueError, match="numbers of terms"):
        closure.add_columns(entity("p"), ids, np.array([0, 99]))
    with pytest.raises(ValueError, match="numbers of terms"):
        closure.add_columns(entity("p"), ids, np.array([0.5, 1.0]))
    bare = Closure((), proofs=False)
    bare.close()
    with pytest.raises(RuntimeError, match="proofs=True"):
        bare.proof(fact("p(a)"))


def test_rules_that_bind_nothing_or_share_an_id_are_refused_all_at_once() -> None:
    x, y = Variable("X"), Variable("Y")
    p, q = entity("p"), entity("q")
    rules = [
        Rule("one", Atom(p, (x, y)), (Atom(q, (x, x)),), "a.rules:1:1"),
        Rule("two", Atom(p, (x, x)), (Atom(q, (x, x)), Comparison("<", y, Value.of(1)))),
        Rule("two", Atom(p, (x, x)), (Atom(q, (x, x)),)),
        Rule("", Atom(p, (x, x)), (Atom(q, (x, x)),)),
    ]
    with pytest.raises(RuleError) as caught:
        Closure(rules)
    text = str(caught.value)
    assert "4 faults" in text
    assert "a.rules:1:1: Nothing binds Y in rule 'one'." in text
    assert "Nothing binds Y in rule 'two'" in text
    assert text.count("each needs one of its own") == 2


def test_when_the_time_is_up_it_stays_stale_and_can_be_closed_again() -> None:
    rules, facts = program("n(M) :- n(N), M = N + 1, N < 600. n(0).")
    closure = Closure(rules)
    closure.add(facts)
    with pytest.raises(OutOfTime, match=r"After 0\.02 seconds"):
        closure.close(seconds=0.02)
    assert closure.stale
    closure.close()
    assert closure.count() == 601
    closure.add([fact("n(5000)")])
    closure.retract([fact("n(0)")])
    with pytest.raises(OutOfTime):
        closure.close(seconds=0)
    assert closure.close().counts == {TYPE: (1, 601)}


def test_terms_and_texts_of_any_script() -> None:
    odd = [
        Value("😀\n"),
        Value("\ud800"),
        Value("a", RDF + "langString", "zh"),
        Value("a"),
        Entity("urn:安:😀"),
        Entity("_:b"),
    ]
    closure = Closure(program("p(X) :- q(X).")[0])
    closure.add(Atom(TYPE, (term, entity("q"))) for term in odd)
    closure.close()
    assert {each.terms[0] for each in found(closure, "p(X)")} == set(odd)
    assert [closure.terms[number] for number in closure.terms.ids(odd)] == odd
    assert closure.terms.of(closure.terms.entities(["urn:安:😀", "urn:new"])) == [odd[4], Entity("urn:new")]
