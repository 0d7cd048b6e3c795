"""Pictures as arrays: decoded whole or refused, resized, and compared by what they show.

Pillow decodes and resizes. Colour profiles are not applied, and of a moving picture the first frame is taken.
Source of the perceptual hash: Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010 (pHash).
"""

from __future__ import annotations

import struct
from functools import lru_cache
from itertools import pairwise
from threading import Lock
from typing import Any, Literal

import numpy as np

from sibu.core.errors import DataError
from sibu.media.sources import COPY_AGAIN, Given, Source, given, library, looks_like

MOST = 50_000_000
"""Pixels that a picture may have unless told."""
FORMATS = (
    "PNG", "JPEG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "AVIF", "JPEG2000", "PPM", "ICO", "QOI", "PSD",
)  # fmt: skip
"""What is read, by Pillow's names: not formats without a mark of their own, nor those that run a program (EPS)."""
_ALLOWED = "Read are PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF, JPEG 2000, PPM, ICO, QOI and PSD."
_ORIENTATION = 0x0112
_SIDE = 32
_KEPT = 8
_FLAT = 0.02
_BANDED = 7
_BLOCK = 1 << 22
_opening = Lock()

Fit = Literal["stretch", "pad", "crop"]
Pixels = np.ndarray


def read_picture(source: Source, *, most: int = MOST, about: tuple[int, int] | None = None) -> Pixels:
    """A picture's pixels in RGB, upright as its EXIF data says.

    Grey becomes three equal channels, 16 bits become 8, CMYK becomes RGB, and what is transparent shows white.

    Args:
        source: A file's name, or what is in it.
        most: Pixels that it may have; looked up in its header before anything is decoded.
        about: Height and width that it will be brought to. A JPEG is then decoded at a half, a quarter or an eighth of
            its size where that is still twice the greater: faster, and after ``resized`` hardly another picture.

    Returns:
        Shape ``(H, W, 3)``, uint8.

    Raises:
        DataError: When it is missing, empty, no picture, cut off, damaged, or has more than ``most`` pixels.
        MissingExtra: Without Pillow.
    """
    found = given(source)
    with found.opened() as stream:
        picture = _begun(found, stream)
        width, height = picture.size
        if width * height > most:
            size = f"{width:,} x {height:,} = {width * height:,} pixels"
            mend = "Make it smaller, or raise the limit (`most_pixels`, in Python `most`) if it is right."
            raise DataError(f"{found.name} has {size}; at most {most:,} are decoded. {mend}")
        if about is not None:
            picture.draft("RGB", (2 * max(about), 2 * max(about)))
        try:
            picture.load()
            return _turned(_rgb(picture, found.name), _orientation(picture))
        except DataError:
            raise
        except Exception as fault:  # what a decoder raises on damaged bytes is of any kind
            raise _damaged(found, picture.format, fault) from fault


def resized(pixels: Pixels, size: tuple[int, int], fit: Fit = "stretch") -> Pixels:
    """A picture brought to a size, antialiased (bicubic).

    Args:
        pixels: Shape ``(H, W, 3)`` or ``(H, W)``, uint8.
        size: Height and width wanted.
        fit: ``stretch`` changes the ratio of its sides; ``pad`` keeps it and puts black around; ``crop`` keeps it and
            cuts what is over, the middle stays.

    Returns:
        Shape ``(*size, 3)`` or ``size``, uint8.

    Raises:
        MissingExtra: Without Pillow.
    """
    if min(size) < 1 or pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or not pixels.size:
        raise ValueError(f"resized needs uint8 (H, W[, 3]) and a size of 1 or more, given {pixels.shape} and {size}")
    if pixels.shape[:2] == size:
        return pixels.copy()
    height, width = pixels.shape[:2]
    box, inner = (0.0, 0.0, float(width), float(height)), size
    if fit == "crop":
        scale = min(height / size[0], width / size[1])
        up, left = (height - size[0] * scale) / 2, (width - size[1] * scale) / 2
        box = (max(0.0, left), max(0.0, up), min(float(width), width - left), min(float(height), height - up))
    elif fit == "pad":
        scale = min(size[0] / height, size[1] / width)
        inner = (max(1, min(size[0], round(height * scale))), max(1, min(size[1], round(width * scale))))
    image = library("PIL.Image", "Resizing pictures", "image", "pillow")
    small = np.array(image.fromarray(pixels).resize(inner[::-1], image.Resampling.BICUBIC, box=box))
    if inner == size:
        return small
    padded = np.zeros((*size, *pixels.shape[2:]), np.uint8)
    up, left = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    padded[up : up + inner[0], left : left + inner[1]] = small
    return padded


