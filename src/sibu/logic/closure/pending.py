"""What a round derives: gathered, freed of what is known or comes twice, and then added all at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sibu.logic.closure.compiled import Pattern, Ready
from sibu.logic.closure.derivations import Derivations
from sibu.logic.closure.layers import Frozen
from sibu.logic.closure.relation import Relation, distinct
from sibu.logic.closure.runs import LOW, Keys, Places, Rows
from sibu.logic.closure.solve import Table, is_entity
from sibu.logic.closure.store import Store
from sibu.logic.closure.terms import Ids

_ROOM = 1_000_000
"""From so many rows on what waits for one relation is freed of what comes twice."""


@dataclass(slots=True)
class Offer:
    """New rows that one rule derives for one relation."""

    rule: int
    keys: Keys
    """In order, each once."""
    columns: Sequence[Ids]
    """Of a wide relation; of others the keys hold all."""
    premises: Sequence[Rows]
    among: dict[int, int]

    def picked(self, places: Places) -> Offer:
        """Some of them."""
        columns, premises = ([each[places] for each in group] for group in (self.columns, self.premises))
        return Offer(self.rule, self.keys[places], columns, premises, self.among)


@dataclass(slots=True)
class Waiting:
    """Offers for one relation."""

    offers: list[Offer] = field(default_factory=list)
    size: int = 0
    allowed: int = _ROOM


class Pending:
    """Gathers what rules derive until the round ends.

    Args:
        store: The facts.
        derivations: Of each rule, by its number; empty without proofs.
        frozen: What must not grow any more.
    """

    def __init__(self, store: Store, derivations: Sequence[Derivations | None], frozen: Frozen) -> None:
        self._store, self._derivations, self._frozen = store, derivations, frozen
        self._waiting: dict[int, Waiting] = {}

    def offer(self, rule: Ready, table: Table) -> None:
        """Take what a rule concludes from bindings."""
        assert rule.head is not None
        predicate = rule.head.predicate
        if isinstance(predicate, int):
            self._take(rule, self._store.number(predicate, len(rule.head.terms)), rule.head, table)
            return
        names = table.columns[predicate]
        unique = np.unique(names)
        for name in unique[is_entity(unique, self._store)].tolist():
            part = table if len(unique) == 1 else table.picked(np.flatnonzero(names == name))
            self._take(rule, self._store.number(name, 2), rule.head, part)

    def _take(self, rule: Ready, number: int, head: Pattern, table: Table) -> None:
        relation = self._store.relations[number]
        columns = [
            np.full(table.size, term, np.int32) if isinstance(term, int) else table.columns[term] for term in head.terms
        ]
        keys = relation.keys(columns, table.size)
        if relation.narrow and not self._store.proofs:
            offer = self._bare(rule.number, relation, keys)
        else:
            offer = self._proved(rule, relation, keys, columns, table)
        if len(offer.keys):
            waiting = self._waiting.setdefault(number, Waiting())
            waiting.offers.append(offer)
            waiting.size += len(offer.keys)
            if waiting.size > waiting.allowed:
                self._thin(relation, waiting)

    def _bare(self, rule: int, relation: Relation, keys: Keys) -> Offer:
        keys = np.sort(keys)
        if len(keys) > 1:
            keys = keys[np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))]
        fresh = np.flatnonzero(~relation.known(unpacked(keys, relation.arity), keys))
        return Offer(rule, keys[fresh], (), (), {})

    def _proved(self, rule: Ready, relation: Relation, keys: Keys, columns: list[Ids], table: Table) -> Offer:
        places = distinct(keys, columns)
        keys, columns = keys[places], [column[places] for column in columns]
        fresh = np.flatnonzero(~relation.known(columns, keys))
        places = places[fresh]
        premises = [table.rows[atom][places] for atom in range(len(rule.body.atoms))] if self._store.proofs else []
        wide = [] if relation.narrow else [column[fresh] for column in columns]
        return Offer(rule.number, keys[fresh], wide, premises, table.relations)

    def _thin(self, relation: Relation, waiting: Waiting) -> None:
        """Free what waits of what comes twice."""
        row_of = _numbered(relation, waiting.offers)[2]
        begin, kept = 0, []
        for offer in waiting.offers:
            places = np.flatnonzero(row_of[begin : begin + len(offer.keys)] >= 0)
            begin += len(offer.keys)
            if len(places):
                kept.append(offer.picked(places))
        waiting.offers, waiting.size = kept, sum(len(offer.keys) for offer in kept)
        waiting.allowed = max(_ROOM, 2 * waiting.size)

    def commit(self) -> bool:
        """Add what was gathered; whether anything came.

        Raises:
            Late: When something comes that was denied or counted before.
        """
        self._store.settle()
        waiting, self._waiting = self._waiting, {}
        for number, each in waiting.items():
            self._frozen.check(number, *self._told(number, each))
            self._add(number, each.offers)
        return bool(waiting)

    def _told(self, number: int, waiting: Waiting) -> tuple[Ids | None, int]:
        """Second terms of what waits for a relation, if it has such, and the rule that offers the first."""
        relation = self._store.relations[number]
        if relation.arity != 2 or not self._frozen.classes:
            return None, waiting.offers[0].rule
        seconds = np.concatenate([(offer.keys & LOW) for offer in waiting.offers]).astype(np.int32)
        return seconds, waiting.offers[0].rule

    def _add(self, number: int, offers: list[Offer]) -> None:
        relation = self._store.relations[number]
        begin = relation.count
        columns, size, row_of = _numbered(relation, offers)
        relation.append(columns, size, asserted=False)
        if not self._store.proofs:
            return
        rules, places = np.empty(size, np.int32), np.empty(size, np.int32)
        start = 0
        for offer in offers:
            rows = row_of[start : start + len(offer.keys)]
            start += len(offer.keys)
            own = np.flatnonzero(rows >= 0)
            derivations = self._derivations[offer.rule]
            assert derivations is not None
            rules[rows[own]] = offer.rule
            places[rows[own]] = np.arange(len(derivations), len(derivations) + len(own))
            premises = [column[own] for column in offer.premises]
            derivations.extend(number, (rows[own] + begin).astype(np.int32), premises, offer.among)
        relation.rule.extend(rules)
        relation.place.extend(places)


def _numbered(relation: Relation, offers: list[Offer]) -> tuple[list[Ids], int, Places]:
    """The different rows of offers in the order of their keys, how many, and the number of each offered (-1: again)."""
    keys = offers[0].keys if len(offers) == 1 else np.concatenate([offer.keys for offer in offers])
    wide = [np.concatenate(parts) for parts in zip(*(offer.columns for offer in offers), strict=True)]
    if len(offers) == 1:
        return wide or unpacked(keys, relation.arity), len(keys), np.arange(len(keys))
    places = distinct(keys, wide)
    row_of = np.full(len(keys), -1, np.intp)
    row_of[places] = np.arange(len(places))
    columns = [column[places] for column in wide] if wide else unpacked(keys[places], relation.arity)
    return columns, len(places), row_of


def unpacked(keys: Keys, arity: int) -> list[Ids]:
    """The columns of a narrow relation's keys."""
    if not arity:
        return []
    low = (keys & LOW).astype(np.int32)
    return [low] if arity == 1 else [(keys >> 32).astype(np.int32), low]
