"""Losses over pairs of a batch."""

from __future__ import annotations

import torch
from torch import Tensor


def pair_loss(vectors: Tensor, alike: Tensor, *, temperature: float) -> Tensor:
    """Supervised contrastive loss over all pairs of a batch.

    For each text, the log probability of picking one that is alike among all others by their similarity, averaged over
    those that are. A text without any counts nothing. Source: Khosla et al., 2020, arXiv:2004.11362 (equation 2).

    Args:
        vectors: Unit vectors. Shape ``(B, D)``.
        alike: How alike two texts' labels are, in [0, 1]. Shape ``(B, B)``.
        temperature: Divides the similarities; above 0.

    Returns:
        A scalar; 0 where no two texts are alike.
    """
    own = torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
    similar = (vectors @ vectors.T / temperature).masked_fill(own, float("-inf"))
    log_chance = (similar - similar.logsumexp(1, keepdim=True)).masked_fill(own, 0.0)
    weights = alike.to(vectors.dtype).masked_fill(own, 0.0)
    found = weights.sum(1)
    by_text = -(weights * log_chance).sum(1) / found.clamp_min(1e-12)
    counted = found > 0
    return by_text[counted].mean() if bool(counted.any()) else (vectors * 0).sum()
