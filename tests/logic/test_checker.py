import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sibu.checker import Checker, Known
from sibu.core.errors import ProofRejected, SibuError
from sibu.core.logic import (
    TYPE,
    Aggregate,
    Arithmetic,
    Atom,
    Comparison,
    Condition,
    Entity,
    Expression,
    Not,
    Proof,
    Rule,
    Source,
    Step,
    Term,
    Value,
    Variable,
    proof_of,
)
from sibu.core.names import RDF, XSD
from tests.logic import mutations, naive
from tests.logic.programs import BASE, Program, program, programs

X, Y, Z, N, M, P, Q = (Variable(name) for name in "XYZNMPQ")
ANNA, BEN, IBU, WARFARIN = (Entity(BASE + name) for name in ("anna", "ben", "布洛芬", "warfarin"))


def atom(name: str, *terms: Term | Variable) -> Atom:
    return Atom(Entity(BASE + name), terms)


def number(text: int | float) -> Value:
    return Value.of(text)


def rule(head: Atom | None, *body: Condition, name: str = "r") -> Rule:
    return Rule(name, head, body)


def faults_of(steps: Iterable[Step], rules: Iterable[Rule], facts: Iterable[Atom] = ()) -> list[str]:
    return Checker(rules, Known(facts)).faults(Proof(tuple(steps)))


def gives(body: Iterable[Condition], facts: Iterable[Atom], binding: dict[str, Term], *more: Rule) -> list[str]:
    """The faults of one step by a rule of this body, from asserted facts that stand for its atoms in order."""
    made = Rule("made", atom("made", *map(Variable, binding)), tuple(body))
    premises = tuple(facts)[: len(made.atoms)]
    steps = [Step(fact) for fact in premises]
    steps.append(Step(atom("made", *binding.values()), "made", binding, tuple(range(len(premises)))))
    return faults_of(steps, [made, *more], facts)


CONTRA = rule(
    atom("禁忌", P, Q), atom("takes", P, X), atom("interacts", X, Q), Not(atom("cleared", P, Q)), name="contra"
)
FACTS = [atom("takes", ANNA, IBU), atom("interacts", IBU, WARFARIN)]
STEPS = (
    Step(FACTS[0]),
    Step(FACTS[1], sources=(Source("leaflet.txt", 3, 20),)),
    Step(atom("禁忌", ANNA, WARFARIN), "contra", {"P": ANNA, "X": IBU, "Q": WARFARIN}, (0, 1)),
)


# All proofs of the naive evaluator, and nothing else.


def model_of(made: Program) -> naive.Model:
    try:
        return naive.evaluate(made.rules, made.facts, 1000)
    except (naive.Unstratified, naive.TooMuch):
        assume(False)
        raise


@settings(max_examples=25)
@given(programs(), st.integers(0, 999))
def test_proofs_of_any_program_are_accepted_and_mutated_ones_are_not(made: Program, seed: int) -> None:
    model, draw = model_of(made), Random(seed)
    checker = Checker(made.rules, Known(made.facts))
    for fact in model.why:
        checker.check(model.proof(fact), fact)
    for fact in draw.sample(list(model.why), min(len(model.why), 1)):
        for each in mutations.of_proof(model, model.proof(fact), draw):
            judge(checker, model, each)


def judge(checker: Checker, model: naive.Model, mutation: mutations.Mutation) -> bool:
    """Whether it was rejected, which it must be unless it happens to be a proof."""
    try:
        checker.check(mutation.proof, mutation.asked)
    except ProofRejected:
        assert not mutation.stands(model), f"{mutation.kind}: a proof was rejected"
        return True
    assert mutation.stands(model), f"{mutation.kind}: accepted"
    return False


