"""A graph as numbers, with the names behind them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sibu.core.errors import DataError, near_miss
from sibu.core.logic import Entity, Triple
from sibu.metrics.ranking import Answers, Numbers
from sibu.train.seed import generator

Triples = Iterable[Triple] | NDArray[Any]
"""A knowledge base's triples, or whole numbers ``(N, 3)``: subject, relation, object."""
FORM = "Triples are those of a knowledge base, or whole numbers of shape (N, 3): subject, relation, object."


@dataclass(frozen=True, eq=False)
class Numbered:
    """Triples as numbers, with the names behind the numbers."""

    entities: tuple[str, ...]
    """Names, each once; IRIs where the triples are a knowledge base's."""
    relations: tuple[str, ...]
    triples: Numbers
    """Subject, relation, object by their numbers, each triple once. Shape ``(N, 3)``."""
    left_out: int = 0
    """Triples whose object is a value (a text, a number, a date): those are no links."""

    def __post_init__(self) -> None:
        for kind, names in (("entity", self.entities), ("relation", self.relations)):
            if len(set(names)) < len(names):
                twice = next(name for name in names if names.count(name) > 1)
                raise DataError(f"Two have the {kind} name {twice!r}; give each name once.")
        object.__setattr__(self, "triples", np.unique(self.numbers_of(self.triples), axis=0))

    @classmethod
    def of(cls, triples: Triples) -> Numbered:
        """The graph of a knowledge base's triples, its names in the order in which they come; or of numbers alone."""
        given = _rows(triples)
        if isinstance(given, np.ndarray):
            return cls._plain(given)
        entities: dict[str, int] = {}
        relations: dict[str, int] = {}
        rows = []
        for each in given:
            if isinstance(each.object, Entity):
                ends = [entities.setdefault(end.iri, len(entities)) for end in (each.subject, each.object)]
                rows.append((ends[0], relations.setdefault(each.predicate.iri, len(relations)), ends[1]))
        numbers = np.array(rows, np.int64).reshape(-1, 3)
        return cls(tuple(entities), tuple(relations), numbers, len(given) - len(rows))

    @classmethod
    def _plain(cls, given: NDArray[Any]) -> Numbered:
        """Numbers whose names are the numbers."""
        _check_form(given)
        entities = int(given[:, [0, 2]].max(initial=-1)) + 1 if given.size else 0
        relations = int(given[:, 1].max(initial=-1)) + 1 if given.size else 0
        return cls(tuple(map(str, range(entities))), tuple(map(str, range(relations))), given)

    def numbers_of(self, triples: Triples) -> Numbers:
        """Triples of this graph's entities and relations as numbers, in their order. Shape ``(N, 3)``.

        Raises:
            DataError: When they are of another form, or there is no such entity or relation.
        """
        given = _rows(triples)
        if not isinstance(given, np.ndarray):
            given = np.array([self._numbers(each) for each in given], np.int64)
        _check_form(given)
        found: Numbers = given.reshape(-1, 3).astype(np.int64)
        for column, what in enumerate(("subject", "relation", "object")):
            count = len(self.relations if column == 1 else self.entities)
            bad = found[(found[:, column] < 0) | (found[:, column] >= count), column]
            if len(bad):
                there = f"0 to {count - 1}" if count else "none"
                raise DataError(f"There is no {what} of number {bad[0]}; the graph's numbers: {there}.")
        return found

    def _numbers(self, triple: Triple) -> tuple[int, int, int]:
        if not isinstance(triple.object, Entity):
            raise DataError(f"{triple.object.text!r} is a value, and links are between entities alone. Leave it out.")
        return self.entity(triple.subject), self.relation(triple.predicate), self.entity(triple.object)

    @cached_property
    def entity_numbers(self) -> Mapping[str, int]:
        """Number by name."""
        return {name: number for number, name in enumerate(self.entities)}

    @cached_property
    def relation_numbers(self) -> Mapping[str, int]:
        """Number by name."""
        return {name: number for number, name in enumerate(self.relations)}

    def entity(self, name: str | Entity) -> int:
        """An entity's number.

        Raises:
            DataError: When there is none of that name.
        """
        return _number(self.entity_numbers, name, "entity")

    def relation(self, name: str | Entity) -> int:
        """A relation's number.

        Raises:
            DataError: When there is none of that name.
        """
        return _number(self.relation_numbers, name, "relation")


def _number(known: Mapping[str, int], name: str | Entity, kind: str) -> int:
    text = name.iri if isinstance(name, Entity) else name
    if text not in known:
        raise DataError(
            f"The vectors know no {kind} {text!r}. {near_miss(text, known)}They know those of the triples that they "
            "were learned from."
        )
    return known[text]


def _rows(triples: Triples) -> list[Triple] | NDArray[Any]:
    """A knowledge base's triples as a list, numbers as an array."""
    if isinstance(triples, np.ndarray):
        return triples
    given = list(triples)
    if all(isinstance(each, Triple) for each in given):
        return given
    kinds = sorted({type(each).__name__ for each in given})
    try:
        return np.asarray(given)
    except ValueError:  # rows of several lengths, or of several kinds
        raise DataError(f"{FORM} Given: a list of {' and '.join(kinds)}.") from None


def _check_form(given: NDArray[Any]) -> None:
    if given.size and (given.ndim != 2 or given.shape[1] != 3 or given.dtype.kind not in "iu"):
        raise DataError(f"{FORM} Given: {given.dtype} of shape {given.shape}.")


def hold_out(triples: Numbers, share: float, most: int, seed: int) -> tuple[Numbers, Numbers]:
    """Some triples of which every entity and every relation is left with another one.

    Args:
        triples: Shape ``(N, 3)``.
        share: Of the triples, in [0, 1); fewer where too few can be spared.
        most: No more than so many.
        seed: Of the choice.

    Returns:
        What is left, and what is held out.
    """
    wanted = min(round(len(triples) * share), most)
    ends = np.bincount(triples[:, [0, 2]].ravel(), minlength=1)
    uses = np.bincount(triples[:, 1], minlength=1)
    out: list[int] = []
    for row in generator(seed, "held out").permutation(len(triples)).tolist():
        if len(out) >= wanted:
            break
        subject, relation, object_ = triples[row].tolist()
        if uses[relation] > 1 and ends[subject] > 1 + (subject == object_) and ends[object_] > 1:
            ends[subject] -= 1
            ends[object_] -= 1
            uses[relation] -= 1
            out.append(row)
    held = np.zeros(len(triples), bool)
    held[out] = True
    return triples[~held], triples[held]


TRIES = 20


def others_of(graph: Numbered, facts: Numbers, draw: np.random.Generator) -> Numbers:
    """Each fact with its object replaced, and with its subject: by one that stands there in facts of the relation.

    What is a known fact too is drawn again; where only such are found there is none. Shape ``(up to 2N, 3)``.
    """
    known = Answers(graph.triples)
    found = []
    for column in (2, 0):
        there = graph.triples[:, column]
        seen = Answers(np.stack([graph.triples[:, 1], np.zeros_like(there), there], 1))  # by relation
        asked = seen.find(facts[:, 1], np.zeros(len(facts), np.int64))
        begins, counts = seen.ends[asked], seen.ends[asked + 1] - seen.ends[asked]
        changed, open_ = facts.copy(), np.arange(len(facts))
        for _ in range(TRIES):
            changed[open_, column] = seen.objects[begins[open_] + draw.integers(0, counts[open_])]
            open_ = open_[known.hold(changed[open_])]
            if not len(open_):
                break
        found.append(np.delete(changed, open_, axis=0))
    return np.concatenate(found)
