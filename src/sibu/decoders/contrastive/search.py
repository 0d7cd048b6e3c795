"""Contrastive search over a causal model with its cache."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from sibu.core.errors import Unsupported

if TYPE_CHECKING:
    from sibu.core.protocols import Decoder, Terms


def search(*, alpha: float, top_k: int) -> Decoder:
    """A decoder that weighs a piece's probability against its likeness to what came before.

    Args:
        alpha: Weight of the unlikeness, in [0, 1].
        top_k: Pieces that are compared.
    """

    def decode(model: Any, inputs: Mapping[str, Tensor], terms: Terms) -> Tensor:
        if model.config.is_encoder_decoder or hasattr(model, "get_base_model"):
            raise Unsupported("`contrastive` needs a causal model without trained places. Choose `beam` or `sample`.")
        ids, mask = inputs["input_ids"], inputs["attention_mask"]
        size, done = len(ids), torch.zeros(len(ids), dtype=torch.bool, device=ids.device)
        found = _forward(model, input_ids=ids, attention_mask=mask, position_ids=_places(mask))
        cache, scores = found.past_key_values, found.logits[:, -1]
        before = F.normalize(found.hidden_states[-1], dim=-1)  # (B, T, D)
        if terms.streamer is not None:
            terms.streamer.put(ids)
        for _ in range(terms.limit):
            for processor in terms.processors:
                scores = processor(ids, scores.float())
            chances = scores.float().softmax(-1)
            best, pieces = chances.topk(top_k, -1)  # (B, K)
            cache.batch_repeat_interleave(top_k)
            mask = torch.cat([mask, mask.new_ones(size, 1)], 1)
            wide = mask.repeat_interleave(top_k, 0)
            found = _forward(
                model,
                input_ids=pieces.reshape(-1, 1),
                attention_mask=wide,
                position_ids=_places(wide)[:, -1:],
                past_key_values=cache,
            )
            own = F.normalize(found.hidden_states[-1][:, -1], dim=-1).view(size, top_k, -1)
            likeness = torch.einsum("bkd,btd->bkt", own, before)
            likeness = likeness.masked_fill(mask[:, None, :-1] == 0, -1.0).amax(-1)
            worth = (1 - alpha) * best - alpha * likeness
            chosen = worth.masked_fill(best == 0, -torch.inf).argmax(-1)  # what a constraint forbids stays forbidden
            rows = torch.arange(size, device=ids.device)
            flat = rows * top_k + chosen
            cache = found.past_key_values
            cache.batch_select_indices(flat)
            scores = found.logits[flat, -1]
            before = torch.cat([before, own[rows, chosen].unsqueeze(1)], 1)
            piece = torch.where(done, terms.pad, pieces[rows, chosen])
            ids = torch.cat([ids, piece.unsqueeze(1)], 1)
            if terms.streamer is not None:
                terms.streamer.put(piece)
            done |= torch.isin(piece, torch.tensor(list(terms.ends), device=ids.device))
            for criterion in terms.criteria:
                done |= criterion(ids, None)
            if bool(done.all()):
                break
        if terms.streamer is not None:
            terms.streamer.end()
        return ids

    return decode


def _forward(model: Any, **inputs: Any) -> Any:
    return model(**inputs, use_cache=True, output_hidden_states=True)


def _places(mask: Tensor) -> Tensor:
    """Positions that do not count the padding on the left."""
    return (mask.cumsum(1) - 1).clamp(min=0)
