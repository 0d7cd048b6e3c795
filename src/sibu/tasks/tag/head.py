"""The tagger's layers and its loss."""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor, nn

from sibu.core.tensors import Encoded, Output
from sibu.tasks.tag.task import IGNORED


class TagHead(nn.Module):
    """Drop out and project every piece: ``(B, T, D)`` to logits ``(B, T, C)``."""

    def __init__(self, *, width: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.project = nn.Linear(width, classes)

    def reduce(self, encoded: Encoded, features: Mapping[str, Tensor]) -> Encoded:  # noqa: ARG002
        """Nothing can be left out: every piece may carry a tag."""
        return encoded

    def forward(self, encoded: Encoded, features: Mapping[str, Tensor]) -> Output:  # noqa: ARG002
        """Logits of shape ``(B, T, C)``."""
        return Output(self.project(self.dropout(encoded.vectors)))


def tag_loss(logits: Tensor, tags: Tensor, *, label_smoothing: float) -> Tensor:
    """Mean cross entropy over the pieces that carry a tag.

    Args:
        logits: Shape ``(B, T, C)``.
        tags: Tag numbers, ``IGNORED`` where a piece carries none. Shape ``(B, T)``.
        label_smoothing: Share of the target spread over all tags, in [0, 1).
    """
    real = tags.ne(IGNORED)
    if not bool(real.any()):  # a window of a long text may hold no word's first piece
        return logits.sum() * 0.0
    return F.cross_entropy(logits[real], tags[real], label_smoothing=label_smoothing)
