"""Where transformers' `generate` is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from sibu.core.protocols import Decoder, Terms


def penalties(*, repetition_penalty: float, no_repeat_ngram_size: int) -> list[Any]:
    """What holds repetitions down, of transformers."""
    from transformers import NoRepeatNGramLogitsProcessor, RepetitionPenaltyLogitsProcessor

    found: list[Any] = []
    if repetition_penalty != 1:
        found.append(RepetitionPenaltyLogitsProcessor(repetition_penalty))
    if no_repeat_ngram_size:
        found.append(NoRepeatNGramLogitsProcessor(no_repeat_ngram_size))
    return found


def decoder(*, seed: int | None = None, **own: Any) -> Decoder:
    """A decoder by `generate`.

    Args:
        seed: Begins the draws anew at every call; None: nothing is drawn.
        own: What its generation config says.
    """

    def decode(model: Any, inputs: Mapping[str, Tensor], terms: Terms) -> Tensor:
        import torch
        from transformers import GenerationConfig

        if seed is not None:
            torch.manual_seed(seed)
        config = GenerationConfig(
            max_new_tokens=terms.limit, eos_token_id=list(terms.ends), pad_token_id=terms.pad, **own
        )
        found: Tensor = model.generate(
            **inputs,
            generation_config=config,
            logits_processor=list(terms.processors),
            stopping_criteria=list(terms.criteria),
            streamer=terms.streamer,
        )
        return found

    return decode
