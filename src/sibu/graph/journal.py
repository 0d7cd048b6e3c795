"""Every change that was ever made, one file a version: the truth that stores are made from.

A version is ``000012.nq.gz`` (its changes) and ``000012.json`` (what it is, with the sha256 of the changes, of itself
and of the version before). It counts from the moment in which its JSON has its name; all before that is no version.

Changes are N-Quads, in the order in which they were made; the comments ``# added`` and ``# removed`` say what becomes
of the statements below. Each did change something: what is added was not there before, what is removed was.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from io import BufferedReader, BufferedWriter
from itertools import pairwise
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

from sibu.core.errors import DataError, near_miss
from sibu.graph._rdf import Quad, oxigraph
from sibu.graph.folder import KnowledgeError, sync_folder
from sibu.store.atomic import disk_faults, new_file, write_json
from sibu.store.hashes import hash_file, hash_json

_ADDED, _REMOVED = b"# added\n", b"# removed\n"
_BATCH = 1 << 23
"""Bytes of changes that are parsed at once."""


@dataclass(frozen=True, slots=True)
class Version:
    """A knowledge base after a change."""

    number: int
    """From 1; 0 is the empty one that was created."""
    time: str = ""
    """When, ISO 8601 in UTC."""
    message: str = ""
    """What the change is, in words."""
    added: int = 0
    """Facts that hold since."""
    removed: int = 0
    """Facts that hold no more."""
    facts: int = 0
    """Facts that hold."""
    statements: int = 0
    """Statements of sources: each fact as often as a source states it, in whatever status."""
    changes: str = ""
    """Sha256 of the file of its changes."""
    before: str = ""
    """Sha256 of the version before."""
    name: str = ""
    """Its name, where it was given one."""

    def to_json(self) -> dict[str, Any]:
        """What a user wants to know of it."""
        found = asdict(self)
        return {key: found[key] for key in ("number", "name", "time", "message", "added", "removed", "facts")}


def _sealed(version: Version) -> dict[str, Any]:
    """The content of a version's file."""
    found = {key: value for key, value in asdict(version).items() if key != "name"}
    return found | {"sha256": hash_json(found)}


class Changes:
    """The file of a version that is being made."""

    def __init__(self, folder: Path) -> None:
        self._place = folder / f".changes-{uuid4().hex[:12]}"
        self._raw = self._place.open("wb")
        # its time and name would make two equal files differ
        zipped = gzip.GzipFile("", "wb", compresslevel=3, fileobj=self._raw, mtime=0)
        self._zipped, self._file = zipped, BufferedWriter(cast(Any, zipped), 1 << 18)

    def added(self, quads: Iterable[Quad]) -> None:
        """Write what comes in."""
        self._write(_ADDED, quads)

    def added_lines(self, lines: bytes) -> None:
        """Write what comes in, as lines of N-Quads."""
        with disk_faults(self._place):
            self._file.write(_ADDED)
            self._file.write(lines)

    def removed(self, quads: Iterable[Quad]) -> None:
        """Write what goes out."""
        self._write(_REMOVED, quads)

    def _write(self, mark: bytes, quads: Iterable[Quad]) -> None:
        library = oxigraph()
        with disk_faults(self._place):
            self._file.write(mark)
            library.serialize(quads, self._file, library.RdfFormat.N_QUADS)

    def close(self) -> Path:
        """Its place, when all is written."""
        with disk_faults(self._place):
            self._file.close()  # which closes what is below, but for the file itself
            self._raw.close()
        return self._place

    def discard(self) -> None:
        """Remove it."""
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self._raw.close()
        self._place.unlink(missing_ok=True)


