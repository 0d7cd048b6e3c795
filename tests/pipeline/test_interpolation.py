"""Runs that end between the weights that came and those that were trained."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import sibu
from sibu.core.errors import RecipeError
from sibu.pipeline import loop
from sibu.train.interpolate import Start
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
