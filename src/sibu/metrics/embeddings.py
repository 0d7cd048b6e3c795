"""How good vectors of texts are: whether pairs are found, and how evenly the vectors lie."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

MOST = 1000
"""Texts between which distances are taken for the uniformity; of more every n-th."""
CELLS = 1 << 24
"""Similarities in memory at a time."""


class Embedded:
    """``recall_at_1`` (in [0, 1]) where there are pairs, and ``uniformity`` (from 0 down to about -4; less is better).

    Uniformity is the logarithm of the mean of exp(-2 d²) over all pairs of different texts, d being the distance of
    their vectors. Of more than ``MOST`` different texts every n-th counts. Source: Wang and Isola, 2020,
    arXiv:2005.10242.

    Args:
        vectors: Unit vectors of the texts. Shape ``(n, D)``.
        numbers: Equal for equal texts. Shape ``(n,)``.
        found: Whether each text found its pair, 1 or 0; NaN where it has none. Shape ``(n,)``; None: no pairs.
    """

    def __init__(
        self, vectors: NDArray[np.float32], numbers: NDArray[np.int64], found: NDArray[np.float64] | None
    ) -> None:
        self.n = len(vectors)
        self._found = found
        chosen = np.sort(np.unique(numbers, return_index=True)[1])
        self._chosen = chosen[:: -(-len(chosen) // MOST)] if len(chosen) else chosen
        own = vectors[self._chosen].astype(np.float64)
        self._near = np.exp(np.minimum(4 * (own @ own.T - 1), 0.0))
        np.fill_diagonal(self._near, 0.0)

    def __call__(self, rows: NDArray[np.intp]) -> Mapping[str, float]:
        """Both over the examples ``rows``."""
        recall = {} if self._found is None else {"recall_at_1": _mean(self._found[rows])}
        weights = np.bincount(rows, minlength=self.n)[self._chosen].astype(np.float64)
        pairs = weights.sum() ** 2 - (weights**2).sum()
        near = float(weights @ self._near @ weights)
        return recall | {"uniformity": float(np.log(max(near / pairs, 1e-300))) if pairs else float("nan")}


def _mean(found: NDArray[np.float64]) -> float:
    known = found[~np.isnan(found)]
    return float(known.mean()) if len(known) else float("nan")


def found_pairs(
    texts: NDArray[np.float32], pairs: NDArray[np.float32], text_numbers: NDArray[np.int64], numbers: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether each text is nearer to its own pair than to any other pair; a draw is not found.

    Pairs that are no wrong answer do not compete: equal to the text or to its own pair, or the pair of an equal text.

    Args:
        texts: Unit vectors. Shape ``(n, D)``.
        pairs: Unit vectors of their pairs. Shape ``(n, D)``.
        text_numbers: Equal for equal texts, among texts and pairs. Shape ``(n,)``.
        numbers: The same of the pairs. Shape ``(n,)``.

    Returns:
        Shape ``(n,)``.
    """
    found = np.zeros(len(texts), dtype=bool)
    step = max(CELLS // max(len(pairs), 1), 1)
    for start in range(0, len(texts), step):
        part = slice(start, start + step)
        similar = texts[part] @ pairs.T
        own = similar[np.arange(len(similar)), np.arange(len(texts))[part]].copy()
        text, pair = text_numbers[part, None], numbers[part, None]
        similar[(text == text_numbers) | (pair == numbers) | (text == numbers)] = -np.inf
        found[part] = own > similar.max(1)
    return found
