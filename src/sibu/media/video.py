"""Videos as arrays: pictures evenly spaced in time, and the sound, decoded or refused. PyAV decodes."""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from sibu.core.errors import DataError, counted
from sibu.media._containers import missing_bytes
from sibu.media.pictures import MOST, Fit, read_picture, resized
from sibu.media.sound import Sound, clipped_share, resampled
from sibu.media.sources import COPY_AGAIN, Given, Source, given, library, looks_like

LONGEST = 3600.0
"""Seconds that the sound of a video may have unless told."""
_ALLOWED = "Read are MP4, QuickTime, Matroska, WebM, AVI, MPEG, FLV, GIF, and a folder of pictures."
_PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif"}
_UNKNOWN = "binary data"
_LOST = -(1 << 63)


@dataclass(frozen=True, slots=True)
class Video:
    """Pictures of a video, and what is heard."""

    pictures: np.ndarray
    """Shape ``(T, H, W, 3)``, uint8."""
    times: np.ndarray
    """Second of each picture, from the first of the video on. Shape ``(T,)``, float64."""
    seconds: float
    """How long the video lasts."""
    sound: Sound | None
    """Its sound, which begins with its first picture; None: it has none, or none was asked for."""


def read_video(
    source: Source,
    *,
    frames: int,
    sound_rate: int | None = None,
    size: tuple[int, int] | None = None,
    fit: Fit = "stretch",
    most: int = MOST,
    rate: float = 1.0,
    longest: float = LONGEST,
) -> Video:
    """Pictures from the middle of equal stretches of a video, upright as its header says.

    Only the stretches from a key frame to a wanted picture are decoded.

    Args:
        source: A file's name, what is in it, or a folder of pictures, which follow each other by the numbers in their
            names.
        frames: Pictures wanted, T; of a video that has fewer, each once.
        sound_rate: Samples a second of the sound; None: it is not read.
        size: Height and width to which each picture is brought as it comes; None: as they are.
        fit: How, see ``resized``.
        most: Pixels that a picture may have; looked up before anything is decoded.
        rate: Pictures a second of a folder.
        longest: Seconds that the sound may last.

    Raises:
        DataError: When it is missing, empty, no video, cut off, damaged, without a picture, or its pictures have more
            than ``most`` pixels.
        MissingExtra: Without PyAV; without soxr where the sound's rate is to be changed.
    """
    if frames < 1 or not rate > 0:
        raise ValueError(f"at least one picture is read, at more than 0 a second, given {frames} and {rate}")
    if not isinstance(source, bytes) and os.path.isdir(source):  # noqa: PTH112  (of a name too long it says no)
        return _folder(Path(source), frames, size, fit, most, rate)
    found = given(source)
    with _opened(found) as container:
        if not container.streams.video:
            raise DataError(f"{found.name} holds no pictures. {_ALLOWED}")
        stream = container.streams.video[0]
        if stream.codec_context is None:
            raise DataError(f"{found.name} has pictures in a code that is not known here. {_ALLOWED}")
        width, height = stream.codec_context.width, stream.codec_context.height
        if width * height > most:
            area = f"{width:,} x {height:,} = {width * height:,} pixels"
            mend = "Make them smaller, or raise the limit (`most_pixels`, in Python `most`)."
            raise DataError(f"{found.name} has pictures of {area}; at most {most:,} are decoded. {mend}")
        shown = _packets(container, stream, found)
    # Not every container finds back to its beginning, so it is opened anew for each way through it.
    chosen = _spread(shown.times, shown.seconds, frames)
    pictures = [_upright(frame, size, fit) for frame in _frames(found, shown, chosen)]
    sound = None if sound_rate is None else _sound(found, shown.times[0], sound_rate, longest)
    times = np.array([shown.times[place] - shown.times[0] for place in chosen])
    return Video(np.stack(pictures), times, shown.seconds, sound)


@dataclass(frozen=True, slots=True)
class _Shown:
    """When a video's pictures are shown."""

    stamps: list[int]
    """In the stream's own unit, in order."""
    times: list[float]
    """In seconds."""
    keys: list[int]
    """Stamps of the key frames, in order."""
    seconds: float
    """From the first to the end of the last."""


