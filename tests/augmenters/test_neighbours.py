"""Near words stand in each other's place: those of the rows, by a model's input vectors."""

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import write_tiny_model, write_tiny_unigram

from sibu.augmenters import AUGMENTERS
from sibu.augmenters._words import content
from sibu.augmenters.neighbours import NeighboursSpec
from sibu.augmenters.neighbours.near import nearest, vectors_of, vocabulary
from sibu.core.errors import MissingExtra, RecipeError
from sibu.core.units import chinese_words, units
from sibu.models.sources import find_model


def write_near(folder: Path, groups: list[list[str]], *, unigram: bool = False) -> Path:
    """A tiny model in whose input vectors the pieces of each group lie beside each other."""
    import torch
    from transformers import AutoTokenizer, BertModel

    (write_tiny_unigram if unigram else write_tiny_model)(folder)
    model, tokenizer = BertModel.from_pretrained(folder, add_pooling_layer=False), AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        weight = model.get_input_embeddings().weight
        for group in groups:
            centre = weight[tokenizer.convert_tokens_to_ids(group[0])].clone()
            for number, piece in enumerate(group):
                weight[tokenizer.convert_tokens_to_ids(piece)] = centre + 0.003 * number * torch.arange(32) / 32
    model.save_pretrained(folder)
    return folder


GROUPS = [["good", "great"], ["doctor", "pain", "fever"], ["paris", "london"], ["药", "痛"]]
ROWS = [
    {"text": "Good film, the doctor in Paris"},
    {"text": "a great fever in London? 药不好"},
    {"text": "my pain 痛 12 good"},
]


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_near(tmp_path_factory.mktemp("models") / "near", GROUPS)


def learned(model: Path, rows: list[dict], **options: Any) -> Any:
    spec = NeighboursSpec(model=str(model), **options)
    found = AUGMENTERS.of(spec).build(spec)
    found.learn(rows)
    return found


def test_words_become_near_ones_and_keep_capitals(near: Path) -> None:
    change = learned(near, ROWS, share=0.9, least=0.95, candidates=1)
    assert change({"text": "GOOD doctor in paris, not 药"}, Random(1))["text"] == "GREAT pain in London, not 痛"
    assert change({"text": "Great 12 film tomorrow!"}, Random(1))["text"] == "Good 12 film tomorrow!"
    assert change({"text": "film tomorrow 12"}, Random(1)) is None


def test_of_several_neighbours_each_is_drawn(near: Path) -> None:
    change = learned(near, ROWS, least=0.95, candidates=5)
    made = {change({"text": "doctor"}, Random(seed))["text"] for seed in range(20)}
    assert made == {"pain", "fever"}


def test_a_word_that_is_marked_anywhere_is_put_nowhere(near: Path) -> None:
    rows = [*ROWS, {"text": "fever", "entities": [{"start": 0, "end": 5, "label": "x"}]}]
    change = learned(near, rows, least=0.95)
    assert {change({"text": "doctor"}, Random(seed))["text"] for seed in range(20)} == {"pain"}
    tokens = [*ROWS, {"tokens": ["fever", "ok"], "tags": ["B-x", "O"]}]
    change = learned(near, tokens, least=0.95)
    assert {change({"text": "doctor"}, Random(seed))["text"] for seed in range(20)} == {"pain"}


def test_tokens_and_answers_keep_what_is_marked(near: Path) -> None:
    change = learned(near, ROWS, share=0.9, least=0.95, candidates=1)
    row = {"tokens": ["good", "doctor", "good"], "tags": ["B-x", "O", "O"]}
    assert change(row, Random(0)) == {"tokens": ["good", "pain", "great"], "tags": ["B-x", "O", "O"]}
    asked = {"question": "x", "context": "good 药 good", "answers": [{"text": "药", "start": 5}]}
    made = change(asked, Random(0))
    assert made["context"] == "great 药 great"
    assert made["answers"] == [{"text": "药", "start": 6}]


