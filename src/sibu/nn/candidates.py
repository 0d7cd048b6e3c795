"""Losses that tell the right ones among many candidates from the others."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

LEAST = -80.0
"""Log probability below which a candidate's is not told from this one: numbers too small for the processor's quick way
make a product of matrices ten times slower."""
CELLS = 1 << 18
"""Scores that are worked on at a time: what stays near the processor through several passes."""


class _OneOfAll(torch.autograd.Function):
    """Its gradient is written into one array; autograd's own would hold three of the size of the scores.

    Scores of half precision stay so: only the part that is worked on is of full precision.
    """

    @staticmethod
    def forward(ctx: Any, scores: Tensor, rows: Tensor, right: Tensor, smoothing: float) -> Tensor:
        total = torch.cat([_full(scores[part]).logsumexp(1) for part in _parts(scores)])
        counts = torch.bincount(rows, minlength=len(scores)).to(total.dtype)
        loss = (counts * total).sum() - (1 - smoothing) * _full(scores[rows, right]).sum()
        if smoothing:
            loss = loss - smoothing * (counts * scores.mean(1, dtype=total.dtype)).sum()
        ctx.save_for_backward(scores, total, counts, rows, right)
        ctx.smoothing = smoothing
        return loss

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor, None, None, None]:
        scores, total, counts, rows, right = ctx.saved_tensors
        weights, total, grad = (counts * outer[0]).unsqueeze(1), total.unsqueeze(1), torch.empty_like(scores)
        for part in _parts(scores):
            into = grad[part] if grad.dtype == total.dtype else None
            own = torch.sub(_full(scores[part]), total[part], out=into)
            own.clamp_(min=LEAST).exp_().mul_(weights[part])
            if into is None:
                grad[part] = own
        if ctx.smoothing:
            grad.sub_(weights * (ctx.smoothing / scores.shape[1]))
        pull = (outer[0] * (ctx.smoothing - 1)).to(grad.dtype).expand(len(rows))
        grad.index_put_((rows, right), pull, accumulate=True)
        return grad, None, None, None


def _full(scores: Tensor) -> Tensor:
    """At least single precision: sums over many candidates need it."""
    return scores.float() if scores.dtype in (torch.bfloat16, torch.float16) else scores


def _parts(scores: Tensor) -> list[slice]:
    step = max(CELLS // max(scores.shape[1], 1), 1)
    return [slice(start, start + step) for start in range(0, max(len(scores), 1), step)]


def one_of_all(scores: Tensor, rows: Tensor, right: Tensor, *, smoothing: float = 0.0) -> Tensor:
    """Cross entropy of each right candidate against all, summed over the right ones.

    A row with several right candidates counts once for each, as if it were asked as many times; the others that are
    right stay among those it is told from (1-vs-all: Lacroix et al., 2018, arXiv:1806.07297).

    Args:
        scores: Shape ``(Q, C)``.
        rows: The row of each right candidate. Shape ``(N,)``, int64.
        right: The candidate. Shape ``(N,)``, int64.
        smoothing: Share of the probability that is to be spread over all candidates, in [0, 1).

    Returns:
        A scalar.
    """
    found: Tensor = _OneOfAll.apply(scores, rows, right, smoothing)  # type: ignore[no-untyped-call]
    return found


def some_drawn(own: Tensor, rows: Tensor, drawn: Tensor, wrong: Tensor, *, margin: float, temperature: float) -> Tensor:
    """Log loss of each right candidate and of drawn wrong ones, of which the likelier weigh more; summed.

    A row with several right candidates counts once for each, as in ``one_of_all``. Source: Sun et al., 2019,
    arXiv:1902.10197 (equations 5 and 6; "self-adversarial").

    Args:
        own: Scores of the right candidates. Shape ``(N,)``.
        rows: The row of each. Shape ``(N,)``, int64.
        drawn: Scores of those drawn. Shape ``(Q, K)``.
        wrong: Which of them count; the others are right too. Shape ``(Q, K)``, bool.
        margin: Added to all scores; a distance has to be smaller than it to be right.
        temperature: Of the weights' softmax over the scores: 0 weighs all alike.

    Returns:
        A scalar.
    """
    weights = (drawn.detach() * temperature).masked_fill(~wrong, float("-inf")).softmax(1).nan_to_num(0.0)
    counts = torch.bincount(rows, minlength=len(drawn)).to(drawn.dtype)
    others = counts @ (weights * F.logsigmoid(-(drawn + margin))).sum(1)
    return -(F.logsigmoid(own + margin).sum() + others) / 2
