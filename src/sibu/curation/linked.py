"""The facts of a knowledge base that link things: what vectors are learned from, and rules are mined on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sibu.core.errors import DataError, counted
from sibu.core.logic import TYPE, Entity, Status, Term, Value
from sibu.core.names import OWL, RDF, RDFS, SHACL
from sibu.curation.numbered import Numbered
from sibu.logic.mining.columns import Graph
from sibu.metrics.ranking import Numbers

if TYPE_CHECKING:
    from sibu.graph.columns import Columns
    from sibu.graph.reading import Reading

HOLD: tuple[Status, ...] = ("asserted", "derived")
SCHEMA = (RDF, RDFS, OWL, SHACL)
"""Namespaces of what is said of properties and classes, and not of things."""


@dataclass(frozen=True, slots=True, eq=False)
class Linked:
    """Facts as numbers, in an order that depends on the facts alone."""

    terms: tuple[Term, ...]
    """Subjects and objects, sorted: things first."""
    relations: tuple[Entity, ...]
    """Sorted."""
    triples: Numbers
    """Places of subject, relation and object. Shape ``(N, 3)``."""
    values: int = 0
    """Facts left out since their object is a value."""
    schema: int = 0
    """Facts left out since they speak of properties and classes."""

    def numbered(self) -> Numbered:
        """As vectors are learned from it; where no values are among it."""
        names = tuple(str(each.iri) for each in self.terms if isinstance(each, Entity))
        return Numbered(names, tuple(each.iri for each in self.relations), self.triples, self.values)

    def graph(self) -> Graph:
        """As rules are mined on it."""
        parts = ((name, self.triples[self.triples[:, 1] == at]) for at, name in enumerate(self.relations))
        return {name: (own[:, 0], own[:, 2]) for name, own in parts}

    def known_to(self, graph: Numbered) -> Numbers:
        """Those of the facts whose parts a graph has too, by its numbers."""
        ends = np.array([graph.entity_numbers.get(_iri(each), -1) for each in self.terms], np.int64)
        relations = np.array([graph.relation_numbers.get(each.iri, -1) for each in self.relations], np.int64)
        subjects, middle, objects = self.triples.T
        found = np.stack([ends[subjects], relations[middle], ends[objects]], 1) if len(self.triples) else self.triples
        return found[(found >= 0).all(1)]


def _iri(term: Term) -> str:
    return term.iri if isinstance(term, Entity) else ""


def links_of(kb: Reading, statuses: Collection[Status] = HOLD, *, values: bool = False) -> Linked:
    """The facts between things that sources of some statuses state; those that hold, unless told.

    What is said of the schema (by RDFS, OWL and SHACL) is left out: it is not about things.

    Args:
        kb: The knowledge base.
        statuses: Of the sources.
        values: Also facts whose object is a value.
    """
    stated = kb.stated(lambda source: source.status in statuses)
    of_schema = _of_schema(stated)
    is_value = np.array([isinstance(each, Value) for each in stated.terms], bool)
    valued = is_value[stated.objects] & ~of_schema if len(stated) else of_schema
    kept = stated.picked(~of_schema if values else ~of_schema & ~valued)
    terms, ends = _ordered(stated, np.concatenate([kept.subjects, kept.objects]))
    relations, middle = _ordered(stated, kept.predicates)
    subjects, objects = ends[: len(kept)], ends[len(kept) :]
    names = tuple(each for each in relations if isinstance(each, Entity))
    triples = np.unique(np.stack([subjects, middle, objects], 1), axis=0)
    return Linked(terms, names, triples, 0 if values else int(valued.sum()), int(of_schema.sum()))


def _of_schema(stated: Columns) -> np.typing.NDArray[np.bool_]:
    """Facts by a property of the schema, and what makes a thing a class or a property."""
    own = np.array([isinstance(each, Entity) and each.iri.startswith(SCHEMA) for each in stated.terms], bool)
    types = np.array([each == TYPE for each in stated.terms], bool)
    if not len(stated):
        return np.zeros(0, bool)
    return np.where(types[stated.predicates], own[stated.objects], own[stated.predicates])


def _ordered(stated: Columns, numbers: Numbers) -> tuple[tuple[Term, ...], Numbers]:
    """The terms of some numbers, sorted, and the place of each number's term."""
    used, back = np.unique(numbers, return_inverse=True)
    named = [stated.terms[number] for number in used.tolist()]
    order = sorted(range(len(named)), key=lambda at: _key(named[at]))
    places = np.empty(len(named), np.int64)
    places[order] = np.arange(len(named))
    return tuple(named[at] for at in order), places[back]


def _key(term: Term) -> tuple[bool, str, str, str]:
    return (True, term.text, term.datatype, term.language) if isinstance(term, Value) else (False, term.iri, "", "")


def check_some(kb: Reading, found: Linked, what: str) -> None:
    """Refuse a knowledge base without such facts.

    Args:
        kb: The knowledge base.
        found: Its facts.
        what: What they are wanted for, such as ``to learn from``.

    Raises:
        DataError: When there are none; says what there is instead.
    """
    if len(found.triples):
        return
    parts = [f"{found.values:,} with a value (a text, a number) as object"] if found.values else []
    parts += [f"{found.schema:,} of classes and properties"] if found.schema else []
    there = f" Of {counted(found.values + found.schema, 'fact')}: {', '.join(parts)}." if parts else " It is empty."
    raise DataError(f"{kb.folder} has no facts between things {what}.{there} Add some: sibu kb add {kb.folder} FILE")
