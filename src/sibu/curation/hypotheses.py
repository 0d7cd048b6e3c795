"""Which triples that are not in a graph its vectors speak for most."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sibu.metrics.ranking import CELLS, Answers, Numbers

Floats = NDArray[np.float64]


class Crossing(Protocol):
    """What gives scores of all pairs of some subjects and objects."""

    def __call__(self, subjects: Numbers, relation: int, objects: Numbers) -> Floats:
        """Scores ``(S, O)``."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """Triples with their scores, the best first."""

    triples: Numbers
    """Shape ``(N, 3)``."""
    scores: Floats
    """Shape ``(N,)``."""

    def best(self, count: int) -> Found:
        """The best; of equal scores the smaller numbers."""
        order = np.lexsort((*self.triples.T[[2, 0, 1]], -self.scores))[:count]
        return Found(self.triples[order], self.scores[order])

    def __add__(self, other: Found) -> Found:
        return Found(np.concatenate([self.triples, other.triples]), np.concatenate([self.scores, other.scores]))


NOTHING = Found(np.zeros((0, 3), np.int64), np.zeros(0))


def search(
    crossing: Crossing,
    known: Answers,
    relation: int,
    *,
    entities: int,
    count: int,
    least: float = -np.inf,
    typed: bool = True,
) -> Found:
    """The best new triples of one relation, some subjects at a time.

    Args:
        crossing: What scores.
        known: The graph's questions and answers; what it holds is not new.
        relation: The relation's number.
        entities: E.
        count: At most so many.
        least: Lowest score.
        typed: Only entities that stand in the same place of a known triple of the relation; an entity with itself only
            where the relation knows of such.
    """
    own = known.relations == relation
    rows, seen = known.of(np.flatnonzero(own))
    subjects, objects = (known.subjects[own], np.unique(seen)) if typed else (np.arange(entities),) * 2
    loops = not typed or bool((known.subjects[own][rows] == seen).any())
    found = NOTHING
    for part in _parts(subjects, len(objects)):
        scores = crossing(part, relation, objects)
        scores[_taken(known, part, relation, objects, loops=loops)] = -np.inf
        floor = max(least, found.scores[-1] if len(found.scores) >= count else -np.inf)
        found = (found + _above(scores, part, relation, objects, floor, count)).best(count)
    return found


def _parts(subjects: Numbers, width: int) -> Iterator[Numbers]:
    step = max(CELLS // max(width, 1), 1)
    for start in range(0, len(subjects) if width else 0, step):
        yield subjects[start : start + step]


def _taken(known: Answers, subjects: Numbers, relation: int, objects: Numbers, *, loops: bool) -> NDArray[np.bool_]:
    """Pairs that are known, or an entity with itself: ``(S, O)``."""
    found = np.zeros((len(subjects), len(objects)), bool)
    rows, answers = known.of(known.find(subjects, np.full(len(subjects), relation)))
    places = np.searchsorted(objects, answers)
    found[rows, places] = True
    if not loops:
        found |= subjects[:, None] == objects[None, :]
    return found


def _above(scores: Floats, subjects: Numbers, relation: int, objects: Numbers, floor: float, count: int) -> Found:
    """Those of at least ``floor``, and of them no fewer than the best ``count``."""
    chosen = (scores >= floor) & (scores > -np.inf)
    if np.count_nonzero(chosen) > count:
        chosen &= scores >= np.partition(scores, scores.size - count, axis=None)[scores.size - count]
    rows, columns = chosen.nonzero()
    triples = np.stack([subjects[rows], np.full(len(rows), relation), objects[columns]], 1)
    return Found(triples, scores[rows, columns])
