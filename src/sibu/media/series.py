"""Streams of readings as arrays: several channels over one clock, from files or from the row itself."""

from __future__ import annotations

import csv
import gzip
import io
import math
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, BinaryIO, Literal

import numpy as np

from sibu.core.errors import DataError, counted, near_miss
from sibu.core.example import as_names
from sibu.media.sources import COPY_AGAIN, Given, Source, given, looks_like

MOST = 50_000_000
"""Numbers that a stream may have unless told."""
MISSING = ("", " ", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "-", "?")
"""What stands in a cell for a reading that is missing."""
Unit = Literal["s", "ms", "us", "ns"]
SECONDS: dict[Unit, float] = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
"""Of what a clock may count."""
_ALLOWED = "Read are CSV, TSV, Parquet and NPY."
LONGEST = 1e11
"""Seconds that a stream may last: some 3,000 years."""
SHORTEST = 1e-12
"""Seconds below which a clock stands still."""
_GREATEST = float(np.finfo(np.float32).max)
_GAP = 5.0
_LINE = 1 << 20


@dataclass(frozen=True, slots=True)
class Series:
    """Readings of several channels over one clock."""

    times: np.ndarray
    """Second of each reading, never less than the one before. Shape ``(N,)``, float64."""
    values: np.ndarray
    """Readings, NaN where one is missing. Shape ``(N, C)``, float32."""
    names: tuple[str, ...]
    """Of the channels; numbers from 0 where nothing names them."""
    start: float | None = None
    """Where the clock shows dates: second 0 in seconds since 1970 (UTC; a date without a zone counts as UTC)."""

    @property
    def seconds(self) -> float:
        """From the first reading to the last."""
        return float(self.times[-1] - self.times[0])

    @property
    def rate(self) -> float:
        """Readings a second, by the median of their distances; 0 where there is no distance."""
        steps = np.diff(self.times)
        middle = float(np.median(steps)) if len(steps) else 0.0
        return 1 / middle if middle > 0 else 0.0


@dataclass(frozen=True, slots=True)
class SeriesFigures:
    """What tells whether a stream is fit for use."""

    constant: tuple[str, ...]
    """Channels whose readings are all the same."""
    empty: tuple[str, ...]
    """Channels without one reading."""
    missing: tuple[float, ...]
    """Share of readings that a channel lacks, 0 to 1, by channel."""
    gaps: int
    """How often two readings are more than five times as far apart as they mostly are."""
    longest_gap: float
    """Seconds between the two readings that are farthest apart."""
    repeated: int
    """How often the clock stands still between two readings."""


def read_series(
    source: Source | Mapping[str, Any],
    *,
    time: str | None = None,
    channels: Sequence[str] | None = None,
    unit: Unit = "s",
    rate: float = 1.0,
    header: bool | None = None,
    most: int = MOST,
) -> Series:
    """The readings of a file, or of a row that holds them itself.

    A file's format is told by what is in it: Parquet, NPY (``(N,)`` or ``(N, C)``), else delimited text (comma, tab or
    semicolon; also gzip). An empty cell, ``NA``, ``NaN``, ``null``, ``-`` and ``?`` stand for a missing reading.

    Args:
        source: A file's name, what is in it, or ``{"values": [[...]], "time": [...], "names": [...]}``.
        time: The column of the clock: numbers, or ISO dates, which become seconds from the first. A row's own readings
            have theirs as ``time``, whatever a file's is called. None: a file's readings follow each other at ``rate``,
            as the row's do where there is no ``time``.
        channels: The columns of readings, in the order wanted; None: all but the clock.
        unit: What numbers of the clock count.
        rate: Readings a second where there is no clock.
        header: Whether the first line of a text names the columns; None: unless it holds numbers only.
        most: Numbers that it may hold.

    Raises:
        DataError: When it is missing, empty, of another format, cut off, has no rows, lacks a column, holds text or
            infinity where a number is expected, or its clock lacks a value, runs backwards, stands still or leaps
            beyond ``LONGEST``; row and value are named.
    """
    if isinstance(source, Mapping):
        return _inline(source, time, channels, unit, rate)
    found = given(source)
    if found.head.startswith(b"PAR1"):
        table = _parquet(found, time, channels, most)
    elif found.head.startswith(b"\x93NUMPY"):
        table = _npy(found, time, channels, most)
    else:
        table = _text(found, time, channels, most, header)
    if not len(table.values):
        raise DataError(f"{found.name} has no readings: no row follows its header. {COPY_AGAIN}")
    return _series(table, found.name, unit, rate)


