"""Writes that are whole or not there at all."""

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from sibu.core.errors import RunStopped


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that is moved onto it when the block ends without a fault."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:8]}")
    try:
        with disk_faults(path):
            yield temporary
            _flush(temporary)
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A temporary folder beside ``path`` that takes its place when the block ends without a fault.

    A folder that stands there already is moved aside first and removed last, so that at every moment one whole folder
    can be found.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    mark = uuid4().hex[:8]
    temporary, former = (path.with_name(f".{path.name}.{mark}.{what}") for what in ("new", "old"))
    try:
        with disk_faults(path):
            temporary.mkdir()
            yield temporary
            for file in temporary.rglob("*"):
                if file.is_file():
                    _flush(file)
            if path.exists():
                path.replace(former)
            temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(former, ignore_errors=True)


def write_json(path: Path, value: Any) -> None:
    """Write JSON for people to read; numbers that JSON lacks (NaN, infinity) are refused."""
    text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
    with new_file(path) as file:
        file.write_text(text + "\n", encoding="utf-8")


@contextmanager
def disk_faults(path: Path) -> Iterator[None]:
    """Turn 'no room' and 'not allowed' into messages that say what to do."""
    try:
        yield
    except OSError as fault:
        if fault.errno in (errno.ENOSPC, errno.EDQUOT):
            free = shutil.disk_usage(_existing(path)).free // 2**20
            raise RunStopped(
                f"No room on the disk to write {path} ({free} MiB free). Nothing that was there is lost. "
                "Make room or choose another place with --out, then run again with --resume."
            ) from fault
        if fault.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            raise RunStopped(
                f"Not allowed to write {path} ({fault.strerror}). Choose another place with --out."
            ) from fault
        raise


def _existing(path: Path) -> Path:
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _flush(path: Path) -> None:
    """Bring a file's bytes to the disk, so that a power cut after the move finds them there."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
