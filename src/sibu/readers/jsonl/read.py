"""The lines of a JSON Lines file, one record each."""

from collections.abc import Iterator

from sibu.core.errors import DataError
from sibu.core.example import DataFault, Faults
from sibu.core.protocols import Record
from sibu.readers._files import bad_bytes, converted, no_records, opened, shown
from sibu.readers._json import JsonError, parse


def read(path: str, faults: Faults) -> Iterator[Record]:
    """Yield each object with its line; lines that cannot be read are counted and skipped.

    Raises:
        DataError: When the file cannot be opened, or is one JSON document over several lines.
    """
    empty = True
    with opened(path) as file:
        for number, line in enumerate(file, 1):
            if line.isspace():
                continue
            if empty and line.strip() in (b"{", b"["):
                raise DataError(_document(path))
            empty = False
            try:
                row = parse(str(line, "utf-8").strip(" \t\r\n"))
            except UnicodeDecodeError:
                faults.add(bad_bytes(path, number, number, line), skips_row=True)
            except JsonError as wrong:
                faults.add(DataFault(wrong.kind, "error", path, number, wrong.message, wrong.mend), skips_row=True)
            else:
                if isinstance(row, dict):
                    yield number, row
                else:
                    faults.add(_no_object(path, number, row), skips_row=True)
    if empty:
        faults.add(no_records(path))


def _no_object(path: str, number: int, value: object) -> DataFault:
    kind = {list: "a list", str: "a text", bool: "a truth value", type(None): "null"}.get(type(value), "a number")
    message = f"The line must be a JSON object, given {kind}: {shown(value)}."
    mend = 'Write an object such as {"text": "..."} on each line.'
    if isinstance(value, list) and value and isinstance(value[0], dict):
        mend = f"Write one object on each line: {_unpacked(path)}"
    return DataFault("not an object", "error", path, number, message, mend)


def _document(path: str) -> str:
    allowed = "JSON Lines has a whole object on each line"
    return f"{path} is one JSON document over several lines; {allowed}. Convert a list: {_unpacked(path)}"


def _unpacked(path: str) -> str:
    """The command that writes the items of a JSON list as lines."""
    return converted(path, "jq -c '.[]'", ".lines.jsonl")
