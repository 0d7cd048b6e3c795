"""All relations of a closure, and the terms that their columns speak of."""

from __future__ import annotations

from collections.abc import Iterator

from sibu.core.logic import Entity
from sibu.logic.closure.relation import Relation
from sibu.logic.closure.terms import Terms

Name = tuple[int, int]
"""Number of a predicate, and how many terms its facts have: relations of one name and different widths are two."""


class Store:
    """Relations by name; each has a number for life, by which proofs speak of it.

    Args:
        terms: The terms' numbers.
        proofs: Whether how a row was derived is kept.
    """

    def __init__(self, terms: Terms, proofs: bool) -> None:
        self.terms, self.proofs = terms, proofs
        self.relations: list[Relation] = []
        self._numbers: dict[Name, int] = {}

    def __iter__(self) -> Iterator[Relation]:
        return iter(self.relations)

    def number(self, predicate: int, arity: int) -> int:
        """The number of a relation, a new one where there was none."""
        found = self._numbers.get((predicate, arity))
        if found is None:
            found = self._numbers[predicate, arity] = len(self.relations)
            self.relations.append(Relation(predicate, arity, self.proofs))
        return found

    def find(self, predicate: int, arity: int) -> int:
        """The number of a relation; -1 where there is none."""
        return self._numbers.get((predicate, arity), -1)

    def pairs(self) -> list[int]:
        """Numbers of the relations whose facts have two terms: those that an open predicate may stand for."""
        return [number for number, relation in enumerate(self.relations) if relation.arity == 2 and relation.count]

    def predicate(self, relation: Relation) -> Entity:
        """The name of a relation's facts."""
        found = self.terms[relation.predicate]
        assert isinstance(found, Entity)
        return found

    def settle(self) -> None:
        """All rows are old from now on."""
        for relation in self.relations:
            relation.first = relation.count
