"""Rows out of Arrow tables."""

from collections.abc import Iterator
from typing import Any

from sibu.core.example import DataFault, Faults
from sibu.core.protocols import Record


def rows(table: Any, start: int, path: str, faults: Faults) -> Iterator[Record]:
    """The rows of a table or batch, numbered from ``start``; one by one only where they cannot be had at once.

    A row with a value that Python cannot hold (a text that is not UTF-8, a date beyond the year 9999) is counted and
    skipped.
    """
    if (whole := _values(table)) is not None:
        yield from enumerate(whole, start)
        return
    for place in range(table.num_rows):
        row = table.slice(place, 1)
        if (values := _values(row)) is not None:
            yield start + place, values[0]
        else:
            faults.add(_bad_value(path, start + place, row), skips_row=True)


def _values(part: Any) -> list[Any] | None:
    """A table or column as a list; None where a value has no Python form."""
    try:
        values: list[Any] = part.to_pylist()
    except (ValueError, OverflowError):
        return None
    return values


def _bad_value(path: str, number: int, row: Any) -> DataFault:
    name = next(name for name in row.schema.names if _values(row.column(name)) is None)
    try:
        row.column(name).to_pylist()
    except UnicodeDecodeError as error:
        message = (
            f"Column {name!r} is not UTF-8: byte {error.start + 1} of the text is 0x{error.object[error.start]:02X}."
        )
        return DataFault("bad encoding", "error", path, number, message, "Decode the text before writing the file.")
    except (ValueError, OverflowError) as error:
        message = f"Column {name!r} holds a {row.schema.field(name).type} that Python cannot hold: {error}."
        return DataFault("bad value", "error", path, number, message, "Write it as a text or leave it out.")
    raise AssertionError("the column was unreadable a moment ago")
