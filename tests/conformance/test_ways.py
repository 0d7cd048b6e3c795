"""Every way of learning from few labels or none: it runs, and the bundle answers as the run did."""

import json
from pathlib import Path

import pytest

import sibu
from tests.tiny_ways import WAYS, Home, tiny_way


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path, tiny_writer: Path) -> Home:
    return Home(tmp_path_factory.mktemp("ways"), tiny_model, tiny_writer)


@pytest.mark.parametrize("way", list(WAYS))
def test_it_learns_and_answers(way: str, home: Home, tmp_path: Path) -> None:
    recipe = tiny_way(way, "full", home)
    bundle = sibu.run(recipe, out=tmp_path / "out")
    known = json.loads((bundle / "metrics.json").read_text())["it"]["test"]
    report = sibu.load(bundle).evaluate(recipe["tasks"]["it"]["data"]["test"])
    assert {name: score.as_json() for name, score in report.scores.items()} == known
