"""Shared vectors that read every modality."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from sibu.core.tensors import Encoded
from sibu.fusions._inputs import Inputs
from sibu.nn.transformer import TransformerLayer


class Bottleneck(nn.Module):
    """Rounds in which shared vectors read each modality; what they take from each is averaged.

    Args:
        widths: Width of each modality's vectors, by name.
        width: D.
        latents: L, how many shared vectors.
        layers: Rounds.
        heads: Heads of attention.
        dropout: Of what each round adds.
    """

    votes = False

    def __init__(
        self, widths: Mapping[str, int], *, width: int, latents: int, layers: int, heads: int, dropout: float
    ) -> None:
        super().__init__()
        self.width = width
        self.inputs = Inputs(widths, width=width)
        self.kinds = nn.Parameter(torch.randn(len(widths), width) / width**0.5)
        """Says of a place of which modality it is."""
        self.latents = nn.Parameter(torch.randn(latents, width) / width**0.5)
        self.layers = nn.ModuleList(TransformerLayer(width=width, heads=heads, dropout=dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, parts: Mapping[str, Encoded], *, keep: str | None = None) -> Encoded:
        """The shared vectors ``(B, L, D)``, or the places of the modality that is kept, which have read them."""
        self.inputs.require(parts, keep)
        masks = [parts[name].mask for name in self.inputs.names]
        places = [found + kind for found, kind in zip(self.inputs.places(parts), self.kinds, strict=True)]
        latents = self.latents.expand(len(masks[0]), -1, -1)
        own = masks[0].new_ones(latents.shape[:2])
        for layer in self.layers:
            latents = _round(layer, latents, own, places, masks)
        if keep is None:
            return Encoded(self.norm(latents), own)
        kept = self.layers[-1](places[self.inputs.names.index(keep)], own, latents)
        return Encoded(self.norm(kept), parts[keep].mask)


def _round(layer: nn.Module, latents: Tensor, own: Tensor, places: list[Tensor], masks: list[Tensor]) -> Tensor:
    """The mean over the modalities that are there of the shared vectors after they read each other and its places."""
    read = [
        layer(latents, torch.cat([own, mask], 1), torch.cat([latents, found], 1))
        for found, mask in zip(places, masks, strict=True)
    ]
    there = torch.stack([mask.any(1) for mask in masks], 1)
    there = there | ~there.any(1, keepdim=True)  # where none is, they have read each other
    weights = there / there.sum(1, keepdim=True)
    return torch.einsum("bmld,bm->bld", torch.stack(read, 1), weights)
