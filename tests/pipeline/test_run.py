"""A whole run on a tiny model: recipe to bundle to predictions."""

import json
from pathlib import Path

import pytest

import sibu
from tests.conftest import entity_rows, intent_rows, write_jsonl


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> dict:
    home = tmp_path_factory.mktemp("data")
    write_jsonl(home / "intent.train.jsonl", intent_rows(80))
    write_jsonl(home / "intent.test.jsonl", intent_rows(30, seed=1))
    write_jsonl(home / "ner.train.jsonl", entity_rows(80))
    write_jsonl(home / "ner.test.jsonl", entity_rows(30, seed=1))
    return {
        "name": "tiny",
        "model": str(tiny_model),
        "tasks": {
            "intent": {"type": "classify", "data": {k: str(home / f"intent.{k}.jsonl") for k in ("train", "test")}},
            "entities": {"type": "tag", "data": {k: str(home / f"ner.{k}.jsonl") for k in ("train", "test")}},
        },
        "train": {"epochs": 6, "learning_rate": 3e-3, "batch_tokens": 256, "seed": 5},
    }


@pytest.fixture(scope="module")
def bundle(recipe: dict, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sibu.run(recipe, out=tmp_path_factory.mktemp("runs") / "tiny")


def test_it_learns(bundle: Path) -> None:
    metrics = json.loads((bundle / "metrics.json").read_text())
    accuracy = metrics["intent"]["test"]["accuracy"]
    assert accuracy["low"] <= accuracy["value"] <= accuracy["high"]
    assert accuracy["value"] > 0.8
    assert metrics["entities"]["test"]["f1"]["value"] > 0.6


def test_the_bundle_is_whole(bundle: Path) -> None:
    names = {path.name for path in bundle.iterdir()}
    assert {"bundle.json", "recipe.yaml", "model", "heads.safetensors", "labels.json", "metrics.json"} <= names
    assert {"record.json", "README.md", "report.html"} <= names
    assert not bundle.with_name("tiny.working").exists()
    assert not [path for path in bundle.rglob("*") if path.suffix in {".pkl", ".bin", ".pt", ".pth"}]


def test_predictions_come_in_order(bundle: Path) -> None:
    model = sibu.load(bundle)
    texts = ["please book the appointment", "pay my bill", "x " * 40 + "bill"]
    together = model.predict(texts, task="intent")
    assert [p.value for p in together][:2] == ["appointment", "billing"]
    for text, prediction in zip(texts, together, strict=True):
        alone = model.predict(text, task="intent")
        assert alone.value == prediction.value
        assert alone.score == pytest.approx(prediction.score, abs=1e-5)


def test_evaluation_of_the_test_file_equals_the_run(bundle: Path, recipe: dict) -> None:
    known = json.loads((bundle / "metrics.json").read_text())
    for task, block in recipe["tasks"].items():
        report = sibu.load(bundle).evaluate(block["data"]["test"], task=task)
        assert {name: score.as_json() for name, score in report.scores.items()} == known[task]["test"]


def test_the_same_recipe_gives_the_same_bits(bundle: Path, recipe: dict, tmp_path: Path) -> None:
    again = sibu.run(recipe, out=tmp_path / "again")
    for file in ("model/model.safetensors", "heads.safetensors", "labels.json", "metrics.json"):
        assert (again / file).read_bytes() == (bundle / file).read_bytes(), file
