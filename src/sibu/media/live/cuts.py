"""Records out of live bytes: windows of sound, pictures, lines of readings, windows of readings.

What is no record, or not a whole one, is counted among the faults and never lost silently.
"""

from __future__ import annotations

import csv
import json
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np

from sibu.core.errors import DataError, near_miss
from sibu.core.example import DataFault, Faults, as_names
from sibu.core.protocols import Record
from sibu.media.live.streams import Stream
from sibu.media.sound import Sound, clipped_share
from sibu.media.sources import looks_like

PORTION = 65_536
"""Bytes that are asked for at once."""
LARGEST = 32_000_000
"""Bytes that an encoded picture may have."""
LONGEST_LINE = 1_000_000
"""Bytes that a line may have."""
Samples = Literal["u8", "s16", "s32", "f32"]
_KINDS: dict[Samples, tuple[str, float, int]] = {
    "u8": ("u1", 128.0, 8), "s16": ("<i2", 32768.0, 16), "s32": ("<i4", 2147483648.0, 16), "f32": ("<f4", 1.0, 16),
}  # fmt: skip
_FILES = (b"RIFF", b"fLaC", b"OggS", b"ID3", b"caff", b".snd", b"FORM")
"""How recordings begin that are no plain samples."""
Clock = Callable[[], float]
LOST = frozenset({"not a number", "bad picture"})
"""Kinds of faults that stand for a whole record, whose number is their row; others are of a line, or of the end."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What the records of one stream have in common."""

    name: str
    """Of the stream, as faults name it."""
    field: str
    """The name of the value in each record."""
    faults: Faults
    """Collects what is wrong."""

    def tell(self, kind: str, number: int | None, message: str, mend: str, *, lost: bool = True) -> None:
        """Count what is wrong, and whether something is left out for it."""
        self.faults.add(DataFault(kind, "warning", self.name, number, message, mend), skips_row=lost)


def windows(
    stream: Stream,
    cut: Cut,
    *,
    rate: int,
    seconds: float,
    hop: float | None = None,
    channels: int = 1,
    kind: Samples = "s16",
) -> Iterator[Record]:
    """Windows of raw sound (PCM).

    Args:
        stream: Samples, little-endian, channels in turn.
        cut: Names, and where faults go.
        rate: Samples a second.
        seconds: Length of a window.
        hop: Seconds from the beginning of one window to that of the next; None: ``seconds``.
        channels: Of which the mean is taken.
        kind: How a sample is written.

    Yields:
        Number (from 1), and ``{field: Sound, "time": second of its beginning}``.

    Raises:
        DataError: When it begins like a recording's file.
    """
    form, scale, bits = _KINDS[kind]
    width = np.dtype(form).itemsize * channels
    length, step = round(seconds * rate), round((seconds if hop is None else hop) * rate)
    if length < 1 or step < 1 or channels < 1:
        raise ValueError(f"a window and its hop have at least one sample, given {seconds} s and {hop} s at {rate} Hz")
    held, number, skip = bytearray(), 0, 0
    seen = 0  # bytes held that an earlier window had too
    for data in _portions(stream):
        held += data
        if not number and held.startswith(_FILES):
            raise DataError(_no_samples(cut.name, bytes(held)))
        if skip:
            gone = min(skip, len(held))
            del held[:gone]
            skip -= gone
        while not skip and len(held) >= length * width:
            number += 1
            raw = np.frombuffer(bytes(held[: length * width]), form).reshape(length, channels)
            samples = raw.astype(np.float32) / np.float32(scale) - np.float32(kind == "u8")
            begin = (number - 1) * step / rate
            if np.isfinite(samples).all():
                mono = samples.mean(axis=1, dtype=np.float32)
                sound = Sound(mono, rate, rate, channels, clipped_share(samples, bits), length / rate)
                yield number, {cut.field: sound, "time": begin}
            else:
                message = f"Window {number:,} holds what is no number (NaN or infinite)."
                cut.tell("not a number", number, message, "See what writes the samples.")
            gone = min(step * width, len(held))
            skip = step * width - gone
            del held[:gone]
            seen = max(0, (length - step) * width)
    if len(held) > seen:
        have = len(held) / width / rate
        message = f"The stream ended {have:.3g} seconds into window {number + 1:,}, which needs {seconds:g}."
        cut.tell("cut window", number + 1, message, "Nothing need be done where it was stopped on purpose.")


