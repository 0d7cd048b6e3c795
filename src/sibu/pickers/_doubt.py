"""How much is in doubt: probabilities of a row to one number, and rows by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

SMALL = 1e-12


def least_confident(chances: np.ndarray) -> np.ndarray:
    """One minus the probability of the likeliest answer. ``(n, C)`` to ``(n,)``."""
    found: np.ndarray = 1 - chances.max(1)
    return found


def small_margin(chances: np.ndarray) -> np.ndarray:
    """One minus the lead of the likeliest answer over the second. ``(n, C)`` to ``(n,)``."""
    ordered = np.sort(chances, 1)
    found: np.ndarray = 1 - (ordered[:, -1] - ordered[:, -2])
    return found


def entropy(chances: np.ndarray) -> np.ndarray:
    """In nats. ``(..., C)`` to ``(...,)``."""
    found: np.ndarray = -(chances * np.log(np.maximum(chances, SMALL))).sum(-1)
    return found


DOUBTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "uncertainty": least_confident,
    "margin": small_margin,
    "entropy": entropy,
}


def by_row(chances: Sequence[np.ndarray], doubt: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The doubt of each row: the mean over what is asked of it (each word of a text to tag); 0 where nothing is."""
    return np.array([float(doubt(own).mean()) if len(own) else 0.0 for own in chances])


def most(scores: np.ndarray, count: int, draw: np.random.Generator) -> list[int]:
    """The rows of the highest scores, highest first; equal ones in an order that is drawn."""
    order = draw.permutation(len(scores))
    return [int(place) for place in order[np.argsort(-scores[order], kind="stable")][:count]]
