"""Several runs as one bundle: the mean of what their models say, or of their weights."""

import json
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

import sibu
from sibu.cli import app
from sibu.core.errors import BundleError, RecipeError
from sibu.core.protocols import WindowOutput
from sibu.core.result import Prediction
from sibu.core.text import Window
from sibu.pipeline.labelling import look_at
from sibu.pipeline.predict import voices_of
from sibu.pipeline.progress import Silent
from sibu.tasks import TASKS
from tests.conftest import intent_rows, write_jsonl
from tests.pipeline.test_resume import Stop, stop_at
from tests.tiny_tasks import tiny_recipe

WINDOW = Window([0], [0], [0], [0], [])
TEXTS = ["please book the appointment", "pay my bill", "我要预约", "账单", "the of to"]
INPUTS = {
    "classify": TEXTS,
    "classify, several labels": ["my pain and fever", "cough", "the of to", "头痛"],
    "regress": [{"text": "good good bad", "text_pair": "film"}, {"text": "好", "text_pair": "film"}],
    "tag": ["take aspirin for my cough", "我头痛发烧", "the of to"],
    "extract": [
        {"question": "where john works", "context": "john works at paris . " + "the of " * 60 + "london"},
        {"question": "他在哪", "context": "他在北京上海。"},
    ],
    "relate": [{"text": "john works at acme", "entities": [{"start": 0, "end": 4}, {"start": 14, "end": 18}]}],
}


def recipe_of(task: str, method: object, model: Path, home: Path, **train: object) -> dict:
    return tiny_recipe(task, method, model, home, learning_rate=3e-3, **train)


def pair(task: str, model: Path, home: Path) -> Path:
    """An ensemble of two on a task's tiny data, made once."""
    recipe = recipe_of(task, "full", model, home) | {"repeats": 2, "ensemble": True}
    return sibu.run(recipe, out=home / "pair" / task, resume=True)


def metrics_of(bundle: Path) -> dict:
    return json.loads((bundle / "metrics.json").read_text())["it"]


def record_of(bundle: Path) -> dict:
    return json.loads((bundle / "record.json").read_text())


def with_dev(recipe: dict) -> dict:
    """With the test file's rows as a dev file."""
    own = recipe["tasks"]["it"]
    data = own["data"] | {"dev": str(Path(own["data"]["test"]).with_name("dev.jsonl"))}
    Path(data["dev"]).write_text(Path(own["data"]["test"]).read_text().replace('"text": "', '"text": "want '))
    return recipe | {"tasks": {"it": own | {"data": data}}}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ensemble")


@pytest.fixture(scope="module")
def three(home: Path, tiny_model: Path) -> Path:
    return sibu.run(recipe_of("classify", "full", tiny_model, home) | {"repeats": 3, "ensemble": True}, out=home / "3")


@pytest.fixture(scope="module")
def alone(home: Path, tiny_model: Path) -> list[Path]:
    recipe = recipe_of("classify", "full", tiny_model, home)
    return [sibu.run(recipe, [f"train.seed={seed}"], out=home / f"seed-{seed}") for seed in (13, 14, 15)]


# ---- answers --------------------------------------------------------------------------------------------------------


def test_it_answers_by_the_mean_of_its_members(three: Path, alone: list[Path]) -> None:
    own = [sibu.load(bundle).predict(TEXTS) for bundle in alone]
    for place, together in enumerate(sibu.load(three).predict(TEXTS)):
        said = [predictions[place] for predictions in own]
        for label, chance in together.scores.items():
            assert chance == pytest.approx(fmean(each.scores[label] for each in said), abs=2e-6)
        (spread,) = [each for each in together.evidence if each.kind == "members"]
        assert spread.content == {"agree": round(fmean(each.value == together.value for each in said), 6)}


