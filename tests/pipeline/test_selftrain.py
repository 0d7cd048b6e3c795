"""Texts that a model labels for the next one."""

import json
from pathlib import Path

import pytest
import yaml

import sibu
from sibu.core.errors import DataError, RecipeError, SibuError
from sibu.pipeline.progress import Silent
from sibu.pipeline.selftrain import _balanced, _Sure, sure_rows
from sibu.recipe.schema import SelfTraining
from tests.command import sibu_here
from tests.conftest import entity_rows, intent_rows, write_jsonl
from tests.pipeline.test_resume import Stop, stop_at
from tests.tiny_tasks import tiny_recipe


def recipe_of(task: str, model: Path, folder: Path, **options: object) -> dict:
    """A tiny recipe with unlabelled texts."""
    recipe = tiny_recipe(task, "full", model, folder, epochs=2)
    rows = {"classify": intent_rows, "tag": entity_rows}[task](30, seed=5)
    write_jsonl(folder / "pool.jsonl", [{"id": row["id"], "text": row["text"]} for row in rows])
    own = recipe["tasks"]["it"]
    own["data"] = own["data"] | {"unlabelled": str(folder / "pool.jsonl")}
    return recipe | {"self_training": {"threshold": 0.3, **options}}


@pytest.mark.parametrize("task", ["classify", "tag"])
def test_the_second_model_learns_from_what_the_first_was_sure_of(task: str, tiny_model: Path, tmp_path: Path) -> None:
    recipe = recipe_of(task, tiny_model, tmp_path, balance=False)
    bundle = sibu.run(recipe, out=tmp_path / "out")
    record = json.loads((bundle / "record.json").read_text())
    first, second = record["self_training"]["rounds"]
    assert first["labelled"] == {}
    labelled = sum(second["labelled"]["it"].values())
    assert labelled == 30 if task == "classify" else labelled > 5
    assert record["self_training"]["best"] == int(second["dev"] > first["dev"])
    if record["self_training"]["best"] == 1:
        assert 5 < record["augmented"]["it"]["self_training"] <= 30
    assert not (tmp_path / "out.rounds").exists()
    assert sibu.load(bundle).predict("pay my bill") is not None
    assert sibu.run(recipe, out=bundle, resume=True) == bundle  # finished, and of this very recipe


def test_labels_are_those_the_bundle_would_give(tiny_model: Path, tmp_path: Path) -> None:
    recipe = recipe_of("classify", tiny_model, tmp_path)
    recipe.pop("self_training")
    pool = recipe["tasks"]["it"]["data"].pop("unlabelled")
    opened = sibu.load(sibu.run(recipe, out=tmp_path / "out"))
    texts = [json.loads(line)["text"] for line in Path(pool).read_text().splitlines()]
    answers = dict(zip(texts, opened.predict(texts), strict=True))
    threshold = sorted(answer.score for answer in answers.values())[10]
    options = SelfTraining(threshold=threshold - 6e-7, balance=False)
    found = sure_rows(opened._opened, "it", [pool], options, Silent())
    assert {row["text"]: row["label"] for row in found} == {
        text: answer.value for text, answer in answers.items() if answer.score >= threshold
    }
    scores = [answers[row["text"]].score for row in found]
    assert scores == sorted(scores, reverse=True)
    few = sure_rows(opened._opened, "it", [pool], SelfTraining(threshold=0.01, balance=False, most=3), Silent())
    assert [answers[row["text"]].score for row in few] == sorted((a.score for a in answers.values()), reverse=True)[:3]


def test_unlabelled_files_may_be_of_several_kinds(tiny_model: Path, tmp_path: Path) -> None:
    recipe = recipe_of("classify", tiny_model, tmp_path)
    recipe.pop("self_training")
    pool = Path(recipe["tasks"]["it"]["data"].pop("unlabelled"))
    (tmp_path / "more.csv").write_text("id,text\n1,pay my bill\n")
    opened = sibu.load(sibu.run(recipe, out=tmp_path / "out"))._opened
    options = SelfTraining(threshold=0.01, balance=False)
    found = sure_rows(opened, "it", [str(pool), str(tmp_path / "more.csv")], options, Silent())
    assert len(found) == 31


def test_shares_of_the_labels_are_kept() -> None:
    sure = [_Sure({}, "a", 1 - n / 100) for n in range(40)] + [_Sure({}, "b", 0.5 - n / 100) for n in range(5)]
    kept = _balanced(sure, {"a": 20, "b": 10, "never sure": 70}, None)
    assert [each.label for each in kept].count("a") == 10
    assert [each.label for each in kept].count("b") == 5
    assert [each.chance for each in kept if each.label == "a"] == [1 - n / 100 for n in range(10)]
    few = _balanced(sure, {"a": 20, "b": 10}, 6)
    assert [each.label for each in few] == ["a"] * 4 + ["b"] * 2
    assert _balanced([], {"a": 1}, 6) == []


