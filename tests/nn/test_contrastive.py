"""The loss over pairs against its formula, written out pair by pair."""

import math

import pytest
import torch
from torch.nn.functional import normalize

from sibu.nn.contrastive import cosine_loss, matching_loss, pair_loss, same_pairs


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


def matched_by_hand(texts: torch.Tensor, pairs: torch.Tensor, temperature: float) -> float:
    """Gao et al., 2021, equation 1."""
    losses = []
    for one in range(len(texts)):
        scores = [math.exp(float(texts[one] @ other) / temperature) for other in pairs]
        losses.append(-math.log(scores[one] / sum(scores)))
    return sum(losses) / len(losses)


def test_pairs_find_each_other_as_the_formula() -> None:
    torch.manual_seed(3)
    vectors = normalize(torch.randn(10, 6, dtype=torch.float64), dim=-1)
    texts, pairs, numbers = vectors[0::2], vectors[1::2], torch.arange(10)
    one = float(matching_loss(vectors, numbers, temperature=0.05, symmetric=False))
    assert one == pytest.approx(matched_by_hand(texts, pairs, 0.05), rel=1e-9)
    both = float(matching_loss(vectors, numbers, temperature=0.05, symmetric=True))
    assert both == pytest.approx((one + matched_by_hand(pairs, texts, 0.05)) / 2, rel=1e-9)


def test_equal_texts_are_no_negatives() -> None:
    """Three texts, two of them equal and without pairs: as the mean over each of the two without the other."""
    torch.manual_seed(4)
    vectors = normalize(torch.randn(6, 4, dtype=torch.float64), dim=-1)
    found = float(matching_loss(vectors, torch.tensor([7, 7, 7, 7, 9, 9]), temperature=0.1, symmetric=False))
    texts, pairs = vectors[0::2], vectors[1::2]
    parts = [torch.logsumexp(texts[one] @ pairs[[one, 2]].T / 0.1, 0) - texts[one] @ pairs[one] / 0.1 for one in (0, 1)]
    parts.append(torch.logsumexp(texts[2] @ pairs.T / 0.1, 0) - texts[2] @ pairs[2] / 0.1)
    assert found == pytest.approx(float(sum(parts)) / 3, rel=1e-9)


def test_what_is_no_wrong_answer() -> None:
    texts, pairs = torch.tensor([1, 1, 2, 3]), torch.tensor([4, 5, 4, 2])
    found = same_pairs(texts, pairs)
    # one text with two answers, one answer to two texts, a text that is another's answer
    assert found.nonzero().tolist() == [[0, 1], [0, 2], [1, 0], [2, 0], [2, 3]]


def test_one_pair_alone_teaches_nothing() -> None:
    vectors = normalize(torch.randn(2, 4), dim=-1).requires_grad_()
    loss = matching_loss(vectors, torch.tensor([1, 2]), temperature=0.05, symmetric=True)
    loss.backward()
    assert float(loss.detach()) == 0
    assert not vectors.grad.any()


def test_cosines_against_a_loop() -> None:
    torch.manual_seed(3)
    vectors = torch.nn.functional.normalize(torch.randn(6, 5, dtype=torch.float64), dim=-1).requires_grad_()
    alike = torch.zeros(6, 6)
    for a, b, share in ((0, 1, 1.0), (0, 4, 1.0), (1, 4, 1.0), (2, 3, 0.25)):
        alike[a, b] = alike[b, a] = share
    found: dict[bool, list[float]] = {True: [], False: []}
    for a in range(6):
        for b in range(a):
            cosine = float((vectors[a] @ vectors[b]).detach())
            found[bool(alike[a, b] > 0)].append((cosine - float(alike[a, b])) ** 2)
    expected = sum(sum(own) / len(own) for own in found.values()) / 2
    loss = cosine_loss(vectors, alike)
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-9)
    loss.backward()
    assert vectors.grad is not None
    assert bool(vectors.grad.abs().sum() > 0)
    assert float(cosine_loss(torch.eye(3), torch.eye(3))) == 0  # all of different labels, at right angles
    assert float(cosine_loss(torch.eye(2)[:1], torch.ones(1, 1))) == 0
