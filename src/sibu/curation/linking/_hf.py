"""Texts as vectors, by an encoder that transformers reads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sibu.models.whole import quiet, require_whole

Vectors = npt.NDArray[np.float32]
LONGEST = 64
"""Pieces of a text that are read: names and questions are short."""
BATCH = 64


def encode(folder: Path, texts: Sequence[str], prefix: str = "") -> Vectors:
    """One vector of length 1 for each text: the mean of the model's last vectors.

    A text with a piece that the model does not know, such as Chinese for one of English, gets nothing but zeros: any
    two such texts would be alike.

    Args:
        folder: An encoder in Hugging Face layout.
        texts: The texts.
        prefix: What the model wants before each.

    Returns:
        Shape ``(N, D)``.
    """
    import torch

    from sibu.nn.pooling import mean_pool

    tokenizer, model = _loaded(folder)
    order = sorted(range(len(texts)), key=lambda place: (len(texts[place]), place))
    found = np.zeros((len(texts), int(model.config.hidden_size)), np.float32)
    with torch.no_grad():
        for begin in range(0, len(order), BATCH):
            own = order[begin : begin + BATCH]
            given = tokenizer(
                [prefix + texts[place] for place in own],
                padding=True,
                truncation=True,
                max_length=LONGEST,
                return_tensors="pt",
            )
            pooled = mean_pool(model(**given).last_hidden_state, given["attention_mask"].bool())
            found[own] = torch.nn.functional.normalize(pooled, dim=-1).numpy()
            found[[place for place, each in zip(own, given["input_ids"], strict=True) if _unread(tokenizer, each)]] = 0
    return found


def _unread(tokenizer: Any, pieces: Any) -> bool:
    """Whether a piece of a text is none that the model knows."""
    return tokenizer.unk_token_id is not None and bool((pieces == tokenizer.unk_token_id).any())


@lru_cache(2)
def _loaded(folder: Path) -> tuple[Any, Any]:
    """Tokenizer and model, kept for the next texts."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    own: dict[str, Any] = {"use_safetensors": True, "output_loading_info": True, "ignore_mismatched_sizes": True}
    with quiet():
        model, about = AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32, **own)
    require_whole(folder, about, lambda name: "pooler." not in name)
    return tokenizer, model.eval()
