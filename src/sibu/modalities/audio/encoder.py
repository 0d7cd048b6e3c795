"""The models behind the audio modality: frames or waves to vectors over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from sibu.core.tensors import Encoded
from sibu.modalities._encoder import ModelEncoder
from sibu.modalities.audio.network import SoundNet, hidden_parts


class FrameEncoder(ModelEncoder):
    """A spectrogram's frames to vectors, by a network that is made anew.

    Args:
        mels: Bands.
        width: D.
        depth: Blocks.
        mean: Of each band.
        deviation: Of each band.
        mask: Whether parts are hidden in training.
    """

    def __init__(
        self, *, mels: int, width: int, depth: int, mean: Sequence[float], deviation: Sequence[float], mask: bool
    ) -> None:
        super().__init__(SoundNet(mels=mels, width=width, depth=depth), width=width, folder=None)
        self.mask = mask
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.tensor(mean), persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation), persistent=False)

    def encoded(self, inputs: Mapping[str, Tensor]) -> Encoded:
        """Encode ``frames`` (B, T, mels) under ``mask`` (B, T)."""
        mask = inputs["mask"]
        frames = (inputs["frames"].to(self.mean.dtype) - self.mean) / self.deviation
        if self.training and self.mask:
            frames = hidden_parts(frames, mask)
        return Encoded(*self.model(frames.masked_fill(~mask.unsqueeze(2), 0.0), mask))
