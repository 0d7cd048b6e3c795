"""Image: pictures, by a pretrained vision model or a small convolutional one that is made anew.

With `model` a packaged one (`efficientnet-lite0`), or any vision model of transformers from a folder or the Hub (ViT,
DINOv2, Swin, ConvNeXt, ResNet, the vision part of CLIP and SigLIP, ...); its batch norms keep the statistics of the
pretraining. Without one a residual network with group norms learns from the pictures alone: enough for small pictures
and a thousand rows. A picture's places are the cells of the last grid. Source: He et al., 2015, arXiv:1512.03385;
Wu and He, 2018, arXiv:1803.08494; Tan and Le, 2019, arXiv:1905.11946.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from pathlib import Path

    from sibu.modalities.image.prepare import ImagePreparer

Side = Annotated[int, Field(ge=8, le=2048)]


class ImageSpec(Spec):
    """Options of the image modality."""

    name: Literal["image"] = "image"
    field: str = "image"
    """Column of the file; of two pictures a row, each has a block of its own with another column."""
    model: str | None = None
    """Pretrained vision model: `efficientnet-lite0`, a folder, a bundle or a Hub id. null: a small convolutional
    network that is made anew."""
    learning_rate: PositiveFloat | None = None
    """Rate of its encoder relative to the run's; null: 1."""
    size: Side | tuple[Side, Side] | None = None
    """Sides in pixels that each picture is brought to, or height and width. null: the model's own; of one that is made
    anew that of the training pictures where they are alike and at most 128, else 64."""
    fit: Literal["stretch", "pad", "crop"] | None = None
    """How a picture of another ratio is brought to the size: `stretch` it, `pad` it with black, or `crop` what is over.
    null: as the model was made (a model that is made anew: stretch)."""
    width: PositiveInt = 128
    """Of a network that is made anew: numbers of a place's vector."""
    depth: PositiveInt = 1
    """Of a network that is made anew: residual blocks at each of its resolutions."""
    shift: float = Field(default=0.0, ge=0, le=0.5)
    """In training each picture is moved by up to this share of its sides, at random."""
    mirror: bool = False
    """In training each picture is mirrored, left to right, half of the time. Not for writing."""
    most_pixels: PositiveInt = 50_000_000
    """Pixels that a file may have; larger ones are refused before they are decoded."""


def build(spec: ImageSpec, *, state: dict[str, Any] | None = None, folder: Path | None = None) -> ImagePreparer:
    """The preparer of pictures; ``folder``: of the pretrained model, ``state``: what a bundle kept."""
    from sibu.modalities.image.prepare import ImagePreparer

    return ImagePreparer(
        spec.field,
        folder=folder,
        state=state,
        size=(spec.size, spec.size) if isinstance(spec.size, int) else spec.size,
        fit=spec.fit,
        width=spec.width,
        depth=spec.depth,
        shift=spec.shift,
        mirror=spec.mirror,
        most_pixels=spec.most_pixels,
    )


ENTRY = Entry(ImageSpec, build, needs=("PIL",), extra="image")
