"""The training loop: one generator. Logging, evaluation, saving and stopping are the caller's plain code."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from sibu.core.errors import RunStopped
from sibu.core.tensors import Batch
from sibu.train.attention import SingleAttention
from sibu.train.optim import set_rate
from sibu.train.processes import average_gradients, summed
from sibu.train.seed import seed_torch

if TYPE_CHECKING:
    from accelerate import Accelerator
    from torch import Tensor, nn

Loss = Callable[[Any, Batch], tuple["Tensor", Mapping[str, "Tensor"]]]
"""Model outputs and batch to the loss that trains, and each task's own for the log."""


class NotFinite(RunStopped):
    """The loss is no longer a finite number."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did."""

    number: int
    """From 1."""
    loss: float
    """Mean over the step's batches in all processes."""
    losses: Mapping[str, float]
    """Loss by task, of this process's batches."""
    learning_rate: float
    """Of the first group."""
    seconds: float
    examples: int
    tokens: int
    """Pieces with their padding; of packed texts without."""
    waited: float = 0.0
    """Seconds of these in which the model had no batch yet."""


def fit(
    model: nn.Module,
    work: Iterable[Sequence[Batch]],
    *,
    loss: Loss,
    optimizer: torch.optim.Optimizer,
    factor: Callable[[int], float],
    accelerator: Accelerator,
    seed: int,
    steps: int,
    start: int = 0,
    clip: float | None = None,
    after: Callable[[int], None] | None = None,
) -> Iterator[Step]:
    """Train, and yield after each step what it did.

    Args:
        model: Called with a batch.
        work: This process's batches of each step from ``start + 1`` on; the gradients of a step's batches are averaged.
        loss: What is to become small.
        optimizer: Over the weights that train, prepared by ``accelerator``; its groups carry ``peak``.
        factor: Learning rate's factor by step.
        accelerator: Devices, mixed precision, several processes.
        seed: Each step's randomness comes from this and the step's number alone.
        steps: Number of the last step.
        start: Number of the last step already done.
        clip: Largest norm of the gradient; None: no clipping.
        after: Called after each step while its gradients are still there.

    Raises:
        NotFinite: When the loss is no longer a finite number.
    """
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    source = iter(work)
    for number in range(start + 1, steps + 1):
        began = time.perf_counter()
        parts = next(source, None)
        waited = time.perf_counter() - began
        if not parts:
            return
        set_rate(optimizer, factor(number))
        seed_torch(seed, "step", number, accelerator.process_index)
        total, losses = 0.0, dict[str, float]()
        for batch in parts:
            value, by_task = backward(model, batch.to(accelerator.device), loss, accelerator, len(parts))
            total += value / len(parts)
            losses |= by_task
        count = accelerator.num_processes
        sizes = (sum(batch.size for batch in parts), sum(batch.tokens for batch in parts))
        total, examples, tokens = summed([total / count, *sizes], accelerator)
        if not math.isfinite(total):
            raise NotFinite(not_finite(number, losses))
        average_gradients(weights, accelerator)
        if clip is not None:
            accelerator.clip_grad_norm_(weights, clip)
        optimizer.step()
        if after is not None:
            after(number)
        optimizer.zero_grad(set_to_none=True)
        yield Step(
            number=number,
            loss=total,
            losses=losses,
            learning_rate=optimizer.param_groups[0]["lr"],
            seconds=time.perf_counter() - began,
            examples=int(examples),
            tokens=int(tokens),
            waited=waited,
        )


def backward(
    model: nn.Module, batch: Batch, loss: Loss, accelerator: Accelerator, parts: int
) -> tuple[float, dict[str, float]]:
    """Add one batch's gradients, divided by ``parts``; the loss and each task's own are the answer."""
    model.train()
    on_cpu = accelerator.device.type == "cpu" and accelerator.mixed_precision == "bf16"
    with accelerator.autocast(), SingleAttention() if on_cpu else nullcontext():
        value, by_task = loss(model(batch), batch)
    accelerator.backward(value / parts)
    return float(value.detach()), {task: float(each.detach()) for task, each in by_task.items()}


def not_finite(step: int, losses: Mapping[str, float]) -> str:
    """What is said of a loss that is no number."""
    said = ", ".join(f"{task} {value}" for task, value in losses.items())
    return (
        f"The loss is not a finite number at step {step} ({said}). Nothing of this step was kept; the best weights and "
        "the last checkpoint are as they were. Lower train.learning_rate (a third of it is a good first try), keep "
        "train.clip, or look for extreme targets with `sibu check`."
    )
