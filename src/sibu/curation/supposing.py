"""Hypotheses: what holds only where uncertain rules are believed, and how far."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import prod

from sibu.core.logic import Atom, Proof, Rule
from sibu.logic.closure import Closure

DIGITS, SMALLEST = 6, 1e-6
"""Of a score."""


def scores(supposed: Closure, rules: Iterable[Rule]) -> dict[Atom, float]:
    """Every hypothesis with its score, in (0, 1).

    The score of a fact is the confidence of the rule that concludes it times the scores of its premises, where what is
    certain scores 1; so the confidences of the rules are multiplied along the stored proof, once for each time that
    one is used, as if each were right or wrong by itself. What an aggregate counts is no premise: where nothing else is
    uncertain, the score is the least confidence of all rules.
    """
    confidence = {rule.id: rule.confidence for rule in rules}
    least = min(confidence.values(), default=1.0)
    found: dict[Atom, float] = {}
    for fact in hypotheses(supposed):
        if fact not in found:
            proof = supposed.proof(fact)
            assert proof is not None
            _score(proof, confidence, least, found)
    return found


def score_of(proof: Proof, rules: Iterable[Rule]) -> float:
    """The score of a hypothesis by its proof from certain facts."""
    confidence = {rule.id: rule.confidence for rule in rules}
    found: dict[Atom, float] = {}
    _score(proof, confidence, min(confidence.values(), default=1.0), found)
    return found.get(proof.conclusion, 1.0)


def _score(proof: Proof, confidence: dict[str, float], least: float, found: dict[Atom, float]) -> None:
    for step in proof:
        if step.rule and step.fact not in found:
            premises = (found.get(proof.steps[place].fact, 1.0) for place in step.premises)
            score = confidence[step.rule] * prod(premises)
            found[step.fact] = min(max(round(score if score < 1 else least, DIGITS), SMALLEST), 1 - SMALLEST)


def hypotheses(supposed: Closure) -> Iterator[Atom]:
    """What follows, and is not certain."""
    arities = {2, *(len(rule.head.terms) for rule in supposed.rules if rule.head is not None)}
    for predicate, count in supposed.counts().items():
        for arity in arities if count.derived else ():
            columns = supposed.columns(predicate, arity, derived=True)
            terms = [supposed.terms.of(column) for column in columns]
            yield from (Atom(predicate, each) for each in zip(*terms, strict=True))
