"""Two modalities in one space: the head that puts them there, and what it learns by."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sibu.core.tensors import Encoded, Output
from sibu.nn.pooling import mean_pool

HOTTEST = math.log(100.0)
"""The largest log scale: beyond it a batch teaches by its nearest pair alone (Radford et al., 2021)."""


class MatchHead(nn.Module):
    """Projects the mean of each modality's vectors to unit vectors of one space.

    Args:
        of: The two modalities.
        widths: D of each, or one number for both.
        width: Width of the space.
        dropout: Before the projection, in [0, 1).
        sigmoid: Whether each pair is judged by itself, which begins cooler and with a bias towards "no".
    """

    reads_parts = True
    """Whether it reads the modalities' own vectors, before they are fused."""

    def __init__(
        self, of: Sequence[str], *, widths: int | Mapping[str, int], width: int, dropout: float, sigmoid: bool
    ) -> None:
        super().__init__()
        self.of = tuple(of)
        sizes = dict.fromkeys(of, widths) if isinstance(widths, int) else widths
        self.dropout = nn.Dropout(dropout)
        self.norms = nn.ModuleDict({name: nn.LayerNorm(sizes[name]) for name in of})
        self.project = nn.ModuleDict({name: nn.Linear(sizes[name], width, bias=False) for name in of})
        self.log_scale = nn.Parameter(torch.tensor(math.log(10.0 if sigmoid else 1 / 0.07)))
        self.bias = nn.Parameter(torch.tensor(-10.0 if sigmoid else 0.0), requires_grad=sigmoid)

    def forward(self, parts: Mapping[str, Encoded], features: Mapping[str, Tensor]) -> Output:  # noqa: ARG002
        """Both unit vectors, and scale and bias of their cosines. Shape ``(B, 2 W + 2)``.

        A value that a row lacks has a vector that says nothing.
        """
        vectors = [self._unit(name, parts[name]) for name in self.of]
        scale = self.log_scale.clamp(max=HOTTEST).exp()
        rest = torch.stack([scale, self.bias]).expand(len(vectors[0]), 2)
        return Output(torch.cat([*vectors, rest.to(vectors[0].dtype)], 1))

    def _unit(self, name: str, part: Encoded) -> Tensor:
        pooled = self.norms[name](mean_pool(part.vectors, part.mask))
        found: Tensor = F.normalize(self.project[name](self.dropout(pooled)), dim=-1)
        return found


def infonce(one: Tensor, two: Tensor, numbers: Sequence[Tensor], *, scale: Tensor, hard: float) -> Tensor:
    """Cross entropy of finding the partner among all of the batch, the mean of both ways.

    Source: Radford et al., 2021, arXiv:2103.00020; hard negatives: Robinson et al., 2021, arXiv:2010.04592 (wrong
    partners are weighed by ``exp(hard x similarity)``, the mean weight being 1).

    Args:
        one: Unit vectors. Shape ``(B, W)``.
        two: Those of their partners. Shape ``(B, W)``.
        numbers: Of both kinds, equal for equal values: pairs that share one are not each other's wrong partners.
        scale: Multiplies the cosines.
        hard: How much more near wrong partners count; 0: all alike.

    Returns:
        A scalar; 0 where the batch has nothing to be told from.
    """
    own = torch.eye(len(one), dtype=torch.bool, device=one.device)
    alike = ((numbers[0][:, None] == numbers[0]) | (numbers[1][:, None] == numbers[1])) & ~own
    scores = (one @ two.T).float() * scale
    places = torch.arange(len(one), device=one.device)
    total = scores.new_zeros(())
    for way in (scores, scores.T):
        shown = way
        if hard:
            weights = hard * (way / scale).detach().masked_fill(own | alike, float("-inf"))
            count = (~(own | alike)).sum(1, keepdim=True).clamp_min(1)
            shown = way + (weights - weights.logsumexp(1, keepdim=True) + count.log()).masked_fill(own, 0.0)
        total = total + F.cross_entropy(shown.masked_fill(alike, float("-inf")), places) / 2
    return total


def siglip(one: Tensor, two: Tensor, numbers: Sequence[Tensor], *, scale: Tensor, bias: Tensor) -> Tensor:
    """Each pair of the batch is judged by itself: partners or not. Arguments as of ``infonce``.

    Source: Zhai et al., 2023, arXiv:2303.15343 (algorithm 1).
    """
    own = torch.eye(len(one), dtype=torch.bool, device=one.device)
    alike = ((numbers[0][:, None] == numbers[0]) | (numbers[1][:, None] == numbers[1])) & ~own
    scores = (one @ two.T).float() * scale + bias
    losses = -F.logsigmoid(torch.where(own, scores, -scores)).masked_fill(alike, 0.0)
    return losses.sum() / len(one)
