"""What bad input gets where a model writes, before anything is trained, and what a bundle answers."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import sibu
from sibu.core.errors import DataError, RecipeError
from tests.conftest import write_jsonl
from tests.tiny_tasks import reply_rows, tiny_recipe


def changed(recipe: dict, **task: object) -> dict:
    return recipe | {"tasks": {"it": recipe["tasks"]["it"] | task}}


def test_all_that_does_not_suit_a_task_that_writes_is_told_at_once(tiny_model: Path, tmp_path: Path) -> None:
    recipe = changed(tiny_recipe("generate", "probe", tiny_model, tmp_path), decoding="contrastive")
    recipe["modalities"] = [{"name": "text", "trim_vocabulary": True, "shapes": True}]
    with pytest.raises(RecipeError) as told:
        sibu.check(recipe)
    said = str(told.value)
    assert "5 faults" in said
    for part in (
        "cannot write (BertModel has no language head), but it must. Take a causal model",
        "`probe` trains heads alone",
        "`contrastive` needs a causal model",
        "trim_vocabulary cannot go with a task that writes",
        "shapes cannot go with a task that writes",
    ):
        assert part in said


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"text": "a", "target": " "}, "what is to be written is empty."),
        ({"text": "a"}, "there is nothing to be written. Fill in `target`"),
        ({"text": " ", "target": "a"}, "the text is empty."),
        ({"messages": [{"role": "assistant", "content": "a"}]}, "turn 0 is the assistant's where the user's is due."),
        (
            {"messages": [{"role": "user", "content": "a"}, {"role": "system", "content": "b"}]},
            "turn 1 is a system message, which only begins a dialogue.",
        ),
        ({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": ""}]}, "turn 1 (assistant)"),
        ({"messages": [{"role": "cat", "content": "a"}]}, 'item 0 has the role "cat"; allowed: system, user'),
        ({"messages": [{"role": "user", "content": 3}]}, "item 0, 'content' must be a text, given 3"),
    ],
)
def test_a_bad_row_is_named_with_its_line(row: dict, said: str, tiny_writer: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("generate", "full", tiny_writer, tmp_path)
    write_jsonl(Path(recipe["tasks"]["it"]["data"]["train"]), [*reply_rows(20), row])
    with pytest.raises(DataError) as told:
        sibu.run(recipe, out=tmp_path / "out")
    assert f"train.jsonl:21: {said}" in str(told.value) or (":21: " in str(told.value) and said in str(told.value))


def test_what_does_not_fit_is_counted_and_said(tiny_writer: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("generate", "full", tiny_writer, tmp_path)
    long = {"text": "head pain " * 300, "target": "take aspirin " * 20}
    write_jsonl(Path(recipe["tasks"]["it"]["data"]["train"]), [*reply_rows(20), long])
    found = sibu.check(recipe)
    (fault,) = [each for each in found.gate.faults.examples if each.kind == "longer than the context"]
    assert fault.row == 21
    assert "the end of the text and " in fault.message
    assert found.gate.tasks["it"]["train"].longer == 1


@pytest.mark.parametrize(
    ("task", "method"),
    [
        ("generate", "full"),
        ("generate", "lora"),
        ("prefer", "lora"),
        ("classify, written", "full"),
        ("reinforce", "full"),
    ],
)
def test_with_no_epoch_a_bundle_answers_as_the_model_came(
    task: str, method: str, tiny_writer: Path, tmp_path: Path
) -> None:
    recipe = tiny_recipe(task, method, tiny_writer, tmp_path, epochs=0)
    bundle = sibu.run(recipe, out=tmp_path / "out")
    found = sibu.load(bundle).evaluate(recipe["tasks"]["it"]["data"]["test"])
    known = json.loads((bundle / "metrics.json").read_text())["it"]["test"]
    assert {name: score.as_json() for name, score in found.scores.items()} == known
    assert json.loads((bundle / "record.json").read_text())["steps"]["done"] == 0
    if method == "full":
        came, there = (load_file(folder / "model.safetensors") for folder in (tiny_writer, bundle / "model"))
        assert all(torch.equal(came[name], there[name]) for name in came)


def test_with_no_epoch_a_head_would_be_random(tiny_model: Path, tiny_writer: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("generate", "full", tiny_writer, tmp_path, epochs=0)
    recipe["tasks"]["label"] = tiny_recipe("classify", "full", tiny_model, tmp_path)["tasks"]["it"]
    with pytest.raises(RecipeError, match=r"epochs: with no epoch the heads of label would stay random"):
        sibu.check(recipe)


def test_one_decoder_writes_and_classifies(tiny_writer: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("generate", "lora", tiny_writer, tmp_path)
    recipe["tasks"]["label"] = tiny_recipe("classify", "lora", tiny_writer, tmp_path)["tasks"]["it"]
    bundle = sibu.load(sibu.run(recipe, out=tmp_path / "out"))
    assert isinstance(bundle.predict("my pain", task="it").value, str)
    assert bundle.predict("my bill", task="label").value in ("appointment", "billing")


def test_an_answer_that_is_cut_keeps_to_no_schema_and_is_an_error(tiny_writer: Path, tmp_path: Path) -> None:
    bundle = sibu.load(sibu.run(tiny_recipe("generate", "full", tiny_writer, tmp_path), out=tmp_path / "out"))
    long = bundle.answering("constrain.name=choice", "constrain.among=[abcdefghijklmnopqrstuvwxyz 0123456789 abcdefgh]")
    (found,) = long.answering("max_new_tokens=3").stream(["my pain"])
    assert isinstance(found, DataError)
    assert "did not come to its end within 3 pieces. Raise max_new_tokens." in str(found)
    assert long.answering("max_new_tokens=60").predict("my pain").value.startswith("abcdefghij")
    with pytest.raises(RecipeError, match=r"`stop` cuts short may no longer keep to `constrain`.*`stop=\[\]`"):
        long.answering("stop=[mno]")


def test_keys_that_training_settled_are_refused(tiny_writer: Path, tmp_path: Path) -> None:
    bundle = sibu.load(sibu.run(tiny_recipe("generate", "full", tiny_writer, tmp_path), out=tmp_path / "out"))
    with pytest.raises(RecipeError, match=r"'weight' cannot be changed in a bundle: .* Allowed: decoding, constrain"):
        bundle.answering("weight=2")
    with pytest.raises(RecipeError, match=r"minLength \(9\) is greater than maxLength \(2\)"):
        schema = "constrain.json_schema={type: string, minLength: 9, maxLength: 2}"
        bundle.answering("constrain.name=json", schema)
    with pytest.raises(RecipeError, match="`beam` knows its answer only at the end"):
        bundle.answering("decoding=beam").tell("a", print)
