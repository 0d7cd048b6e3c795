"""What tests of encoders of values share: a batch of arrays, as a run makes it, and what every encoder owes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sibu.core.tensors import Encoded
from sibu.core.text import Feature


def together(values: Sequence[dict[str, np.ndarray]], features: Sequence[Feature]) -> dict[str, Tensor]:
    """Arrays of some values as a batch: features by token padded, each with its mask; by window stacked."""
    found: dict[str, Tensor] = {}
    for feature in features:
        parts = [own[feature.name].astype(feature.dtype) for own in values]
        if feature.per == "window":
            found[feature.name] = torch.from_numpy(np.stack(parts))
            continue
        lengths = [len(part) // feature.width for part in parts]
        padded = np.full((len(parts), max(lengths) * feature.width), feature.pad, feature.dtype)
        for row, part in zip(padded, parts, strict=True):
            row[: len(part)] = part
        shaped = padded if feature.width == 1 else padded.reshape(len(parts), -1, feature.width)
        found[feature.name] = torch.from_numpy(shaped)
        mask = torch.arange(max(lengths)).unsqueeze(0) < torch.tensor(lengths).unsqueeze(1)
        found["mask" if "mask" not in found else f"{feature.name}_mask"] = mask
    return {"mask": torch.ones(len(values), 1, dtype=torch.bool)} | found


@torch.no_grad()
def answer(encoder: nn.Module, batch: dict[str, Tensor]) -> Encoded:
    """What an encoder says when it does not train."""
    encoder.eval()
    found: Encoded = encoder(batch)
    return found


def one_by_one(encoder: nn.Module, values: Sequence[dict[str, np.ndarray]], features: Sequence[Feature]) -> float:
    """The largest difference between a batch of unequal lengths and each value alone."""
    whole = answer(encoder, together(values, features))
    worst = 0.0
    for row, value in enumerate(values):
        alone = answer(encoder, together([value], features))
        assert alone.mask.all() or not alone.mask.any() or alone.mask.sum() == whole.mask[row].sum()
        there = whole.vectors[row][whole.mask[row]]
        assert there.shape == alone.vectors[alone.mask].shape
        if len(there):
            worst = max(worst, float((there - alone.vectors[alone.mask]).abs().max()))
    return worst


def learns(encoder: Any, batch: dict[str, Tensor]) -> float:
    """One backward pass; the sum of the absolute gradients of the weights that train, all of them finite."""
    encoder.train()
    encoded = encoder(batch)
    (encoded.vectors[encoded.mask] ** 2).mean().backward()
    sums = [weight.grad.abs().sum().item() for weight in encoder.parameters() if weight.grad is not None]
    assert np.isfinite(sums).all()
    return sum(sums)
