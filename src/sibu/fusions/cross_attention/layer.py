"""Places of one modality that read those of the others."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from sibu.core.tensors import Encoded
from sibu.fusions._inputs import Inputs, places_of
from sibu.nn.pooling import mean_pool
from sibu.nn.transformer import TransformerLayer


class CrossAttention(nn.Module):
    """Layers in which each place reads the places of the other modalities.

    Args:
        widths: Width of each modality's vectors, by name.
        width: D.
        layers: How many layers.
        heads: Heads of attention.
        dropout: Of what each layer adds.
    """

    votes = False

    def __init__(self, widths: Mapping[str, int], *, width: int, layers: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.width = width
        self.inputs = Inputs(widths, width=width)
        self.kinds = nn.Parameter(torch.randn(len(widths), width) / width**0.5)
        """Says of a place of which modality it is."""
        self.row = nn.Parameter(torch.randn(width) / width**0.5)
        """Leads the places: it reads all of them, and none reads it."""
        self.layers = nn.ModuleList(TransformerLayer(width=width, heads=heads, dropout=dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, parts: Mapping[str, Encoded], *, keep: str | None = None) -> Encoded:
        """``(B, 1, D)``, or the places of the modality that is kept.

        The one vector is the mean over the modalities of the means over their places, each counting alike however many
        it has, and what a learned vector has read of all places.
        """
        self.inputs.require(parts, keep)
        masks = [parts[name].mask for name in self.inputs.names]
        vectors = [places + kind for places, kind in zip(self.inputs.places(parts), self.kinds, strict=True)]
        row = self.row.expand(len(masks[0]), 1, -1)
        joined, may_read = torch.cat([row, *vectors], 1), _may_read(masks)
        for layer in self.layers:
            joined = layer(joined, may_read)
        row, *found = torch.split(joined, [1, *(mask.shape[1] for mask in masks)], 1)
        if keep is not None:
            return Encoded(self.norm(found[self.inputs.names.index(keep)]), parts[keep].mask)
        return Encoded(self.norm(row + _mean(found, masks).unsqueeze(1)), places_of(parts, None))


def _may_read(masks: list[Tensor]) -> Tensor:
    """Which place reads which: those of other modalities that are real; the first reads all. Shape ``(B, T, T)``."""
    sizes = torch.tensor([1, *(mask.shape[1] for mask in masks)], device=masks[0].device)
    kinds = torch.arange(len(sizes), device=sizes.device).repeat_interleave(sizes)
    real = torch.cat([masks[0].new_zeros(len(masks[0]), 1), *masks], 1)
    return (kinds[:, None] != kinds) & real.unsqueeze(1)


def _mean(vectors: list[Tensor], masks: list[Tensor]) -> Tensor:
    """The mean over the modalities that are there of the means over their places; zeros where none is. ``(B, D)``."""
    means = torch.stack([mean_pool(each, mask) for each, mask in zip(vectors, masks, strict=True)], 1)
    return mean_pool(means, torch.stack([mask.any(1) for mask in masks], 1))
