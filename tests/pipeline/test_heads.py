"""Heads in a run: no labels at all, few, several tasks, stopped and gone on."""

import json
from pathlib import Path

import pytest
import torch
from torch.nn.functional import normalize

import sibu
from sibu.core.errors import RecipeError, SibuError
from tests.conftest import write_jsonl
from tests.pipeline.test_resume import whole_and_stopped
from tests.tiny_tasks import tiny_recipe
from tests.tiny_values import tiny_mixed


def untaught(model: Path, folder: Path, **more: object) -> dict:
    """A recipe without training data."""
    rows = [{"text": f"{n} good book", "label": "book"} for n in range(6)]
    write_jsonl(folder / "test.jsonl", [*rows, {"text": "北京在上海", "label": "city-name"}])
    task = {"type": "classify", "head": "labels", "labels": ["book", "city-name"], **more}
    data = {"test": str(folder / "test.jsonl")}
    return {"name": "none", "model": str(model), "tasks": {"it": task | {"data": data}}, "train": {"epochs": 0}}


def test_without_a_label_a_text_takes_the_nearest_words(tiny_model: Path, tmp_path: Path) -> None:
    words = {"book": "good book", "city-name": ["北京", "a city"]}
    recipe = untaught(tiny_model, tmp_path, descriptions=words)
    recipe["tasks"]["it"]["head"] = {"name": "labels", "templates": ["{}", "it is {}"], "scale": 10.0}
    bundle = sibu.run(recipe, out=tmp_path / "out")
    assert set(json.loads((bundle / "metrics.json").read_text())["it"]) == {"test"}
    opened = sibu.load(bundle)
    texts = ["good book", "it is good book", "北京", "it is 北京", "a city", "it is a city", "42 pain"]
    from sibu.core.text import TextInput
    from sibu.pipeline.predict import _batch, _Piece

    inner = opened._opened
    vectors = []
    for text in texts:
        source = TextInput(text)
        ((window,),) = inner.text.prepare([source])
        piece = _Piece(0, 0, source, window)
        batch = _batch("it", inner.tasks["it"], inner.text, [piece], [{"text": text}], len(window.input_ids))
        with torch.inference_mode():
            head = inner.model.heads["it"]
            vectors.append(normalize(head.reduce(inner.model.encode(batch.inputs), {}).vectors[0, 0], dim=-1))
    means = torch.stack([normalize(torch.stack(own).mean(0), dim=0) for own in (vectors[:2], vectors[2:6])])
    wanted = (10 * means @ vectors[6]).softmax(-1)
    scores = opened.predict("42 pain").scores
    assert scores is not None
    assert [scores["book"], scores["city-name"]] == pytest.approx(wanted.tolist(), abs=1e-5)


def test_descriptions_alone_are_labels(tiny_model: Path, tmp_path: Path) -> None:
    recipe = untaught(tiny_model, tmp_path, labels=None, descriptions={"book": "good book", "city-name": "北京"})
    assert sibu.load(sibu.run(recipe, out=tmp_path / "out")).predict("good").value in ("book", "city-name")


def test_nothing_to_judge_by_is_fine(tiny_model: Path, tmp_path: Path) -> None:
    recipe = untaught(tiny_model, tmp_path)
    recipe["tasks"]["it"]["data"] = {}
    bundle = sibu.run(recipe, out=tmp_path / "out")
    assert (bundle / "report.html").is_file()
    assert sibu.load(bundle).predict("good").value in ("book", "city-name")


