"""How well hidden pieces were told."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray


class Filling:
    """``perplexity`` (from 1) and ``accuracy`` (in [0, 1]) over the hidden pieces of all texts together.

    Args:
        counts: Of each text the sum of the negative log probabilities of its hidden pieces, their number, and how many
            were told right. Shape ``(n, 3)``.
    """

    def __init__(self, counts: NDArray[np.float64]) -> None:
        self.n = len(counts)
        self._counts = counts

    def __call__(self, rows: NDArray[np.intp]) -> Mapping[str, float]:
        """Both over the examples ``rows`` (at least one)."""
        loss, pieces, right = self._counts[rows].sum(0)
        if not pieces:
            return {"perplexity": float("nan"), "accuracy": float("nan")}
        return {"perplexity": float(np.exp(min(loss / pieces, 700.0))), "accuracy": float(right / pieces)}
