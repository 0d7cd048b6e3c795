"""The pretrained transformer behind the text modality."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sibu.core.tensors import Encoded
from sibu.modalities.text.units import SHAPES


class TextEncoder(nn.Module):
    """A Hugging Face encoder that answers with one vector a piece.

    Args:
        folder: A model folder in Hugging Face layout; weights in safetensors.
        shapes: Whether a vector for each word's shape is added to the input vectors; it starts at zero, so that an
            untrained encoder answers as the pretrained one does.
        dropout: Dropout inside; None: the model's own.
        allow_pickle: Whether weights in a pickle may be read.
    """

    def __init__(self, folder: Path, *, shapes: bool, dropout: float | None, allow_pickle: bool = False) -> None:
        super().__init__()
        self.model = load_encoder(folder, dropout=dropout, allow_pickle=allow_pickle)
        self.width: int = self.model.config.hidden_size
        self.shapes = nn.Embedding(len(SHAPES), self._input_width()) if shapes else None
        if self.shapes is not None:
            nn.init.zeros_(self.shapes.weight)

    def _input_width(self) -> int:
        return int(self.model.get_input_embeddings().embedding_dim)

    def forward(self, inputs: Mapping[str, Tensor]) -> Encoded:
        """Encode ``input_ids`` (B, T) under ``mask`` (B, T); ``type_ids`` and ``shapes`` (B, T) where there are any."""
        mask = inputs["mask"]
        arguments: dict[str, Any] = {}
        # Without padding no mask is needed, and attention takes its fast path.
        if not bool(mask.all()):
            arguments["attention_mask"] = mask.to(torch.long)
        if "type_ids" in inputs:
            arguments["token_type_ids"] = inputs["type_ids"]
        if self.shapes is not None and "shapes" in inputs:
            words = self.model.get_input_embeddings()(inputs["input_ids"])
            arguments["inputs_embeds"] = words + self.shapes(inputs["shapes"])
        else:
            arguments["input_ids"] = inputs["input_ids"]
        return Encoded(vectors=self.model(**arguments).last_hidden_state, mask=mask)

    def layers(self) -> nn.ModuleList:
        """The transformer's layers, lowest first."""
        return find_layers(self.model)

    def stem(self) -> list[nn.Parameter]:
        """The weights below the lowest layer (embeddings and what stands between)."""
        inside = {id(weight) for weight in self.layers().parameters()}
        above = self._above()
        return [w for w in self.parameters() if id(w) not in inside and id(w) not in above]

    def _above(self) -> set[int]:
        """Weights behind the last layer (a final norm, a pooler)."""
        names = ("pooler", "final_layer_norm", "ln_f", "norm", "head")
        modules = [getattr(self.model, name, None) for name in names]
        return {id(weight) for module in modules if isinstance(module, nn.Module) for weight in module.parameters()}


def load_encoder(folder: Path, *, dropout: float | None, allow_pickle: bool) -> nn.Module:
    """The model in a folder, without pooler, in float32."""
    from transformers import AutoConfig, AutoModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    config = AutoConfig.from_pretrained(str(folder), local_files_only=True)
    if dropout is not None:
        for name in ("hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout"):
            if hasattr(config, name):
                setattr(config, name, dropout)
    kind: dict[str, Any] = {} if allow_pickle else {"use_safetensors": True}
    model: nn.Module = AutoModel.from_pretrained(
        str(folder), config=config, local_files_only=True, dtype=torch.float32, **kind
    )
    if getattr(model, "pooler", None) is not None:
        model.pooler = None  # no head here reads it, and weights that never train would be saved
    return model


def find_layers(model: nn.Module) -> nn.ModuleList:
    """The list of a transformer's layers: the longest list of modules in it.

    Raises:
        ValueError: Where the model has none.
    """
    lists = [module for module in model.modules() if isinstance(module, nn.ModuleList)]
    if not lists:
        raise ValueError(f"{type(model).__name__} has no list of layers; it cannot be frozen or trained layer by layer")
    return max(lists, key=len)

