"""A run in two processes learns what one process learns from the same batches."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import sibu
from tests.conftest import entity_rows, intent_rows, write_jsonl

FILES = ("labels.json", "metrics.json")


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> dict:
    """Two tasks whose losses are weighted by learned weights; no dropout, whose draws differ between processes."""
    home = tmp_path_factory.mktemp("processes")
    for split, seed in (("train", 0), ("test", 1)):
        write_jsonl(home / f"intent.{split}.jsonl", intent_rows(90, seed=seed))
        write_jsonl(home / f"ner.{split}.jsonl", entity_rows(70, seed=seed))
    return {
        "name": "several",
        "model": str(tiny_model),
        "modalities": [{"name": "text", "dropout": 0.0}],
        "tasks": {
            task: {
                "type": kind,
                "dropout": 0.0,
                "data": {"train": f"{home}/{file}.train.jsonl", "test": f"{home}/{file}.test.jsonl"},
            }
            for task, kind, file in (("intent", "classify", "intent"), ("entities", "tag", "ner"))
        },
        "train": {"epochs": 3, "learning_rate": 2e-3, "batch_tokens": 256, "weighting": "uncertainty"},
    }


def torchrun(file: Path, out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "0"]
    line += ["--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0", "-m", "sibu", "run", str(file)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*line, "--out", str(out), "--json", *more], capture_output=True, text=True, env=environment, timeout=250
    )


def test_two_processes_equal_one_with_two_batches_a_step(recipe: dict, tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    file = tmp_path / "recipe.yaml"
    file.write_text(yaml.safe_dump(recipe))
    one = sibu.run(file, ["train.accumulate=2"], out=tmp_path / "one")
    done = torchrun(file, tmp_path / "two")
    assert done.returncode == 0, done.stderr
    two = tmp_path / "two"
    assert Path(json.loads(done.stdout)["bundle"]) == two  # one of the two speaks, once
    assert not (tmp_path / "two.working").exists()
    for name in ("model/model.safetensors", "heads.safetensors"):
        first, second = load_file(one / name), load_file(two / name)
        assert first.keys() == second.keys()
        for key, array in first.items():
            assert abs(array - second[key]).max() < 2e-5, key
    record, known = (json.loads((bundle / "record.json").read_text()) for bundle in (two, one))
    assert record["steps"] == known["steps"]
    for task, splits in json.loads((one / "metrics.json").read_text()).items():
        found = json.loads((two / "metrics.json").read_text())[task]["test"]
        for metric, score in splits["test"].items():
            assert found[metric]["value"] == pytest.approx(score["value"], abs=0.02), (task, metric)
    again = sibu.load(two).evaluate(recipe["tasks"]["intent"]["data"]["test"], task="intent")
    assert (
        again.scores["accuracy"].as_json()
        == json.loads((two / "metrics.json").read_text())["intent"]["test"]["accuracy"]
    )


def test_a_fault_ends_both(recipe: dict, tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(yaml.safe_dump(recipe))
    done = torchrun(file, tmp_path / "out", "train.learning_rate=1e30", "train.clip=null")
    assert done.returncode != 0
    assert "The loss is not a finite number at step" in done.stderr
    assert not (tmp_path / "out").exists()