def resampled(series: Series, rate: float, *, gap: float | None = None, most: int = MOST) -> Series:
    """Readings at even distances, from the first reading on.

    Where two or more readings fall on each new one their mean is taken, else the line between neighbours.

    Args:
        series: What is to be brought to a rate.
        rate: Readings a second that are wanted.
        gap: Seconds between two readings beyond which nothing is said of what lies between; None: any gap is bridged.
        most: Numbers that there may be of it.

    Raises:
        DataError: When there would be more than ``most`` numbers, as where a clock leaps.
    """
    if not rate > 0:
        raise ValueError(f"a rate is more than 0 readings a second, given {rate}")
    count = math.floor(series.seconds * rate * (1 + 1e-12)) + 1
    if count * max(1, len(series.names)) > most:
        gives = f"{series.seconds:,.0f} seconds at {rate:g} a second give {count:,} readings of each channel"
        raise DataError(f"{gives}; at most {most:,} numbers are made. Lower the rate, or see whether the clock leaps.")
    times = series.times[0] + np.arange(count) / rate
    values = np.full((count, len(series.names)), np.nan, np.float32)
    for channel in range(len(series.names)):
        there = np.isfinite(series.values[:, channel])
        if there.any():
            known, own = series.times[there], series.values[there, channel].astype(np.float64)
            values[:, channel] = _brought(known, own, times, rate, gap)
    return Series(times, values, series.names, series.start)


def series_faults(series: Series) -> SeriesFigures:
    """The figures by which a gate tells sensors that stand still, and streams with holes."""
    there = np.isfinite(series.values)
    shown = np.where(there, series.values, np.nan)
    some = there.any(axis=0)
    filled = np.where(some, shown, 0.0)
    constant = some & (np.nanmax(filled, axis=0) == np.nanmin(filled, axis=0))
    steps = np.diff(series.times)
    usual = float(np.median(steps[steps > 0])) if (steps > 0).any() else math.inf
    return SeriesFigures(
        constant=tuple(name for name, flat in zip(series.names, constant, strict=True) if flat),
        empty=tuple(name for name, any_ in zip(series.names, some, strict=True) if not any_),
        missing=tuple(float(share) for share in 1 - there.mean(axis=0)),
        gaps=int((steps > _GAP * usual).sum()),
        longest_gap=float(steps.max(initial=0.0)),
        repeated=int((steps == 0).sum()),
    )


@dataclass(frozen=True, slots=True)
class _Table:
    """A file's columns, before the clock is read."""

    clock: Any
    """Arrow's column or an array; None: there is no clock."""
    values: np.ndarray
    """Shape ``(N, C)``, float32."""
    names: tuple[str, ...]
    place: Callable[[int], str]
    """What messages call the row of a number from 0, such as ``line 2``."""
    given: Callable[[int, int], Any]
    """What stood in a row, from 0, for a channel."""
    date: str = ""
    """The clock's name."""