@pytest.mark.parametrize("start", range(0, 200, 50))
def test_proofs_of_hundreds_of_programs(start: int) -> None:
    depths, conditions = Counter[int](), Counter[str]()
    for seed in range(start, start + 50):
        made = program(Random(seed), seed % 13)
        model = naive.evaluate(made.rules, made.facts)
        checker = Checker(made.rules, Known(made.facts))
        proofs = {fact: model.proof(fact) for fact in model.why}
        for fact, proof in proofs.items():
            checker.check(proof, fact)
        depths[max(map(naive.depth, proofs.values()), default=0)] += 1
        used = {name for name, *_ in model.why.values()}
        conditions.update(type(part).__name__ for each in made.rules if each.id in used for part in each.body)
    assert sum(count for depth, count in depths.items() if depth > 12) >= 4, depths
    assert min(conditions[name] for name in ("Not", "Comparison", "Aggregate")) > 15, conditions


def test_mutated_proofs_of_every_kind() -> None:
    rejected, accepted = Counter[str](), Counter[str]()
    for seed in range(100):
        draw = Random(seed)
        made = program(draw, seed % 13)
        model = naive.evaluate(made.rules, made.facts)
        checker = Checker(made.rules, Known(made.facts))
        changed = [] if seed % 5 else list(mutations.of_program(made, model, draw, most=5))
        for fact in draw.sample(list(model.why), min(len(model.why), 1)):
            changed += mutations.of_proof(model, model.proof(fact), draw)
        for each in changed:
            (rejected if judge(checker, model, each) else accepted)[each.kind] += 1
    assert all(rejected[kind] >= 3 for kind in mutations.ALL), rejected
    assert accepted["a fact not asserted"] > 10, "what stands though it was made otherwise is accepted"


def test_a_proof_goes_through_json() -> None:
    proof = proof_of(Proof(STEPS).to_json())
    Checker([CONTRA], Known(FACTS)).check(proof, atom("禁忌", ANNA, WARFARIN))


# What a proof may be rejected for.


def changed(place: int, **changes: object) -> list[str]:
    steps = [*STEPS]
    steps[place] = replace(steps[place], **changes)  # type: ignore[arg-type]
    return faults_of(steps, [CONTRA, rule(None, atom("takes", P, P), name="never")], FACTS)


@pytest.mark.parametrize(
    ("place", "changes", "fault"),
    [
        (0, {"fact": atom("takes", BEN, IBU)}, r"step 0: <.*takes>\(<.*ben>, <.*布洛芬>\) is not asserted"),
        (0, {"fact": atom("takes", X, IBU)}, "step 0: it is no fact"),
        (0, {"premises": (0,)}, "step 0: it names no rule, so"),
        (0, {"binding": {"P": ANNA}}, "step 0: it names no rule, so"),
        (2, {"rule": ""}, "step 2: it names no rule, so"),
        (2, {"rule": "other"}, "the program has no rule 'other'"),
        (2, {"rule": "never"}, "'never' is a constraint"),
        (2, {"premises": (0,)}, "it has 1 premises, rule 'contra' 2 positive atoms"),
        (2, {"premises": (0, 1, 1)}, "it has 3 premises"),
        (2, {"premises": (1, 0)}, r"its premise 1 is not <.*takes>\(P, X\)"),
        (2, {"premises": (0, 2)}, "premise 2 is no earlier step"),
        (2, {"premises": (0, 3)}, "premise 3 is no earlier step"),
        (2, {"premises": (0, -2)}, "premise -2 is no earlier step"),
        (2, {"premises": (False, 1)}, "premise False is no earlier step"),
        (2, {"premises": ("0", 1)}, "premise '0' is no earlier step"),
        (2, {"binding": {"P": ANNA, "X": IBU}}, r"its binding is not .* give: P = <.*anna>, X = <.*>, Q = <.*>"),
        (2, {"binding": {"P": ANNA, "X": IBU, "Q": WARFARIN, "Z": IBU}}, "its binding is not"),
        (2, {"binding": {"P": BEN, "X": IBU, "Q": WARFARIN}}, "its binding is not"),
        (2, {"fact": atom("禁忌", BEN, WARFARIN)}, r"rule 'contra' does not conclude <.*禁忌>"),
        (2, {"sources": (Source("letter.txt"),)}, "it can have no sources"),
    ],
)
def test_what_is_wrong_is_told(place: int, changes: dict[str, object], fault: str) -> None:
    found = changed(place, **changes)
    assert any(re.search(fault, each) for each in found), found


