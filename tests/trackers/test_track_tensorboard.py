"""What TensorBoard itself reads from the event files."""

import subprocess
import sys

import numpy as np
import pytest

from .conftest import FLAT, RECIPE, needs, told, tracked

pytestmark = needs("tensorboard")


def read(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return EventAccumulator(str(folder)).Reload()


def sessions(folder):
    """What the tab HParams knows of a run: the recipe's values, and the status."""
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    found = read(folder).PluginTagToContent("hparams")
    start = HParamsPluginData.FromString(found["_hparams_/session_start_info"]).session_start_info
    end = HParamsPluginData.FromString(found["_hparams_/session_end_info"]).session_end_info
    return {name: getattr(value, value.WhichOneof("kind")) for name, value in start.hparams.items()}, end.status


def test_figures_come_back(tmp_path):
    losses = np.random.default_rng(0).random(200)
    with tracked("tensorboard", tmp_path) as run:
        for step, loss in enumerate(losses, start=41):
            run.log(step, {"loss": loss, "learning_rate": 1e-4})
            if step % 50 == 0:
                run.log(step, {"dev/意图.accuracy": step / 1000})
    back = read(tmp_path / "tensorboard" / "clinic-notes" / "1")
    assert set(back.Tags()["scalars"]) == {"loss", "learning_rate", "dev/意图.accuracy"}
    assert [event.step for event in back.Scalars("loss")] == list(range(41, 241))
    assert [event.value for event in back.Scalars("loss")] == losses.astype(np.float32).tolist()
    found = [(event.step, event.value) for event in back.Scalars("dev/意图.accuracy")]
    assert found == [(step, np.float32(step / 1000)) for step in (50, 100, 150, 200)]


def test_every_figure_is_on_disk_at_once(tmp_path):
    with tracked("tensorboard", tmp_path) as run:
        run.log(1, {"loss": 0.5})
        assert [event.value for event in read(tmp_path / "tensorboard" / "clinic-notes" / "1").Scalars("loss")] == [0.5]


def test_recipe_and_end_are_in_the_tab_hparams(tmp_path):
    from tensorboard.plugins.hparams.api_pb2 import Status

    with tracked("tensorboard", tmp_path):
        pass
    with pytest.raises(KeyError, match="mine"), tracked("tensorboard", tmp_path):
        raise KeyError("mine")
    values, status = sessions(tmp_path / "tensorboard" / "clinic-notes" / "1")
    texts = {"tasks.意图.data.train": '["a.jsonl", "b.jsonl"]', "tasks.意图.data.dev": "null"}
    assert values == FLAT | texts | {"track": '[{"name": "tensorboard"}]', "modalities": "{}"}
    assert type(values["train.deterministic"]) is bool
    assert status == Status.STATUS_SUCCESS
    assert sessions(tmp_path / "tensorboard" / "clinic-notes" / "2")[1] == Status.STATUS_FAILURE


def test_figures_that_are_no_numbers(tmp_path, caplog):
    with tracked("tensorboard", tmp_path) as run:
        run.log(1, {"loss": float("nan")})
        run.log(2, {"loss": float("inf"), "f1": 0.5})
    back = read(tmp_path / "tensorboard" / "clinic-notes" / "1")
    assert back.Tags()["scalars"] == ["f1"]
    assert told(caplog) == ["tensorboard: figures that were no finite numbers were not sent: loss (2)."]


@pytest.mark.parametrize(
    ("folder", "place"), [(None, "runs/tensorboard"), ("a/b", "runs/a/b"), ("{tmp}/else", "else"), ("~/tb", "home/tb")]
)
def test_folder(folder, place, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    given = folder and folder.format(tmp=tmp_path)
    with tracked("tensorboard", tmp_path / "runs", run="a run", folder=given) as run:
        run.log(1, {"loss": 1})
    assert [file.parent for file in tmp_path.rglob("*tfevents*")] == [tmp_path / place / "a run" / "1"]


def test_each_start_is_a_run_of_its_own(tmp_path):
    for _ in range(2):
        with tracked("tensorboard", tmp_path), tracked("tensorboard", tmp_path):
            pass
    parent = tmp_path / "tensorboard" / "clinic-notes"
    (parent / "3" / "events").mkdir()
    (parent / "note").mkdir()
    assert sorted(path.name for path in parent.iterdir()) == ["1", "2", "3", "4", "note"]
    with tracked("tensorboard", tmp_path):
        pass
    assert len(list((parent / "5").iterdir())) == 1


def test_neither_torch_nor_tensorflow_is_imported(tmp_path):
    (tmp_path / "tensorflow.py").write_text("raise SystemExit('tensorflow was imported')")
    code = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(tmp_path)!r})
from sibu.trackers import TRACKERS
entry = TRACKERS["tensorboard"]
with entry.build(entry.spec())(Path({str(tmp_path)!r}), "a", {RECIPE!r}) as run:
    run.log(1, {{"loss": 1.0}})
assert not {{"torch", "tensorflow"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, cwd=tmp_path)
