"""A start from which few steps suffice: the weights move towards where each small problem's own training leads.

Source: Nichol et al., 2018, arXiv:1803.02999 (Reptile, with Adam without momentum inside, as there).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import torch

from sibu.core.tensors import Batch
from sibu.train.fit import Loss, NotFinite, Step, backward, not_finite
from sibu.train.seed import seed_torch

if TYPE_CHECKING:
    from accelerate import Accelerator
    from torch import nn


BETAS = (0.0, 0.999)


def reptile(
    model: nn.Module,
    work: Iterable[Sequence[Batch]],
    *,
    loss: Loss,
    optimizer: torch.optim.Optimizer,
    factor: Callable[[int], float],
    accelerator: Accelerator,
    seed: int,
    steps: int,
    inner: int,
    share: float,
    start: int = 0,
    clip: float | None = None,
) -> Iterator[Step]:
    """Train by rounds, and yield after each what it did.

    In a round the model takes some steps on one small problem at its peak rates, and is then moved back but for a share
    of the way, which falls with the schedule.

    Args:
        model: Called with a batch.
        work: The batches of each round from ``start + 1`` on: a small problem; of several batches each step takes the
            next.
        loss: What is to become small.
        optimizer: Says which weights train, and how fast; its own steps are not taken.
        factor: The share's factor by round.
        accelerator: Devices and mixed precision; of one process.
        seed: Each step's randomness comes from this, the round's number and its own.
        steps: Number of the last round.
        inner: Steps on a problem.
        share: Of the way that they lead, in (0, 1].
        start: Number of the last round already done.
        clip: Largest norm of the gradient; None: no clipping.

    Raises:
        NotFinite: When the loss is no longer a finite number.
    """
    source = iter(work)
    for number in range(start + 1, steps + 1):
        began = time.perf_counter()
        parts = next(source, None)
        if not parts:
            return
        groups = [{**group, "lr": group["peak"], "betas": BETAS} for group in optimizer.param_groups]
        weights = [weight for group in groups for weight in group["params"]]
        before = [weight.detach().clone() for weight in weights]
        own = torch.optim.AdamW(groups, fused=True)
        total, losses, examples, tokens = 0.0, dict[str, float](), 0, 0
        for step in range(inner):
            seed_torch(seed, "reptile", number, step)
            batch = parts[step % len(parts)].to(accelerator.device)
            value, losses = backward(model, batch, loss, accelerator, 1)
            if not math.isfinite(value):
                raise NotFinite(not_finite(number, losses))
            if clip is not None:
                accelerator.clip_grad_norm_(weights, clip)
            own.step()
            own.zero_grad(set_to_none=True)
            total, examples, tokens = total + value / inner, examples + batch.size, tokens + batch.tokens
        moved = share * factor(number)
        with torch.no_grad():
            for weight, old in zip(weights, before, strict=True):
                weight.copy_(old.lerp(weight, moved))
        rate = float(groups[0]["lr"]) * moved if groups else 0.0
        yield Step(number, total, losses, rate, time.perf_counter() - began, examples, tokens)