def jpegs(stream: Stream, cut: Cut, *, clock: Clock | None = None, largest: int = LARGEST) -> Iterator[Record]:
    """The JPEG pictures of a stream (MJPEG), as they are: nothing is decoded.

    Args:
        stream: Pictures one behind the other, or in an HTTP answer of parts, as network cameras send them.
        cut: Names, and where faults go.
        clock: Seconds, for the time of each; None: since the reading began.
        largest: Bytes that a picture may have.

    Yields:
        Number (from 1), and ``{field: bytes, "time": second of its arrival}``.
    """
    clock = clock or since()
    held, number = bytearray(), 0
    place = _Place()
    for data in _portions(stream):
        held += data
        while True:
            if not place.inside and not _begin(held, cut, number):
                break
            place.inside = True
            end = _end_of_jpeg(held, place)
            if end == 0 and len(held) <= largest:
                break
            number += 1
            if end > 0:
                yield number, {cut.field: bytes(held[:end]), "time": clock()}
                del held[:end]
            else:
                why = f"has more than {largest:,} bytes" if end == 0 else "is damaged"
                cut.tell("bad picture", number, f"Picture {number:,} {why}.", "See what writes the stream.")
                del held[:2]  # the next may begin anywhere behind
            place = _Place()
    if place.inside:
        message = f"The stream ended in picture {number + 1:,}, of which {len(held):,} bytes came."
        cut.tell("cut picture", number + 1, message, "Nothing need be done where it was stopped on purpose.")
    elif held.strip(b"\r\n\0") and not _is_framing(held):
        _tell_between(held, cut, number)


def raw_pictures(
    stream: Stream, cut: Cut, *, size: tuple[int, int], rate: float | None = None, clock: Clock | None = None
) -> Iterator[Record]:
    """Pictures as plain pixels (rgb24), as ``ffmpeg -f rawvideo -pix_fmt rgb24`` writes them.

    Args:
        stream: Rows from the top, three bytes a pixel.
        cut: Names, and where faults go.
        size: Height and width.
        rate: Pictures a second; None: the clock tells when each came.
        clock: Seconds, for the time of each; None: since the reading began.

    Yields:
        Number (from 1), and ``{field: uint8 (H, W, 3), "time": second}``.
    """
    clock = clock or since()
    length = size[0] * size[1] * 3
    if length < 1:
        raise ValueError(f"a picture has at least one pixel, given {size}")
    held, number = bytearray(), 0
    for data in _portions(stream):
        held += data
        while len(held) >= length:
            number += 1
            pixels = np.frombuffer(held[:length], np.uint8).reshape(*size, 3)
            del held[:length]
            yield number, {cut.field: pixels, "time": clock() if rate is None else (number - 1) / rate}
    if held:
        message = f"The stream ended in picture {number + 1:,}: {len(held):,} of {length:,} bytes came."
        cut.tell("cut picture", number + 1, message, "See whether the size is right, where it was not stopped.")


