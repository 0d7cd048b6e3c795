"""Whether a video's file is as long as its own headers say. Decoders do not ask: they stop where the bytes do.

Sources: ISO/IEC 14496-12 (boxes of MP4 and QuickTime), RFC 8794 (EBML of Matroska and WebM), Microsoft's RIFF (AVI).
"""

from __future__ import annotations

from typing import BinaryIO

_EBML, _SEGMENT = 0x1A45DFA3, 0x18538067
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")


def missing_bytes(stream: BinaryIO, size: int) -> int:
    """Bytes that a file lacks, by its headers; 0 where it is whole, or of a format without such headers.

    Args:
        stream: The file.
        size: Its bytes.
    """
    head = stream.read(12)
    if head[4:8] in _BOXES:
        return _of_boxes(stream, size)
    if int.from_bytes(head[:4], "big") == _EBML:
        return _of_segment(stream, size)
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return max(0, int.from_bytes(head[4:8], "little") + 8 - size)
    if head[:4] == b"GIF8":
        stream.seek(max(0, size - 512))
        return 0 if b"\x3b" in stream.read()[-1:] else 1
    return 0


def _of_boxes(stream: BinaryIO, size: int) -> int:
    """MP4: boxes one behind the other."""
    place = 0
    while place + 8 <= size:
        stream.seek(place)
        head = stream.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8:  # 0: up to the end of the file; else no box
            return 0
        place += length
    return max(0, place - size)


def _of_segment(stream: BinaryIO, size: int) -> int:
    """Matroska: a header, then one element that holds all else."""
    stream.seek(4)
    header, _ = _number(stream)
    stream.seek(header, 1)
    if int.from_bytes(stream.read(4), "big") != _SEGMENT:
        return 0
    length, known = _number(stream)
    return max(0, stream.tell() + length - size) if known else 0


def _number(stream: BinaryIO) -> tuple[int, bool]:
    """A length of EBML, and whether it is known (all ones: it is not)."""
    first = stream.read(1)
    width = 9 - first[0].bit_length() if first and first[0] else 1
    value = int.from_bytes(first + stream.read(width - 1), "big") & ((1 << 7 * width) - 1)
    return value, value != (1 << 7 * width) - 1
