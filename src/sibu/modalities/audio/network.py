"""A small network over a spectrogram, made anew: what it says of a stretch never depends on the padding behind it."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CHANNELS = 32
REACH = 7
"""Places that a block looks at."""
DROPOUT = 0.1


class SoundNet(nn.Module):
    """Normalised frames ``(B, T, mels)`` to vectors ``(B, ceil(T / 4), D)``.

    Args:
        mels: Bands.
        width: D.
        depth: Blocks.
    """

    def __init__(self, *, mels: int, width: int, depth: int) -> None:
        super().__init__()
        bands = (mels + 3) // 4
        first: Any = nn.Conv2d(1, CHANNELS, 3, stride=2, padding=1)
        second: Any = nn.Conv2d(CHANNELS, CHANNELS, 3, stride=2, padding=1)
        # Channels last in memory: fastest on a processor, and a frame's bands and channels are one vector as they lie.
        self.front = nn.ModuleList(each.to(memory_format=torch.channels_last) for each in (first, second))
        self.join = nn.Linear(CHANNELS * bands, width)
        self.joined = nn.LayerNorm(width)
        self.blocks = nn.ModuleList(TimeBlock(width) for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def forward(self, frames: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The vectors, and their mask ``(B, ceil(T / 4))``."""
        grid = frames.unsqueeze(1).to(memory_format=torch.channels_last)
        first, second = self.front
        mask = mask[:, ::2]
        grid = F.silu(first(grid))
        if not bool(mask.all()):  # a bias makes something of silence
            grid = (grid.permute(0, 2, 3, 1) * mask[:, :, None, None]).permute(0, 3, 1, 2)
        mask = mask[:, ::2]
        vectors = self.joined(self.join(F.silu(second(grid)).permute(0, 2, 3, 1).flatten(2)))
        for block in self.blocks:
            vectors = block(vectors, mask)
        return self.norm(vectors), mask


class TimeBlock(nn.Module):
    """A convolution over time in each channel, then a feed-forward part; what they say is added to what came in.

    Args:
        width: D.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.over = nn.Conv1d(width, width, REACH, padding=REACH // 2, groups=width)
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, 2 * width)
        self.down = nn.Linear(2 * width, width)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """``(B, T, D)`` under ``(B, T)`` to ``(B, T, D)``."""
        there = (vectors * mask.unsqueeze(2)).transpose(1, 2)
        around = self.norm(self.over(there).transpose(1, 2))
        found: Tensor = vectors + self.dropout(self.down(F.gelu(self.up(around))))
        return found


def hidden_parts(frames: Tensor, mask: Tensor) -> Tensor:
    """Frames ``(B, T, mels)``, in each two bands of up to a fifth and two stretches of up to a tenth of it set to 0."""
    count, length, mels = frames.shape
    lengths = mask.sum(1, keepdim=True)
    hidden = torch.zeros(count, length, mels, dtype=torch.bool, device=frames.device)
    for _ in range(2):
        hidden |= _stretch(mels, torch.full_like(lengths, mels), 0.2).unsqueeze(1)
        hidden |= _stretch(length, lengths, 0.1).unsqueeze(2)
    return frames.masked_fill(hidden, 0.0)


def _stretch(size: int, lengths: Tensor, most: float) -> Tensor:
    """A random stretch of each row's first ``lengths`` (B, 1) places, up to that share of them. Shape ``(B, size)``."""
    drawn = torch.rand(2, *lengths.shape, device=lengths.device)
    long = (drawn[0] * (most * lengths + 1)).floor()
    start = (drawn[1] * (lengths - long + 1)).floor()
    places = torch.arange(size, device=lengths.device)
    return (places >= start) & (places < start + long)
