"""What stands in MLflow's database."""

import json
import os
import socket
import sqlite3
import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sibu.core.errors import RecipeError

from .conftest import FLAT, needs, told, tracked

pytestmark = [
    needs("mlflow"),
    # MLflow 3.17 maps its tables with an option that SQLAlchemy 2.1 gives up; nothing of ours, and it works.
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """One folder of runs for all tests, as making the tables takes seconds; two processes make it at once.

    Its name has what a URI gives a meaning. SQLite does not wait for the disk here, which would take most of the time.
    """
    folder = tmp_path_factory.mktemp("runs") / "50%20 #é"
    code = f"""
from pathlib import Path
from sqlalchemy import Engine, event
from sibu.trackers import TRACKERS
event.listen(Engine, "connect", lambda connection, record: connection.execute("pragma synchronous=off"))
entry = TRACKERS["mlflow"]
with entry.build(entry.spec())(Path({str(folder)!r}), "sweep", {{}}) as run:
    run.log(1, {{"loss": 1.0}})
"""
    started = [subprocess.Popen([sys.executable, "-c", code], cwd=folder.parent) for _ in range(2)]
    assert [process.wait() for process in started] == [0, 0]
    return folder


def ask(folder, query, *values):
    connection = sqlite3.connect(folder / "mlflow.db")
    try:
        return connection.execute(query, values).fetchall()
    finally:
        connection.close()


def metrics(run, folder):
    query = "select key, step, value from metrics where run_uuid = ? order by step, key"
    return ask(folder, query, run.run_id)


def status(run, folder):
    return ask(folder, "select status, name, end_time is not null from runs where run_uuid = ?", run.run_id)


def test_figures_and_recipe_come_back(runs):
    with tracked("mlflow", runs) as run:
        for step in range(41, 1141):  # more than a batch holds
            run.log(step, {"loss": 1 / step})
        run.log(1140, {"dev/意图.accuracy": 0.75})
    expected = [("loss", step, 1 / step) for step in range(41, 1141)]
    assert metrics(run, runs) == [*expected[:-1], ("dev/意图.accuracy", 1140, 0.75), expected[-1]]
    params = dict(ask(runs, "select key, value from params where run_uuid = ?", run.run_id))
    assert params == {name: value if isinstance(value, str) else json.dumps(value) for name, value in FLAT.items()}
    assert status(run, runs) == [("FINISHED", "clinic-notes", 1)]
    of_run = "select e.name, artifact_location from experiments e join runs r using (experiment_id) where run_uuid = ?"
    assert ask(runs, of_run, run.run_id) == [("clinic-notes", (runs / "mlflow").as_uri())]
    assert ask(runs, "select key, value from tags where run_uuid = ?", run.run_id) == [
        ("mlflow.runName", "clinic-notes")
    ]
    assert {path.name for path in runs.iterdir()} <= {"mlflow.db", "mlflow.lock"}


@pytest.mark.parametrize(("fault", "end"), [(KeyError("mine"), "FAILED"), (KeyboardInterrupt("mine"), "KILLED")])
def test_a_run_that_fails_is_closed_as_failed(fault, end, runs):
    with pytest.raises(type(fault), match="mine"), tracked("mlflow", runs) as run:
        run.log(1, {"loss": 1.0})
        raise fault
    assert status(run, runs) == [(end, "clinic-notes", 1)]
    assert metrics(run, runs) == [("loss", 1, 1.0)]


def test_figures_that_are_no_numbers(runs, caplog):
    with tracked("mlflow", runs) as run:
        run.log(1, {"loss": float("nan")})
        run.log(2, {"loss": float("inf"), "f1": 0.5})
    assert metrics(run, runs) == [("f1", 2, 0.5)]
    assert told(caplog) == ["mlflow: figures that were no finite numbers were not sent: loss (2)."]


def test_limits_and_names(runs):
    recipe = {f"key {number}": number for number in range(250)} | {"long": "ab" * 5000, "k" * 300: 1, "k" * 299: 2}
    with tracked("mlflow", runs, recipe=recipe) as run:
        run.log(1, {"f1@3": 0.1, "f1%3": 0.2, "../x": 0.3, "n" * 300: 0.4, "n" * 301: 0.5})
    params = dict(ask(runs, "select key, value from params where run_uuid = ?", run.run_id))
    assert len(params) == 253
    assert params["long"] == ("ab" * 3000)[:5999] + "…"
    assert (params["k" * 240], params["k" * 240 + "_2"]) == ("1", "2")
    found = {name: value for name, _, value in metrics(run, runs)}
    assert found == {"f1_3": 0.1, "f1_3_2": 0.2, "_": 0.3, "n" * 240: 0.4, "n" * 240 + "_2": 0.5}


@given(st.text() | st.text("a/. :-_") | st.text(min_size=240, max_size=300))
@example("/" * 300)
@example("a" * 239 + "//b")
def test_every_name_is_one_that_mlflow_takes(name):
    from mlflow.utils.validation import _validate_metric_name, _validate_param_name

    from sibu.trackers.mlflow.writer import mended

    for taken in (mended(name), f"{mended(name)}_99"):
        _validate_metric_name(taken)
        _validate_param_name(taken)
        assert len(taken) <= 250


def test_experiment(runs):
    ids = []
    for _ in range(2):
        with tracked("mlflow", runs, experiment="of all") as run:
            ids += ask(runs, "select experiment_id from runs where run_uuid = ?", run.run_id)
    assert ids[0] == ids[1]
    assert ask(runs, "select name from experiments where experiment_id = ?", *ids[0]) == [("of all",)]


def test_another_database(runs, tmp_path):
    with tracked("mlflow", runs):
        pass
    (tmp_path / "x.db").write_bytes((runs / "mlflow.db").read_bytes())
    with tracked("mlflow", tmp_path / "runs", tracking_uri=f"sqlite:///{tmp_path}/x.db") as run:
        run.log(1, {"loss": 1.0})
    (tmp_path / "x.db").rename(tmp_path / "mlflow.db")
    assert metrics(run, tmp_path) == [("loss", 1, 1.0)]


def test_nothing_leaves_the_machine(runs, monkeypatch):
    from mlflow.telemetry import get_telemetry_client

    def refuse(self, address):
        raise AssertionError(f"a connection to {address}")

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **more: refuse(None, given))
    with tracked("mlflow", runs) as run:
        run.log(1, {"loss": 1.0})
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert get_telemetry_client() is None


