"""A vote of the modalities."""

from collections.abc import Mapping
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sibu.core.tensors import Encoded
from sibu.fusions._inputs import Inputs, log_shares, places_of


class Late(nn.Module):
    """Hands on each modality's vectors to a head of its own, and joins what the heads answer.

    Args:
        widths: Width of each modality's vectors, by name.
        width: D.
    """

    votes = True

    def __init__(self, widths: Mapping[str, int], *, width: int) -> None:
        super().__init__()
        self.width = width
        self.inputs = Inputs(widths, width=width)
        self.log_weights = nn.Parameter(torch.zeros(len(widths)))

    def weights(self) -> Mapping[str, float]:
        """How much each modality's vote counts where all are there; together 1."""
        return dict(zip(self.inputs.names, self.log_weights.detach().softmax(0).tolist(), strict=True))

    def parts(self, parts: Mapping[str, Encoded]) -> Mapping[str, Encoded]:
        """Each modality's vectors, projected to one width, for the head of its own: ``(B, T, D)``.

        A row that lacks one has a mask that is all False there; its answer has no vote.
        """
        self.inputs.require(parts, None)
        places = zip(self.inputs.names, self.inputs.places(parts), strict=True)
        return {name: Encoded(vectors, parts[name].mask) for name, vectors in places}

    def forward(self, parts: Mapping[str, Encoded], *, keep: str | None = None) -> Encoded:
        """For what cannot be voted on: the weighted mean of the modalities' vectors, or the places of the one kept."""
        self.inputs.require(parts, keep)
        if keep is not None:
            return self.parts(parts)[keep]
        vectors, present = self.inputs.pooled(parts, None)
        weights = log_shares(self.log_weights, present).exp()
        return Encoded((vectors * weights.unsqueeze(-1)).sum(2), places_of(parts, None))

    def vote(
        self,
        logits: Mapping[str, Tensor],
        present: Mapping[str, Tensor],
        kind: Literal["classes", "several", "number"],
    ) -> Tensor:
        """Join the answers of the heads; the weights of modalities that a row lacks go to the others.

        Args:
            logits: What each modality's head says, ``(B, ...)``; what it says where the modality is missing has no say.
            present: Whether a row has it. Shape ``(B,)``, bool.
            kind: ``classes``: of one label, over the last dimension; ``several``: of labels each for itself;
                ``number``: numbers.

        Returns:
            Of the same shape: the log of the weighted mean of probabilities, its log odds, or the weighted mean. Where
            nothing is present, all classes alike, even odds, or 0.
        """
        there = torch.stack([present[name] for name in self.inputs.names], -1)
        said = torch.stack([_heard(logits[name], present[name]) for name in self.inputs.names], -1)
        weights = log_shares(self.log_weights, there)
        weights = weights.reshape(len(weights), *(1,) * (said.ndim - 2), -1)
        if kind == "number":
            found: Tensor = (said * weights.exp()).sum(-1)
            return found
        if kind == "classes":
            return (F.log_softmax(said, -2) + weights).logsumexp(-1)
        return (F.logsigmoid(said) + weights).logsumexp(-1) - (F.logsigmoid(-said) + weights).logsumexp(-1)


def _heard(logits: Tensor, present: Tensor) -> Tensor:
    """What was said by those who may vote, zeros where they may not."""
    return logits.masked_fill(~present.reshape(-1, *(1,) * (logits.ndim - 1)), 0.0)
