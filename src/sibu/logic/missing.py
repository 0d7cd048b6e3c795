"""Why a fact does not hold: for each rule that could conclude it, what comes closest to it and what is missing there.

A rule's premises are joined as far as they hold: first all of them, then all but one, and so on; the first choice that
has an answer is the closest. Of several answers that with the fewest other conditions that fail is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice
from typing import TypeGuard

import numpy as np

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
    Rule,
    Term,
    Variable,
)
from sibu.logic.closure import Closure, OutOfTime
from sibu.logic.closure.compiled import Assign, Body, Pattern, Ready, Test, Total
from sibu.logic.closure.numbers import evaluated
from sibu.logic.closure.solve import Pick, Solver, Table
from sibu.logic.standard import is_standard

SHOWN = 3
"""Facts that are named where a denied atom is met."""
MOST_PREMISES = 8
"""Of a rule with more, at most two premises are left out at once."""
_ROW, _BEFORE = "{row}", "{before}"
"""Columns beside the variables, none of which can be written so."""


@dataclass(frozen=True, slots=True)
class Told:
    """One condition of a rule, with what is known put in."""

    condition: Condition
    holds: bool | None
    """None: that depends on what is missing."""
    facts: tuple[Atom, ...] = ()
    """Of an atom that holds: the fact; of a denied one that fails: some of the facts that it denies."""
    sides: tuple[Term | None, Term | None] = (None, None)
    """What the two sides of a comparison come to; of an aggregate its result, then what it comes to."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """How close a rule comes to a conclusion."""

    rule: Rule
    binding: Mapping[str, Term]
    """What its variables stand for, as far as premises that hold say it."""
    conclusion: Atom
    """Its head with that."""
    conditions: tuple[Told, ...]
    """In the order of its body."""
    ways: int = 1
    """How many choices of premises come as close."""

    @property
    def failing(self) -> tuple[Told, ...]:
        """The conditions that do not hold."""
        return tuple(each for each in self.conditions if each.holds is False)

    @property
    def missing(self) -> tuple[Atom, ...]:
        """The premises that are no facts."""
        return tuple(each.condition for each in self.failing if isinstance(each.condition, Atom))


def could_conclude(asked: Atom, rules: Sequence[Rule]) -> list[Rule]:
    """The rules whose head may be what is asked for."""
    return [rule for rule in rules if rule.head is not None and _start(asked, rule.head) is not None]


def attempts(asked: Atom, closure: Closure, seconds: float | None = 10.0) -> list[Attempt]:
    """How close each rule comes to a fact that does not hold, the closest first.

    A rule over all properties or all classes, such as OWL's, is told only where its premises about the schema hold:
    else everything that can be said of a class would be.

    Args:
        asked: The fact, or an atom that no fact is.
        closure: Facts and rules; it is closed.
        seconds: How long it may take, about; rules that were not looked at by then are left out.
    """
    rules, solver = closure.ready(seconds)
    found = []
    try:
        for rule in rules:
            attempt = _closest(asked, rule, solver)
            if attempt is not None:
                found.append(attempt)
    except OutOfTime:
        pass
    return sorted(found, key=lambda each: (len(each.failing), _is_open(each.rule)))


def _closest(asked: Atom, rule: Ready, solver: Solver) -> Attempt | None:
    """How close one rule comes; None: it has another head, or says nothing about this one."""
    head = rule.rule.head
    start = _start(asked, head) if head is not None else None
    if head is None or start is None or not rule.rule.body:
        return None
    given = {name: np.array([solver.terms.id(term)], np.int32) for name, term in start.items()}
    needed = _schema(rule.rule) if _is_open(rule.rule) else frozenset[int]()
    if _is_open(rule.rule) and not needed:
        return None
    best: tuple[int, Table, int] | None = None
    ways = 0
    for chosen in _choices(rule.body, frozenset(given), needed, solver.terms.id(TYPE)):
        if best is not None and len(chosen) < best[2]:
            break
        fails, table, count = _joined(rule.body, chosen, given, solver)
        if not count:
            continue
        if best is None or fails < best[0]:
            best, ways = (fails, table, len(chosen)), count
        elif fails == best[0]:
            ways += count
    if best is None:
        return None
    binding = {name: solver.terms[int(column[0])] for name, column in best[1].columns.items() if name != _ROW}
    told = tuple(_Teller(rule, binding, solver).all())
    return Attempt(rule.rule, binding, _filled(head, binding), told, ways)


def _start(asked: Atom, head: Atom) -> dict[str, Term] | None:
    """What a head's variables stand for where it is to be what is asked for; None: it cannot be."""
    if len(asked.terms) != len(head.terms):
        return None
    found: dict[str, Term] = {}
    for own, term in zip((head.predicate, *head.terms), (asked.predicate, *asked.terms), strict=True):
        if isinstance(term, Variable):
            continue
        if (found.setdefault(own.name, term) if isinstance(own, Variable) else own) != term:
            return None
    return found


