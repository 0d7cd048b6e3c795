"""What follows from rules, for the tests of this room."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sibu.core.logic import Atom, Rule, Variable
from sibu.logic.closure import Closure


@dataclass(frozen=True)
class Closed:
    """Facts of two terms, and the ids of the constraints that are met."""

    facts: frozenset[Atom]
    violated: frozenset[str]


def close(rules: Sequence[Rule], facts: Iterable[Atom]) -> Closed:
    """By the engine."""
    closure = Closure(rules, proofs=False)
    closure.add(facts)
    closure.close()
    pattern = Atom(Variable("P"), (Variable("S"), Variable("O")))
    return Closed(frozenset(closure.match(pattern)), frozenset(each.rule.id for each in closure.violations()))
