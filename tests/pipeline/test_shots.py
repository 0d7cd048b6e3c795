"""A few rows of each label, and the same recipe over several seeds."""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from statistics import fmean, stdev

import pytest
import yaml

import sibu
from sibu.core.errors import RecipeError, ReleaseMissed
from sibu.pipeline.plan import TaskPlan, expected_batches, make_plan, plan_steps
from sibu.pipeline.progress import Silent
from sibu.pipeline.repeats import summary
from sibu.pipeline.shots import kinds
from sibu.recipe.load import load_recipe
from tests.command import sibu_here
from tests.conftest import write_jsonl
from tests.pipeline.test_resume import Stop, stop_at, whole_and_stopped
from tests.tiny_tasks import TASKS, tiny_model_for, tiny_recipe
from tests.tiny_values import tiny_mixed


def changed(recipe: dict, **data: object) -> dict:
    own = recipe["tasks"]["it"]
    return recipe | {"tasks": {"it": own | {"data": own["data"] | data}}}


def planned(recipe: dict, *overrides: str) -> TaskPlan:
    return make_plan(load_recipe(recipe, overrides), Silent(), encode=False).tasks["it"]


@pytest.mark.parametrize("task", ["classify", "classify, several labels", "tag", "relate"])
def test_each_label_has_as_many_rows(task: str, tiny_model: Path, tmp_path: Path) -> None:
    recipe = changed(tiny_recipe(task, "full", tiny_model, tmp_path), shots=3)
    own = planned(recipe)
    rows = list(own.learned)
    counts = Counter(label for row in rows for label in kinds(row))
    labels = {label for line in _lines(recipe, "train") for label in kinds(line)}
    assert set(counts) == labels
    assert min(counts.values()) >= 3
    if task == "classify":
        assert set(counts.values()) == {3}
    assert list(planned(recipe).learned) == rows
    assert list(planned(recipe, "train.seed=14").learned) != rows


@pytest.mark.parametrize("task", list(TASKS))
def test_a_head_that_begins_from_nothing_takes_more_steps(
    task: str, tiny_model: Path, tiny_writer: Path, tiny_translator: Path, tmp_path: Path
) -> None:
    model = tiny_model_for(task, tiny_model, tiny_writer, tiny_translator)
    recipe = tiny_recipe(task, "full", model, tmp_path)
    for head in (None, "logistic", "labels") if task == "classify" else (None,):
        tasks = {"it": recipe["tasks"]["it"] | ({} if head is None else {"head": head})}
        plan = make_plan(load_recipe(recipe | {"tasks": tasks, "train": {}}, ()), Silent(), encode=False)
        _, steps = plan_steps(plan.recipe, expected_batches(plan))
        few = task.split(",")[0] in ("classify", "tag", "extract", "relate", "regress") and "written" not in task
        few &= head is None
        assert (steps >= 200) == few, task
        assert (plan.recipe.train.epochs > 5) == few
        assert steps < 200 + expected_batches(plan)


def test_few_rows_are_learned_without_a_number_of_epochs(tiny_model: Path, tmp_path: Path) -> None:
    recipe = changed(tiny_recipe("tag", "full", tiny_model, tmp_path), shots=3) | {"train": {}}
    recipe["tasks"]["it"]["data"]["dev"] = recipe["tasks"]["it"]["data"]["test"]
    bundle = sibu.run(recipe, out=tmp_path / "out")
    record = json.loads((bundle / "record.json").read_text())
    saved = yaml.safe_load((bundle / "recipe.yaml").read_text(encoding="utf-8"))["train"]
    assert record["steps"]["done"] == saved["epochs"] * record["steps"]["per_epoch"] >= 200
    assert len(record["evaluations"]) <= 10
    found = json.loads((bundle / "metrics.json").read_text())["it"]["test"]["f1"]["value"]
    once = sibu.run(recipe, ["train.epochs=5"], out=tmp_path / "once")
    assert found > json.loads((once / "metrics.json").read_text())["it"]["test"]["f1"]["value"]


