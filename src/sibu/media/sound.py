"""Recordings as arrays: decoded whole or refused, at the rate that is asked for, and their log-mel spectrogram.

soundfile decodes and soxr changes rates. Sources: Stevens et al., A Scale for the Measurement of the Psychological
Magnitude Pitch, 1937 (mel); Slaney, Auditory Toolbox, 1998 (the filters, as librosa and Whisper have them).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from io import SEEK_SET, BytesIO
from mmap import ACCESS_READ, mmap
from typing import Any

import numpy as np

from sibu.core.errors import DataError
from sibu.media._mp3 import walked, with_count
from sibu.media.sources import COPY_AGAIN, Given, Source, given, library, looks_like

LONGEST = 600.0
"""Seconds that a recording may have unless told."""
MOST_A_SECOND = 400_000
"""Numbers a second over all channels: eight channels of 48,000 Hz. More is no recording, and would fill the memory."""
FLOOR = 1e-10
"""Power below which ``log_mel`` sees silence."""
SILENT = 1e-3
"""Amplitude (of 1) below which a sample counts as silent: 60 dB below full scale."""
_ALLOWED = "Read are WAV, FLAC, OGG (Vorbis, Opus), MP3, AIFF, AU and CAF."
_CONVERT = "Another program converts it, such as: ffmpeg -i IN OUT.flac"
_SHORT = re.compile(r"^\s*(data|SSND|Data Size|riff|Riff size)\s*: (\d+) \(should be (\d+)\)", re.MULTILINE)
_STREAMED = 0x7FFFF000
_UNKNOWN = 1 << 62
_PAGE = 65_307
_BITS = {"PCM_S8": 8, "PCM_U8": 8}
_RUN = 3
_FRAMES = 1024


@dataclass(frozen=True, slots=True)
class Sound:
    """A recording, or its beginning."""

    samples: np.ndarray
    """Amplitudes, of which 1 is full scale. Shape ``(N,)``, or ``(N, C)`` where channels are kept; float32."""
    rate: int
    """Samples a second."""
    original_rate: int
    """Samples a second in the file."""
    channels: int
    """Channels of the file."""
    clipped: float
    """Share of the file's samples that stand at full scale with their neighbours (three or more on end), 0 to 1."""
    total: float
    """Seconds of the whole file."""

    @property
    def seconds(self) -> float:
        """How long ``samples`` last."""
        return len(self.samples) / self.rate


@dataclass(frozen=True, slots=True)
class SoundFigures:
    """What tells whether a recording is fit for use."""

    seconds: float
    """How long it lasts."""
    clipped: float
    """Share of clipped samples, 0 to 1."""
    peak: float
    """Greatest amplitude."""
    swing: float
    """Greatest amplitude, the mean taken away."""
    level: float
    """Root mean square of the amplitudes, without their mean."""
    silent: float
    """Share of samples that are silent (60 dB below full scale), the mean taken away; 0 to 1."""
    offset: float
    """Mean of the amplitudes: a direct current on the line. -1 to 1."""


def read_sound(
    source: Source,
    *,
    rate: int | None = None,
    channels: int | None = 1,
    longest: float = LONGEST,
    first: float | None = None,
) -> Sound:
    """A recording's samples.

    Args:
        source: A file's name, or what is in it.
        rate: Samples a second that are wanted; None: the file's own.
        channels: 1: the mean of all channels; None: each for itself.
        longest: Seconds that it may have; looked up in its header before anything is decoded.
        first: Seconds to read, where the rest is not wanted; then it may be of any length.

    Returns:
        The samples with what is known of the file.

    Raises:
        DataError: When it is missing, empty, no recording, cut off, damaged, holds no samples or what is no number, or
            lasts longer than ``longest``.
        MissingExtra: Without soundfile, or without soxr where the rate is to be changed.
    """
    if channels not in (1, None):
        raise ValueError(f"channels is 1 (their mean) or None (each), given {channels}")
    found = given(source)
    with _opened(found) as file:
        samples, total = _decoded(file, found, longest, first)
        own, count = int(file.samplerate), int(file.channels)
        clipped = clipped_share(samples, _BITS.get(file.subtype, 16))
    mixed = samples.mean(axis=1, dtype=np.float32) if channels == 1 and count > 1 else samples
    mixed = mixed[:, 0] if channels == 1 and mixed.ndim == 2 else mixed
    return Sound(resampled(mixed, own, rate or own), rate or own, own, count, clipped, total)


