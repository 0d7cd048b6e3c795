"""The tagger's loss."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from sibu.tasks.tag.task import IGNORED


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
