"""Preference tuning: the losses as TRL's papers write them, pairs stay together, equal pairs are refused."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tests.conftest import write_jsonl
from tests.tiny_tasks import pair_rows, tiny_recipe

import sibu
from sibu.core.errors import DataError
from sibu.metrics.bootstrap import values
from sibu.metrics.preference import Preferred
from sibu.tasks.prefer.loss import preference_loss
from sibu.train.batches import Budget, plan_epoch

LABELS = torch.tensor([[-100, 3, 4, -100], [1, -100, -100, -100], [-100, -100, 2, 2], [5, 5, 5, -100]])


def logs(logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Each row's log probability and length, row by row."""
    chances, totals, place = logits.log_softmax(-1), [], 0
    for row in LABELS:
        own = row[row != -100]
        totals.append(sum(chances[place + n, piece] for n, piece in enumerate(own)))
        place += len(own)
    return torch.stack(totals), (LABELS != -100).sum(1)


@pytest.fixture
def logits() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(8, 6, requires_grad=True)


REFERENCE = torch.tensor([[-3.0], [-2.0], [-4.0], [-7.0]])


def found(logits: torch.Tensor, kind: str, **more: float) -> torch.Tensor:
    options = {"beta": 0.3, "gamma": 0.5, "write_weight": 0.0, "label_smoothing": 0.0} | more
    return preference_loss(logits, {"labels": LABELS, "reference": REFERENCE}, kind=kind, **options)


def test_dpo(logits: torch.Tensor) -> None:
    total, _ = logs(logits)
    gap = (total - REFERENCE[:, 0]).view(2, 2)
    wanted = -F.logsigmoid(0.3 * (gap[:, 0] - gap[:, 1]))
    assert torch.allclose(found(logits, "dpo"), wanted.mean())
    other = -F.logsigmoid(-0.3 * (gap[:, 0] - gap[:, 1]))
    assert torch.allclose(found(logits, "dpo", label_smoothing=0.2), (0.8 * wanted + 0.2 * other).mean())


def test_before_training_dpo_is_undecided(logits: torch.Tensor) -> None:
    total, _ = logs(logits.detach())
    targets = {"labels": LABELS, "reference": total.unsqueeze(1)}
    loss = preference_loss(logits, targets, kind="dpo", beta=0.1, gamma=0.0, write_weight=0.0, label_smoothing=0.0)
    assert loss.item() == pytest.approx(math.log(2))


def test_ipo(logits: torch.Tensor) -> None:
    total, pieces = logs(logits)
    moved = ((total - REFERENCE[:, 0]) / pieces).view(2, 2)
    assert torch.allclose(found(logits, "ipo"), (moved[:, 0] - moved[:, 1] - 1 / 0.6).square().mean())


def test_simpo(logits: torch.Tensor) -> None:
    total, pieces = logs(logits)
    mean = (total / pieces).view(2, 2)
    assert torch.allclose(found(logits, "simpo"), -F.logsigmoid(0.3 * (mean[:, 0] - mean[:, 1]) - 0.5).mean())


def test_orpo(logits: torch.Tensor) -> None:
    total, pieces = logs(logits)
    mean = (total / pieces).view(2, 2)
    odds = (mean.exp() / (1 - mean.exp())).log()
    writing = -(total[0] + total[2]) / (pieces[0] + pieces[2])
    assert torch.allclose(found(logits, "orpo"), writing - 0.3 * F.logsigmoid(odds[:, 0] - odds[:, 1]).mean())


@pytest.mark.parametrize("kind", ["dpo", "ipo", "simpo", "orpo"])
def test_each_learns_to_prefer(kind: str, tiny_writer: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("prefer", "full", tiny_writer, tmp_path, epochs=4, learning_rate=2e-3)
    recipe["tasks"]["it"] |= {"loss": kind} | ({"beta": 2.0} if kind == "orpo" else {})
    bundle = sibu.load(sibu.run(recipe, out=tmp_path / "out"))
    report = bundle.evaluate(recipe["tasks"]["it"]["data"]["train"])
    assert report.scores["accuracy"].value > 0.8
    assert isinstance(bundle.predict("my pain").value, str)


def test_pairs_stay_together_in_every_batch() -> None:
    from sibu.train.batches import Schedule

    class Records:
        def __init__(self, count: int) -> None:
            self.count = count

        def __len__(self) -> int:
            return self.count

    from sibu.train.batches import Stream

    for packed in (True, False):
        lengths = np.random.default_rng(0).integers(1, 40, 60)
        stream = Stream("a", Records(60), {}, lengths, packed=packed, group=2)  # type: ignore[arg-type]
        schedule = Schedule([stream], budget=Budget(120, 9), sampling="proportional", seed=1)
        batches = [records for _, records in schedule.epoch(0)]
        assert sorted(np.concatenate(batches)) == list(range(60))
        for records in batches:
            assert (records[::2] % 2 == 0).all()
            assert (records[1::2] == records[::2] + 1).all()
            size = lengths[records].sum() if packed else lengths[records].max() * len(records)
            assert len(records) == 2 or (size <= 120 and len(records) <= 9)


def test_packed_batches_are_full_and_whole() -> None:
    lengths = np.random.default_rng(0).integers(1, 60, 500)
    batches = plan_epoch(lengths, Budget(256), seed=1, epoch=0, packed=True)
    assert sorted(np.concatenate(batches)) == list(range(500))
    sizes = [int(lengths[batch].sum()) for batch in batches]
    assert max(sizes) <= 256
    assert np.mean(sizes[:-1]) > 256 - 40


def test_equal_pairs_are_refused_with_their_place(tiny_writer: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("prefer", "full", tiny_writer, tmp_path)
    file = Path(recipe["tasks"]["it"]["data"]["train"])
    write_jsonl(file, [*pair_rows(5), {"text": "a", "chosen": "b  c", "rejected": " b c"}])
    with pytest.raises(DataError, match=r"train\.jsonl:6: the chosen and the rejected answer are the same\. Remove"):
        sibu.run(recipe, out=tmp_path / "out")


def test_accuracy_is_by_piece() -> None:
    losses = np.array([[[4.0, 4], [2.0, 1]], [[9.0, 3], [1.0, 1]], [[1.0, 1], [2.0, 2]]])
    assert values(Preferred(losses)) == {
        "accuracy": 0.5,
        "margin": pytest.approx((1 - 2 + 0) / 3),
        "perplexity": pytest.approx(math.exp(14 / 8)),
    }