def lines(
    stream: Stream, cut: Cut, *, form: Literal["json", "csv"] = "json", header: Sequence[str] | None = None,
    delimiter: str = ",", wanted: Sequence[str] = (),
) -> Iterator[Record]:  # fmt: skip
    """Lines of readings: a JSON object each, or cells between delimiters.

    Args:
        stream: Lines of UTF-8.
        cut: Names, and where faults go; ``field`` is not used.
        form: How a line is written.
        header: Of cells, the columns' names; None: the first line names them.
        delimiter: Of cells, what stands between two.
        wanted: Of cells, columns that must be there.

    Yields:
        The line's number (from 1), and its values by name; cells are texts.

    Raises:
        DataError: When the columns lack one that is wanted.
    """
    names = None if header is None else _with_all(list(header), wanted, cut)
    for number, line, whole in _split(stream, cut):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as fault:
            message = f"Line {number:,} is not UTF-8: byte {fault.start + 1} of it is 0x{line[fault.start]:02X}."
            cut.tell("bad encoding", number, message, "Write it in UTF-8.")
            continue
        if not text.strip():
            continue
        if form == "json":
            try:
                record = json.loads(text)
            except ValueError as fault:
                record = str(fault)
            if isinstance(record, dict):
                yield number, record
            else:
                kind, what = ("bad line", "is no JSON object") if whole else ("cut line", "is cut off")
                cut.tell(kind, number, f"Line {number:,} {what}: {_shown(text)}.", "Write one object a line.")
            continue
        cells = next(csv.reader([text], delimiter=delimiter))
        if names is None:
            names = _with_all(cells, wanted, cut)
        elif not whole:  # the last cell may be half a number
            message = f"The stream ended in line {number:,}: {_shown(text)}."
            cut.tell("cut line", number, message, "Nothing need be done where it was stopped on purpose.")
        elif len(cells) != len(names):
            message = f"Line {number:,} has {len(cells):,} cells where the header has {len(names):,}: {_shown(text)}."
            cut.tell("ragged line", number, message, f"The header is {as_names(names)}.")
        else:
            yield number, dict(zip(names, cells, strict=True))


def reading_windows(
    records: Iterable[Record], cut: Cut, *, clock: str, channels: Sequence[str], seconds: float,
    hop: float | None = None, unit: float = 1.0,
) -> Iterator[Record]:  # fmt: skip
    """Windows over readings, by their own clock. A window is done when the clock has passed its end.

    Args:
        records: Readings as ``lines`` gives them.
        cut: Names, and where faults go.
        clock: The name of the clock's numbers, or ISO dates (one without a zone counts as UTC).
        channels: The names of the readings; a missing, empty or null one is missing.
        seconds: Length of a window.
        hop: Seconds from the beginning of one window to that of the next; None: ``seconds``.
        unit: Seconds that a number of the clock counts.

    Yields:
        Number (from 1), and ``{field: {"values": [[...]], "time": [...], "names": [...]}, "time": second of its
        beginning}``: a row of numbers a reading, the second of each, and the names of the channels.
    """
    step = seconds if hop is None else hop
    if not (seconds > 0 and step > 0):
        raise ValueError(f"a window and its hop last more than 0 seconds, given {seconds} and {hop}")
    names = list(channels)
    held: list[tuple[float, list[float | None]]] = []
    first: float | None = None
    number, fresh = 1, 0  # the window at hand, and readings that no window had
    for row, record in records:
        try:
            now = _second(record.get(clock), clock, unit)
        except ValueError as fault:
            cut.tell("bad reading", row, f"Line {row:,}: {fault}", "Each reading needs its time.")
            continue
        if (values := _values(row, record, channels, cut)) is None:
            continue
        if held and now < held[-1][0]:
            message = f"Line {row:,}: the clock runs backwards, {now:.12g} s after {held[-1][0]:.12g} s."
            cut.tell("clock backwards", row, message, "See what writes the times.")
            continue
        first = now if first is None else first
        while now >= first + (number - 1) * step + seconds:
            begin = first + (number - 1) * step
            if part := [each for each in held if begin <= each[0] < begin + seconds]:
                inline = _window([each[1] for each in part], names, number, cut) | {"time": [each[0] for each in part]}
                yield number, {cut.field: inline, "time": begin}
                number += 1
            else:
                leap = max(1, math.floor((now - seconds - begin) / step) + 1)
                message = f"Nothing was read for {leap * step:g} seconds from {begin:.12g} s on, {leap:,} windows."
                cut.tell("empty window", number, message, "See whether the sensor sends.", lost=False)
                number += leap
            held = [each for each in held if each[0] >= first + (number - 1) * step]
            fresh = 0
        if now >= first + (number - 1) * step:  # else it falls between two windows
            held.append((now, values))
            fresh += 1
    if fresh:
        message = f"The stream ended in window {number:,}, of which {fresh:,} new readings came."
        cut.tell("cut window", number, message, "Nothing need be done where it was stopped on purpose.")


