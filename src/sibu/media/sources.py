"""What a decoder is given: a file or bytes, what they look like, and what is wrong with them before any decoding."""

from __future__ import annotations

import re
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from sibu.core.errors import DataError, MissingExtra, near_miss

Source = str | bytes | Path
"""The name of a file, or what is in it."""

COPY_AGAIN = "Copy or download it again."
_HEAD = 4096
_SMALL = 1 << 20
_BYTES = "the bytes given"
_MARKS: tuple[tuple[bytes, str], ...] = (
    (rb"\x89PNG\r\n", "a PNG picture"),
    (rb"\xff\xd8\xff", "a JPEG picture"),
    (rb"GIF8[79]a", "a GIF picture"),
    (rb"RIFF....WEBP", "a WebP picture"),
    (rb"BM.{4}\0\0\0\0", "a BMP picture"),
    (rb"II\*\0|MM\0\*", "a TIFF picture"),
    (rb"....ftypavi[fs]", "an AVIF picture"),
    (rb"....ftyp(hei[cx]|mif1)", "a HEIC picture"),
    (rb"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (rb"8BPS", "a Photoshop picture"),
    (rb"RIFF....WAVE|RIFX....WAVE|RF64....WAVE", "a WAV recording"),
    (rb"fLaC", "a FLAC recording"),
    (rb"OggS", "an Ogg recording"),
    (rb"ID3|\xff[\xf2\xf3\xfa\xfb]", "an MP3 recording"),
    (rb"\xff[\xf0\xf1\xf8\xf9]", "an AAC recording"),
    (rb"FORM....AIF[FC]", "an AIFF recording"),
    (rb"\.snd", "an AU recording"),
    (rb"#!AMR", "an AMR recording"),
    (rb"....ftypM4A", "an M4A recording (AAC in MP4)"),
    (rb"....(ftyp|moov|mdat|wide)", "an MP4 or QuickTime video"),
    (rb"RIFF....AVI ", "an AVI video"),
    (rb"\x1aE\xdf\xa3", "a Matroska or WebM video"),
    (rb"FLV\x01", "an FLV video"),
    (rb"\0\0\x01[\xb3\xba]|\x47.{187}\x47", "an MPEG video"),
    (rb"0&\xb2u\x8ef\xcf\x11", "a Windows Media video"),
    (rb"\x93NUMPY", "a NumPy array"),
    (rb"PAR1", "a Parquet table"),
    (rb"ARROW1|FEA1", "an Arrow table"),
    (rb"\x89HDF\r\n", "an HDF5 file"),
    (rb"SQLite format 3", "an SQLite database"),
    (rb"%PDF", "a PDF document"),
    (rb"PK\x03\x04", "a ZIP file (or a document of an office program)"),
    (rb"\x1f\x8b", "a gzip file"),
    (rb"BZh[1-9]", "a bzip2 file"),
    (rb"\xfd7zXZ\0", "an xz file"),
    (rb"7z\xbc\xaf\x27\x1c", "a 7-Zip file"),
    (rb"\x7fELF", "a program"),
    (rb"version https://git-lfs", "a Git LFS pointer, not the file itself; `git lfs pull` brings that"),
    (rb"(?i:\s*<(!doctype html|html))", "an HTML page, as a failed download leaves it"),
    (rb"(\s*<\?xml[^>]*>)?\s*(<!--.*?-->\s*)?<svg", "an SVG drawing, which has no pixels"),
    (rb"\s*<\?xml", "XML"),
)
_NO_TEXT = {"Cc", "Cn", "Co", "Cs"}
_KNOWN = tuple((re.compile(mark, re.DOTALL), what) for mark, what in _MARKS)


@dataclass(frozen=True, slots=True)
class Given:
    """A source that is there and has bytes in it."""

    name: str
    """How messages call it."""
    head: bytes
    """Its first bytes, up to 4,096."""
    size: int
    """Its bytes."""
    path: Path | None
    """Where it lies; None: the bytes are ``data``."""
    data: bytes | None
    """What is in it; None: it is to be read from ``path``."""

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """Its bytes as a stream.

        Raises:
            DataError: When the file can no longer be read.
        """
        if self.path is None:
            yield BytesIO(self.data or b"")
            return
        try:
            stream = self.path.open("rb")
        except OSError as fault:
            raise _unreadable(self.name, fault) from fault
        with stream:
            yield stream

    def tail(self, most: int) -> bytes:
        """Its last bytes."""
        with self.opened() as stream:
            stream.seek(max(0, self.size - most))
            return stream.read(most)

    def refused(self, what: str, allowed: str, mend: str = "") -> DataError:
        """The fault of a source that is not what it should be.

        Args:
            what: What is expected, such as ``picture``.
            allowed: Which of these can be read.
            mend: What to do.
        """
        looks = looks_like(self.head)
        return DataError(f"{self.name} is no {what} that can be read: it looks like {looks}. {allowed} {mend}".rstrip())


def given(source: Source) -> Given:
    """A source, looked at.

    What is small (up to 1 MiB) or no regular file (a pipe) is read at once.

    Args:
        source: The name of a file, or bytes.

    Raises:
        DataError: When there is no such file, it is a folder, it cannot be read or has no bytes.
    """
    if isinstance(source, bytes):
        found = Given(_BYTES, source[:_HEAD], len(source), None, source)
    else:
        found = _file(str(source))
    if not found.size:
        raise DataError(
            f"{found.name} has 0 bytes. {'Give what the file holds.' if isinstance(source, bytes) else COPY_AGAIN}"
        )
    return found


def looks_like(head: bytes) -> str:
    """What a file is by its first bytes, in words: ``a PNG picture``, ``text ("The patient ...")``."""
    for mark, what in _KNOWN:
        if mark.match(head):
            return what
    if not head.strip(b"\0"):
        return "nothing but zero bytes"
    if (text := _as_text(head)) is not None:
        shown = " ".join(text.split())
        return f'text ("{shown if len(shown) <= 40 else shown[:37] + "..."}")'
    return f"binary data of no known form (it begins {head[:8].hex(' ')})"


def library(module: str, what: str, extra: str, package: str | None = None) -> Any:
    """An optional library, imported on use.

    Args:
        module: Its module, such as ``PIL.Image``.
        what: What needs it, as the message begins.
        extra: The extra of Sibu that brings it.
        package: Its name where packages are named; the module's first name if None.

    Raises:
        MissingExtra: When it is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as fault:
        top = module.partition(".")[0]
        if fault.name is not None and fault.name.partition(".")[0] == top:
            raise MissingExtra(what, package or top, extra) from None
        raise


def _file(name: str) -> Given:
    path = Path(name)
    try:
        kind = path.stat()
        if stat.S_ISDIR(kind.st_mode):
            raise DataError(f"{name} is a folder where a file is expected. Name one file in it.")
        with path.open("rb") as stream:
            if not stat.S_ISREG(kind.st_mode) or 0 < kind.st_size <= _SMALL:
                data = stream.read()
                return Given(name, data[:_HEAD], len(data), None, data)
            return Given(name, stream.read(_HEAD), kind.st_size, path, None)
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(_missing(name, path)) from None
    except (OSError, ValueError) as fault:  # ValueError: a null byte in the name
        raise _unreadable(name, fault) from fault


def _missing(name: str, path: Path) -> str:
    if "://" in name:
        return f"No file {name}: it looks like an address, and files are read. Download it, and name the file."
    if path.is_symlink():
        return f"No file {name}: it is a link to {path.readlink()}, and there is no such file."
    folder = path.absolute().parent
    if not folder.is_dir():
        return f"No file {name}: there is no folder {folder}."
    names: list[str] = []
    with suppress(OSError):  # one may look for a file by its name and not be let see the others
        names += [other.name for other in islice(folder.iterdir(), 1000)]
    return f"No file {name}; looked in {folder}. {near_miss(path.name, names)}".rstrip()


def _unreadable(name: str, fault: Exception) -> DataError:
    why = fault.strerror if isinstance(fault, OSError) and fault.strerror else fault
    return DataError(f"{name} cannot be read: {why}.")


def _as_text(head: bytes) -> str | None:
    """The head as a text of UTF-8 or of Chinese encodings; None where it is none."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = head.decode(encoding)
        except UnicodeDecodeError as fault:
            if fault.start < len(head) - 4 or len(head) < _HEAD:  # else a character is cut where the head ends
                continue
            text = head[: fault.start].decode(encoding)
        plain = sum(letter in "\t\n\r\f" or unicodedata.category(letter) not in _NO_TEXT for letter in text)
        letters = sum(letter.isascii() or unicodedata.east_asian_width(letter) in "WF" for letter in text)
        if plain >= 0.99 * len(text) and (encoding != "gb18030" or letters >= 0.95 * len(text)):
            return text
    return None
