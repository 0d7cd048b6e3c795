"""The tagger's loss."""

from __future__ import annotations

from collections.abc import Sequence

import torch
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


def log_presence(logits: Tensor, words: Tensor, kinds: Sequence[Sequence[int]]) -> Tensor:
    """Log probabilities that no word, and that some word, has a tag of a kind, as if words were independent.

    Args:
        logits: Shape ``(B, T, C)``.
        words: Whether a piece carries a tag. Shape ``(B, T)``, bool.
        kinds: The tags of each kind, by number.

    Returns:
        Shape ``(B, K, 2)``.
    """
    logits = logits.float()
    whole = torch.logsumexp(logits, -1)
    found = []
    for tags in kinds:
        others = [number for number in range(logits.shape[-1]) if number not in set(tags)]
        without = (torch.logsumexp(logits[..., others], -1) - whole) * words
        absent = without.sum(1).clamp(max=-1e-6)
        found.append(torch.stack([absent, torch.log(-torch.expm1(absent))], -1))
    return torch.stack(found, 1)