def test_rows_that_were_left_out_are_not_drawn(tmp_path: Path) -> None:
    recipe = tiny_mixed("classify", ("image",), None, tmp_path)
    lines = _lines(recipe, "train")
    for row in lines[:6]:
        Path(row["image"]).write_bytes(b"no picture")
    recipe["tasks"]["it"]["data"] |= {"shots": 6}
    broken = {row["image"] for row in lines[:6]}
    drawn = {row["image"].said for seed in range(5) for row in planned(recipe, f"train.seed={seed}").splits["train"]}
    assert not drawn & broken
    assert lines[-1]["image"] in drawn


def _lines(recipe: dict, split: str) -> list[dict]:
    file = Path(recipe["tasks"]["it"]["data"][split])
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_without_labels_so_many_rows_in_all(tiny_model: Path, tmp_path: Path) -> None:
    assert len(planned(changed(tiny_recipe("regress", "full", tiny_model, tmp_path), shots=5)).learned) == 5


def test_nothing_is_held_out_and_dev_is_not_reported(tiny_model: Path, tmp_path: Path) -> None:
    recipe = changed(tiny_recipe("classify", "full", tiny_model, tmp_path), shots=4)
    found = sibu.check(recipe)
    assert not [fault for fault in found.gate.faults.examples if fault.kind == "leak"]
    bundle = sibu.run(recipe, out=tmp_path / "out")
    assert set(json.loads((bundle / "metrics.json").read_text())["it"]) == {"test"}
    record = json.loads((bundle / "record.json").read_text())
    assert record["dev_is_train"] == ["it"]
    assert record["rows"]["it"]["train"] == 8


@pytest.mark.parametrize("first", ["few", "all"])
def test_no_task_trains_on_what_another_holds_out(first: str, tiny_model: Path, tmp_path: Path) -> None:
    """Two tasks of one file: one takes a few rows of each label, the other splits dev off."""
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path)
    own = recipe["tasks"]["it"]
    tasks = {
        "few": own | {"data": own["data"] | {"shots": 6}},
        "all": own | {"data": own["data"] | {"dev_share": 0.4}},
    }
    recipe["tasks"] = {first: tasks[first]} | tasks
    plans = make_plan(load_recipe(recipe), Silent(), encode=False).tasks
    few = {row["id"] for row in plans["few"].learned}
    dev, train = ({row["id"] for row in plans["all"].splits[split]} for split in ("dev", "train"))
    assert len(few) == 12
    assert dev
    assert not few & dev
    assert not train & dev
    assert len(train | dev) == 40


def test_all_rows_are_trained_on(tiny_model: Path, tmp_path: Path) -> None:
    recipe = changed(tiny_recipe("classify", "full", tiny_model, tmp_path, epochs=3), dev_share=0)
    found = sibu.check(recipe)
    assert not [fault for fault in found.gate.faults.examples if fault.kind == "leak"]
    bundle = sibu.run(recipe, out=tmp_path / "out")
    assert set(json.loads((bundle / "metrics.json").read_text())["it"]) == {"test"}
    record = json.loads((bundle / "record.json").read_text())
    assert (record["dev_is_train"], record["rows"]["it"]["train"]) == (["it"], 40)
    assert record["steps"]["best"] == record["steps"]["done"]


@pytest.mark.parametrize("own", [{"dev_share": 0}, {"shots": 4}])
def test_a_run_without_figures_is_warned_of(own: dict, tiny_model: Path, tmp_path: Path) -> None:
    recipe = changed(tiny_recipe("classify", "full", tiny_model, tmp_path), **own)

    def said() -> list[str]:
        faults = sibu.check(recipe).gate.faults.examples
        return [f"{fault.message} {fault.mend}" for fault in faults if fault.kind == "nothing to judge by"]

    assert not said()
    test = recipe["tasks"]["it"]["data"].pop("test")
    assert said() == [
        "All rows are learned from and there is no test file (it): no figure will be told. Name one as "
        "`tasks.it.data.test`, or judge the bundle later with `sibu evaluate`."
    ]
    recipe["tasks"]["it"]["data"]["test"] = test
    assert not said()


