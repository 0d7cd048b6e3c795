"""Rows that lie far from each other."""

from __future__ import annotations

import numpy as np


def farthest(vectors: np.ndarray, known: np.ndarray, count: int, draw: np.random.Generator) -> list[int]:
    """So many rows, each the one farthest from all that are known or chosen before (k-center, greedily).

    Args:
        vectors: Of the rows to choose from. Shape ``(N, D)``.
        known: Of rows that have a label. Shape ``(M, D)``; with none the first is drawn.
        count: At most N.
        draw: Chooses the first.
    """
    if not len(vectors):
        return []
    near = np.full(len(vectors), np.inf)
    own = (vectors**2).sum(-1)
    for start in range(0, len(known), 256):  # so many distances a row at a time, never their differences
        part = known[start : start + 256]
        apart = own + ((part**2).sum(-1)[:, None] - 2 * part @ vectors.T).min(0)
        near = np.minimum(near, np.maximum(apart, 0))
    chosen: list[int] = []
    while len(chosen) < min(count, len(vectors)):
        place = int(near.argmax()) if np.isfinite(near).any() else int(draw.integers(len(vectors)))
        chosen.append(place)
        near = np.minimum(near, ((vectors - vectors[place]) ** 2).sum(-1))
        near[chosen] = -1.0
    return chosen
