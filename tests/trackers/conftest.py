"""A recipe to track, and what keeps the services' own files and settings out of the tests."""

import os
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from sibu.trackers import TRACKERS

RECIPE = {
    "name": "clinic-notes",
    "method": {"name": "lora", "rank": 8},
    "tasks": {"意图": {"type": "classify", "data": {"train": ["a.jsonl", "b.jsonl"], "dev": None}}},
    "train": {"learning_rate": 3e-4, "deterministic": True},
    "release": {"意图.accuracy": {"at_least": 0.9}},
    "track": [{"name": "tensorboard"}],
    "modalities": {},
}
FLAT = {
    "name": "clinic-notes",
    "method.name": "lora",
    "method.rank": 8,
    "tasks.意图.type": "classify",
    "tasks.意图.data.train": ["a.jsonl", "b.jsonl"],
    "tasks.意图.data.dev": None,
    "train.learning_rate": 3e-4,
    "train.deterministic": True,
    "release.意图.accuracy.at_least": 0.9,
    "track": [{"name": "tensorboard"}],
    "modalities": {},
}


def needs(library: str) -> pytest.MarkDecorator:
    """Skip without a library. It is not imported here: MLflow would send telemetry before a tracker can forbid it."""
    return pytest.mark.skipif(
        find_spec(library) is None, reason=f"{library} is not installed: pip install 'sibu[{library}]'"
    )


@contextmanager
def tracked(tracker, beside, *, run="clinic-notes", recipe=RECIPE, **options):
    """A run as ``run/`` opens it."""
    spec = TRACKERS[tracker].spec(**options)
    with TRACKERS.of(spec).build(spec)(Path(beside), run, recipe) as opened:
        yield opened


def told(caplog):
    """What the trackers said, without what the libraries did."""
    return [record.getMessage() for record in caplog.records if record.name == "sibu.trackers"]


@pytest.fixture(autouse=True)
def _settings_of_the_test_alone(monkeypatch, tmp_path_factory):
    home = str(tmp_path_factory.mktemp("home"))
    for name in list(os.environ):
        if name.startswith(("WANDB_", "MLFLOW_")):
            monkeypatch.delenv(name)
    for name in ("HOME", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR"):
        monkeypatch.setenv(name, home)
    monkeypatch.setenv("NETRC", f"{home}/netrc")
