"""The loss over pairs against its formula, written out pair by pair."""

import math

import pytest
import torch
from torch.nn.functional import normalize

from sibu.nn.contrastive import pair_loss


def by_hand(vectors: torch.Tensor, alike: torch.Tensor, temperature: float) -> float:
    """Khosla et al., 2020, equation 2, with weights."""
    losses = []
    for one in range(len(vectors)):
        others = [other for other in range(len(vectors)) if other != one]
        weight = {other: float(alike[one, other]) for other in others}
        if not sum(weight.values()):
            continue
        scores = {other: math.exp(float(vectors[one] @ vectors[other]) / temperature) for other in others}
        total = sum(scores.values())
        found = sum(weight[other] * math.log(scores[other] / total) for other in others)
        losses.append(-found / sum(weight.values()))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_as_the_formula(temperature: float) -> None:
    torch.manual_seed(1)
    vectors = normalize(torch.randn(7, 5, dtype=torch.float64), dim=-1)
    labels = torch.tensor([0, 1, 0, 2, 1, 0, 3])  # two labels stand alone
    alike = (labels[:, None] == labels[None, :]).double()
    assert float(pair_loss(vectors, alike, temperature=temperature)) == pytest.approx(
        by_hand(vectors, alike, temperature), rel=1e-9
    )


def test_shares_of_several_labels_count_as_weights() -> None:
    torch.manual_seed(2)
    vectors = normalize(torch.randn(4, 3, dtype=torch.float64), dim=-1)
    alike = torch.tensor([[1, 0.5, 0, 0.25], [0.5, 1, 0, 0], [0, 0, 1, 0], [0.25, 0, 0, 1]], dtype=torch.float64)
    assert float(pair_loss(vectors, alike, temperature=0.2)) == pytest.approx(by_hand(vectors, alike, 0.2), rel=1e-9)


def test_nobody_alike_teaches_nothing() -> None:
    vectors = normalize(torch.randn(3, 4), dim=-1).requires_grad_()
    loss = pair_loss(vectors, torch.eye(3), temperature=0.1)
    loss.backward()
    assert loss.item() == 0
    assert vectors.grad is not None
    assert not vectors.grad.any()


def test_one_text_alone_is_no_pair() -> None:
    assert float(pair_loss(torch.ones(1, 4), torch.ones(1, 1), temperature=0.1)) == 0
