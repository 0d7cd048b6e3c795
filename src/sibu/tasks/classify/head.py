"""The classifier's layers and its loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sibu.core.tensors import Encoded, Output
from sibu.nn.pooling import pool


class ClassifyHead(nn.Module):
    """Pool, drop out, project: ``(B, T, D)`` to logits ``(B, C)``."""

    def __init__(self, *, width: int, classes: int, pooling: str, dropout: float) -> None:
        super().__init__()
        self.pooling = pooling
        self.dropout = nn.Dropout(dropout)
        self.project = nn.Linear(width, classes)

    def reduce(self, encoded: Encoded, features: Mapping[str, Tensor]) -> Encoded:  # noqa: ARG002
        """The part that has no weights: the pooled vector as a sequence of one, ``(B, 1, D)``."""
        if encoded.vectors.shape[1] == 1:
            return encoded
        pooled = pool(encoded.vectors, encoded.mask, self.pooling).unsqueeze(1)
        return Encoded(pooled, torch.ones_like(encoded.mask[:, :1]))

    def forward(self, encoded: Encoded, features: Mapping[str, Tensor]) -> Output:
        """Logits of shape ``(B, C)``."""
        return Output(self.project(self.dropout(self.reduce(encoded, features).vectors[:, 0])))


def classify_loss(
    logits: Tensor, target: Tensor, *, multi_label: bool, label_smoothing: float, weights: Sequence[float] | None
) -> Tensor:
    """Mean loss of a batch.

    Args:
        logits: Shape ``(B, C)``.
        target: Class numbers ``(B,)``, or 0/1 vectors ``(B, C)`` for several labels.
        multi_label: Which of the two.
        label_smoothing: Share of the target spread over all labels, in [0, 1).
        weights: Weight of each class, length C; None: all 1.
    """
    weight = None if weights is None else torch.tensor(weights, dtype=logits.dtype, device=logits.device)
    if multi_label:
        smooth = target * (1 - label_smoothing) + label_smoothing / 2
        return F.binary_cross_entropy_with_logits(logits, smooth, pos_weight=weight)
    return F.cross_entropy(logits, target, weight=weight, label_smoothing=label_smoothing)
