"""The lines of a text file, one record each."""

from collections.abc import Iterator

from sibu.core.example import Faults
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
            empty = False
            try:
                text = str(line, "utf-8").strip()
            except UnicodeDecodeError:
                faults.add(bad_bytes(path, number, number, line), skips_row=True)
            else:
                yield number, {"text": text}
    if empty:
        faults.add(no_records(path))