def _series(table: _Table, name: str, unit: Unit, rate: float) -> Series:
    """The table with its clock read and checked."""
    if (infinite := np.isinf(table.values)).any():
        row, channel = np.argwhere(infinite)[0].tolist()
        given = float(table.given(row, channel))
        where = f"{name}: {table.place(row)} has {given:g} in {table.names[channel]!r}"
        if math.isinf(given):
            raise DataError(f"{where}; a finite number is expected. Leave the place empty where a reading is missing.")
        fits = f"which does not fit into 32 bits (at most {_GREATEST:.2g} either way)"
        raise DataError(f"{where}, {fits}. Check its unit, or leave the place empty.")
    if table.clock is None:
        return Series(np.arange(len(table.values)) / rate, table.values, table.names)
    times, start = _clock(table, name, unit)
    if len(wrong := np.flatnonzero(~np.isfinite(times))):
        where = table.place(int(wrong[0]))
        also = f" and {counted(len(wrong) - 1, 'other')}" if len(wrong) > 1 else ""
        raise DataError(f"{name}: the clock {table.date!r} has no value in {where}{also}. Each reading needs its time.")
    with np.errstate(over="ignore"):  # as of a clock that leaps, which is told
        steps = np.diff(times)
    if len(back := np.flatnonzero(steps < 0) + 1):
        place = int(back[0])
        where = f"{table.place(place)}: {times[place]:.12g} s after {times[place - 1]:.12g} s"
        also = f", and at {counted(len(back) - 1, 'other')}" if len(back) > 1 else ""
        raise DataError(f"{name}: the clock runs backwards at {where}{also}. Sort the rows by time, or mend the clock.")
    _require_span(table, name, times, steps)
    return Series(times, table.values, table.names, start)


def _require_span(table: _Table, name: str, times: np.ndarray, steps: np.ndarray) -> None:
    """The clock moves, and no farther than what fits."""
    if not len(steps):
        return
    span = math.inf if np.isinf(steps).any() else float(times[-1]) - float(times[0])
    if span < SHORTEST:
        moment = f"all {len(times):,} readings are at {times[0]:.12g} s"
        raise DataError(f"{name}: the clock {table.date!r} stands still: {moment}. Give each reading its own time.")
    if span > LONGEST:
        how = f"runs from {times[0]:.6g} s to {times[-1]:.6g} s"
        if len(leaps := np.flatnonzero(steps > LONGEST)):
            place = int(leaps[0]) + 1
            how = f"leaps from {times[place - 1]:.6g} s to {times[place]:.6g} s at {table.place(place)}"
        most = f"a stream lasts at most {LONGEST:g} s"
        mend = "Mend the clock, or say what it counts (`unit`)."
        raise DataError(f"{name}: the clock {table.date!r} {how}; {most}. {mend}")


def _clock(table: _Table, name: str, unit: Unit) -> tuple[np.ndarray, float | None]:
    """Seconds, NaN where one is missing, and what second 0 is in seconds since 1970 where the clock shows dates."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = table.clock
    if isinstance(column, np.ndarray):
        return column.astype(np.float64) * SECONDS[unit], None
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        blank = pc.is_in(column, value_set=pa.array(MISSING, column.type))
        column = pc.if_else(blank, pa.scalar(None, column.type), column)
        try:
            column = column.cast(pa.float64())
        except pa.ArrowInvalid:
            column = _dates(column, table, name)
    if pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("ms"))
    if pa.types.is_timestamp(column.type):
        scale = SECONDS[column.type.unit]
        numbers = column.cast(pa.int64())
        there = numbers.drop_null()
        first = there[0].as_py() if len(there) else 0
        seconds = np.asarray(pc.subtract(numbers, first).cast(pa.float64(), safe=False)) * scale
        return seconds, first * scale
    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        raise DataError(f"{name}: the clock {table.date!r} is {column.type}; allowed are numbers and dates.")
    return np.asarray(column.cast(pa.float64(), safe=False)) * SECONDS[unit], None


def _dates(column: Any, table: _Table, name: str) -> Any:
    """Texts as timestamps; all with a zone, or none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    tidy = pc.replace_substring(column, "/", "-")
    for kind in (pa.timestamp("ns"), pa.timestamp("ns", "UTC")):
        try:
            return tidy.cast(kind)
        except pa.ArrowInvalid:
            continue
    found: list[datetime | None] = []
    zoned = None
    for row, text in enumerate(tidy.to_pylist()):
        try:
            date = None if text is None else datetime.fromisoformat(text.strip())
        except ValueError:
            where = f"{name}: {table.place(row)} has {column[row].as_py()!r} in the clock {table.date!r}"
            raise DataError(f"{where}; allowed are numbers, and dates such as 2026-05-01T13:00:00.") from None
        if date is not None:
            zoned = date.tzinfo is not None if zoned is None else zoned
            if zoned != (date.tzinfo is not None):
                have = f"some dates of the clock {table.date!r} have a zone and some have none"
                raise DataError(f"{name}: {have}, see {table.place(row)}. Write all in one form.")
            date = date.astimezone(UTC) if zoned else date.replace(tzinfo=UTC)
        found.append(date)
    return pa.array(found, pa.timestamp("us", "UTC"))