def test_words_get_tags(tiny_model: Path, tmp_path: Path) -> None:
    recipe = recipe_of("tag", tiny_model, tmp_path, threshold=0.01)
    words = [["take", "药", "for", "fever", str(n)] for n in range(9)]
    write_jsonl(tmp_path / "pool.jsonl", [{"tokens": own} for own in words])
    recipe["tasks"]["it"]["data"] = recipe["tasks"]["it"]["data"] | {"shots": 3}  # the last round is taken
    bundle = sibu.run(recipe, out=tmp_path / "out")
    record = sibu.show(bundle)["record"]
    assert record["augmented"]["it"]["self_training"] == 9
    assert sum(record["self_training"]["rounds"][1]["labelled"]["it"].values()) >= 9
    pool, options = [str(tmp_path / "pool.jsonl")], SelfTraining(threshold=0.01)
    for row in sure_rows(sibu.load(bundle)._opened, "it", pool, options, Silent()):
        assert len(row["tags"]) == len(row["tokens"])
        assert set(row) == {"tokens", "tags"}


def test_a_text_may_hold_other_ends_of_lines(tiny_model: Path, tmp_path: Path) -> None:
    recipe = recipe_of("classify", tiny_model, tmp_path, balance=False, threshold=0.01)
    write_jsonl(tmp_path / "pool.jsonl", [{"text": "my bill\u2028头痛"}, {"text": "to\x85pay"}])
    record = sibu.show(sibu.run(recipe, out=tmp_path / "out"))["record"]
    assert sum(record["self_training"]["rounds"][1]["labelled"]["it"].values()) == 2


def test_texts_that_are_judged_on_teach_nothing(tiny_model: Path, tmp_path: Path) -> None:
    recipe = recipe_of("classify", tiny_model, tmp_path, balance=False, threshold=0.01)
    own = recipe["tasks"]["it"]["data"]
    test = [json.loads(line) for line in Path(own["test"]).read_text().splitlines()]
    train = [json.loads(line) for line in Path(own["train"]).read_text().splitlines()]
    fresh = [{"text": f"{n} a fresh book"} for n in range(4)]
    write_jsonl(Path(own["unlabelled"]), [*fresh, *({"text": row["text"]} for row in [*test, *train])])
    recipe["self_training"] |= {"rounds": 1}
    recipe["tasks"]["it"]["data"] = own | {"shots": 5}  # nothing held out: the last round is taken
    record = sibu.show(sibu.run(recipe, out=tmp_path / "out"))["record"]
    assert record["self_training"]["best"] == 1
    assert record["augmented"]["it"]["self_training"] == 4 + len(train) - 10


def test_known_texts_take_no_place_among_the_most(tiny_model: Path, tmp_path: Path) -> None:
    recipe = recipe_of("classify", tiny_model, tmp_path, balance=False, threshold=0.01, most=2)
    own = recipe["tasks"]["it"]["data"]
    train = [json.loads(line) for line in Path(own["train"]).read_text().splitlines()]
    fresh = [{"text": "the 头痛 of a book"}, {"text": "some bill of old"}, {"text": "The 头痛  of a book"}]
    write_jsonl(Path(own["unlabelled"]), [*({"text": row["text"]} for row in train), *fresh])
    recipe["tasks"]["it"]["data"] = {key: file for key, file in own.items() if key != "dev"} | {"dev_share": 0}
    record = sibu.show(sibu.run(recipe, out=tmp_path / "out"))["record"]
    assert record["augmented"]["it"]["self_training"] == 2
    assert sum(record["self_training"]["rounds"][1]["labelled"]["it"].values()) == 2