def test_every_fault_is_told_at_once() -> None:
    steps = (Step(atom("takes", BEN, IBU)), *STEPS[1:])
    with pytest.raises(ProofRejected) as caught:
        Checker([CONTRA], Known(FACTS)).check(Proof(steps), atom("禁忌", BEN, WARFARIN))
    assert len(caught.value.faults) == 3
    assert str(caught.value).startswith("The proof is not accepted, so nothing is proved:\nstep 0: ")
    assert isinstance(caught.value, SibuError)


def test_a_proof_of_something_else_is_none() -> None:
    with pytest.raises(ProofRejected, match=r"it concludes <.*禁忌>.* but <.*takes>.* was to be proved"):
        Checker([CONTRA], Known(FACTS)).check(Proof(STEPS), FACTS[0])


@pytest.mark.parametrize("ids", [("same", "same"), ("",)])
def test_rules_have_ids_of_their_own(ids: tuple[str, ...]) -> None:
    with pytest.raises(SibuError, match="each needs one of its own"):
        Checker([rule(atom("p", X), atom("q", X), name=name) for name in ids], Known())


# Negation.


def test_what_is_denied_is_neither_asserted_nor_derived() -> None:
    cleared = atom("cleared", ANNA, WARFARIN)
    by_rule = rule(atom("cleared", P, Q), atom("ok", P, Q, N), Comparison(">", N, number(3)), name="clear")
    assert faults_of(STEPS, [CONTRA, by_rule], FACTS) == []
    assert faults_of(STEPS, [CONTRA], [*FACTS, cleared]) == ["step 2: condition 3 of rule 'contra' does not hold"]
    assert faults_of(STEPS, [CONTRA, by_rule], [*FACTS, atom("ok", ANNA, WARFARIN, number(4))])
    assert not faults_of(STEPS, [CONTRA, by_rule], [*FACTS, atom("ok", ANNA, WARFARIN, number(3))])
    assert faults_of(STEPS, [CONTRA, rule(cleared, name="clear")], FACTS)


def test_denial_of_a_denial() -> None:
    blocked = rule(atom("cleared", P, Q), atom("ok", P, Q), Not(atom("blocked", P)), name="clear")
    facts = [*FACTS, atom("ok", ANNA, WARFARIN)]
    assert faults_of(STEPS, [CONTRA, blocked], facts)
    assert not faults_of(STEPS, [CONTRA, blocked], [*facts, atom("blocked", ANNA)])


def test_a_variable_of_a_negated_atom_alone() -> None:
    body, facts = [atom("patient", P), Not(atom("takes", P, X))], [atom("patient", ANNA)]
    assert gives(body, facts, {"P": ANNA}) == []
    assert gives(body, [*facts, atom("takes", BEN, IBU)], {"P": ANNA}) == []
    assert gives(body, [*facts, atom("takes", ANNA, IBU)], {"P": ANNA})
    assert gives([atom("patient", P), Not(atom("likes", X, X))], [*facts, atom("likes", ANNA, BEN)], {"P": ANNA}) == []
    assert gives([atom("patient", P), Not(atom("likes", X, X))], [*facts, atom("likes", BEN, BEN)], {"P": ANNA})


def test_a_deep_recursion_that_is_denied() -> None:
    """What cannot be reached from the first of a thousand places."""
    count = 1000
    places = [Entity(f"{BASE}place{place}") for place in range(count)]
    steps = [atom("step", *pair) for pair in pairwise(places)]
    facts = [*steps, *(atom("place", place) for place in (*places, ANNA))]
    rules = [
        rule(atom("reached", places[0]), name="start"),
        rule(atom("reached", Y), atom("reached", X), atom("step", X, Y), name="on"),
        rule(atom("lost", X), atom("place", X), Not(atom("reached", X)), name="lost"),
    ]
    checker = Checker(rules, Known(facts))
    assert not checker.faults(Proof((Step(facts[-1]), Step(atom("lost", ANNA), "lost", {"X": ANNA}, (0,)))))
    last = places[-1]
    found = checker.faults(Proof((Step(facts[-2]), Step(atom("lost", last), "lost", {"X": last}, (0,)))))
    assert found == ["step 1: condition 2 of rule 'lost' does not hold"]


