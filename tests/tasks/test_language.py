"""Going on with the pretraining of a model that writes."""

import json
import math
from pathlib import Path

import pytest
import torch
from tests.conftest import write_jsonl
from tests.tiny_tasks import tiny_recipe
from transformers import AutoModelForCausalLM

import sibu
from sibu.core.errors import RecipeError
from sibu.modalities.text.prepare import TextPreparer
from sibu.tasks.language.task import IGNORED, Language


def task_for(text: TextPreparer) -> Language:
    task = Language(room=4, stops=(), state=None)
    assert text.prompts is not None
    task.end = text.prompts.special.ids[text.prompts.special.eos]
    return task


@pytest.mark.parametrize("words", ["good book 北京 ", "aé 药\n"])
def test_every_piece_is_learned_once_whatever_the_windows(tiny_writer: Path, words: str) -> None:
    row = {"text": words * 6}
    whole = TextPreparer(tiny_writer, max_length=None, overlap=0, shapes=False, writes=True)
    parts = TextPreparer(tiny_writer, max_length=24, overlap=7, shapes=False, writes=True)
    ((one,),), (several,) = (each.prepare(task_for(each).inputs(row)) for each in (whole, parts))
    assert len(several) > 2
    task = task_for(parts)
    found = [int(n) for window in several for n in task.targets(row, 0, window, gold=True)["labels"] if n != IGNORED]
    assert found == [*one.input_ids[1:], task.end]


def test_perplexity_is_that_of_transformers(tiny_writer: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("language", "full", tiny_writer, tmp_path, epochs=0)
    del recipe["tasks"]["it"]["data"]["train"]
    bundle = sibu.run(recipe, out=tmp_path / "out")
    text = TextPreparer(tiny_writer, max_length=None, overlap=0, shapes=False, writes=True)
    model = AutoModelForCausalLM.from_pretrained(tiny_writer).eval()
    loss = pieces = 0.0
    for line in Path(recipe["tasks"]["it"]["data"]["test"]).read_text(encoding="utf-8").splitlines():
        ids = text.vocabulary.tokenizer.encode(json.loads(line)["text"], add_special_tokens=False).ids
        ids = [*ids, task_for(text).end]
        with torch.inference_mode():
            loss += float(model(torch.tensor([ids]), labels=torch.tensor([ids])).loss) * (len(ids) - 1)
        pieces += len(ids) - 1
    found = json.loads((bundle / "metrics.json").read_text())["it"]["test"]["perplexity"]
    assert found["value"] == pytest.approx(math.exp(loss / pieces), rel=1e-4)
    assert found["low"] < found["value"] < found["high"]


def test_it_learns_goes_on_with_a_text_and_is_the_model_of_others(tiny_writer: Path, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "train.jsonl", [{"text": f"{'42'[n % 2]} good book for us"} for n in range(24)])
    task = {"type": "language", "data": {"train": str(tmp_path / "train.jsonl")}, "max_new_tokens": 24}
    recipe = {"name": "more", "model": str(tiny_writer), "tasks": {"it": task}}
    recipe["train"] = {"epochs": 60, "learning_rate": 1e-2}
    bundle = sibu.run(recipe, out=tmp_path / "out")
    metrics = json.loads((bundle / "metrics.json").read_text())["it"]["dev"]
    assert metrics["perplexity"]["value"] < 1.5
    assert sibu.load(bundle).predict("4 good book").value == " for us"
    other = tiny_recipe("generate", "lora", bundle, tmp_path)
    assert (sibu.run(other, out=tmp_path / "other") / "adapter").is_dir()


def test_a_text_file_is_read_line_by_line(tiny_writer: Path, tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("我们在北京\n\na good book\n" * 5, encoding="utf-8")
    task = {"type": "language", "reader": "lines", "data": {"train": str(tmp_path / "texts.txt")}}
    report = sibu.check({"name": "more", "model": str(tiny_writer), "tasks": {"it": task}})
    assert report is not None


def test_a_bundle_reads_files_as_its_own_were(tiny_writer: Path, tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text(
        "".join(f"我们在北京 {n}\na good book {n}\n" for n in range(9)), encoding="utf-8"
    )
    data = {"train": str(tmp_path / "texts.txt")}
    task = {"type": "language", "reader": "lines", "data": data, "max_new_tokens": 4}
    recipe = {"name": "more", "model": str(tiny_writer), "tasks": {"it": task}, "train": {"epochs": 1}}
    bundle = sibu.run(recipe, out=tmp_path / "out")
    (tmp_path / "other.txt").write_text("one more line of words\n北京\n", encoding="utf-8")
    report = sibu.load(bundle).evaluate(tmp_path / "other.txt")
    assert report.scores["perplexity"].n == 2


def test_models_that_cannot_are_refused(tiny_model: Path, tiny_translator: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="cannot write"):
        sibu.check(tiny_recipe("language", "full", tiny_model, tmp_path))
    with pytest.raises(RecipeError, match=r"goes on with texts, and .* Take a causal model, or the task `generate`\."):
        sibu.check(tiny_recipe("language", "full", tiny_translator, tmp_path))
