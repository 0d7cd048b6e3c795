"""Pairs of answers: which of the two a model would rather write."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray


class Preferred:
    """Metrics of pairs.

    ``accuracy``: share of the pairs whose chosen answer has the larger mean log probability of a piece (a tie counts
    half), in [0, 1]; ``margin``: mean difference of the two, in log probabilities of a piece; ``perplexity`` of the
    chosen answers. No reference is needed, so that a model may be judged before and after.

    Args:
        losses: Sum of the negative log probabilities and number of pieces, of the chosen and of the rejected answer.
            Shape ``(n, 2, 2)``.
    """

    def __init__(self, losses: NDArray[np.float64]) -> None:
        self.n = len(losses)
        self._chosen = losses[:, 0]
        means = -losses[..., 0] / np.maximum(losses[..., 1], 1)
        self.margins = means[:, 0] - means[:, 1]
        """By how much the chosen answer is likelier by piece. Shape (n,)."""

    def __call__(self, rows: NDArray[np.intp]) -> Mapping[str, float]:
        """Every metric over the pairs ``rows`` (at least one)."""
        margins = self.margins[rows]
        total, pieces = self._chosen[rows].sum(0)
        return {
            "accuracy": float((margins > 0).mean() + 0.5 * (margins == 0).mean()),
            "margin": float(margins.mean()),
            "perplexity": float(np.exp(min(total / max(pieces, 1), 700.0))),
        }
