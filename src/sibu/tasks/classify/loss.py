"""The classifier's loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


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


def mixed_loss(logits: Tensor, target: Tensor, *, alpha: float, **named: Any) -> Tensor:
    """The loss of mixtures of each row with another of the batch.

    The scores are mixed: the layer that gives them is linear, so that these are the scores of the mixed vectors.

    Args:
        logits: Of a linear layer. Shape ``(B, C)``.
        target: As ``classify_loss`` has it.
        alpha: A row's share in its mixture is drawn from Beta(alpha, alpha), one for the batch.
        named: The other arguments of ``classify_loss``.
    """
    share = float(torch.distributions.Beta(alpha, alpha).sample())
    other = torch.randperm(len(logits)).to(logits.device)
    mixed = share * logits + (1 - share) * logits[other]
    first, second = (classify_loss(mixed, each, **named) for each in (target, target[other]))
    return share * first + (1 - share) * second