@pytest.mark.parametrize("own", [{"dev_share": 0}, {"shots": 4}])
def test_a_release_cannot_be_judged_on_rows_that_are_trained_on(own: dict, tiny_model: Path, tmp_path: Path) -> None:
    recipe = changed(tiny_recipe("classify", "full", tiny_model, tmp_path), **own)
    with pytest.raises(RecipeError, match=r"release.*it\.dev\.accuracy.*is on dev, and the rows that are trained on"):
        load_recipe(recipe | {"release": {"it.dev.accuracy": {"at_least": 0.5}}})
    load_recipe(recipe | {"release": {"it.test.accuracy": {"at_least": 0.5}}})


def test_none_trains_on_all_rows_of_which_another_holds_some_out(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path)
    own = recipe["tasks"]["it"]
    recipe["tasks"] = {"part": own, "whole": own | {"data": own["data"] | {"dev_share": 0}}}
    said = (
        r"whole\.data\.dev_share: is 0: whole would train on the rows of the same file that part holds out as dev\. Say"
    )
    with pytest.raises(RecipeError, match=said):
        load_recipe(recipe)
    mended = recipe["tasks"]["whole"]
    recipe["tasks"] = {"part": mended, "whole": mended}
    rows = [plan.learned for plan in make_plan(load_recipe(recipe), Silent(), encode=False).tasks.values()]
    assert [len(each) for each in rows] == [40, 40]


@pytest.mark.parametrize(
    ("key", "more"),
    [("folds", {"folds": 3}), ("search", {"search": {"space": {"train.learning_rate": [1.0e-4, 1.0e-3]}}})],
)
def test_what_chooses_by_dev_refuses_a_share_of_none(key: str, more: dict, tiny_model: Path, tmp_path: Path) -> None:
    recipe = changed(tiny_recipe("classify", "full", tiny_model, tmp_path), dev_share=0) | more
    with pytest.raises(RecipeError, match=f"{key}: .*`dev_share: 0`"):
        sibu.search(recipe, out=tmp_path / "out") if key == "search" else sibu.check(recipe)


def test_copies_are_made_of_the_few(tiny_model: Path, tmp_path: Path) -> None:
    own = planned(changed(tiny_recipe("classify", "full", tiny_model, tmp_path), shots=4, augment="swap", copies=2))
    assert 8 < len(own.learned) <= 24


def test_a_label_with_fewer_rows_is_told(tiny_model: Path, tmp_path: Path) -> None:
    recipe = changed(tiny_recipe("classify", "full", tiny_model, tmp_path), shots=4)
    rows = [{"text": f"{n} a", "label": "a"} for n in range(9)] + [{"text": f"{n} b", "label": "b"} for n in range(2)]
    write_jsonl(Path(recipe["tasks"]["it"]["data"]["train"]), rows)
    with pytest.raises(RecipeError, match=r"shots: 1 label of 2 \('b'\) have fewer than 4 rows\. Lower it to 2, or"):
        sibu.check(recipe)
    sibu.check(changed(recipe, shots=2))