def test_numbers_are_averaged(tiny_model: Path, home: Path) -> None:
    recipe = recipe_of("regress", "full", tiny_model, home)
    bundle = sibu.run(recipe | {"repeats": 2, "ensemble": True}, out=home / "numbers")
    own = [
        sibu.load(sibu.run(recipe, [f"train.seed={seed}"], out=home / f"number-{seed}")).predict(INPUTS["regress"])
        for seed in (13, 14)
    ]
    for together, *said in zip(sibu.load(bundle).predict(INPUTS["regress"]), *own, strict=True):
        assert together.value == pytest.approx(fmean(each.value for each in said), abs=2e-6)
        deviation = together.evidence[0].content["deviation"]
        assert deviation == pytest.approx(stdev(each.value for each in said), abs=2e-6)


def test_few_rows_of_numbers_have_other_units(tiny_model: Path, home: Path) -> None:
    recipe = recipe_of("regress", "full", tiny_model, home)
    own = recipe["tasks"]["it"]
    recipe["tasks"] = {"it": own | {"data": own["data"] | {"shots": 8}}}
    bundle = sibu.run(recipe | {"repeats": 2, "ensemble": True}, out=home / "units")
    states = [json.loads((bundle / part / "labels.json").read_text())["it"] for part in (".", "members/2")]
    assert states[0]["mean"] != states[1]["mean"]
    said = [
        sibu.load(sibu.run(recipe, [f"train.seed={seed}"], out=home / f"unit-{seed}")).predict(INPUTS["regress"])
        for seed in (13, 14)
    ]
    together = sibu.load(bundle).predict(INPUTS["regress"])
    for place, each in enumerate(together):
        assert each.value == pytest.approx(fmean(one[place].value for one in said), abs=2e-6)


@pytest.mark.parametrize("task", list(INPUTS))
def test_members_that_are_alike_answer_as_one(task: str, tiny_model: Path, home: Path) -> None:
    """Whatever the task, the mean of one and the same is that one."""
    from sibu.pipeline.assemble import Ensemble, members_of
    from sibu.pipeline.predict import answers
    from sibu.pipeline.write import open_bundle

    opened = open_bundle(sibu.run(recipe_of(task, "full", tiny_model, home), out=home / "one" / task, resume=True))
    (member,) = members_of(opened.model)
    state = {"it": opened.tasks["it"].state}
    several = Ensemble([member, member, member], [state, state, state])
    rows = [{"text": row} if isinstance(row, str) else row for row in INPUTS[task]]
    rows = [
        row | {"entities": [e | {"label": ""} for e in row["entities"]]} if "entities" in row else row for row in rows
    ]
    one = answers(opened.model, "it", opened.tasks["it"], opened.text, rows)
    together = answers(several, "it", opened.tasks["it"], opened.text, rows, spread=True)
    for left, right in zip(one, together, strict=True):
        assert left.value == pytest.approx(right.value, abs=2e-6) if task == "regress" else _near(left, right)
        content = right.evidence[-1].content
        assert content.get("agree", 1) == 1
        assert content.get("deviation", 0) == 0
        assert content.get("each", []) == [1.0] * len(content.get("each", []))


def _near(one: Prediction, two: Prediction) -> bool:
    def bare(value: object) -> object:
        return [{k: v for k, v in e.items() if k != "score"} if isinstance(e, dict) else e for e in value]

    alike = bare(one.value) == bare(two.value) if isinstance(one.value, list) else one.value == two.value
    return alike and (one.score is None or one.score == pytest.approx(two.score, abs=2e-6))


@pytest.mark.parametrize("task", ["classify, several labels", "tag", "extract", "relate"])
def test_every_task_with_a_head(task: str, tiny_model: Path, home: Path) -> None:
    bundle, data = pair(task, tiny_model, home), recipe_of(task, "full", tiny_model, home)["tasks"]["it"]["data"]
    model = sibu.load(bundle)
    assert list(metrics_of(bundle)) == ["test"]
    assert {n: s.as_json() for n, s in model.evaluate(data["test"]).scores.items()} == (metrics_of(bundle)["test"])
    for each in model.predict(INPUTS[task]):
        (spread,) = [e for e in each.evidence if e.kind == "members"]
        assert spread.content["agree"] in (0.0, 0.5, 1.0)
        if isinstance(each.value, list):
            assert len(spread.content["each"]) == len(each.value)


