"""Heads that more than one task uses."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from sibu.core.tensors import Encoded, Output
from sibu.nn.pooling import pool


class PooledHead(nn.Module):
    """Pool, drop out, project: ``(B, T, D)`` to ``(B, outputs)``.

    Args:
        width: D.
        outputs: Numbers to answer with: classes, or 1.
        pooling: ``mean``, ``first`` or ``max``.
        dropout: Before the projection, in [0, 1).
    """

    def __init__(self, *, width: int, outputs: int, pooling: str, dropout: float) -> None:
        super().__init__()
        self.pooling = pooling
        self.dropout = nn.Dropout(dropout)
        self.project = nn.Linear(width, outputs)

    def reduce(self, encoded: Encoded, features: Mapping[str, Tensor]) -> Encoded:  # noqa: ARG002
        """The part that has no weights: the pooled vector as a sequence of one, ``(B, 1, D)``."""
        pooled = pool(encoded.vectors, encoded.mask, self.pooling).unsqueeze(1)
        return Encoded(pooled, torch.ones_like(encoded.mask[:, :1]))

    def forward(self, encoded: Encoded, features: Mapping[str, Tensor]) -> Output:
        """Logits of shape ``(B, outputs)``; pooling a sequence of one changes nothing."""
        return Output(self.project(self.dropout(self.reduce(encoded, features).vectors[:, 0])))


class TokenHead(nn.Module):
    """Drop out and project every token: ``(B, T, D)`` to ``(B, T, outputs)``.

    Args:
        width: D.
        outputs: Numbers to answer with at each token.
        dropout: Before the projection, in [0, 1).
    """

    def __init__(self, *, width: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.project = nn.Linear(width, outputs)

    def reduce(self, encoded: Encoded, features: Mapping[str, Tensor]) -> Encoded:  # noqa: ARG002
        """Nothing can be left out: every token may be asked for."""
        return encoded

    def forward(self, encoded: Encoded, features: Mapping[str, Tensor]) -> Output:  # noqa: ARG002
        """Logits of shape ``(B, T, outputs)``."""
        return Output(self.project(self.dropout(encoded.vectors)))
