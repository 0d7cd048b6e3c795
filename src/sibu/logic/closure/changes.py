"""What a closure gained and lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from sibu.core.logic import Atom, Entity
from sibu.logic.closure.aggregate import groups
from sibu.logic.closure.relation import Relation
from sibu.logic.closure.removal import columns_of, fresh, lost
from sibu.logic.closure.store import Store
from sibu.logic.closure.terms import Ids, Terms


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Facts of one predicate, as columns of numbers."""

    predicate: Entity
    columns: tuple[Ids, ...]
    """One for each term."""
    size: int
    terms: Terms
    """Whose numbers they are."""

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[Atom]:
        """The facts themselves."""
        listed = [self.terms.of(column) for column in self.columns]
        for row in range(self.size):
            yield Atom(self.predicate, tuple(column[row] for column in listed))


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """What holds now and did not before, and the other way round; each predicate and number of terms a part."""

    came: tuple[Part, ...]
    went: tuple[Part, ...]

    @property
    def counts(self) -> Mapping[Entity, tuple[int, int]]:
        """How many facts of each predicate came and went."""
        found: dict[Entity, tuple[int, int]] = {}
        for place, parts in enumerate((self.came, self.went)):
            for part in parts:
                one, two = found.get(part.predicate, (0, 0))
                found[part.predicate] = (one + part.size * (1 - place), two + part.size * place)
        return found


Former = Mapping[int, tuple[list[Ids], int]]
"""What held when all was closed last: columns and number of rows, by the number of the relation."""


def former(store: Store) -> Former:
    """What held when all was closed last."""
    found = {}
    for number, relation in enumerate(store.relations):
        rows = relation.alive(np.arange(relation.closed, dtype=np.int32))
        rows = np.concatenate([rows, *relation.died])
        found[number] = columns_of(relation, rows), len(rows)
    return found


def changes(store: Store, before: Former | None = None) -> Changes:
    """What has changed since all was closed last; ``before``: what held then, where rows do not tell any more."""
    came: list[Part] = []
    went: list[Part] = []
    for number, relation in enumerate(store.relations):
        if before is None:
            rows = fresh(relation, relation.alive(np.arange(relation.closed, relation.count, dtype=np.int32)))
            gone = lost(relation)
            pair = _of(relation, rows), (columns_of(relation, gone), len(gone))
        else:
            pair = _compared(relation, before.get(number, ([], 0)))
        for parts, (columns, size) in zip((came, went), pair, strict=True):
            if size:
                parts.append(Part(store.predicate(relation), tuple(columns), size, store.terms))
    return Changes(tuple(came), tuple(went))


def _of(relation: Relation, rows: Ids) -> tuple[list[Ids], int]:
    if len(rows) == relation.count:  # without a copy
        return [column.view for column in relation.columns], len(rows)
    return columns_of(relation, rows), len(rows)


def _compared(relation: Relation, before: tuple[list[Ids], int]) -> tuple[tuple[list[Ids], int], tuple[list[Ids], int]]:
    """What a relation has that it had not, and what it had and has not."""
    columns, size = before
    if not size:
        return (list(relation.facts()), relation.count - relation.dead_count), ([], 0)
    now = relation.living()
    own = columns_of(relation, now)
    both = [np.concatenate(pair) for pair in zip(own, columns, strict=True)]
    group = groups(both, len(now) + size)[1]
    came = np.flatnonzero(~np.isin(group[: len(now)], group[len(now) :]))
    went = np.flatnonzero(~np.isin(group[len(now) :], group[: len(now)]))
    return ([column[came] for column in own], len(came)), ([column[went] for column in columns], len(went))