def test_what_rests_on_its_own_denial_is_not_accepted() -> None:
    rules = [
        rule(atom("p", X), atom("q", X), Not(atom("r", X)), name="one"),
        rule(atom("r", X), atom("q", X), Not(atom("p", X)), name="other"),
    ]
    found = faults_of(
        [Step(atom("q", ANNA)), Step(atom("p", ANNA), "one", {"X": ANNA}, (0,))], rules, [atom("q", ANNA)]
    )
    assert found == [
        "step 1: rule 'one': what it denies or counts rests on itself, so that no order of the rules says what holds"
    ]


def test_what_would_rest_on_itself_but_for_the_facts() -> None:
    """Who can move to a place from which there is no winning move wins."""
    wins = rule(atom("wins", X), atom("move", X, Y), Not(atom("wins", Y)), name="wins")
    places = [Entity(f"{BASE}place{place}") for place in range(8)]
    moves = [atom("move", *pair) for pair in pairwise(places)]
    for place, (here, there) in enumerate(pairwise(places)):
        steps = [Step(moves[place]), Step(atom("wins", here), "wins", {"X": here, "Y": there}, (0,))]
        found = faults_of(steps, [wins], moves)
        assert found == ([] if place % 2 == 0 else ["step 1: condition 2 of rule 'wins' does not hold"])
        assert faults_of(steps, [wins], [*moves, atom("move", places[-1], places[0])]), "round and round nobody wins"


@pytest.mark.parametrize("least", [0, 1])
def test_a_count_of_what_follows_from_it_is_not_accepted(least: int) -> None:
    counted = Aggregate(N, "count", (X,), (atom("p", X),))
    rules = [rule(atom("p", number(1)), counted, Comparison(">=", N, number(least)), name="p")]
    for count in (0, 1):
        assert faults_of([Step(atom("p", number(1)), "p", {"N": number(count)})], rules)


def test_strata_of_aggregates_on_aggregates() -> None:
    height = 12
    rules = [
        rule(atom(f"n{level + 1}", N), Aggregate(N, "count", (X,), (atom(f"n{level}", X),)), name=f"r{level}")
        for level in range(height)
    ]
    facts = [atom("n0", ANNA), atom("n0", BEN)]
    step = Step(atom(f"n{height}", number(1)), f"r{height - 1}", {"N": number(1)})
    assert faults_of([step], rules, facts) == []
    first = Step(atom("n1", number(2)), "r0", {"N": number(2)})
    assert faults_of([first, step], rules, facts) == []
    assert faults_of([replace(first, fact=atom("n1", number(1)), binding={"N": number(1)})], rules, facts)


def test_a_rule_that_leaves_a_variable_open_is_not_accepted() -> None:
    asserted = [atom("q", ANNA)]
    head = rule(atom("p", X, Y), atom("q", X), name="head")
    twice = rule(atom("p", X), atom("q", X), Not(atom("r", Y)), Not(atom("s", Y)), name="twice")
    told = rule(atom("p", X), atom("q", X), Comparison("<", Y, number(1)), name="told")
    counted = rule(
        atom("p", X), atom("q", X), Not(atom("r", Y)), Aggregate(N, "count", (Z,), (atom("s", Y, Z),)), name="c"
    )
    circle = rule(atom("p", X), atom("q", X), Comparison("=", Y, Arithmetic("+", Y, number(0))), name="circle")
    for each in (head, twice, told, counted, circle):
        step = Step(atom("p", *[ANNA] * len(each.head.terms)), each.id, {"X": ANNA}, (0,))  # type: ignore[union-attr]
        assert "it is unsafe" in faults_of([Step(asserted[0]), step], [each], asserted)[0]
    denies = rule(
        atom("z", X), atom("q", X), Not(atom("p", X)), name="denies"
    )  # an unsafe rule must not derive nothing
    steps = [Step(asserted[0]), Step(atom("z", ANNA), "denies", {"X": ANNA}, (0,))]
    assert "it is unsafe" in faults_of(steps, [told, denies], asserted)[0]


