"""The records of a file of delimited cells; the reader of TSV files uses it too."""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from io import BufferedReader
from typing import Literal

from sibu.core.example import DataFault, Faults, as_names
from sibu.core.protocols import Record
from sibu.readers._files import bad_bytes, no_records, opened, shown

LONGEST = 4_000_000
"""Bytes that a record over several lines may have: a quote left open would otherwise swallow the whole file."""

Cells = Iterator[tuple[int, list[str] | DataFault]]
"""Where a record starts (line, from 1), and its cells or what is wrong with it."""


def read(
    path: str, faults: Faults, *, delimiter: str, header: Sequence[str] | None, quote: Literal["double", "none"]
) -> Iterator[Record]:
    """Yield each record with the line where it starts; those that cannot be read are counted and skipped.

    A faulty header is a fault that ends the reading, as no value would have a name.

    Args:
        path: The file.
        faults: Collects what is wrong.
        delimiter: The character between two cells.
        header: The columns' names; None: the first record names them.
        quote: Whether a cell may stand in double quotes.

    Raises:
        DataError: When the file cannot be opened.
    """
    names = header
    empty = True
    with opened(path) as file:
        for number, cells in _quoted(file, path, delimiter) if quote == "double" else _plain(file, path, delimiter):
            if isinstance(cells, DataFault):
                faults.add(cells, skips_row=names is not None)
                if names is None:
                    return
                empty = False
            elif names is None:
                if wrong := _wrong_header(path, number, cells):
                    faults.add(wrong)
                    if wrong.severity == "error":
                        return
                names = cells
            else:
                empty = False
                if len(cells) == len(names):
                    yield number, {name: cell for name, cell in zip(names, cells, strict=True) if name}
                else:
                    faults.add(_ragged(path, number, cells, names, delimiter, quote), skips_row=True)
    if empty:
        faults.add(no_records(path, "the file is empty" if names is None else "no line follows the header"))


def _plain(file: BufferedReader, path: str, delimiter: str) -> Cells:
    """Each line is a record, quotes mean nothing."""
    for number, line in enumerate(file, 1):
        try:
            text = str(line, "utf-8").removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            yield number, bad_bytes(path, number, number, line)
        else:
            if text:
                yield number, text.split(delimiter)


def _quoted(file: BufferedReader, path: str, delimiter: str) -> Cells:
    """Records whose cells may stand in double quotes and hold line breaks.

    Where the quotes of a record make no sense, its first line is given up and reading goes on with the second: a stray
    quote then costs one record, not all up to the next quote.
    """
    csv.field_size_limit(2**31 - 1)  # Python's own limit, 131,072, is less than a long report; LONGEST takes its place
    lines = _Lines(file)
    parser = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.begin()
        try:
            cells = next(parser)
        except StopIteration:
            return
        except csv.Error as error:
            start, line = lines.taken[0]
            in_first = lines.wrong and lines.wrong[0] == start
            yield start, bad_bytes(path, start, start, line) if in_first else _unreadable(path, lines, str(error))
            lines.put_back()
            continue
        if lines.wrong:
            yield lines.taken[0][0], bad_bytes(path, lines.taken[0][0], *lines.wrong)
        elif cells:
            yield lines.taken[0][0], cells


class _Lines:
    """The lines of a file as texts, those of the record at hand kept so that they can be put back."""

    def __init__(self, file: BufferedReader) -> None:
        self._file = enumerate(file, 1)
        self._back: deque[tuple[int, bytes]] = deque()
        self._size = 0
        self.taken: list[tuple[int, bytes]] = []
        """The record at hand: its lines with their numbers."""
        self.wrong: tuple[int, bytes] | None = None
        """The first of them that is not UTF-8."""

    def begin(self) -> None:
        """Begin a record."""
        self.taken.clear()
        self._size = 0
        self.wrong = None

    def put_back(self) -> None:
        """Give back all lines of the record at hand but the first."""
        self._back.extendleft(reversed(self.taken[1:]))

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._size > LONGEST:
            raise StopIteration  # for the parser, the record ends here with its quote open
        numbered = self._back.popleft() if self._back else next(self._file)
        line = numbered[1]
        self.taken.append(numbered)
        self._size += len(line)
        try:
            return str(line, "utf-8")
        except UnicodeDecodeError:
            self.wrong = self.wrong or numbered
            return line.decode("utf-8", "surrogateescape")  # keeps the record's end where it is


def _unreadable(path: str, lines: _Lines, error: str) -> DataFault:
    """The fault of a record that the parser refuses."""
    (start, _), (end, _) = lines.taken[0], lines.taken[-1]
    twice = 'A double quote inside a quoted cell is written twice ("").'
    plain = "Where quotes mean nothing, set the reader's option `quote: none`."
    if "unexpected end" in error:
        kind = "unclosed quote"
        message = f"A double quote opens in the record at line {start} and is not closed by line {end}."
        mend = f"Close it. {twice} {plain}"
    elif "expected after" in error:
        kind = "bad quotes"
        message = f"The record at line {start} has text behind a closing double quote in line {end}."
        mend = f"{twice} {plain}"
    elif "new-line character" in error:
        kind = "bad line end"
        message = r"A carriage return stands alone outside quotes; a line ends in \n or \r\n."
        mend = r"Put the cell in double quotes, or convert the line ends: tr '\r' '\n'."
    else:
        kind, message, mend = "bad record", f"The record cannot be read: {error}.", "Write it as a CSV library does."
    return DataFault(kind, "error", path, start, message, mend)


def _wrong_header(path: str, number: int, names: Sequence[str]) -> DataFault | None:
    """The fault of a header whose names cannot name columns."""
    mend = f"Give each column a name of its own in line {number}; if that is no header, set the option `header`."
    if any("\r" in name for name in names):
        message = r"The header holds a carriage return; a line ends in \n or \r\n."
        mend = r"Convert the line ends: tr '\r' '\n'."
    elif names.count("") == 1 and len(names) > 1:
        message = f"Column {names.index('') + 1} of the header has no name; it is left out. The others: "
        message += f"{as_names(name for name in names if name)}."
        mend = "Name it, or leave it out when writing: pandas writes its index so without to_csv(..., index=False)."
        return DataFault("unnamed column", "warning", path, number, message, mend)
    elif "" in names:
        message = f"Column {names.index('') + 1} of the header has no name; given {as_names(names)}."
        mend += " pandas writes its index so; to_csv(..., index=False) leaves it out."
    elif twice := [name for place, name in enumerate(names) if name in names[:place]]:
        message = f"The header names {as_names(twice)} more than once; given {as_names(names)}."
    else:
        return None
    return DataFault("bad header", "error", path, number, message, mend)


def _ragged(
    path: str, number: int, cells: Sequence[str], names: Sequence[str], delimiter: str, quote: str
) -> DataFault:
    have = f"{len(cells)} cell{'' if len(cells) == 1 else 's'}"
    message = f"The record has {have} where the header has {len(names)} ({as_names(names)}): {shown(cells)}."
    other = next((mark for mark in ",;\t|" if mark != delimiter and mark in names[0]), None)
    if len(names) == 1 and other:
        mend = f"The header looks as if {other!r} stood between its cells: set the reader's option `delimiter`."
    elif len(cells) < len(names):
        mend = f"Add the missing cells; an empty one needs its delimiter {delimiter!r} too."
    elif quote == "none":
        mend = f"Replace {delimiter!r} inside a cell by another character."
    else:
        mend = f"Put a cell that holds the delimiter {delimiter!r} in double quotes."
    return DataFault("ragged line", "error", path, number, message, mend)
