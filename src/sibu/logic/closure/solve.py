"""Bodies of rules over columns: atoms joined one after the other, conditions as soon as their variables are bound."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from sibu.core.errors import SibuError
from sibu.core.logic import Entity
from sibu.logic.closure.aggregate import groups, reduced
from sibu.logic.closure.compiled import Assign, Body, Compare, Deny, Pattern, Test, Total, names
from sibu.logic.closure.numbers import compared, compared_terms, evaluated
from sibu.logic.closure.relation import Found, Relation, Window, picked
from sibu.logic.closure.runs import Places, Rows
from sibu.logic.closure.store import Store
from sibu.logic.closure.terms import Ids

GROUP = "{group}"
"""A column beside the variables: which group of an aggregate a row is of. No variable can be written so."""
_SAMPLE = 64


@dataclass(slots=True)
class Table:
    """Bindings: a column of terms for each variable, and the row of each premise."""

    size: int
    columns: dict[str, Ids] = field(default_factory=dict)
    rows: dict[int, Rows] = field(default_factory=dict)
    """Row of each positive atom, by its place in the rule; with proofs alone."""
    relations: dict[int, int] = field(default_factory=dict)
    """Which relation it is a row of, by the atom's place."""

    def picked(self, places: Places) -> Table:
        """Some of its rows."""
        columns = {name: terms[places] for name, terms in self.columns.items()}
        rows = {atom: each[places] for atom, each in self.rows.items()}
        return Table(len(places), columns, rows, self.relations)


@dataclass(frozen=True, slots=True)
class Pick:
    """An atom and the window in which it is looked for."""

    pattern: Pattern
    window: Window = "all"


class OutOfTime(SibuError):
    """The time was up before all was derived; what is there is not whole."""


