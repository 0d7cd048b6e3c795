"""The nearest training rows."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from sibu.core.protocols import HeadPlace


class Nearest(nn.Module):
    """All training rows' vectors, and the labels of each.

    Args:
        place: What it answers for.
        k: Rows that are asked.
        temperature: Divides the similarities that weigh them.
    """

    rows: Tensor
    labels: Tensor

    def __init__(self, place: HeadPlace, *, k: int, temperature: float) -> None:
        super().__init__()
        self.k = k
        self.temperature = temperature
        self.multi_label = place.multi_label
        self.outputs = place.outputs
        self.register_buffer("rows", torch.zeros(0, place.width))
        self.register_buffer("labels", torch.zeros(0, place.outputs))

    def forward(self, vectors: Tensor) -> Tensor:
        """Scores ``(B, C)`` of unit vectors ``(B, D)``: the logarithm of each label's share of the neighbours' weight.

        For several labels its log odds, so that a label above one half of the weight is more likely than not.
        """
        near, who = (vectors @ self.rows.to(vectors.dtype).T).topk(min(self.k, len(self.rows)), dim=1)
        weights = (near / self.temperature).softmax(1)
        shares = (weights.unsqueeze(-1) * self.labels.to(vectors.dtype)[who]).sum(1).clamp(1e-6, 1 - 1e-6)
        return shares.logit() if self.multi_label else shares.log()

    def fit(self, vectors: Tensor, targets: Tensor) -> None:
        """Keep the rows. Shapes as in ``Fitted.fit``."""
        kind = self.rows.dtype
        own = targets.to(kind) if self.multi_label else nn.functional.one_hot(targets, self.outputs).to(kind)
        self.rows, self.labels = vectors.to(kind).clone(), own.clone()

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        """As many rows as a bundle has."""
        for name in ("rows", "labels"):
            if (found := state.get(prefix + name)) is not None:
                setattr(self, name, torch.empty_like(found))
        super()._load_from_state_dict(state, prefix, *rest)