@contextmanager
def _opened(found: Given) -> Iterator[Any]:
    """A container of PyAV's."""
    av = library("av", "Reading videos", "video")
    kind = looks_like(found.head)
    # A text may be a playlist, which names other files: FFmpeg is not to see any.
    if not (kind.endswith("video") or kind.startswith((_UNKNOWN, "a GIF"))):
        raise found.refused("video", _ALLOWED)
    with found.opened() as stream:
        if missing := missing_bytes(stream, found.size):
            raise _damaged(found, f"{counted(missing, 'byte')} missing at its end")
    place = f"file:{found.path}" if found.data is None else BytesIO(found.data)
    try:
        with av.open(place, metadata_errors="replace") as container:
            yield container
    except av.FFmpegError as fault:
        if kind.startswith(_UNKNOWN):
            raise found.refused("video", _ALLOWED) from fault
        raise _damaged(found, fault.strerror or str(fault)) from fault


def _damaged(found: Given, why: str) -> DataError:
    return DataError(f"{found.name} is a video that is cut off or damaged ({why}). {COPY_AGAIN}")


def _packets(container: Any, stream: Any, found: Given) -> _Shown:
    """When each picture is shown, by the packets alone."""
    stamps: list[int] = []
    keys: list[int] = []
    lengths: list[int] = []
    for packet in container.demux(stream):
        stamp = packet.dts if packet.pts is None else packet.pts
        if packet.is_corrupt:
            raise _damaged(found, f"a packet is not whole behind {len(stamps):,} pictures")
        if not packet.size or stamp is None:
            continue
        stamps.append(stamp)
        lengths.append(packet.duration or 0)
        if packet.is_keyframe:
            keys.append(stamp)
    if not stamps:
        raise DataError(f"{found.name} is a video without pictures: nothing follows its header. {COPY_AGAIN}")
    if stream.frames > len(stamps):
        raise _damaged(found, f"it should hold {stream.frames:,} pictures, and has {len(stamps):,}")
    last = lengths[int(np.argmax(stamps))] or (round(float(np.median(np.diff(sorted(stamps))))) if stamps[1:] else 0)
    stamps.sort()
    unit = stream.time_base
    seconds = float((stamps[-1] + last - stamps[0]) * unit)
    return _Shown(stamps, [float(stamp * unit) for stamp in stamps], sorted(keys), seconds)


def _spread(times: Sequence[float], seconds: float, frames: int) -> list[int]:
    """Which pictures are shown in the middle of equal stretches, each once."""
    if len(times) <= frames:
        return list(range(len(times)))
    middles = times[0] + (np.arange(frames) + 0.5) * seconds / frames
    return sorted({max(0, bisect_right(times, middle) - 1) for middle in middles.tolist()})


def _frames(found: Given, shown: _Shown, chosen: Sequence[int]) -> Iterator[Any]:
    """The chosen frames. Where a key frame lies between two of them, it is sought; all else is decoded through."""
    with ExitStack() as files:
        container = files.enter_context(_opened(found))
        decoder = container.decode(container.streams.video[0])
        after = shown.stamps[0]  # the decoder has seen no picture behind this one
        seeks = True
        for place in chosen:
            wanted = shown.stamps[place]
            key = shown.keys[max(0, bisect_right(shown.keys, wanted) - 1)] if shown.keys else after
            if seeks and after < key <= wanted:
                container.seek(key, stream=container.streams.video[0])
                decoder = container.decode(container.streams.video[0])
            frame = _first_from(decoder, wanted)
            if seeks and (frame is None or _stamp(frame) > wanted):  # it cannot seek there: from the beginning
                seeks = False
                container = files.enter_context(_opened(found))
                decoder = container.decode(container.streams.video[0])
                frame = _first_from(decoder, wanted)
            if frame is None or frame.is_corrupt:
                raise _damaged(found, f"the picture at {shown.times[place] - shown.times[0]:.2f} s cannot be decoded")
            after = _stamp(frame)
            yield frame


