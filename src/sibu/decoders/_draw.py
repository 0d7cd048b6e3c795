"""Draws from the likeliest pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

if TYPE_CHECKING:
    from sibu.decoders._steps import Choose


def drawing(*, seed: int, temperature: float, top_p: float, top_k: int) -> Choose:
    """What draws pieces; a row's draws do not depend on when other rows end.

    Args:
        seed: Of the draws.
        temperature: Divides the scores.
        top_p: Share of the probability that is drawn from.
        top_k: How many pieces are drawn from; 0: all.
    """
    warpers = [TemperatureLogitsWarper(temperature)]
    if top_k:
        warpers.append(TopKLogitsWarper(top_k))
    if top_p < 1:
        warpers.append(TopPLogitsWarper(top_p))

    def choose(scores: Tensor, step: int, rows: Tensor) -> Tensor:
        for warper in warpers:
            scores = warper(None, scores)
        source = torch.Generator().manual_seed((seed * 1_000_003 + step) % 2**63)
        drawn = torch.rand(int(rows.max()) + 1, generator=source)[rows.cpu()].to(scores.device)
        mounting = scores.softmax(-1).double().cumsum(-1)
        places = torch.searchsorted(mounting, drawn.double().unsqueeze(1) * mounting[:, -1:], right=True)
        return places[:, 0].clamp(max=scores.shape[1] - 1)

    return choose
