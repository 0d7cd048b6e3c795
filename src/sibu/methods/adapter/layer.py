"""The bottleneck layer and where it is put."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from sibu.core.protocols import Adapted, Group
from sibu.methods._fits import check_fits


class Bottleneck(nn.Module):
    """Down, GELU, up, and the input added: ``(B, T, D)`` to ``(B, T, D)``; does nothing at first.

    Args:
        width: D.
        size: Width of the bottleneck.
    """

    def __init__(self, *, width: int, size: int) -> None:
        super().__init__()
        self.down = nn.Linear(width, size)
        self.up = nn.Linear(size, width)
        nn.init.normal_(self.down.weight, std=0.02)
        nn.init.zeros_(self.down.bias)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, vectors: Tensor) -> Tensor:
        """The vectors with what the bottleneck adds."""
        changed: Tensor = self.up(F.gelu(self.down(vectors)))
        return vectors + changed


def add_bottlenecks(encoder: Any, *, size: int) -> Adapted:
    """Freeze the encoder, and let a bottleneck change what each layer answers.

    Raises:
        RecipeError: When the model is no transformer, or its weights are random.
    """
    check_fits(encoder, between=True)
    encoder.requires_grad_(False)
    layers = [*encoder.layers(), *encoder.decoder_layers()]
    encoder.adapters = nn.ModuleList([Bottleneck(width=encoder.width, size=size) for _ in layers])
    for layer, bottleneck in zip(layers, encoder.adapters, strict=True):
        layer.register_forward_hook(_behind(bottleneck))
    trained = [*encoder.adapters.parameters(), *encoder.added()]
    for weight in trained:
        weight.requires_grad_(True)
    return Adapted(encoder=encoder, groups=[Group(trained)])


def _behind(bottleneck: Bottleneck) -> Any:
    """A hook that sends a layer's vectors (alone, or first of what it answers) through the bottleneck."""

    def hook(module: nn.Module, arguments: Any, answer: Any) -> Any:  # noqa: ARG001
        if isinstance(answer, tuple):
            return (bottleneck(answer[0]), *answer[1:])
        return bottleneck(answer)

    return hook