FAULTS = {
    "no epochs": ({}, {"epochs": 2}, r"data\.train.* is missing\. Add it; or say `train\.epochs: 0`"),
    "a layer": ({"head": "linear"}, {}, r"is missing: without it the head would stay random.*`head: labels`"),
    "fitted": ({"head": "logistic"}, {}, r"is missing: without it the head would stay random"),
    "no labels": ({"labels": None}, {}, r"and the labels are not given\. Give `labels` or `descriptions`"),
    "several": ({"multi_label": True}, {}, r"how near a text must be .* say `entailed`, which weighs each"),
    "template": ({"head": {"name": "labels", "templates": ["{text}"]}}, {}, "one `{}` where the label's words go"),
    "strange": (
        {"descriptions": {"boook": "a"}},
        {},
        r"tasks\.it\.descriptions: names 'boook', no label\. Allowed: 'book', 'city",
    ),
    "other task": ({"type": "tag", "head": "neighbours"}, {}, "is for `classify`; other tasks have heads"),
    "near": ({"head": "neighbors"}, {}, r"no head is named 'neighbors'\. Did you mean 'neighbours'"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_cannot_be_is_told(name: str, tiny_model: Path, tmp_path: Path) -> None:
    task, train, words = FAULTS[name]
    recipe = untaught(tiny_model, tmp_path, **task)
    recipe["train"] |= train
    with pytest.raises(SibuError, match=words):
        sibu.check(recipe)


@pytest.mark.parametrize("key", [{"shots": 2}, {"augment": "swap"}])
def test_nothing_is_drawn_of_nothing(key: dict, tiny_model: Path, tmp_path: Path) -> None:
    recipe = untaught(tiny_model, tmp_path)
    recipe["tasks"]["it"]["data"] |= key
    with pytest.raises(RecipeError, match=r"needs training data\. Leave it out, or give `train`"):
        sibu.check(recipe)


def test_few_rows_are_trained_on_to_the_last_step(tiny_model: Path, tmp_path: Path) -> None:
    """Nothing is held out, so nothing is chosen by: the last weights are the run's."""
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path, epochs=3)
    recipe["tasks"]["it"] |= {"head": "logistic", "data": recipe["tasks"]["it"]["data"] | {"shots": 4}}
    record = sibu.show(sibu.run(recipe, out=tmp_path / "out"))["record"]
    assert record["evaluations"] == []
    assert record["steps"]["done"] == record["steps"]["planned"] == record["steps"]["best"] == 3


@pytest.mark.parametrize("head", ["logistic", "neighbours", "labels"])
def test_a_stopped_run_goes_on_to_the_same_bits(
    head: str, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path, epochs=3, checkpoint_every=1)
    recipe["tasks"]["it"]["head"] = head
    whole, again = whole_and_stopped(recipe, 2, tmp_path, monkeypatch)
    for name in ("model/model.safetensors", "heads.safetensors", "metrics.json"):
        assert (whole / name).read_bytes() == (again / name).read_bytes()


@pytest.mark.parametrize("method", ["full", "probe"])
def test_beside_other_tasks(method: str, tiny_model: Path, tmp_path: Path) -> None:
    """One task by pairs, one by a layer, of the same rows; and one of other rows."""
    recipe = tiny_recipe("classify", method, tiny_model, tmp_path)
    one, other = recipe["tasks"]["it"], tiny_recipe("regress", method, tiny_model, tmp_path)["tasks"]["it"]
    recipe["tasks"] = {"pairs": one | {"head": "prototypes"}, "layer": one, "number": other}
    bundle = sibu.run(recipe, out=tmp_path / "out")
    known = json.loads((bundle / "metrics.json").read_text())
    opened = sibu.load(bundle)
    for name in recipe["tasks"]:
        report = opened.evaluate(recipe["tasks"][name]["data"]["test"], task=name)
        assert {metric: score.as_json() for metric, score in report.scores.items()} == known[name]["test"]


def test_a_recipe_of_pictures_that_trains_nothing_is_refused(tmp_path: Path) -> None:
    recipe = tiny_mixed("classify", ("image",), None, tmp_path)
    with pytest.raises(RecipeError, match=r"the heads of it would stay random\. .*`neighbours`\)\.$"):
        sibu.check(recipe, ["train.epochs=0"])
