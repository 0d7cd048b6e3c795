"""A small residual network of convolutions, made anew: its norms look at one picture alone."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from sibu.modalities.image.grid import first_strides, grid_strides


class ResidualNet(nn.Module):
    """Pictures ``(B, 3, H, W)`` to a grid of vectors ``(B, D, h, w)``, sides of 4 to 7 cells.

    Convolutions with stride 2 bring a picture to a grid of at most 32; then each resolution has its blocks, with twice
    the channels of the one before.

    Args:
        size: H and W.
        width: D.
        depth: Blocks a resolution.
    """

    def __init__(self, *, size: tuple[int, int], width: int, depth: int) -> None:
        super().__init__()
        strides = grid_strides(size)
        begun = first_strides(size)
        count = len(strides) - begun
        channels = [max(width >> (count - level), min(32, width)) for level in range(count + 1)]
        self.stem = nn.ModuleList()
        inputs = 3
        for stride in strides[:begun] or [(1, 1)]:
            self.stem.append(Convolved(inputs, channels[0], stride=stride))
            inputs = channels[0]
        self.blocks = nn.ModuleList()
        for level, outputs in enumerate(channels):
            for number in range(depth):
                stride = strides[begun + level - 1] if level and not number else (1, 1)
                self.blocks.append(Block(inputs, outputs, stride=stride))
                inputs = outputs
        self.norm = _norm(width)

    def forward(self, pixels: Tensor) -> Tensor:
        """Normalised pixels to a grid of vectors."""
        for convolved in self.stem:
            pixels = F.silu(convolved(pixels))
        for block in self.blocks:
            pixels = block(pixels)
        found: Tensor = self.norm(pixels)
        return found


class Convolved(nn.Module):
    """A convolution of 3 x 3 and a group norm.

    Args:
        inputs: Channels in.
        outputs: Channels out.
        stride: Vertical and horizontal.
    """

    def __init__(self, inputs: int, outputs: int, *, stride: tuple[int, int] = (1, 1)) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        nn.init.kaiming_normal_(self.convolution.weight, nonlinearity="relu")
        self.norm = _norm(outputs)

    def forward(self, grid: Tensor) -> Tensor:
        """``(B, C, h, w)`` to ``(B, C', h', w')``."""
        found: Tensor = self.norm(self.convolution(grid))
        return found


class Block(nn.Module):
    """Two convolutions whose answer is added to what came in; adds nothing at first.

    Args:
        inputs: Channels in.
        outputs: Channels out.
        stride: Of the first convolution; the input is averaged to the same grid.
    """

    def __init__(self, inputs: int, outputs: int, *, stride: tuple[int, int]) -> None:
        super().__init__()
        self.stride = stride
        self.first = Convolved(inputs, outputs, stride=stride)
        self.second = Convolved(outputs, outputs)
        nn.init.zeros_(self.second.norm.weight)
        self.short = nn.Conv2d(inputs, outputs, 1, bias=False) if inputs != outputs else None

    def forward(self, grid: Tensor) -> Tensor:
        """``(B, C, h, w)`` to ``(B, C', h', w')``."""
        short = grid if self.stride == (1, 1) else F.avg_pool2d(grid, self.stride, ceil_mode=True)
        if self.short is not None:
            short = self.short(short)
        return F.silu(short + self.second(F.silu(self.first(grid))))


def _norm(channels: int) -> nn.GroupNorm:
    groups = next(count for count in range(max(channels // 16, 1), 0, -1) if channels % count == 0)
    return nn.GroupNorm(groups, channels)