def _inline(
    value: Mapping[str, Any], time: str | None, channels: Sequence[str] | None, unit: Unit, rate: float
) -> Series:
    """Readings that stand in the row, in the form of a ``series`` column."""
    name = "The row's stream"
    rows = value.get("values")
    if rows is None or not len(rows):
        raise DataError(f"{name} is empty. Give `values`, one row of numbers a reading.")
    try:
        wide = np.array(rows, np.float64)
    except (TypeError, ValueError, OverflowError) as fault:
        raise DataError(f"{name} does not hold numbers in rows of equal length ({fault}).") from fault
    wide = wide[:, None] if wide.ndim == 1 else wide
    if wide.ndim != 2:
        raise DataError(f"{name} has the shape {wide.shape}; a row of numbers a reading is expected.")
    names = tuple(value.get("names") or map(str, range(wide.shape[1])))
    if len(names) != wide.shape[1]:
        raise DataError(f"{name} has {counted(wide.shape[1], 'channel')}, and {len(names):,} are named.")
    places = _places(names, channels, name, named=bool(value.get("names")))
    times = value.get("time")
    if times is None and time is not None:
        asked = f"streams have a clock (`time: {time}`)"
        raise DataError(f"{name} has no clock, and {asked}. Give the second or date of each reading as its `time`.")
    if times is not None and len(times) != len(wide):
        raise DataError(f"{name} has {counted(len(wide), 'reading')} and {len(times):,} times; each needs one.")
    with np.errstate(over="ignore"):  # what is too great becomes infinite, and is told
        values = wide[:, places].astype(np.float32)
    chosen = tuple(names[place] for place in places)
    clock = None if times is None else _inline_clock(times, name)
    return _series(
        _Table(clock, values, chosen, _numbered("reading"), lambda row, n: wide[row, places[n]], "time"),
        name,
        unit,
        rate,
    )


def _inline_clock(times: Sequence[Any], name: str) -> Any:
    """Numbers as an array; dates as texts, which are read as those of a file."""
    import pyarrow as pa

    if any(isinstance(each, str) for each in times):
        return pa.array([None if each is None else str(each) for each in times], pa.string())
    try:
        found = np.array(times, np.float64)
    except (TypeError, ValueError, OverflowError) as fault:
        raise DataError(f"{name} has a `time` that is neither numbers nor dates ({fault}).") from fault
    if found.ndim != 1:
        raise DataError(f"{name} has a `time` of the shape {found.shape}; one number or date a reading is expected.")
    return found


