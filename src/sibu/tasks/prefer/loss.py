"""Losses of pairs of answers."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from sibu.nn.likelihood import answer_losses


def preference_loss(
    logits: Tensor,
    targets: Mapping[str, Tensor],
    *,
    kind: str,
    beta: float,
    gamma: float,
    write_weight: float,
    label_smoothing: float,
) -> Tensor:
    """Mean loss over a batch's pairs.

    Args:
        logits: Of the language head, ``(N, V)``.
        targets: ``labels`` or ``answer`` ``(B, T)``: rows 0, 2, ... are chosen answers, 1, 3, ... the rejected ones;
            ``reference`` ``(B, 1)``: log probability of each answer before training, for `dpo` and `ipo`.
        kind: ``dpo``, ``ipo``, ``simpo`` or ``orpo``.
        beta: See the door plate.
        gamma: See the door plate.
        write_weight: Of the chosen answers' own loss.
        label_smoothing: Share of pairs taken to be the wrong way round.
    """
    labels = targets["answer"] if "answer" in targets else targets["labels"]
    found = answer_losses(logits, labels).view(-1, 2, 2)
    total, pieces = -found[..., 0], found[..., 1].clamp(min=1)
    mean = total / pieces
    writing = -(total[:, 0].sum() / pieces[:, 0].sum())
    if kind in ("dpo", "ipo"):
        moved = total - targets["reference"].view(-1, 2)
        gap = moved[:, 0] - moved[:, 1]
        if kind == "ipo":  # by piece, as long answers would move further
            moved = moved / pieces
            loss = (moved[:, 0] - moved[:, 1] - 1 / (2 * beta)).square()
        else:
            loss = -(1 - label_smoothing) * F.logsigmoid(beta * gap) - label_smoothing * F.logsigmoid(-beta * gap)
    elif kind == "simpo":
        loss = -F.logsigmoid(beta * (mean[:, 0] - mean[:, 1]) - gamma)
    else:
        mean = mean.clamp(max=-1e-6)
        odds = mean - torch.log1p(-mean.exp())
        loss = writing - beta * F.logsigmoid(odds[:, 0] - odds[:, 1])
    return loss.mean() + write_weight * writing
