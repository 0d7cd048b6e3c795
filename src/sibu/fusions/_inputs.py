"""What a fusion is given: each modality's vectors, without what stands where there is none, projected to one width."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from sibu.core.tensors import Encoded
from sibu.nn.pooling import mean_pool

MOST = 256
"""Width of a fusion at most, where none is given."""


def fitting(widths: Mapping[str, int], given: int | None, *, heads: int = 1) -> int:
    """The width of a fusion: as given, or the largest of the modalities', at most ``MOST``; a multiple of ``heads``."""
    return given or max(min(max(widths.values()), MOST) // heads, 1) * heads


class Inputs(nn.Module):
    """Norms and projects each modality's vectors.

    Args:
        widths: Width of each modality's vectors, by name.
        width: D, of what they are projected to.
    """

    def __init__(self, widths: Mapping[str, int], *, width: int) -> None:
        super().__init__()
        self.names = sorted(widths)
        """In the order of everything that has one entry a modality."""
        self.norms = nn.ModuleList(nn.LayerNorm(widths[name]) for name in self.names)
        self.projections = nn.ModuleList(nn.Linear(widths[name], width) for name in self.names)

    def require(self, parts: Mapping[str, Encoded], keep: str | None) -> None:
        """Every modality is there, no other, and the one to be kept is among them.

        Raises:
            ValueError: When that is not so.
        """
        if set(parts) != set(self.names) or (keep is not None and keep not in parts):
            kept = "" if keep is None else f" (to be kept: {keep})"
            raise ValueError(f"the fusion joins {', '.join(self.names)}; given {', '.join(parts)}{kept}")

    def places(self, parts: Mapping[str, Encoded]) -> list[Tensor]:
        """Each modality's vectors, ``(B, T, D)`` each."""
        return [self._projected(number, _cleared(parts[name])) for number, name in enumerate(self.names)]

    def pooled(self, parts: Mapping[str, Encoded], keep: str | None) -> tuple[Tensor, Tensor]:
        """One vector a modality, the mean over its places, zeros where there is none; and whether there is one.

        Where a modality is kept, one for each of its places (P of them, else 1), with the others' means beside it.

        Returns:
            Vectors ``(B, P, M, D)``, and bool ``(B, P, M)``.
        """
        found, there = [], []
        for number, name in enumerate(self.names):
            vectors, mask = _cleared(parts[name]), parts[name].mask
            if name != keep:
                vectors, mask = mean_pool(vectors, mask).unsqueeze(1), mask.any(1, keepdim=True)
            found.append(self._projected(number, vectors))
            there.append(mask)
        count = 1 if keep is None else parts[keep].mask.shape[1]
        present = torch.stack([mask.expand(-1, count) for mask in there], -1)
        stacked = torch.stack([vectors.expand(-1, count, -1) for vectors in found], 2)
        return stacked.masked_fill(~present.unsqueeze(-1), 0.0), present

    def _projected(self, number: int, vectors: Tensor) -> Tensor:
        projected: Tensor = self.projections[number](self.norms[number](vectors))
        return projected


def _cleared(part: Encoded) -> Tensor:
    """The vectors, with zeros where none is real: whatever stands there has no say."""
    return part.vectors.masked_fill(~part.mask.unsqueeze(-1), 0.0)


def places_of(parts: Mapping[str, Encoded], keep: str | None) -> Tensor:
    """The mask of a fusion's vectors that are pooled: one place, or those of the modality that is kept."""
    if keep is not None:
        return parts[keep].mask
    mask = next(iter(parts.values())).mask
    return mask.new_ones(len(mask), 1)


def log_shares(weights: Tensor, present: Tensor) -> Tensor:
    """The logs of a softmax over the modalities that are present; over all where none is.

    Args:
        weights: Logs of weights, up to a constant. Shape ``(..., M)``.
        present: Shape ``(..., M)``, bool.
    """
    voters = present | ~present.any(-1, keepdim=True)
    return weights.expand(present.shape).masked_fill(~voters, -torch.inf).log_softmax(-1)