def counted_windows(
    records: Iterable[Record], cut: Cut, *, channels: Sequence[str], rate: float, seconds: float,
    hop: float | None = None,
) -> Iterator[Record]:  # fmt: skip
    """Windows over readings that have no clock: they follow each other at a rate.

    Args:
        records: Readings as ``lines`` gives them.
        cut: Names, and where faults go.
        channels: The names of the readings; a missing, empty or null one is missing.
        rate: Readings a second.
        seconds: Length of a window.
        hop: Seconds from the beginning of one window to that of the next; None: ``seconds``.

    Yields:
        Number (from 1), and ``{field: {"values": [[...]], "names": [...]}, "time": second of its beginning}``.
    """
    length, step = round(seconds * rate), round((seconds if hop is None else hop) * rate)
    if length < 1 or step < 1:
        raise ValueError(f"a window and its hop have at least one reading, given {seconds} s and {hop} s at {rate:g}")
    held: list[list[float | None]] = []
    number, begin, count, fresh = 0, 0, 0, 0  # the reading that the next window begins with; all; those of no window
    for row, record in records:
        if (values := _values(row, record, channels, cut)) is None:
            continue
        count += 1
        if count > begin:  # else it falls between two windows
            held.append(values)
            fresh += 1
        if len(held) == length:
            number += 1
            yield number, {cut.field: _window(held, list(channels), number, cut), "time": begin / rate}
            del held[:step]
            begin += step
            fresh = 0
    if fresh:
        message = f"The stream ended in window {number + 1:,}, of which {fresh:,} new readings came."
        cut.tell("cut window", number + 1, message, "Nothing need be done where it was stopped on purpose.")


def _values(row: int, record: Mapping[str, Any], channels: Sequence[str], cut: Cut) -> list[float | None] | None:
    """The readings of a line; None, told, where one is no number or none of the channels is named."""
    try:
        if not any(name in record for name in channels):
            raise ValueError(f"it names none of {as_names(channels)}; it has {as_names(record) or 'nothing'}.")
        return [_number_or_none(record.get(name), name) for name in channels]
    except ValueError as fault:
        cut.tell("bad reading", row, f"Line {row:,}: {fault}", "Leave a reading empty where it is missing.")
        return None


def _with_all(names: list[str], wanted: Sequence[str], cut: Cut) -> list[str]:
    if lacking := [name for name in wanted if name not in names]:
        has = f"The stream {cut.name} has no column {as_names(lacking)}; its header is {as_names(names)}."
        mend = "Name its columns with `channels`, in the order of the bundle's, and its clock with `clock`."
        raise DataError(f"{has} {near_miss(lacking[0], names)}{mend}")
    return names


def _window(rows: Sequence[list[float | None]], names: list[str], number: int, cut: Cut) -> dict[str, Any]:
    """Readings as a row has them; a channel that has none is told."""
    if silent := [name for place, name in enumerate(names) if all(row[place] is None for row in rows)]:
        message = f"Window {number:,} has no reading of {as_names(silent)}."
        cut.tell("empty channel", number, message, "See whether the sensor sends.", lost=False)
    return {"values": [list(row) for row in rows], "names": names}


def _no_samples(name: str, head: bytes) -> str:
    looks = looks_like(head)
    mend = "Let its sender write them, as `ffmpeg -i IN -f s16le -ac 1 -ar 16000 -` does."
    return f"{name} brings no plain samples: it begins like {looks}. {mend}"


def _portions(stream: Stream) -> Iterator[bytes]:
    while data := stream.read(PORTION):
        yield data


def since() -> Clock:
    """Seconds from now on."""
    begin = time.monotonic()
    return lambda: time.monotonic() - begin


