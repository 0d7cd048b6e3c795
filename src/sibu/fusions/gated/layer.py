"""A gated multimodal unit."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from sibu.core.tensors import Encoded
from sibu.fusions._inputs import Inputs, places_of


class Gated(nn.Module):
    """Each number of the fused vector is a mean over the modalities, weighted by gates that see all of them.

    Args:
        widths: Width of each modality's vectors, by name.
        width: D.
        dropout: Of the fused vector.
    """

    votes = False

    def __init__(self, widths: Mapping[str, int], *, width: int, dropout: float) -> None:
        super().__init__()
        self.width = width
        self.inputs = Inputs(widths, width=width)
        self.absent = nn.Parameter(torch.zeros(len(widths), width))
        """What the gates see of a modality that is missing."""
        self.gate = nn.Linear(len(widths) * width, len(widths) * width)
        self.nothing = nn.Parameter(torch.zeros(width))
        """Stands for a row that lacks every modality."""
        self.dropout = nn.Dropout(dropout)
        self.gates: dict[str, Tensor] = {}
        """Of the last batch how much each modality was taken, the mean over the vector's numbers; 0 where it is
        missing. Shape ``(B, P)`` each, P as the vectors that were given."""

    def forward(self, parts: Mapping[str, Encoded], *, keep: str | None = None) -> Encoded:
        """``(B, 1, D)``, or one vector for each place of the modality that is kept."""
        self.inputs.require(parts, keep)
        vectors, present = self.inputs.pooled(parts, keep)
        there, some = present.unsqueeze(-1), present.any(-1, keepdim=True)
        seen = torch.where(there, vectors, self.absent)
        gates: Tensor = self.gate(seen.flatten(2)).unflatten(-1, seen.shape[2:])
        gates = gates.masked_fill(~(there | ~some.unsqueeze(-1)), -torch.inf).softmax(2)
        self._keep(gates.detach() * there)
        fused = torch.where(some, (gates * vectors.tanh()).sum(2), self.nothing)
        return Encoded(self.dropout(fused), places_of(parts, keep))

    def _keep(self, gates: Tensor) -> None:
        self.gates = dict(zip(self.inputs.names, gates.mean(-1).unbind(-1), strict=True))
