"""The shapes of a knowledge base: files in its folder ``shapes/``, taken up when they can be judged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sibu.core.errors import DataError, near_miss
from sibu.core.logic import Triple
from sibu.store.atomic import new_file

if TYPE_CHECKING:
    from sibu.graph import KnowledgeBase
    from sibu.graph.reading import Reading

FOLDER = "shapes"


@dataclass(frozen=True, slots=True)
class TakenShapes:
    """What became of the files of shapes."""

    files: tuple[str, ...]
    """All there are now."""
    added: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def take(kb: KnowledgeBase, files: Sequence[Path] = (), remove: Sequence[str] = ()) -> TakenShapes:
    """Remove files of shapes, and take up others: all, or none where one has a fault.

    Args:
        kb: The knowledge base, open for writing.
        files: RDF files that say shapes (SHACL), in place of those of the same name.
        remove: Names of those to remove.

    Raises:
        DataError: When one cannot be read, or is not well formed; all its faults.
        MissingExtra: When pyshacl is not installed.
    """
    from sibu.graph.shapes import validate

    before, remove = listed(kb), list(dict.fromkeys(remove))
    for name in remove:
        if name not in before:
            there = f"There are: {', '.join(before)}." if before else "There are none."
            raise DataError(f"There is no file of shapes {name!r}. {near_miss(name, before)}{there}")
    names = [file.name for file in files]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(f"Several files are named {', '.join(map(repr, twice))}. Give one of them another name.")
    for file in files:
        triples = read(kb, file)
        try:
            validate((), triples)
        except DataError as fault:
            raise DataError(f"{file}: {fault}") from fault
    for name in remove:
        (kb.folder / FOLDER / name).unlink()
    for file in files:
        with new_file(kb.folder / FOLDER / file.name) as place:
            place.write_bytes(file.read_bytes())
    return TakenShapes(
        listed(kb),
        tuple(name for name in names if name not in before),
        tuple(name for name in names if name in before),
        tuple(remove),
    )


def listed(kb: Reading) -> tuple[str, ...]:
    """Names of the files of shapes."""
    folder = kb.folder / FOLDER
    return tuple(sorted(file.name for file in folder.glob("*") if file.is_file() and not file.name.startswith(".")))


def kept(kb: Reading) -> Iterable[Path]:
    """The files of shapes of the knowledge base."""
    return [kb.folder / FOLDER / name for name in listed(kb)]


def read(kb: Reading, file: Path) -> list[Triple]:
    """The facts of a file of RDF, which do not become facts of the knowledge base.

    Raises:
        DataError: When it cannot be read: with line, column, and what is wrong.
    """
    from sibu.graph.loading import triples_of

    return triples_of(file, kb.names.base)