def test_several_seeds_are_told_together(tiny_model: Path, tmp_path: Path) -> None:
    recipe = changed(tiny_recipe("classify", "full", tiny_model, tmp_path, epochs=3), shots=6) | {"repeats": 3}
    file = tmp_path / "recipe.yaml"
    file.write_text(yaml.safe_dump(recipe))
    words = [sys.executable, "-m", "sibu", "run", str(file), "--out", str(tmp_path / "out"), "--quiet"]
    shown = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout
    assert "over 3 seeds" in shown
    record = sibu.show(tmp_path / "out")["record"]
    single = [
        json.loads(
            (
                sibu.run(recipe | {"repeats": 1}, [f"train.seed={seed}"], out=tmp_path / f"{seed}") / "metrics.json"
            ).read_text()
        )
        for seed in (13, 14, 15)
    ]
    values = [each["it"]["test"]["accuracy"]["value"] for each in single]
    assert [each["metrics"]["it"]["test"]["accuracy"] for each in record["repeats"]["runs"]] == values
    over = record["repeats"]["over"]["it"]["test"]["accuracy"]
    assert over == {"mean": pytest.approx(fmean(values)), "sd": pytest.approx(stdev(values)), "n": 3}
    for name in ("model/model.safetensors", "heads.safetensors", "metrics.json"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "13" / name).read_bytes()
    assert sibu.load(tmp_path / "out").predict("move book").value in ("appointment", "billing")
    assert not (tmp_path / "out.repeats").exists()
    assert sibu.run(file, out=tmp_path / "out", resume=True) == tmp_path / "out"