# Comparisons and arithmetic.


@pytest.mark.parametrize(
    ("left", "sign", "right", "holds"),
    [
        (number(1), "=", number(1.0), True),
        (number(1), "=", Value("01", XSD + "integer"), True),
        (number(1), "!=", Value("1.0", XSD + "decimal"), False),
        (number(1), "=", Value("1"), False),
        (number(1), "!=", Value("1"), True),
        (ANNA, "=", ANNA, True),
        (ANNA, "!=", BEN, True),
        (ANNA, "<", BEN, False),
        (ANNA, "<=", ANNA, False),
        (Value("a"), "<", Value("b"), True),
        (Value("药"), ">", Value("a"), True),
        (Value("a"), "<", Value("b", XSD + "token"), False),
        (Value("2020-01-31", XSD + "date"), "<", Value("2020-02-01", XSD + "date"), True),
        (Value("9999-01-31", XSD + "date"), "<", Value("10000-02-01", XSD + "date"), True),
        (
            Value("2020-01-01T23:00:00-05:00", XSD + "dateTime"),
            ">",
            Value("2020-01-02T01:00:00Z", XSD + "dateTime"),
            True,
        ),
        (Value("2020-01-01T00:00:00", XSD + "dateTime"), "<", Value("2020-01-09T00:00:00Z", XSD + "dateTime"), False),
        (Value("2020-02-30", XSD + "date"), "<", Value("2020-03-01", XSD + "date"), False),
        (Value("2020-02-30", XSD + "date"), "=", Value("2020-02-30", XSD + "date"), True),
        (Value("a", RDF + "langString", "en"), "=", Value("a", RDF + "langString", "de"), False),
        (Value("10"), "<", Value("9"), True),
        (number(10), "<", number(9), False),
        (number(10), "<", Value("9"), False),
        (Value("ten", XSD + "integer"), "<", number(11), False),
        (number(2**53 + 1), ">", number(2.0**53), True),
        (number(2**53 + 1), "!=", number(2**53), True),
        (number(float("nan")), "=", number(float("nan")), False),
        (Arithmetic("/", number(1), number(0)), "=", Arithmetic("/", number(1), number(0)), False),
        (Arithmetic("%", number(1), number(0)), "!=", number(3), False),
        (Arithmetic("//", number(-7), number(2)), "=", number(-4), True),
        (Arithmetic("%", number(-7), number(2)), "=", number(1), True),
        (Arithmetic("/", number(7), number(2)), "=", number(3.5), True),
        (Arithmetic("+", Value("1"), number(2)), "=", number(3), False),
        (Arithmetic("*", number(10**400), number(1.5)), ">", number(0), False),
        (Arithmetic("-", Arithmetic("*", number(10**30), number(10)), number(10**31)), "=", number(0), True),
    ],
)
def test_comparisons(left: Expression, sign: str, right: Expression, holds: bool) -> None:
    body: list[Condition] = [atom("patient", P), Comparison(sign, left, right)]  # type: ignore[arg-type]
    assert (gives(body, [atom("patient", ANNA)], {"P": ANNA}) == []) is holds
    made = naive.evaluate([rule(atom("made", P), *body)], [atom("patient", ANNA)])
    assert (len(made.why) == 1) is holds


def test_a_number_too_long_to_be_written_is_none() -> None:
    long = Arithmetic("*", number(10**4000), number(10**4000))
    assert gives([atom("q", X), Comparison("=", N, long)], [atom("q", ANNA)], {"X": ANNA, "N": number(1)}) == [
        "step 1: condition 2 of rule 'made' does not hold"
    ]


