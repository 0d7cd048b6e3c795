"""The top layers train."""

from __future__ import annotations

from typing import Any

from sibu.core.errors import RecipeError
from sibu.core.protocols import Adapted, Group


def train_top(encoder: Any, *, count: int) -> Adapted:
    """Let the ``count`` highest layers train, and what stands behind them.

    Raises:
        RecipeError: When the model has fewer layers.
    """
    layers = list(encoder.layers())
    if count > len(layers):
        raise RecipeError(f"method.layers is {count}, but the model has {len(layers)} layers. Give at most that many.")
    encoder.requires_grad_(False)
    lower = {id(weight) for layer in layers[: len(layers) - count] for weight in layer.parameters()}
    lower |= {id(weight) for weight in encoder.stem()}
    trained = [weight for weight in encoder.parameters() if id(weight) not in lower]
    for weight in trained:
        weight.requires_grad_(True)
    return Adapted(encoder=encoder, groups=[Group(trained)], frozen_layers=len(layers) - count)