def test_tags_come_from_mean_probabilities(tiny_model: Path, home: Path) -> None:
    from sibu.pipeline.predict import outputs_of
    from sibu.pipeline.write import open_bundle

    opened = open_bundle(pair("tag", tiny_model, home))
    task, rows = opened.tasks["it"], [{"text": text} for text in INPUTS["tag"]]
    voices = voices_of(opened.model, "it", task, opened.text, rows)
    together = outputs_of(opened.model, "it", task, opened.text, rows)
    for place in range(len(rows)):
        one, two = (task.chances(voice[place]) for voice in voices)
        assert not np.allclose(one, two)
        assert task.chances(together[place]) == pytest.approx((one + two) / 2, abs=1e-9)


def test_places_come_from_mean_probabilities() -> None:
    spec = TASKS["extract"].spec()
    task = TASKS.of(spec).build(spec, {"no_answer": True})
    window = Window([0] * 5, [0, 1, 2, 2, 0], [0] * 5, [0] * 5, [])
    draw = np.random.default_rng(1)
    said = [WindowOutput(window, draw.normal(size=(5, 2)).astype(np.float32)) for _ in range(3)]
    may = [0, 2, 3]

    def chances(output: WindowOutput) -> np.ndarray:
        powers = np.exp(output.logits[may].astype(np.float64))
        return powers / powers.sum(0)

    assert chances(task.combine(said)) == pytest.approx(np.mean([chances(each) for each in said], 0), abs=1e-9)
    assert task.combine(said[:1]).logits == pytest.approx(said[0].logits, abs=1e-6)  # its scale stays


def test_labels_of_several_are_given_by_mean_probability() -> None:
    spec = TASKS["classify"].spec(multi_label=True, labels=("a", "b"))
    task = TASKS.of(spec).build(spec, {"labels": ["a", "b"], "multi_label": True, "counts": {}, "pairs": None})
    said = [WindowOutput(WINDOW, np.array(logits, np.float32)) for logits in ([800.0, -2.0], [-800.0, 3.0])]
    scores = task.decode({}, [[task.combine(said)]]).scores
    assert scores["a"] == 0.5
    assert scores["b"] == pytest.approx((1 / (1 + np.exp(2)) + 1 / (1 + np.exp(-3))) / 2, abs=1e-6)


def test_numbers_are_averaged_within_their_bounds() -> None:
    spec = TASKS["regress"].spec(bounds=(0.0, 5.0))
    task = TASKS.of(spec).build(spec, {"mean": 2.0, "deviation": 2.0, "pairs": "none"})
    said = [WindowOutput(WINDOW, np.array([logit], np.float32)) for logit in (4.0, 0.5)]
    assert task.decode({}, [[task.combine(said)]]).value == (5.0 + 3.0) / 2
    other = task.adopt(said[1], {"mean": 1.0, "deviation": 4.0})
    assert task.decode({}, [[other]]).value == 0.5 * 4.0 + 1.0


# ---- the bundle -----------------------------------------------------------------------------------------------------


def test_the_bundle_is_that_of_the_first_with_the_others_inside(three: Path, alone: list[Path]) -> None:
    about = json.loads((three / "bundle.json").read_text())
    assert about["ensemble"] == 3
    assert (three / "heads.safetensors").read_bytes() == (alone[0] / "heads.safetensors").read_bytes()
    for number, own in ((2, alone[1]), (3, alone[2])):
        home = three / "members" / str(number)
        names = {path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()}
        assert names == {"heads.safetensors", "model/config.json", "model/model.safetensors"}
        for name in ("heads.safetensors", "model/model.safetensors"):
            assert (home / name).read_bytes() == (own / name).read_bytes()
            assert f"members/{number}/{name}" in about["files"]


