"""The frames of an MP3 file: how many there are, and whether the last is whole.

A decoder guesses the length of a file without a Xing header from its first frames, and reads no further than its guess.
Source: ISO/IEC 11172-3 and 13818-3 (headers), and the Xing header as LAME writes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from mmap import mmap

_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_KBITS = {
    (True, 1): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (False, 1): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Thousands of bits a second, by whether it is MPEG 1, and layer (1: III, 2: II)."""
_BEHIND = (b"TAG", b"APETAGEX", b"LYRICSBEGIN", b"ID3", b"3DI")


@dataclass(frozen=True, slots=True)
class Frames:
    """What a walk through the headers found."""

    start: int
    """Where the first frame begins."""
    count: int
    """Whole frames, a Xing header's own not among them."""
    counted: bool
    """Whether the file has a header that says how many there are."""
    missing: int
    """Bytes that the last frame lacks."""
    known: bool
    """Whether the walk came to the end of the file; else something in between is no frame."""


def walked(data: bytes | mmap, size: int) -> Frames | None:
    """Go through the frames of a file; None where none is found in front.

    Args:
        data: The file, or a map of it.
        size: Its bytes.
    """
    place = start = _behind_tags(data, size)
    if not _length(data[start : start + 4]):
        return None
    counted = _is_counted(data[start : start + 64])
    count = -1 if counted else 0
    while place + 4 <= size and (length := _length(data[place : place + 4])):
        if place + length > size:
            return Frames(start, count, counted, place + length - size, True)
        place += length
        count += 1
    rest = data[place : place + 16]
    return Frames(start, count, counted, 0, len(rest) < 4 or rest.startswith(_BEHIND) or not rest.strip(b"\0"))


def with_count(data: bytes | mmap, frames: Frames) -> bytes:
    """The frames with a Xing header in front that says how many there are."""
    head = bytearray(data[frames.start : frames.start + 4])
    head[1] |= 1  # no checksum
    empty = bytes(_length(bytes(head)) - 4)
    tag = bytes(_side(head)) + b"Xing\0\0\0\1" + frames.count.to_bytes(4, "big")
    return bytes(head) + tag + empty[len(tag) :] + data[frames.start :]


def _behind_tags(data: bytes | mmap, size: int) -> int:
    """Where the first frame begins: behind tags of names and pictures, and behind zeros that fill them up."""
    place = 0
    while data[place : place + 3] == b"ID3" and place + 10 <= size:
        place += 10 + sum((byte & 0x7F) << 7 * (3 - number) for number, byte in enumerate(data[place + 6 : place + 10]))
    while place < size and data[place : place + 1] == b"\0":
        place += 1
    return place


def _length(head: bytes) -> int:
    """Bytes of the frame that begins with these four; 0 where none does."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return 0
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    kbits, rate = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer not in (1, 2) or kbits in (0, 15) or rate == 3:
        return 0
    bits = _KBITS[version == 3, layer][kbits - 1] * 1000
    samples = 576 if layer == 1 and version != 3 else 1152
    return samples // 8 * bits // _RATES[version][rate] + (head[2] >> 1 & 1)


def _side(head: bytes | bytearray) -> int:
    """Bytes between a frame's header and where a Xing header stands in it."""
    one, mono = head[1] >> 3 & 3 == 3, head[3] >> 6 == 3
    return (17 if mono else 32) if one else (9 if mono else 17)


def _is_counted(frame: bytes) -> bool:
    """Whether a file's first frame is a header that counts the others."""
    mark = frame[4 + _side(frame) :]
    return (mark[:4] in (b"Xing", b"Info") and len(mark) > 7 and bool(mark[7] & 1)) or frame[36:40] == b"VBRI"