def _places(
    names: Sequence[str], wanted: Sequence[str] | None, source: str, time: str | None = None, *, named: bool = True
) -> list[int]:
    """Where the channels stand among the columns.

    Raises:
        DataError: When a name is not there, or none is left.
    """
    for name in (*(wanted or ()), *([] if time is None else [time])):
        if name not in names:
            if not named:
                each = f"{counted(len(names), 'channel')} without names"
                raise DataError(f"{source} has no channel {name!r}, but {each}. Name them, in their order, as `names`.")
            raise DataError(f"{source} has no column {name!r}. {near_miss(name, names)}It has {as_names(names)}.")
    chosen = [name for name in names if name != time] if wanted is None else list(wanted)
    if not chosen:
        raise DataError(f"{source} has no channel beside the clock {time!r}; it has {as_names(names)}.")
    if wanted is None and "" in chosen:
        mend = "Name the channels that are wanted, or write the file without it (pandas: to_csv(..., index=False))."
        raise DataError(f"{source}: column {names.index('') + 1} has no name, as the index that pandas writes. {mend}")
    if twice := sorted({name for name in chosen if names.count(name) > 1}):
        raise DataError(f"{source} has more than one column {as_names(twice)}. Give each channel a name of its own.")
    return [names.index(name) for name in chosen]


def _too_many(name: str, numbers: int, most: int) -> DataError:
    mend = "Cut it into parts (in Python the limit is `most`)."
    return DataError(f"{name} holds {numbers:,} numbers or more; at most {most:,} are read. {mend}")


def _parquet(found: Given, time: str | None, channels: Sequence[str] | None, most: int) -> _Table:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with found.opened() as stream:
            file = parquet.ParquetFile(stream)
            names = file.schema_arrow.names
            chosen = [names[place] for place in _places(names, channels, found.name, time)]
            if file.metadata.num_rows * len(chosen) > most:
                raise _too_many(found.name, file.metadata.num_rows * len(chosen), most)
            table = file.read(columns=list(dict.fromkeys([*chosen, *([time] if time is not None else [])])))
    except (pa.ArrowException, OSError) as fault:
        raise DataError(f"{found.name} is a Parquet file that is cut off or damaged ({fault}). {COPY_AGAIN}") from fault
    values = np.empty((table.num_rows, len(chosen)), np.float32)
    for place, name in enumerate(chosen):
        column = table.column(name)
        kind = column.type
        if not any(check(kind) for check in (pa.types.is_floating, pa.types.is_integer, pa.types.is_boolean,
                                             pa.types.is_decimal, pa.types.is_null)):  # fmt: skip
            mend = " If it is the clock, say so (`time`)." if pa.types.is_temporal(kind) else ""
            raise DataError(f"{found.name}: the column {name!r} is {kind}; a channel holds numbers.{mend}")
        column = column.cast(pa.uint8()) if pa.types.is_boolean(kind) else column
        _fill(values, place, column.cast(pa.float64(), safe=False))
    clock = table.column(time) if time is not None else None

    def given(row: int, channel: int) -> Any:
        return table.column(chosen[channel])[row].as_py()

    return _Table(clock, values, tuple(chosen), _numbered("row"), given, time or "")


def _npy(found: Given, time: str | None, channels: Sequence[str] | None, most: int) -> _Table:
    try:
        with found.opened() as stream:
            version = np.lib.format.read_magic(stream)
            shape, _, kind = (np.lib.format.read_array_header_1_0 if version == (1, 0)
                              else np.lib.format.read_array_header_2_0)(stream)  # fmt: skip
            if kind.kind not in "fiub" or len(shape) not in (1, 2):
                allowed = "numbers of the shape (readings,) or (readings, channels)"
                raise DataError(f"{found.name} is an array of {kind} of the shape {shape}; allowed are {allowed}.")
            if math.prod(shape) > most:
                raise _too_many(found.name, math.prod(shape), most)
            stream.seek(0)
            array = np.lib.format.read_array(stream, allow_pickle=False)
    except DataError:
        raise
    except Exception as fault:  # a header is a text of Python, in which anything may be wrong
        raise DataError(f"{found.name} is a NumPy array that is cut off or damaged ({fault}). {COPY_AGAIN}") from fault
    array = array[:, None] if array.ndim == 1 else array
    names = tuple(str(number) for number in range(array.shape[1]))
    places = _places(names, channels, found.name, time)
    clock = array[:, names.index(time)].astype(np.float64) if time is not None else None
    with np.errstate(over="ignore"):  # what is too great becomes infinite, and is told
        values = array[:, places].astype(np.float32)

    def given(row: int, channel: int) -> Any:
        return array[row, places[channel]]

    return _Table(clock, values, tuple(names[place] for place in places), _numbered("row"), given, time or "")