class Watch:
    """When to stop.

    Args:
        seconds: How long from now; None: never.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self._seconds = seconds
        self._end = None if seconds is None else time.monotonic() + seconds

    def look(self) -> None:
        """Stop where the time is up.

        Raises:
            OutOfTime: When it is.
        """
        if self._end is not None and time.monotonic() > self._end:
            raise OutOfTime(
                f"After {self._seconds:.3g} seconds not all was derived that follows from the facts. Give it more "
                "time, or look for a rule that goes on for ever, such as one that counts up without a bound."
            )


class Solver:
    """Finds what makes bodies hold.

    Args:
        store: The facts.
        watch: When to stop.
    """

    def __init__(self, store: Store, watch: Watch) -> None:
        self.store, self.terms, self.watch = store, store.terms, watch
        self.reading: Callable[[Pattern, Table], None] | None = None
        """Is told of each atom that is denied or counted, with what its variables stand for."""

    def solve(
        self, start: Table, picks: Sequence[Pick], tests: Sequence[Test], wanted: frozenset[str], each: bool = False
    ) -> Iterator[Table]:
        """All bindings with which atoms and conditions hold, some million at a time.

        Args:
            start: What is bound already.
            picks: The atoms.
            tests: The other conditions, each behind those that bind its variables.
            wanted: The variables that are asked for; of others one choice is enough.
            each: Whether every choice of premises is asked for, not one for each binding of what is wanted.
        """
        self.watch.look()
        left = list(tests)
        for test in tests:
            if test.needs <= start.columns.keys():
                start = self.tested(start, test)
                left.remove(test)
                if not start.size:
                    return
        if not picks:
            assert not left
            yield start
            return
        for chosen, table in self._next(start, picks):
            rest = [pick for pick in picks if pick is not chosen]
            needed = wanted.union(*(pick.pattern.variables for pick in rest), *(_uses(test) for test in left))
            for joined in self.joined(table, chosen, needed, each):
                yield from self.solve(joined, rest, left, wanted, each)

    def body(
        self, body: Body, wanted: frozenset[str], start: Table | None = None, each: bool = False
    ) -> Iterator[Table]:
        """All bindings with which a body holds, over all facts."""
        yield from self.solve(start or Table(1), [Pick(atom) for atom in body.atoms], body.tests, wanted, each)

    # Which atom is next.

    def _next(self, table: Table, picks: Sequence[Pick]) -> Iterator[tuple[Pick, Table]]:
        """The atom to join next. Where its predicate is open: once for each that it may be, which is then bound."""
        chosen = picks[0] if len(picks) == 1 else min(picks, key=lambda pick: self._cost(table, pick))
        name = chosen.pattern.predicate
        if isinstance(name, int):
            yield chosen, table
        elif name in table.columns:
            column = table.columns[name]
            one = table.size == 1 or bool((column == column[0]).all())
            for predicate in column[:1].tolist() if one else np.unique(column).tolist():
                part = table if one else table.picked(np.flatnonzero(column == predicate))
                yield chosen, part
        else:
            for number in self.store.pairs():
                bound = np.full(table.size, self.store.relations[number].predicate, np.int32)
                yield chosen, Table(table.size, {**table.columns, name: bound}, table.rows, table.relations)

    def _cost(self, table: Table, pick: Pick) -> tuple[bool, float]:
        """Whether joining an atom makes a product of what is not connected, and about how many rows it gives."""
        pattern = pick.pattern
        if isinstance(pattern.predicate, str):
            column = table.columns.get(pattern.predicate)
            if column is None:
                return True, float(
                    sum(self.store.relations[number].size(pick.window, {}) for number in self.store.pairs())
                )
            predicates = set(column[:_SAMPLE].tolist())
            numbers = [self.store.find(each, len(pattern.terms)) for each in predicates]
            rows = [self.store.relations[number] for number in numbers if number >= 0]
        else:
            number = self.store.find(pattern.predicate, len(pattern.terms))
            rows = [self.store.relations[number]] if number >= 0 else []
        given = {place: term for place, term in enumerate(pattern.terms) if isinstance(term, int)}
        open_ = {place: term for place, term in enumerate(pattern.terms) if isinstance(term, str)}
        bound = {place: name for place, name in open_.items() if name in table.columns}
        if not bound:
            apart = bool(table.columns) and bool(open_) and table.size > 1
            return apart, float(sum(relation.size(pick.window, given) for relation in rows) * table.size)
        return False, sum(self._fanout(table, relation, pick.window, given, bound) for relation in rows) * table.size

    def _fanout(
        self, table: Table, relation: Relation, window: Window, given: Mapping[int, int], bound: Mapping[int, str]
    ) -> float:
        """How many rows an average row of the table finds, by a sample."""
        if len(bound) + len(given) == relation.arity:
            return 0.5 if relation.count else 0.0
        step = max(1, table.size // _SAMPLE)
        sample: dict[int, Ids | int] = {place: table.columns[name][::step] for place, name in bound.items()}
        size = len(range(0, table.size, step))
        return relation.counted({**given, **sample}, size, window) / size

    # Joins.

    def joined(self, table: Table, pick: Pick, needed: frozenset[str], each: bool) -> Iterator[Table]:
        """The table joined with an atom whose predicate is told, or bound to one name alone."""
        pattern = pick.pattern
        if self.reading and pattern.place < 0:
            self.reading(pattern, table)
        number = self._relation(table, pattern)
        if number < 0:
            return
        kept = self.store.proofs and pattern.place >= 0
        relations = {**table.relations, pattern.place: number} if kept else table.relations
        fresh = pattern.variables - table.columns.keys()
        once = not each and not fresh & needed
        for found in self._found(table, pattern, self.store.relations[number], pick.window, once):
            columns = self._carried(table, found, needed)
            for place, name in enumerate(pattern.terms):
                if isinstance(name, str) and name in fresh and name in needed:
                    columns[name] = found.columns[place]
            rows = {atom: rows[found.left] for atom, rows in table.rows.items()}
            if kept:
                assert found.rows is not None
                rows[pattern.place] = found.rows
            yield Table(len(found.left), columns, rows, relations)

    def _carried(self, table: Table, found: Found, needed: frozenset[str]) -> dict[str, Ids]:
        return {name: terms[found.left] for name, terms in table.columns.items() if name in needed or name == GROUP}

    def _relation(self, table: Table, pattern: Pattern) -> int:
        predicate = pattern.predicate
        if isinstance(predicate, str):
            predicate = int(table.columns[predicate][0])
        return self.store.find(predicate, len(pattern.terms))

    def _found(self, table: Table, pattern: Pattern, relation: Relation, window: Window, once: bool) -> Iterator[Found]:
        """The rows of a relation that fit, with the same term wherever one variable stands twice."""
        given: dict[int, Ids | int] = {}
        first: dict[str, int] = {}
        twice: list[tuple[int, int]] = []
        for place, term in enumerate(pattern.terms):
            if isinstance(term, int):
                given[place] = term
            elif term in table.columns:
                given[place] = table.columns[term]
            elif term in first:
                twice.append((first[term], place))
            else:
                first[term] = place
        for found in relation.look(given, table.size, window, once and not twice):
            for one, two in twice:
                found = picked(found, np.flatnonzero(found.columns[one] == found.columns[two]))
            if len(found.left):
                yield found

    # Conditions.

    def tested(self, table: Table, test: Test) -> Table:
        """The rows for which a condition holds, with what it binds."""
        if isinstance(test, Compare):
            holds = compared(test.operator, test.left, test.right, table.columns, table.size, self.terms)
            return _kept(table, holds)
        if isinstance(test, Assign):
            ids, there = evaluated(test.expression, table.columns, table.size, self.terms)
            return _kept(_with(table, test.gives, ids), there)
        if isinstance(test, Deny):
            return _kept(table, ~self.met(table, test.pattern))
        ids, there = self.total(table, test)
        if not test.bound:
            return _kept(_with(table, test.gives, ids), there)
        places = np.flatnonzero(there)
        there[places] = compared_terms("=", table.columns[test.gives][places], ids[places], self.terms)
        return _kept(table, there)

    def met(self, table: Table, pattern: Pattern, window: Window = "all") -> npt.NDArray[np.bool_]:
        """Whether some fact is as an atom is, in each row."""
        found = np.zeros(table.size, bool)
        start = Table(table.size, {**table.columns, GROUP: np.arange(table.size, dtype=np.int32)})
        for chosen, part in self._next(start, [Pick(pattern, window)]):
            for joined in self.joined(part, chosen, frozenset(), each=False):
                found[joined.columns[GROUP]] = True
        return found

    def total(self, table: Table, test: Total) -> tuple[Ids, npt.NDArray[np.bool_]]:
        """What an aggregate comes to in each row, and where it comes to something."""
        needs = sorted(test.needs)
        first, group = groups([table.columns[name] for name in needs], table.size)
        start = Table(len(first), {name: table.columns[name][first] for name in needs})
        start.columns[GROUP] = np.arange(len(first), dtype=np.int32)
        parts = [self._items(part, test) for part in self.body(test.body, _uses_items(test), start)]
        found, there = reduced(test.operator, parts, len(test.items), len(first), self.terms)
        return found[group], there[group]

    def _items(self, table: Table, test: Total) -> list[Ids]:
        """The group and the items of each row that has all of them."""
        holds = np.ones(table.size, bool)
        columns = [table.columns[GROUP]]
        for item in test.items:
            ids, there = evaluated(item, table.columns, table.size, self.terms)
            columns.append(ids)
            holds &= there
        places = np.flatnonzero(holds)
        return [column[places] for column in columns]


def _uses(test: Test) -> frozenset[str]:
    """The variables that a condition reads."""
    return test.needs | {test.gives} if isinstance(test, Total) else test.needs


def _uses_items(test: Total) -> frozenset[str]:
    return frozenset[str]().union(*(names(item) for item in test.items))


def _with(table: Table, name: str, ids: Ids) -> Table:
    return Table(table.size, {**table.columns, name: ids}, table.rows, table.relations)


def _kept(table: Table, holds: npt.NDArray[np.bool_]) -> Table:
    places = np.flatnonzero(holds)
    return table if len(places) == table.size else table.picked(places)


def is_entity(ids: Ids, store: Store) -> npt.NDArray[np.bool_]:
    """Which of these terms are names: a value is no predicate."""
    unique, inverse = np.unique(ids, return_inverse=True)
    return np.array([isinstance(term, Entity) for term in store.terms.of(unique)], bool)[inverse]
