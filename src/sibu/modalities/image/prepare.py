"""Pictures to pixels of one size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sibu.core.columns import Column
from sibu.core.errors import DataError
from sibu.core.protocols import Features, Found
from sibu.core.text import Feature
from sibu.media.pictures import read_picture, resized
from sibu.modalities.image._hf import Prepared, read_prepared
from sibu.modalities.image.grid import grid_of
from sibu.store.hashes import hash_json

if TYPE_CHECKING:
    from sibu.modalities.image.encoder import ImageEncoder

LOOKED_AT = 256
"""Training pictures that colours (and the size, where none is said) are taken from: the first that can be read."""
TELLING = 32
"""Least side of pictures that are compared by what they show."""
LARGEST = 128
"""Sides up to which pictures that are alike keep their size, where none is said."""
SIZE = (64, 64)

Fit = Literal["stretch", "pad", "crop"]


class ImagePreparer:
    """See the door plate ``sibu.modalities.image`` for the options.

    A value is a file's name, its bytes, or pixels ``(H, W, 3)`` or ``(H, W)`` in uint8.

    Args:
        field: The column.
        folder: Of a pretrained model; None: the encoder is made anew.
        state: What it learned; None: nothing yet.
        size: Height and width; None: the model's own, or that of the training pictures.
        fit: How a picture of another ratio is brought to it; None: as the model was made.
        width: Of a network that is made anew.
        depth: Of a network that is made anew.
        shift: Largest random shift in training, as a share of the sides.
        mirror: Whether pictures are mirrored in training.
        most_pixels: Pixels that a file may have.
    """

    features = (Feature("pixels", "uint8", "window"),)

    def __init__(
        self,
        field: str,
        *,
        folder: Path | None,
        state: dict[str, Any] | None,
        size: tuple[int, int] | None,
        fit: Fit | None,
        width: int,
        depth: int,
        shift: float,
        mirror: bool,
        most_pixels: int,
    ) -> None:
        self.field = field
        self.column = Column(field, "file", "input", help="a picture's file")
        self.folder = folder
        self.state: dict[str, Any] = dict(state or {})
        self.prepared: Prepared | None = None if folder is None else read_prepared(folder)
        self.fit: Fit = fit or ("stretch" if self.prepared is None else self.prepared.fit)
        self.width, self.depth, self.shift, self.mirror = width, depth, shift, mirror
        self.most_pixels = most_pixels
        self._size = size or (None if self.prepared is None else self.prepared.size)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width that pictures are brought to."""
        if self._size is not None:
            return self._size
        height, width = self.state.get("size", SIZE)
        return int(height), int(width)

    @property
    def key(self) -> str:
        """What the pixels depend on."""
        return hash_json(["image", 1, self.size, self.fit, self.share, self.most_pixels])

    @property
    def share(self) -> float:
        """How much of a picture is kept where it is cropped."""
        return 1.0 if self.prepared is None or self.fit != "crop" else self.prepared.share

    @property
    def places(self) -> int:
        """How many places a picture costs: those that the encoder makes, or more where it convolves large grids."""
        if self.prepared is None:
            height, width = grid_of(self.size)
            return height * width
        cell = self.prepared.cell
        return max(self.size[0] // cell, 1) * max(self.size[1] // cell, 1)

    def learn(self, values: Iterable[Any]) -> None:
        """Mean and deviation of the colours, and the size where none is said; nothing for a pretrained model."""
        if self.prepared is not None:
            return
        sides: set[tuple[int, int]] = set()
        sums, count = np.zeros((2, 3)), 0
        for pixels in islice(self._readable(values), LOOKED_AT):
            sides.add((pixels.shape[0], pixels.shape[1]))
            colours = pixels.reshape(-1, 3) / np.float32(255)
            sums += np.stack([colours.mean(0), (colours**2).mean(0)])
            count += 1
        if not count:
            return
        mean, square = sums / count
        deviation = np.sqrt(np.maximum(square - mean**2, 0.05**2))
        self.state = {"mean": mean.round(4).tolist(), "deviation": deviation.round(4).tolist()}
        if self._size is None:
            alike = len(sides) == 1 and min(min(sides)) >= 8 and max(max(sides)) <= LARGEST
            self.state["size"] = list(sides.pop() if alike else SIZE)

    def _readable(self, values: Iterable[Any]) -> Iterator[np.ndarray]:
        for value in values:
            try:
                yield self._pixels(value, self._decoded_for())
            except DataError:
                continue  # told of when its arrays are made

    def raw(self, value: Any) -> np.ndarray:
        """The picture at its own size, ``(H, W, 3)`` in uint8."""
        return self._pixels(value, None)

    def _pixels(self, value: Any, about: tuple[int, int] | None) -> np.ndarray:
        if isinstance(value, np.ndarray):
            return _as_rgb(value)
        if isinstance(value, str | bytes | Path):
            return read_picture(value, most=self.most_pixels, about=about)
        raise DataError(
            f"A picture is a file's name, its bytes, or pixels (H, W, 3) in uint8; given {type(value).__name__}."
        )

    def _decoded_for(self) -> tuple[int, int] | None:
        """What a JPEG may be decoded small for: at least the size, and more where much of it is cut off."""
        if self._size is None:
            return None
        factor = 1 / self.share
        return int(self._size[0] * factor) + 1, int(self._size[1] * factor) + 1

    def arrays(self, value: Any) -> Features:
        """The pixels at the size, ``H x W x 3`` in one row."""
        pixels = self._pixels(value, self._decoded_for())
        if self.share < 1:
            pixels = _middle(pixels, self.size, self.share)
        return {"pixels": resized(pixels, self.size, self.fit).reshape(-1)}

    def check(self, value: Any, arrays: Features) -> Iterator[Found]:  # noqa: ARG002
        """A picture of one colour."""
        pixels = arrays["pixels"].reshape(-1, 3)
        if int((pixels.max(0) - pixels.min(0)).max()) <= 2:
            colour = tuple(map(int, pixels[0]))
            message = f"the picture shows one colour alone, {colour} in RGB: nothing can be told from it."
            yield "blank picture", "warning", message, "Look whether the file is the right one."

    def looks(self, arrays: Features) -> int | None:
        """64 bits that say what a picture shows, near ones alike; None: it is too small to tell, or of one colour."""
        from sibu.media.pictures import perceptual_hash

        return perceptual_hash(arrays["pixels"].reshape(*self.size, 3)) or None if min(self.size) >= TELLING else None

    def noised(self, arrays: Features, draw: np.random.Generator) -> Features:
        """The pixels with normal noise of the picture's own deviation (0 dB)."""
        pixels = arrays["pixels"].reshape(-1, 3).astype(np.float32)
        power = np.sqrt(((pixels - pixels.mean(0)) ** 2).mean())
        noisy = pixels + draw.standard_normal(pixels.shape, np.float32) * power
        return {"pixels": noisy.round().clip(0, 255).astype(np.uint8).reshape(-1)}

    def encoder(self) -> ImageEncoder:
        """The encoder: of the pretrained model, or made anew."""
        from sibu.modalities.image.encoder import fresh_encoder, pretrained_encoder

        named: dict[str, Any] = {"size": self.size, "shift": self.shift, "mirror": self.mirror}
        if self.folder is not None and self.prepared is not None:
            return pretrained_encoder(self.folder, self.prepared, **named)
        mean, deviation = self.state.get("mean", [0.5] * 3), self.state.get("deviation", [0.25] * 3)
        return fresh_encoder(width=self.width, depth=self.depth, mean=mean, deviation=deviation, **named)


def _as_rgb(pixels: np.ndarray) -> np.ndarray:
    """Pixels ``(H, W, 3)``; grey ones three times."""
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or pixels.shape[2:] not in ((), (3,)) or not pixels.size:
        given = f"{pixels.dtype} of shape {pixels.shape}"
        raise DataError(f"Pixels must be uint8, (H, W, 3) in RGB or (H, W) in grey; given {given}.")
    return np.repeat(pixels[:, :, None], 3, axis=2) if pixels.ndim == 2 else pixels


def _middle(pixels: np.ndarray, size: tuple[int, int], share: float) -> np.ndarray:
    """The middle of a picture, of the ratio of ``size`` and so large a share of it."""
    height, width = pixels.shape[:2]
    scale = min(height / size[0], width / size[1]) * share
    rows, columns = max(round(size[0] * scale), 1), max(round(size[1] * scale), 1)
    top, left = (height - rows) // 2, (width - columns) // 2
    return pixels[top : top + rows, left : left + columns]
