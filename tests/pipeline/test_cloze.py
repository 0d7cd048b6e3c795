"""Labels by a blank, told by a masked language model."""

import json
import re
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

import sibu
from sibu.core.errors import RecipeError, SibuError
from tests.conftest import write_jsonl, write_recipe, write_tiny_unigram
from tests.tiny_tasks import tiny_recipe


@pytest.fixture(scope="module")
def filler(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that was trained to fill in words."""
    home = tmp_path_factory.mktemp("filler")
    return sibu.run(tiny_recipe("mask", "full", tiny_model, home, epochs=10, learning_rate=3e-3), out=home / "out")


def asked(model: Path, folder: Path, **more: object) -> dict:
    """A recipe without training data."""
    write_jsonl(folder / "test.jsonl", [{"text": f"{n} good", "label": "one"} for n in range(4)])
    cloze = {"pattern": "{text} pain {mask} .", "words": {"one": "book", "two": "北京", **more.pop("words", {})}}
    task = {"type": "classify", "cloze": cloze | more.pop("cloze", {}), "labels": ["one", "two"], **more}
    data = {"test": str(folder / "test.jsonl")}
    return {"name": "asked", "model": str(model), "tasks": {"it": {"data": data} | task}, "train": {"epochs": 0}}


def wanted(folder: Path, text: str, words: list[list[int]]) -> list[float]:
    """The softmax of the words' mean log probabilities, by transformers."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForMaskedLM.from_pretrained(folder).eval()
    encoded = tokenizer(text, return_tensors="pt")
    with torch.inference_mode():
        chances = model(**encoded).logits[0].log_softmax(-1)
    places = (encoded["input_ids"][0] == tokenizer.mask_token_id).nonzero()[:, 0]
    means = [
        torch.stack([chances[place, piece] for place, piece in zip(places, own, strict=False)]).mean() for own in words
    ]
    return torch.stack(means).softmax(0).tolist()


def test_scores_are_those_of_the_masked_language_model(filler: Path, tmp_path: Path) -> None:
    bundle = sibu.run(asked(filler, tmp_path), out=tmp_path / "out")
    tokenizer = AutoTokenizer.from_pretrained(filler / "model")
    words = [tokenizer(word, add_special_tokens=False)["input_ids"] for word in ("book", "北京")]
    assert sorted(map(len, words)) == [1, 2]
    scores = sibu.load(bundle).predict("42 good").scores
    mask = tokenizer.mask_token * 2
    assert list(scores.values()) == pytest.approx(wanted(filler / "model", f"42 good pain {mask} .", words), abs=1e-5)
    assert "accuracy" in json.loads((bundle / "metrics.json").read_text())["it"]["test"]


def test_a_long_text_never_loses_its_blank(filler: Path, tmp_path: Path) -> None:
    recipe = asked(filler, tmp_path) | {"modalities": [{"name": "text", "max_length": 16}]}
    opened = sibu.load(sibu.run(recipe, out=tmp_path / "out"))
    long = opened.predict("good book " * 40).scores
    assert long is not None
    assert all(0 < each < 1 for each in long.values())


@pytest.mark.parametrize("method", ["full", "lora", "freeze"])
def test_it_learns_from_rows(filler: Path, tmp_path: Path, method: str) -> None:
    rows = [{"text": f"{n} {('good', '我们')[n % 2]}", "label": ("one", "two")[n % 2]} for n in range(16)]
    write_jsonl(tmp_path / "train.jsonl", rows)
    recipe = asked(filler, tmp_path) | {"method": method, "train": {"epochs": 30, "learning_rate": 1e-2}}
    recipe["tasks"]["it"]["data"] = {"train": str(tmp_path / "train.jsonl"), "shots": 6}
    opened = sibu.load(sibu.run(recipe, out=tmp_path / "out"))
    found = [opened.predict(row["text"]).value for row in rows[:4]]
    assert method == "lora" or found == [row["label"] for row in rows[:4]]  # a tiny model's rank is too low


def test_pairs_go_into_one_pattern(filler: Path, tmp_path: Path) -> None:
    rows = [{"text": f"{n} good", "text_pair": "book", "label": ("one", "two")[n % 2]} for n in range(8)]
    write_jsonl(tmp_path / "train.jsonl", rows)
    recipe = asked(filler, tmp_path, cloze={"pattern": "{text_pair} {mask} {text}"})
    recipe["tasks"]["it"]["data"] = {"train": str(tmp_path / "train.jsonl")}
    opened = sibu.load(sibu.run(recipe, out=tmp_path / "out"))
    (source,) = opened._opened.tasks["it"].inputs(rows[0])
    assert source.text == "book [MASK][MASK] 0 good"
    (source,) = opened._opened.tasks["it"].inputs({"text": "{text_pair} {text}", "text_pair": "{text}"})
    assert source.text == "{text} [MASK][MASK] {text_pair} {text}"  # what a text says is no place
    recipe = asked(filler, tmp_path)
    recipe["tasks"]["it"]["data"] = {"train": str(tmp_path / "train.jsonl")}
    with pytest.raises(SibuError, match=r"rows are pairs, and the pattern shows no `\{text_pair\}`"):
        sibu.check(recipe)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cloze": {"pattern": "{text} is"}}, "a pattern has one `{mask}`, one `{text}`"),
        ({"cloze": {"patern": "x"}}, "cloze.patern: no such key. Did you mean 'pattern'? Allowed: pattern, words."),
        ({"entailed": True}, "given `entailed` and `cloze`: leave one out"),
        ({"head": "labels"}, "Leave out `head` or `cloze`."),
        ({"multi_label": True}, "`cloze` tells one label"),
    ],
)
def test_what_cannot_be_is_said(filler: Path, tmp_path: Path, change: dict, said: str) -> None:
    with pytest.raises(SibuError) as caught:
        sibu.check(asked(filler, tmp_path, **change))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"two": "book"}, "two labels have the same word for the blank: 'book', 'book'. Give each its own."),
        ({"two": "龘"}, "the model has no pieces for the words of the blank '龘'. Give others."),
        ({"three": "bad"}, "names 'three', no label. Allowed: 'one', 'two'."),
    ],
)
def test_faults_of_words_have_their_line(filler: Path, tmp_path: Path, words: dict, said: str) -> None:
    file = tmp_path / "recipe.yaml"
    lines = write_recipe(file, asked(filler, tmp_path, words=words))
    with pytest.raises(RecipeError) as caught:
        sibu.check(file)
    assert str(caught.value) == f"{file}:{lines.index('      words:')} tasks.it.cloze.words: {said}"
    assert sibu.check(file, "tasks.it.cloze.words={one: book, two: 北京}").sound