def test_stopped_repeats_go_on(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = changed(tiny_recipe("classify", "full", tiny_model, tmp_path, checkpoint_every=1), shots=6) | {
        "repeats": 2
    }
    whole, again = whole_and_stopped(recipe, 1, tmp_path, monkeypatch)
    told = [json.loads((each / "record.json").read_text())["repeats"] for each in (whole, again)]
    assert told[0] == told[1]


def test_figures_of_another_recipe_are_never_taken(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = changed(tiny_recipe("classify", "full", tiny_model, tmp_path, checkpoint_every=1), shots=6) | {
        "repeats": 2
    }
    recipe["train"]["learning_rate"] = 1e-3
    sibu.run(recipe | {"repeats": 1}, out=tmp_path / "one")
    kept = tmp_path / "out.repeats"
    stop_at(1, monkeypatch)
    with pytest.raises(Stop):
        sibu.run(recipe, out=tmp_path / "out")
    monkeypatch.undo()
    (kept / "seed-13.json").write_text((tmp_path / "one" / "metrics.json").read_text())
    with pytest.raises(
        RecipeError, match=r"several seeds stands at .*out.repeats\. Go on with --resume, or begin anew"
    ):
        sibu.run(recipe, out=tmp_path / "out")
    with pytest.raises(RecipeError, match=r"out.repeats was begun with something else: the recipe \(repeats\) changed"):
        sibu.run(recipe, ["repeats=1"], out=tmp_path / "out", resume=True)
    with pytest.raises(RecipeError, match="by the recipe that began it and --resume, or begin anew with --force"):
        sibu.run(recipe, ["repeats=1"], out=tmp_path / "out")
    with pytest.raises(RecipeError, match=r"begun with something else: .* Undo the change to resume"):
        sibu.run(recipe, ["train.learning_rate=1e-4"], out=tmp_path / "out", resume=True)
    write_jsonl(Path(recipe["tasks"]["it"]["data"]["test"]), _lines(recipe, "test")[:-1])
    with pytest.raises(RecipeError, match="the data or the model changed since"):
        sibu.run(recipe, out=tmp_path / "out", resume=True)
    again = sibu.run(recipe, out=tmp_path / "out", force=True)
    assert len(json.loads((again / "record.json").read_text())["repeats"]["runs"]) == 2


def test_a_metric_that_one_seed_lacks_is_told_over_the_others() -> None:
    runs = [{"it": {"test": {"f1": 0.5, "mcc": 0.1}}}, {"it": {"test": {"f1": 0.7}}}]
    told = summary([{"seed": n, "metrics": each} for n, each in enumerate(runs)])["it"]["test"]
    assert told["f1"] == {"mean": pytest.approx(0.6), "sd": pytest.approx(stdev([0.5, 0.7])), "n": 2}
    assert told["mcc"] == {"mean": 0.1, "sd": 0.0, "n": 1}


def test_a_folder_that_is_no_bundle_is_never_replaced(tiny_model: Path, tmp_path: Path) -> None:
    mine = tmp_path / "out"
    mine.mkdir()
    (mine / "notes.txt").write_text("mine")
    plain = tiny_recipe("classify", "full", tiny_model, tmp_path)
    for recipe in (plain, plain | {"repeats": 2}):
        with pytest.raises(RecipeError, match="holds something that is no bundle; a run that goes on would replace it"):
            sibu.run(recipe, out=mine, resume=True)
    assert (mine / "notes.txt").read_text() == "mine"


def test_a_missed_release_is_told_of_the_bundle_that_stays(tiny_model: Path, tmp_path: Path) -> None:
    recipe = changed(tiny_recipe("classify", "full", tiny_model, tmp_path), shots=4) | {"repeats": 2}
    recipe["release"] = {"it.accuracy": {"at_least": 1.0}, "it.mcc": {"at_least": 1.0}}
    with pytest.raises(ReleaseMissed, match=r"out but misses") as told:
        sibu.run(recipe, out=tmp_path / "out")
    assert told.value.bundle == tmp_path / "out"
    with pytest.raises(ReleaseMissed):
        sibu.run(recipe, out=tmp_path / "out", resume=True)
    assert (tmp_path / "out" / "bundle.json").is_file()


@pytest.mark.parametrize("key", ["soup", "patience"])
def test_what_goes_by_dev_is_told_where_there_is_none(key: str, tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path, **{key: 2})
    data = recipe["tasks"]["it"]["data"]

    def told(own: dict) -> list[str]:
        recipe["tasks"]["it"]["data"] = data | own
        found = sibu.check(recipe).gate.faults.examples
        return [fault.message for fault in found if fault.kind == "nothing to choose by"]

    for without in ({"shots": 5}, {"dev_share": 0}):
        (said,) = told(without)
        assert said.startswith(f"`train.{key}` would choose by dev, and there is none")
        assert told(without | {"dev": data["test"], "test": None}) == []
    assert told({}) == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"shots": 4, "dev_share": 0.2}, r"it\.data\.dev_share: is not used: with `shots` no dev is held out"),
        ({"label_model": "majority"}, r"it\.data\.label_model: is not used: there are no `rules`.* Write some as"),
        ({"rule_threshold": 0.9}, r"it\.data\.rule_threshold: is not used: there are no `rules`"),
        ({"copies": 3}, r"it\.data\.copies: is not used: no way of changing rows is named\. Name some with `augment`"),
    ],
)
def test_keys_that_would_do_nothing_are_told(data: dict, said: str, tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path)
    recipe["tasks"]["it"]["data"] |= data
    with pytest.raises(RecipeError, match=said):
        sibu.check(recipe)


def test_check_says_where_dev_is_what_is_trained_on(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path)
    recipe["tasks"]["it"]["data"] |= {"shots": 4}
    (tmp_path / "r.yaml").write_text(yaml.safe_dump(recipe))
    said = sibu_here("check", tmp_path / "r.yaml").stdout
    assert [re.split(r"\s{2,}", line)[1] for line in said.splitlines() if line.startswith("it ")] == [
        "train",
        "dev = train",
        "test",
    ]


def test_check_plans_few_rows_by_pairs_as_one_batch(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path)
    rows = [json.loads(line) for line in Path(recipe["tasks"]["it"]["data"]["train"]).read_text().splitlines()]
    rows[0]["text"] += " my bill" * 40  # would make two batches of them with padding
    write_jsonl(tmp_path / "long.jsonl", rows)
    recipe["tasks"]["it"] |= {"head": "logistic", "data": {"train": str(tmp_path / "long.jsonl"), "dev_share": 0}}
    recipe["train"] = {"epochs": 1, "batch_tokens": 1000}
    record = sibu.show(sibu.run(recipe, out=tmp_path / "out"))["record"]
    assert sibu.check(recipe).steps == record["steps"]["done"] == 1