def test_a_variable_gets_the_very_value() -> None:
    body = [atom("age", P, N), Comparison("=", M, Arithmetic("*", N, number(2)))]
    facts = [atom("age", ANNA, Value("035", XSD + "integer"))]
    own: dict[str, Term] = {"P": ANNA, "N": facts[0].terms[1]}  # type: ignore[dict-item]
    assert gives(body, facts, own | {"M": number(70)}) == []
    assert gives(body, facts, own | {"M": number(70.0)})
    assert gives(body, facts, own | {"M": number(71)})
    assert gives([body[0], Comparison("=", N, M)], facts, own | {"M": facts[0].terms[1]}) == []
    assert gives([body[0], Comparison("=", N, M)], facts, own | {"M": number(35)})
    assert gives([Comparison("=", N, number(35)), body[0]], facts, own) == []


# Aggregates.


def test_aggregates() -> None:
    facts = [atom("takes", ANNA, IBU), atom("takes", ANNA, WARFARIN), atom("takes", BEN, IBU)]
    facts += [atom("dose", IBU, number(4)), atom("dose", WARFARIN, number(4))]
    inner = (atom("takes", P, X), atom("dose", X, N))

    def total(operator: str, *items: Expression) -> list[Condition]:
        return [atom("takes", P, Q), Aggregate(M, operator, items, inner)]  # type: ignore[arg-type]

    own: dict[str, Term] = {"P": ANNA, "Q": IBU}
    assert gives(total("count", X), facts, own | {"M": number(2)}) == []
    assert gives(total("count", X), facts, own | {"M": number(3)})
    assert gives(total("count", N), facts, own | {"M": number(1)}) == []
    assert gives(total("sum", N), facts, own | {"M": number(4)}) == []
    assert gives(total("sum", N, X), facts, own | {"M": number(8)}) == []
    assert gives(total("sum", N, X), facts, own | {"M": number(8.0)})
    assert gives(total("mean", N, X), facts, own | {"M": number(4.0)}) == []
    assert gives(total("sum", Arithmetic("*", N, number(10)), X), facts, own | {"M": number(80)}) == []
    assert gives(total("min", N), [*facts, atom("dose", IBU, number(4.0))], own | {"M": number(4)}) == []


def test_aggregates_of_nothing_and_of_what_is_not_alike() -> None:
    def total(operator: str) -> list[Condition]:
        return [atom("q", X), Aggregate(M, operator, (N,), (atom("has", X, N),))]  # type: ignore[arg-type]

    none, mixed = [atom("q", ANNA)], [atom("q", ANNA), atom("has", ANNA, number(1)), atom("has", ANNA, BEN)]
    texts = [atom("q", ANNA), atom("has", ANNA, Value("b")), atom("has", ANNA, Value("a"))]
    for operator in ("count", "sum"):
        assert gives(total(operator), none, {"X": ANNA, "M": number(0)}) == []
    for operator in ("sum", "min", "max", "mean"):
        for facts in (mixed, [] if operator == "sum" else none):
            if facts:
                assert "does not hold" in gives(total(operator), facts, {"X": ANNA, "M": number(1)})[0]
    assert gives(total("min"), texts, {"X": ANNA, "M": Value("a")}) == []
    assert gives(total("max"), texts, {"X": ANNA, "M": Value("b")}) == []
    assert "does not hold" in gives(total("sum"), texts, {"X": ANNA, "M": number(0)})[0]
    nan = [atom("q", ANNA), *(atom("has", ANNA, number(float(text))) for text in ("nan", "1"))]
    assert "does not hold" in gives(total("min"), nan, {"X": ANNA, "M": number(1.0)})[0]


def test_sums_do_not_hang_on_the_order() -> None:
    body = [atom("q", X), Aggregate(M, "sum", (N, Y), (atom("has", Y, N),))]
    terms = [(f"t{place}", number(0.1)) for place in range(10)] + [("big", number(1e16)), ("small", number(-1e16))]
    facts = [atom("q", ANNA), *(atom("has", Entity(BASE + name), value) for name, value in terms)]
    assert gives(body, facts, {"X": ANNA, "M": number(1.0)}) == []