def perceptual_hash(pixels: Pixels) -> int:
    """64 bits that say what a picture shows: copies in other formats, sizes or qualities differ in few of them.

    The signs of the 64 lowest frequencies of the picture in grey, 32 x 32, against their median. Pictures of one colour
    all have the hash 0.

    Args:
        pixels: Shape ``(H, W, 3)`` or ``(H, W)``, uint8.

    Raises:
        MissingExtra: Without Pillow.
    """
    image = library("PIL.Image", "Comparing pictures", "image", "pillow")
    grey = image.fromarray(pixels).convert("L")
    small = np.asarray(grey.resize((_SIDE, _SIDE), image.Resampling.BICUBIC, reducing_gap=3.0), np.float64)
    waves = _cosines()
    low = (waves @ small @ waves.T).ravel()
    low[0] = 0.0  # the mean brightness says nothing of what is shown
    # Where frequencies are missing, as in drawings, their noise must not decide: they count as below the median.
    bits = low > np.median(low) + _FLAT * np.sqrt(np.mean(low**2)) + 1e-6
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def near_hashes(hashes: np.ndarray, most: int) -> np.ndarray:
    """All pairs of hashes that differ in few bits.

    Two hashes that differ in at most ``most`` bits are equal in one of ``most + 1`` bands of bits at least, so only
    those that share a band are compared.

    Args:
        hashes: Shape ``(N,)``, uint64.
        most: Bits that may differ.

    Returns:
        Numbers of both, the lower first, in order. Shape ``(pairs, 2)``, int64.
    """
    hashes = np.asarray(hashes, np.uint64)
    bands = _bands(most) if most <= _BANDED else [np.uint64(0)]
    found = [np.zeros((0, 2), np.int64)]
    for number, band in enumerate(bands):
        order = np.argsort(hashes & band, kind="stable")
        for low, high in _neighbours((hashes & band)[order]):
            low, high = order[low], order[high]
            differ = hashes[low] ^ hashes[high]
            near = np.bitwise_count(differ) <= most
            for earlier in bands[:number]:  # found there already
                near &= (differ & earlier) != 0
            found.append(np.stack([low[near], high[near]], axis=1))
    pairs = np.concatenate(found)
    pairs.sort(axis=1)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _begun(found: Given, stream: Any) -> Any:
    """A picture of Pillow's whose header alone was read."""
    image = library("PIL.Image", "Reading pictures", "image", "pillow")
    try:
        with _opening:  # the limit of pixels is ours, and Pillow's own is a variable of the module
            limit, image.MAX_IMAGE_PIXELS = image.MAX_IMAGE_PIXELS, None
            try:
                return image.open(stream, formats=FORMATS)
            finally:
                image.MAX_IMAGE_PIXELS = limit
    except Exception as fault:  # a plugin that takes a file for its own may raise anything
        kind = looks_like(found.head)
        if not kind.endswith("picture") or "HEIC" in kind:
            raise found.refused("picture", _ALLOWED) from fault
        raise DataError(f"{found.name} begins as {kind} and is cut off or damaged. {COPY_AGAIN}") from fault


def _damaged(found: Given, form: str, fault: Exception) -> DataError:
    why = str(fault) or type(fault).__name__
    return DataError(f"{found.name} is a {form} picture that is cut off or damaged ({why}). {COPY_AGAIN}")


def _orientation(picture: Any) -> int:
    """How it must be turned, 1 to 8 as EXIF numbers it; 1, not at all, where its EXIF data is damaged."""
    try:
        turn = picture.getexif().get(_ORIENTATION, 1)
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, struct.error, Warning):
        return 1
    return turn if isinstance(turn, int) and 1 <= turn <= 8 else 1


def _turned(pixels: Pixels, turn: int) -> Pixels:
    if turn >= 5:
        pixels = pixels.swapaxes(0, 1)
    if turn in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if turn in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _rgb(picture: Any, name: str) -> Pixels:
    """The pixels in RGB, whatever their mode."""
    mode = picture.mode
    if mode.startswith("I") or mode == "F":
        return np.repeat(_eight_bits(np.asarray(picture), picture, name)[..., None], 3, axis=2)
    if mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        if picture.getextrema()[3][0] == 255:  # nothing shows through
            return np.array(picture.convert("RGB"))
        image = library("PIL.Image", "Reading pictures", "image", "pillow")
        white = image.new("RGBA", picture.size, (255, 255, 255, 255))
        return np.array(image.alpha_composite(white, picture))[..., :3]
    return np.array(picture if mode == "RGB" else picture.convert("RGB"))


def _eight_bits(values: np.ndarray, picture: Any, name: str) -> np.ndarray:
    """Grey values of 16 bits, or of fractions from 0 to 1, as 8 bits."""
    top = 1.0 if values.dtype.kind == "f" else 65535.0
    low, high = float(values.min()), float(values.max())
    if not (low >= 0 and high <= top):
        given_as = f"grey values from {low:g} to {high:g}"
        raise DataError(f"{name} holds {given_as}; allowed are 8 bits, 16 bits, and fractions from 0 to 1. Scale them.")
    grey = np.rint(values * (255.0 / top)).astype(np.uint8)
    if isinstance(clear := picture.info.get("transparency"), int):
        grey[values == clear] = 255
    return grey


@lru_cache(maxsize=1)
def _cosines() -> np.ndarray:
    """The lowest rows of the discrete cosine transform (type II). Shape ``(8, 32)``."""
    places = (np.arange(_SIDE) + 0.5) * np.pi / _SIDE
    return np.cos(np.arange(_KEPT)[:, None] * places)


def _bands(most: int) -> list[np.uint64]:
    """The 64 bits in ``most + 1`` bands."""
    edges = np.linspace(0, 64, most + 2).round().astype(int).tolist()
    return [np.uint64(((1 << high) - 1) ^ ((1 << low) - 1)) for low, high in pairwise(edges)]


def _neighbours(keys: np.ndarray) -> Any:
    """All pairs of places with equal keys, of sorted keys, in portions: first each with the next."""
    alive = np.arange(len(keys))
    step = 1
    while True:
        alive = alive[alive + step < len(keys)]
        alive = alive[keys[alive] == keys[alive + step]]
        if not len(alive):
            return
        for start in range(0, len(alive), _BLOCK):
            part = alive[start : start + _BLOCK]
            yield part, part + step
        step += 1