def _stamp(frame: Any) -> int:
    """When it is shown, in the stream's own unit; before all else where that is lost."""
    stamp = frame.dts if frame.pts is None else frame.pts
    return _LOST if stamp is None else int(stamp)


def _first_from(decoder: Iterator[Any], wanted: int) -> Any:
    """The first frame that is shown at a stamp or later; None: there is none."""
    return next((frame for frame in decoder if _stamp(frame) >= wanted), None)


def _upright(frame: Any, size: tuple[int, int] | None, fit: Fit) -> np.ndarray:
    turns = round((getattr(frame, "rotation", 0) or 0) / 90) % 4
    pixels = np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), turns))
    return pixels if size is None else resized(pixels, size, fit)


def _sound(found: Given, begin: float, wanted: int, longest: float) -> Sound | None:
    """The first sound of a video, from its first picture on; None: it has none."""
    with _opened(found) as container:
        if not container.streams.audio:
            return None
        stream = container.streams.audio[0]
        if stream.codec_context is None:
            raise DataError(f"{found.name} has sound in a code that is not known here; leave it out, or convert it.")
        own, channels = int(stream.codec_context.sample_rate), int(stream.codec_context.channels)
        limit = round(longest * own)
        parts: list[np.ndarray] = []
        start = begin
        count = 0
        for time, piece in _pieces(container, stream, own):
            start = time if not parts and time is not None else start
            parts.append(piece)
            if len(piece) != len(parts[0]):
                raise _damaged(found, f"its sound has {len(parts[0])} channels, and then {len(piece)}")
            count += piece.shape[1]
            if count > limit:
                more = f"has more than {longest:,g} seconds of sound"
                raise DataError(f"{found.name} {more}. Cut it into parts (in Python the limit is `longest`).")
    if not count:
        return None
    samples = np.concatenate(parts, axis=1)
    late = round((start - begin) * own)
    if abs(late) > limit:
        raise _damaged(found, f"its sound begins {start - begin:,.0f} seconds from its pictures")
    samples = np.pad(samples, ((0, 0), (late, 0))) if late > 0 else samples[:, -late:]
    if not samples.shape[1]:
        return None
    mono = samples.mean(axis=0, dtype=np.float32)
    seconds = samples.shape[1] / own
    return Sound(resampled(mono, own, wanted), wanted, own, channels, clipped_share(samples.T), seconds)


def _pieces(container: Any, stream: Any, rate: int) -> Iterator[tuple[float | None, np.ndarray]]:
    """Stretches of sound, float32 (channels, samples), each with its second where that is known."""
    av = library("av", "Reading videos", "video")
    even = av.AudioResampler(format="fltp", layout=stream.codec_context.layout, rate=rate)
    for frame in container.decode(stream):
        for piece in even.resample(frame):
            yield frame.time, piece.to_ndarray()


def _folder(folder: Path, frames: int, size: tuple[int, int] | None, fit: Fit, most: int, rate: float) -> Video:
    """Pictures that lie in a folder, as a video."""
    names = [path for path in folder.iterdir() if path.suffix.lower() in _PICTURES and not path.name.startswith(".")]
    if not names:
        raise DataError(f"The folder {folder} holds no pictures ({' '.join(sorted(_PICTURES))}).")
    names.sort(key=lambda path: [(int(part), "") if part.isdecimal() else (-1, part)
                                 for part in re.split(r"(\d+)", path.name) if part])  # fmt: skip
    times = [number / rate for number in range(len(names))]
    chosen = _spread(times, len(names) / rate, frames)
    pictures: list[np.ndarray] = []
    for place in chosen:
        pixels = read_picture(names[place], most=most, about=size)
        pixels = pixels if size is None else resized(pixels, size, fit)
        if pictures and pixels.shape != pictures[0].shape:
            given_as = f"{pixels.shape[0]} x {pixels.shape[1]}, and {names[chosen[0]].name} {pictures[0].shape[:2]}"
            raise DataError(f"{names[place]} is {given_as}; all are of one size, or a `size` is asked for.")
        pictures.append(pixels)
    return Video(np.stack(pictures), np.array([times[place] for place in chosen]), len(names) / rate, None)
