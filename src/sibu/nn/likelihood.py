"""How unlikely whole answers are."""

import torch
import torch.nn.functional as F
from torch import Tensor

IGNORED = -100
"""The label of a place at which nothing is learned."""


def answer_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """Sum of the negative log probabilities and number of pieces of each row's answer, ``(B, 2)``, with gradients.

    Args:
        logits: As a language head gives them, ``(N, V)``: scores of each place that is not ignored, in order.
        labels: Pieces, ``(B, T)``; ``IGNORED`` where nothing is written.
    """
    wanted = labels != IGNORED
    losses = F.cross_entropy(logits.float(), labels[wanted], reduction="none")
    rows = wanted.nonzero()[:, 0]
    zeros = losses.new_zeros(len(labels))
    return torch.stack([zeros.index_add(0, rows, losses), zeros.index_add(0, rows, torch.ones_like(losses))], 1)
