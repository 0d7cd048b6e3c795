"""Vectors of texts without labels: what a batch holds, what is learned, what comes out, and who begins from it."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tests.conftest import write_jsonl, write_tiny_model
from tests.tiny_tasks import plain_rows, tiny_recipe, twin_rows
from transformers import AutoModel, AutoTokenizer

import sibu
from sibu.core.errors import DataError, RecipeError
from sibu.core.text import Window
from sibu.pipeline import assemble
from sibu.tasks.contrast import ContrastSpec, build
from sibu.tasks.contrast.task import Contrast


def task(rows: list[dict]) -> Contrast:
    found = build(ContrastSpec())
    found.learn(rows)
    return found


@pytest.fixture(scope="module")
def paired(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("paired")
    recipe = tiny_recipe("contrast, pairs", "full", tiny_model, home, epochs=30, learning_rate=1e-3)
    return sibu.run(recipe, out=home / "out")


def scores_of(bundle: Path) -> list[float]:
    record = json.loads((bundle / "record.json").read_text())
    return [found for each in record["evaluations"] for found in each["scores"]["it"].values()]


def test_a_text_comes_with_its_pair_or_once_more() -> None:
    own = task([{"text": "a", "text_pair": "b"}])
    assert [each.text for each in own.inputs({"text": "头痛", "text_pair": "头疼"})] == ["头痛", "头疼"]
    assert [each.text for each in own.inputs({"text": "头痛", "text_pair": "  "})] == ["头痛", "头痛"]
    assert [each.text for each in own.asked({"text": "头痛"})] == ["头痛"]
    assert all(each.pair is None for each in own.inputs({"text": "a", "text_pair": "b"}))


def test_equal_pieces_share_a_number() -> None:
    windows = [Window(ids, [1] * 3, [0] * 3, [1] * 3, []) for ids in ([5, 6, 7], [5, 6, 7], [5, 7, 6])]
    one, same, other = (task([]).targets({}, 0, window, gold=True)["number"] for window in windows)
    assert one == same != other
    assert 0 <= one < 2**31
    assert task([]).targets({}, 0, windows[0], gold=False) == {}


@pytest.mark.parametrize("name", ["contrast", "contrast, pairs"])
def test_what_belongs_together_stands_together_and_differs_by_dropout(
    name: str, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = []
    forward = assemble.Model.forward

    def seen(model: assemble.Model, batch: object) -> dict:
        found = forward(model, batch)  # type: ignore[arg-type]
        if model.training:
            batches.append((batch, found["it"].logits.detach()))
        return found

    monkeypatch.setattr(assemble.Model, "forward", seen)
    recipe = tiny_recipe(name, "full", tiny_model, tmp_path)
    sibu.run(recipe, out=tmp_path / "out")
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    limit = {"truncation": True, "max_length": 64}
    rows = [json.loads(line) for line in Path(recipe["tasks"]["it"]["data"]["train"]).read_text().splitlines()]
    known = {
        tuple(tuple(tokenizer(text, **limit)["input_ids"]) for text in (row["text"], row.get("text_pair", row["text"])))
        for row in rows
    }
    pairs = 0
    for batch, vectors in batches:
        inputs, numbers = batch.inputs["text"], batch.targets["it"]["number"]
        texts = [tuple(ids[mask].tolist()) for ids, mask in zip(inputs["input_ids"], inputs["mask"], strict=True)]
        for place in range(0, len(texts), 2):
            assert (texts[place], texts[place + 1]) in known
            assert (numbers[place] == numbers[place + 1]) == (name == "contrast")
            assert not torch.allclose(vectors[place], vectors[place + 1], atol=1e-3)
            pairs += 1
        for place, number in enumerate(numbers.tolist()):
            assert [each == number for each in numbers.tolist()] == [each == texts[place] for each in texts]
    assert pairs == 36  # of 40 rows a tenth is dev


def test_it_learns_to_find_pairs(paired: Path) -> None:
    told = json.loads((paired / "metrics.json").read_text())["it"]["test"]
    assert set(told) == {"recall_at_1", "uniformity"}
    assert told["recall_at_1"]["value"] > 0.9
    assert told["recall_at_1"]["n"] == 20
    record = json.loads((paired / "record.json").read_text())
    assert record["weights"]["heads"] == 0


def test_without_pairs_vectors_spread(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("contrast", "full", tiny_model, tmp_path, epochs=0)
    before = json.loads((sibu.run(recipe, out=tmp_path / "before") / "metrics.json").read_text())["it"]["test"]
    recipe["train"] |= {"epochs": 10, "learning_rate": 1e-3}
    found = json.loads((sibu.run(recipe, out=tmp_path / "after") / "metrics.json").read_text())["it"]["test"]
    assert set(before) == set(found) == {"uniformity"}
    assert found["uniformity"]["value"] < before["uniformity"]["value"] - 0.1
    assert found["uniformity"]["low"] < found["uniformity"]["value"] < found["uniformity"]["high"]


def test_predictions_are_the_models_own_vectors(paired: Path) -> None:
    texts = ["42 pain doctor", "我在北京头痛", "the doctor " * 80]
    model = AutoModel.from_pretrained(paired / "model", add_pooling_layer=False).eval()
    tokenizer = AutoTokenizer.from_pretrained(paired / "model")
    opened = sibu.load(paired)
    for text in texts:
        encoded = tokenizer(text, return_tensors="pt", truncation=True, max_length=64, return_token_type_ids=False)
        with torch.inference_mode():
            mean = model(**encoded).last_hidden_state[0].mean(0)
        found = opened.predict(text)
        assert found.value == pytest.approx((mean / mean.norm()).tolist(), abs=2e-6)
        assert all(round(number, 6) == number for number in found.value)
        assert found.score is None
        assert not found.evidence
    both = opened.predict({"text": texts[0], "text_pair": texts[1]})
    (pair,) = both.evidence
    assert both.value == pytest.approx(opened.predict(texts[0]).value, abs=2e-6)
    assert pair.content["vector"] == pytest.approx(opened.predict(texts[1]).value, abs=2e-6)
    assert pair.content["similarity"] == pytest.approx(np.dot(both.value, pair.content["vector"]), abs=1e-5)


def test_figures_are_those_of_the_vectors(paired: Path) -> None:
    file = paired.parent / "contrast-pairs" / "test.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    opened = sibu.load(paired)
    texts, pairs = (np.array([opened.predict(row[key]).value for row in rows]) for key in ("text", "text_pair"))
    right = (texts @ pairs.T).argmax(1) == np.arange(len(rows))
    assert opened.evaluate(file).scores["recall_at_1"].value == pytest.approx(right.mean())


def test_a_bundle_without_pairs_is_judged_on_pairs(tiny_model: Path, tmp_path: Path) -> None:
    bundle = sibu.run(tiny_recipe("contrast", "full", tiny_model, tmp_path), out=tmp_path / "out")
    file = write_jsonl(tmp_path / "pairs.jsonl", [*twin_rows(9), {"text": "我头痛"}])
    report = sibu.load(bundle).evaluate(file)
    assert set(report.scores) == {"recall_at_1", "uniformity"}
    assert report.scores["recall_at_1"].value > 0


def test_another_run_begins_from_it(paired: Path, tiny_model: Path, tmp_path: Path) -> None:
    classified = sibu.run(tiny_recipe("classify", "probe", paired, tmp_path), out=tmp_path / "out")
    assert sibu.load(classified).predict("my bill").value in ("appointment", "billing")
    again = sibu.run(tiny_recipe("contrast, pairs", "full", paired, tmp_path, epochs=0), out=tmp_path / "again")
    name = "metrics.json"
    assert json.loads((again / name).read_text())["it"]["test"] == json.loads((paired / name).read_text())["it"]["test"]
    adapted = tiny_recipe("contrast, pairs", "lora", tiny_model, tmp_path)
    adapted["modalities"] = [{"name": "text", "dropout": 0.0}]  # pairs need none
    merged = sibu.run(adapted, out=tmp_path / "lora")
    recipe = tiny_recipe("contrast, pairs", "full", merged, tmp_path, epochs=0)
    vector = sibu.load(sibu.run(recipe, out=tmp_path / "merged")).predict("头痛 pain").value
    assert vector == pytest.approx(sibu.load(merged).predict("头痛 pain").value, abs=1e-5)


def test_beside_a_task_with_labels_of_the_same_texts(tiny_model: Path, tmp_path: Path) -> None:
    """Windows of both are the same, in the same order, but only one of the two wants them in pairs."""
    rows = [{"text": f"{word} {number}", "label": word} for number in range(30) for word in ("pain", "bill")]
    plain = [{"text": one["text"], "text_pair": two["text"]} for one, two in zip(rows[::2], rows[1::2], strict=True)]
    files = {"a": write_jsonl(tmp_path / "a.jsonl", rows), "b": write_jsonl(tmp_path / "b.jsonl", plain)}
    data = {name: {"train": str(file), "dev": str(file)} for name, file in files.items()}
    tasks = {"label": {"type": "classify", "data": data["a"]}, "near": {"type": "contrast", "data": data["b"]}}
    recipe = {"name": "two", "model": str(tiny_model), "tasks": tasks, "train": {"epochs": 1, "batch_tokens": 256}}
    bundle = sibu.run(recipe, out=tmp_path / "out")
    assert json.loads((bundle / "record.json").read_text())["streams"] == ["label", "near"]


def test_frozen_layers_below(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("contrast", {"name": "freeze", "layers": 1}, tiny_model, tmp_path)
    bundle = sibu.run(recipe, out=tmp_path / "out")
    now, before = (load_file(folder / "model.safetensors") for folder in (bundle / "model", tiny_model))
    changed = {name for name in now if not torch.equal(now[name], before[name])}
    assert changed
    assert all(".layer.1." in name for name in changed)


def test_learning_by_pairs_takes_larger_batches(paired: Path, tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("contrast, pairs", "full", tiny_model, tmp_path)
    del recipe["train"]["batch_tokens"]
    assert "batch_tokens: 1024" in (sibu.run(recipe, out=tmp_path / "out") / "recipe.yaml").read_text()


def test_without_dropout_a_text_is_no_pair_of_its_own(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("contrast", "full", tiny_model, tmp_path)
    recipe["modalities"] = [{"name": "text", "dropout": 0.0}]
    with pytest.raises(RecipeError, match=r"read twice .*the text modality's `dropout` is 0\. Say `dropout: 0\.1`"):
        sibu.check(recipe)
    quiet = write_tiny_model(tmp_path / "quiet")
    config = json.loads((quiet / "config.json").read_text())
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (quiet / "config.json").write_text(json.dumps(config))
    with pytest.raises(RecipeError, match="the model's own dropout is 0"):
        sibu.check(tiny_recipe("contrast", "full", quiet, tmp_path))
    recipe["modalities"] = [{"name": "text", "dropout": 0.1}]
    assert sibu.check(recipe | {"model": str(quiet)}).steps
    mixed = write_jsonl(tmp_path / "mixed.jsonl", [*twin_rows(30), *plain_rows(5)])
    recipe["modalities"] = [{"name": "text", "dropout": 0.0}]
    recipe["tasks"]["it"]["data"] = {"train": str(mixed)}
    with pytest.raises(RecipeError, match="some texts of it have no pair"):
        sibu.check(recipe)


def test_dropout_reaches_a_model_that_calls_it_otherwise(tiny_translator: Path) -> None:
    from sibu.modalities.text.encoder import load_encoder

    found = load_encoder(tiny_translator, dropout=0.2, writes=True)
    assert {module.p for module in found.modules() if isinstance(module, torch.nn.Dropout)} == {0.2}


def test_batches_that_hold_one_pair_are_refused(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("contrast, pairs", "full", tiny_model, tmp_path, batch_examples=2)
    with pytest.raises(RecipeError, match=r"batch_examples.*2 texts holds one pair.*Give at least 4"):
        sibu.check(recipe)
    with pytest.raises(RecipeError, match=r"20 pieces hold one pair of most texts of it.*Give more \(\d+ hold 32"):
        sibu.check(tiny_recipe("contrast, pairs", "full", tiny_model, tmp_path, batch_tokens=20))


def test_one_pair_alone_is_told_from_nothing(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("contrast, pairs", "full", tiny_model, tmp_path)
    data = {"train": str(write_jsonl(tmp_path / "few.jsonl", twin_rows(2)))}  # of which dev gets one
    recipe["tasks"]["it"]["data"] = data
    said = r"tasks\.it\.data\.train: it has 1 row to train on, with nothing .* Give two .*`dev_share: 0`"
    for verb in (sibu.check, sibu.run):
        with pytest.raises(RecipeError, match=said):
            verb(recipe)
    recipe["tasks"]["it"]["data"] = data | {"dev_share": 0}
    assert sibu.check(recipe).steps


def test_faults_of_rows(tiny_model: Path, tmp_path: Path) -> None:
    own = task(twin_rows(4))
    windows = ((object(),),)
    assert [each[:2] for each in own.check({"text": " "}, ())] == [("empty input", "error")]
    assert [each[:2] for each in own.check({"text": "a b", "text_pair": "A  b"}, ())] == [("equal pair", "warning")]
    assert [each[:2] for each in own.check({"text": "a"}, windows)] == [("missing pair", "error")]
    assert not list(own.check({"text": "a"}, ()))  # asked for its vector alone
    assert not list(task(plain_rows(4)).check({"text": "a", "text_pair": "b"}, windows))
    recipe = tiny_recipe("contrast", "full", tiny_model, tmp_path)
    file = write_jsonl(tmp_path / "empty.jsonl", [*plain_rows(9), {"text": "  "}])
    recipe["tasks"]["it"]["data"] = {"train": str(file)}
    with pytest.raises(DataError, match=r"empty\.jsonl:10: the text is empty"):
        sibu.run(recipe, out=tmp_path / "out")
    with pytest.raises(RecipeError, match=r"trim_vocabulary would take away"):
        sibu.check(recipe | {"modalities": [{"name": "text", "trim_vocabulary": True}]})
