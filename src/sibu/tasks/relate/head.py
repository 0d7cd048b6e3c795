"""The layers that judge a marked pair."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from sibu.core.tensors import Encoded, Output


class MarkedPairHead(nn.Module):
    """The vectors at the two marks, side by side, through one hidden layer: ``(B, T, D)`` to ``(B, C)``.

    Args:
        width: D.
        classes: C.
        dropout: Before each layer, in [0, 1).
    """

    def __init__(self, *, width: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.Linear(2 * width, width)
        self.project = nn.Linear(width, classes)

    def reduce(self, encoded: Encoded, features: Mapping[str, Tensor]) -> Encoded:
        """The vectors at the marks as a sequence of two, ``(B, 2, D)``."""
        if encoded.vectors.shape[1] == 2:
            return encoded
        rows = torch.arange(len(encoded.vectors), device=encoded.vectors.device).unsqueeze(1)
        vectors = encoded.vectors[rows, features["marks"]]
        return Encoded(vectors, torch.ones(vectors.shape[:2], dtype=torch.bool, device=vectors.device))

    def forward(self, encoded: Encoded, features: Mapping[str, Tensor]) -> Output:
        """Logits of shape ``(B, C)``; ``features["marks"]`` holds the pieces of the marks, ``(B, 2)``."""
        pair = self.reduce(encoded, features).vectors.flatten(1)
        return Output(self.project(self.dropout(torch.tanh(self.hidden(self.dropout(pair))))))
