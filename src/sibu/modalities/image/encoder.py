"""The models behind the image modality: pixels to the vectors of a grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sibu.core.errors import RecipeError
from sibu.core.tensors import Encoded
from sibu.modalities._encoder import ModelEncoder
from sibu.modalities.image._hf import SETTINGS, Prepared
from sibu.modalities.image.residual import ResidualNet


class ImageEncoder(ModelEncoder):
    """Pixels to vectors, one a cell of the model's last grid (and those of tokens that stand for the whole picture).

    Args:
        model: Normalised pixels ``(B, 3, H, W)`` to ``(B, D, h, w)``, ``(B, T, D)``, or an output of transformers that
            holds one of these.
        width: D.
        size: H and W.
        mean: Of each channel, in units of 0 to 255.
        deviation: The same.
        reverse: Whether the model reads blue, green, red.
        shift: Largest random shift in training, as a share of the sides.
        mirror: Whether pictures are mirrored in training.
        folder: The pretrained model's; None: its weights are random.
        named: More arguments that the model wants.
    """

    def __init__(
        self,
        model: Any,
        *,
        width: int,
        size: tuple[int, int],
        mean: Sequence[float],
        deviation: Sequence[float],
        reverse: bool = False,
        shift: float = 0.0,
        mirror: bool = False,
        folder: Path | None = None,
        named: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(model, width=width, folder=folder, settings=SETTINGS)
        self.size = size
        self.reverse = reverse
        self.shift, self.mirror = shift, mirror
        self._named = dict(named or {})
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation).view(3, 1, 1), persistent=False)

    def encoded(self, inputs: Mapping[str, Tensor]) -> Encoded:
        """Encode ``pixels`` (B, H x W x 3) in uint8."""
        vectors = self.tokens(inputs["pixels"])
        return Encoded(vectors=vectors, mask=vectors.new_ones(vectors.shape[:2], dtype=torch.bool))

    def tokens(self, pixels: Tensor) -> Tensor:
        """The vectors ``(B, T, D)`` of pixels ``(B, H x W x 3)`` in uint8."""
        pictures = pixels.view(len(pixels), *self.size, 3)
        if self.training and (self.shift or self.mirror):
            pictures = moved(pictures, shift=self.shift, mirror=self.mirror)
        # A view: channels stand last in memory, as convolutions on a processor are fastest.
        channels = pictures.permute(0, 3, 1, 2).to(self.mean.dtype)
        if self.reverse:
            channels = channels.flip(1)
        return flat_grid(self.inner()((channels - self.mean) / self.deviation, **self._named))


def moved(pictures: Tensor, *, shift: float, mirror: bool) -> Tensor:
    """Pictures ``(B, H, W, 3)`` moved and mirrored at random, each in its own way; what is bared repeats the edge."""
    count, height, width = pictures.shape[:3]
    places = []
    for side in (height, width):
        far = round(shift * side)
        by = torch.randint(-far, far + 1, (count, 1), device=pictures.device)
        places.append((torch.arange(side, device=pictures.device) + by).clamp(0, side - 1))
    rows, columns = places
    if mirror:
        turned = torch.rand(count, 1, device=pictures.device) < 0.5
        columns = torch.where(turned, columns.flip(1), columns)
    each = torch.arange(count, device=pictures.device).view(-1, 1, 1)
    return pictures[each, rows.unsqueeze(2), columns.unsqueeze(1)]


def flat_grid(answer: Any) -> Tensor:
    """The vectors ``(B, T, D)`` in what a vision model answers."""
    found: Tensor = answer if isinstance(answer, Tensor) else answer.last_hidden_state
    return found.flatten(2).transpose(1, 2) if found.ndim == 4 else found


def fresh_encoder(
    *,
    size: tuple[int, int],
    width: int,
    depth: int,
    mean: Sequence[float],
    deviation: Sequence[float],
    shift: float,
    mirror: bool,
) -> ImageEncoder:
    """A residual network with random weights; ``mean`` and ``deviation`` in units of 0 to 1."""
    model: Any = ResidualNet(size=size, width=width, depth=depth)
    return ImageEncoder(
        model.to(memory_format=torch.channels_last),
        width=width,
        size=size,
        mean=[255 * each for each in mean],
        deviation=[255 * each for each in deviation],
        shift=shift,
        mirror=mirror,
    )


def pretrained_encoder(
    folder: Path, prepared: Prepared, *, size: tuple[int, int], shift: float, mirror: bool
) -> ImageEncoder:
    """The vision model in a folder, at this size of pictures."""
    from sibu.modalities.image._hf import load_model

    model, named = load_model(folder, size)
    model.to(memory_format=torch.channels_last)
    encoder = ImageEncoder(
        model,
        width=1,
        size=size,
        mean=prepared.mean,
        deviation=prepared.deviation,
        reverse=prepared.reverse,
        shift=shift,
        mirror=mirror,
        folder=folder,
        named=named,
    )
    blank = torch.zeros(1, size[0] * size[1] * 3, dtype=torch.uint8)
    try:
        encoder.measure(lambda: encoder.tokens(blank))
    except (ValueError, RuntimeError) as fault:
        sides = f"{size[0]} x {size[1]}"
        mend = "Leave `size` out for the model's own."
        raise RecipeError(f"The model in {folder} cannot read pictures of {sides} ({fault}). {mend}") from fault
    return encoder
