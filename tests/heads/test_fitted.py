"""What is fitted to vectors, against scikit-learn; and label vectors against their words."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from torch.nn.functional import normalize

from sibu.core.protocols import HeadPlace
from sibu.core.tensors import Encoded, Output
from sibu.heads import HEADS
from sibu.heads._fitted import alike
from sibu.nn.contrastive import cosine_loss, pair_loss


def place(*, labels: int = 3, several: bool = False) -> HeadPlace:
    return HeadPlace(width=6, outputs=labels, pooling="mean", dropout=0.0, multi_label=several)


def built(name: str, where: HeadPlace, **options: object) -> torch.nn.Module:
    spec = HEADS[name].spec(**options)
    head: torch.nn.Module = HEADS.of(spec).build(spec, where)
    return head


def some(rows: int, seed: int = 0) -> torch.Tensor:
    return normalize(torch.randn(rows, 6, generator=torch.Generator().manual_seed(seed)), dim=-1)


LABELS = torch.arange(30) % 3
SEVERAL = (torch.rand(30, 3, generator=torch.Generator().manual_seed(5)) > 0.5).float()


@pytest.mark.parametrize("penalty", [0.1, 1.0, 10.0])
def test_logistic_regression_is_scikit_learns(penalty: float) -> None:
    head = built("logistic", place(), penalty=penalty)
    head.fit(some(30), LABELS)
    known = LogisticRegression(C=1 / penalty, tol=1e-10, max_iter=5000).fit(some(30).double().numpy(), LABELS.numpy())
    found = head.inner(some(9, 1)).softmax(-1).numpy()
    assert found == pytest.approx(known.predict_proba(some(9, 1).double().numpy()), abs=1e-5)


def test_logistic_regression_of_several_labels_is_one_each() -> None:
    head = built("logistic", place(several=True))
    head.fit(some(30), SEVERAL)
    found = head.inner(some(9, 1)).sigmoid().numpy()
    for number in range(3):
        known = LogisticRegression(C=10, tol=1e-10, max_iter=5000)
        known.fit(some(30).double().numpy(), SEVERAL[:, number].numpy())
        assert found[:, number] == pytest.approx(known.predict_proba(some(9, 1).double().numpy())[:, 1], abs=1e-5)


def test_nearest_means_are_scikit_learns() -> None:
    head = built("prototypes", place())
    head.fit(some(30), LABELS)
    means = np.stack([normalize(some(30)[number::3].mean(0), dim=0).numpy() for number in range(3)])
    known = KNeighborsClassifier(1).fit(means, np.arange(3))  # of unit vectors the nearest is the most alike
    assert head.inner(some(50, 2)).argmax(-1).tolist() == known.predict(some(50, 2).numpy()).tolist()


def test_a_label_without_a_row_is_never_the_nearest() -> None:
    head = built("prototypes", place(labels=4))
    head.fit(some(30), LABELS)
    assert head.inner(some(200, 3)).argmax(-1).max() == 2


@pytest.mark.parametrize("k", [1, 4, 100])
def test_neighbours_are_scikit_learns(k: int) -> None:
    head = built("neighbours", place(), k=k, temperature=0.2)
    head.fit(some(30), LABELS)

    def weights(distances: np.ndarray) -> np.ndarray:
        return np.exp((1 - distances) / 0.2)

    known = KNeighborsClassifier(min(k, 30), metric="cosine", weights=weights).fit(some(30).numpy(), LABELS.numpy())
    found = head.inner(some(9, 1)).exp().numpy()
    assert found == pytest.approx(known.predict_proba(some(9, 1).numpy()), abs=1e-4)


def test_neighbours_of_several_labels_vote_on_each() -> None:
    head = built("neighbours", place(several=True), k=1)
    head.fit(some(30), SEVERAL)
    assert (head.inner(some(30)).sigmoid() >= 0.5).float().equal(SEVERAL)


@pytest.mark.parametrize("name", ["logistic", "prototypes", "neighbours"])
def test_in_training_the_vectors_in_answering_the_scores(name: str) -> None:
    head = built(name, place())
    encoded = Encoded(torch.randn(5, 4, 6), torch.ones(5, 4, dtype=torch.bool))
    head.fit(some(30), LABELS)
    taught = head.train()(encoded, {}).logits
    assert taught.norm(dim=-1) == pytest.approx(torch.ones(5), abs=1e-6)
    assert head.eval()(encoded, {}).logits.shape == (5, 3)
    assert not list(head.parameters())
    saved = head.state_dict()
    again = built(name, place())
    again.load_state_dict(saved)
    assert again.eval()(encoded, {}).logits.equal(head(encoded, {}).logits)


def test_vectors_as_they_are_keep_their_length() -> None:
    """Labels that only the length tells."""
    vectors = some(30).abs() * torch.where(LABELS == 0, 0.1, 10.0).unsqueeze(1)
    encoded = Encoded(vectors.unsqueeze(1), torch.ones(30, 1, dtype=torch.bool))
    right = {}
    for unit in (True, False):
        head = built("logistic", place(labels=2), unit=unit)
        reduced = head.reduce(encoded, {}).vectors[:, 0]
        assert reduced.equal(normalize(vectors, dim=-1) if unit else vectors)
        head.fit(reduced, (LABELS == 0).long())
        right[unit] = float((head.eval()(encoded, {}).logits.argmax(-1) == (LABELS == 0)).float().mean())
        assert head.train()(encoded, {}).logits.norm(dim=-1) == pytest.approx(torch.ones(30), abs=1e-6)
    assert right[False] == 1
    assert right[True] < 0.9


def test_how_alike_labels_are() -> None:
    assert alike(torch.tensor([1, 2, 1]), False).tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
    several = torch.tensor([[1.0, 1, 0], [1, 0, 0], [0, 0, 0]])
    assert alike(several, True).tolist() == [[1, 0.5, 0], [0.5, 1, 0], [0, 0, 1]]


def test_a_label_begins_from_the_mean_of_its_wordings() -> None:
    head = built("labels", place(labels=2), templates=("{}", "It is {}."), scale=5.0)
    assert head.wordings(["good", "very good"]) == ["good", "It is good.", "very good", "It is very good."]
    head.start([some(4, 1) * 3, some(2, 2)])
    encoded = Encoded(some(5, 3).unsqueeze(1), torch.ones(5, 1, dtype=torch.bool))
    means = torch.stack([normalize(own.mean(0), dim=0) for own in (some(4, 1), some(2, 2))])
    assert torch.allclose(head.eval()(encoded, {}).logits, 5 * some(5, 3) @ means.T, atol=1e-6)


def test_chinese_labels_are_said_in_chinese() -> None:
    head = built("labels", place())
    assert any("关于体育" in text for text in head.wordings(["体育"]))
    assert any("about sports" in text for text in head.wordings(["sports"]))


@pytest.mark.parametrize("template", ["about it", "{} and {}", "{label}", "{} of {text}"])
def test_a_template_has_one_place(template: str) -> None:
    with pytest.raises(ValueError, match=r"one `{}` where the label's words go"):
        HEADS["labels"].spec(templates=(template,))


def test_the_losses_of_logistic_are_weighed() -> None:
    vectors, pairs = some(30), alike(LABELS, False)
    near, apart = cosine_loss(vectors, pairs), pair_loss(vectors, pairs, temperature=0.1)

    def loss(**options: float) -> torch.Tensor:
        return built("logistic", place(), **options).loss(Output(vectors), {"label": LABELS})

    assert torch.allclose(loss(), near + 0.01 * apart)
    assert torch.allclose(loss(contrast=0), near)
    assert torch.allclose(loss(cosine=0, contrast=2), 2 * apart)
    assert torch.allclose(built("neighbours", place()).loss(Output(vectors), {"label": LABELS}), apart)
    with pytest.raises(ValidationError, match="both 0, so nothing would be learned"):
        built("logistic", place(), cosine=0, contrast=0)


def test_many_labels_are_not_brought_to_right_angles() -> None:
    vectors, pairs = some(30), alike(LABELS, False)
    near, apart = cosine_loss(vectors, pairs), pair_loss(vectors, pairs, temperature=0.1)

    def loss(labels: int, **options: float) -> torch.Tensor:
        return built("logistic", place(labels=labels), **options).loss(Output(vectors), {"label": LABELS})

    assert torch.allclose(loss(10), near + 0.01 * apart)
    assert torch.allclose(loss(11), apart)
    assert torch.allclose(loss(11, cosine=1), near + 0.01 * apart)
    assert torch.allclose(loss(11, contrast=0), near)
    assert torch.allclose(loss(3, cosine=0), apart)


def test_a_label_of_few_rows_is_not_given_to_one_of_many() -> None:
    """Three labels around three directions, of forty rows, eight and two; unseen rows as many of each."""
    labels, asked = torch.tensor([0] * 40 + [1] * 8 + [2] * 2), torch.arange(60) % 3

    def around(numbers: torch.Tensor, seed: int) -> torch.Tensor:
        return normalize(torch.eye(6)[:3][numbers] + 0.7 * some(len(numbers), seed), dim=-1)

    def right(**options: float) -> float:
        head = built("logistic", place(), **options)
        head.fit(around(labels, 3), labels)
        return float((head.inner(around(asked, 4)).argmax(-1) == asked).float().mean())

    assert right() > 0.8
    assert right(penalty=1.0) < 0.7
