"""Words that are hidden and told: which, how many, by what head; and the model that another run begins from."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import write_recipe, write_tiny_unigram
from tests.tiny_tasks import tiny_recipe
from transformers import AutoModelForMaskedLM, AutoTokenizer

import sibu
from sibu.core.errors import DataError, MissingExtra, SibuError
from sibu.core.text import Pieces, Window
from sibu.tasks._words import words_of
from sibu.tasks.mask import MaskSpec, build
from sibu.tasks.mask.task import IGNORED, Mask

PIECES = Pieces(4, "[MASK]", np.arange(5, 50), lambda ids: " ".join(map(str, ids)), lambda _: [])


def task(share: float = 0.15) -> Mask:
    found = Mask(share=share, words="whole", state=None)
    found.pieces = PIECES
    return found


@given(st.lists(st.integers(1, 4), min_size=1, max_size=40), st.floats(0.05, 0.6), st.integers(0, 99))
def test_whole_words_are_hidden_up_to_the_share(sizes: list[int], share: float, seed: int) -> None:
    words = np.array([-1, *(word for word, size in enumerate(sizes) for _ in range(size)), -1])
    ids = np.arange(len(words)) + 10
    shown, labels = task(share).corrupt(ids, words, np.random.default_rng(seed))
    hidden = labels != IGNORED
    assert hidden.any()
    assert (labels[hidden] == ids[hidden]).all()
    assert (shown[~hidden] == ids[~hidden]).all()
    assert not hidden[words < 0].any()
    for word in set(words[hidden]):
        assert hidden[words == word].all()
    wanted = max(round(share * sum(sizes)), 1)
    assert hidden.sum() <= max(wanted, max(sizes))


def test_most_become_the_mask_some_others_some_stay() -> None:
    draw = np.random.default_rng(1)
    ids = np.full(20, 7)
    kinds = {"mask": 0, "same": 0, "other": 0}
    for _ in range(400):
        shown, labels = task(0.3).corrupt(ids, np.arange(20), draw)
        for piece in shown[labels != IGNORED]:
            kinds["mask" if piece == 4 else "same" if piece == 7 else "other"] += 1
    total = sum(kinds.values())
    assert kinds["mask"] / total == pytest.approx(0.8, abs=0.04)
    assert kinds["same"] / total == pytest.approx(0.1, abs=0.03)
    assert kinds["other"] / total == pytest.approx(0.1, abs=0.03)


def test_words_of_pieces() -> None:
    text = "playing 北京大学"
    starts, ends = [0, 0, 4, 8, 9, 10, 11, 0], [0, 4, 7, 9, 10, 11, 12, 0]
    window = Window([2, 10, 11, 12, 13, 14, 15, 3], [0, 1, 1, 1, 1, 1, 1, 0], starts, ends, [])
    assert words_of(text, window, "whole").tolist() == [-1, 0, 0, 1, 2, 3, 4, -1]
    assert words_of(text, window, "pieces").tolist() == [-1, 1, 2, 3, 4, 5, 6, -1]


def test_words_of_chinese() -> None:
    pytest.importorskip("jieba", reason="the extra `chinese`")
    from sibu.core.units import chinese_words

    text = "我爱北京天安门, ok 头痛"
    assert [text[start:end] for start, end in chinese_words(text)] == [
        "我", "爱", "北京", "天安门", ",", "ok", "头痛"
    ]  # fmt: skip


def test_without_jieba_the_pip_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sibu.tasks.mask.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"'jieba', which is not installed.*sibu\[chinese\]"):
        build(MaskSpec(words="chinese"))


@pytest.fixture(scope="module")
def bundle(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("mask")
    return sibu.run(tiny_recipe("mask", "full", tiny_model, home, epochs=30, learning_rate=3e-3), out=home / "out")


def test_it_learns_the_texts(bundle: Path) -> None:
    evaluations = json.loads((bundle / "record.json").read_text())["evaluations"]
    scores = [each["scores"]["it"]["perplexity"] for each in evaluations]
    assert min(scores) < scores[0] / 2
    told = json.loads((bundle / "metrics.json").read_text())["it"]["test"]
    assert set(told) == {"perplexity", "accuracy"}


def test_masks_are_filled_in_as_transformers_does(bundle: Path) -> None:
    text = "42 in [MASK] the and [MASK] 北京 上 海"
    model = AutoModelForMaskedLM.from_pretrained(bundle / "model").eval()
    tokenizer = AutoTokenizer.from_pretrained(bundle / "model")
    encoded = tokenizer(text, return_tensors="pt", return_token_type_ids=False)
    with torch.inference_mode():
        chances = model(**encoded).logits[0].softmax(-1)
    places = (encoded["input_ids"][0] == tokenizer.convert_tokens_to_ids("[MASK]")).nonzero()[:, 0]
    best = chances[places].max(-1)
    words = tokenizer.convert_ids_to_tokens(best.indices)
    answer = sibu.load(bundle).predict(text)
    assert answer.value == text.replace("[MASK]", words[0], 1).replace("[MASK]", words[1], 1)
    assert answer.score == pytest.approx(float(best.values.prod()), abs=1e-5)


def test_figures_are_those_of_transformers(bundle: Path) -> None:
    """One text with its hidden pieces, by the model as transformers reads it."""
    from sibu.pipeline.corrupt import JUDGED
    from sibu.train.seed import generator

    opened = sibu.load(bundle)._opened
    own, text = opened.tasks["it"], "1 in the of to and 北京上海"
    ((window,),) = opened.text.prepare(own.inputs({"text": text}))
    words = own.targets({"text": text}, 0, window, gold=True)["words"]
    ids, labels = own.corrupt(np.array(window.input_ids), words, generator(JUDGED, "judge", 0))
    model = AutoModelForMaskedLM.from_pretrained(bundle / "model").eval()
    with torch.inference_mode():
        found = model(input_ids=torch.from_numpy(ids[None]), labels=torch.from_numpy(labels[None]))
    file = bundle.parent / "one.jsonl"
    file.write_text(json.dumps({"text": text}) + "\n")
    score = sibu.load(bundle).evaluate(file).scores["perplexity"].value
    assert score == pytest.approx(float(found.loss.exp()), rel=1e-4)


def test_another_run_begins_from_it(bundle: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify", "probe", bundle, tmp_path)
    sibu.run(recipe, out=tmp_path / "out")
    again = tiny_recipe("mask", "full", bundle, tmp_path, epochs=0)
    found = json.loads((sibu.run(again, out=tmp_path / "again") / "metrics.json").read_text())
    assert found["it"]["test"] == json.loads((bundle / "metrics.json").read_text())["it"]["test"]


def test_beside_a_task_with_labels(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("mask", "full", tiny_model, tmp_path)
    other = tiny_recipe("classify", "full", tiny_model, tmp_path)["tasks"]["it"]
    recipe["tasks"] = {"language": recipe["tasks"]["it"], "intent": other}
    opened = sibu.load(sibu.run(recipe, out=tmp_path / "out"))
    assert opened.predict("my bill", task="intent").value in ("appointment", "billing")


def test_nothing_to_fill_in_is_told(bundle: Path) -> None:
    with pytest.raises(DataError, match=r"the text has no mask\. Write \[MASK\] where a word is to be filled in"):
        sibu.load(bundle).predict("no mask here")


def test_what_does_not_go_together(tiny_model: Path, tiny_writer: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("mask", "lora", tiny_model, tmp_path)
    with pytest.raises(SibuError, match=r"method.*`lora` leaves weights as they are.*Choose `full`"):
        sibu.check(recipe)
    sibu.check(recipe | {"method": "full"})
    bare = tiny_recipe("mask", "full", write_tiny_unigram(tmp_path / "unigram"), tmp_path)
    lines = write_recipe(tmp_path / "bare.yaml", bare)
    said = (
        r"bare\.yaml:(\d+) tasks\.it\.type: the vocabulary of the model '.*' has no mask, which `mask` needs\. Take a "
    )
    with pytest.raises(SibuError, match=said) as caught:
        sibu.check(tmp_path / "bare.yaml")
    assert "type: mask" in lines[int(re.search(said, str(caught.value))[1])]
    assert sibu.check(tmp_path / "bare.yaml", f"model={tiny_model}").sound
    both = recipe | {"model": str(tiny_writer), "method": "full"}
    both["tasks"] = recipe["tasks"] | {"text": tiny_recipe("generate", "full", tiny_writer, tmp_path)["tasks"]["it"]}
    with pytest.raises(SibuError, match="no model does both"):
        sibu.check(both)


def test_a_file_of_lines(tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("mask", "full", tiny_model, tmp_path)
    file = tmp_path / "notes.txt"
    file.write_text("\n".join(f"{n} good book" if n % 2 else f"  我们在北京 {n} " for n in range(12)) + "\n\n")
    recipe["tasks"]["it"] |= {"reader": "lines", "data": {"train": str(file)}}
    assert sibu.run(recipe, out=tmp_path / "out")
    file.write_bytes(b"good\n\xff\xfe\n")
    with pytest.raises(DataError, match=r"notes\.txt:2"):
        sibu.run(recipe, out=tmp_path / "other")
