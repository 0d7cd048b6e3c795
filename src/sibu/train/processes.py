"""One run in several processes, as ``torchrun`` starts them: who writes, who waits, which batches are whose.

Every process reads and encodes the data itself, trains on its own batches of each step, and keeps the same weights; the
first alone evaluates, speaks and writes. The processes share one file system.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from accelerate import Accelerator
    from torch import nn

T = TypeVar("T")

PATIENCE = timedelta(hours=12)
"""How long a process waits for the first one, which evaluates and writes while the others have nothing to do."""


def is_first() -> bool:
    """Whether this is the process that speaks and writes; known before torch is imported."""
    return os.environ.get("RANK", "0") == "0"


def several() -> bool:
    """Whether the run has more than one process."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def accelerator(mixed_precision: str) -> Accelerator:
    """What carries devices, mixed precision and the processes; made after ``torchrun`` or alone.

    Args:
        mixed_precision: ``no``, ``bf16`` or ``fp16``.
    """
    import torch
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState
    from accelerate.utils import InitProcessGroupKwargs

    AcceleratorState._reset_state(reset_partial_state=True)  # of an earlier run in this process, if there was one
    return Accelerator(
        cpu=not torch.accelerator.is_available(),  # unless it is told so, it sees one process where no device is
        mixed_precision=mixed_precision,
        kwargs_handlers=[InitProcessGroupKwargs(timeout=PATIENCE)] if several() else None,
    )


def own_share(step: Sequence[T], accelerator: Accelerator) -> list[T]:
    """This process's batches of a step: every n-th, begun anew where a step (the last of an epoch) has too few for all.

    Args:
        step: The batches that all processes together take, at least one.
        accelerator: Knows how many processes there are and which this is.
    """
    count, own = accelerator.num_processes, accelerator.process_index
    each = -(-len(step) // count)
    return [step[(own + place * count) % len(step)] for place in range(each)]


def shared(value: T, accelerator: Accelerator) -> T:
    """The first process's ``value``, in every process."""
    if accelerator.num_processes == 1:
        return value
    from accelerate.utils import broadcast_object_list

    box = [value]
    broadcast_object_list(box)
    return box[0]


def summed(numbers: Sequence[float], accelerator: Accelerator) -> list[float]:
    """Numbers added up over the processes."""
    if accelerator.num_processes == 1:
        return list(numbers)
    import torch

    tensor = torch.tensor(numbers, dtype=torch.float64, device=accelerator.device)
    return [float(number) for number in accelerator.reduce(tensor, "sum")]


def average_gradients(weights: Iterable[nn.Parameter], accelerator: Accelerator) -> None:
    """Give every weight the mean of its gradients over the processes; one that has none anywhere keeps none.

    All gradients travel as one vector after the backward pass. The wrapper of torch for this would send them during it,
    but must know which weights take part in a step; with several tasks, learned weights of losses and adapters that
    differs from step to step.
    """
    if accelerator.num_processes == 1:
        return
    import torch

    own = list(weights)
    used = summed([float(weight.grad is not None) for weight in own], accelerator)
    moved = [weight for weight, count in zip(own, used, strict=True) if count]
    grads = [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in moved]
    whole = accelerator.reduce(torch.cat([grad.reshape(-1).float() for grad in grads]), "mean")
    start = 0
    for weight, grad in zip(moved, grads, strict=True):
        weight.grad = whole[start : start + grad.numel()].view_as(grad).to(grad.dtype)
        start += grad.numel()
