"""EfficientNet-Lite: inverted bottlenecks without squeeze, ReLU6. Source: Tan and Le, 2019, arXiv:1905.11946.

The folder is that of ``sibu.models.efficientnet``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

KIND = "efficientnet-lite"


class EfficientNetLite(nn.Module):
    """Normalised pixels ``(B, 3, H, W)`` to a grid of vectors ``(B, D, h, w)``, a cell each 32 x 32 pixels.

    Args:
        config: What ``config.json`` says.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.config = dict(config)
        epsilon = float(config["norm_epsilon"])
        self.stem = Normed(3, int(config["stem"]), kernel=3, stride=2, epsilon=epsilon, bounded=True)
        self.blocks = nn.ModuleList(Bottleneck(**block, epsilon=epsilon) for block in config["blocks"])
        outputs = int(config["blocks"][-1]["outputs"])
        self.head = Normed(outputs, int(config["head"]), kernel=1, epsilon=epsilon, bounded=True)

    def forward(self, pixels: Tensor) -> Tensor:
        """The last grid."""
        grid = self.stem(pixels)
        for block in self.blocks:
            grid = block(grid)
        found: Tensor = self.head(grid)
        return found

    def save_pretrained(self, folder: str) -> None:
        """Write ``config.json`` and ``model.safetensors``; without the classifier, which these weights may not fit."""
        from safetensors.torch import save_file

        home = Path(folder)
        home.mkdir(parents=True, exist_ok=True)
        weights = {name: tensor.detach().cpu().contiguous() for name, tensor in self.state_dict().items()}
        save_file(weights, home / "model.safetensors", metadata={"format": "pt"})
        text = json.dumps({key: value for key, value in self.config.items() if key != "labels"}, indent=2)
        (home / "config.json").write_text(text + "\n", encoding="utf-8")


class Normed(nn.Module):
    """A convolution and its batch norm, as one: the norm's scale is multiplied into the weights.

    The statistics are those of the pretraining, in training too; so an answer never depends on the rest of its batch,
    and the two are one pass over the grid where they would be two.

    Args:
        inputs: Channels in.
        outputs: Channels out.
        kernel: Its sides.
        stride: 1 or 2; padded as TensorFlow's ``same``: what is odd goes to the right and below.
        by_channel: Whether each channel is on its own.
        epsilon: Of the norm.
        bounded: Whether what comes out is cut to 0 to 6 (ReLU6).
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        kernel: int,
        epsilon: float,
        stride: int = 1,
        by_channel: bool = False,
        bounded: bool = False,
    ) -> None:
        super().__init__()
        self.bounded = bounded
        self.groups = inputs if by_channel else 1
        self.kernel, self.stride = kernel, stride
        self.convolution = nn.Conv2d(inputs, outputs, kernel, groups=self.groups, bias=False)
        self.norm = FixedNorm(outputs, epsilon=epsilon)

    def forward(self, grid: Tensor) -> Tensor:
        """``(B, C, h, w)`` to ``(B, C', ceil(h / stride), ceil(w / stride))``."""
        scale, offset = self.norm()
        weight = self.convolution.weight * scale.view(-1, 1, 1, 1)
        if self.kernel == 1:  # a product of matrices: channels stand last in memory, so all of these are views
            return self._bound(F.linear(grid.permute(0, 2, 3, 1), weight.flatten(1), offset)).permute(0, 3, 1, 2)
        padding = self.kernel // 2
        if self.stride > 1:
            grid = F.pad(grid, (*self._same(grid.shape[3]), *self._same(grid.shape[2])))
            padding = 0
        return self._bound(F.conv2d(grid, weight, offset, self.stride, padding, 1, self.groups))

    def _bound(self, found: Tensor) -> Tensor:
        return F.relu6(found, inplace=not torch.is_grad_enabled()) if self.bounded else found

    def _same(self, side: int) -> tuple[int, int]:
        """TensorFlow's padding before and behind."""
        whole = max((-(-side // self.stride) - 1) * self.stride + self.kernel - side, 0)
        return whole // 2, whole - whole // 2


class FixedNorm(nn.Module):
    """A batch norm whose mean and variance stay as they are, as scale and offset by channel.

    Args:
        channels: C.
        epsilon: Added to the variance.
    """

    def __init__(self, channels: int, *, epsilon: float) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.mean: Tensor
        self.variance: Tensor
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))

    def forward(self) -> tuple[Tensor, Tensor]:
        """Scale and offset, ``(C,)`` each."""
        scale = self.weight * torch.rsqrt(self.variance + self.epsilon)
        return scale, self.bias - self.mean * scale


class Bottleneck(nn.Module):
    """Out to many channels, a convolution in each, back to few; added to what came in where the grid is the same.

    Args:
        inputs: Channels in.
        inner: Channels between.
        outputs: Channels out.
        kernel: Sides of the convolution by channel.
        stride: Its stride.
        epsilon: Of the norms.
    """

    def __init__(self, *, inputs: int, inner: int, outputs: int, kernel: int, stride: int, epsilon: float) -> None:
        super().__init__()
        self.adds = stride == 1 and inputs == outputs
        bounded: dict[str, Any] = {"epsilon": epsilon, "bounded": True}
        self.expand = Normed(inputs, inner, kernel=1, **bounded) if inner != inputs else None
        self.depth = Normed(inner, inner, kernel=kernel, stride=stride, by_channel=True, **bounded)
        self.project = Normed(inner, outputs, kernel=1, epsilon=epsilon)

    def forward(self, grid: Tensor) -> Tensor:
        """``(B, C, h, w)`` to ``(B, C', h', w')``."""
        inner = grid if self.expand is None else self.expand(grid)
        found: Tensor = self.project(self.depth(inner))
        return grid + found if self.adds else found


def load_lite(folder: Path) -> EfficientNetLite:
    """The model in a folder, without its classifier.

    Raises:
        KeyError: When a weight is not there.
    """
    from safetensors import safe_open

    model = EfficientNetLite(json.loads((folder / "config.json").read_text(encoding="utf-8")))
    with safe_open(folder / "model.safetensors", "pt") as file:
        model.load_state_dict({name: file.get_tensor(name) for name in model.state_dict()})
    return model
