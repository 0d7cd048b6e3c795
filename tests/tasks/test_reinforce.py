"""The policy gradient: against its formula, and the gradient of an expected reward that can be counted."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sibu.tasks.reinforce.loss import policy_loss


def _batch(rewards: list[float], seed: int = 0) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Answers of one to three pieces over five, as a language head scores them."""
    draw = torch.Generator().manual_seed(seed)
    labels = torch.full((len(rewards), 4), -100)
    for row in range(len(rewards)):
        length = 1 + row % 3
        labels[row, 4 - length :] = torch.randint(0, 5, (length,), generator=draw)
    count = int((labels != -100).sum())
    logits = torch.randn(count, 5, generator=draw, requires_grad=True)
    return logits, {"labels": labels, "reward": torch.tensor(rewards).unsqueeze(1)}


def _row_totals(logits: torch.Tensor, labels: torch.Tensor) -> list[torch.Tensor]:
    found, place = [], 0
    for row in labels:
        own = row[row != -100]
        part = logits[place : place + len(own)].log_softmax(-1)
        found.append(part[range(len(own)), own].sum())
        place += len(own)
    return found


@settings(deadline=None)
@given(
    rewards=st.lists(st.floats(-3, 3, width=32), min_size=6, max_size=6),
    kl=st.sampled_from([0.0, 0.3]),
    seed=st.integers(0, 99),
)
def test_it_is_its_formula(rewards: list[float], kl: float, seed: int) -> None:
    logits, targets = _batch(rewards, seed)
    targets["reference"] = torch.linspace(-4, -1, 6).unsqueeze(1)
    found = policy_loss(logits, targets, candidates=3, kl=kl)
    totals = _row_totals(logits, targets["labels"])
    expected, pieces = 0.0, int((targets["labels"] != -100).sum())
    for prompt in (0, 3):
        gained = [
            rewards[n] - kl * float(totals[n].detach() - targets["reference"][n, 0]) for n in range(prompt, prompt + 3)
        ]
        for n in range(3):
            others = (sum(gained) - gained[n]) / 2
            expected = expected - (gained[n] - others) * totals[prompt + n] / pieces
    assert float(found.detach()) == pytest.approx(float(expected.detach()), rel=1e-4, abs=1e-5)
    (gradient,) = torch.autograd.grad(found, logits, retain_graph=True)
    (wanted,) = torch.autograd.grad(expected, logits)
    torch.testing.assert_close(gradient, wanted, rtol=1e-4, atol=1e-5)


def test_equal_rewards_move_nothing() -> None:
    logits, targets = _batch([2.0, 2.0, 2.0, -1.0, -1.0, -1.0])
    loss = policy_loss(logits, targets, candidates=3, kl=0.0)
    (gradient,) = torch.autograd.grad(loss, logits)
    assert not gradient.any()


def test_it_is_the_gradient_of_the_expected_reward() -> None:
    """One piece of four with known rewards: over many draws the mean gradient is the one of calculus."""
    scores = torch.tensor([0.3, -0.2, 0.8, 0.0], dtype=torch.float64, requires_grad=True)
    worth = torch.tensor([1.0, 0.0, 0.5, 3.0], dtype=torch.float64)
    (exact,) = torch.autograd.grad((scores.softmax(0) * worth).sum(), scores)
    draws = torch.multinomial(scores.detach().softmax(0), 80_000, replacement=True, generator=torch.manual_seed(1))
    targets = {"labels": draws.unsqueeze(1), "reward": worth[draws].unsqueeze(1)}
    loss = policy_loss(scores.expand(len(draws), -1), targets, candidates=4, kl=0.0)
    (found,) = torch.autograd.grad(-loss, scores)
    torch.testing.assert_close(found, exact, rtol=0.05, atol=0.01)
