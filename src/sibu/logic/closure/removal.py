"""Facts that go: what leaned on them goes too, and what still follows in another way comes back.

First everything goes whose derivation leans on what went; then what of it can be derived from what is left is derived
again (delete and rederive: Gupta, Mumick and Subrahmanian, "Maintaining views incrementally", 1993). Since every row
keeps one derivation, and that leans on older rows alone, nothing goes that leans only on what stays, and no two facts
keep each other alive.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from sibu.logic.closure.aggregate import groups
from sibu.logic.closure.compiled import Deny, Pattern, Ready, Total, denied
from sibu.logic.closure.derivations import Derivations
from sibu.logic.closure.layers import Frozen, Layer
from sibu.logic.closure.relation import Relation
from sibu.logic.closure.rounds import Rounds
from sibu.logic.closure.runs import Places, Rows
from sibu.logic.closure.solve import Table
from sibu.logic.closure.store import Store
from sibu.logic.closure.terms import Ids

PLACE = "{place}"
"""A column beside the variables: which derivation a row is. No variable can be written so."""
Gone = Mapping[int, Rows]
"""Rows by the number of their relation."""


class Removal:
    """Takes facts out of a closure, and puts it right.

    Args:
        store: The facts.
        derivations: Of each rule, by its number; None of a constraint.
        rounds: Runs rules.
        frozen: What must not change any more.
    """

    def __init__(self, store: Store, derivations: Sequence[Derivations | None], rounds: Rounds, frozen: Frozen) -> None:
        self._store, self._rounds, self._frozen = store, rounds, frozen
        self._derivations = [each for each in derivations if each is not None]
        self._by_rule = {each.rule.number: each for each in self._derivations}
        self._former: dict[int, list[Rows]] = {}
        self._fresh: dict[int, list[Rows]] = {}

    def go(self, gone: Gone) -> None:
        """These rows go, and all that leans on them, however indirectly."""
        waiting = {number: rows for number, rows in gone.items() if len(rows)}
        for number, rows in waiting.items():
            self._kill(number, rows)
        while waiting:
            self._rounds.solver.watch.look()
            found: dict[int, list[Rows]] = {}
            for number, rows in waiting.items():
                for derivations in self._derivations:
                    for atom in range(len(derivations.premises)):
                        self._drop(derivations, derivations.leaning(atom, number, rows), found)
            waiting = {number: np.concatenate(rows) for number, rows in found.items()}

    def _drop(self, derivations: Derivations, places: Places, found: dict[int, list[Rows]]) -> None:
        """Derivations count no more; what was derived goes, unless it is asserted."""
        if not len(places):
            return
        places = derivations.counting(np.unique(places))
        for number, own in derivations.by_relation(0, places):
            relation = self._store.relations[number]
            rows = derivations.rows.view[places[own]]
            relation.rule.view[rows] = -1
            rows = rows[~relation.asserted.view[rows]]
            if len(rows):
                self._kill(number, rows)
                found.setdefault(number, []).append(rows)

    def _kill(self, number: int, rows: Rows) -> None:
        relation = self._store.relations[number]
        self._frozen.check(number, relation.columns[1].view[rows] if relation.arity == 2 else None, -1)
        relation.kill(rows)
        self._fresh.setdefault(number, []).append(rows)

    # What came and went since all was closed last.

    def came(self, relation: Relation) -> Rows:
        """The rows of facts that were not there."""
        rows = np.arange(relation.closed, relation.count, dtype=np.int32)
        return fresh(relation, relation.alive(rows))

    def _changes(self, pattern: Pattern, came: bool, went: bool) -> Iterator[tuple[Relation, Rows]]:
        """The changed facts that may be as an atom is."""
        if isinstance(pattern.predicate, str):
            numbers = [number for number, each in enumerate(self._store.relations) if each.arity == 2]
        else:
            numbers = [self._store.number(pattern.predicate, len(pattern.terms))]
        for number in numbers:
            relation = self._store.relations[number]
            parts = ([self.came(relation)] if came else []) + ([lost(relation)] if went else [])
            rows = fitting(relation, pattern, np.concatenate(parts))
            if len(rows):
                yield relation, rows

    def changed(self, rule: Ready) -> bool:
        """Whether something has changed that a rule denies or counts."""
        return any(True for atom in rule.denied() for _ in self._changes(atom, came=True, went=True))

    # Layer by layer.

    def layer(self, layer: Layer, marks: Sequence[int]) -> None:
        """Bring a layer up to date; those below are.

        Args:
            layer: Its rules.
            marks: For each relation how many rows there were when all was closed last.
        """
        lower = [rule for rule in layer.own if rule.lower]
        for rule in lower:
            starts = [*self._starts(rule, denied_came=True), *self._counted(rule)]
            if starts:
                self.go(self._invalid(rule, starts))
        self._rounds.first(layer.own, marks)
        for rule in lower:
            for start in (*self._starts(rule, denied_came=False), *self._counted(rule)):
                self._rounds.whole(rule, start)
        self._again(layer.own, self._former)
        self._again(layer.all, self._fresh)
        for number, rows in self._fresh.items():
            self._former.setdefault(number, []).extend(rows)
        self._fresh = {}
        self._rounds.rest(layer.all)

    def _starts(self, rule: Ready, denied_came: bool) -> Iterator[Table]:
        """What a rule's variables are where something that it denies came, or else went."""
        for test in rule.body.tests:
            if isinstance(test, Deny):
                for relation, rows in self._changes(test.pattern, came=denied_came, went=not denied_came):
                    yield started(rule, test.pattern, relation, rows)

    def _counted(self, rule: Ready) -> Iterator[Table]:
        """What a rule's variables are where something that it counts came or went."""
        for test in rule.body.tests:
            if isinstance(test, Total):
                for atom in (*test.body.atoms, *denied(test.body)):
                    for relation, rows in self._changes(atom, came=True, went=True):
                        yield started(rule, atom, relation, rows)

    def _invalid(self, rule: Ready, starts: Sequence[Table]) -> Gone:
        """What a rule derived and does not derive any more.

        Args:
            rule: The rule.
            starts: What its variables are where something has changed.
        """
        derivations = self._by_rule[rule.number]
        places = derivations.counted()
        table = derivations.table(places)
        touched = np.flatnonzero(_any_of(table, starts))
        places, table = places[touched], table.picked(touched)
        table.columns[PLACE] = np.arange(len(places), dtype=np.int32)
        solver = self._rounds.solver
        solver.reading = partial(self._frozen.freeze, rule)
        for test in rule.body.tests:
            if table.size:
                table = solver.tested(table, test)
        solver.reading = None
        wrong = np.ones(len(places), bool)
        wrong[table.columns[PLACE][self._same_head(derivations, places, table)]] = False
        places, found = places[wrong], {}
        for number, own in derivations.by_relation(0, places):
            relation = self._store.relations[number]
            rows = derivations.rows.view[places[own]]
            relation.rule.view[rows] = -1
            found[number] = rows[~relation.asserted.view[rows]]
        return found

    def _same_head(self, derivations: Derivations, places: Places, table: Table) -> Places:
        """The rows of a table that conclude what was concluded."""
        assert derivations.rule.head is not None
        if not table.size:
            return np.zeros(0, np.intp)
        own = places[table.columns[PLACE]]
        same = np.ones(table.size, bool)
        for number, part in derivations.by_relation(0, own):
            relation = self._store.relations[number]
            rows = derivations.rows.view[own[part]]
            for column, term in enumerate(derivations.rule.head.terms):
                if isinstance(term, str):
                    same[part] &= table.columns[term][part] == relation.columns[column].view[rows]
        return np.flatnonzero(same)

    def _again(self, rules: Sequence[Ready], gone: Mapping[int, Sequence[Rows]]) -> None:
        """Derive what went in another way, where there is one."""
        for number, parts in gone.items():
            relation = self._store.relations[number]
            rows = missing(relation, np.concatenate(parts))
            for rule in rules if len(rows) else ():
                head = rule.head
                if head is None or len(head.terms) != relation.arity:
                    continue
                if isinstance(head.predicate, str) or head.predicate == relation.predicate:
                    fits = fitting(relation, head, rows)
                    if len(fits):
                        self._rounds.whole(rule, started(rule, head, relation, fits))