def test_a_server_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")  # what the user sets stands
    with pytest.raises(RecipeError, match=r"track: mlflow: the run could not be opened: .*refused"):  # noqa: SIM117
        with tracked("mlflow", tmp_path, tracking_uri="http://127.0.0.1:9"):
            pass
    assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "0"


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "mlflow.db").write_text("no database" * 100)
    with pytest.raises(RecipeError, match=r"file is not a database.*Mend `tracking_uri`"), tracked("mlflow", tmp_path):
        pass


class _Away:
    """A client whose server is away for a while."""

    def __init__(self, client, times):
        self._client, self.times = client, times

    def __getattr__(self, name):
        from mlflow.exceptions import MlflowException

        if self.times:
            self.times -= 1
            raise MlflowException("the server is away")
        return getattr(self._client, name)


def test_figures_wait_for_a_server_that_is_away_for_a_while(runs, caplog):
    with tracked("mlflow", runs) as run:
        run._client = _Away(run._client, times=2)
        pauses = []
        for step in range(1, 5):
            run._next = 0.0
            run.log(step, {"loss": step})
            pauses.append(run._pause)
    assert pauses == [10, 20, 5, 5]
    assert metrics(run, runs) == [("loss", step, step) for step in range(1, 5)]
    assert not told(caplog)


def test_a_run_does_not_die_of_a_server_that_stays_away(runs, caplog):
    with tracked("mlflow", runs) as run:
        run.log(1, {"loss": 1.0})
        run._client = _Away(run._client, times=10)
    assert told(caplog) == ["mlflow: 1 figures were lost: the server is away."]
    with tracked("mlflow", runs) as run:
        run._client = _Away(run._client, times=1)
    assert told(caplog)[1:] == ["mlflow: the run was not closed: the server is away."]


def test_two_processes_made_one_database(runs):
    of_both = "from runs r join experiments e using (experiment_id) where e.name = 'sweep'"
    assert ask(runs, f"select r.status {of_both}") == [("FINISHED",)] * 2
    found = ask(runs, f"select key, step, value from metrics where run_uuid in (select run_uuid {of_both})")
    assert found == [("loss", 1, 1.0)] * 2
