"""k-fold runs, and the mean of the weights of several evaluations."""

import json
import re
from pathlib import Path
from statistics import fmean

import pytest
import torch
from safetensors.torch import load_file

import sibu
from sibu.core.errors import DataError, RecipeError
from sibu.pipeline.plan import make_plan
from sibu.pipeline.progress import Silent
from sibu.pipeline.soup import cook, ingredients, keep
from sibu.recipe.load import load_recipe
from tests.conftest import write_jsonl
from tests.pipeline.test_resume import Stop, stop_at, whole_and_stopped
from tests.tiny_tasks import tiny_recipe


def test_each_row_is_held_out_once(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path) | {"folds": 4}
    loaded = load_recipe(recipe)
    from dataclasses import replace

    held, labels = [], []
    for fold in range(4):
        plan = make_plan(replace(loaded, fold=fold), Silent(), encode=False).tasks["it"]
        own = list(plan.splits["dev"])
        assert not {row["id"] for row in own} & {row["id"] for row in plan.splits["train"]}
        held += [row["id"] for row in own]
        labels.append(sum(row["label"] == "billing" for row in own))
    assert sorted(held) == list(range(40))
    assert max(labels) - min(labels) <= 1


def test_figures_are_told_over_all_folds(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path) | {"folds": 3}
    bundle = sibu.run(recipe, out=tmp_path / "out")
    record = json.loads((bundle / "record.json").read_text())
    runs = record["folds"]["runs"]
    assert [each["fold"] for each in runs] == [0, 1, 2]
    over = record["folds"]["over"]["it"]["dev"]["accuracy"]
    assert over["mean"] == pytest.approx(fmean(each["metrics"]["it"]["dev"]["accuracy"] for each in runs))
    metrics = json.loads((bundle / "metrics.json").read_text())["it"]["dev"]
    assert metrics["accuracy"]["value"] == runs[0]["metrics"]["it"]["dev"]["accuracy"]
    assert sibu.run(recipe, out=bundle, resume=True) == bundle


@pytest.mark.parametrize("key", ["folds", "repeats"])
def test_stopped_runs_go_on_unless_something_changed(
    key: str, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path, checkpoint_every=1) | {key: 2}
    whole = sibu.run(recipe, out=tmp_path / "whole")
    stop_at(1, monkeypatch)
    with pytest.raises(Stop):
        sibu.run(recipe, out=tmp_path / "out")
    monkeypatch.undo()
    for changed, said in (
        (["train.epochs=3", "release.it.accuracy.at_least=0"], "train.epochs"),
        ([f"{key}=3", "tasks.it.dropout=0.2"], f"{key}, tasks.it.dropout"),
    ):
        with pytest.raises(RecipeError) as caught:
            sibu.run(recipe, changed, out=tmp_path / "out", resume=True)
        assert f"out.repeats was begun with something else: the recipe ({said}) changed since. " in str(caught.value)
        assert str(caught.value).endswith("Undo the change to resume, or begin anew with --force.")
    again = sibu.run(recipe, ["release.it.accuracy.at_least=0"], out=tmp_path / "out", resume=True)
    told = [json.loads((each / "record.json").read_text())[key] for each in (whole, again)]
    assert told[0] == told[1]


def test_other_data_is_told_where_no_key_changed(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path, checkpoint_every=1) | {"folds": 2}
    stop_at(1, monkeypatch)
    with pytest.raises(Stop):
        sibu.run(recipe, out=tmp_path / "out")
    monkeypatch.undo()
    data = Path(recipe["tasks"]["it"]["data"]["train"])
    before = data.read_text(encoding="utf-8")
    data.write_text(before + json.dumps({"text": "one more", "label": "billing"}) + "\n", encoding="utf-8")
    with pytest.raises(RecipeError, match="with something else: the data or the model changed since"):
        sibu.run(recipe, out=tmp_path / "out", resume=True)
    data.write_text(before, encoding="utf-8")
    assert sibu.run(recipe, out=tmp_path / "out", resume=True)


def test_what_folds_cannot_go_with(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path) | {"folds": 3}
    with pytest.raises(RecipeError, match=r"folds.*cannot go with `repeats`"):
        sibu.check(recipe | {"repeats": 2})
    own = recipe["tasks"]["it"]
    changed = recipe | {"tasks": {"it": own | {"data": own["data"] | {"dev": own["data"]["test"]}}}}
    with pytest.raises(RecipeError, match=r"folds.*without `dev`, `shots` and `dev_share: 0`; it is another"):
        sibu.check(changed)
    write_jsonl(Path(own["data"]["train"]), [{"text": "a", "label": "x"}, {"text": "b", "label": "y"}])
    said = "2 different rows are too few for 3 folds: one would have no dev. Lower `folds`, or add rows."
    with pytest.raises(DataError, match=re.escape(said)):
        sibu.check(recipe)
    with pytest.raises(DataError, match=re.escape(said)):
        sibu.run(recipe, out=tmp_path / "out")


def test_check_looks_at_a_fold(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path) | {"folds": 4}
    seen = sibu.check(recipe).as_json()["tasks"]["it"]
    assert (seen["train"]["rows"], seen["dev"]["rows"]) == (30, 10)


# ---- soup -----------------------------------------------------------------------------------------------------------


class Numbers(torch.nn.Module):
    """One weight, whose score is how near it is to 3."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def score(self) -> float:
        return -abs(float(self.weight.detach()) - 3)


def test_a_mean_is_kept_where_dev_gets_no_worse(tmp_path: Path) -> None:
    model, evaluations = Numbers(), []
    for step, value in enumerate([9.0, 2.0, 4.5, 3.9], 1):
        model.weight.data.fill_(value)
        evaluations.append({"step": step, "score": model.score()})
        keep(tmp_path, model, evaluations, 3)
    assert ingredients(evaluations, 3) == [4, 2, 3]
    assert sorted(file.name for file in tmp_path.iterdir()) == [f"step-0000000{n}.safetensors" for n in (2, 3, 4)]
    used, score = cook(tmp_path, model, evaluations, 3, model.score, Silent())
    assert used == [4, 2]  # 3.9, then (3.9 + 2) / 2 = 2.95; with 4.5 it would be 3.47
    assert model.weight.item() == pytest.approx(2.95)
    assert score == pytest.approx(-0.05)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_soup_is_no_worse_on_dev(method: str, tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify", method, tiny_model, tmp_path, epochs=6, learning_rate=3e-3)
    alone = sibu.run(recipe, out=tmp_path / "alone")
    bundle = sibu.run(recipe, ["train.soup=3"], out=tmp_path / "out")
    record = json.loads((bundle / "record.json").read_text())
    assert 1 <= len(record["soup"]) <= 3
    dev = [
        json.loads((each / "metrics.json").read_text())["it"]["dev"]["accuracy"]["value"] for each in (alone, bundle)
    ]
    assert dev[1] >= dev[0]
    if len(record["soup"]) == 1:
        one, two = (load_file(each / "heads.safetensors") for each in (alone, bundle))
        assert all(torch.equal(one[key], two[key]) for key in one)


def test_a_stopped_run_cooks_the_same(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train = {"epochs": 4, "checkpoint_every": 1, "soup": 2, "learning_rate": 3e-3}
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path, **train)
    whole, again = whole_and_stopped(recipe, 3, tmp_path, monkeypatch)
    assert (whole / "model/model.safetensors").read_bytes() == (again / "model/model.safetensors").read_bytes()
