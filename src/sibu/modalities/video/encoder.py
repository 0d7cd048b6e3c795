"""The models behind the video modality: pictures and sound to vectors on one scale of time."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from sibu.core.tensors import Encoded
from sibu.modalities.audio.encoder import FrameEncoder
from sibu.modalities.image.encoder import ImageEncoder


class VideoEncoder(ImageEncoder):
    """A vector for each picture, then one for each stretch of sound.

    Its ``model`` is that of the pictures; all else is made anew.

    Args:
        pictures: Of which the model is taken, with how its pixels are prepared.
        sound: Frames of a spectrogram to vectors; None: there is no sound.
        frames: Pictures of a video, at most.
        stretch: Seconds of a stretch of sound.
    """

    def __init__(self, pictures: ImageEncoder, sound: FrameEncoder | None, *, frames: int, stretch: float) -> None:
        super().__init__(
            pictures.model,
            width=pictures.width,
            size=pictures.size,
            mean=pictures.mean.flatten().tolist(),
            deviation=pictures.deviation.flatten().tolist(),
            reverse=pictures.reverse,
            folder=pictures.folder,
            named=pictures.named,
        )
        self.uneven = pictures.uneven
        self.stretch = stretch
        self.times = nn.Embedding(frames, self.width)
        """When a place is: of a vector for each of the equal stretches of a video."""
        nn.init.normal_(self.times.weight, std=0.02)
        self.sound = sound
        self.join = None if sound is None else nn.Linear(sound.width, self.width)

    def added(self) -> list[nn.Parameter]:
        """All weights but those of a pretrained vision model."""
        if not self.pretrained:
            return list(self.parameters())
        beside = (self.times, self.sound, self.join)
        return [weight for part in beside if part is not None for weight in part.parameters()]

    def encoded(self, inputs: Mapping[str, Tensor]) -> Encoded:
        """Encode ``pixels`` (B, T, H x W x 3) under ``mask`` (B, T), ``frames`` (B, S, mels) under ``frames_mask``.

        ``figures`` (B, 5) say first how many seconds the video lasts.
        """
        pixels, mask = inputs["pixels"], inputs["mask"]
        seen = self.tokens(pixels[mask]).mean(1)
        vectors = seen.new_zeros(*mask.shape, self.width)
        vectors[mask] = seen
        vectors = vectors + self.times.weight[: mask.shape[1]]
        if self.sound is None or self.join is None or not bool(inputs["frames_mask"].any()):
            return Encoded(vectors, mask)
        heard = self.sound({"frames": inputs["frames"], "mask": inputs["frames_mask"]})
        timed = self.join(heard.vectors) + self._when(heard.vectors.shape[1], inputs["figures"][:, :1])
        return Encoded(torch.cat([vectors, timed], 1), torch.cat([mask, heard.mask], 1))

    def _when(self, count: int, seconds: Tensor) -> Tensor:
        """The time of each stretch of sound, between those of the pictures beside it. Shape ``(B, S, D)``."""
        last = len(self.times.weight) - 1
        middle = (torch.arange(count, device=seconds.device) + 0.5) * self.stretch
        places = (middle / seconds.clamp_min(self.stretch) * (last + 1) - 0.5).clamp(0, last)
        low = places.floor().long()
        share = (places - low).unsqueeze(2)
        found: Tensor = self.times(low) * (1 - share) + self.times((low + 1).clamp_max(last)) * share
        return found