def test_every_fault_of_words_is_told_at_once(filler: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as caught:
        sibu.check(asked(filler, tmp_path, words={"three": "bad", "two": "龘"}))
    assert [fault.where for fault in caught.value.faults] == ["the recipe tasks.it.cloze.words"] * 2


def test_words_of_rows_that_could_not_be_read(filler: Path, tmp_path: Path) -> None:
    rows = [{"text": f"{n} good", "label": ("one", "two")[n % 2]} for n in range(8)]
    write_jsonl(tmp_path / "train.jsonl", [*rows, {"text": 3, "label": "three"}])
    recipe = asked(filler, tmp_path, words={"three": "bad"}, labels=None)
    recipe["tasks"]["it"]["data"] = {"train": str(tmp_path / "train.jsonl")}
    with pytest.raises(RecipeError, match=r"cloze\.words: names 'three', no label") as caught:
        sibu.check(recipe | {"train": {"epochs": 1}})
    assert "Rows that could not be read may be why:\n" in str(caught.value)
    assert "train.jsonl" in str(caught.value)


def test_a_vocabulary_without_a_mask_is_told_at_the_blank(tiny_model: Path, tmp_path: Path) -> None:
    bare = write_tiny_unigram(tmp_path / "unigram")
    config = json.loads((bare / "config.json").read_text())
    (bare / "config.json").write_text(json.dumps(config | {"architectures": ["BertForMaskedLM"]}))
    lines = write_recipe(tmp_path / "recipe.yaml", asked(bare, tmp_path))
    said = r"recipe\.yaml:(\d+) tasks\.it\.cloze: the vocabulary of the model '.*' has no mask, which `cloze` needs\."
    with pytest.raises(RecipeError, match=said) as caught:
        sibu.check(tmp_path / "recipe.yaml")
    assert lines[int(re.search(said, str(caught.value))[1])] == "    cloze:"


def test_a_pattern_for_pairs_wants_pairs(filler: Path, tmp_path: Path) -> None:
    with pytest.raises(SibuError, match="the pattern shows a `text_pair`, and there is none"):
        sibu.run(asked(filler, tmp_path, cloze={"pattern": "{text} {text_pair} {mask}"}), out=tmp_path / "out")


def test_models_and_methods_that_cannot_are_refused(filler: Path, tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"cannot fill in a blank.*or the bundle of a task `mask`"):
        sibu.check(asked(tiny_model, tmp_path))
    with pytest.raises(RecipeError, match="`probe` and the model's masked-language head"):
        sibu.check(asked(filler, tmp_path) | {"method": "probe"})