@pytest.mark.parametrize("known", [False, True])
def test_where_nothing_is_labelled_no_other_round_is_trained(known: bool, tiny_model: Path, tmp_path: Path) -> None:
    recipe = recipe_of("classify", tiny_model, tmp_path, threshold=0.01 if known else 0.999999, rounds=2)
    own = recipe["tasks"]["it"]["data"]
    if known:
        train = [json.loads(line) for line in Path(own["train"]).read_text().splitlines()]
        write_jsonl(Path(own["unlabelled"]), [{"text": row["text"]} for row in train])
    (tmp_path / "r.yaml").write_text(yaml.safe_dump(recipe))
    done = sibu_here("run", tmp_path / "r.yaml", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    there = f", {len(train)} stand in a split or come twice" if known else ""
    total = len(train) if known else 30
    least = "0.01" if known else "0.999999"
    assert f"it: of {total} texts{there}, 0 are labelled at {least} or more, 0 are taken with" in done.stderr
    assert "self-training: no text was labelled, so that another round would learn the same" in done.stderr
    told = sibu.show(tmp_path / "out")["record"]["self_training"]
    assert [each["round"] for each in told["rounds"]] == [0]
    assert told["best"] == 0


def test_a_round_with_the_labels_of_the_one_before_is_not_trained(tiny_model: Path, tmp_path: Path) -> None:
    recipe = recipe_of("tag", tiny_model, tmp_path, balance=False, threshold=0.01, rounds=3)
    recipe["train"] |= {"learning_rate": 1e-12, "head_learning_rate": 1e-12}  # every round's model says the same
    told = sibu.show(sibu.run(recipe, out=tmp_path / "out"))["record"]["self_training"]
    assert [each["round"] for each in told["rounds"]] == [0, 1]


def test_a_stopped_run_goes_on(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = recipe_of("classify", tiny_model, tmp_path, rounds=2, balance=False)
    recipe["train"] |= {"checkpoint_every": 1}
    whole = sibu.run(recipe, out=tmp_path / "whole")
    stop_at(3, monkeypatch)
    with pytest.raises(Stop):
        sibu.run(recipe, out=tmp_path / "out")
    monkeypatch.undo()
    with pytest.raises(RecipeError, match=r"An unfinished self-training stands at .*out\.rounds\. Go on with --resume"):
        sibu.run(recipe, out=tmp_path / "out")
    again = sibu.run(recipe, out=tmp_path / "out", resume=True)
    for name in ("model/model.safetensors", "heads.safetensors", "metrics.json"):
        assert (whole / name).read_bytes() == (again / name).read_bytes()
    told = [json.loads((each / "record.json").read_text())["self_training"] for each in (whole, again)]
    assert told[0] == told[1]


def test_by_the_command_line(tiny_model: Path, tmp_path: Path) -> None:
    recipe = recipe_of("classify", tiny_model, tmp_path, balance=False)
    (tmp_path / "r.yaml").write_text(yaml.safe_dump(recipe))
    done = sibu_here("run", tmp_path / "r.yaml", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "it: of 30 texts, " in done.stderr
    assert "are taken with these labels" in done.stderr
    assert "self-training: the bundle is that of round" in done.stderr


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"self_training": None}, r"data\.unlabelled.* is not used for anything\. Say how: `self_training: \{\}`"),
        ({"self_training": {"treshold": 0.5}}, r"self_training\.treshold.*no such key\. Did you mean 'threshold'"),
        ({"self_training": {"threshold": 1.5}}, "threshold"),
    ],
)
def test_what_cannot_be_is_told(change: dict, said: str, tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(SibuError, match=said):
        sibu.check(recipe_of("classify", tiny_model, tmp_path) | change)


@pytest.mark.parametrize(
    ("task", "change", "said"),
    [
        ("regress", {}, "for `classify` and `tag`, and it is of type `regress`"),
        ("classify", {"multi_label": True}, "with one label, and it gives several"),
        ("classify", {"written": {}}, "by how sure a head is, and it writes its answers"),
        ("classify, several labels", {}, "labels texts by one label, and the rows of it have several"),
    ],
)
def test_answers_that_cannot_be_labels_are_told_before_a_round_is_trained(
    task: str, change: dict, said: str, tiny_model: Path, tmp_path: Path
) -> None:
    recipe = tiny_recipe(task, "full", tiny_model, tmp_path) | {"self_training": {}}
    write_jsonl(tmp_path / "pool.jsonl", [{"text": "pay my bill"}])
    own = recipe["tasks"]["it"]
    own["data"] = own["data"] | {"unlabelled": str(tmp_path / "pool.jsonl")}
    own |= change
    with pytest.raises(RecipeError, match=said):
        sibu.check(recipe)


def test_texts_that_cannot_be_read_are_told_before_a_round_is_trained(tiny_model: Path, tmp_path: Path) -> None:
    recipe = recipe_of("classify", tiny_model, tmp_path)
    own = recipe["tasks"]["it"]
    rows = [json.loads(line) for line in Path(own["data"]["train"]).read_text().splitlines()]
    write_jsonl(Path(own["data"]["train"]), [{"text": row["text"], "intent": row["label"]} for row in rows])
    write_jsonl(Path(own["data"]["test"]), [{"text": f"{row['text']} 请", "intent": row["label"]} for row in rows[:5]])
    own["fields"] = {"label": "intent"}
    pool = Path(own["data"]["unlabelled"])
    whole = pool.read_text(encoding="utf-8")
    pool.write_text(f'{whole}{{"text": "cut o\n{{"id": 7}}\n{{"text": ["我"]}}\n', encoding="utf-8")
    gate = sibu.check(recipe).gate.as_json()
    assert [fault["row"] for fault in gate["faults"] if fault["severity"] == "error"] == [31, 32, 33]
    with pytest.raises(DataError, match=r"found 3 errors; nothing was trained\.\n(?s:.*)pool\.jsonl:31"):
        sibu.run(recipe, out=tmp_path / "out")
    pool.write_text(whole, encoding="utf-8")
    assert sibu.check(recipe).gate.as_json()["errors"] == 0


def test_nothing_to_label_and_no_file(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path) | {"self_training": {}}
    with pytest.raises(RecipeError, match=r"has nothing to label\. Give texts without labels as `data\.unlabelled`"):
        sibu.check(recipe)
    recipe["tasks"]["it"]["data"] = recipe["tasks"]["it"]["data"] | {"unlabelled": str(tmp_path / "none.jsonl")}
    with pytest.raises(RecipeError, match=r"data\.unlabelled: no file at"):
        sibu.check(recipe)
