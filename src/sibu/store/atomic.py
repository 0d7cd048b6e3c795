"""Writes that are whole or not there at all."""

import errno
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from sibu.core.errors import RunStopped


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that is moved onto it when the block ends without a fault."""
    if path.is_dir():
        raise RunStopped(f"{path} is a folder. Name a file, in it or elsewhere.")
    make_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:8]}")
    try:
        with disk_faults(path):
            yield temporary
            _flush(temporary)
            temporary.replace(path)
    finally:
        with suppress(OSError):  # on a disk that cannot be written to there is nothing to remove
            temporary.unlink()


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A temporary folder beside ``path`` that takes its place when the block ends without a fault.

    A folder that stands there already is moved aside first and removed last, so that at every moment one whole folder
    can be found.
    """
    make_folder(path.parent)
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


def make_folder(path: Path) -> None:
    """A folder with all above it.

    Raises:
        RunStopped: When there can be none.
    """
    with disk_faults(path):
        try:
            path.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError, FileNotFoundError) as fault:
            file = next((each for each in (path, *path.parents) if each.is_file()), None)
            why = f"{file} is a file" if file else os.strerror(fault.errno or 0)
            raise RunStopped(f"{path} cannot be made a folder: {why}. Choose another place.") from fault


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
    except Exception as fault:
        number = _error_number(fault)
        if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            free = shutil.disk_usage(_existing(path)).free // 2**20
            raise RunStopped(
                f"No room to write {path} ({os.strerror(number)}; {free} MiB free). Nothing that was there is lost. "
                "Make room and run the command again (`sibu run` goes on with --resume), or choose another place."
            ) from fault
        if number in (errno.EACCES, errno.EROFS, errno.EPERM):
            place = getattr(fault, "filename", None) or path
            raise RunStopped(
                f"Not allowed to use {place} ({os.strerror(number)}). Change its permissions, or choose another place."
            ) from fault
        raise


def _error_number(fault: Exception) -> int:
    """The system's number of a fault, 0 where it has none; safetensors gives it in the text of an error of its own."""
    if isinstance(fault, OSError):
        return fault.errno or 0
    found = re.search(r"\(os error (\d+)\)", str(fault)) if type(fault).__name__ == "SafetensorError" else None
    return int(found[1]) if found else 0


def _existing(path: Path) -> Path:
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _flush(path: Path) -> None:
    """Bring a file's bytes to the disk, so that a power cut after the move finds them there."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
