"""The facts as they stand after a version, in a RocksDB store that is never written to again.

A writer works on a copy of the newest one (files that RocksDB never changes are linked, not copied) and publishes
what came of it under the next number. So readers are never in a writer's way nor it in theirs, and a writer that was
killed leaves a copy behind that is thrown away, nothing half-written.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from sibu.core.errors import RunStopped
from sibu.graph._rdf import Store, oxigraph
from sibu.graph.folder import KnowledgeError, sync_folder
from sibu.store.atomic import disk_faults

_WORK = ".work-"
_NEW = ".new-"


def published(stores: Path) -> list[int]:
    """Numbers of the versions that have a store, in order."""
    return sorted(int(place.name) for place in stores.iterdir() if place.name.isdigit() and place.is_dir())


def place_of(stores: Path, number: int) -> Path:
    """Where the store of a version is."""
    return stores / f"{number:06d}"


class Hold:
    """The newest published store, held so that it is not removed while it is read."""

    def __init__(self, stores: Path) -> None:
        """Hold it.

        Raises:
            LookupError: When there is none.
        """
        self._number = -1
        while True:
            numbers = published(stores)
            if not numbers:
                raise LookupError(f"no store in {stores}")
            self.version = numbers[-1]
            """Number of its version."""
            self.path = place_of(stores, self.version)
            with suppress(FileNotFoundError):  # removed between look and touch: there is a newer one
                self._number = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
                fcntl.flock(self._number, fcntl.LOCK_SH)
                if os.path.samestat(os.fstat(self._number), self.path.stat()):
                    return
            self.release()

    def open(self) -> Store:
        """The store, for reading.

        Raises:
            KnowledgeError: When it is damaged.
        """
        with sound(self.path.parents[1]):
            store: Store = oxigraph().Store.read_only(str(self.path))
            return store

    def release(self) -> None:
        """Let it be removed; twice does no harm."""
        if self._number >= 0:
            os.close(self._number)
            self._number = -1

    def __del__(self) -> None:
        with suppress(OSError, AttributeError):
            self.release()


class Work:
    """A writer's own copy of a store."""

    def __init__(self, stores: Path, number: int | None) -> None:
        """Copy that of a version; None: begin with an empty one.

        Raises:
            KnowledgeError: When it is damaged.
            RunStopped: When the disk is full.
        """
        self._stores = stores
        self.path = stores / f"{_WORK}{uuid4().hex[:12]}"
        with disk_faults(self.path), sound(stores.parent):
            try:
                if number is not None:
                    _copy(place_of(stores, number), self.path)
                self.store: Store = oxigraph().Store(str(self.path))
            except BaseException:
                shutil.rmtree(self.path, ignore_errors=True)
                raise

    def publish(self, number: int) -> None:
        """Put it where readers find it, as the store of a version, and remove the older ones that nobody reads."""
        new = self._stores / f"{_NEW}{uuid4().hex[:12]}"
        target = place_of(self._stores, number)
        with disk_faults(target), sound(self._stores.parent):
            try:
                self.store.backup(str(new))
                sync_folder(new)
                if target.exists():  # the same version, published anew
                    shutil.rmtree(target)
                new.replace(target)
                sync_folder(self._stores)
            finally:
                shutil.rmtree(new, ignore_errors=True)
        sweep(self._stores)

    def discard(self) -> None:
        """Remove it from the disk; the object is of no use then."""
        self.__dict__.pop("store", None)
        shutil.rmtree(self.path, ignore_errors=True)


def _copy(source: Path, target: Path) -> None:
    target.mkdir()
    for file in source.iterdir():
        if file.suffix == ".sst":
            try:
                (target / file.name).hardlink_to(file)
                continue
            except OSError:  # a file system without links
                pass
        shutil.copyfile(file, target / file.name)


def sweep(stores: Path, *, leftovers: bool = False) -> None:
    """Remove every store but the newest that nobody reads.

    Args:
        stores: Where they are.
        leftovers: Also what writers that were killed left behind; only the one writer may ask this, before it works.
    """
    for number in published(stores)[:-1]:
        _remove_unread(place_of(stores, number))
    for place in list(stores.iterdir()) if leftovers else ():
        if place.name.startswith((_WORK, _NEW)):
            shutil.rmtree(place, ignore_errors=True)


def _remove_unread(place: Path) -> None:
    with suppress(OSError):
        number = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            away = place.with_name(f"{_NEW}{uuid4().hex[:12]}")
            place.replace(away)
            shutil.rmtree(away, ignore_errors=True)
        finally:
            os.close(number)


@contextmanager
def sound(home: Path) -> Iterator[None]:
    """Turn what RocksDB says of damaged files, or of a full disk, into a message that says what to do."""
    try:
        yield
    except (OSError, RuntimeError, ValueError) as fault:
        said = str(fault)
        if getattr(fault, "errno", None) is None and any(sign in said for sign in _FULL):
            kept = "What was committed is kept. Make room, and open it again: it goes on by itself."
            raise RunStopped(f"No room to write the store of {home} ({said}). {kept}") from fault
        if getattr(fault, "errno", None) is None and any(sign in said for sign in _DAMAGED):
            mend = f"It can be made anew from its versions: sibu kb rebuild {home}"
            raise KnowledgeError(f"The store of {home} is damaged ({said}). {mend}") from fault
        raise


_FULL = ("No space left", "File too large", "Disk quota")
_DAMAGED = ("Corruption", "checksum", "No such file", "not found", "Not found", "Invalid")
