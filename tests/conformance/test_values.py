"""Every modality with every task that can read it, and every fusion with every task: run, and answered the same."""

import json
from pathlib import Path

import pytest

import sibu
from sibu.core.errors import RecipeError
from sibu.fusions import FUSIONS
from sibu.modalities import MODALITIES
from tests.tiny_values import ALONE, BESIDE, MATCH, VALUES, tiny_mixed

CELLS = [
    *((task, (name,)) for name in VALUES for task in ALONE),
    *((task, ("text", name)) for name in VALUES for task in BESIDE),
    *((MATCH, ("text", name)) for name in VALUES),
]
JOINED = [(fusion, task) for fusion in FUSIONS if fusion != "identity" for task in ("classify", "regress", "tag")]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("values")


def the_same_again(recipe: dict, out: Path) -> None:
    """It runs, and the bundle answers as the run did."""
    bundle = sibu.run(recipe, out=out)
    known = json.loads((bundle / "metrics.json").read_text())["it"]["test"]
    report = sibu.load(bundle).evaluate(recipe["tasks"]["it"]["data"]["test"])
    assert {name: score.as_json() for name, score in report.scores.items()} == known


def test_all_are_here() -> None:
    assert {"text", *VALUES} == set(MODALITIES)


@pytest.mark.parametrize(("task", "modalities"), CELLS, ids=lambda part: part if isinstance(part, str) else part[-1])
def test_a_modality(task: str, modalities: tuple[str, ...], home: Path, tiny_model: Path, tmp_path: Path) -> None:
    the_same_again(tiny_mixed(task, modalities, tiny_model, home), tmp_path / "out")


@pytest.mark.parametrize(("fusion", "task"), JOINED)
def test_a_fusion(fusion: str, task: str, home: Path, tiny_model: Path, tmp_path: Path) -> None:
    recipe = tiny_mixed(task, ("text", "table", "series"), tiny_model, home, fusion=fusion)
    if fusion == "late" and task == "tag":
        with pytest.raises(RecipeError, match="`late` votes on labels and numbers"):
            sibu.run(recipe, out=tmp_path / "out")
        return
    the_same_again(recipe, tmp_path / "out")
