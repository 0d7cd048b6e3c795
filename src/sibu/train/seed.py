"""Randomness that depends on the seed and the step alone.

Every step starts from a seed of its own, so that a run that resumes at step 51 draws what an unbroken run draws there;
no generator's state needs to be saved.
"""

import os
import random
from hashlib import blake2b
from typing import Any

import numpy as np


def derive(seed: int, *purpose: int | str) -> int:
    """A seed of 63 bits for one purpose, such as ``derive(13, "step", 51)``."""
    text = "/".join(str(part) for part in (seed, *purpose))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def generator(seed: int, *purpose: int | str) -> np.random.Generator:
    """A numpy generator for one purpose."""
    return np.random.default_rng(derive(seed, *purpose))


def seed_torch(seed: int, *purpose: int | str) -> None:
    """Seed torch (all devices) and Python's ``random`` for one purpose."""
    import torch

    number = derive(seed, *purpose)
    torch.manual_seed(number)
    random.seed(number)


def deterministic() -> None:
    """Ask torch for the same bits from the same numbers; where an operation has no such form, it warns."""
    import torch

    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    cudnn: Any = torch.backends.cudnn
    cudnn.benchmark = False
