"""Kinds of words by their meaning alone."""

import json
from pathlib import Path

import pytest
import torch
from tests.conftest import entity_rows, write_jsonl
from torch.nn.functional import normalize
from transformers import AutoModel, AutoTokenizer

import sibu
from sibu.core.errors import RecipeError, SibuError
from sibu.tasks.tag import TagSpec, build

WORDS = {"drug": ["药", "pain"], "place": "北京"}


def asked(model: Path, folder: Path, rows: list[dict] | None = None, **more: object) -> dict:
    """A recipe without training data."""
    write_jsonl(folder / "test.jsonl", rows or [{"text": "good pain", "entities": []}])
    task = {"type": "tag", "compared": {"nothing": ["good book", "42"], "margin": 0.0}, "descriptions": WORDS, **more}
    data = {"test": str(folder / "test.jsonl")}
    return {"name": "asked", "model": str(model), "tasks": {"it": {"data": data} | task}, "train": {"epochs": 0}}


def vector(folder: Path, text: str) -> torch.Tensor:
    """The mean of a text's vectors, at length one, by transformers."""
    encoded = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")
    with torch.inference_mode():
        found = AutoModel.from_pretrained(folder).eval()(**encoded).last_hidden_state[0]
    return normalize(found.mean(0), dim=0)


def test_each_word_takes_the_nearest_description(tiny_model: Path, tmp_path: Path) -> None:
    opened = sibu.load(sibu.run(asked(tiny_model, tmp_path), out=tmp_path / "out"))
    said = [("", "good book"), ("", "42"), ("drug", "药"), ("drug", "pain"), ("place", "北京")]
    vectors = torch.stack([vector(tiny_model, text) for _, text in said])
    for words in ("pain book appointment 42", "北京 药 pain"):
        found = opened.predict(words).value
        by_word = {}
        for word in words.split():
            best = int((vectors @ vector(tiny_model, word)).argmax())
            if said[best][0]:
                by_word[word] = said[best][0]
        told = {part: item["label"] for item in found for part in item["text"].split()}
        assert told == by_word
        assert all(words[item["start"] : item["end"]] == item["text"] for item in found)
        assert all(0 < item["score"] <= 1 for item in found)


def test_tokens_keep_their_numbers_and_neighbours_are_one(tiny_model: Path, tmp_path: Path) -> None:
    rows = [{"tokens": ["good", "pain", "42"], "tags": ["O", "B-drug", "O"]}] * 3
    bundle = sibu.run(asked(tiny_model, tmp_path, rows), out=tmp_path / "out")
    assert "f1" in json.loads((bundle / "metrics.json").read_text())["it"]["test"]
    (item,) = sibu.load(bundle).predict({"tokens": ["42", "pain", "pain", "42"]}).value
    assert (item["token_start"], item["token_end"], item["text"], item["label"]) == (1, 3, "pain pain", "drug")
    spaced = sibu.load(bundle).predict({"tokens": ["北", "京", "北京"]}).value
    assert all({"token_start", "token_end"} <= set(each) for each in spaced)


def test_a_margin_finds_less(tiny_model: Path, tmp_path: Path) -> None:
    recipe = asked(tiny_model, tmp_path)
    recipe["tasks"]["it"]["compared"]["margin"] = 1
    bundle = sibu.run(recipe, out=tmp_path / "out")
    assert sibu.load(bundle).predict("pain 药 北京").value == []


def test_descriptions_of_chinese_labels_have_chinese_nothing() -> None:
    task = build(TagSpec(compared=True, descriptions={"药": "药品"}))
    task.learn(())
    assert {word for number, word in task.said() if number < 0} >= {"动词", "数字"}
    task = build(TagSpec(compared=True, labels=["drug"]))
    task.learn(())
    assert (0, "drug") in task.said()
    assert (-1, "a verb") in task.said()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"written": True}, "either `written` or `compared`"),
        ({"descriptions": None}, "the labels are not given"),
        ({"labels": ["drug"]}, "descriptions names place, no label; allowed: drug"),
        ({"compared": {"margn": 1}}, "Did you mean 'margin'?"),
    ],
)
def test_what_cannot_be_is_said(change: dict, said: str, tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(SibuError) as caught:
        sibu.check(asked(tiny_model, tmp_path, **change))
    assert said in str(caught.value)


def test_nothing_can_be_learned(tiny_model: Path, tmp_path: Path) -> None:
    recipe = asked(tiny_model, tmp_path)
    write_jsonl(tmp_path / "train.jsonl", entity_rows(12))
    recipe["tasks"]["it"]["data"]["train"] = str(tmp_path / "train.jsonl")
    recipe["train"] = {"epochs": 1}
    with pytest.raises(RecipeError, match="learns nothing from rows"):
        sibu.check(recipe)
