"""Hypotheses: what uncertain rules conclude, and how far it is believed."""

from __future__ import annotations

from sibu.core.logic import Atom, Rule
from sibu.curation.supposing import SMALLEST, hypotheses, score_of, scores
from sibu.logic.closure import Closure
from sibu.logic.text import parse, parse_atom
from tests.curation.clinic import NAMES

TEXT = """
@confidence 0.5
b(X) :- a(X).
@confidence 0.8
c(X) :- b(X), a(X).
d(X) :- c(X), b(X).
@confidence 0.9
n(N) :- a(_), N = count { X : b(X) }.
sure(X) :- a(X).
"""


def atom(text: str) -> Atom:
    return parse_atom(text, NAMES)


def closed(text: str = TEXT) -> tuple[Closure, tuple[Rule, ...]]:
    rules = parse(text, NAMES).rules
    closure = Closure(rules)
    closure.add([atom("a(x)"), atom("sure(x)")])
    closure.close()
    return closure, rules


def test_confidences_are_multiplied_along_the_proof() -> None:
    closure, rules = closed()
    found = scores(closure, rules)
    assert found[atom("b(x)")] == 0.5
    assert found[atom("c(x)")] == 0.4
    assert found[atom("d(x)")] == 0.2, "b is used twice"
    assert set(found) == set(hypotheses(closure))
    assert atom("sure(x)") not in found


def test_one_proof_has_the_same_score() -> None:
    closure, rules = closed()
    for fact, score in scores(closure, rules).items():
        proof = closure.proof(fact)
        assert proof is not None
        assert score_of(proof, rules) == score


def test_a_score_is_neither_0_nor_1() -> None:
    chain = "@confidence 0.01 p1(X) :- a(X).\n" + "".join(
        f"@confidence 0.01 p{number + 1}(X) :- p{number}(X).\n" for number in range(1, 9)
    )
    closure, rules = closed(chain)
    found = scores(closure, rules)
    assert min(found.values()) == SMALLEST
    counted = scores(*closed("@confidence 0.5 b(X) :- a(X). m(N) :- N = count { X : b(X) }."))
    assert all(0 < score < 1 for score in counted.values())
    assert counted[atom("m(1)")] == 0.5, "the least confidence, where nothing else is uncertain"
