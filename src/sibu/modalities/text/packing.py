"""Documents side by side in one row, each attending to itself alone, so that no padding is computed.

What flash attention's variable-length form does on a GPU, by torch's own attention on any machine: one call a document,
causal, without a mask. Source: Krell et al., 2021, arXiv:2107.02027.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import signature
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NAME = "sibu_packed"
_MASK_BEYOND = ("softcap", "s_aux")
"""What some models ask of attention that torch's own does not do."""


class _Unpackable(Exception):
    """The model's attention asks for what torch's does not do; found when the model is loaded, by ``can_pack``."""


@dataclass(slots=True)
class _Documents:
    """The documents of the row that is being computed."""

    lengths: Sequence[int]
    calls: int = 0


_present: list[_Documents] = []


@contextmanager
def documents(config: Any, lengths: Sequence[int]) -> Iterator[_Documents]:
    """Within it a model's attention keeps documents of these lengths apart.

    Args:
        config: The model's config, which names its attention.
        lengths: Pieces of each document, in the order they lie in the row.
    """
    _register()
    known = config._attn_implementation
    found = _Documents(lengths)
    _present.append(found)
    config._attn_implementation = NAME
    try:
        yield found
    finally:
        config._attn_implementation = known
        _present.pop()


def _register() -> None:
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    if NAME not in ALL_ATTENTION_FUNCTIONS.valid_keys():
        ALL_ATTENTION_FUNCTIONS.register(NAME, attend)


def attend(
    module: nn.Module,  # noqa: ARG001  (the signature is transformers')
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,  # noqa: ARG001
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    **more: Any,
) -> tuple[Tensor, None]:
    """Causal attention within each document.

    Args:
        module: The attention layer.
        query: Shape ``(1, H, T, D)``.
        key: Shape ``(1, K, T, D)``; K divides H.
        value: As ``key``.
        attention_mask: Not used: documents and causality say all.
        scaling: Factor of the scores; None: one over the root of D.
        dropout: Share of the weights that is dropped.
        sliding_window: How far back a piece sees; None: to the beginning.
        more: What other models hand on.

    Returns:
        The vectors, shape ``(1, T, H, D)``, and no weights.
    """
    if any(more.get(name) is not None for name in _MASK_BEYOND) or query.shape[0] != 1:
        raise _Unpackable
    own = _present[-1]
    own.calls += 1
    group = query.shape[1] // key.shape[1]
    if group > 1:
        key, value = key.repeat_interleave(group, 1), value.repeat_interleave(group, 1)
    sizes = list(own.lengths)
    parts = zip(*(torch.split(each, sizes, 2) for each in (query, key, value)), strict=True)
    found = [_one(*part, scaling=scaling, dropout=dropout, window=sliding_window) for part in parts]
    return torch.cat(found, 2).transpose(1, 2).contiguous(), None


def _one(
    query: Tensor, key: Tensor, value: Tensor, *, scaling: float | None, dropout: float, window: int | None
) -> Tensor:
    length = query.shape[2]
    named: dict[str, Any] = {"scale": scaling, "dropout_p": dropout}
    if window is None or length <= window:
        return F.scaled_dot_product_attention(query, key, value, is_causal=True, **named)
    places = torch.arange(length, device=query.device)
    back = places.unsqueeze(1) - places
    return F.scaled_dot_product_attention(query, key, value, attn_mask=(back >= 0) & (back < window), **named)


@torch.no_grad()
def can_pack(inner: Any, layers: int) -> bool:
    """Whether all of a causal model's layers keep packed documents apart: tried with two short ones.

    Args:
        inner: The model without its language head.
        layers: How many layers it has.
    """
    if "position_ids" not in signature(inner.forward).parameters:
        return False
    ids = torch.tensor([[1, 2, 3, 1, 2]], device=inner.device)
    training = inner.training
    inner.eval()
    try:
        with documents(inner.config, (3, 2)) as found:
            places = torch.tensor([[0, 1, 2, 0, 1]], device=inner.device)
            packed = inner(input_ids=ids, position_ids=places, use_cache=False).last_hidden_state
        alone = inner(input_ids=ids[:, :2], use_cache=False).last_hidden_state
    except _Unpackable:
        return False
    finally:
        inner.train(training)
    return found.calls == layers and torch.allclose(packed[:, 3:], alone, rtol=1e-3, atol=1e-4)
