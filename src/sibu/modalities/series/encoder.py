"""A transformer over the patches of a stream."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sibu.core.tensors import Encoded
from sibu.modalities._encoder import ModelEncoder
from sibu.nn.transformer import TransformerLayer

SLOWEST = 1000.0
"""Patches in the longest wave by which a vector is told its time."""


class PatchVectors(nn.Module):
    """A vector for each patch, from its own readings and those of its neighbours.

    Args:
        patch: P, readings a patch.
        channels: C.
        hide: Share of the patches that is hidden in training.
        width: D, even.
    """

    waves: Tensor

    def __init__(self, *, patch: int, channels: int, hide: float, width: int) -> None:
        super().__init__()
        self.values, self.patch, self.hide = patch * channels, patch, hide
        given = 3 * (2 * self.values + patch)
        self.straight = nn.Linear(given, width)
        self.up, self.down = nn.Linear(given, 2 * width), nn.Linear(2 * width, width)
        self.register_buffer("waves", SLOWEST ** -torch.linspace(0, 1, width // 2), persistent=False)

    def forward(self, readings: Tensor, mask: Tensor) -> Tensor:
        """``(B, T, P * (C + 1) + 1)`` under ``(B, T)`` to ``(B, T, D)``."""
        values, uneven, begins = torch.split(readings, [self.values, self.patch, 1], -1)
        there = ~values.isnan() & self._shown(mask).unsqueeze(-1)
        own = torch.cat([torch.where(there, values, 0.0), there.to(values.dtype), uneven], -1)
        own = own.masked_fill(~mask.unsqueeze(-1), 0.0)
        before, after = F.pad(own, (0, 0, 1, 0))[:, :-1], F.pad(own, (0, 0, 0, 1))[:, 1:]
        known = torch.cat([before, own, after], -1)
        angles = begins * self.waves
        time = torch.cat([angles.sin(), angles.cos()], -1)
        found: Tensor = self.straight(known) + self.down(F.gelu(self.up(known))) + time
        return found

    def _shown(self, mask: Tensor) -> Tensor:
        """Which patches are not hidden."""
        if not (self.training and self.hide):
            return mask
        return mask & (torch.rand(mask.shape, device=mask.device) >= self.hide)


class PatchTransformer(nn.Module):
    """Patches that read each other.

    Args:
        patch: Readings a patch.
        channels: How many.
        hide: Share of the patches that is hidden in training.
        width: D.
        layers: How many layers.
        heads: Heads of attention.
        dropout: Of what each layer adds.
    """

    def __init__(
        self, *, patch: int, channels: int, hide: float, width: int, layers: int, heads: int, dropout: float
    ) -> None:
        super().__init__()
        self.patches = PatchVectors(patch=patch, channels=channels, hide=hide, width=width)
        self.layers = nn.ModuleList(TransformerLayer(width=width, heads=heads, dropout=dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, readings: Tensor, mask: Tensor) -> Tensor:
        """``(B, T, P * (C + 1) + 1)`` under ``(B, T)`` to ``(B, T, D)``."""
        vectors = self.patches(readings, mask)
        for layer in self.layers:
            vectors = layer(vectors, mask)
        found: Tensor = self.norm(vectors)
        return found


class SeriesEncoder(ModelEncoder):
    """Patches to vectors; all of its weights are made anew.

    Args:
        width: D.
        layout: As ``PatchTransformer`` takes it.
    """

    def __init__(self, *, width: int, **layout: object) -> None:
        super().__init__(PatchTransformer(width=width, **layout), width=width, folder=None)  # type: ignore[arg-type]

    def encoded(self, inputs: Mapping[str, Tensor]) -> Encoded:
        """``readings`` (B, T, P x (C + 1) + 1), NaN where one is missing, under ``mask`` (B, T), to ``(B, T, D)``."""
        return Encoded(self.model(inputs["readings"], inputs["mask"]), inputs["mask"])
