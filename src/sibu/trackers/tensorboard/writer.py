"""One event file a run.

TensorBoard's own ``EventFileWriter`` imports TensorFlow where that is installed and keeps figures in a queue; its
``RecordWriter`` under it does neither.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import metadata
from tensorboard.plugins.hparams.api_pb2 import Status
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo, SessionStartInfo
from tensorboard.summary.writer.record_writer import RecordWriter

from sibu.trackers._figures import Finite, as_text, flat


class Run:
    """An open run; ``log`` writes figures."""

    def __init__(self, folder: Path) -> None:
        # TensorBoard knows an event file by the part `tfevents` of its name.
        self._file = (folder / f"events.out.tfevents.{int(time.time()):010d}.sibu").open("xb")
        self._records = RecordWriter(self._file)
        self._finite = Finite("tensorboard")
        self._write(Event(wall_time=time.time(), file_version="brain.Event:2"))

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        """Write figures of a step."""
        values = [Summary.Value(tag=name, simple_value=value) for name, value in self._finite(figures).items()]
        if values:
            self._write(Event(wall_time=time.time(), step=step, summary=Summary(value=values)))

    def start(self, recipe: Mapping[str, Any]) -> None:
        """Write the recipe for the tab HParams."""
        info = SessionStartInfo(start_time_secs=time.time())
        for name, value in flat(recipe):
            # The tab knows truth values, numbers and texts.
            if isinstance(value, bool):
                info.hparams[name].bool_value = value
            elif isinstance(value, int | float):
                info.hparams[name].number_value = value
            else:
                info.hparams[name].string_value = as_text(value)
        self._note(metadata.SESSION_START_INFO_TAG, HParamsPluginData(session_start_info=info))

    def end(self, *, failed: bool) -> None:
        """Write how it went, and close the file."""
        status = Status.STATUS_FAILURE if failed else Status.STATUS_SUCCESS
        info = SessionEndInfo(status=status, end_time_secs=time.time())
        try:
            self._note(metadata.SESSION_END_INFO_TAG, HParamsPluginData(session_end_info=info))
        finally:
            self._file.close()
            self._finite.tell()

    def _note(self, tag: str, data: Any) -> None:
        value = Summary.Value(tag=tag, metadata=metadata.create_summary_metadata(data), tensor=metadata.NULL_TENSOR)
        self._write(Event(wall_time=time.time(), summary=Summary(value=[value])))

    def _write(self, event: Any) -> None:
        self._records.write(event.SerializeToString())
        self._records.flush()


@contextmanager
def opened(folder: Path, name: str, recipe: Mapping[str, Any], *, place: str) -> Iterator[Run]:
    """Open the run's own folder ``<place>/<name>/<number>``, with the recipe in it."""
    run = Run(_new_folder(folder / Path(place).expanduser() / name))
    failed = True
    try:
        run.start(recipe)
        yield run
        failed = False
    finally:
        run.end(failed=failed)


def _new_folder(parent: Path) -> Path:
    """The next number under a folder; two runs that start at once get two."""
    parent.mkdir(parents=True, exist_ok=True)
    number = max((int(path.name) for path in parent.iterdir() if path.name.isdecimal()), default=0)
    while True:
        number += 1
        try:
            (parent / str(number)).mkdir()
        except FileExistsError:
            continue
        return parent / str(number)
