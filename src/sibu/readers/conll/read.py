"""The sentences of a file of token columns."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Literal

from sibu.core.errors import DataError
from sibu.core.example import DataFault, Faults
from sibu.core.protocols import Record
from sibu.readers._files import bad_bytes, no_records, opened, shown

LONGEST = 10_000
"""Lines that a sentence may have: a file without blank lines is no CoNLL file, and would be held whole in memory."""

Line = tuple[int, bytes]
"""A line's number from 1, and its bytes."""

Split = Callable[[str], list[str]]
"""A line to its columns."""


def read(
    path: str,
    faults: Faults,
    *,
    token_column: int,
    tag_column: int | None,
    separator: Literal["auto", "tab", "space"],
    comments: bool,
) -> Iterator[Record]:
    """Yield each sentence with the line of its first token; a sentence with a faulty line is counted and skipped.

    Args:
        path: The file.
        faults: Collects what is wrong; each fault names the faulty line, not the sentence's first.
        token_column: The column of the token.
        tag_column: The column of the tag; None: tokens only.
        separator: What stands between two columns.
        comments: Whether lines that begin with ``# `` are skipped.

    Raises:
        DataError: When the file cannot be opened, or has no blank line in 10,000 lines.
    """
    split = _SPLITS[separator]
    if tag_column is not None and not _has_tags(path, split, comments):
        tag_column = None
    empty = True
    for sentence in _sentences(path, comments):
        empty = False
        found = _columns(path, sentence, split, token_column, tag_column)
        if isinstance(found, DataFault):
            faults.add(found, skips_row=True)
        else:
            yield sentence[0][0], found
    if empty:
        faults.add(no_records(path))


def _sentences(path: str, comments: bool) -> Iterator[list[Line]]:
    """The lines of each sentence."""
    with opened(path) as file:
        sentence: list[Line] = []
        for numbered in enumerate(file, 1):
            line = numbered[1]
            if not line.strip(b" \t\r\n") or line.startswith(b"-DOCSTART-"):
                if sentence:
                    yield sentence
                    sentence = []
            elif not (comments and _is_comment(line)):
                sentence.append(numbered)
                if len(sentence) == LONGEST:
                    raise DataError(_endless(path, sentence[0][0]))
        if sentence:
            yield sentence


def _is_comment(line: bytes) -> bool:
    return line.startswith(b"# ") or line.rstrip(b"\r\n") == b"#"


def _has_tags(path: str, split: Split, comments: bool) -> bool:
    """Whether any line has a second column: looked for up to the first such line, so at once where there are tags."""
    return any(
        len([column for column in split(line.decode("utf-8", "replace")) if column]) > 1
        for sentence in _sentences(path, comments)
        for _, line in sentence
    )


def _by_tab(line: str) -> list[str]:
    return line.rstrip(" \r\n").split("\t")


def _by_space(line: str) -> list[str]:
    columns = line.rstrip("\r\n").replace("\t", " ").split(" ")
    return [column for column in columns if column] if "" in columns else columns


def _by_either(line: str) -> list[str]:
    return _by_tab(line) if "\t" in line else _by_space(line)


_SPLITS: dict[str, Split] = {"tab": _by_tab, "space": _by_space, "auto": _by_either}


def _columns(
    path: str, sentence: list[Line], split: Split, token_column: int, tag_column: int | None
) -> dict[str, list[str]] | DataFault:
    """A sentence's tokens and tags, or its first fault."""
    rows: list[list[str]] = []
    for number, line in sentence:
        try:
            rows.append(split(str(line, "utf-8")))
        except UnicodeDecodeError:
            return bad_bytes(path, number, number, line)
    widths = Counter(map(len, rows))
    width = widths.most_common(1)[0][0]
    if len(widths) > 1:
        place = next(place for place, row in enumerate(rows) if len(row) != width)
        return _ragged(path, sentence, place, rows[place], width)
    wanted = {"tokens": token_column} if tag_column is None else {"tokens": token_column, "tags": tag_column}
    if fault := _too_narrow(path, sentence[0][0], rows[0], wanted):
        return fault
    record = {name: [row[column] for row in rows] for name, column in wanted.items()}
    for name, values in record.items():
        if "" in values:
            return _empty(path, sentence[values.index("")], name)
    return record


def _too_narrow(path: str, number: int, row: list[str], wanted: dict[str, int]) -> DataFault | None:
    """The fault of lines that lack the column of the token or of the tag."""
    width = len(row)
    places = {name: column if column >= 0 else width + column for name, column in wanted.items()}
    mend = "Add the columns, or change the options token_column and tag_column of the reader."
    for name, place in places.items():
        if not 0 <= place < width:
            message = f"There is no column {wanted[name]} for the {name}; the line has {width}: {shown(' '.join(row))}."
            return DataFault("missing column", "error", path, number, message, mend)
    if len(set(places.values())) < len(places):
        message = f"A token and its tag are expected, given one column: {shown(' '.join(row))}."
        mend = "Add the tag (O where there is none); a file of tokens alone has one column in every line."
        return DataFault("missing tag", "error", path, number, message, mend)
    return None


def _ragged(path: str, sentence: list[Line], place: int, row: list[str], width: int) -> DataFault:
    columns = f"{len(row)} column{'' if len(row) == 1 else 's'}"
    message = (
        f"The line has {columns} where most lines of its sentence (from line {sentence[0][0]}) have {width}: "
        f"{shown(sentence[place][1].decode().strip())}."
    )
    mend = (
        "Give each line the same columns, end each sentence with a blank line; for another format name its `reader:`."
    )
    return DataFault("ragged line", "error", path, sentence[place][0], message, mend)


def _empty(path: str, line: Line, name: str) -> DataFault:
    what = name.removesuffix("s")
    message = f"The {what} is empty: {shown(line[1].decode().rstrip())}."
    mend = "Write O where there is no entity." if name == "tags" else "Write the token, or leave the line out."
    return DataFault(f"empty {what}", "error", path, line[0], message, mend)


def _endless(path: str, number: int) -> str:
    mend = "Add blank lines, or name the file's format with `reader:`."
    return f"{path} has no blank line in the {LONGEST:,} lines from line {number}; one ends each sentence. {mend}"
