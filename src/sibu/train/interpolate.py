"""Weights between those that a model began with and those that it was trained to.

Source: Wortsman et al., 2022, arXiv:2109.01903 (WiSE-FT).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


class Start:
    """The weights of a model as they are now, of those that are trained. Costs their memory once more.

    Args:
        model: The model, before its first step.
    """

    def __init__(self, model: nn.Module) -> None:
        self._weights = [(own, own.detach().clone()) for own in model.parameters() if own.requires_grad]

    @torch.no_grad()
    def interpolate(self, share: float) -> None:
        """Leave so much of the way that the weights went: 1 all of it, 0 none."""
        for own, begun in self._weights:
            own.copy_(torch.lerp(begun, own, share))

    @contextmanager
    def interpolated(self, share: float) -> Iterator[None]:
        """Have the weights as ``interpolate`` leaves them within the block, and as they are behind it."""
        trained = [own.detach().clone() for own, _ in self._weights]
        self.interpolate(share)
        try:
            yield
        finally:
            with torch.no_grad():
                for (own, _), weights in zip(self._weights, trained, strict=True):
                    own.copy_(weights)
