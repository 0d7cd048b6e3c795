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
        self.model: Any = load_encoder(folder, dropout=dropout, allow_pickle=allow_pickle)
        self.width = int(self.model.config.hidden_size)
        self.shapes = nn.Embedding(len(SHAPES), self._input_width()) if shapes else None
        if self.shapes is not None:
            nn.init.zeros_(self.shapes.weight)
        self.leading = 0
        """Vectors that an adaptation method puts before the text's own; taken off the answer."""
        self.prompted = False
        """Whether a method puts trained places before the text's: PEFT then needs the mask even where nothing is
        padded, and drops segment numbers, which go in by their vectors instead."""
        self.frozen_layers = 0
        """Where ``hidden`` inputs enter: behind this many layers."""

    def _input_width(self) -> int:
        return int(self.model.get_input_embeddings().embedding_dim)

    def added(self) -> list[nn.Parameter]:
        """Weights that are not the pretrained model's: they train with every method that trains inputs."""
        return [] if self.shapes is None else list(self.shapes.parameters())

    def forward(self, inputs: Mapping[str, Tensor]) -> Encoded:
        """Encode ``input_ids`` (B, T) under ``mask`` (B, T); ``type_ids`` and ``shapes`` (B, T) where there are any.

        Where ``hidden`` (B, T, D) stands instead, the layers below ``frozen_layers`` were computed before.
        """
        mask = inputs["mask"]
        if "hidden" in inputs:
            return Encoded(vectors=self._upper(inputs["hidden"], mask), mask=mask)
        arguments: dict[str, Any] = self._masked(mask)
        added: list[Tensor] = []
        if self.shapes is not None and "shapes" in inputs:
            added.append(self.shapes(inputs["shapes"]))
        if "type_ids" in inputs and self.prompted:
            kinds = self.model.get_base_model().embeddings.token_type_embeddings.weight
            added.append((kinds - kinds[0])[inputs["type_ids"]])  # the model itself adds the vector of segment 0
        elif "type_ids" in inputs:
            arguments["token_type_ids"] = inputs["type_ids"]
        if added:
            arguments["inputs_embeds"] = sum(added, self.model.get_input_embeddings()(inputs["input_ids"]))
        else:
            arguments["input_ids"] = inputs["input_ids"]
        return Encoded(vectors=self.model(**arguments).last_hidden_state[:, self.leading :], mask=mask)

    def _masked(self, mask: Tensor) -> dict[str, Any]:
        """Without padding no mask is needed, and attention takes its fast path."""
        return {"attention_mask": mask.to(torch.long)} if self.prompted or not bool(mask.all()) else {}

    @torch.no_grad()
    def lower(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """The vectors that enter layer ``frozen_layers`` (or leave the last), without dropout. Shape ``(B, T, D)``."""
        self.eval()
        layers = self.layers()
        if self.frozen_layers == len(layers):
            return self(inputs).vectors  # type: ignore[no-any-return]
        caught: list[Tensor] = []

        def catch(module: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:  # noqa: ARG001
            caught.append(arguments[0] if arguments else named["hidden_states"])
            raise _Caught

        handle = layers[self.frozen_layers].register_forward_pre_hook(catch, with_kwargs=True)
        try:
            self(inputs)
        except _Caught:
            return caught[0]
        finally:
            handle.remove()
        raise RuntimeError("the model did not run its layers in order; it cannot be frozen layer by layer")

    def _upper(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """The layers from ``frozen_layers`` on."""
        layers = self.layers()
        if self.frozen_layers == len(layers):
            return hidden

        def swap(module: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:  # noqa: ARG001
            if arguments:
                return (hidden, *arguments[1:]), named
            return arguments, named | {"hidden_states": hidden}

        parent, name = _home(self.model, layers)
        handle = layers[self.frozen_layers].register_forward_pre_hook(swap, with_kwargs=True)
        setattr(parent, name, layers[self.frozen_layers :])
        try:
            blank = hidden.new_zeros(*hidden.shape[:2], self._input_width())
            return self.model(inputs_embeds=blank, **self._masked(mask)).last_hidden_state  # type: ignore[no-any-return]
        finally:
            setattr(parent, name, layers)
            handle.remove()

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


def load_encoder(folder: Path, *, dropout: float | None, allow_pickle: bool) -> Any:
    """The model in a folder, without pooler, in float32."""
    from inspect import signature

    from transformers import AutoConfig
    from transformers.models.auto.modeling_auto import MODEL_MAPPING
    from transformers.utils import logging

    logging.disable_progress_bar()
    config = AutoConfig.from_pretrained(str(folder), local_files_only=True)
    if dropout is not None:
        for name in ("hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout"):
            if hasattr(config, name):
                setattr(config, name, dropout)
    architecture = MODEL_MAPPING[type(config)]
    kind: dict[str, Any] = {} if allow_pickle else {"use_safetensors": True}
    if "add_pooling_layer" in signature(architecture.__init__).parameters:
        kind["add_pooling_layer"] = False  # no head here reads it; many folders lack its weights
    model: Any = architecture.from_pretrained(
        str(folder), config=config, local_files_only=True, dtype=torch.float32, **kind
    )
    if getattr(model, "pooler", None) is not None:
        model.pooler = None
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


class _Caught(Exception):
    """Ends a forward pass where its lower half is done."""


def _home(model: nn.Module, layers: nn.ModuleList) -> tuple[nn.Module, str]:
    """The module that holds the list of layers, and under which name."""
    for parent in model.modules():
        for name, child in parent.named_children():
            if child is layers:
                return parent, name
    raise ValueError("the model does not hold its list of layers")
