"""Video: pictures evenly spaced in time by an image encoder, and the sound by a network that is made anew.

The image encoder is any that the modality `image` has, pretrained (`model`) or made anew. Each picture is one place,
the mean of its cells; each stretch of sound (40 ms) is another. Both are told when they are, on one scale of the
video's time. A video without sound has the pictures' places alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from pathlib import Path

    from sibu.modalities.video.prepare import VideoPreparer

Side = Annotated[int, Field(ge=8, le=2048)]


class VideoSpec(Spec):
    """Options of the video modality."""

    name: Literal["video"] = "video"
    field: str = "video"
    """Column of the file, or of the folder of pictures; of two videos a row, each has a block of its own with another
    column."""
    model: str | None = None
    """Pretrained vision model for the pictures, as in the modality `image`. null: a small one that is made anew."""
    learning_rate: PositiveFloat | None = None
    """Rate of its encoder relative to the run's; null: 1."""
    frames: Annotated[int, Field(ge=1, le=512)] = 8
    """Pictures of a video, from the middle of equal stretches; of one that has fewer, all."""
    size: Side | tuple[Side, Side] | None = None
    """Sides in pixels that each picture is brought to, or height and width; null: the model's own, else 64."""
    fit: Literal["stretch", "pad", "crop"] | None = None
    """How a picture of another ratio is brought to the size, as in the modality `image`."""
    sound: bool = True
    """Whether the sound is read."""
    rate: Annotated[int, Field(ge=1000, le=192_000)] = 16_000
    """Samples a second that the sound is brought to."""
    seconds: PositiveFloat = 30.0
    """Of a longer sound the rest is cut, and told."""
    mels: Annotated[int, Field(ge=8, le=256)] = 64
    """Bands of the sound's spectrogram."""
    mask: bool = True
    """In training bands and stretches of time of the spectrogram are hidden at random."""
    width: PositiveInt = 128
    """Of networks that are made anew: numbers of a place's vector."""
    depth: PositiveInt = 1
    """Of an image network that is made anew: residual blocks at each of its resolutions."""
    most_pixels: PositiveInt = 50_000_000
    """Pixels that a picture of the video may have; larger ones are refused before they are decoded."""


def build(spec: VideoSpec, *, state: dict[str, Any] | None = None, folder: Path | None = None) -> VideoPreparer:
    """The preparer of videos; ``folder``: of the pretrained vision model, ``state``: what a bundle kept."""
    from sibu.modalities.audio.prepare import AudioPreparer
    from sibu.modalities.image.prepare import ImagePreparer
    from sibu.modalities.video.prepare import VideoPreparer

    state = state or {}
    pictures = ImagePreparer(
        spec.field,
        folder=folder,
        state=state.get("pictures"),
        size=(spec.size, spec.size) if isinstance(spec.size, int) else spec.size,
        fit=spec.fit,
        width=spec.width,
        depth=spec.depth,
        shift=0.0,
        mirror=False,
        most_pixels=spec.most_pixels,
    )
    sound = AudioPreparer(
        spec.field,
        folder=None,
        state=state.get("sound"),
        rate=spec.rate,
        seconds=spec.seconds,
        mels=spec.mels,
        width=spec.width,
        depth=3,
        mask=spec.mask,
    )
    return VideoPreparer(spec.field, pictures=pictures, sound=sound if spec.sound else None, frames=spec.frames)


ENTRY = Entry(VideoSpec, build, needs=("av", "PIL", "soxr"), extra="video")