def _text(found: Given, time: str | None, channels: Sequence[str] | None, most: int, header: bool | None) -> _Table:
    """A delimited text. Arrow reads it; where that fails, it is gone through line by line for the first fault."""
    import pyarrow as pa

    with _lines(found) as stream:
        delimiter, cells = _first_line(stream.readline(_LINE), found)
    named = not all(_is_number(cell) or cell in MISSING for cell in cells) if header is None else header
    names = cells if named else [str(number) for number in range(len(cells))]
    places = _places(names, channels, found.name, time)
    chosen = tuple(names[place] for place in places)
    clock = None if time is None else names.index(time)
    try:
        table = _columns(found, delimiter, len(names), int(named), places, clock, most)
    except pa.ArrowInvalid as fault:
        _find_fault(found, delimiter, names, chosen, time, named)
        raise DataError(f"{found.name} cannot be read: {fault}.") from fault
    values = np.empty((table.num_rows, len(places)), np.float32)
    for number, place in enumerate(places):
        _fill(values, number, table.column(str(place)))

    def line(row: int) -> str:
        with _lines(found) as stream:
            lines = csv.reader(io.TextIOWrapper(stream, "utf-8", "surrogateescape", newline=""), delimiter=delimiter)
            next(islice((cells for cells in lines if cells), row + named, None))
            return f"line {lines.line_num:,}"

    def given(row: int, channel: int) -> Any:
        return table.column(str(places[channel]))[row].as_py()

    return _Table(None if clock is None else table.column(str(clock)), values, chosen, line, given, time or "")