class Journal:
    """The versions of a knowledge base."""

    def __init__(self, folder: Path, created: str) -> None:
        self._folder = folder
        self._created = created

    def last(self) -> Version:
        """The newest version.

        Raises:
            KnowledgeError: When one is missing, or it is damaged.
        """
        return self._read(self._count())

    def all(self) -> list[Version]:
        """Every version from 0, each checked against the next.

        Raises:
            KnowledgeError: When one is missing or damaged.
        """
        found = [self._read(number) for number in range(self._count() + 1)]
        for earlier, later in pairwise(found):
            if later.before != _sealed(earlier)["sha256"]:
                said = f"{self._file(later.number)} does not follow {self._file(earlier.number)} (its sha256 differs)"
                raise KnowledgeError(f"{said}: one of them is from elsewhere. {_BACKUP}")
        return found

    def get(self, which: int | str) -> Version:
        """A version by its number or name.

        Raises:
            DataError: When there is no such version.
        """
        last = self._count()
        names = self._names()
        number = names.get(str(which), -1)
        if number < 0 and (isinstance(which, int) or which.isdecimal()):
            number = int(which)
        if not 0 <= number <= last:
            named = f", or a name: {', '.join(sorted(names))}" if names else ""
            hint = near_miss(str(which), names)
            raise DataError(f"There is no version {which!r}. {hint}Give a number from 0 to {last}{named}.")
        return self._read(number)

    def name(self, which: int | str, name: str) -> Version:
        """Give a version a name, or another one."""
        version = self.get(which)
        self.check_name(name, version.number)
        kept = {own: number for own, number in self._names().items() if number != version.number}
        write_json(self._folder / "names.json", kept | {name: version.number})
        return replace(version, name=name)

    def check_name(self, name: str, number: int) -> None:
        """Check that a version, which need not be there yet, may have a name.

        Raises:
            DataError: When it is no name, or that of another version.
        """
        if not name.strip() or name.isdecimal() or not name.isprintable():
            raise DataError(f"{name!r} names no version: give a word that is no number.")
        other = self._names().get(name, number)
        if other != number:
            raise DataError(f"Version {other} is named {name!r} already. Choose another name.")

    def commit(self, changes: Changes, version: Version) -> Version:
        """Make a version of changes; after this it is never lost.

        Args:
            changes: What it changes.
            version: What it is, without ``changes`` and ``before``.

        Raises:
            RunStopped: When the disk does not take it; then there is no such version.
        """
        written = changes.close()
        before = _sealed(self._read(version.number - 1))["sha256"]
        whole = replace(version, changes=hash_file(written), before=before)
        with new_file(self._folder / f"{version.number:06d}.nq.gz") as place:
            written.replace(place)
        sync_folder(self._folder)
        write_json(self._file(version.number), _sealed(whole))
        sync_folder(self._folder)
        return whole

    def changes(self, version: Version) -> Iterator[tuple[bool, list[Quad]]]:
        """What a version changed, in order: whether it is added, and the statements, in batches.

        Raises:
            KnowledgeError: When the file is missing or damaged.
        """
        library = oxigraph()
        for added, lines in self.lines(version):
            yield added, list(library.parse(b"".join(lines), library.RdfFormat.N_QUADS))

    def lines(self, version: Version) -> Iterator[tuple[bool, list[bytes]]]:
        """The same as lines of N-Quads.

        Raises:
            KnowledgeError: When the file is missing or damaged.
        """
        if version.number == 0:
            return
        place = self._folder / f"{version.number:06d}.nq.gz"
        if not place.is_file():
            raise KnowledgeError(f"{place} is missing. {_BACKUP}")
        if hash_file(place) != version.changes:
            raise KnowledgeError(f"{place} is damaged: it was changed (its sha256 differs). {_BACKUP}")
        with place.open("rb") as raw, gzip.GzipFile(fileobj=raw) as zipped:
            yield from _batches(BufferedReader(cast(Any, zipped)))

    def sweep(self) -> None:
        """Remove what versions left that were never committed; only the one writer may ask this."""
        last = self._count()
        for file in list(self._folder.iterdir()):
            number = file.name.removesuffix(".nq.gz")
            if file.name.startswith(".") or (number.isdigit() and number != file.name and int(number) > last):
                file.unlink()

    def _file(self, number: int) -> Path:
        return self._folder / f"{number:06d}.json"

    def _count(self) -> int:
        """Number of the last version."""
        numbers = {int(file.stem) for file in self._folder.glob("*.json") if file.stem.isdigit()}
        last = max(numbers, default=0)
        if missing := sorted(set(range(1, last + 1)) - numbers):
            raise KnowledgeError(f"{self._file(missing[0])} is missing, though later versions are there. {_BACKUP}")
        return last

    def _read(self, number: int) -> Version:
        name = next((name for name, own in self._names().items() if own == number), "")
        if number == 0:
            return Version(0, self._created, "created", name=name)
        file = self._file(number)
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
            own = found.pop("sha256")
            version = Version(**found)
        except FileNotFoundError:
            raise KnowledgeError(f"{file} is missing. {_BACKUP}") from None
        except (ValueError, KeyError, TypeError, AttributeError) as fault:
            raise KnowledgeError(f"{file} is damaged ({fault}). {_BACKUP}") from fault
        if own != hash_json(found) or version.number != number:
            raise KnowledgeError(f"{file} is damaged: it was changed (its sha256 differs). {_BACKUP}")
        return replace(version, name=name)

    def _names(self) -> dict[str, int]:
        file = self._folder / "names.json"
        if not file.is_file():
            return {}
        try:
            return {str(name): int(number) for name, number in json.loads(file.read_text(encoding="utf-8")).items()}
        except (ValueError, AttributeError, TypeError) as fault:
            mend = 'Write it again as {"name": number}, or remove it: names of versions are lost then, nothing else.'
            raise KnowledgeError(f"{file} is damaged ({fault}). {mend}") from fault


_BACKUP = "Copy it from a backup: the versions are what a knowledge base is made from."


def _batches(file: Iterable[bytes]) -> Iterator[tuple[bool, list[bytes]]]:
    added, size = True, 0
    lines: list[bytes] = []
    for line in file:
        if line in (_ADDED, _REMOVED):
            if lines:
                yield added, lines
            added, size, lines = line == _ADDED, 0, []
            continue
        lines.append(line)
        size += len(line)
        if size > _BATCH:
            yield added, lines
            size, lines = 0, []
    if lines:
        yield added, lines