@given(
    words=st.lists(st.sampled_from(["good", "Doctor", "药", "痛", "，", "12", "paris", "in"]), min_size=1, max_size=9),
    seed=st.integers(0, 99),
)
@settings(deadline=None, max_examples=100)
def test_what_changes_is_near_and_everything_else_stays(near: Path, words: list[str], seed: int) -> None:
    change = _kept(near)
    made = change({"text": " ".join(words)}, Random(seed))
    groups = [set(group) for group in GROUPS]
    for old, new in zip(words, words if made is None else made["text"].split(" "), strict=True):
        assert old == new or any({old.lower(), new.lower()} <= group for group in groups)
    assert made == change({"text": " ".join(words)}, Random(seed))


def _kept(near: Path, kept: dict[Path, Any] = {}) -> Any:  # noqa: B006  (read once for all examples)
    if near not in kept:
        kept[near] = learned(near, ROWS, share=0.5, least=0.95)
    return kept[near]


def test_a_vector_is_the_mean_of_the_pieces_less_the_mean_of_all(near: Path) -> None:
    from transformers import AutoTokenizer, BertModel

    words = ["good", "Doctor", "goody", "头", "𝒳"]
    found = vectors_of(find_model(str(near), home=Path()), words)
    matrix = BertModel.from_pretrained(near, add_pooling_layer=False).get_input_embeddings().weight.detach().numpy()
    tokenizer = AutoTokenizer.from_pretrained(near)
    for word, vector in zip(words[:4], found, strict=False):
        pieces = tokenizer(word, add_special_tokens=False)["input_ids"]
        np.testing.assert_allclose(vector, matrix[pieces].mean(0) - matrix.mean(0), atol=1e-6)
    assert not found[4].any()


def test_pieces_for_a_space_count_for_nothing(tmp_path: Path) -> None:
    model = write_near(tmp_path / "m", [["▁good", "▁great"], ["头痛", "医生"]], unigram=True)
    assert (tmp_path / "m" / "tokenizer.json").is_file()
    change = learned(model, [{"text": "good 医生"}, {"text": "great 头痛"}], share=0.9, least=0.95, words="chinese")
    assert change({"text": "我头痛 good"}, Random(0))["text"] == "我医生 great"


def test_neighbours_are_of_the_same_script_and_no_other_spelling() -> None:
    words = {"good": "good", "好": "好", "gut": "gut", "great": "great", "bad": "bad", "odd": "odd"}
    vectors = np.array([[1, 0], [1, 0.01], [1, 0], [1, 0.1], [-1, 0], [0, 0]], np.float32)
    found = nearest(words, vectors, 3, 0.4)
    assert found == {"good": ("great",), "gut": ("great",), "great": ("good", "gut")}
    assert nearest(words, vectors, 1, -1.0)["bad"] == ("great",)


def test_the_vocabulary_is_of_words_that_stand_for_something() -> None:
    rows = [
        {"text": "Book it: Paris doesn't book the 12 三 trips", "text_pair": "Only Paris"},
        {"text": "头痛的人", "entities": [{"start": 3, "end": 4, "label": "x"}]},
        {"tokens": ["Paris", "naïve"], "tags": ["O", "O"]},
    ]
    assert vocabulary(rows, units) == {
        "paris": "Paris",
        "book": "book",
        "naïve": "naïve",
        "only": "only",
        "trips": "trips",
        "头": "头",
        "痛": "痛",
    }
    assert "头痛" in vocabulary(rows, chinese_words)


@pytest.mark.parametrize("word", ["not", "没有", "一", "12", "ab", "don", "a1", "", "，"])
def test_grammar_numbers_and_marks_are_no_content(word: str) -> None:
    assert not content(word)


@pytest.mark.parametrize("word", ["film", "头", "头痛", "हिन्दी", "ён", "naïve"])
def test_words_of_any_language_are_content(word: str) -> None:
    assert content(word)


def test_what_cannot_be_had_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RecipeError, match="No model is named 'nowhere'"):
        learned(Path("nowhere"), [])
    monkeypatch.setattr("sibu.augmenters.neighbours.find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match=r"`words: chinese` needs the package 'jieba'.*sibu\[chinese\]"):
        learned(tmp_path, [], words="chinese")


def test_rows_without_any_word_give_no_copies(near: Path) -> None:
    assert learned(near, [{"text": "12 !"}])({"text": "good"}, Random(0)) is None