def resampled(samples: np.ndarray, rate: float, wanted: float) -> np.ndarray:
    """Samples at another rate, by a band-limited filter of high quality.

    Args:
        samples: Shape ``(N,)`` or ``(N, C)``.
        rate: Samples a second.
        wanted: Samples a second that are wanted.

    Returns:
        Shape ``(round(N * wanted / rate), ...)``, float32.

    Raises:
        MissingExtra: Without soxr.
    """
    samples = np.ascontiguousarray(samples, np.float32)
    if rate == wanted or not len(samples):
        return samples
    soxr = library("soxr", "Changing the rate of recordings", "audio")
    changed: np.ndarray = soxr.resample(samples, rate, wanted, quality="HQ")
    return changed


def log_mel(
    samples: np.ndarray,
    rate: int,
    *,
    mels: int = 64,
    window: float = 0.025,
    hop: float = 0.010,
    low: float = 20.0,
    high: float | None = None,
    floor: float = FLOOR,
) -> np.ndarray:
    """Logarithm of the power in bands of the mel scale, over time.

    A Hann window each ``hop``, its middle at 0, ``hop``, 2 ``hop``, ... (the ends are mirrored); power spectrum;
    Slaney's triangular filters of equal area; natural logarithm.

    Args:
        samples: Shape ``(N,)``.
        rate: Samples a second.
        mels: Bands.
        window: Seconds of a window.
        hop: Seconds between two windows.
        low: Lowest frequency, in Hz.
        high: Highest frequency, in Hz; None: half the rate.
        floor: Least power.

    Returns:
        Shape ``(1 + N // (hop * rate), mels)``, float32.

    Raises:
        ValueError: When there are no samples, or more bands than the window can tell apart.
    """
    length, step = round(window * rate), round(hop * rate)
    if samples.ndim != 1 or not len(samples) or length < 2 or step < 1:
        raise ValueError(f"log_mel needs samples (N,) and windows of 2 or more, given {samples.shape} and {length}")
    size, weights = _filters(mels, rate, length, low, rate / 2 if high is None else high)
    shape = _hann(length)
    padded = np.pad(np.asarray(samples, np.float32), length // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, length)[::step]
    found = np.empty((len(frames), mels), np.float32)
    for start in range(0, len(frames), _FRAMES):  # in portions that stay in the processor's cache
        waves = np.fft.rfft(frames[start : start + _FRAMES] * shape, size)
        power = waves.real**2
        power += waves.imag**2
        np.matmul(power, weights, out=found[start : start + _FRAMES])
    np.maximum(found, np.float32(floor), out=found)
    return np.log(found, out=found)


def sound_faults(sound: Sound) -> SoundFigures:
    """The figures by which a gate tells recordings that are clipped, silent, or off their zero line."""
    samples = sound.samples.astype(np.float64)
    offset = float(samples.mean())
    samples -= offset
    return SoundFigures(
        seconds=sound.seconds,
        clipped=sound.clipped,
        peak=float(np.abs(sound.samples).max()),
        swing=float(np.abs(samples).max()),
        level=float(np.sqrt(np.mean(samples**2))),
        silent=float(np.mean(np.abs(samples) < SILENT)),
        offset=offset,
    )


def clipped_share(samples: np.ndarray, bits: int = 16) -> float:
    """Share of samples that stand at full scale with their neighbours, three or more on end.

    Args:
        samples: Shape ``(N,)`` or ``(N, C)``.
        bits: Of a sample where it was stored, which says how far full scale is from 1.
    """
    level = np.float32(1 - 2.0 ** (1 - bits))
    if max(samples.max(), -samples.min()) < level:
        return 0.0
    hot = np.abs(samples) >= level
    runs = hot[: 1 - _RUN] & hot[1:-1] & hot[2:]
    member = np.zeros_like(hot)
    for place in range(_RUN):
        member[place : len(hot) - _RUN + 1 + place] |= runs
    return float(member.mean())


class _Bytes(BytesIO):
    """Bytes in which libsndfile may look for places that are not there, as it does in damaged files."""

    def seek(self, place: int, whence: int = SEEK_SET, /) -> int:
        try:
            return super().seek(place, whence)
        except ValueError:
            return super().seek(0)


@contextmanager
def _opened(found: Given) -> Iterator[Any]:
    """A file of soundfile's, after a look at what it does not tell itself."""
    soundfile = library("soundfile", "Reading recordings", "audio")
    kind = looks_like(found.head)
    source = _mp3(found) if "MP3" in kind else found.data
    if "Ogg" in kind and _ogg_is_cut(found):
        raise _damaged(found, "its last page is not whole or does not end the stream")
    try:
        file = soundfile.SoundFile(str(found.path) if source is None else _Bytes(source))
    except (soundfile.SoundFileError, TypeError, ValueError) as fault:
        if not kind.endswith("recording") or "AMR" in kind or "AAC" in kind:
            raise found.refused("recording", _ALLOWED, _CONVERT) from fault
        raise _damaged(found, str(fault).rpartition(": ")[2]) from fault
    with file:
        try:
            yield file
        except soundfile.SoundFileError as fault:
            raise _damaged(found, str(fault).rpartition(": ")[2]) from fault


def _decoded(file: Any, found: Given, longest: float, first: float | None) -> tuple[np.ndarray, float]:
    """All samples (N, C), or the first, and the seconds of the whole file."""
    frames, rate, count = int(file.frames), int(file.samplerate), int(file.channels)
    if not frames:
        raise DataError(f"{found.name} is a recording without samples: nothing follows its header. {COPY_AGAIN}")
    if frames < _UNKNOWN and (short := _cut(file.extra_info)):
        raise _damaged(found, f"its header says {short[0]:,} bytes, and there are {short[1]:,}")
    limit = round((longest if first is None else first) * rate)
    if rate * count > MOST_A_SECOND:
        mend = "Leave channels out or lower its rate."
        raise DataError(f"{found.name} has {count:,} channels of {rate:,} Hz; {MOST_A_SECOND:,} a second fit. {mend}")
    if first is None and frames < _UNKNOWN and frames > limit:
        raise _too_long(found, frames / rate, longest)
    wanted = min(frames, limit if first is not None else limit + 1)
    samples: np.ndarray = file.read(wanted, dtype="float32", always_2d=True)
    if first is None and len(samples) > limit:
        raise _too_long(found, None, longest)
    if len(samples) < wanted and frames < _UNKNOWN:
        raise _damaged(found, f"it should hold {frames:,} samples, and {len(samples):,} can be read")
    if not len(samples):
        raise DataError(f"{found.name} is a recording without samples. {COPY_AGAIN}")
    if file.subtype in ("FLOAT", "DOUBLE") and not np.isfinite(samples).all():
        wrong = ~np.isfinite(samples).all(axis=1)
        which = f"{int(wrong.sum()):,} of {len(samples):,} samples, the first at {int(wrong.argmax()):,}"
        raise DataError(f"{found.name} holds what is no number (NaN or infinite) in {which}. Write it anew.")
    return samples, (frames if frames < _UNKNOWN else len(samples)) / rate


def _mp3(found: Given) -> bytes | None:
    """The bytes of an MP3 file with the number of its frames in front, where it lacks that; None: its file will do."""
    with ExitStack() as stack:
        data: bytes | mmap
        if found.path is None:
            data = found.data or b""
        else:
            stream = stack.enter_context(found.opened())
            data = stack.enter_context(mmap(stream.fileno(), 0, access=ACCESS_READ))
        frames = walked(data, found.size)
        if frames is None or (frames.counted and not frames.missing):
            return found.data
        if frames.missing:
            raise _damaged(found, f"{frames.missing:,} bytes of its last frame are missing")
        if not frames.known:
            raise _damaged(found, f"frame {frames.count:,} is followed by what is no frame")
        return with_count(data, frames)


def _ogg_is_cut(found: Given) -> bool:
    """Whether the last page of an Ogg file is not whole, or does not say that it is the last."""
    tail = found.tail(2 * _PAGE)
    place = tail.rfind(b"OggS")
    page = tail[place:]
    if place < 0 or len(page) < 27 or len(page) < 27 + page[26]:
        return True
    return not page[5] & 4 or len(page) < 27 + page[26] + sum(page[27 : 27 + page[26]])


def _cut(log: str) -> tuple[int, int] | None:
    """Bytes that a header speaks of and those that are there, by libsndfile's log; None where they are all there."""
    for _, said, there in _SHORT.findall(log):
        if int(there) < int(said) < _STREAMED:  # a program that writes into a pipe cannot know, and says the most
            return int(said), int(there)
    return None


def _damaged(found: Given, why: str) -> DataError:
    return DataError(f"{found.name} is a recording that is cut off or damaged ({why.rstrip('.')}). {COPY_AGAIN}")


def _too_long(found: Given, seconds: float | None, longest: float) -> DataError:
    lasts = (
        f"lasts {seconds:,.1f} seconds" if seconds is not None else "does not say how long it lasts, and that is more"
    )
    mend = "Cut it into parts (in Python the limit is `longest`)."
    return DataError(f"{found.name} {lasts}; at most {longest:,g} seconds are decoded. {mend}")


@lru_cache(maxsize=32)
def _hann(length: int) -> np.ndarray:
    """A periodic Hann window. Shape ``(length,)``, float32."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)).astype(np.float32)


@lru_cache(maxsize=32)
def _filters(mels: int, rate: int, length: int, low: float, high: float) -> tuple[int, np.ndarray]:
    """The size of the Fourier transform, and the weights of each frequency in each band.

    The size is a power of two, great enough that no band is empty.
    """
    if not 0 <= low < high <= rate / 2 or mels < 1:
        raise ValueError(
            f"bands lie between 0 and half the rate, {rate / 2:g} Hz, given {mels} from {low:g} to {high:g}"
        )
    edges = _hertz(np.linspace(_mel(low), _mel(high), mels + 2))
    least = (length - 1).bit_length()
    for size in (1 << power for power in range(least, least + 4)):
        frequencies = np.linspace(0, rate / 2, size // 2 + 1)
        slopes = np.diff(edges)
        distance = edges - frequencies[:, None]
        weights = np.minimum(-distance[:, :-2] / slopes[:-1], distance[:, 2:] / slopes[1:]).clip(0)
        if weights.any(axis=0).all():
            return size, np.ascontiguousarray(weights * 2 / (edges[2:] - edges[:-2]), np.float32)
    raise ValueError(f"{mels} bands are more than a window of {length} samples at {rate:,} Hz can tell apart")


def _mel(hertz: float) -> float:
    """Slaney's scale: even up to 1,000 Hz, logarithmic above."""
    return hertz * 3 / 200 if hertz < 1000 else 15 + 27 * float(np.log(hertz / 1000) / np.log(6.4))


def _hertz(mel: np.ndarray) -> np.ndarray:
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))
