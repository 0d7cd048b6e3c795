"""Readers of live streams: ``partial`` of each with its options is a ``Reader``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from sibu.core.example import Faults
from sibu.core.protocols import Record
from sibu.media.live.cuts import (
    Cut,
    Samples,
    counted_windows,
    jpegs,
    lines,
    raw_pictures,
    reading_windows,
    since,
    windows,
)
from sibu.media.live.holding import MOST, held
from sibu.media.live.streams import PATIENCE, called, camera, microphone, opened

Full = Literal["wait", "drop"]


def live_sound(
    path: str, faults: Faults, *, rate: int, seconds: float, hop: float | None = None, channels: int = 1,
    kind: Samples = "s16", field: str = "audio", most: int = MOST, full: Full = "drop",
    patience: float | None = PATIENCE,
) -> Iterator[Record]:  # fmt: skip
    """Windows of raw sound from a stream, see ``cuts.windows``, ``streams.opened`` and ``holding.held``."""
    cut = Cut(called(path), field, faults)

    def records() -> Iterator[Record]:
        with opened(path, patience) as stream:
            yield from windows(stream, cut, rate=rate, seconds=seconds, hop=hop, channels=channels, kind=kind)

    return held(records(), faults, name=cut.name, most=most, full=full)


def live_microphone(
    device: str, faults: Faults, *, rate: int = 16_000, seconds: float, hop: float | None = None, channels: int = 1,
    field: str = "audio", most: int = MOST, full: Full = "drop", command: Sequence[str] | None = None,
) -> Iterator[Record]:  # fmt: skip
    """Windows of what a microphone hears, see ``streams.microphone``."""
    cut = Cut(f"microphone {device}", field, faults)

    def records() -> Iterator[Record]:
        with microphone(device, rate=rate, channels=channels, command=command) as stream:
            yield from windows(stream, cut, rate=rate, seconds=seconds, hop=hop, channels=channels)

    return held(records(), faults, name=cut.name, most=most, full=full)


def live_pictures(
    path: str, faults: Faults, *, size: tuple[int, int] | None = None, rate: float | None = None,
    field: str = "image", most: int = MOST, full: Full = "drop", patience: float | None = PATIENCE,
) -> Iterator[Record]:  # fmt: skip
    """Pictures from a stream: JPEG one behind the other, or with a ``size`` (height, width) plain pixels."""
    cut = Cut(called(path), field, faults)

    def records() -> Iterator[Record]:
        with opened(path, patience) as stream:
            if size is None:
                yield from jpegs(stream, cut)
            else:
                yield from raw_pictures(stream, cut, size=size, rate=rate)

    return held(records(), faults, name=cut.name, most=most, full=full)


def live_camera(
    device: str, faults: Faults, *, form: str | None = "v4l2", rate: int | None = None,
    size: tuple[int, int] | None = None, field: str = "image", most: int = MOST, full: Full = "drop",
) -> Iterator[Record]:  # fmt: skip
    """Pictures of a camera, see ``streams.camera``."""

    def records() -> Iterator[Record]:
        clock = since()
        for number, pixels in enumerate(camera(device, form=form, rate=rate, size=size), 1):
            yield number, {field: pixels, "time": clock()}

    return held(records(), faults, name=f"camera {device}", most=most, full=full)


def live_readings(
    path: str, faults: Faults, *, clock: str | None, channels: Sequence[str], seconds: float, hop: float | None = None,
    unit: float = 1.0, rate: float | None = None, form: Literal["json", "csv"] = "json",
    header: Sequence[str] | None = None, delimiter: str = ",", field: str = "series", most: int = MOST,
    full: Full = "drop", patience: float | None = PATIENCE,
) -> Iterator[Record]:  # fmt: skip
    """Windows of the readings that a stream brings line by line, see ``cuts.lines`` and ``cuts.reading_windows``.

    Without a ``clock`` they follow each other at ``rate``, see ``cuts.counted_windows``.
    """
    cut = Cut(called(path), field, faults)
    if clock is None and rate is None:
        raise ValueError("readings without a clock have a rate")

    def records() -> Iterator[Record]:
        with opened(path, patience) as stream:
            wanted = (*([] if clock is None else [clock]), *channels)
            rows = lines(stream, cut, form=form, header=header, delimiter=delimiter, wanted=wanted)
            if clock is not None:
                named: dict[str, Any] = {"clock": clock, "unit": unit}
                yield from reading_windows(rows, cut, channels=channels, seconds=seconds, hop=hop, **named)
            elif rate is not None:
                yield from counted_windows(rows, cut, channels=channels, rate=rate, seconds=seconds, hop=hop)

    return held(records(), faults, name=cut.name, most=most, full=full)