def test_its_figures_are_its_own(three: Path, alone: list[Path], home: Path) -> None:
    metrics, record = metrics_of(three), record_of(three)
    assert list(metrics) == ["test"]  # each member's dev rows were learned by the others
    report = sibu.load(three).evaluate(home / "classify" / "test.jsonl")
    assert {name: score.as_json() for name, score in report.scores.items()} == metrics["test"]
    runs = record["repeats"]["runs"]
    for own, bundle in zip(runs, alone, strict=True):
        for split, scores in metrics_of(bundle).items():
            assert own["metrics"]["it"][split] == {name: score["value"] for name, score in scores.items()}
    assert record["ensemble"]["by"] == "probabilities"
    assert [each["seed"] for each in record["ensemble"]["members"]] == [13, 14, 15]


def test_it_opens_to_the_same_bits(three: Path) -> None:
    one, two = (sibu.load(three).predict(TEXTS) for _ in range(2))
    assert one == two
    again = json.dumps([each.as_json() for each in one])
    assert '"kind": "members"' in again


def test_the_same_recipe_gives_the_same_ensemble(three: Path, home: Path, tiny_model: Path, tmp_path: Path) -> None:
    recipe = recipe_of("classify", "full", tiny_model, home) | {"repeats": 3, "ensemble": True}
    again = sibu.run(recipe, out=tmp_path / "again")
    for file in sorted(path.relative_to(three) for path in three.rglob("*.safetensors")):
        assert (again / file).read_bytes() == (three / file).read_bytes(), file
    assert (again / "metrics.json").read_bytes() == (three / "metrics.json").read_bytes()
    assert sibu.run(recipe, out=again, resume=True) == again
    with pytest.raises(RecipeError, match="ensemble changed since"):
        sibu.run(recipe, ["ensemble=false"], out=three, resume=True)


def test_a_changed_member_is_found(three: Path, tmp_path: Path) -> None:
    import shutil

    copy = Path(shutil.copytree(three, tmp_path / "copy"))
    file = copy / "members" / "2" / "heads.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(BundleError, match=r"members/2/heads\.safetensors was changed"):
        sibu.load(copy)


def test_show_and_pages_say_what_it_is(three: Path) -> None:
    said = "an ensemble of 3 runs (seeds 13, 14, 15), which answers by the mean of its members' answers"
    shown = CliRunner().invoke(app, ["show", str(three)])
    assert f"it is {said}" in shown.stdout
    card = (three / "README.md").read_text()
    assert f"It is {said}" in card
    assert "it has no figures on dev" in card
    report = (three / "report.html").read_text()
    assert "an ensemble of 3 runs" in report
    assert "training loss by step" in report


@pytest.mark.parametrize("method", ["lora", "adapter"])
def test_adapters_share_their_base(method: str, tiny_model: Path, home: Path, tmp_path: Path) -> None:
    recipe = recipe_of("classify", method, tiny_model, home)
    bundle = sibu.run(recipe | {"repeats": 2, "ensemble": True}, out=tmp_path / "two")
    names = {path.relative_to(bundle).as_posix() for path in (bundle / "members").rglob("*") if path.is_file()}
    assert not [name for name in names if "/model/" in name]
    parts = {"members/2/adapter/adapter_config.json", "members/2/adapter/adapter_model.safetensors"}
    assert names == {"members/2/heads.safetensors"} | (parts if method == "lora" else set())
    own = [
        sibu.load(sibu.run(recipe, [f"train.seed={seed}"], out=tmp_path / f"{seed}")).predict(TEXTS)
        for seed in (13, 14)
    ]
    for place, together in enumerate(sibu.load(bundle).predict(TEXTS)):
        mean = fmean(said[place].scores["billing"] for said in own)
        assert together.scores["billing"] == pytest.approx(mean, abs=2e-6)