def _is_open(rule: Rule) -> bool:
    """Whether a rule concludes something of every property, or of every class."""
    head = rule.head
    return head is not None and (
        isinstance(head.predicate, Variable)
        or (head.predicate == TYPE and len(head.terms) == 2 and isinstance(head.terms[1], Variable))
    )


def _schema(rule: Rule) -> frozenset[int]:
    """The places of the premises that are about the schema."""
    return frozenset(place for place, atom in enumerate(rule.atoms) if _is_schema(atom))


def _is_schema(atom: Atom) -> bool:
    name = atom.predicate
    if name == TYPE and len(atom.terms) == 2:
        name = atom.terms[1] if isinstance(atom.terms[1], Entity) else Variable("")
    return isinstance(name, Entity) and is_standard(name.iri)


# Which premises hold together.


def _choices(body: Body, given: frozenset[str], needed: frozenset[int], kind: int) -> Iterator[tuple[int, ...]]:
    """Sets of premises that may hold together, the largest first, of one size those with the earlier premises first."""
    count = len(body.atoms)
    least = 0 if count <= MOST_PREMISES else count - 2
    for size in range(count, least - 1, -1):
        for chosen in combinations(range(count), size):
            if needed.issubset(chosen) and _is_connected([body.atoms[place] for place in chosen], given, kind):
                yield chosen


def _is_connected(atoms: Sequence[Pattern], given: frozenset[str], kind: int) -> bool:
    """Whether each atom hangs together with what is asked for, or with a thing that it names, by shared variables.

    A class that it names does not count: it has too many members.
    """
    known, left = set(given), list(atoms)
    while left:
        nearest = next((each for each in left if not each.variables or each.variables & known), None)
        nearest = nearest or next((each for each in left if _names_thing(each, kind)), None)
        if nearest is None and known:
            return False
        nearest = nearest or left[0]
        left.remove(nearest)
        known |= nearest.variables
    return True


def _names_thing(atom: Pattern, kind: int) -> bool:
    terms = atom.terms[:1] if atom.predicate == kind and len(atom.terms) == 2 else atom.terms
    return any(isinstance(term, int) for term in terms)


def _joined(
    body: Body, chosen: Sequence[int], given: Mapping[str, np.ndarray], solver: Solver
) -> tuple[int, Table, int]:
    """How many other conditions fail at least where some premises hold, one such row, and how many there are."""
    picks = [Pick(body.atoms[place]) for place in chosen]
    wanted = frozenset(given).union(*(pick.pattern.variables for pick in picks))
    table = next(solver.solve(Table(1, dict(given)), picks, (), wanted, each=True), None)
    if table is None or not table.size:
        return 0, Table(0), 0
    columns = {name: column for name, column in table.columns.items() if name in wanted}
    failing = np.zeros(table.size, np.int64)
    left = Table(table.size, {**columns, _ROW: np.arange(table.size, dtype=np.int32)})
    for test in body.tests:
        if not _uses(test) <= left.columns.keys():
            continue
        kept = _tested(left, test, solver)
        fails = np.ones(table.size, bool)
        fails[kept.columns[_ROW]] = False
        failing[left.columns[_ROW][fails[left.columns[_ROW]]]] += 1
        if _gives(test):
            left = kept  # a row without the variable can be asked nothing more
    fewest = int(failing.min())
    rows = np.flatnonzero(failing == fewest)
    row = rows[:1]
    return fewest, Table(1, {name: column[row] for name, column in columns.items()}), len(rows)


def _tested(table: Table, test: Test, solver: Solver) -> Table:
    """The rows for which a condition holds; what it binds may be known already, from what is asked for."""
    if not _gives(test) or test.gives not in table.columns:
        return solver.tested(table, test)
    before = table.columns[test.gives]
    columns = {name: column for name, column in table.columns.items() if name != test.gives}
    kept = solver.tested(Table(table.size, columns | {_BEFORE: before}), test)
    return kept.picked(np.flatnonzero(kept.columns[test.gives] == kept.columns.pop(_BEFORE)))


def _uses(test: Test) -> frozenset[str]:
    """The variables that a condition reads."""
    return test.needs | {test.gives} if isinstance(test, Total) and test.bound else test.needs


def _gives(test: Test) -> TypeGuard[Assign | Total]:
    """Whether a condition binds a variable."""
    return isinstance(test, Assign) or (isinstance(test, Total) and not test.bound)


# What is told of a rule.


