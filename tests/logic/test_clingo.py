"""The naive evaluator against clingo, which was written by others for other ends."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sibu.core.logic import Aggregate, Atom, Not, Value
from sibu.logic.closure import Closure
from sibu.logic.sound import faults
from sibu.logic.text import parse
from tests.logic import asp, naive
from tests.logic.closures import NAMES, assert_proved, everything, fact, found
from tests.logic.programs import Program, program, programs

pytest.importorskip("clingo", reason="clingo is not installed: pip install 'sibu[dev]'")


def same_as_clingo(made: Program) -> naive.Model:
    model = naive.evaluate(made.rules, made.facts)
    (found,) = asp.follows(made.rules, made.facts)
    assert found == model.facts
    return model


@settings(max_examples=40)
@given(programs(plain=True))
def test_any_program(made: Program) -> None:
    same_as_clingo(made)


def test_a_hundred_programs_of_up_to_twelve_strata() -> None:
    used, deep, generic = Counter[str](), 0, 0
    for seed in range(100):
        made = program(Random(seed), seed % 13, plain=True)
        model = same_as_clingo(made)
        fired = {name for name, *_ in model.why.values()}
        for rule in (each for each in made.rules if each.id in fired):
            used.update(each.operator if isinstance(each, Aggregate) else type(each).__name__ for each in rule.body)
        deep += any(naive.depth(model.proof(fact)) >= 12 for fact in model.why)
        generic += made.generic
    assert min(used[name] for name in ("Not", "Comparison", "count", "sum", "min", "max")) >= 5, used
    assert deep > 10
    assert generic > 10


def test_clingo_would_notice() -> None:
    made = program(Random(3), 6, plain=True)
    without = next(
        tuple(other for other in made.rules if other is not each)
        for each in made.rules
        if any(isinstance(part, Not) for part in each.body)
        and naive.evaluate([other for other in made.rules if other is not each], made.facts).facts
        != naive.evaluate(made.rules, made.facts).facts
    )
    assert asp.follows(without, made.facts)[0] != naive.evaluate(made.rules, made.facts).facts


ANYTHING = """
end(X) :- to(_, X), not to(X, _).
begin(X) :- to(X, _), not to(_, X).
alone(X) :- node(X), not to(X, _), not to(_, X).
still :- node(_), not moved(_).
quiet(X, N) :- node(X), N = count { Y : to(X, Y), not to(Y, _) }.
loop(X) :- node(X), not not_loop(X).
not_loop(X) :- node(X), not to(X, X).
"""


@settings(max_examples=25)
@given(st.sets(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=6))
def test_what_may_be_anything_within_a_denied_atom(pairs: set[tuple[int, int]]) -> None:
    """Rule text, the naive evaluator, clingo, the engine and the checker agree on `not to(X, _)`."""
    program = parse(ANYTHING, NAMES)
    assert faults(program, None).errors == ()
    facts = [fact(f"node(n{number})") for number in range(4)]
    facts += [fact(f"to(n{one}, n{other})") for one, other in sorted(pairs)]
    model = same_as_clingo(Program(program.rules, tuple(facts)))
    closure = Closure(program.rules)
    closure.add(facts)
    closure.close()
    assert everything(closure, program.rules, facts) == model.facts
    assert_proved(closure, model.why, facts)
    ends = {f"n{other}" for _, other in pairs} - {f"n{one}" for one, _ in pairs}
    assert found(closure, "end(X)") == {fact(f"end({name})") for name in ends}


def test_what_has_no_translation_is_refused() -> None:
    fact = Atom(program(Random(0), 0).facts[0].predicate, (Value.of(0.5),))
    with pytest.raises(asp.Untranslatable):
        asp.follows([], [fact])