def _split(stream: Stream, cut: Cut) -> Iterator[tuple[int, bytes, bool]]:
    """Lines with their numbers, and whether each had an end."""
    held, number, lost = bytearray(), 0, False
    for data in _portions(stream):
        held += data
        done, _, rest = held.rpartition(b"\n")
        if done or held[:1] == b"\n":
            for line in bytes(done).split(b"\n"):
                number += 1
                if not lost:
                    yield number, line.rstrip(b"\r"), True
                lost = False
            held = bytearray(rest)
        if len(held) > LONGEST_LINE:
            if not lost:
                message = f"Line {number + 1:,} has more than {LONGEST_LINE:,} bytes."
                cut.tell("long line", number + 1, message, "A line ends in a line feed.")
            lost = True
            held.clear()
    if held and not lost:
        yield number + 1, bytes(held), False


@dataclass(slots=True)
class _Place:
    """How far a JPEG was gone through."""

    inside: bool = False
    at: int = 2
    scan: bool = False
    """Whether in the data of a scan, where markers are sought; else a segment begins here."""


def _begin(held: bytearray, cut: Cut, number: int) -> bool:
    """Throw away what stands before a picture; whether one begins."""
    start = held.find(b"\xff\xd8\xff")
    before = held[: start if start >= 0 else max(0, len(held) - 2)]
    if start < 0 and len(held) < PORTION:  # what it is shows when more has come
        return False
    if before.strip(b"\r\n\0") and not _is_framing(before):
        _tell_between(before, cut, number)
    del held[: len(before)]
    return start >= 0


def _is_framing(data: bytes | bytearray) -> bool:
    """Whether bytes between pictures are the headers of an HTTP answer's parts."""
    return data.lstrip()[:2] == b"--" or data.lstrip()[:5] == b"HTTP/"


def _tell_between(data: bytes | bytearray, cut: Cut, number: int) -> None:
    message = f"{len(data):,} bytes behind picture {number:,} are no JPEG picture, but {looks_like(bytes(data[:512]))}."
    mend = "Write pictures as JPEG, one behind the other (`ffmpeg ... -f mjpeg -`), or as plain pixels with a `size`."
    cut.tell("no picture", number + 1, message, mend, lost=False)


def _end_of_jpeg(held: bytearray, place: _Place) -> int:
    """Bytes of the picture that begins here; 0: not all have come; -1: it is damaged.

    Segments are stepped over by their lengths, as one may hold a small picture with an end of its own.
    """
    while True:
        if place.scan:
            place.at = held.find(b"\xff", place.at)
            if place.at < 0 or place.at + 2 > len(held):
                place.at = len(held) if place.at < 0 else place.at
                return 0
            mark = held[place.at + 1]
            if mark == 0 or 0xD0 <= mark <= 0xD7:  # a data byte, or where decoders start anew
                place.at += 2
                continue
            if mark == 0xFF:
                place.at += 1
                continue
            place.scan = False
        if place.at + 2 > len(held):
            return 0
        if held[place.at] != 0xFF:
            return -1
        mark = held[place.at + 1]
        if mark == 0xD9:
            return place.at + 2
        if mark == 0xFF:
            place.at += 1
            continue
        if mark in (0, 0xD8):
            return -1
        if place.at + 4 > len(held):
            return 0
        length = int.from_bytes(held[place.at + 2 : place.at + 4], "big")
        if length < 2:
            return -1
        if place.at + 2 + length > len(held):
            return 0
        place.at += 2 + length
        place.scan = mark == 0xDA


def _second(value: Any, name: str, unit: float) -> float:
    """What a clock shows, in seconds."""
    try:
        found = _number_or_none(value, name)
    except ValueError:
        try:
            date = datetime.fromisoformat(str(value).strip().replace("/", "-"))
        except ValueError:
            what = f"{name!r} is {_shown(str(value))}, where a finite number or a date is expected."
            raise ValueError(what) from None
        return (date if date.tzinfo is not None else date.replace(tzinfo=UTC)).timestamp()
    if found is None:
        raise ValueError(f"{name!r} has no value.")
    return found * unit


def _number_or_none(value: Any, name: str) -> float | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise ValueError(f"{name!r} is {_shown(str(value))}, where a finite number is expected.")
    return found


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
