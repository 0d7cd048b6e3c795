"""`sibu search`: what is tried, what comes of it, a study that was stopped, several workers."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import sibu
from sibu.core.errors import MissingExtra, RecipeError, RunStopped, SibuError
from tests.tiny_tasks import tiny_recipe

pytest.importorskip("optuna", reason="the extra `search`")

SPACE = {
    "train.learning_rate": {"low": 1e-5, "high": 1e-1, "log": True},
    "train.epochs": {"low": 1, "high": 3},
    "method": ["full", {"name": "lora", "rank": 4}],
    "tasks.it.dropout": {"low": 0.0, "high": 0.4, "step": 0.2},
}


def recipe_of(model: Path, home: Path, **search: object) -> dict:
    recipe = tiny_recipe("classify", "full", model, home)
    return recipe | {"search": {"space": SPACE, "trials": 4, "first": 2, **search}}


def test_the_best_on_dev_is_written(tiny_model: Path, tmp_path: Path) -> None:
    found = sibu.search(recipe_of(tiny_model, tmp_path), out=tmp_path / "study")
    done = [trial for trial in found["trials"] if trial["state"] == "complete"]
    assert len(found["trials"]) == 4
    for trial in found["trials"]:
        values = trial["values"]
        assert 1e-5 <= values["train.learning_rate"] <= 1e-1
        assert values["train.epochs"] in (1, 2, 3)
        assert values["method"] in SPACE["method"]
        assert values["tasks.it.dropout"] in (0.0, 0.2, 0.4)
    assert found["best"]["score"] == max(trial["score"] for trial in done)
    assert found["better"] == (found["best"]["score"] > found["as it is"])
    assert json.loads((tmp_path / "study/search.json").read_text()) == found
    best = yaml.safe_load((tmp_path / "study/best.yaml").read_text())
    assert "search" not in best
    if found["better"]:
        assert best["train"]["epochs"] == found["best"]["values"]["train.epochs"]
    bundle = sibu.run(tmp_path / "study/best.yaml", out=tmp_path / "out")
    evaluations = json.loads((bundle / "record.json").read_text())["evaluations"]
    wanted = found["best"]["score"] if found["better"] else found["as it is"]
    assert max(each["score"] for each in evaluations) == wanted


def test_a_stopped_study_tries_what_an_unbroken_one_does(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = recipe_of(tiny_model, tmp_path, prune=False)
    whole = sibu.search(recipe, out=tmp_path / "whole")
    import sibu.pipeline.search as place

    through, asked = place._score, []

    def score(*words: object) -> float:
        asked.append(words)
        if len(asked) == 4:  # the recipe as it is, two trials, and in the third
            raise KeyboardInterrupt
        return through(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(place, "_score", score)
    with pytest.raises(KeyboardInterrupt):
        sibu.search(recipe, out=tmp_path / "study")
    monkeypatch.setattr(place, "_score", through)
    with pytest.raises(RecipeError, match=r"A study stands at .*study\. Go on with --resume"):
        sibu.search(recipe, out=tmp_path / "study")
    again = sibu.search(recipe, out=tmp_path / "study", resume=True)
    shown = [[(trial["values"], trial["score"]) for trial in found["trials"]] for found in (whole, again)]
    assert shown[0] == shown[1]
    assert sibu.search(recipe, out=tmp_path / "study", resume=True)["trials"] == again["trials"]
    other = ["train.batch_tokens=300", "search.trials=9"]
    with pytest.raises(
        RecipeError, match=r"begun with something else: the recipe \(search\.trials, train\.batch_tokens\) "
    ):
        sibu.search(recipe, other, out=tmp_path / "study", resume=True)
    assert len(sibu.search(recipe, out=tmp_path / "study", force=True)["trials"]) == 4


def test_a_killed_study_goes_on(tiny_model: Path, tmp_path: Path) -> None:
    recipe = recipe_of(tiny_model, tmp_path, trials=3)
    (tmp_path / "r.yaml").write_text(yaml.safe_dump(recipe))
    command = [sys.executable, "-m", "sibu", "search", str(tmp_path / "r.yaml"), "--out", str(tmp_path / "study")]
    said = []
    with subprocess.Popen([*command, "--resume"], stderr=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stderr or ():
                said.append(line.strip())
                if line.startswith("trial 1"):
                    break
        finally:
            process.kill()
    assert f"There is no study at {tmp_path / 'study'} to go on with; one begins." in said
    done = subprocess.run([*command, "--resume", "--json", "--quiet"], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert len(found["trials"]) == 3
    assert {trial["state"] for trial in found["trials"]} <= {"complete", "pruned"}


def test_several_workers_share_a_study(tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(yaml.safe_dump(recipe_of(tiny_model, tmp_path)))
    words = ["search", str(tmp_path / "r.yaml"), "--out", str(tmp_path / "study"), "--workers", "2"]
    done = subprocess.run([sys.executable, "-m", "sibu", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "dev at best" in done.stdout
    found = json.loads((tmp_path / "study/search.json").read_text())
    assert 4 <= len(found["trials"]) <= 5  # two may have begun the last one
    with pytest.raises(RecipeError, match="Several workers read the recipe from its file"):
        sibu.search(recipe_of(tiny_model, tmp_path), out=tmp_path / "other", workers=2)


def test_what_falls_behind_is_stopped(tiny_model: Path, tmp_path: Path) -> None:
    space = {"train.learning_rate": [1e-2, 1e-2, 1e-9]}
    recipe = recipe_of(tiny_model, tmp_path, space=space, trials=8, first=2)
    recipe["train"] = {"epochs": 8, "batch_tokens": 512, "schedule": "constant"}
    found = sibu.search(recipe, out=tmp_path / "study")
    states = {trial["values"]["train.learning_rate"]: set() for trial in found["trials"]}
    for trial in found["trials"]:
        states[trial["values"]["train.learning_rate"]].add(trial["state"])
    assert "complete" in states[1e-2]
    assert found["best"]["values"]["train.learning_rate"] == 1e-2 or not found["better"]


def test_every_value_that_cannot_be_is_told_before_anything_is_tried(tiny_model: Path, tmp_path: Path) -> None:
    space = {
        "train.learning_rate": {"low": -1.0, "high": 1.0},
        "method": ["lora", "lorra"],
        "train.epoch": [1, 2],
        "train.epochs": {"low": 1, "high": 5},
    }
    with pytest.raises(RecipeError) as told:
        sibu.search(recipe_of(tiny_model, tmp_path, space=space), out=tmp_path / "study")
    said = str(told.value)
    for part in (
        "4 faults",
        "search.space.train.learning_rate: -1.0 cannot be",
        "search.space.method: 'lorra' cannot be: no method is named 'lorra'. Did you mean 'lora'?",
        "search.space.train.epoch: 1 cannot be: no such key. Did you mean 'epochs'?",
    ):
        assert part in said
    assert not (tmp_path / "study").exists()


def test_a_space_of_which_no_values_go_together_is_told_before_anything_is_tried(
    tiny_model: Path, tmp_path: Path
) -> None:
    space = {"train.interpolation": [0.5, 0.7], "method": ["lora", "probe"]}
    recipe = recipe_of(tiny_model, tmp_path, space=space)
    recipe["tasks"]["it"]["head"] = "logistic"
    said = r"search\.space: no values of it go together: .*train\.interpolation: .*`lora`"
    with pytest.raises(RecipeError, match=said):
        sibu.search(recipe, out=tmp_path / "study")
    assert not (tmp_path / "study").exists()


def test_a_value_may_need_another_of_the_space(tiny_model: Path, tmp_path: Path) -> None:
    space = {"tasks.it.head": ["linear", "logistic"], "train.interpolation": [1.0, 0.5]}
    found = sibu.search(recipe_of(tiny_model, tmp_path, space=space, trials=6), out=tmp_path / "study")
    done = [trial["values"] for trial in found["trials"] if trial["state"] == "complete"]
    assert {"tasks.it.head": "logistic", "train.interpolation": 0.5} in done
    assert {"tasks.it.head": "linear", "train.interpolation": 0.5} not in done


def test_values_that_the_data_cannot_have_are_told_before_anything_is_tried(tiny_model: Path, tmp_path: Path) -> None:
    recipe = recipe_of(tiny_model, tmp_path, space={"tasks.it.data.shots": [2, 5000]})
    own = recipe["tasks"]["it"]["data"]
    with pytest.raises(RecipeError, match=r"shots: 2 cannot be: no dev is held out then\. Give `data\.dev`") as told:
        sibu.search(recipe, out=tmp_path / "study")
    assert "5000 cannot be: no dev is held out then" in str(told.value)
    own["dev"] = own["test"]
    recipe["tasks"]["it"]["data"] = {key: value for key, value in own.items() if key != "test"}
    with pytest.raises(
        RecipeError, match=r"shots: 5000 cannot be: 2 labels of 2 .* have fewer than 5000 rows\. Lower it to 19"
    ):
        sibu.search(recipe, out=tmp_path / "study")
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize("method", ["probe", "full"])
def test_runs_without_a_step_have_a_score_too(method: str, tiny_model: Path, tmp_path: Path) -> None:
    recipe = recipe_of(tiny_model, tmp_path, space={"tasks.it.head": ["logistic", "neighbours"]}, trials=3)
    recipe["train"] |= {"epochs": 0} if method == "full" else {}
    found = sibu.search(recipe | {"method": method}, ["tasks.it.head=prototypes"], out=tmp_path / "study")
    assert {trial["state"] for trial in found["trials"]} == {"complete"}
    for trial in found["trials"]:
        out = tmp_path / f"out-{trial['number']}"
        head = trial["values"]["tasks.it.head"]
        own = sibu.run(recipe | {"method": method, "search": None}, [f"tasks.it.head={head}"], out=out)
        metrics = json.loads((own / "metrics.json").read_text())
        assert trial["score"] == metrics["it"]["dev"]["accuracy"]["value"]


def test_labels_in_words_are_searched_without_a_training_row(tiny_model: Path, tmp_path: Path) -> None:
    recipe = recipe_of(tiny_model, tmp_path, space={"tasks.it.head.scale": [5.0, 50.0]}, trials=2)
    own = recipe["tasks"]["it"]
    own |= {"data": {"dev": own["data"]["test"]}, "labels": ["billing", "appointment"], "head": {"name": "labels"}}
    found = sibu.search(recipe, ["train.epochs=0"], out=tmp_path / "study")
    assert all(0 < trial["score"] <= 1 for trial in found["trials"])


def test_what_was_tried_is_not_trained_again(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sibu.pipeline.search as place

    through, asked = place._score, []

    def score(*words: object) -> float:
        asked.append(json.dumps(words[2]))
        return through(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(place, "_score", score)
    recipe = recipe_of(tiny_model, tmp_path, space={"train.seed": [1, 2]}, trials=5, prune=False)
    found = sibu.search(recipe, out=tmp_path / "study")
    assert len(found["trials"]) == 5
    assert len(asked) == len(set(asked)) <= 3  # the recipe as it is, and each value once
    scores = {(trial["values"]["train.seed"], trial["score"]) for trial in found["trials"]}
    assert len(scores) == len(asked) - 1


def test_keys_that_no_trial_learns_by_are_refused(tiny_model: Path, tmp_path: Path) -> None:
    recipe = recipe_of(tiny_model, tmp_path, space={"search.trials": [1, 2], "name": ["a", "b"], "train.epochs": [1]})
    with pytest.raises(RecipeError) as told:
        sibu.search(recipe, out=tmp_path / "study")
    where = [fault.where for fault in told.value.faults]
    assert where == ["search.space.search.trials", "search.space.name"]
    assert "says nothing of what one trial learns" in str(told.value)


FAULTS = {
    "nothing": ({"search": None}, "nothing says what is to be tried"),
    "order": ({"search": {"space": {"train.epochs": {"low": 3, "high": 1}}}}, "`low` must be less than `high`"),
    "log": (
        {"search": {"space": {"train.epochs": {"low": 0, "high": 1, "log": True}}}},
        "with `log` the `low` is above 0",
    ),
    "folds": ({"folds": 2}, "folds: cannot go with a search, which compares trials by one dev"),
    "repeats": ({"repeats": 2}, "cannot go with a search: every trial has one seed"),
    "key": ({"search": {"spce": {}}}, r"no such key\. Did you mean 'space'"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_cannot_be_is_told(name: str, tiny_model: Path, tmp_path: Path) -> None:
    change, said = FAULTS[name]
    with pytest.raises(SibuError, match=said):
        sibu.search(recipe_of(tiny_model, tmp_path) | change, out=tmp_path / "study")


def test_whole_numbers_so_far_apart_are_whole(tiny_model: Path, tmp_path: Path) -> None:
    recipe = recipe_of(tiny_model, tmp_path, space={"train.max_steps": {"low": 2, "high": 8, "step": 3}}, trials=3)
    found = sibu.search(recipe, out=tmp_path / "study")
    assert {trial["state"] for trial in found["trials"]} <= {"complete", "pruned"}
    assert {trial["values"]["train.max_steps"] for trial in found["trials"]} <= {2, 5, 8}


def test_dev_must_be_held_out(tiny_model: Path, tmp_path: Path) -> None:
    recipe = recipe_of(tiny_model, tmp_path)
    recipe["tasks"]["it"]["data"] = recipe["tasks"]["it"]["data"] | {"shots": 4}
    with pytest.raises(RecipeError, match="chooses by dev, and with `shots` none is held out"):
        sibu.search(recipe, out=tmp_path / "study")


def test_trials_that_all_fail(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sibu.pipeline.search as place

    through = place._score

    def score(*words: object) -> float:
        if words[3] is None:
            return through(*words)  # type: ignore[arg-type]
        raise RunStopped("no.")

    monkeypatch.setattr(place, "_score", score)
    with pytest.raises(RunStopped, match=r"No trial of 4 came to an end: no\."):
        sibu.search(recipe_of(tiny_model, tmp_path), out=tmp_path / "study")


def test_without_optuna_the_pip_line_is_told(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtra, match=r"`sibu search` needs the package 'optuna'.*sibu\[search\]"):
        sibu.search(recipe_of(tiny_model, tmp_path), out=tmp_path / "study")
