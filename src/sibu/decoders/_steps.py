"""Piece by piece over a causal model: answers that have ended leave the batch, and the cache is never copied whole.

The same answers as transformers' `generate` gives one by one, in less time: there a batch is computed until its longest
answer ends, and every step copies all keys and values to add one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from transformers.cache_utils import DynamicCache, DynamicLayer

if TYPE_CHECKING:
    from sibu.core.protocols import Decoder, Terms

Choose = Callable[[Tensor, int, Tensor], Tensor]
"""Scores ``(B, V)``, the number of the step and of each row to the next pieces ``(B,)``."""
ROOM = 64
"""Places that the cache grows by."""


class _Reserved(DynamicLayer):  # type: ignore[misc]
    """Keys and values of a layer with room behind them."""

    keys: Tensor
    values: Tensor
    reserved: tuple[Tensor, Tensor] | None = None

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        known = self.get_seq_length()
        length = known + key_states.shape[2]
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        if self.reserved is None or self.reserved[0].shape[2] < length:
            room = (*key_states.shape[:2], length + ROOM)
            grown = (
                key_states.new_empty(*room, key_states.shape[3]),
                value_states.new_empty(*room, value_states.shape[3]),
            )
            if known:
                grown[0][:, :, :known], grown[1][:, :, :known] = self.keys, self.values
            self.reserved = grown
        keys, values = self.reserved
        keys[:, :, known:length], values[:, :, known:length] = key_states, value_states
        self.keys, self.values = keys[:, :, :length], values[:, :, :length]
        return self.keys, self.values

    def batch_select_indices(self, indices: Tensor) -> None:
        super().batch_select_indices(indices)
        self.reserved = None

    def batch_repeat_interleave(self, repeats: int) -> None:
        super().batch_repeat_interleave(repeats)
        self.reserved = None


def _cache(model: Any) -> DynamicCache:
    cache = DynamicCache(config=model.config)
    cache.layers = [_Reserved() if type(layer) is DynamicLayer else layer for layer in cache.layers]
    return cache


def by_steps(
    choose: Callable[[], Choose],
    *,
    otherwise: Decoder,
    processors: Callable[[], Sequence[Any]] = tuple,
    answers: int = 1,
) -> Decoder:
    """A decoder that takes one piece after the other.

    Args:
        choose: Begins a batch: gives what chooses the pieces.
        otherwise: The decoder for encoder-decoders, and for models that PEFT puts trained places before.
        processors: Begins a batch: gives what changes the scores first.
        answers: How many are written to each prompt, which is read once.
    """

    def decode(model: Any, inputs: Mapping[str, Tensor], terms: Terms) -> Tensor:
        if model.config.is_encoder_decoder or hasattr(model, "get_base_model"):
            return otherwise(model, inputs, terms)
        return _written(model, inputs, choose(), [*processors(), *terms.processors], terms, answers)

    return decode


def _written(
    model: Any,
    inputs: Mapping[str, Tensor],
    choose: Choose,
    processors: Sequence[Any],
    terms: Terms,
    answers: int,
) -> Tensor:
    prompt, mask = inputs["input_ids"], inputs["attention_mask"]
    device, width = prompt.device, prompt.shape[1]
    found = torch.full((len(prompt) * answers, width + terms.limit), terms.pad, device=device)
    found[:, :width] = prompt.repeat_interleave(answers, 0)
    rows = torch.arange(len(found), device=device)  # those that are still written, by their number
    last = torch.tensor(list(terms.ends), device=device)
    named: dict[str, Any] = {"past_key_values": _cache(model), "use_cache": True}
    if "logits_to_keep" in signature(model.forward).parameters:
        named["logits_to_keep"] = 1
    placed = "position_ids" in signature(model.forward).parameters
    fresh = prompt
    if terms.streamer is not None:
        terms.streamer.put(prompt)
    for step in range(terms.limit):
        if placed:
            named["position_ids"] = (mask.cumsum(1) - 1).clamp(min=0)[:, -fresh.shape[1] :]
        scores = model(input_ids=fresh, attention_mask=mask, **named).logits[:, -1].float()
        if step == 0 and answers > 1:
            scores, mask = (each.repeat_interleave(answers, 0) for each in (scores, mask))
            named["past_key_values"].batch_repeat_interleave(answers)
        so_far = found[rows, : width + step]
        for processor in processors:
            if hasattr(processor, "rows"):
                processor.rows = rows
            scores = processor(so_far, scores)
        pieces = choose(scores, step, rows)
        found[rows, width + step] = pieces
        if terms.streamer is not None:
            terms.streamer.put(pieces)
        done = torch.isin(pieces, last)
        for criterion in terms.criteria:
            done |= criterion(found[rows, : width + step + 1], None)
        fresh = pieces.unsqueeze(1)
        mask = torch.cat([mask, mask.new_ones(len(mask), 1)], 1)
        if bool(done.any()):
            kept = (~done).nonzero()[:, 0]
            if not len(kept):
                break
            rows, fresh, mask = rows[kept], fresh[kept], mask[kept]
            named["past_key_values"].batch_select_indices(kept)
    if terms.streamer is not None:
        terms.streamer.end()
    return found
