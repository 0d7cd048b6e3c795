"""Logistic regression, solved to its end."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sibu.core.protocols import HeadPlace

STEPS = 500
TOLERANCE = 1e-6


class Regression(nn.Module):
    """Weights and biases that minimise the sum of the rows' losses and ``penalty / 2`` times the squared weights.

    One softmax over the labels, or for several labels one logistic function each. As scikit-learn's
    ``LogisticRegression(C=1/penalty)``; biases are not penalised.

    Args:
        place: What it answers for.
        penalty: Above 0, so that the solution is one.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, place: HeadPlace, *, penalty: float) -> None:
        super().__init__()
        self.penalty = penalty
        self.multi_label = place.multi_label
        self.register_buffer("weight", torch.zeros(place.outputs, place.width))
        self.register_buffer("bias", torch.zeros(place.outputs))

    def forward(self, vectors: Tensor) -> Tensor:
        """Scores ``(B, C)`` of vectors ``(B, D)``."""
        return F.linear(vectors, self.weight.to(vectors.dtype), self.bias.to(vectors.dtype))

    @torch.inference_mode(False)
    @torch.enable_grad()
    def fit(self, vectors: Tensor, targets: Tensor) -> None:
        """Solve by L-BFGS in double precision. Shapes as in ``Fitted.fit``."""
        rows, wanted = vectors.detach().double().clone(), targets.clone()
        weight = torch.zeros(self.weight.shape, dtype=torch.float64, device=rows.device, requires_grad=True)
        bias = torch.zeros(self.bias.shape, dtype=torch.float64, device=rows.device, requires_grad=True)
        solver = torch.optim.LBFGS(
            [weight, bias], max_iter=STEPS, tolerance_grad=TOLERANCE, tolerance_change=0, line_search_fn="strong_wolfe"
        )

        def loss() -> Tensor:
            solver.zero_grad()
            scores = F.linear(rows, weight, bias)
            if self.multi_label:
                fault = F.binary_cross_entropy_with_logits(scores, wanted.double(), reduction="sum")
            else:
                fault = F.cross_entropy(scores, wanted, reduction="sum")
            total = fault + self.penalty / 2 * weight.square().sum()
            total.backward()  # type: ignore[no-untyped-call]
            return total

        solver.step(loss)  # type: ignore[no-untyped-call]
        self.weight.copy_(weight.detach())
        self.bias.copy_(bias.detach())
