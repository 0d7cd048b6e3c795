"""Losses over candidates against torch's own and against their formulas by hand."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from sibu.nn import candidates
from sibu.nn.candidates import LEAST, one_of_all, some_drawn

ROWS, RIGHT = torch.tensor([0, 0, 0, 2, 2, 3]), torch.tensor([1, 4, 0, 3, 2, 6])
"""Of row 1 no candidate is right."""


def scores(seed: int = 0) -> Tensor:
    draws = torch.randn(4, 7, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return draws.mul(3).requires_grad_()


@pytest.mark.parametrize("cells", [1, 14, 1 << 18])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.7])
def test_one_of_all_is_cross_entropy_of_each_right_one(
    smoothing: float, cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "CELLS", cells)
    own, other = scores(), scores()
    loss = one_of_all(own, ROWS, RIGHT, smoothing=smoothing)
    wanted = F.cross_entropy(other[ROWS], RIGHT, reduction="sum", label_smoothing=smoothing)
    assert float(loss.detach()) == pytest.approx(float(wanted.detach()), rel=1e-12)
    (2.5 * loss).backward()
    (2.5 * wanted).backward()
    assert own.grad is not None
    assert torch.allclose(own.grad, other.grad, rtol=1e-12, atol=1e-12)
    assert (own.grad[1] == 0).all()
    assert torch.autograd.gradcheck(lambda given: one_of_all(given, ROWS, RIGHT, smoothing=smoothing), scores(3))


def test_no_gradient_is_a_number_too_small_for_the_quick_way() -> None:
    far = torch.tensor([[0.0, -95.0, -1000.0]], requires_grad=True)
    one_of_all(far, torch.tensor([0]), torch.tensor([0])).backward()
    assert far.grad is not None
    assert float(far.grad[0, 1]) == pytest.approx(math.exp(LEAST))
    assert float(far.grad[0, 2]) >= torch.finfo(torch.float32).tiny


def by_hand(own, rows, drawn, wrong, margin: float, temperature: float) -> float:
    """Equations 5 and 6 of Sun et al., 2019, for distances d = -score."""

    def sigmoid(x: float) -> float:
        return 1 / (1 + math.exp(-x))

    total = 0.0
    for place, row in enumerate(rows):
        counted = [score for score, is_wrong in zip(drawn[row], wrong[row], strict=True) if is_wrong]
        whole = sum(math.exp(temperature * score) for score in counted)
        negative = sum(math.exp(temperature * score) / whole * math.log(sigmoid(-score - margin)) for score in counted)
        total += -math.log(sigmoid(margin + own[place])) / 2 - negative / 2
    return total


@pytest.mark.parametrize(("margin", "temperature"), [(0.0, 1.0), (3.0, 0.5), (9.0, 0.0)])
def test_drawn_ones_as_the_formula(margin: float, temperature: float) -> None:
    draw = np.random.default_rng(1)
    own, drawn = draw.normal(size=6), draw.normal(size=(4, 5))
    wrong = draw.random((4, 5)) < 0.7
    wrong[3] = False  # all that were drawn are right: nothing to be told from
    rows = ROWS.tolist()
    found = some_drawn(
        torch.tensor(own), ROWS, torch.tensor(drawn), torch.tensor(wrong), margin=margin, temperature=temperature
    )
    assert float(found) == pytest.approx(by_hand(own, rows, drawn, wrong, margin, temperature), rel=1e-9)


def test_weights_of_drawn_ones_do_not_learn() -> None:
    drawn = torch.tensor([[1.0, -1.0]], requires_grad=True)
    one = torch.zeros(1, dtype=torch.long)
    some_drawn(torch.zeros(1), one, drawn, torch.ones(1, 2, dtype=torch.bool), margin=0, temperature=2.0).backward()
    weights = torch.tensor([1.0, -1.0]).mul(2).softmax(0)
    assert drawn.grad is not None
    assert torch.allclose(drawn.grad[0], weights * torch.sigmoid(torch.tensor([1.0, -1.0])) / 2)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_half_scores_are_summed_in_full(smoothing: float) -> None:
    """The loss is that of the same numbers in full precision; the gradient is the same, rounded."""
    full = torch.randn(9, 5000, generator=torch.Generator().manual_seed(1)).mul(4).bfloat16().float()
    rows, right = torch.tensor([0, 0, 3, 8]), torch.tensor([1, 4999, 7, 0])
    grads, losses = [], []
    for scores in (full.clone().requires_grad_(), full.bfloat16().requires_grad_()):
        loss = one_of_all(scores, rows, right, smoothing=smoothing)
        loss.backward()
        assert loss.dtype == torch.float32
        assert scores.grad is not None
        assert scores.grad.dtype == scores.dtype
        losses.append(loss.item())
        grads.append(scores.grad.float())
    assert losses[1] == pytest.approx(losses[0], rel=1e-6)
    torch.testing.assert_close(grads[1], grads[0], rtol=2**-7, atol=1e-4)
