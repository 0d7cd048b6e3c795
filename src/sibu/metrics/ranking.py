"""Link prediction: where the right entity stands among all, asked from both sides.

Triples are rows of three numbers: subject, relation, object. Of R relations each has an inverse, whose number is R
higher, so that every question is ``(subject, relation, ?)``. The rank of an answer is filtered (other answers that are
known to be right do not count) and realistic (the mean of the optimistic and the pessimistic rank, so that a scorer
that gives all the same stands in the middle and not first). Sources: Bordes et al., 2013, Translating embeddings for
modeling multi-relational data (NIPS); the realistic rank: Berrendorf et al., 2020, arXiv:2002.06914.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Scoring = Callable[[Numbers, Numbers], NDArray[np.float32]]
"""Scores of questions ``(B,)``, ``(B,)`` with every entity as the object: ``(B, E)``."""
CELLS = 1 << 23
"""Scores in memory at a time."""
HITS = (1, 3, 10)


def both_ways(triples: Numbers, relations: int) -> Numbers:
    """Each triple and its inverse: ``(N, 3)`` to ``(2N, 3)``, the inverses behind.

    Args:
        triples: Subjects, relations, objects.
        relations: R, how many relations there are; the inverse of ``r`` is ``r + R``.
    """
    back = triples[:, ::-1].copy()
    back[:, 1] += relations
    return np.concatenate([triples, back])


class Answers:
    """Questions ``(subject, relation)`` with all the objects that triples give them, each once.

    Args:
        triples: Shape ``(N, 3)``.
    """

    def __init__(self, triples: Numbers) -> None:
        own = np.unique(np.asarray(triples, np.int64).reshape(-1, 3)[:, [1, 0, 2]], axis=0)
        self.objects: Numbers = own[:, 2].copy()
        """Every question's objects in turn. Shape ``(N,)``."""
        first = np.ones(len(own), bool)
        first[1:] = (own[1:, :2] != own[:-1, :2]).any(1)
        self.relations: Numbers = own[first, 0]
        self.subjects: Numbers = own[first, 1]
        self.ends: Numbers = np.append(np.flatnonzero(first), len(own))
        """Where a question's objects begin; the last number is where all end. Shape ``(Q + 1,)``."""
        self._width = int(self.subjects.max(initial=0)) + 1
        self._keys = self.relations * self._width + self.subjects

    def __len__(self) -> int:
        return len(self.subjects)

    def find(self, subjects: Numbers, relations: Numbers) -> Numbers:
        """Numbers of the questions; -1 where nothing answers one. Shape ``(B,)``."""
        if not len(self):
            return np.full(len(subjects), -1, np.int64)
        keys = np.asarray(relations, np.int64) * self._width + subjects
        places = np.searchsorted(self._keys, keys).clip(max=len(self) - 1)
        there = (self._keys[places] == keys) & (np.asarray(subjects) < self._width)
        return np.where(there, places, -1)

    def of(self, questions: Numbers) -> tuple[Numbers, Numbers]:
        """All objects of some questions by their numbers (-1: of none), and which of the asked each belongs to.

        Returns:
            Rows, from 0 to the number asked, ascending; objects. Both of one length.
        """
        asked = np.maximum(questions, 0)
        begins, ends = self.ends[asked], self.ends[np.minimum(asked + 1, len(self.ends) - 1)]
        counts = np.where(np.asarray(questions) >= 0, ends - begins, 0)
        rows = np.repeat(np.arange(len(counts)), counts)
        within = np.arange(counts.sum()) - np.repeat(counts.cumsum() - counts, counts)
        return rows, self.objects[np.repeat(begins, counts) + within]

    def hold(self, triples: Numbers) -> NDArray[np.bool_]:
        """Whether each triple is one of those. Shape ``(N,)``."""
        rows, objects = self.of(self.find(triples[:, 0], triples[:, 1]))
        found = np.zeros(len(triples), bool)
        found[rows[objects == triples[rows, 2]]] = True
        return found


def ranks(scoring: Scoring, triples: Numbers, known: Answers, *, relations: int, entities: int) -> NDArray[np.float64]:
    """The rank of each triple's object and of its subject, filtered and realistic.

    A score that is no number ranks behind all others: where a scorer breaks, its ranks are the worst.

    Args:
        scoring: What is judged; it answers inverse relations too.
        triples: What is asked. Shape ``(N, 3)``.
        known: The answers that are right, of ``both_ways`` of all triples of training, validation and test.
        relations: R, without inverses.
        entities: E.

    Returns:
        Ranks from 1 to E, with halves: of the objects and of the subjects. Shape ``(N, 2)``.
    """
    asked = both_ways(np.asarray(triples, np.int64), relations)
    order = np.lexsort((asked[:, 0], asked[:, 1]))  # equal questions side by side: they are scored once
    found = np.empty(len(asked))
    step = max(CELLS // max(entities, 1), 1)
    for start in range(0, len(asked), step):
        part = order[start : start + step]
        found[part] = _ranked(scoring, asked[part], known)
    return found.reshape(2, -1).T


def _ranked(scoring: Scoring, asked: Numbers, known: Answers) -> NDArray[np.float64]:
    """Ranks of some questions' objects, questions that are equal standing side by side."""
    first = np.ones(len(asked), bool)
    first[1:] = (asked[1:, :2] != asked[:-1, :2]).any(1)
    scores = scoring(asked[first, 0], asked[first, 1])[first.cumsum() - 1]
    objects = asked[:, 2]
    own = scores[np.arange(len(asked)), objects]
    itself = own == own  # not where it is no number
    better = np.count_nonzero(~(scores <= own[:, None]), axis=1) - ~itself
    ties = np.count_nonzero(scores == own[:, None], axis=1) - itself
    rows, others = known.of(known.find(asked[:, 0], asked[:, 1]))
    rows, others = rows[others != objects[rows]], others[others != objects[rows]]
    right = scores[rows, others]
    better -= np.bincount(rows[~(right <= own[rows])], minlength=len(asked))
    ties -= np.bincount(rows[right == own[rows]], minlength=len(asked))
    ranked: NDArray[np.float64] = better + 1 + ties / 2
    return ranked


class Ranked:
    """``mrr`` and ``hits_at_1``, ``hits_at_3``, ``hits_at_10`` over triples asked from both sides; all in [0, 1].

    Args:
        ranks: Of the object and of the subject of each triple. Shape ``(N, 2)``.
    """

    def __init__(self, ranks: NDArray[np.float64]) -> None:
        self.n = len(ranks)
        self._parts = {"mrr": (1 / ranks).mean(1)} | {f"hits_at_{k}": (ranks <= k).mean(1) for k in HITS}

    def __call__(self, rows: NDArray[np.intp]) -> Mapping[str, float]:
        """Every metric over the triples ``rows``."""
        return {name: float(each[rows].mean()) for name, each in self._parts.items()}
