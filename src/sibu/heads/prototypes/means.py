"""Means of vectors."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from sibu.core.protocols import HeadPlace


class Means(nn.Module):
    """A unit vector a label: the mean of its rows'.

    Args:
        place: What it answers for.
        temperature: Divides the similarities.
    """

    means: Tensor

    def __init__(self, place: HeadPlace, *, temperature: float) -> None:
        super().__init__()
        self.temperature = temperature
        self.register_buffer("means", torch.zeros(place.outputs, place.width))

    def forward(self, vectors: Tensor) -> Tensor:
        """Scores ``(B, C)`` of unit vectors ``(B, D)``; a label without a row is far from everything."""
        scores = vectors @ self.means.to(vectors.dtype).T
        return scores.masked_fill(~self.means.any(1), -1.0) / self.temperature

    def fit(self, vectors: Tensor, targets: Tensor) -> None:
        """Take the means. Shapes as in ``Fitted.fit``, of one label."""
        sums = torch.zeros_like(self.means).index_add_(0, targets, vectors.to(self.means.dtype))
        self.means.copy_(normalize(sums, dim=-1))
