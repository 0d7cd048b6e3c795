"""Bodies of rules joined over a graph, atom by atom."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from sibu.logic.mining.columns import Ints, Relations, changes, once

Columns = dict[str, Ints]


class Wide(Exception):
    """A join is of more rows than were allowed."""


@dataclass(frozen=True, slots=True)
class Join:
    """An atom: number of its property, and a variable's name or a thing's place on either side."""

    number: int
    subject: str | int
    object: str | int

    @property
    def variables(self) -> set[str]:
        """Names of its variables."""
        return {each for each in (self.subject, self.object) if isinstance(each, str)}

    def bound(self, names: Collection[str]) -> int:
        """How many of its sides are known."""
        return sum(not isinstance(each, str) or each in names for each in (self.subject, self.object))


@dataclass(frozen=True, slots=True)
class Table:
    """Bindings: a column a variable."""

    columns: Columns
    count: int
    """Rows; a table without columns has one, or none."""

    def take(self, rows: Ints) -> Table:
        """Some rows."""
        return Table({name: column[rows] for name, column in self.columns.items()}, len(rows))

    def only(self, names: Collection[str]) -> Table:
        """Some columns, each row once, sorted."""
        if not set(self.columns) - set(names):
            return self
        kept = {name: column for name, column in self.columns.items() if name in names}
        return Table(kept, min(self.count, 1)) if not kept else _once(kept)


def _once(columns: Columns) -> Table:
    names = list(columns)
    if len(names) == 1:
        column = once(columns[names[0]])
        return Table({names[0]: column}, len(column))
    order = np.lexsort([columns[name] for name in reversed(names)])
    ordered = {name: columns[name][order] for name in names}
    new = np.zeros(len(order), np.bool_)
    for column in ordered.values():
        new[changes(column)] = True
    return Table(ordered, len(order)).take(np.flatnonzero(new))


def joined(relations: Relations, atoms: Sequence[Join], table: Table, keep: Collection[str], most: int) -> Table:
    """All that fulfils some atoms, beginning with a table.

    Args:
        relations: The graph.
        atoms: What must hold, in any order.
        table: Bindings to begin with.
        keep: The variables that are asked for.
        most: Most rows at a time.

    Raises:
        Wide: When they become more.
    """
    left = list(atoms)
    while left:
        atom = max(left, key=lambda each: each.bound(table.columns))  # of equals the first
        left.remove(atom)
        needed = set(keep).union(*(each.variables for each in left))
        table = _joined(relations, atom, table, most).only(needed)
    return table


def _joined(relations: Relations, atom: Join, table: Table, most: int) -> Table:
    label = 2 * atom.number
    first, second = (_column(side, table) for side in (atom.subject, atom.object))
    if first is not None and second is not None:
        return table.take(relations.holds(label, first, second))
    if first is None and second is None:
        return _crossed(relations, atom, table, most)
    things, name = (first, atom.object) if first is not None else (second, atom.subject)
    label += first is None
    assert things is not None and isinstance(name, str)
    if int(relations.lengths(label, things).sum()) > most:
        raise Wide
    owner, reached = relations.step(label, things)
    wider = table.take(owner)
    return Table({**wider.columns, name: reached}, len(owner))


def _column(side: str | int, table: Table) -> Ints | None:
    """What is known of a side, by row; None: nothing."""
    return table.columns.get(side) if isinstance(side, str) else np.full(table.count, side, np.int64)


def _crossed(relations: Relations, atom: Join, table: Table, most: int) -> Table:
    """Each row with each pair of an atom that shares nothing with it."""
    assert isinstance(atom.subject, str) and isinstance(atom.object, str)
    first, second = relations.pairs[2 * atom.number]
    if atom.subject == atom.object:
        first = second = first[first == second]
    if len(first) * table.count > most:
        raise Wide
    wider = table.take(np.repeat(np.arange(table.count), len(first)))
    own = {name: np.tile(column, table.count) for name, column in ((atom.subject, first), (atom.object, second))}
    return Table({**wider.columns, **own}, wider.count)
