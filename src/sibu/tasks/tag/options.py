"""What a tagger may answer where rules decide which kinds of stretches there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from sibu.core.result import Prediction
from sibu.tasks.tag.decode import best_legal

Moves = tuple[np.ndarray, np.ndarray, np.ndarray]
MOST = 6
"""Kinds that may have to be there at once."""


class Stretches:
    """Tag sequences with kinds that must be there, and kinds that must not.

    Args:
        tags: The tags, ``O`` first.
        chances: Log probabilities of each word's tags. Shape ``(T, C)``.
        moves: As ``legal_moves`` gives them.
        told: Makes the prediction of tag numbers ``(T,)``.
    """

    def __init__(
        self, tags: Sequence[str], chances: np.ndarray, moves: Moves, told: Callable[[np.ndarray], Prediction]
    ) -> None:
        self.tags, self.chances, self.moves, self.told = tags, chances, moves, told
        self._kinds = np.array([tag.partition("-")[2] for tag in tags])
        self._found: dict[tuple[tuple[str, bool], ...], np.ndarray | None] = {}

    def best(self, decided: Mapping[str, bool]) -> tuple[float, frozenset[str]] | None:
        """The likeliest legal sequence."""
        path = self._path(decided)
        if path is None:
            return None
        score = float(self.chances[np.arange(len(path)), path].sum()) if len(path) else 0.0
        return score, frozenset(self._kinds[path]) - {""}

    def prediction(self, decided: Mapping[str, bool]) -> Prediction:
        """Its stretches."""
        path = self._path(decided)
        return self.told(np.zeros(len(self.chances), np.int64) if path is None else path)

    def _path(self, decided: Mapping[str, bool]) -> np.ndarray | None:
        key = tuple(sorted(decided.items()))
        if key not in self._found:
            self._found[key] = self._sought(decided)
        return self._found[key]

    def _sought(self, decided: Mapping[str, bool]) -> np.ndarray | None:
        refused = [kind for kind, value in decided.items() if not value]
        must = [kind for kind, value in decided.items() if value]
        if not len(self.chances):
            return None if must else np.zeros(0, np.int64)
        scores = self.chances.copy()
        scores[:, np.isin(self._kinds, refused)] = -np.inf
        path = best_legal(scores, *self.moves)
        if set(must) <= set(self._kinds[path]):
            return path
        return self._with(scores, must) if len(must) <= MOST else None

    def _with(self, scores: np.ndarray, must: Sequence[str]) -> np.ndarray | None:
        """The best sequence that has each of these kinds: a tag's state also says which of them there were so far."""
        begin, follow, end = self.moves
        tags, sets = len(self.tags), 1 << len(must)
        own = np.array([sum((kind == each) << place for place, each in enumerate(must)) for kind in self._kinds])
        state = np.arange(sets)[:, None]
        first = (begin & (state == own)).reshape(-1)
        last = (end & (state == sets - 1)).reshape(-1)
        steps = np.zeros((sets, tags, sets, tags), dtype=bool)
        for before in range(sets):
            for after in range(sets):
                steps[before, :, after, :] = follow & ((before | own) == after)
        path = best_legal(np.tile(scores, (1, sets)), first, steps.reshape(sets * tags, -1), last)
        moved = steps.reshape(sets * tags, -1)[path[:-1], path[1:]]
        sound = first[path[0]] and last[path[-1]] and moved.all()
        plain: np.ndarray = path % tags
        sound = sound and np.isfinite(scores[np.arange(len(plain)), plain]).all()
        return plain if sound else None
