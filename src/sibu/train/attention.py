"""Attention of a training step in bfloat16 on a CPU: of short texts in single precision, where torch's is faster."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

LONGEST = 256
"""Keys of a row up to which single precision is the faster one."""


class SingleAttention(TorchFunctionMode):
    """Within it attention over short rows on a CPU is computed in float32, whatever autocast would take.

    The backward pass of torch's attention without dropout is slow in bfloat16: forward and backward of 2,048 places
    take eight times as long as in float32 in rows of 16, 2.5 times in rows of 128 (torch 2.13, AMX). The forward pass
    alone is faster in bfloat16, so that prediction is better without this.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        named = kwargs or {}
        if func is not F.scaled_dot_product_attention or len(args) < 3 or not _suits(args[1]):
            return func(*args, **named)
        with torch.autocast("cpu", enabled=False):
            return func(*map(_single, args), **{name: _single(each) for name, each in named.items()})


def _suits(key: Tensor) -> bool:
    return key.device.type == "cpu" and key.shape[-2] <= LONGEST


def _single(given: Any) -> Any:
    return given.float() if isinstance(given, Tensor) and given.is_floating_point() else given
