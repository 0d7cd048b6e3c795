"""What lies in the file that ``wandb sync`` would send."""

import io
import json
import struct
import subprocess
import sys

import pytest

from sibu.core.errors import RecipeError

from .conftest import RECIPE, needs, told, tracked

pytestmark = needs("wandb")


@pytest.fixture(autouse=True)
def _no_process_stays():
    yield
    if "wandb" in sys.modules:
        sys.modules["wandb"].teardown()


def records(folder):
    """The records of the one run under a folder: a LevelDB log, in blocks of 32 KiB, of protocol buffers."""
    import wandb
    from wandb.proto import wandb_internal_pb2

    wandb.teardown()  # W&B's own process has the last records on disk only some milliseconds after a run's end
    [file] = folder.glob("wandb/offline-run-*/run-*.wandb")
    data, found, part = file.read_bytes(), [], b""
    position = 7  # after the file's own head
    while position + 7 <= len(data):
        left = 32768 - position % 32768
        if left < 7:
            position += left
            continue
        _, length, kind = struct.unpack_from("<IHB", data, position)
        part += data[position + 7 : position + 7 + length]
        position += 7 + length
        if kind in (1, 4):  # whole, or the last part
            record = wandb_internal_pb2.Record.FromString(part)
            found.append((record.WhichOneof("record_type"), record))
            part = b""
    return found


def history(found):
    rows = []
    for kind, record in found:
        if kind == "history":
            row = {".".join(item.nested_key) or item.key: json.loads(item.value_json) for item in record.history.item}
            rows.append({name: value for name, value in row.items() if name not in ("_timestamp", "_runtime")})
    return rows


def test_run_lies_in_the_folder(tmp_path):
    with tracked("wandb", tmp_path / "runs") as run:
        for step in range(41, 341):
            run.log(step, {"loss": 1 / step, "learning_rate": 1e-4})
            if step % 100 == 0:
                run.log(step, {"dev/意图.accuracy": step / 1000})
    found = records(tmp_path / "runs")
    expected = [{"loss": 1 / step, "learning_rate": 1e-4, "_step": step} for step in range(41, 341)]
    for row in expected:
        if row["_step"] % 100 == 0:
            row["dev/意图/accuracy"] = row["_step"] / 1000
    assert history(found) == expected
    [begun] = [record.run for kind, record in found if kind == "run"]
    config = {update.key: json.loads(update.value_json) for update in begun.config.update}
    assert {key: value for key, value in config.items() if key != "_wandb"} == RECIPE
    assert (begun.display_name, begun.project, begun.entity) == ("clinic-notes", "sibu", "")
    [ended] = [record.exit for kind, record in found if kind == "exit"]
    assert ended.exit_code == 0


def test_nothing_is_gathered_besides(tmp_path):
    code = f"""
from pathlib import Path
from sibu.trackers import TRACKERS
entry = TRACKERS["wandb"]
with entry.build(entry.spec())(Path({str(tmp_path)!r}), "a", {{}}) as run:
    run.log(1, {{"loss": 1.0}})
    print("said on the console")
    __import__("time").sleep(0.5)
"""
    said = subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, capture_output=True, text=True)
    assert (said.stdout, said.stderr) == ("said on the console\n", "")
    assert {kind for kind, _ in records(tmp_path)} == {"header", "run", "telemetry", "summary", "history", "exit"}
    [begun] = [record.run for kind, record in records(tmp_path) if kind == "run"]
    assert (begun.host, begun.git.remote_url, begun.git.commit) == ("", "", "")
    [place] = tmp_path.glob("wandb/*")
    files = [path for path in place.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".log", ".wandb"}
    assert not [path for path in files if b"said on the console" in path.read_bytes()]


def test_error_reports_are_off(tmp_path):
    with tracked("wandb", tmp_path):
        from wandb.env import error_reporting_enabled

        assert not error_reporting_enabled()


def test_a_run_that_fails_is_closed_as_failed(tmp_path):
    with pytest.raises(KeyError, match="mine"), tracked("wandb", tmp_path) as run:
        run.log(1, {"loss": 1.0})
        raise KeyError("mine")
    found = records(tmp_path)
    assert history(found) == [{"loss": 1.0, "_step": 1}]
    [ended] = [record.exit for kind, record in found if kind == "exit"]
    assert ended.exit_code == 1


def test_figures_that_are_no_numbers(tmp_path, caplog):
    with tracked("wandb", tmp_path) as run:
        run.log(1, {"loss": float("nan")})
        run.log(2, {"loss": float("inf"), "f1": 0.5})
    assert history(records(tmp_path)) == [{"f1": 0.5, "_step": 2}]
    assert told(caplog) == ["wandb: figures that were no finite numbers were not sent: loss (2)."]


def test_project_and_entity(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_PROJECT", "other")
    with tracked("wandb", tmp_path / "a", entity="team"):
        pass
    with tracked("wandb", tmp_path / "b", project="own"):
        pass
    found = [record.run for place in "ab" for kind, record in records(tmp_path / place) if kind == "run"]
    assert [(run.entity, run.project) for run in found] == [("team", "other"), ("", "own")]


@pytest.mark.parametrize("options", [{"mode": "disabled"}, {}])
def test_disabled_writes_nothing(options, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "disabled")
    with tracked("wandb", tmp_path, **options) as run:
        run.log(1, {"loss": 1.0})
    assert not list(tmp_path.rglob("*.wandb"))


def test_the_recipe_goes_before_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "online")
    with tracked("wandb", tmp_path, mode="offline") as run:
        run.log(1, {"loss": 1.0})
    assert history(records(tmp_path))


def test_online_without_a_key(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO())  # no terminal: W&B would ask there
    with pytest.raises(RecipeError, match=r"track: wandb: the run could not be opened: .*`mode: offline`"):  # noqa: SIM117
        with tracked("wandb", tmp_path, mode="online"):
            pass


def test_a_run_of_the_user_stays_open(tmp_path):
    import wandb

    (tmp_path / "own").mkdir()
    settings = wandb.Settings(silent=True, console="off", x_disable_stats=True, disable_git=True)
    own = wandb.init(project="own", dir=str(tmp_path / "own"), mode="offline", settings=settings)
    with tracked("wandb", tmp_path / "runs") as run:
        run.log(1, {"loss": 1.0})
    assert wandb.run is own
    own.log({"mine": 1})
    own.finish()
    assert history(records(tmp_path / "runs")) == [{"loss": 1.0, "_step": 1}]
    assert history(records(tmp_path / "own")) == [{"mine": 1, "_step": 0}]


@pytest.mark.parametrize(
    ("name", "mended"),
    [
        ("loss", "loss"),
        ("dev/intent.accuracy", "dev/intent/accuracy"),
        ("dev/意图.f1@3 (a)", "dev/意图/f1_3__a_"),
        ("意图", "意图"),
        ("_step", "m_step"),
        ("5-fold", "m5_fold"),
        ("", "m"),
    ],
)
def test_names(name, mended):
    from sibu.trackers.wandb import writer

    assert writer.mended(name) == mended
