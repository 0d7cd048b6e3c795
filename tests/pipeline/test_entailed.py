"""Labels by entailment: a bundle that judges pairs answers for other tasks."""

import json
import math
from pathlib import Path

import pytest
from safetensors.torch import load_file

import sibu
from sibu.core.errors import RecipeError, SibuError
from tests.conftest import write_jsonl

RELATIONS = ("contradiction", "entailment", "neutral")


@pytest.fixture(scope="module")
def judge(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that was trained on pairs, beside a task on single texts."""
    folder = tmp_path_factory.mktemp("judge")
    rows = [{"text": f"{n} good book pain", "text_pair": f"good {n}", "label": RELATIONS[n % 3]} for n in range(12)]
    write_jsonl(folder / "pairs.jsonl", rows)
    write_jsonl(folder / "single.jsonl", [{"text": f"book {n}", "label": "ab"[n % 2]} for n in range(8)])
    tasks = {
        "nli": {"type": "classify", "data": {"train": str(folder / "pairs.jsonl")}},
        "other": {"type": "classify", "data": {"train": str(folder / "single.jsonl")}},
    }
    recipe = {"name": "judge", "model": str(tiny_model), "tasks": tasks, "train": {"epochs": 2, "learning_rate": 1e-3}}
    return sibu.run(recipe, out=folder / "out")


def asked(judge: Path, folder: Path, **more: object) -> dict:
    """A recipe without training data that borrows the judge's head."""
    rows = [{"text": f"{n} good book", "label": "book"} for n in range(6)]
    write_jsonl(folder / "test.jsonl", [*rows, {"text": "北京在上海", "label": "city"}])
    task = {"type": "classify", "entailed": True, "labels": ["book", "city"], **more}
    data = {"test": str(folder / "test.jsonl")}
    return {"name": "asked", "model": str(judge), "tasks": {"it": {"data": data} | task}, "train": {"epochs": 0}}


def odds(judge: Path, text: str, sentence: str) -> float:
    """The judge's log odds that the sentence follows."""
    scores = sibu.load(judge).predict({"text": text, "text_pair": sentence}, task="nli").scores
    assert scores is not None
    return math.log(scores["entailment"] / (1 - scores["entailment"]))


def test_scores_are_the_judges_own(judge: Path, tmp_path: Path) -> None:
    words = {"book": ["good book", "pain"], "city": "北京"}
    bundle = sibu.run(asked(judge, tmp_path, descriptions=words), out=tmp_path / "out")
    text = "42 good pain"
    book = [odds(judge, text, f"This text is about {word}.") for word in words["book"]]
    city = odds(judge, text, "这段文字是关于北京的。")
    share = 1 / (1 + math.exp(city - sum(book) / 2))
    scores = sibu.load(bundle).predict(text).scores
    assert scores == pytest.approx({"book": share, "city": 1 - share}, abs=2e-5)
    assert "it" in json.loads((bundle / "metrics.json").read_text())


def test_several_labels_each_by_its_own_odds(judge: Path, tmp_path: Path) -> None:
    own = {"templates": ["{}"], "task": "nli", "entailment": "entailment"}
    recipe = asked(judge, tmp_path, entailed=own, multi_label=True)
    recipe["tasks"]["it"]["data"] = {}
    opened = sibu.load(sibu.run(recipe, out=tmp_path / "out"))
    given = 1 / (1 + math.exp(-odds(judge, "good", "book")))
    assert opened.predict("good").scores["book"] == pytest.approx(given, abs=2e-5)


def test_another_label_may_mean_that_it_follows(judge: Path, tmp_path: Path) -> None:
    recipe = asked(judge, tmp_path, entailed={"entailment": "neutral", "templates": ["{}"]})
    scores = sibu.load(sibu.run(recipe, out=tmp_path / "out")).predict("good").scores
    assert scores is not None
    found = [
        sibu.load(judge).predict({"text": "good", "text_pair": w}, task="nli").scores["neutral"]
        for w in ("book", "city")
    ]
    logits = [math.log(p / (1 - p)) for p in found]
    assert scores["book"] == pytest.approx(1 / (1 + math.exp(logits[1] - logits[0])), abs=2e-5)


def test_a_row_teaches_which_sentences_follow(judge: Path, tmp_path: Path) -> None:
    rows = [{"text": f"{n} {'good' if n % 2 else 'pain'}", "label": ("book", "city")[n % 2]} for n in range(16)]
    write_jsonl(tmp_path / "train.jsonl", rows)
    recipe = asked(judge, tmp_path)
    recipe["tasks"]["it"]["data"] = {"train": str(tmp_path / "train.jsonl"), "shots": 6}
    recipe["train"] = {"epochs": 1}
    opened = sibu.load(sibu.run(recipe, out=tmp_path / "out"))
    task = opened._opened.tasks["it"]
    found = [int(task.targets(rows[1], number, None, gold=True)["label"]) for number in range(2)]
    assert [RELATIONS[each] for each in found] == ["contradiction", "entailment"]
    weights = load_file(tmp_path / "out" / "heads.safetensors")["heads.it.project.weight"]
    lent = load_file(judge / "heads.safetensors")["heads.nli.project.weight"]
    assert weights.shape == lent.shape
    assert 0 < (weights - lent).abs().max() < 0.05  # it went on from there


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"entailed": {"task": "other"}},
            "has no task 'other' that gives pairs of texts a label by a linear head. It has: nli.",
        ),
        ({"entailed": {"entailment": "follows"}}, "no label of 'nli' is called 'follows'"),
        ({"head": "labels"}, "Leave out `head` or `entailed`."),
        ({"written": True}, "told in one way, given `written` and `entailed`: leave one out"),
        ({"entailed": {"templates": ["about"]}}, "one `{}` where the label's words go"),
    ],
)
def test_what_cannot_be_is_said(judge: Path, tmp_path: Path, change: dict, said: str) -> None:
    with pytest.raises(SibuError) as caught:
        sibu.check(asked(judge, tmp_path, **change))
    assert said.lower() in str(caught.value).lower()


def test_a_model_that_is_no_bundle_lends_nothing(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"needs a bundle that was trained on entailment.*premise, hypothesis"):
        sibu.check(asked(tiny_model, tmp_path))
