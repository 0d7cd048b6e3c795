"""A weighted sum of the modalities."""

from collections.abc import Mapping

import torch
from torch import nn

from sibu.core.tensors import Encoded
from sibu.fusions._inputs import Inputs, log_shares, places_of


class Weighted(nn.Module):
    """Sums the modalities' vectors by learned weights.

    The vectors are of one length, so that the weights alone say how much each counts.

    Args:
        widths: Width of each modality's vectors, by name.
        width: D.
    """

    votes = False

    def __init__(self, widths: Mapping[str, int], *, width: int) -> None:
        super().__init__()
        self.width = width
        self.inputs = Inputs(widths, width=width)
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.log_weights = nn.Parameter(torch.zeros(len(widths)))
        self.absent = nn.Parameter(torch.zeros(width))
        """Stands for a row that lacks every modality."""

    def weights(self) -> Mapping[str, float]:
        """How much each modality counts where all are there; together 1."""
        return dict(zip(self.inputs.names, self.log_weights.detach().softmax(0).tolist(), strict=True))

    def forward(self, parts: Mapping[str, Encoded], *, keep: str | None = None) -> Encoded:
        """``(B, 1, D)``, or one vector for each place of the modality that is kept."""
        self.inputs.require(parts, keep)
        vectors, present = self.inputs.pooled(parts, keep)
        weights = log_shares(self.log_weights, present).exp()
        summed = (self.norm(vectors) * weights.unsqueeze(-1)).sum(2)
        found = torch.where(present.any(-1, keepdim=True), summed, self.absent)
        return Encoded(found, places_of(parts, keep))
