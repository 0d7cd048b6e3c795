"""Files of JSON objects: one on each line, or all in one list."""

from collections.abc import Callable, Iterator
from typing import Any

from sibu.core.example import DataFault, Faults
from sibu.core.protocols import Record
from sibu.readers._files import bad_bytes, no_records, opened, shown
from sibu.readers._json import JsonError, parse
from sibu.readers.jsonl.read import read as read_lines

Shape = Callable[[dict[str, Any]], dict[str, Any] | str]
"""An object of a format to a record, or what is wrong with it."""


def is_list(path: str) -> bool:
    """Whether a file begins like a list of objects."""
    with opened(path) as file:
        return bytes(file.peek(64)).lstrip()[:1] == b"["


def read_objects(path: str, faults: Faults, shape: Shape, form: str) -> Iterator[Record]:
    """Each object as a record, with its line, or in a list its number (from 1); others are counted and skipped.

    A list is read whole: it takes memory in proportion to its size.

    Args:
        path: The file.
        faults: Takes what is wrong.
        shape: Makes the record.
        form: What an object looks like, for messages.

    Raises:
        DataError: When the file cannot be opened.
    """
    for number, row in _listed(path, faults) if is_list(path) else read_lines(path, faults):
        found = shape(row)
        if isinstance(found, str):
            faults.add(
                DataFault("malformed", "error", path, number, f"{found}.", f"The form is {form}."), skips_row=True
            )
        else:
            yield number, found


def _listed(path: str, faults: Faults) -> Iterator[Record]:
    with opened(path) as file:
        content = file.read()
    try:
        items = parse(str(content, "utf-8").strip(" \t\r\n"))
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        line = content[content.rfind(b"\n", 0, error.start) + 1 :].split(b"\n", 1)[0]
        faults.add(bad_bytes(path, number, number, line))
        return
    except JsonError as wrong:
        faults.add(DataFault(wrong.kind, "error", path, None, wrong.message, wrong.mend))
        return
    if not items:
        faults.add(no_records(path, "the list is empty"))
    for number, item in enumerate(items, 1):
        if isinstance(item, dict):
            yield number, item
        else:
            message = f"The list must hold objects, given {shown(item)}."
            faults.add(DataFault("not an object", "error", path, number, message, "Remove it."), skips_row=True)