def _columns(
    found: Given, delimiter: str, width: int, skip: int, places: Sequence[int], clock: int | None, most: int
) -> Any:
    """Arrow's table of the columns that are wanted, named by their numbers, as others may have a name twice."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    kinds = {str(place): pa.float64() for place in places} | ({} if clock is None else {str(clock): pa.string()})
    schema = pa.schema(kinds.items())
    names = [str(place) for place in range(width)]
    read = arrow_csv.ReadOptions(use_threads=False, column_names=names, skip_rows=skip)
    convert = arrow_csv.ConvertOptions(column_types=kinds, include_columns=list(kinds), null_values=MISSING)
    batches = []
    rows = 0
    with _lines(found) as stream:
        if isinstance(stream, io.BytesIO):  # Arrow reads on threads of its own, which would wait for Python's
            stream = pa.BufferReader(pa.py_buffer(stream.getvalue()).slice(stream.tell()))
        try:
            reader = arrow_csv.open_csv(stream, read, arrow_csv.ParseOptions(delimiter=delimiter), convert)
        except pa.ArrowInvalid as fault:
            if "Empty CSV" in str(fault):
                return schema.empty_table()
            raise
        for batch in reader:
            rows += batch.num_rows
            if rows * len(places) > most:
                raise _too_many(found.name, rows * len(places), most)
            batches.append(batch)
    return pa.Table.from_batches(batches, schema)


def _fill(values: np.ndarray, channel: int, column: Any) -> None:
    """Put a column of numbers in its place, NaN where it has none."""
    with np.errstate(over="ignore"):  # what is too great becomes infinite, and is told
        values[:, channel] = column.to_numpy()


def _numbered(what: str) -> Callable[[int], str]:
    return lambda row: f"{what} {row + 1:,}"


@contextmanager
def _lines(found: Given) -> Iterator[BinaryIO]:
    """The bytes of a text behind its byte order mark, unzipped where they are gzip."""
    try:
        with found.opened() as file:
            stream: Any = io.BufferedReader(gzip.GzipFile(fileobj=file)) if found.head[:2] == b"\x1f\x8b" else file
            if stream.read(3) != b"\xef\xbb\xbf":
                stream.seek(0)
            yield stream
    except (EOFError, zlib.error, gzip.BadGzipFile) as fault:
        raise DataError(f"{found.name} is a gzip file that is cut off or damaged ({fault}). {COPY_AGAIN}") from fault


def _first_line(line: bytes, found: Given) -> tuple[str, list[str]]:
    """What stands between cells, and the cells."""
    try:
        text = line.decode().rstrip("\r\n")
    except UnicodeDecodeError as fault:
        mend = "Texts are in UTF-8: save it so." if looks_like(line)[:4] == "text" else ""
        raise found.refused("stream of readings", _ALLOWED, mend) from fault
    if not text or any(ord(letter) < 32 and letter != "\t" for letter in text) or looks_like(line)[:4] != "text":
        raise found.refused("stream of readings", _ALLOWED)
    delimiter = max("\t;,", key=text.count)
    return delimiter, [cell.strip() for cell in next(csv.reader([text], delimiter=delimiter))]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def _find_fault(
    found: Given, delimiter: str, names: Sequence[str], chosen: Sequence[str], time: str | None, named: bool
) -> None:
    """Raise for the first line that is not as it should be."""
    with _lines(found) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8", errors="surrogateescape", newline="")
        lines = csv.reader(text, delimiter=delimiter)
        for number, cells in enumerate(lines):
            where = f"{found.name}: line {lines.line_num:,}"
            if (number == 0 and named) or not cells:
                continue
            if len(cells) != len(names):
                have = f"{counted(len(cells), 'cell')} where the first line has {len(names):,}"
                raise DataError(f"{where} has {have}. Is the file cut off, or does a cell hold a {delimiter!r}?")
            row = dict(zip(names, cells, strict=True))
            for name in chosen:
                cell = row[name]
                if cell not in MISSING and not _is_number(cell):
                    clock = " If it is the clock, say so (`time`)." if time is None and _is_date(cell) else ""
                    shown = ascii(cell) if not cell.isprintable() else repr(cell)
                    mend = f"Leave the place empty where a reading is missing.{clock}"
                    raise DataError(f"{where} has {shown} in {name!r}, where a number is expected. {mend}")
        text.detach()


def _is_date(cell: str) -> bool:
    try:
        datetime.fromisoformat(cell.strip().replace("/", "-"))
    except ValueError:
        return False
    return True


def _brought(known: np.ndarray, own: np.ndarray, times: np.ndarray, rate: float, gap: float | None) -> np.ndarray:
    """One channel's readings at even times, NaN in gaps and outside of its readings."""
    found: np.ndarray = np.interp(times, known, own, left=np.nan, right=np.nan)
    span = known[-1] - known[0]
    if span > 0 and (len(known) - 1) / span >= 2 * rate:  # what is faster than the new rate must not fold into it
        places = np.floor((known - times[0]) * rate + 0.5).astype(np.int64)
        inside = (places >= 0) & (places < len(times))
        number = np.bincount(places[inside], minlength=len(times))
        total = np.bincount(places[inside], own[inside], minlength=len(times))
        found = np.where(number > 0, total / np.maximum(number, 1), found)
    if gap is not None:
        after = np.searchsorted(known, times, side="left")
        before = np.searchsorted(known, times, side="right") - 1
        inner = (before >= 0) & (after < len(known))
        wide = known[after.clip(max=len(known) - 1)] - known[before.clip(0)] > gap
        found[inner & wide] = np.nan
    return found
