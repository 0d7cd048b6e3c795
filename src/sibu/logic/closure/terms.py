"""Terms by number: every entity and value that a closure knows, each with a small whole number for life."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from sibu.core.logic import Entity, Term, Value
from sibu.logic.closure.growing import Growing

Ids = npt.NDArray[np.int32]
ENTITY, TEXT, WHOLE, REAL, HUGE = range(5)
"""Kinds of terms: no value; a value that is no number; a whole number of 64 bits; a float; any other whole number."""


class Terms:
    """Numbers for terms, from 0 in the order in which they were first seen; none is ever given up.

    Two terms are one where all they consist of is equal: ``"1"`` and ``"01"`` of ``xsd:integer`` are two.
    """

    def __init__(self) -> None:
        self._terms: list[Term] = []
        # The keys are plain texts and tuples: their hashes cost a tenth of a dataclass's.
        self._entities: dict[str, int] = {}
        self._values: dict[tuple[str, str, str], int] = {}
        self._kinds, self._orders = Growing(np.int8), Growing(np.int32)
        self._wholes, self._reals = Growing(np.int64), Growing(np.float64)
        self._known_orders: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._terms)

    def __getitem__(self, number: int) -> Term:
        return self._terms[number]

    def __iter__(self) -> Iterator[Term]:
        return iter(self._terms)

    def id(self, term: Term) -> int:
        """The number of a term, a new one where it was never seen."""
        found = self.find(term)
        if found < 0:
            found = len(self._terms)
            if isinstance(term, Entity):
                self._entities[term.iri] = found
            else:
                self._values[term.text, term.datatype, term.language] = found
            self._terms.append(term)
        return found

    def find(self, term: Term) -> int:
        """The number of a term; -1 where it was never seen."""
        if isinstance(term, Entity):
            return self._entities.get(term.iri, -1)
        return self._values.get((term.text, term.datatype, term.language), -1)

    def ids(self, terms: Iterable[Term]) -> Ids:
        """Numbers of many terms, new ones where they were never seen. Shape ``(terms,)``."""
        number = self.id
        return np.fromiter((number(term) for term in terms), np.int32)

    def entities(self, iris: Iterable[str]) -> Ids:
        """Numbers of the entities of these IRIs: as ``ids``, without an object for each that is already known."""
        known = self._entities
        return np.fromiter((known[iri] if iri in known else self.id(Entity(iri)) for iri in iris), np.int32)

    def of(self, ids: Ids) -> list[Term]:
        """The terms of these numbers."""
        terms = self._terms
        return [terms[number] for number in ids.tolist()]

    def kinds(self, ids: Ids) -> npt.NDArray[np.int8]:
        """What sort each term is: ``ENTITY``, ``TEXT``, ``WHOLE``, ``REAL`` or ``HUGE``."""
        self._read_on()
        return self._kinds.view[ids]

    def orders(self, ids: Ids) -> Ids:
        """A number for what texts and dates can be compared with (``Value.order``); -1 where it is nothing."""
        self._read_on()
        return self._orders.view[ids]

    def wholes(self, ids: Ids) -> npt.NDArray[np.int64]:
        """What terms of kind ``WHOLE`` are worth; others: 0."""
        self._read_on()
        return self._wholes.view[ids]

    def reals(self, ids: Ids) -> npt.NDArray[np.float64]:
        """What terms of kind ``REAL`` are worth; others: 0."""
        self._read_on()
        return self._reals.view[ids]

    def numbers(self, ids: Ids) -> list[int | float | None]:
        """What terms are worth, as Python has it; None where one is no number."""
        return [term.number if isinstance(term, Value) else None for term in self.of(ids)]

    def _read_on(self) -> None:
        """Take in the worth of the terms that came since."""
        new = self._terms[len(self._kinds) :]
        if not new:
            return
        kinds, orders = np.zeros(len(new), np.int8), np.full(len(new), -1, np.int32)
        wholes, reals = np.zeros(len(new), np.int64), np.zeros(len(new), np.float64)
        for place, term in enumerate(new):
            if isinstance(term, Entity):
                continue
            number = term.number
            if number is None:
                kinds[place] = TEXT
                if (order := term.order) is not None:
                    orders[place] = self._known_orders.setdefault(order[0], len(self._known_orders))
            elif isinstance(number, float):
                kinds[place], reals[place] = REAL, number
            elif -(2**63) <= number < 2**63:
                kinds[place], wholes[place] = WHOLE, number
            else:
                kinds[place] = HUGE
        for column, values in (
            (self._kinds, kinds),
            (self._orders, orders),
            (self._wholes, wholes),
            (self._reals, reals),
        ):
            column.extend(values)
