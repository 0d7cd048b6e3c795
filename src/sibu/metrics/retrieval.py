"""Partners that find each other: recall at a rank, and the mean of one over the rank."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

AT = (1, 5, 10)
"""Ranks within which a partner counts as found."""
CHUNK = 1024
"""Queries compared at a time."""


class Recalls:
    """``recall_at_k`` and ``mrr`` of both ways, in [0, 1]; each value ranks all values of the other kind.

    Values that are equal count as one: a query's partner is whatever equals it, and stands at the best of their ranks;
    of equal scores half stand before it (the realistic rank). Candidates are those of all rows, also where a part of
    the rows is judged.

    Args:
        one: Unit vectors of the first kind. Shape ``(N, D)``.
        two: Those of their partners. Shape ``(N, D)``.
        first: Equal for equal values of the first kind. Shape ``(N,)``.
        second: The same of the second.
    """

    def __init__(
        self,
        one: NDArray[np.float64],
        two: NDArray[np.float64],
        first: NDArray[np.int64],
        second: NDArray[np.int64],
    ) -> None:
        if one.shape != two.shape or one.ndim != 2:
            raise ValueError(f"both kinds need vectors (N, D), given {one.shape} and {two.shape}")
        self.n = len(one)
        self.ranks = np.stack([_ranks(one, two, first, second), _ranks(two, one, second, first)])
        """Of each value's partner among the others, from 1; first to second, then second to first. Shape ``(2, N)``."""

    def __call__(self, rows: NDArray[np.intp]) -> Mapping[str, float]:
        """The mean over both ways, of some rows."""
        return _scores(self.ranks[:, rows])

    def by_way(self) -> list[dict[str, float]]:
        """The same for each way."""
        return [_scores(own) for own in self.ranks]


def _scores(ranks: NDArray[np.float64]) -> dict[str, float]:
    return {"mrr": float((1 / ranks).mean())} | {f"recall_at_{k}": float((ranks <= k).mean()) for k in AT}


def _ranks(
    queries: NDArray[np.float64],
    candidates: NDArray[np.float64],
    asked: NDArray[np.int64],
    given: NDArray[np.int64],
) -> NDArray[np.float64]:
    """The rank of each query's partner: of equal queries all partners are right, of equal candidates one counts."""
    kept = np.unique(given, return_index=True)[1]
    numbers = given[kept]
    right = {(int(a), int(b)) for a, b in zip(asked, given, strict=True)}
    partners: dict[int, list[int]] = {}
    place_of = {int(number): place for place, number in enumerate(numbers)}
    for a, b in right:
        partners.setdefault(a, []).append(place_of[b])
    found = np.zeros(len(queries))
    for start in range(0, len(queries), CHUNK):
        scores = queries[start : start + CHUNK] @ candidates[kept].T
        for row, own in enumerate(scores):
            places = partners[int(asked[start + row])]
            best = own[places].max()
            wrong = np.delete(own, places)
            found[start + row] = 1 + (wrong > best).sum() + (wrong == best).sum() / 2
    return found
