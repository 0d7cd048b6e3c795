"""A start from which few steps suffice."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.functional import normalize

import sibu
from sibu.core.errors import SibuError
from sibu.core.tensors import Batch
from sibu.nn.contrastive import episode_loss
from sibu.train.fit import NotFinite
from sibu.train.optim import Rated, adamw
from sibu.train.processes import accelerator
from sibu.train.reptile import reptile
from tests.conftest import intent_rows, write_jsonl
from tests.pipeline.test_resume import Stop, stop_at
from tests.tiny_tasks import tiny_recipe


class Line(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.inner = nn.Linear(3, 1)

    def forward(self, batch: Batch) -> torch.Tensor:
        return self.inner(batch.inputs["x"]["x"])


def squares(found: torch.Tensor, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    loss = (found - batch.inputs["x"]["y"]).square().mean()
    return loss, {"it": loss}


def problem(seed: int) -> Batch:
    torch.manual_seed(seed)
    return Batch({"x": {"x": torch.randn(4, 3), "y": torch.randn(4, 1)}}, {}, size=4, tokens=12)


def rounds(model: nn.Module, problems: list[list[Batch]], **named: object) -> list:
    own: dict = {"inner": 3, "share": 0.5, "clip": None, "steps": len(problems)} | named
    optimizer = adamw([Rated(list(model.parameters()), 0.1)], weight_decay=0.0)
    factor = own.pop("factor", lambda _: 1.0)
    return list(
        reptile(
            model, problems, loss=squares, optimizer=optimizer, factor=factor, accelerator=accelerator("no"),
            seed=1, **own,
        )
    )  # fmt: skip


def test_a_round_goes_a_share_of_the_way_that_adam_leads() -> None:
    model, other = Line(), Line()
    start = other.inner.weight.detach().clone()
    own = torch.optim.AdamW(other.parameters(), lr=0.1, betas=(0.0, 0.999), weight_decay=0.0)
    losses = []
    for _ in range(3):
        loss, _ = squares(other(problem(7)), problem(7))
        losses.append(float(loss.detach()))
        own.zero_grad()
        loss.backward()
        own.step()
    (told,) = rounds(model, [[problem(7)]], share=0.25, factor=lambda _: 0.5)
    torch.testing.assert_close(model.inner.weight, start + 0.125 * (other.inner.weight - start))
    assert told.loss == pytest.approx(sum(losses) / 3, rel=1e-5)
    assert (told.number, told.examples, told.tokens) == (1, 12, 36)


def test_it_learns_to_learn() -> None:
    """Problems share a direction: from the start that was found three steps go further than from where it began."""

    def like(seed: int) -> Batch:
        batch = problem(seed)
        batch.inputs["x"]["y"] = batch.inputs["x"]["x"] @ torch.tensor([[3.0], [-2.0], [1.0]]) + 0.1 * (seed % 5)
        return batch

    model = Line()
    rounds(model, [[like(seed)] for seed in range(60)], share=0.3)
    unseen = like(999)
    before, after = Line(), model
    losses = [float(rounds(each, [[unseen]], share=1.0)[0].loss) for each in (before, after)]
    assert losses[1] < losses[0] / 5


def test_several_batches_are_taken_in_turn_and_a_loss_without_end_is_told() -> None:
    (told,) = rounds(Line(), [[problem(1), problem(2)]])
    assert told.examples == 12
    broken = problem(1)
    broken.inputs["x"]["y"][0] = float("inf")
    with pytest.raises(NotFinite, match="step 1"):
        rounds(Line(), [[broken]])


def test_episodes_are_told_by_the_means_of_others() -> None:
    vectors = normalize(torch.randn(7, 5), dim=-1).requires_grad_()
    labels = torch.tensor([4, 9, 4, 4, 2, 9, 9])
    means = normalize(torch.stack([vectors[4], vectors[0] + vectors[2], vectors[1] + vectors[5]]), dim=-1)
    scores = vectors[[3, 6]] @ means.T / 0.2
    wanted = nn.functional.cross_entropy(scores, torch.tensor([1, 2]))
    torch.testing.assert_close(episode_loss(vectors, labels, temperature=0.2), wanted)
    alone = episode_loss(vectors, torch.arange(7), temperature=0.2)
    alone.backward()
    assert alone.detach() == 0


def meta(model: Path, folder: Path, **head: object) -> dict:
    recipe = tiny_recipe("classify", "full", model, folder, epochs=2, learning_rate=1e-3)
    write_jsonl(folder / "more.jsonl", intent_rows(40, seed=3))
    recipe["tasks"]["it"]["head"] = {"name": "prototypes", **head}
    recipe["tasks"]["more"] = recipe["tasks"]["it"] | {"data": {"train": str(folder / "more.jsonl")}}
    recipe["train"] |= {"reptile": {"steps": 2, "share": 0.5}, "checkpoint_every": 1}
    return recipe


@pytest.mark.parametrize("learn", ["pairs", "episodes"])
def test_a_run_over_several_tasks_is_the_same_again_and_the_model_of_others(
    learn: str, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = meta(tiny_model, tmp_path, learn=learn)
    whole = sibu.run(recipe, out=tmp_path / "whole")
    stop_at(2, monkeypatch)
    with pytest.raises(Stop):
        sibu.run(recipe, out=tmp_path / "broken")
    monkeypatch.undo()
    again = sibu.run(recipe, out=tmp_path / "broken", resume=True)
    weights = [(each / "model" / "model.safetensors").read_bytes() for each in (whole, again)]
    assert weights[0] == weights[1]
    plain = sibu.run(recipe | {"train": recipe["train"] | {"reptile": None}}, out=tmp_path / "plain")
    assert (plain / "model" / "model.safetensors").read_bytes() != weights[0]
    few = tiny_recipe("classify", "full", whole, tmp_path)
    few["tasks"]["it"] |= {"head": "prototypes", "data": few["tasks"]["it"]["data"] | {"shots": 2}}
    bundle = sibu.run(few, out=tmp_path / "few")
    assert "accuracy" in json.loads((bundle / "metrics.json").read_text())["it"]["test"]


def test_what_cannot_be_is_said(tiny_model: Path, tmp_path: Path) -> None:
    recipe = meta(tiny_model, tmp_path) | {"method": "adalora"}
    for task in recipe["tasks"].values():
        task["head"] = "linear"
    with pytest.raises(SibuError) as caught:
        sibu.check(recipe)
    assert "cannot go with `adalora`" in str(caught.value)
    assert "Give a task `classify` the head `prototypes` or `logistic`." in str(caught.value)


def test_episodes_of_single_rows_and_a_frozen_encoder_are_refused(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path)
    recipe["tasks"]["it"]["head"] = {"name": "prototypes", "learn": "episodes"}
    recipe["tasks"]["it"]["data"]["shots"] = 1
    with pytest.raises(SibuError, match=r"no label has two\. Give two rows of each label \(`shots: 2`\)"):
        sibu.check(recipe)
    recipe["tasks"]["it"]["data"]["shots"] = 2
    assert sibu.check(recipe)
    with pytest.raises(SibuError, match="moves the encoder, which `probe` leaves as it is"):
        sibu.check(meta(tiny_model, tmp_path) | {"method": "probe"})


def test_several_processes_are_refused(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sibu.pipeline.loop.several", lambda: True)
    with pytest.raises(SibuError, match=r"`train\.reptile` is for one process"):
        sibu.run(meta(tiny_model, tmp_path), out=tmp_path / "out")