@pytest.mark.parametrize("head", ["linear", "neighbours"])
def test_a_frozen_encoder_is_there_once(head: str, tiny_model: Path, home: Path, tmp_path: Path) -> None:
    from sibu.pipeline.assemble import members_of
    from sibu.pipeline.write import open_bundle

    recipe = recipe_of("classify", "probe", tiny_model, home) | {"repeats": 2, "ensemble": True}
    recipe["tasks"] = {"it": recipe["tasks"]["it"] | {"head": head}}
    bundle = sibu.run(recipe, out=tmp_path / "two")
    assert [path.name for path in (bundle / "members" / "2").iterdir()] == ["heads.safetensors"]
    one, two = members_of(open_bundle(bundle).model)
    assert one.encoders["text"] is two.encoders["text"]
    assert (
        sibu.load(bundle).evaluate(home / "classify" / "test.jsonl").scores["accuracy"].value
        == (metrics_of(bundle)["test"]["accuracy"]["value"])
    )


# ---- folds, resuming, few rows --------------------------------------------------------------------------------------


def test_folds_are_a_committee(tiny_model: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = recipe_of("classify", "full", tiny_model, home, checkpoint_every=1) | {"folds": 2, "ensemble": True}
    whole = sibu.run(recipe, out=tmp_path / "whole")
    record = record_of(whole)
    assert list(metrics_of(whole)) == ["test"]
    assert set(record["folds"]["over"]["it"]) == {"dev", "test"}
    assert [each["fold"] for each in record["ensemble"]["members"]] == [0, 1]
    calls = [0]
    from sibu.pipeline import repeats

    real = repeats._run

    def stopping(*given: object, **named: object) -> object:
        calls[0] += 1
        if calls[0] == 2:
            stop_at(1, monkeypatch)
        return real(*given, **named)

    monkeypatch.setattr(repeats, "_run", stopping)
    with pytest.raises(Stop):
        sibu.run(recipe, out=tmp_path / "out")
    monkeypatch.undo()
    assert (tmp_path / "out.repeats" / "fold-0" / "bundle.json").is_file()
    again = sibu.run(recipe, out=tmp_path / "out", resume=True)
    for file in sorted(path.relative_to(whole) for path in whole.rglob("*.safetensors")):
        assert (again / file).read_bytes() == (whole / file).read_bytes(), file
    assert metrics_of(again) == metrics_of(whole)
    assert not (tmp_path / "out.repeats").exists()


def test_it_stops_while_joining_and_goes_on(
    tiny_model: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = recipe_of("classify", "full", tiny_model, home) | {"repeats": 2, "ensemble": True}
    from sibu.pipeline import ensemble

    def broken(*_: object) -> None:
        raise Stop

    monkeypatch.setattr(ensemble, "_finish", broken)
    with pytest.raises(Stop):
        sibu.run(recipe, out=tmp_path / "out")
    monkeypatch.undo()
    assert not (tmp_path / "out").exists()
    assert (
        json.loads((sibu.run(recipe, out=tmp_path / "out", resume=True) / "bundle.json").read_text())["ensemble"] == 2
    )


def test_a_dev_file_is_reported(tiny_model: Path, home: Path, tmp_path: Path) -> None:
    recipe = with_dev(recipe_of("classify", "full", tiny_model, home)) | {"repeats": 2, "ensemble": True}
    bundle = sibu.run(recipe, ["release={it.dev.accuracy: {at_least: 0.0}}"], out=tmp_path / "out")
    assert set(metrics_of(bundle)) == {"dev", "test"}


def test_conditions_hold_for_all_together(tiny_model: Path, home: Path, tmp_path: Path) -> None:
    from sibu.core.errors import ReleaseMissed

    recipe = recipe_of("classify", "full", tiny_model, home) | {"repeats": 2, "ensemble": True}
    with pytest.raises(ReleaseMissed, match=r"it\.accuracy on test") as fault:
        sibu.run(recipe, ["release={it.accuracy: {at_most: 0.0}}"], out=tmp_path / "out")
    (missed,) = json.loads((fault.value.bundle / "bundle.json").read_text())["release"]["missed"]
    assert f"{metrics_of(tmp_path / 'out')['test']['accuracy']['value']:.4f} is more" in missed


def test_few_rows_may_lack_what_others_have(tiny_model: Path, home: Path, tmp_path: Path) -> None:
    recipe = recipe_of("extract", "full", tiny_model, home) | {"repeats": 4, "ensemble": True}
    own = recipe["tasks"]["it"]
    recipe["tasks"] = {"it": own | {"data": own["data"] | {"shots": 4}}}
    with pytest.raises(RecipeError, match=r"members of it differ in `no_answer`: with seed 13.*Raise `tasks\.it\.data"):
        sibu.run(recipe, out=tmp_path / "out")
    assert not (tmp_path / "out.repeats" / "seed-13").exists()
    recipe["tasks"]["it"]["no_answer"] = True
    recipe["repeats"] = 2
    bundle = sibu.run(recipe, out=tmp_path / "out", force=True)
    assert json.loads((bundle / "bundle.json").read_text())["ensemble"] == 2


# ---- what reads a bundle --------------------------------------------------------------------------------------------


def test_an_ensemble_is_no_model_of_another_run(three: Path, tiny_model: Path, home: Path) -> None:
    with pytest.raises(RecipeError, match=r"'.*3' is an ensemble of 3 models.*`ensemble: soup`.*without `ensemble`"):
        sibu.check(recipe_of("classify", "full", three, home))


@pytest.mark.parametrize("by", ["margin", "bald", "core_set"])
def test_rows_are_chosen(by: str, three: Path, tmp_path: Path) -> None:
    pool = write_jsonl(tmp_path / "pool.jsonl", [{"text": row["text"]} for row in intent_rows(20, seed=7)])
    assert sibu.label(three, pool, tmp_path / "todo.jsonl", count=4, by=by)["chosen"] == 4


def test_its_members_are_the_variants(three: Path, alone: list[Path], home: Path) -> None:
    """BALD asks the members, not dropout: their probabilities are those of the runs alone."""
    from sibu.pickers import PICKERS
    from sibu.pipeline.labelling import inputs_of
    from sibu.pipeline.write import open_bundle

    spec = PICKERS.spec("bald")
    opened = open_bundle(three)
    rows = inputs_of(opened, "it", [str(home / "classify" / "test.jsonl")], Silent())
    pool = look_at(opened, "it", rows, PICKERS.of(spec).build(spec), None, seed=1, progress=Silent())
    texts = [row["text"] for row in rows]
    for number, bundle in enumerate(alone):
        said = [each.scores["billing"] for each in sibu.load(bundle).predict(texts)]
        assert [draw[number, 0, 1] for draw in pool.draws] == pytest.approx(said, abs=2e-6)


def test_it_answers_otherwise(home: Path, tiny_model: Path) -> None:
    bundle = sibu.load(pair("classify, several labels", tiny_model, home))
    assert bundle.answering("threshold=0.001").predict("my pain").value == ["cough", "fever", "pain"]


# ---- recipes that cannot be -----------------------------------------------------------------------------------------


def test_what_cannot_be_joined(tiny_model: Path, tiny_writer: Path, home: Path) -> None:
    recipe = recipe_of("classify", "full", tiny_model, home)
    with pytest.raises(RecipeError, match=r"ensemble: joins several runs, and the recipe has one\. Say `repeats: 5`"):
        sibu.check(recipe | {"ensemble": True})
    two = {"repeats": 2, "ensemble": True}
    with pytest.raises(RecipeError, match=r"it \(generate\) is answered in words.*`ensemble: soup`"):
        sibu.check(recipe_of("generate", "full", tiny_writer, home) | two)
    with pytest.raises(RecipeError, match=r"it \(classify\) is answered in words"):
        sibu.check(recipe_of("classify, written", "full", tiny_writer, home) | two)
    with pytest.raises(RecipeError, match=r"it \(mask\) is answered in words"):
        sibu.check(recipe_of("mask", "full", tiny_model, home) | two)
    with pytest.raises(RecipeError, match=r"release\.it\.dev\.accuracy: is on dev.*or a test file"):
        sibu.check(recipe | two | {"release": {"it.dev.accuracy": {"at_least": 0.5}}})
    with pytest.raises(RecipeError, match=r"ensemble: must be true or false, or .*'soup'.*given \"stew\""):
        sibu.check(recipe | {"repeats": 2, "ensemble": "stew"})


def test_what_cannot_be_a_soup(tiny_model: Path, home: Path) -> None:
    recipe = recipe_of("classify", "full", tiny_model, home)
    soup = {"repeats": 2, "ensemble": "soup"}
    with pytest.raises(RecipeError, match=r"each seed would split another off the training rows of it\. Give `tasks"):
        sibu.check(recipe | soup)
    recipe = with_dev(recipe)
    with pytest.raises(RecipeError, match=r"`lora` leaves as they are\. Choose one of full, freeze, bitfit"):
        sibu.check(recipe | soup | {"method": "lora"})
    with pytest.raises(RecipeError, match="those of a new model are random"):
        sibu.check(recipe | soup | {"model": {"new": "causal"}})
    fitted = recipe["tasks"]["it"] | {"head": "prototypes"}
    with pytest.raises(RecipeError, match="the head `prototypes` of it is fitted"):
        sibu.check(recipe | soup | {"tasks": {"it": fitted}})
    with pytest.raises(RecipeError, match="`soup` chooses by one dev, and each fold has another"):
        sibu.check(recipe_of("classify", "full", tiny_model, home) | {"folds": 2, "ensemble": "soup"})


# ---- soup -----------------------------------------------------------------------------------------------------------


def test_a_soup_is_one_model_of_mean_weights(tiny_model: Path, home: Path, tmp_path: Path) -> None:
    recipe = with_dev(recipe_of("classify", "full", tiny_model, home, epochs=1))
    bundle = sibu.run(recipe | {"repeats": 3, "ensemble": "soup"}, out=tmp_path / "soup")
    assert not (bundle / "members").exists()
    assert "ensemble" not in json.loads((bundle / "bundle.json").read_text())
    record = record_of(bundle)
    used = [each["seed"] for each in record["ensemble"]["members"]]
    assert len(used) > 1
    own = {each["seed"]: each["metrics"]["it"]["dev"]["accuracy"] for each in record["repeats"]["runs"]}
    assert own[used[0]] == max(own.values())
    dev = metrics_of(bundle)["dev"]["accuracy"]["value"]
    assert dev == record["ensemble"]["dev"] >= max(own.values())
    seeds = [sibu.run(recipe, [f"train.seed={seed}"], out=tmp_path / f"{seed}") for seed in used]
    for file in ("model/model.safetensors", "heads.safetensors"):
        found, parts = load_file(bundle / file), [load_file(seed / file) for seed in seeds]
        for name, weight in found.items():
            assert torch.allclose(weight, torch.stack([part[name] for part in parts]).mean(0), atol=1e-6), name
    shown = CliRunner().invoke(app, ["show", str(bundle)]).stdout
    assert f"it is a soup: one model, whose weights are the mean of those of {len(used)} of 3 runs (seeds" in shown
    assert (
        sibu.load(bundle).evaluate(recipe["tasks"]["it"]["data"]["test"]).scores["accuracy"].value
        == (metrics_of(bundle)["test"]["accuracy"]["value"])
    )
    assert sibu.run(recipe | {"repeats": 3, "ensemble": "soup"}, out=bundle, resume=True) == bundle
    assert sibu.check(recipe | {"model": str(bundle)}).sound


def test_a_writer_can_be_a_soup(tiny_writer: Path, home: Path, tmp_path: Path) -> None:
    recipe = recipe_of("generate", "full", tiny_writer, home)
    own = recipe["tasks"]["it"]
    recipe["tasks"] = {"it": own | {"data": own["data"] | {"dev": own["data"]["test"]}}}
    recipe["tasks"]["it"]["data"].pop("test")
    bundle = sibu.run(recipe | {"repeats": 2, "ensemble": "soup"}, out=tmp_path / "soup")
    assert record_of(bundle)["ensemble"]["by"] == "weights"
    assert isinstance(sibu.load(bundle).predict("my pain").value, str)
