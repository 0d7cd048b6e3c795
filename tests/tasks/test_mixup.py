"""Mixtures of rows."""

from pathlib import Path

import pytest
import torch
from tests.tiny_tasks import tiny_recipe

import sibu
from sibu.core.errors import SibuError
from sibu.nn.heads import PooledHead
from sibu.tasks.classify.loss import classify_loss, mixed_loss

NAMED = {"multi_label": False, "label_smoothing": 0.1, "weights": None}


def test_mixed_scores_are_those_of_mixed_vectors() -> None:
    head = PooledHead(width=8, outputs=3, pooling="mean", dropout=0.0)
    vectors, target = torch.randn(5, 8), torch.tensor([0, 1, 2, 1, 0])
    torch.manual_seed(4)
    found = mixed_loss(head.project(vectors), target, alpha=0.4, **NAMED)
    torch.manual_seed(4)
    share = torch.distributions.Beta(0.4, 0.4).sample()
    other = torch.randperm(5)
    scores = head.project(share * vectors + (1 - share) * vectors[other])
    both = [classify_loss(scores, each, **NAMED) for each in (target, target[other])]
    torch.testing.assert_close(found, share * both[0] + (1 - share) * both[1])


@pytest.mark.parametrize("kind", ["classify", "classify, several labels"])
def test_it_trains_otherwise_and_the_same_again(kind: str, tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe(kind, "full", tiny_model, tmp_path, epochs=2)
    plain = sibu.run(recipe, out=tmp_path / "plain")
    recipe["tasks"]["it"]["mixup"] = 0.4
    one, two = (sibu.run(recipe, out=tmp_path / name) for name in ("one", "two"))
    weights = [(each / "heads.safetensors").read_bytes() for each in (one, two, plain)]
    assert weights[0] == weights[1] != weights[2]


def test_other_heads_are_refused(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path)
    recipe["tasks"]["it"] |= {"mixup": 0.4, "head": "labels"}
    with pytest.raises(SibuError, match="mixup: is for the head `linear`, given `labels`"):
        sibu.check(recipe)
