"""Rows and labels as JSON Lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from sibu.core.example import as_one
from sibu.core.protocols import Returned, Sent
from sibu.desks._labels import objects, write_lines


class Lines:
    """Writes and reads JSON Lines."""

    def write(self, path: Path, rows: Sequence[Sent]) -> None:
        """One line a row."""
        write_lines(path, [{"id": one.id, **one.row, "guess": one.guess, one.target: None} for one in rows])

    def read(self, path: Path, target: str) -> Iterator[Returned]:
        """The lines whose target is filled in; the others without one."""
        for line, found in objects(path):
            yield Returned(line, str(found.get("id", "")), found.get(target), as_one(found) or None)
