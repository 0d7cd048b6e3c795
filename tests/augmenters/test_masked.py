"""Hidden words become others that a masked language model tells: whole words, never the same, never special pieces."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import CHARACTERS, WORDS, write_tiny_masked, write_tiny_model, write_tiny_unigram

from sibu.augmenters import AUGMENTERS
from sibu.augmenters._words import content
from sibu.augmenters.masked import MaskedSpec
from sibu.augmenters.masked.filling import Asked, Filler
from sibu.core.errors import RecipeError
from sibu.core.example import is_cjk
from sibu.models.sources import find_model


def way(model: Path, rows: list[dict] | None = None, **options: Any) -> Any:
    spec = MaskedSpec(model=str(model), **options)
    found = AUGMENTERS.of(spec).build(spec)
    found.learn(rows or [])
    return found


@pytest.fixture(scope="module")
def change(tiny_masked: Path) -> Any:
    return way(tiny_masked, share=0.5)


@pytest.fixture(scope="module")
def filler(tiny_masked: Path) -> Filler:
    return Filler(find_model(str(tiny_masked), home=Path()))


def reference(model: Path, text: str, number: int = 0) -> dict[str, float]:
    """The probability of every piece at a mask, by transformers alone."""
    from transformers import pipeline

    tell = pipeline("fill-mask", model=str(model), device="cpu")
    found = tell(text, top_k=len(tell.tokenizer))
    return {each["token_str"]: each["score"] for each in (found[number] if isinstance(found[0], list) else found)}


@pytest.mark.parametrize(
    ("text", "place"), [("a good film in london", (2, 6)), ("我头痛，要吃药", (1, 2)), ("Good Film!", (5, 9))]
)
def test_the_likeliest_words_are_those_of_transformers(
    filler: Filler, tiny_masked: Path, text: str, place: tuple[int, int]
) -> None:
    start, end = place
    whole = reference(tiny_masked, f"{text[:start]}[MASK]{text[end:]}")
    hidden = text[start:end].lower()
    chinese = is_cjk(hidden[0])
    allowed = {w: p for w, p in whole.items() if w in [*WORDS, *CHARACTERS] and content(w) and is_cjk(w[0]) == chinese}
    allowed.pop(hidden)
    best = sorted(allowed, key=lambda word: -allowed[word])[:5]
    ((told,),) = filler.tell([Asked(text, [place])], 5)
    assert [word for word, _ in told] == best
    total = sum(allowed[word] for word in best)
    assert [chance for _, chance in told] == pytest.approx([allowed[word] / total for word in best], abs=1e-4)


def test_texts_together_are_told_as_alone(filler: Filler) -> None:
    asked = [
        Asked("good film", [(0, 4), (5, 9)]),
        Asked("the doctor in london and paris today", [(14, 20)]),
        Asked("我们要吃药", [(4, 5)]),
        Asked("no word is hidden", []),
    ]
    together = filler.tell(asked, 4)
    assert [len(own) for own in together] == [2, 1, 1, 0]
    for one, own in zip(asked, together, strict=True):
        (alone,) = filler.tell([one], 4)
        for told, other in zip(own, alone, strict=True):
            assert [word for word, _ in told] == [word for word, _ in other]
            assert [c for _, c in told] == pytest.approx([c for _, c in other], abs=1e-5)


def test_long_texts_are_told_to_their_end(filler: Filler) -> None:
    text = "good " * 200 + "film"
    places = [(0, 4), (500, 504), (1000, 1004)]
    (told,) = filler.tell([Asked(text, places)], 3)
    assert [len(each) for each in told] == [3, 3, 3]
    assert "film" not in [word for word, _ in told[2]]


SAID = ["please", "Good", "aspirin", "in", "北京", "，", "!", "12", "PARIS", "头痛", "x", "不"]


@st.composite
def marked(draw: st.DrawFn) -> dict[str, Any]:
    text, spans = "", []
    for word in draw(st.lists(st.sampled_from(SAID), min_size=1, max_size=12)):
        if draw(st.booleans()):
            spans.append({"start": len(text), "end": len(text) + len(word), "label": draw(st.sampled_from("ab"))})
        text += word + draw(st.sampled_from(["", " ", " ", "  "]))
    return {"id": 7, "text": text, "entities": spans}


@given(row=marked(), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=60)
def test_spans_stay_on_what_they_mark(change: Any, row: dict, seed: int) -> None:
    made = change(row, Random(seed))
    if made is None:
        return
    assert made["text"] != row["text"]
    for old, new in zip(row["entities"], made["entities"], strict=True):
        assert made["text"][new["start"] : new["end"]] == row["text"][old["start"] : old["end"]]
    assert made == change(row, Random(seed))


def test_every_hidden_word_becomes_another_whole_word(change: Any) -> None:
    known = {word for word in [*WORDS, *CHARACTERS] if content(word)}
    row = {"tokens": ["Good", "film", "头", "in", "PARIS", "12", "acme"], "tags": ["O"] * 6 + ["B-x"]}
    for seed in range(30):
        tokens = change(row, Random(seed))["tokens"]
        assert tokens[3] == "in"
        assert tokens[5:] == ["12", "acme"]
        changed = [(a, b) for a, b in zip(row["tokens"], tokens, strict=True) if a != b]
        assert len(changed) == 4  # half of seven, rounded
        for old, new in changed:
            assert new.lower() in known
            assert new.lower() != old.lower()
            assert (new[:1].isupper(), is_cjk(new[0])) == (old[:1].isupper(), is_cjk(old[0]))


def test_several_rows_at_once_are_as_one_by_one(change: Any) -> None:
    rows = [
        {"text": "a good film"},
        {"text": "12"},
        {"text": "我们要吃药", "text_pair": "please book the doctor appointment for tomorrow"},
        {"tokens": ["good", "pain"], "tags": ["O", "B-x"]},
        {"label": "x"},
    ]
    together = change.many(rows, [Random(n) for n in range(5)])
    assert together == [change(row, Random(n)) for n, row in enumerate(rows)]
    assert [made is None for made in together] == [False, True, False, False, True]
    assert together[2]["text_pair"] != rows[2]["text_pair"]


def test_words_that_are_marked_in_any_row_are_never_told(tiny_masked: Path) -> None:
    rows = [
        {"text": "aspirin", "entities": [{"start": 0, "end": 7, "label": "x"}]},
        {"context": "北京 paris", "answers": [{"text": "北京 paris", "start": 0}]},
    ]
    free = way(tiny_masked, candidates=99)
    bound = way(tiny_masked, rows, candidates=99)
    row = {"text": "a good film 头痛"}
    for left in (True, False):
        told = (bound if left else free)._filler.tell([Asked(row["text"], [(2, 6), (12, 13)])], 99)[0]
        words = {word for each in told for word, _ in each}
        assert bool(words & {"aspirin", "paris", "北", "京"}) != left


def test_words_of_a_marked_space_vocabulary(tmp_path: Path) -> None:
    import json

    import torch
    from transformers import BertConfig, BertForMaskedLM

    folder = write_tiny_unigram(tmp_path / "m")
    file = folder / "tokenizer.json"
    about = json.loads(file.read_text())
    about["decoder"] = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    about["model"]["vocab"].append(["<mask>", 0.0])
    number = len(about["model"]["vocab"]) - 1
    flags = {"single_word": False, "lstrip": True, "rstrip": False, "normalized": False, "special": True}
    about["added_tokens"].append({"id": number, "content": "<mask>", **flags})
    file.write_text(json.dumps(about))
    config_file = folder / "tokenizer_config.json"
    config_file.write_text(json.dumps(json.loads(config_file.read_text()) | {"mask_token": "<mask>"}))
    torch.manual_seed(0)
    BertForMaskedLM(BertConfig.from_pretrained(folder, vocab_size=number + 1)).save_pretrained(folder)
    filler = Filler(find_model(str(folder), home=Path()))
    told = filler.tell([Asked("the good film，我头痛", [(4, 8), (15, 16)])], 99)[0]
    words = [{word for word, _ in each} for each in told]
    assert words[0] == {word for word in WORDS if content(word)} - {"good"}
    assert words[1] <= {character for character in CHARACTERS if content(character)} - {"头"} | {"が"}
    assert len(words[1]) > 20


def test_a_text_that_holds_the_mask_is_left_alone(change: Any) -> None:
    assert change({"text": "a good [MASK] film"}, Random(0)) is None


def test_a_model_without_the_head_is_refused(
    tiny_model: Path, tiny_writer: Path, tiny_masked: Path, tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match=r"has no masked-language head to tell hidden words with \(it is BertModel\)"):
        AUGMENTERS.of(MaskedSpec(model=str(tiny_model))).build(MaskedSpec(model=str(tiny_model)))
    with pytest.raises(RecipeError, match=r"it is Qwen2ForCausalLM\)\. Take one that has"):
        way(tiny_writer)
    with pytest.raises(RecipeError, match=r"it is BertModel"):
        way(Path("minilm"))
    folder = write_tiny_model(tmp_path / "says-so")
    config = (folder / "config.json").read_text().replace("BertModel", "BertForMaskedLM")
    (folder / "config.json").write_text(config)
    with pytest.raises(RecipeError, match=r"its folder lacks cls\.predictions"):
        way(folder)


def test_the_augmenter_looks_at_the_rows_first(tiny_masked: Path) -> None:
    spec = MaskedSpec(model=str(tiny_masked))
    with pytest.raises(ValueError, match="has not looked at the training rows yet"):
        AUGMENTERS.of(spec).build(spec)({"text": "good"}, Random(0))


def test_capitals_of_a_vocabulary_that_keeps_them(tmp_path: Path) -> None:
    change = way(write_tiny_masked(tmp_path / "m", lowercase=False), share=0.9)
    made = change({"text": "GOOD Film"}, Random(0))["text"].split()
    assert made[0].isupper()
    assert made[1][0].isupper()
