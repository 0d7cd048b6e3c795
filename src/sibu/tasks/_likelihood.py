"""How likely whole answers are, with gradients."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

IGNORED = -100


def likelihood_of_rows(logits: Tensor, labels: Tensor) -> Tensor:
    """Log probability of each row's answer, and its number of pieces, ``(B, 2)``.

    Args:
        logits: ``(N, V)``.
        labels: ``(B, T)``, -100 where nothing is written.
    """
    wanted = labels != IGNORED
    found = F.cross_entropy(logits.float(), labels[wanted], reduction="none")
    rows = wanted.nonzero()[:, 0]
    zeros = found.new_zeros(len(labels))
    return torch.stack([zeros.index_add(0, rows, -found), zeros.index_add(0, rows, torch.ones_like(found))], 1)
