"""Words of the domain as pieces of their own."""

import json
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tests.conftest import write_jsonl, write_recipe, write_tiny_model, write_tiny_unigram, write_tiny_writer
from tests.tiny_tasks import tiny_recipe
from tokenizers import Tokenizer
from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer

import sibu
from sibu.core.errors import RecipeError
from sibu.models.extend import extend_vocabulary, find_words
from sibu.pipeline.progress import Silent

TEXTS = [
    "quizzing and quizzing quizzing , fevering",
    "the xylophone and the zither",
    "xylophone xylophone xylophone 42 42 42",
]
KINDS = {"wordpiece": write_tiny_model, "unigram": write_tiny_unigram, "merges": write_tiny_writer}


def spelled(tokens: list[str]) -> str:
    """What pieces make together."""
    return "".join(tokens).replace("##", "")


def extended(kind: str, folder: Path, most: int = 9) -> tuple[Path, Path, list]:
    """The model, the same with more pieces, and these."""
    source = KINDS[kind](folder / "source")
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    pieces = find_words(tokenizer, TEXTS * 3, most)
    (folder / "target").mkdir()
    extend_vocabulary(source, folder / "target", pieces)
    return source, folder / "target", pieces


@pytest.mark.parametrize("kind", KINDS)
def test_a_word_becomes_one_piece_and_others_stay(kind: str, tmp_path: Path) -> None:
    source, target, pieces = extended(kind, tmp_path)
    old, new = (Tokenizer.from_file(str(each / "tokenizer.json")) for each in (source, target))
    assert {"xylophone", "fevering", "zither"} <= {each.word for each in pieces}
    for each in pieces:
        text = f"a {each.word} 7"
        before, behind = (one.encode(text, add_special_tokens=False) for one in (old, new))
        assert len(behind.ids) == len(before.ids) - len(each.parts) + 1
        assert spelled(behind.tokens) == spelled(before.tokens)
    for other in ("a good book", "我们在北京 7", "zebra !"):
        assert new.encode(other).ids == old.encode(other).ids


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_piece_begins_as_the_mean_of_its_old_ones(kind: str, tmp_path: Path) -> None:
    source, target, pieces = extended(kind, tmp_path)
    auto = AutoModelForCausalLM if kind == "merges" else AutoModel
    old, new = auto.from_pretrained(source), auto.from_pretrained(target)
    tokenizers = [Tokenizer.from_file(str(each / "tokenizer.json")) for each in (source, target)]
    rows = [each.get_input_embeddings().weight for each in (old, new)]
    assert len(rows[1]) == new.config.vocab_size == max(tokenizers[1].get_vocab().values()) + 1
    for each in pieces:
        parts = [tokenizers[0].token_to_id(part) for part in each.parts]
        number = tokenizers[1].encode(f"a {each.word}", add_special_tokens=False).ids[-1]
        torch.testing.assert_close(rows[1][number], rows[0][parts].mean(0))
    ids = torch.tensor([tokenizers[0].encode("a good book").ids])
    torch.testing.assert_close(new(ids)[0][..., : old.config.vocab_size], old(ids)[0])
    assert AutoTokenizer.from_pretrained(target)("a xylophone")["input_ids"]


def test_words_that_cost_most_come_first(tmp_path: Path) -> None:
    *_, pieces = extended("wordpiece", tmp_path, most=2)
    assert [each.word.lower() for each in pieces] == ["xylophone", "quizzing"]
    costs = [each.count * (len(each.parts) - 1) for each in pieces]
    assert costs == sorted(costs, reverse=True)


def test_chinese_words_of_a_vocabulary_with_longer_pieces(tmp_path: Path) -> None:
    source = write_tiny_unigram(tmp_path / "source")
    old = Tokenizer.from_file(str(source / "tokenizer.json"))
    pieces = find_words(old, ["我们在吃药"] * 4, 5)
    if not pieces:
        pytest.fail("no Chinese word was found")
    (tmp_path / "target").mkdir()
    extend_vocabulary(source, tmp_path / "target", pieces)
    new = Tokenizer.from_file(str(tmp_path / "target" / "tokenizer.json"))
    text = "北京我们在上海吃药"
    assert len(new.encode(text).ids) < len(old.encode(text).ids)
    assert spelled(new.encode(text).tokens) == spelled(old.encode(text).tokens)


@pytest.mark.parametrize("task", ["mask", "classify", "language"])
def test_through_a_recipe(task: str, tiny_model: Path, tiny_writer: Path, tmp_path: Path) -> None:
    model = tiny_writer if task == "language" else tiny_model
    recipe = tiny_recipe(task, "full", model, tmp_path) | {"modalities": [{"name": "text", "new_words": 3}]}
    data = Path(recipe["tasks"]["it"]["data"]["train"])
    rows = [json.loads(line) for line in data.read_text(encoding="utf-8").splitlines()]
    write_jsonl(tmp_path / "train.jsonl", [row | {"text": f"{row['text']} xylophone fever"} for row in rows])
    recipe["tasks"]["it"]["data"] = {"train": str(tmp_path / "train.jsonl")}
    bundle = sibu.run(recipe, out=tmp_path / "out")
    size = json.loads((bundle / "model" / "config.json").read_text())["vocab_size"]
    assert size > json.loads((model / "config.json").read_text())["vocab_size"]
    if task == "classify":
        weights = load_file(bundle / "model" / "model.safetensors")["embeddings.word_embeddings.weight"]
        assert len(weights) == size
        assert sibu.load(bundle).predict("a xylophone").value


class Heard(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


@pytest.mark.parametrize(("most", "more"), [(1, ""), (5, ""), (6, ", ...")])
def test_words_that_are_not_shown_have_dots(most: int, more: str, tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path)
    words = ["xylophone", "quizzing", "zither", "fevering", "jukebox", "vortex"]
    rows = [{"text": f"{n} {' '.join(words)}", "label": "ab"[n % 2]} for n in range(20)]
    write_jsonl(tmp_path / "train.jsonl", rows)
    recipe["tasks"]["it"]["data"] = {"train": str(tmp_path / "train.jsonl")}
    heard = Heard()
    sibu.check(recipe | {"modalities": [{"name": "text", "new_words": most}]}, progress=heard)
    (line,) = (each for each in heard.lines if each.startswith("pieces for"))
    told = re.match(rf"pieces for {most} words? of the training texts: (\w+(?:, \w+)*){re.escape(more)}$", line)
    assert told
    assert set(told[1].split(", ")) <= set(words)
    assert len(told[1].split(", ")) == min(most, 5)


def test_nothing_to_add_is_told(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path) | {"modalities": [{"name": "text", "new_words": 3}]}
    rows = [{"text": f"good {n}", "label": "ab"[n % 2]} for n in range(20)]
    write_jsonl(tmp_path / "train.jsonl", rows)
    recipe["tasks"]["it"]["data"] = {"train": str(tmp_path / "train.jsonl")}
    file = tmp_path / "recipe.yaml"
    lines = write_recipe(file, recipe)
    with pytest.raises(RecipeError, match=r"`new_words` has nothing to add\. Leave it out\.$") as caught:
        sibu.check(file)
    where = re.match(rf"{re.escape(str(file))}:(\d+) modalities\.0\.new_words: no word of the", str(caught.value))
    assert where
    assert "new_words: 3" in lines[int(where[1])]
    with pytest.raises(RecipeError, match=r"recipe\.yaml, the override modalities\.0\.new_words: no word of"):
        sibu.check(file, "modalities.0.new_words=4")
    assert sibu.check(file, "modalities.0.new_words=0").sound