def _any_of(table: Table, starts: Sequence[Table]) -> npt.NDArray[np.bool_]:
    """Which rows of a table are as one of some others, in all that those tell."""
    found = np.zeros(table.size, bool)
    for start in starts:
        both = [np.concatenate((table.columns[name], terms)) for name, terms in start.columns.items()]
        group = groups(both, table.size + start.size)[1]
        found |= np.isin(group[: table.size], group[table.size :])
    return found


def columns_of(relation: Relation, rows: Rows) -> list[Ids]:
    """The terms of some rows."""
    return [column.view[rows] for column in relation.columns]


def missing(relation: Relation, rows: Rows) -> Rows:
    """Those of some rows whose fact is not there (any more)."""
    columns = columns_of(relation, rows)
    return rows[relation.find(columns, relation.keys(columns, len(rows))) < 0]


def lost(relation: Relation) -> Rows:
    """The rows of facts that were there when all was closed last, and are not now."""
    return missing(relation, np.concatenate(relation.died)) if relation.died else np.zeros(0, np.int32)


def fresh(relation: Relation, rows: Rows) -> Rows:
    """Those of some rows whose fact was not there when all was closed last; all are later than that."""
    if not relation.died or not len(rows):
        return rows
    both = np.concatenate([rows, *relation.died])
    group = groups(columns_of(relation, both), len(both))[1]
    return rows[~np.isin(group[: len(rows)], group[len(rows) :])]


def fitting(relation: Relation, pattern: Pattern, rows: Rows) -> Rows:
    """Those of some rows that an atom of the same width may be; whether of the same predicate is not looked at."""
    first: dict[str, Ids] = {}
    if isinstance(pattern.predicate, str):
        first[pattern.predicate] = np.full(len(rows), relation.predicate, np.int32)
    fits = np.ones(len(rows), bool)
    for column, term in zip(columns_of(relation, rows), pattern.terms, strict=True):
        fits &= column == (term if isinstance(term, int) else first.setdefault(term, column))
    return rows[fits]


def started(rule: Ready, pattern: Pattern, relation: Relation, rows: Rows) -> Table:
    """What the variables of a rule's premises are where one of its other atoms is one of these facts, each once."""
    bindable = frozenset[str]().union(*(atom.variables for atom in rule.body.atoms))
    parts = (pattern.predicate, *pattern.terms)
    columns: dict[str, Ids] = {}
    for column, name in enumerate(parts):
        if isinstance(name, str) and name in bindable and name not in columns:
            terms = (
                np.full(len(rows), relation.predicate, np.int32)
                if not column
                else relation.columns[column - 1].view[rows]
            )
            columns[name] = terms
    places = groups(list(columns.values()), len(rows))[0]
    return Table(len(places), {name: terms[places] for name, terms in columns.items()})
