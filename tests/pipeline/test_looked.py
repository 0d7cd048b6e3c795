"""What was seen of the data is kept by content: found again when nothing changed, made anew when anything did."""

from pathlib import Path

import pytest

import sibu
from sibu.pipeline import looked
from tests.conftest import intent_rows, write_jsonl
from tests.tiny_tasks import TASKS, tiny_model_for, tiny_recipe


class Worked(Exception):
    """The gate looked at rows."""


@pytest.fixture
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise Worked

    monkeypatch.setattr(looked, "survey", refuse)
    monkeypatch.setattr(looked, "compare_splits", refuse)


@pytest.mark.parametrize("task", list(TASKS))
def test_the_second_look_costs_nothing_and_says_the_same(
    task: str,
    tiny_model: Path,
    tiny_writer: Path,
    tiny_translator: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    model = tiny_model_for(task, tiny_model, tiny_writer, tiny_translator)
    recipe = tiny_recipe(task, "full", model, tmp_path)
    first = sibu.check(recipe).as_json()
    request.getfixturevalue("no_work")
    assert sibu.check(recipe).as_json() == first


@pytest.mark.parametrize(
    "change",
    [
        {"modalities": [{"name": "text", "max_length": 32}]},
        {"train": {"seed": 14}},  # another dev split
    ],
)
def test_a_change_is_seen(change: dict, tiny_model: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path)
    recipe["tasks"]["it"]["data"].pop("dev", None)
    sibu.check(recipe)
    request.getfixturevalue("no_work")
    with pytest.raises(Worked):
        sibu.check(recipe | change)


def test_faults_come_back_with_their_counts(tiny_model: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    recipe = tiny_recipe("classify", "full", tiny_model, tmp_path)
    rows = intent_rows(40)
    write_jsonl(Path(recipe["tasks"]["it"]["data"]["train"]), [*rows, *rows, {"text": "", "label": "billing"}])
    first = sibu.check(recipe).as_json()
    assert first["errors"] == 1
    assert next(each["count"] for each in first["counts"] if each["kind"] == "duplicate") == 40
    request.getfixturevalue("no_work")
    assert sibu.check(recipe).as_json() == first
