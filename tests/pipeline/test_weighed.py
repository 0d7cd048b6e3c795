"""Labels weighed by their likelihood, and rows shown before a question."""

import json
from pathlib import Path

import numpy as np
import pytest

import sibu
from sibu.core.errors import RecipeError, SibuError
from tests.tiny_tasks import tiny_recipe


def weighed(recipe: dict, **written: object) -> dict:
    recipe["tasks"]["it"]["written"] = {"instruction": "Which?", "max_new_tokens": 40, "by": "likelihood"} | written
    return recipe


@pytest.mark.parametrize("writer", ["causal", "encoder-decoder"])
@pytest.mark.parametrize("calibrate", [False, True])
def test_scores_are_the_labels_likelihoods(
    writer: str, calibrate: bool, tiny_writer: Path, tiny_translator: Path, tmp_path: Path
) -> None:
    """Against the likelihood of each label as a right answer, row by row."""
    model = tiny_writer if writer == "causal" else tiny_translator
    recipe = weighed(tiny_recipe("classify, written", "full", model, tmp_path), calibrate=calibrate)
    opened = sibu.load(sibu.run(recipe, out=tmp_path / "out"))
    labels = list(opened._opened.tasks["it"].inner.labels)
    own = opened._opened.writer("it")

    def likely(text: str) -> np.ndarray:
        found = own.losses([{"text": text, "label": label} for label in labels])
        return -np.array([each[0, 0] for each in found])

    for text in ("7 pay my bill", "i have pain since monday and it is bad"):
        scores = likely(text) - (likely("N/A") if calibrate else 0)
        wanted = np.exp(scores - scores.max())
        answer = opened.predict(text)
        assert answer.scores is not None
        assert [answer.scores[label] for label in labels] == pytest.approx(wanted / wanted.sum(), abs=2e-6)
        assert answer.value == labels[int(wanted.argmax())]
        assert answer.score == pytest.approx(max(answer.scores.values()))
    known = json.loads((tmp_path / "out/metrics.json").read_text())["it"]["test"]
    report = opened.evaluate(recipe["tasks"]["it"]["data"]["test"])
    assert {name: score.as_json() for name, score in report.scores.items()} == known


def test_without_a_labelled_row(tiny_writer: Path, tmp_path: Path) -> None:
    recipe = weighed(tiny_recipe("classify, written", "full", tiny_writer, tmp_path, epochs=0))
    words = {"appointment": "when to come", "billing": ["an invoice", "a payment"]}
    recipe["tasks"]["it"] |= {"descriptions": words, "data": {"test": recipe["tasks"]["it"]["data"]["test"]}}
    recipe["tasks"]["it"]["written"].pop("instruction")
    bundle = sibu.run(recipe, out=tmp_path / "out")
    opened = sibu.load(bundle)
    assert opened.predict("pay my bill").value in words
    asked = opened._opened.tasks["it"].prompt({"text": "pay my bill"}).messages[-1][1]
    assert "appointment (when to come), billing (an invoice; a payment)" in asked


def test_a_bundle_that_writes_can_weigh(tiny_writer: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe("classify, written", "full", tiny_writer, tmp_path)
    opened = sibu.load(sibu.run(recipe, out=tmp_path / "out"))
    assert opened.predict("pay my bill").scores is None
    answer = opened.answering("written.by=likelihood").predict("pay my bill")
    assert answer.scores is not None
    assert sum(answer.scores.values()) == pytest.approx(1, abs=1e-5)


def test_several_labels_are_written(tiny_writer: Path, tmp_path: Path) -> None:
    recipe = weighed(tiny_recipe("classify, several labels, written", "full", tiny_writer, tmp_path))
    with pytest.raises(SibuError, match=r"tells one label, and inputs have several\. Say `by: writing`"):
        sibu.check(recipe)
    recipe["tasks"]["it"]["written"]["by"] = "writing"
    bundle = sibu.run(recipe, out=tmp_path / "out")
    with pytest.raises(SibuError, match="tells one label"):
        sibu.load(bundle).answering("written.by=likelihood")


def test_nothing_is_heard_where_nothing_is_written(tiny_writer: Path, tmp_path: Path) -> None:
    recipe = weighed(tiny_recipe("classify, written", "full", tiny_writer, tmp_path))
    opened = sibu.load(sibu.run(recipe, out=tmp_path / "out"))
    with pytest.raises(RecipeError, match="weighs its labels and writes none"):
        opened.tell("pay my bill", lambda _: None)


@pytest.mark.parametrize("task", ["classify, written", "tag, written", "generate"])
def test_training_rows_are_shown(task: str, tiny_writer: Path, tmp_path: Path) -> None:
    """Two turns an example before the question; none of dev or test, nor the row itself; the bundle shows the same."""
    recipe = tiny_recipe(task, "full", tiny_writer, tmp_path, epochs=0)
    block = recipe["tasks"]["it"]
    if task == "generate":
        block["examples"] = 2
    else:
        block["written"]["examples"] = 2
    bundle = sibu.run(recipe, out=tmp_path / "out")
    opened = sibu.load(bundle)
    own = opened._opened.tasks["it"]
    rows = [json.loads(line) for line in Path(block["data"]["train"]).read_text().splitlines()]
    texts = [row["text"] for row in rows if row.get("text")]
    for text in (texts[0], "42 i have pain"):
        turns = own.prompt({"text": text}).messages
        assert [role for role, _ in turns] == ["user", "assistant"] * 2 + ["user"]
        shown = [said for role, said in turns[:-1] if role == "user"]
        assert set(shown) <= set(texts)
        assert text not in shown
    record = json.loads((bundle / "record.json").read_text())
    assert len(own.examples) <= record["rows"]["it"]["train"] < len(rows)
    known = json.loads((bundle / "metrics.json").read_text())["it"]["test"]
    report = opened.evaluate(block["data"]["test"])
    assert {name: score.as_json() for name, score in report.scores.items()} == known


def test_only_the_answer_is_learned(tiny_writer: Path, tmp_path: Path) -> None:
    """What is shown is read: with `turns: all` too."""
    recipe = tiny_recipe("generate", "full", tiny_writer, tmp_path)
    recipe["tasks"]["it"] |= {"examples": 1}
    from sibu.pipeline.plan import make_plan
    from sibu.pipeline.progress import Silent
    from sibu.recipe.load import load_recipe

    plain, shown = (
        make_plan(load_recipe(recipe, [f"tasks.it.examples={count}"]), Silent(), encode=True).tasks["it"]
        for count in (0, 1)
    )
    for record, row in enumerate(plain.splits["train"]):
        one, two = (plan.targets.get("labels", record) for plan in (plain, shown))
        if row.get("messages") is None:
            assert one[one != -100].tolist() == two[two != -100].tolist()
