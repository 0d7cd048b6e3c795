"""Every head with one label and several, trained and with a frozen encoder: the bundle answers as the run did."""

import json
from pathlib import Path

import pytest

import sibu
from sibu.core.errors import RecipeError
from sibu.heads import HEADS
from tests.tiny_tasks import tiny_recipe


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("heads")


@pytest.mark.parametrize("method", ["full", "lora", "probe"])
@pytest.mark.parametrize("task", ["classify", "classify, several labels"])
@pytest.mark.parametrize("head", list(HEADS))
def test_it_learns_and_answers(head: str, task: str, method: str, tiny_model: Path, home: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe(task, method, tiny_model, home, epochs=2)
    recipe["tasks"]["it"]["head"] = head
    if task.endswith("labels") and not getattr(HEADS[head].spec, "several", True):
        with pytest.raises(RecipeError, match=r"`prototypes` gives a text one label, and it's have several"):
            sibu.run(recipe, out=tmp_path / "out")
        return
    bundle = sibu.run(recipe, out=tmp_path / "out")
    record = json.loads((bundle / "record.json").read_text())
    nothing = method == "probe" and getattr(HEADS[head].spec, "fits", False)
    assert (record["steps"]["done"] == 0) == nothing
    assert sibu.check(recipe).steps == record["steps"]["planned"] or not nothing
    known = json.loads((bundle / "metrics.json").read_text())["it"]["test"]
    opened = sibu.load(bundle)
    report = opened.evaluate(recipe["tasks"]["it"]["data"]["test"])
    assert {name: score.as_json() for name, score in report.scores.items()} == known
    answer = opened.predict("42 i have pain")
    assert answer.scores is not None
    if not task.endswith("labels"):
        assert sum(answer.scores.values()) == pytest.approx(1, abs=1e-4)
