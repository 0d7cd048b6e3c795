"""Runs that end between the weights that came and those that were trained."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import sibu
from sibu.cli.console import Plain
from sibu.core.errors import RecipeError
from sibu.pipeline import heads, loop
from sibu.pipeline.progress import Silent
from sibu.train.interpolate import Start
from tests.conftest import write_jsonl
from tests.pipeline.test_resume import whole_and_stopped
from tests.tiny_tasks import tiny_recipe


def recipe_of(model: Path, home: Path, **train: Any) -> dict[str, Any]:
    recipe = tiny_recipe("classify", "full", model, home, learning_rate=3e-3, **train)
    recipe["tasks"]["it"]["head"] = "logistic"
    return recipe


def weights(bundle: Path) -> dict[str, torch.Tensor]:
    return load_file(bundle / "model" / "model.safetensors")


def test_weights_lie_where_they_are_told_to_and_come_back() -> None:
    model = torch.nn.Linear(1, 1)
    model.weight.data.fill_(1.0)
    model.bias.requires_grad_(False)
    start = Start(model)
    model.weight.data.fill_(5.0)
    bias = model.bias.item()
    with start.interpolated(0.25):
        assert model.weight.item() == 2.0
    assert model.weight.item() == 5.0
    with pytest.raises(ZeroDivisionError), start.interpolated(0.5):
        raise ZeroDivisionError
    assert model.weight.item() == 5.0
    start.interpolate(0.25)
    assert (model.weight.item(), model.bias.item()) == (2.0, bias)


def test_a_bundle_ends_between_start_and_end(tiny_model: Path, tmp_path: Path) -> None:
    recipe = recipe_of(tiny_model, tmp_path)
    recipe["tasks"]["it"]["data"] |= {"dev_share": 0}  # so that the last weights are the run's
    whole = sibu.run(recipe, ["train.interpolation=1"], out=tmp_path / "whole")
    quarter = sibu.run(recipe, ["train.interpolation=0.25"], out=tmp_path / "quarter")
    came, one, some = (
        weights(sibu.run(recipe, ["train.epochs=0"], out=tmp_path / "came")),
        weights(whole),
        weights(quarter),
    )
    assert any(not torch.equal(came[key], one[key]) for key in came)
    for key, own in some.items():
        torch.testing.assert_close(own, torch.lerp(came[key], one[key], 0.25), rtol=1e-5, atol=1e-7)


def test_dev_is_judged_there(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judged, judge = [], loop.dev_scores

    def watched(plan: Any, model: Any, **named: Any) -> Any:
        judged.append({key: own.detach().clone() for key, own in model.encoders["text"].named_parameters()})
        return judge(plan, model, **named)

    monkeypatch.setattr(loop, "dev_scores", watched)
    bundle = sibu.run(recipe_of(tiny_model, tmp_path, epochs=4, interpolation=0.5), out=tmp_path / "out")
    record = json.loads((bundle / "record.json").read_text())
    ((number, best),) = (
        (number, each) for number, each in enumerate(record["evaluations"]) if each["step"] == record["steps"]["best"]
    )
    for name, own in weights(bundle).items():  # the very weights that the bundle answers by
        (there,) = (each for key, each in judged[number].items() if key.endswith(name))
        assert torch.equal(there, own), name
    told = json.loads((bundle / "metrics.json").read_text())["it"]["dev"]["accuracy"]["value"]
    assert best["scores"]["it"]["accuracy"] == pytest.approx(told)


def test_a_stopped_run_ends_at_the_same_weights(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = recipe_of(tiny_model, tmp_path, epochs=4, checkpoint_every=1, interpolation=0.5)
    whole, again = whole_and_stopped(recipe, 2, tmp_path, monkeypatch)
    assert (whole / "model/model.safetensors").read_bytes() == (again / "model/model.safetensors").read_bytes()


def test_where_nothing_can_lie_between(tiny_model: Path, tmp_path: Path) -> None:
    recipe = recipe_of(tiny_model, tmp_path, interpolation=0.5)
    sibu.check(recipe)
    with pytest.raises(
        RecipeError, match=r"interpolation: moves the model's own weights, which `lora` leaves.*Choose one of"
    ):
        sibu.check(recipe | {"method": "lora"})
    with pytest.raises(RecipeError, match=r"interpolation: .* none came here. Leave it out"):
        sibu.check(recipe | {"model": {"new": "causal"}})
    recipe["tasks"]["it"]["head"] = "linear"
    with pytest.raises(RecipeError, match=r"that of it is trained with the weights.*Give it the head `logistic`"):
        sibu.check(recipe)
    with pytest.raises(RecipeError, match="interpolation: should be greater than 0"):
        sibu.check(recipe, ["train.interpolation=0"])


def known(model: Path, home: Path, copies: int, *labels: str, **train: Any) -> dict[str, Any]:
    """A recipe whose rows say their label by words that the labels do not share, so many times each."""
    recipe = recipe_of(model, home, **train)
    words = {"billing": "bill pay invoice", "appointment": "move book cancel"}
    rows = [{"text": f"{words[label]} {n % 3}", "label": label} for label in labels for n in range(copies)]
    recipe["tasks"]["it"]["data"] = {"train": str(write_jsonl(home / "rows.jsonl", rows)), "dev_share": 0}
    return recipe


def test_few_rows_that_the_model_tells_already_move_it_less(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    recipe = known(tiny_model, tmp_path, 6, "billing", "appointment")
    short = sibu.run(recipe, out=tmp_path / "short", progress=Plain())
    assert json.loads((short / "record.json").read_text())["interpolation"] == {"share": 0.7, "told": {"it": 1.0}}
    said = "The encoder as it came tells by the nearest mean: it 100 %. Its weights go 0.7 of the way."
    assert said in capsys.readouterr().err
    given = sibu.run(recipe, ["train.interpolation=0.7"], out=tmp_path / "given")
    assert (short / "model/model.safetensors").read_bytes() == (given / "model/model.safetensors").read_bytes()
    assert "interpolation" not in json.loads((given / "record.json").read_text())
    whole = sibu.run(recipe, ["train.interpolation=1"], out=tmp_path / "whole")
    assert (short / "model/model.safetensors").read_bytes() != (whole / "model/model.safetensors").read_bytes()


@pytest.mark.parametrize(
    "more",
    [
        ["method=probe"],
        ["method=lora"],
        ["tasks.it.head=linear"],
        ['tasks.it.head={"name": "prototypes", "learn": "episodes"}'],
        ['train.reptile={"steps": 2}'],
        ["train.epochs=0"],
    ],
)
def test_who_goes_all_the_way(more: list[str], tiny_model: Path, tmp_path: Path) -> None:
    recipe = known(tiny_model, tmp_path, 6, "billing", "appointment")
    assert "interpolation" not in json.loads((sibu.run(recipe, more, out=tmp_path / "out") / "record.json").read_text())


def test_many_rows_go_all_the_way(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "FEW", 5)
    recipe = known(tiny_model, tmp_path, 6, "billing", "appointment")
    assert "interpolation" not in json.loads((sibu.run(recipe, out=tmp_path / "out") / "record.json").read_text())


def test_a_stopped_run_that_chose_its_share_ends_at_the_same_weights(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = known(tiny_model, tmp_path, 6, "billing", "appointment", epochs=4, checkpoint_every=1)
    whole, again = whole_and_stopped(recipe, 2, tmp_path, monkeypatch)
    assert (whole / "model/model.safetensors").read_bytes() == (again / "model/model.safetensors").read_bytes()
    assert json.loads((again / "record.json").read_text())["interpolation"]["share"] == 0.7


@pytest.mark.parametrize("seed", range(5))
def test_rows_are_told_by_the_means_of_the_others(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = torch.Generator().manual_seed(seed)
    kinds = torch.randint(0, 4, (12,), generator=draw)
    vectors = torch.randn(12, 3, generator=draw) + 2 * torch.eye(4)[kinds][:, :3]
    monkeypatch.setattr(heads, "_vectors", lambda *_: (vectors, kinds))
    right: dict[int, list[bool]] = {}
    for row, own in enumerate(kinds.tolist()):
        means = {}
        for kind in set(kinds.tolist()):
            others = [n for n in range(12) if n != row and kinds[n] == kind]
            if others:
                means[kind] = float(torch.cosine_similarity(vectors[others].mean(0), vectors[row], dim=0))
        right.setdefault(own, []).append(max(means, key=means.__getitem__) == own)
    wanted = sum(sum(each) / len(each) for each in right.values()) / len(right)  # rare labels count as frequent ones
    found = heads.told_by_means(None, "it", None, kinds.numpy(), Silent())
    assert found == pytest.approx(wanted, abs=1e-4)


def told(bundle: Path) -> dict[str, Any] | None:
    return json.loads((bundle / "record.json").read_text()).get("interpolation")


def test_copies_do_not_vouch_for_the_rows_that_they_were_made_of(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = known(tiny_model, tmp_path, 6, "billing", "appointment")
    words = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t"]
    rows = [{"text": f"{one} bill pay {two}", "label": "xy"[n % 2]} for n, (one, two) in enumerate(pairwise(words))]
    write_jsonl(tmp_path / "rows.jsonl", rows)  # labels that nothing tells
    monkeypatch.setattr(loop, "TOLD", (-1.0, 0.0))
    monkeypatch.setattr(loop, "FEW", len(rows) // 2 + 1)  # with copies there are more
    alone = sibu.run(recipe, out=tmp_path / "alone")
    copies = ['tasks.it.data.augment=["keyboard"]', "tasks.it.data.copies=4"]
    assert told(alone) is not None
    assert told(sibu.run(recipe, copies, out=tmp_path / "copies")) == told(alone)


def test_one_label_is_told_from_nothing(tiny_model: Path, tmp_path: Path) -> None:
    recipe = known(tiny_model, tmp_path, 6, "billing")
    recipe["tasks"]["it"]["labels"] = ["billing", "appointment"]
    assert told(sibu.run(recipe, out=tmp_path / "out")) is None