def test_an_aggregate_over_what_is_derived() -> None:
    more = rule(atom("has", X, Y), atom("knows", Y, X), name="more")
    body = [atom("q", X), Aggregate(M, "count", (Y,), (atom("has", X, Y), Not(atom("bad", Y))))]
    facts = [atom("q", ANNA), atom("has", ANNA, IBU), atom("knows", BEN, ANNA)]
    assert gives(body, facts, {"X": ANNA, "M": number(2)}, more) == []
    assert gives(body, [*facts, atom("bad", BEN)], {"X": ANNA, "M": number(1)}, more) == []
    assert gives(body, [*facts, atom("bad", BEN)], {"X": ANNA, "M": number(2)}, more)


def test_a_result_that_something_else_binds_is_compared() -> None:
    body = [atom("q", X, N), Aggregate(N, "count", (Y,), (atom("has", Y),))]
    facts = [atom("q", ANNA, number(1.0)), atom("has", BEN)]
    assert gives(body, facts, {"X": ANNA, "N": number(1.0)}) == []
    assert gives(body, [*facts, atom("has", ANNA)], {"X": ANNA, "N": number(1.0)})


# Open predicates and classes.

SUB = rule(Atom(Q, (X, Y)), Atom(P, (X, Y)), atom("sub", P, Q), name="sub")
SUBCLASS = rule(Atom(TYPE, (X, Q)), Atom(TYPE, (X, P)), atom("subclass", P, Q), name="subclass")


def test_open_predicates() -> None:
    takes, uses = Entity(BASE + "takes"), Entity(BASE + "uses")
    facts = [atom("takes", ANNA, IBU), atom("sub", takes, uses)]
    binding: dict[str, Term] = {"X": ANNA, "Y": IBU, "P": takes, "Q": uses}
    steps = [*map(Step, facts), Step(atom("uses", ANNA, IBU), "sub", binding, (0, 1))]
    assert faults_of(steps, [SUB], facts) == []
    assert faults_of([*steps[:2], Step(atom("uses", ANNA, IBU), "sub", binding | {"P": uses}, (0, 1))], [SUB], facts)
    valued = [atom("takes", ANNA, IBU), atom("sub", takes, number(3))]  # a value is no predicate
    step = Step(atom("uses", ANNA, IBU), "sub", {**binding, "Q": number(3)}, (0, 1))
    assert "does not conclude" in faults_of([*map(Step, valued), step], [SUB], valued)[0]


def test_negation_beside_open_predicates() -> None:
    cleared = Entity(BASE + "cleared")
    waived = atom("waived", ANNA, WARFARIN)
    assert not faults_of(STEPS, [CONTRA, SUB], [*FACTS, waived])
    found = faults_of(STEPS, [CONTRA, SUB], [*FACTS, waived, atom("sub", Entity(BASE + "waived"), cleared)])
    assert found == ["step 2: condition 3 of rule 'contra' does not hold"]
    # What an open rule makes of a denial may be denied again.
    safe = rule(atom("safe", P), atom("takes", P, X), Not(atom("risk", P, WARFARIN)), name="safe")
    risk = atom("sub", Entity(BASE + "禁忌"), Entity(BASE + "risk"))
    last = (Step(FACTS[0]), Step(atom("safe", ANNA), "safe", {"P": ANNA, "X": IBU}, (0,)))
    assert faults_of(last, [CONTRA, SUB, safe], [*FACTS, risk])
    assert not faults_of(last, [CONTRA, SUB, safe], [*FACTS, risk, atom("cleared", ANNA, WARFARIN)])
    # Whoever has a contraindication is cleared by it: no order of the rules says what holds.
    circle = atom("sub", Entity(BASE + "禁忌"), cleared)
    assert "rests on itself" in faults_of(STEPS, [CONTRA, SUB], [*FACTS, circle])[0]