class _Teller:
    """Tells of each condition of a rule whether it holds with a binding."""

    def __init__(self, rule: Ready, binding: dict[str, Term], solver: Solver) -> None:
        self._rule, self._solver, self._binding = rule, solver, binding
        self._tests = dict(zip(map(id, rule.body.conditions), rule.body.tests, strict=True))

    def all(self) -> list[Told]:
        """Of every condition; those that bind a variable add to the binding."""
        told = {id(each): self._test(each) for each in self._rule.body.conditions}
        return [self._atom(each) if isinstance(each, Atom) else told[id(each)] for each in self._rule.rule.body]

    def _atom(self, atom: Atom) -> Told:
        filled = _filled(atom, self._binding)
        facts = tuple(islice(self._facts(filled), 1))
        if filled.ground:
            return Told(filled, bool(facts), facts)
        return Told(filled, None if facts else False)

    def _facts(self, atom: Atom) -> Iterator[Atom]:
        solver = self._solver
        parts = [each.name if isinstance(each, Variable) else solver.terms.find(each)
                 for each in (atom.predicate, *atom.terms)]  # fmt: skip
        if -1 in parts or not isinstance(atom.predicate, Entity | Variable):
            return
        pattern = Pattern(parts[0], tuple(parts[1:]))
        for table in solver.solve(Table(1), [Pick(pattern)], (), pattern.variables, each=True):
            columns = {name: solver.terms.of(column) for name, column in table.columns.items()}
            for row in range(table.size):
                yield _filled(atom, {name: terms[row] for name, terms in columns.items()})

    def _test(self, each: Condition) -> Told:
        test = self._tests[id(each)]
        if isinstance(each, Not):
            return self._denied(each, test.needs)
        if not _uses(test) <= self._binding.keys():
            return Told(put_in(each, self._binding), None)
        table = self._table()
        kept = _tested(table, test, self._solver)
        holds = bool(kept.size)
        if holds and _gives(test):
            self._binding[test.gives] = self._solver.terms[int(kept.columns[test.gives][0])]
        if isinstance(each, Comparison):
            sides = (self._worth(each.left), self._worth(each.right))
            return Told(put_in(each, self._binding), holds, sides=sides)
        assert isinstance(each, Aggregate) and isinstance(test, Total)
        ids, there = self._solver.total(table, test)
        total = self._solver.terms[int(ids[0])] if there[0] else None
        return Told(put_in(each, self._binding), holds, sides=(self._binding.get(each.result.name), total))

    def _denied(self, each: Not, needs: frozenset[str]) -> Told:
        filled = _filled(each.atom, self._binding)
        if not needs <= self._binding.keys():
            return Told(Not(filled), None)
        facts = tuple(islice(self._facts(filled), SHOWN))
        return Told(Not(filled), not facts, facts)

    def _table(self) -> Table:
        terms = self._solver.terms
        return Table(1, {name: np.array([terms.id(term)], np.int32) for name, term in self._binding.items()})

    def _worth(self, expression: Expression) -> Term | None:
        if isinstance(expression, Variable):
            return self._binding.get(expression.name)
        ids, there = evaluated(expression, self._table().columns, 1, self._solver.terms)
        return self._solver.terms[int(ids[0])] if there[0] else None


def _filled(atom: Atom, binding: Mapping[str, Term]) -> Atom:
    """An atom with what its variables stand for; a value is no predicate, and is not put in there."""
    parts = [binding.get(each.name, each) if isinstance(each, Variable) else each
             for each in (atom.predicate, *atom.terms)]  # fmt: skip
    predicate = parts[0] if isinstance(parts[0], Entity | Variable) else atom.predicate
    return Atom(predicate, tuple(parts[1:]))


def put_in(condition: Condition, binding: Mapping[str, Term]) -> Condition:
    """A condition with what its variables stand for; the result of an aggregate stays."""
    if isinstance(condition, Atom):
        return _filled(condition, binding)
    if isinstance(condition, Not):
        return Not(_filled(condition.atom, binding))
    if isinstance(condition, Comparison):
        return replace(
            condition, left=_expression(condition.left, binding), right=_expression(condition.right, binding)
        )
    body = tuple(put_in(each, binding) for each in condition.body)
    items = tuple(_expression(each, binding) for each in condition.items)
    return replace(condition, items=items, body=body)  # type: ignore[arg-type]


def _expression(expression: Expression, binding: Mapping[str, Term]) -> Expression:
    if isinstance(expression, Variable):
        return binding.get(expression.name, expression)
    if isinstance(expression, Arithmetic):
        left, right = (_expression(side, binding) for side in (expression.left, expression.right))
        return replace(expression, left=left, right=right)
    return expression
