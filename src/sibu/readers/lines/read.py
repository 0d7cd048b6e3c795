"""The lines of a text file, one record each."""

import json
from collections.abc import Iterator

from sibu.core.example import DataFault, Faults
from sibu.core.protocols import Record
from sibu.readers._files import bad_bytes, no_records, opened


def read(path: str, faults: Faults) -> Iterator[Record]:
    """Yield each line that is not blank; lines that are not UTF-8 are counted and skipped.

    Raises:
        DataError: When the file cannot be opened.
    """
    empty = True
    with opened(path) as file:
        for number, line in enumerate(file, 1):
            if line.isspace():
                continue
            first, empty = empty, False
            try:
                text = str(line, "utf-8").strip()
            except UnicodeDecodeError:
                faults.add(bad_bytes(path, number, number, line), skips_row=True)
            else:
                if first and _is_object(text):
                    message = "The lines look like JSON Lines, and are read as plain text, brackets and all."
                    faults.add(DataFault("JSON as text", "warning", path, number, message, "Leave `reader` out."))
                yield number, {"text": text}
    if empty:
        faults.add(no_records(path))


def _is_object(text: str) -> bool:
    try:
        return text.startswith("{") and isinstance(json.loads(text), dict)
    except ValueError:
        return False
