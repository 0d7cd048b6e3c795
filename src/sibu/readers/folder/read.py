"""The files of a folder, each a record."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from sibu.core.errors import DataError, counted, near_miss
from sibu.core.example import DataFault, Faults, as_names
from sibu.core.protocols import Record
from sibu.readers._files import no_records, shown
from sibu.readers.folder import ENDINGS, TABLE, TABLES
from sibu.store.hashes import walked

_ONE = {"image": "picture", "audio": "recording", "video": "video", "series": "file of readings"}
_FEW = 10_000
"""Names among which a near one is looked for."""
_MANY = {kind: counted(2, one)[2:] for kind, one in _ONE.items()} | {"series": "files of readings"}


def read(path: str, faults: Faults, *, kind: str | None, table: str | None, column: str) -> Iterator[Record]:
    """Yield each file with its number from 1, or the line of the table that names it.

    Args:
        path: The folder.
        faults: Collects what is left out.
        kind: The column of the files, by which their endings are known; None: the only kind there is.
        table: The table's name in the folder; None: ``metadata`` with the ending of a table, where there is one.
        column: The table's column of names.

    Raises:
        DataError: When there is no such folder or table, it has files of several kinds, or the table lacks its column.
    """
    home = _folder(path)
    try:
        names, loose = walked(home)
    except OSError as fault:
        raise DataError(f"{path} cannot be read: {fault.strerror or fault}.") from fault
    for name in loose:
        _tell(faults, path, "link", f"{shown(name)} is a link that leads nowhere, or back to a folder that it lies in.")
    names = list(_seen(names, path, faults))
    table = _table(names, table, path)
    kinds = {name: found for name in names if name != table and (found := _kind(name)) is not None}
    kind = _only(kinds, kind, names, table, path)
    own = [name for name in names if kinds.get(name) == kind]
    for name in names:
        if name != table and name not in kinds:
            message = f"{shown(name)} has the ending of no {_ONE.get(kind or '', 'file that is read')}."
            _tell(faults, path, "unknown ending", message)
        elif name != table and kinds[name] != kind:
            _tell(faults, path, "other kind", f"{shown(name)} is a {_ONE[kinds[name]]}; `kind` is {kind}.")
    if kind is None or not own:
        faults.add(no_records(path, f"the folder holds no {_ONE[kind] if kind else 'file that is read'}"))
    elif table is not None:
        yield from _listed(home, path, table, column, kind, own, faults)
    else:
        for number, name in enumerate(own, 1):
            yield number, _record(home, name, kind) | _label(name)


def _folder(path: str) -> Path:
    place = Path(path).absolute()
    if place.is_dir():
        return place
    if place.exists():
        mend = "Name its folder, or leave `reader: folder` out where it is a table of its own."
        raise DataError(f"{place} is a file where a folder is expected; given {path!r}. {mend}")
    beside = [other.name for other in place.parent.iterdir()] if place.parent.is_dir() else []
    raise DataError(
        f"No folder at {place}; given {path!r}, looked in {place.parent}. {near_miss(place.name, beside)}".rstrip()
    )


def _tell(faults: Faults, path: str, kind: str, message: str) -> None:
    faults.add(DataFault(kind, "warning", path, None, message, "It is left out."))


def _seen(names: Sequence[str], path: str, faults: Faults) -> Iterator[str]:
    """The names that are read; hidden ones and those that are no text are told."""
    for name in names:
        if any(part.startswith(".") for part in name.split("/")):
            _tell(faults, path, "hidden file", f"{shown(name)} is hidden: its name begins with a dot.")
        elif not _is_text(name):
            _tell(faults, path, "bad name", f"The name {name!a} is no text in UTF-8.")
        else:
            yield name


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _kind(name: str) -> str | None:
    """The column of a file, by its ending."""
    return next((kind for kind, endings in ENDINGS.items() if name.lower().endswith(endings)), None)


def _table(names: Sequence[str], given: str | None, path: str) -> str | None:
    """The name of the table."""
    top = [name for name in names if "/" not in name and name.lower().endswith(TABLES)]
    if given is not None:
        if given not in names:
            raise DataError(f"{path} has no table {given!r}. {near_miss(given, top)}It has {as_names(top) or 'none'}.")
        return given
    found = [name for name in top if PurePosixPath(name).stem.lower() == TABLE]
    if len(found) > 1:
        raise DataError(f"{path} has the tables {as_names(found)}. Say which with the option `table`.")
    return found[0] if found else None


def _only(kinds: dict[str, str], given: str | None, names: Sequence[str], table: str | None, path: str) -> str | None:
    """The kind that is read; None where there is no file of any.

    Raises:
        DataError: When there are several, and none is given.
    """
    if given is not None:
        return given
    count = Counter(kinds.values())
    if len(count) <= 1:
        return next(iter(count), None)
    have = ", ".join(f"{n:,} {(_ONE if n == 1 else _MANY)[kind]}" for kind, n in count.most_common())
    tables = [name for name in names if "/" not in name and name.lower().endswith(TABLES) and name != table]
    mend = f"Say which with the option `kind` ({', '.join(count)}), or put them into folders of their own."
    if table is None and tables and "series" in count and count["series"] == len(tables):
        mend = f"If {tables[0]!r} names the others, say `table: {tables[0]}`. Or: {mend[0].lower()}{mend[1:]}"
    raise DataError(f"{path} holds files of several kinds: {have}. {mend}")


def _record(home: Path, name: str, kind: str) -> dict[str, Any]:
    return {"id": name, kind: str(home / name)}


def _label(name: str) -> dict[str, str]:
    """The first sub-folder; composed letters, as one name may be written in two ways on two systems."""
    folder, sign, _ = name.partition("/")
    return {"label": unicodedata.normalize("NFC", folder)} if sign else {}


# ---- tables --------------------------------------------------------------------------------------------------------


def _listed(
    home: Path, path: str, table: str, column: str, kind: str, own: Sequence[str], faults: Faults
) -> Iterator[Record]:
    """The rows of the table with their files."""
    place, base = str(home / table), table.rpartition("/")[0]
    there = {unicodedata.normalize("NFC", name): name for name in own}
    named: set[str] = set()
    for number, (line, row) in enumerate(_rows(place, faults)):
        if column not in row and number == 0:
            has = f"{place} has no column {column!r}; it has {as_names(row)}."
            raise DataError(f"{has} {near_miss(column, row)}Say which names the files with the option `column`.")
        given = row.pop(column, None)
        wanted = _within(base, given)
        name = None if wanted is None else there.get(wanted)
        if name is None:
            faults.add(_missing(place, line, given, wanted, there, kind), skips_row=True)
            continue
        named.add(name)
        yield line, _record(home, name, kind) | {key: value for key, value in row.items() if key != kind}
    for name in own:
        if name not in named:
            _tell(faults, path, "not in the table", f"{shown(name)} is named by no row of {table}.")


def _rows(place: str, faults: Faults) -> Iterator[Record]:
    """The rows of a table, by its ending."""
    ending = place.lower().rpartition(".")[2]
    if ending == "jsonl":
        from sibu.readers.jsonl.read import read as read_lines

        return read_lines(place, faults)
    if ending == "parquet":
        from sibu.readers.parquet.read import read as read_parquet

        return read_parquet(place, faults)
    from sibu.readers.csv.read import read as read_cells

    cells = (",", "double") if ending == "csv" else ("\t", "none")
    return read_cells(place, faults, delimiter=cells[0], header=None, quote=cells[1])  # type: ignore[arg-type]


def _within(base: str, given: Any) -> str | None:
    """A file that a table names, from the folder on; None where it is no name, or leads out of the folder."""
    if not isinstance(given, str) or not given.strip() or given.startswith("/"):
        return None
    parts: list[str] = []
    for part in PurePosixPath(base, given).parts:
        if part == ".." and not parts:
            return None
        parts = parts[:-1] if part == ".." else [*parts, part]
    return unicodedata.normalize("NFC", "/".join(parts))


def _missing(place: str, line: int, given: Any, wanted: str | None, there: dict[str, str], kind: str) -> DataFault:
    if wanted is None:
        message = f"{shown(given)} is no name of a file in the folder."
        return DataFault("no file", "warning", place, line, message, "Write it from the table on. The row is left out.")
    near = near_miss(wanted, there) if len(there) <= _FEW else ""
    message = f"There is no {_ONE[kind]} {shown(given)} in the folder."
    return DataFault("missing file", "warning", place, line, message, f"{near}The row is left out.")
