"""Tensor fusion with weights of low rank."""

from collections.abc import Mapping

import torch
from torch import nn

from sibu.core.tensors import Encoded
from sibu.fusions._inputs import Inputs, places_of


class LowRank(nn.Module):
    """A linear map of the outer product of every modality's ``[vector; 1]``, its weights a sum of products.

    Args:
        widths: Width of each modality's vectors, by name.
        width: D.
        rank: How many products.
        dropout: Of the modalities' vectors.
    """

    votes = False

    def __init__(self, widths: Mapping[str, int], *, width: int, rank: int, dropout: float) -> None:
        super().__init__()
        self.width = width
        self.rank = rank
        self.inputs = Inputs(widths, width=width)
        self.dropout = nn.Dropout(dropout)
        self.factors = nn.Parameter(torch.randn(len(widths), rank, width, width) / (width * len(widths)) ** 0.5)
        self.constants = nn.Parameter(torch.ones(len(widths), rank, width))
        """The factors of the constant 1; from ones, a product begins as about the sum of its parts."""
        self.sums = nn.Parameter(torch.full((rank,), 1 / rank))
        self.bias = nn.Parameter(torch.full((width,), -1.0))
        """Takes away the product of the constants alone."""

    def forward(self, parts: Mapping[str, Encoded], *, keep: str | None = None) -> Encoded:
        """``(B, 1, D)``, or one vector for each place of the modality that is kept."""
        self.inputs.require(parts, keep)
        vectors, _ = self.inputs.pooled(parts, keep)  # of a missing one zeros: the constant alone is left
        read = torch.einsum("bpmd,mrdw->bpmrw", self.dropout(vectors), self.factors) + self.constants
        fused = torch.einsum("bprw,r->bpw", read.prod(2), self.sums) + self.bias
        return Encoded(fused, places_of(parts, keep))
