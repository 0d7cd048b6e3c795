"""How derived rows came about: by which rule, from which rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sibu.logic.closure.compiled import Ready
from sibu.logic.closure.growing import Growing
from sibu.logic.closure.relation import expanded
from sibu.logic.closure.runs import Places, Rows, Run, pack, sorted_run, tidied
from sibu.logic.closure.solve import Table
from sibu.logic.closure.store import Store
from sibu.logic.closure.terms import Ids


class Derivations:
    """The derivations by one rule: a row each, columns for what was derived and for each premise.

    A row here counts as long as the derived row points back at it; what does not is left over.

    Args:
        rule: The rule; it has a head.
        store: The facts.
    """

    def __init__(self, rule: Ready, store: Store) -> None:
        assert rule.head is not None
        self.rule, self._store = rule, store
        head, atoms = rule.head, rule.body.atoms
        self.rows = Growing(np.int32)
        self.premises = [Growing(np.int32) for _ in atoms]
        self.among: list[int | Growing] = [
            _among(pattern.predicate, len(pattern.terms), store) for pattern in (head, *atoms)
        ]
        """Number of the relation of the head and of each atom: one for all, or a column where the predicate is open."""
        self._indexes: list[list[Run]] = [[] for _ in atoms]

    def __len__(self) -> int:
        return len(self.rows)

    def extend(self, relation: int, rows: Rows, premises: Sequence[Rows], among: Mapping[int, int]) -> None:
        """Add derivations.

        Args:
            relation: Whose rows were derived.
            rows: Those rows.
            premises: The row of each positive atom. Shape ``(derived,)`` each.
            among: The relation of each atom, by its place.
        """
        self.rows.extend(rows)
        for column, new in zip(self.premises, premises, strict=True):
            column.extend(new)
        for part, numbers in enumerate(self.among):
            if isinstance(numbers, Growing):
                numbers.fill(among[part - 1] if part else relation, len(rows))

    def columns(self) -> dict[str, Growing]:
        """All that is kept, by name."""
        found = {"rows": self.rows}
        found |= {f"premises.{place}": column for place, column in enumerate(self.premises)}
        return found | {f"among.{part}": each for part, each in enumerate(self.among) if isinstance(each, Growing)}

    def relation(self, part: int, places: Places) -> Ids:
        """The number of the relation of the head (0) or of an atom (from 1), for some derivations."""
        among = self.among[part]
        return among.view[places] if isinstance(among, Growing) else np.full(len(places), among, np.int32)

    def counted(self) -> Places:
        """The derivations that count."""
        return self.counting(np.arange(len(self)))

    def counting(self, places: Places) -> Places:
        """Those of some that count."""
        good = np.zeros(len(places), bool)
        for number, own in self.by_relation(0, places):
            relation = self._store.relations[number]
            rows = self.rows.view[places[own]]
            good[own] = (relation.rule.view[rows] == self.rule.number) & (relation.place.view[rows] == places[own])
            good[own] &= ~relation.dead.view[rows]
        return places[good]

    def by_relation(self, part: int, places: Places) -> list[tuple[int, Places]]:
        """Which of some derivations have a head (0) or an atom (from 1) of which relation."""
        among = self.among[part]
        if not isinstance(among, Growing):
            return [(among, np.arange(len(places)))]
        numbers = among.view[places]
        return [(number, np.flatnonzero(numbers == number)) for number in np.unique(numbers).tolist()]

    def table(self, places: Places) -> Table:
        """What the atoms' variables stand for in some derivations."""
        columns: dict[str, Ids] = {}
        for place, pattern in enumerate(self.rule.body.atoms):
            rows = self.premises[place].view[places]
            parts = self.by_relation(place + 1, places)
            for column, name in enumerate((pattern.predicate, *pattern.terms)):
                if isinstance(name, str) and name not in columns:
                    columns[name] = self._terms(parts, rows, column - 1)
        return Table(len(places), columns)

    def _terms(self, parts: Sequence[tuple[int, Places]], rows: Rows, column: int) -> Ids:
        """The terms of rows of several relations in one column; -1: their predicate."""
        found = np.empty(len(rows), np.int32)
        for number, own in parts:
            relation = self._store.relations[number]
            found[own] = relation.predicate if column < 0 else relation.columns[column].view[rows[own]]
        return found

    def leaning(self, atom: int, number: int, rows: Rows) -> Places:
        """The derivations whose premise for an atom is one of these rows of a relation."""
        among = self.among[atom + 1]
        if not isinstance(among, Growing):
            if among != number:
                return np.zeros(0, np.intp)
            keys = rows.astype(np.int64)
        else:
            keys = pack(np.full(len(rows), number, np.int32), rows)
        found = [np.zeros(0, np.intp)]
        for run in self._index(atom):
            assert run.rows is not None
            found.append(run.rows[expanded(*run.exact(keys, unique=False))[1]].astype(np.intp))
        return np.concatenate(found)

    def _index(self, atom: int) -> list[Run]:
        runs = self._indexes[atom]
        done = runs[-1].end if runs else 0
        if done < len(self):
            rows, among = self.premises[atom].view[done:], self.among[atom + 1]
            keys = pack(among.view[done:], rows) if isinstance(among, Growing) else rows.astype(np.int64)
            self._indexes[atom] = tidied([*runs, sorted_run(keys, done, rows=True)])
        return self._indexes[atom]

    def renumber(self, places: Places, new: Mapping[int, Rows]) -> None:
        """Keep some derivations alone, and follow rows to their new numbers.

        Args:
            places: Those that count.
            new: For each relation the new number of each old row.
        """
        for part, column in enumerate((self.rows, *self.premises)):
            rows = column.view[places]
            for number, own in self.by_relation(part, places):
                rows[own] = new[number][rows[own]]
            column.replace(rows)
        for among in self.among:
            if isinstance(among, Growing):
                among.replace(among.view[places])
        self._indexes = [[] for _ in self.premises]
        for number, own in self.by_relation(0, np.arange(len(self))):
            self._store.relations[number].place.view[self.rows.view[own]] = own


def _among(predicate: int | str, arity: int, store: Store) -> int | Growing:
    return Growing(np.int32) if isinstance(predicate, str) else store.number(predicate, arity)
