"""Proofs from derivations: each step once, behind those it leans on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sibu.core.logic import Atom, Proof, Step, Term
from sibu.logic.closure.compiled import Assign, Total
from sibu.logic.closure.derivations import Derivations
from sibu.logic.closure.solve import Solver, Table
from sibu.logic.closure.store import Store

Fact = tuple[int, int]
"""A relation and a row."""


def proof(fact: Fact, derivations: Sequence[Derivations | None], solver: Solver) -> Proof:
    """The proof of a row that is alive.

    Args:
        fact: The relation's number and the row.
        derivations: Of each rule, by its number.
        solver: Reckons what premises alone do not bind.
    """
    store = solver.store
    premises = _unfolded(fact, derivations, store)
    bindings = _bindings(premises, derivations, solver)
    places = {each: place for place, each in enumerate(premises)}
    steps = []
    for each, leans in premises.items():
        derived = _derivation(each, store)
        if derived is None:
            steps.append(Step(_atom(each, store)))
            continue
        found = derivations[derived[0]]
        assert found is not None
        leaning = tuple(places[premise] for premise in leans)
        steps.append(Step(_atom(each, store), found.rule.rule.id, bindings[each], leaning))
    return Proof(tuple(steps))


def _derivation(fact: Fact, store: Store) -> tuple[int, int] | None:
    """The rule by which a row is derived, and the place among that rule's; None: it is asserted."""
    relation = store.relations[fact[0]]
    if relation.asserted.view[fact[1]]:
        return None
    return int(relation.rule.view[fact[1]]), int(relation.place.view[fact[1]])


def _unfolded(fact: Fact, derivations: Sequence[Derivations | None], store: Store) -> dict[Fact, list[Fact]]:
    """All facts of a proof with their premises, each behind its premises; without recursion, as proofs may be deep."""
    found: dict[Fact, list[Fact]] = {}
    waiting: list[tuple[Fact, list[Fact] | None]] = [(fact, None)]
    while waiting:
        each, leans = waiting.pop()
        if each in found:
            continue
        if leans is None:
            leans = _premises(each, derivations, store)
            waiting.append((each, leans))
            waiting += [(premise, None) for premise in reversed(leans) if premise not in found]
        else:
            found[each] = leans
    return found


def _premises(fact: Fact, derivations: Sequence[Derivations | None], store: Store) -> list[Fact]:
    derived = _derivation(fact, store)
    if derived is None:
        return []
    found = derivations[derived[0]]
    assert found is not None
    place = np.array([derived[1]])
    return [
        (int(found.relation(atom + 1, place)[0]), int(rows.view[derived[1]]))
        for atom, rows in enumerate(found.premises)
    ]


def _bindings(
    facts: Mapping[Fact, list[Fact]], derivations: Sequence[Derivations | None], solver: Solver
) -> dict[Fact, Mapping[str, Term]]:
    """What the variables of the rules stand for, by derived fact; all by one rule are looked at together."""
    by_rule: dict[int, list[tuple[Fact, int]]] = {}
    for fact in facts:
        derived = _derivation(fact, solver.store)
        if derived is not None:
            by_rule.setdefault(derived[0], []).append((fact, derived[1]))
    bindings: dict[Fact, Mapping[str, Term]] = {}
    for rule, own in by_rule.items():
        found = derivations[rule]
        assert found is not None
        table = bound(found, np.array([place for _, place in own]), solver)
        columns = {name: solver.terms.of(column) for name, column in table.columns.items()}
        for row, (fact, _) in enumerate(own):
            bindings[fact] = {name: terms[row] for name, terms in columns.items()}
    return bindings


def bound(derivations: Derivations, places: np.ndarray, solver: Solver) -> Table:
    """All that the variables of a rule stand for in some of its derivations."""
    table = derivations.table(places)
    for test in derivations.rule.body.tests:
        if isinstance(test, Assign) or (isinstance(test, Total) and not test.bound):
            table = solver.tested(table, test)
    assert table.size == len(places)
    return table


def _atom(fact: Fact, store: Store) -> Atom:
    relation = store.relations[fact[0]]
    terms = tuple(store.terms[int(column.view[fact[1]])] for column in relation.columns)
    return Atom(store.predicate(relation), terms)
