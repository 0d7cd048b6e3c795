"""One MLflow run, by the client: the fluent interface would add git, user and host to it."""

from __future__ import annotations

import posixpath
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from importlib.metadata import version
from pathlib import Path
from typing import Any

from filelock import FileLock
from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from sibu.core.errors import Fault, RecipeError
from sibu.trackers._figures import Finite, Names, as_text, flat, in_one_line, warn

# MLflow's limits, which its servers keep.
_PARAMS_A_BATCH, _METRICS_A_BATCH = 100, 1000
_NAME_LENGTH, _VALUE_LENGTH = 250, 6000
_PAUSE, _LONGEST_PAUSE = 5.0, 300.0
_UNREACHED = (MlflowException, OSError)
"""What a store raises that cannot be reached."""


class Run:
    """An open run; ``log`` keeps figures and sends them every few seconds.

    A transaction costs as much as a small training step. What cannot be sent is kept and tried again after a pause
    that grows: a run does not die of its tracker.
    """

    def __init__(self, client: Any, run_id: str) -> None:
        self._client = client
        self.run_id = run_id
        self._finite = Finite("mlflow")
        self._names = Names(mended)
        self._waiting: list[Any] = []
        self._pause = _PAUSE
        self._next = time.monotonic() + _PAUSE
        self._fault: Exception | None = None

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        """Take figures of a step."""
        now = time.time_ns() // 1_000_000
        for name, value in self._finite(figures).items():
            self._waiting.append(Metric(self._names(name), value, now, step))
        if time.monotonic() >= self._next:
            self._send()

    def start(self, recipe: Mapping[str, Any]) -> None:
        """Send the recipe as params."""
        names = Names(mended)
        params = [Param(names(name), _cut(as_text(value))) for name, value in flat(recipe)]
        for first in range(0, len(params), _PARAMS_A_BATCH):
            self._client.log_batch(self.run_id, params=params[first : first + _PARAMS_A_BATCH])

    def end(self, status: str) -> None:
        """Send what waits, and say how it went."""
        self._send()
        try:
            self._client.set_terminated(self.run_id, status)
        except _UNREACHED as fault:
            self._fault = fault
        if self._fault is not None:
            lost = f"{len(self._waiting)} figures were lost" if self._waiting else "the run was not closed"
            warn("mlflow", f"{lost}: {in_one_line(self._fault)}")
        self._finite.tell()

    def _send(self) -> None:
        try:
            while self._waiting:
                self._client.log_batch(self.run_id, metrics=self._waiting[:_METRICS_A_BATCH])
                del self._waiting[:_METRICS_A_BATCH]
            self._fault, self._pause = None, _PAUSE
        except _UNREACHED as fault:
            self._fault, self._pause = fault, min(2 * self._pause, _LONGEST_PAUSE)
        self._next = time.monotonic() + self._pause


@contextmanager
def opened(
    folder: Path, name: str, recipe: Mapping[str, Any], *, tracking_uri: str | None, experiment: str | None
) -> Iterator[Run]:
    """Open a run of the experiment, with the recipe as its params.

    Raises:
        RecipeError: When the store cannot be reached or does not take the run.
    """
    artifacts = None
    if tracking_uri is None:
        folder = folder.resolve()
        tracking_uri, artifacts = _database(folder / "mlflow.db"), (folder / "mlflow").as_uri()
    try:
        with _alone(folder) if tracking_uri.startswith("sqlite:") else nullcontext():
            client = MlflowClient(tracking_uri)
            within = _experiment(client, experiment or name, artifacts)
        run = Run(client, client.create_run(within, run_name=name).info.run_id)
        run.start(recipe)
    except Exception as fault:  # whatever the store's driver raises
        mend = "Mend `tracking_uri` or the store, or leave the option out for a file beside the bundle."
        raise RecipeError(Fault("track: mlflow", f"the run could not be opened: {in_one_line(fault)}", mend)) from fault
    status = "FAILED"
    try:
        yield run
        status = "FINISHED"
    except KeyboardInterrupt:
        status = "KILLED"
        raise
    finally:
        run.end(status)


def _alone(folder: Path) -> FileLock:
    """One process at a time: two that make the tables of one file at once leave it in ruins."""
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / "mlflow.lock")


def _database(path: Path) -> str:
    """The URI of a database file. SQLAlchemy 2.0 takes the path as it stands, 2.1 percent-encoded."""
    plain = path.as_posix()
    if not version("sqlalchemy").startswith("2.0."):
        plain = plain.replace("%", "%25").replace("?", "%3F").replace("#", "%23")
    return f"sqlite:///{plain}"


def _experiment(client: Any, name: str, artifacts: str | None) -> str:
    """The id of the experiment of a name; another process may make it at the same moment."""
    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return str(client.create_experiment(name, artifact_location=artifacts))
        except MlflowException:
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    return str(found.experiment_id)


def _cut(text: str) -> str:
    return text if len(text) <= _VALUE_LENGTH else text[: _VALUE_LENGTH - 1] + "…"


def mended(name: str) -> str:
    """A name of letters, digits and ``_-. /`` that means itself when read as a path."""
    name = posixpath.normpath(re.sub(r"[^\w\-. /]", "_", name)).lstrip("/")
    name = name[: _NAME_LENGTH - 10].rstrip("/")  # room for the number that tells two apart
    return "_" if name in ("", ".") or name.startswith("..") else name
