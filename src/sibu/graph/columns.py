"""Many facts as columns of numbers, and how they become statements of a source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from sibu.core.logic import Entity, Term, Triple
from sibu.graph._rdf import to_rdf

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Facts of two terms; each column holds the place of a term."""

    terms: Sequence[Term]
    """The terms, each once."""
    subjects: Numbers
    predicates: Numbers
    objects: Numbers

    def __len__(self) -> int:
        return len(self.subjects)

    def picked(self, places: npt.NDArray[Any]) -> Columns:
        """Some of them, by their places or by a mask."""
        own = (self.subjects[places], self.predicates[places], self.objects[places])
        return replace(self, subjects=own[0], predicates=own[1], objects=own[2])

    def triples(self) -> Iterator[Triple]:
        """The facts themselves."""
        terms = self.terms
        for one, two, three in self._rows():
            subject, predicate = terms[one], terms[two]
            assert isinstance(subject, Entity) and isinstance(predicate, Entity)
            yield Triple(subject, predicate, terms[three])

    def nodes(self) -> Iterator[tuple[Any, Any, Any]]:
        """The three terms of each as the store takes them; each term is made once.

        Raises:
            DataError: When RDF has no such term.
        """
        made: dict[int, Any] = {}
        for number in np.unique(np.concatenate((self.subjects, self.predicates, self.objects))).tolist():
            made[number] = to_rdf(self.terms[number])
        for one, two, three in self._rows():
            yield made[one], made[two], made[three]

    def lines(self) -> Iterator[tuple[bytes, bytes, bytes]]:
        """The three terms of each as N-Triples writes them; each term is written once.

        Raises:
            DataError: When RDF has no such term.
        """
        made: dict[int, bytes] = {}
        for number in np.unique(np.concatenate((self.subjects, self.predicates, self.objects))).tolist():
            made[number] = str(to_rdf(self.terms[number])).encode()
        for one, two, three in self._rows():
            yield made[one], made[two], made[three]

    def _rows(self) -> Iterator[tuple[int, int, int]]:
        return zip(self.subjects.tolist(), self.predicates.tolist(), self.objects.tolist(), strict=True)
