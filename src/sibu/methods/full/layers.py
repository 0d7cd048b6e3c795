"""Every weight trains, at a rate that falls from the top layer to the embeddings."""

from __future__ import annotations

from typing import Any

from sibu.core.protocols import Adapted, Group


def train_all(encoder: Any, *, layer_decay: float) -> Adapted:
    """Groups of weights by layer.

    Args:
        encoder: Has ``layers()`` (lowest first), ``stem()`` (what lies below them) and ``parameters()``.
        layer_decay: Rate of a layer relative to the one above it, in (0, 1].
    """
    layers = list(encoder.layers())
    groups = [Group(list(layer.parameters()), layer_decay ** (len(layers) - 1 - n)) for n, layer in enumerate(layers)]
    groups.append(Group(encoder.stem(), layer_decay ** len(layers)))
    known = {id(weight) for group in groups for weight in group.parameters}
    groups.append(Group([weight for weight in encoder.parameters() if id(weight) not in known]))
    return Adapted(encoder=encoder, groups=[group for group in groups if group.parameters])