def test_rules_below_go_on_with_what_an_open_rule_adds_later() -> None:
    """``fever`` is a ``symptom`` by an open rule, after a denial, and ``ill`` follows from that by an earlier rule."""
    classes = {name: Entity(BASE + name) for name in ("Person", "Well", "Hot", "Symptom", "Ill")}

    def of(thing: Term | Variable, name: str) -> Atom:
        return Atom(TYPE, (thing, classes[name]))

    rules = [
        SUBCLASS,
        rule(of(X, "Hot"), of(X, "Person"), Not(of(X, "Well")), name="hot"),
        rule(of(X, "Ill"), of(X, "Symptom"), name="ill"),
        rule(atom("home", X, X, X), of(X, "Person"), Not(of(X, "Ill")), name="home"),
    ]
    facts = [of(ANNA, "Person"), atom("subclass", classes["Hot"], classes["Symptom"])]
    steps = [Step(facts[0]), Step(atom("home", ANNA, ANNA, ANNA), "home", {"X": ANNA}, (0,))]
    assert faults_of(steps, rules, facts)
    assert not faults_of(steps, rules, [*facts, of(ANNA, "Well")])


# Large stores.


class Store:
    """A million facts ``next(n, n + 1)`` that nobody has written down."""

    looks = 0

    def __contains__(self, fact: Atom, /) -> bool:
        one, other = (term.number if isinstance(term, Value) else None for term in fact.terms)
        return fact.predicate == Entity(BASE + "next") and one is not None and 0 <= one < 10**6 and one + 1 == other

    def matching(self, pattern: Atom, /) -> Iterator[Atom]:
        if pattern.predicate != Entity(BASE + "next"):
            return
        first, second = pattern.terms
        start = first.number if isinstance(first, Value) else None
        back = second.number if isinstance(second, Value) else None
        places = [start] if start is not None else [back - 1] if back is not None else range(10**6)
        for place in places:
            self.looks += 1
            yield atom("next", number(place), number(place + 1))


def test_a_store_is_not_read_through() -> None:
    rules = [
        rule(atom("after", X, Z), atom("next", X, Y), atom("next", Y, Z), name="after"),
        rule(atom("end", Y), atom("next", X, Y), Not(atom("closed", Y)), name="end"),
        rule(atom("only", Y), atom("next", X, Y), Aggregate(N, "count", (Z,), (atom("next", Y, Z),)),
             Comparison("=", N, number(1)), name="only"),
        rule(atom("closed", Y), atom("next", Y, Z), atom("next", Z, X), name="closed"),
    ]  # fmt: skip
    store = Store()
    checker = Checker(rules, store, limit=5000)
    first, second = atom("next", number(7), number(8)), atom("next", number(8), number(9))
    binding: dict[str, Term] = {"X": number(7), "Y": number(8), "Z": number(9)}
    steps = (Step(first), Step(second), Step(atom("after", number(7), number(9)), "after", binding, (0, 1)))
    assert checker.faults(Proof(steps)) == []
    assert store.looks == 0
    counted = Step(atom("only", number(8)), "only", {"X": number(7), "Y": number(8), "N": number(1)}, (0,))
    assert checker.faults(Proof((Step(first), counted))) == []
    assert store.looks == 1
    denied = Step(atom("end", number(8)), "end", {"X": number(7), "Y": number(8)}, (0,))
    for _ in range(2):
        (found,) = checker.faults(Proof((Step(first), denied)))
        assert "takes more than 5,000 looks at facts, so it is not accepted" in found
    assert store.looks < 10_000, "what is too much is tried once"


def test_facts_in_memory_are_found_by_their_rarest_term() -> None:
    known = Known(atom("takes", Entity(f"{BASE}p{place}"), IBU) for place in range(100))
    known.add(atom("takes", ANNA, IBU))
    known.add(atom("takes", ANNA, IBU))
    assert list(known.matching(atom("takes", ANNA, X))) == [atom("takes", ANNA, IBU)]
    assert len(list(known.matching(Atom(P, (X, Y))))) == 101
    assert list(known.matching(atom("gives", X, IBU))) == []
