"""Files as every reader meets them: found, opened, unzipped, and what is wrong with their bytes."""

import gzip
import re
import shlex
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BufferedReader
from itertools import islice
from pathlib import Path

from sibu.core.errors import DataError, near_miss
from sibu.core.example import DataFault, is_cjk

_ZIPPED = b"\x1f\x8b"
_UTF8_MARK = b"\xef\xbb\xbf"
_WIDE_MARKS = {b"\xff\xfe\x00\x00": "UTF-32", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_CHINESE_PAIR = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")
_OTHER_PAIR = re.compile(rb"[\x81-\xfe][\x40-\x7e\x80-\xa0]")


def file_at(path: str) -> Path:
    """The file that ``path`` names.

    Raises:
        DataError: When there is none, or a folder; the message says where it was looked for.
    """
    place = Path(path).absolute()
    if place.is_dir():
        raise DataError(f"{place} is a folder where a file is expected; given {path!r}. Name one file in it.")
    if place.exists():  # a pipe is as good as a file
        return place
    folder = place.parent
    if folder.is_dir():
        names = [other.name for other in islice(folder.iterdir(), 1000)]
        hint = f"looked in {folder}. {near_miss(place.name, names)}"
    else:
        hint = f"there is no folder {folder}. A relative path in a recipe starts at the recipe's own folder."
    raise DataError(f"No file at {place}; given {path!r}, {hint}".rstrip())


@contextmanager
def opened(path: str) -> Iterator[BufferedReader]:
    """The bytes of a text file, unzipped where they are gzip, behind the byte order mark where there is one.

    Gzip is known by its first bytes, not by the name, so that neither a missing nor a wrong ``.gz`` does harm.

    Raises:
        DataError: When the file is missing, cannot be read, is damaged gzip, or is UTF-16 or UTF-32. What is damaged
            further on is raised from where it is read.
    """
    place = file_at(path)
    try:
        with ExitStack() as stack:
            file = stack.enter_context(place.open("rb"))
            if file.peek(2).startswith(_ZIPPED):
                # GzipFile alone makes a Python call for each line; behind a BufferedReader lines come at C speed.
                file = stack.enter_context(BufferedReader(gzip.GzipFile(fileobj=file)))
            head = file.peek(4)
            for mark, encoding in _WIDE_MARKS.items():
                if head.startswith(mark):
                    mend = f"Convert it: {_iconv(path, encoding)}"
                    raise DataError(f"{path} is written in {encoding}, by its first bytes; only UTF-8 is read. {mend}")
            if head.startswith(_UTF8_MARK):
                file.read(len(_UTF8_MARK))
            yield file
    except (EOFError, zlib.error, gzip.BadGzipFile) as fault:
        mend = f"Copy or download it again; `gzip -t {shlex.quote(path)}` tests it."
        raise DataError(f"{path} is a damaged gzip file ({fault}). {mend}") from fault
    except OSError as fault:
        raise DataError(f"{path} cannot be read: {fault.strerror or fault}.") from fault


def bad_bytes(path: str, row: int, number: int, line: bytes) -> DataFault:
    """The fault of a line that is not UTF-8.

    Args:
        path: The file.
        row: Where its record starts.
        number: The line's own number, from 1.
        line: Its bytes.
    """
    place = _first_wrong(line)
    message = f"Line {number} is not UTF-8: byte {place + 1} of it is 0x{line[place]:02X}. Only UTF-8 is read."
    return DataFault("bad encoding", "error", path, row, message, _encoding_mend(path, line))


def no_records(path: str, why: str = "the file holds none") -> DataFault:
    """The fault of a file in which not one record was found."""
    return DataFault("no records", "error", path, None, f"No records: {why}.", "Give a file with at least one record.")


def shown(value: object, most: int = 60) -> str:
    """A value as messages quote it, cut to ``most`` characters."""
    text = repr(value)
    return text if len(text) <= most else text[: most - 3] + "..."


def converted(path: str, program: str, ending: str) -> str:
    """The shell line by which a program writes a copy of a file beside it; the file itself stays as it is."""
    place = Path(path)
    zipped = place.suffix == ".gz"
    place = place.with_suffix("") if zipped else place
    new = shlex.quote(str(place.with_name(place.stem + ending)))
    given = shlex.quote(path)
    return f"gzip -dc {given} | {program} > {new}" if zipped else f"{program} {given} > {new}"


def _first_wrong(line: bytes) -> int:
    """Where the first byte is that is not UTF-8, from 0."""
    try:
        line.decode()
    except UnicodeDecodeError as error:
        return error.start
    raise ValueError(f"the line is UTF-8: {shown(line)}")


def _encoding_mend(path: str, line: bytes) -> str:
    """What to do about wrong bytes: repair one line, or convert the file from the encoding that fits."""
    read = line.decode("utf-8", "replace")
    wrong = read.count("\ufffd")
    right = sum(character > "\x7f" for character in read) - wrong
    if right > 2 * wrong:
        return "The rest of the line is UTF-8: write this place anew, or leave the line out."
    try:
        chinese = line.decode("gb18030")
    except UnicodeDecodeError:
        chinese = ""
    # Two letters of Latin-1 also pass for one character of GB18030; real Chinese is mostly pairs of high bytes.
    likely = len(_CHINESE_PAIR.findall(line)) >= len(_OTHER_PAIR.findall(line))
    if likely and any(map(is_cjk, chinese)):
        return f"As GB18030 it reads {_sample(chinese)}; if that is right: {_iconv(path, 'GB18030')}"
    return f"As Latin-1 it reads {_sample(line.decode('latin-1'))}; if that is right: {_iconv(path, 'ISO-8859-1')}"


def _sample(text: str) -> str:
    """The text around its first letter beyond ASCII, where a wrong encoding shows."""
    place = next(place for place, character in enumerate(text) if character > "\x7f")
    return shown(text[max(0, place - 10) : place + 10].rstrip("\r\n"))


def _iconv(path: str, encoding: str) -> str:
    """The command that converts a file to UTF-8."""
    return converted(path, f"iconv -f {encoding} -t UTF-8", f".utf8{Path(path.removesuffix('.gz')).suffix}")
