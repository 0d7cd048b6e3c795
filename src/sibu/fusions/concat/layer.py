"""Vectors side by side."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import nn

from sibu.core.tensors import Encoded
from sibu.fusions._inputs import Inputs, places_of


class Concat(nn.Module):
    """One vector a modality side by side, brought back to one width, and mixed.

    Args:
        widths: Width of each modality's vectors, by name.
        width: D.
        dropout: Of what the mixing adds.
    """

    votes = False

    def __init__(self, widths: Mapping[str, int], *, width: int, dropout: float) -> None:
        super().__init__()
        self.width = width
        self.inputs = Inputs(widths, width=width)
        self.absent = nn.Parameter(torch.randn(len(widths), width) / width**0.5)
        self.join = nn.Linear(len(widths) * width, width)
        self.norm = nn.LayerNorm(width)
        self.up, self.down = nn.Linear(width, width), nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, parts: Mapping[str, Encoded], *, keep: str | None = None) -> Encoded:
        """``(B, 1, D)``, or one vector for each place of the modality that is kept."""
        self.inputs.require(parts, keep)
        vectors, present = self.inputs.pooled(parts, keep)
        joined = self.join(torch.where(present.unsqueeze(-1), vectors, self.absent).flatten(2))
        mixed = joined + self.dropout(self.down(F.gelu(self.up(self.norm(joined)))))
        return Encoded(mixed, places_of(parts, keep))
