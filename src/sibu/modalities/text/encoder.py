"""The pretrained transformer behind the text modality: encoders, causal models, encoder-decoders."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn

from sibu.core.errors import RecipeError
from sibu.core.tensors import Encoded
from sibu.modalities.text._hf import DROPOUTS, writing_kind
from sibu.modalities.text.lengths import by_length
from sibu.modalities.text.packing import can_pack, documents
from sibu.modalities.text.units import SHAPES
from sibu.models.whole import quiet, require_whole

if TYPE_CHECKING:
    import numpy as np

    from sibu.modalities.text.writer import ClozeHead, FillingHead, LanguageHead


class TextEncoder(nn.Module):
    """A Hugging Face model that answers with one vector a piece.

    Args:
        folder: A model folder in Hugging Face layout; weights in safetensors.
        shapes: Whether a vector for each word's shape is added to the input vectors; it starts at zero, so that an
            untrained encoder answers as the pretrained one does.
        dropout: Dropout inside; None: the model's own.
        writes: Whether the language head is loaded too.
        fills: Whether the masked-language head is loaded too; a model that has none gets a fresh one.
    """

    def __init__(
        self,
        folder: Path,
        *,
        shapes: bool,
        dropout: float | None,
        writes: bool = False,
        fills: bool = False,
    ) -> None:
        super().__init__()
        # of an encoder-decoder the encoder alone has no forward pass of its own: it is loaded whole
        writes = writes or writing_kind(folder) == "encoder-decoder"
        if writes and shapes:
            raise RecipeError("shapes cannot go with an encoder-decoder. Leave the modality's `shapes` out.")
        named: dict[str, Any] = {"writes": writes, "fills": fills}
        self.model: Any = load_encoder(folder, dropout=dropout, **named)
        self.fills = fills
        self.writes: Literal["causal", "encoder-decoder"] | None = writing_kind(folder) if writes else None
        """How the model writes; None: it has no language head here."""
        self.packs = self.writes == "causal" and can_pack(self.inner(), len(self.layers()))
        """Whether texts are computed side by side, without their padding."""
        self.width = int(self.model.config.hidden_size)
        self.shapes = nn.Embedding(len(SHAPES), self._input_width()) if shapes else None
        if self.shapes is not None:
            nn.init.zeros_(self.shapes.weight)
        self.leading = 0
        """Vectors that an adaptation method puts before the text's own; taken off the answer."""
        self.prompted = False
        """Whether a method puts trained places before the text's: PEFT then needs the mask even where nothing is
        padded, and drops segment numbers, which go in by their vectors instead."""
        self.prefixed = False
        """Whether these places are keys and values before each layer's own."""
        self.frozen_layers = 0
        """Where ``hidden`` inputs enter: behind this many layers."""

    def _input_width(self) -> int:
        return int(self.embeddings().embedding_dim)

    def embeddings(self) -> nn.Embedding:
        """The table of the pieces' input vectors; its weights are this encoder's own."""
        found: nn.Embedding = self.model.get_input_embeddings()
        return found

    def added(self) -> list[nn.Parameter]:
        """Weights that are not the pretrained model's: they train with every method that trains inputs."""
        return [] if self.shapes is None else list(self.shapes.parameters())

    def forward(self, inputs: Mapping[str, Tensor]) -> Encoded:
        """Encode ``input_ids`` (B, T) under ``mask`` (B, T); ``type_ids`` and ``shapes`` (B, T) where there are any.

        Where ``hidden`` (B, T, D) stands instead, the layers below ``frozen_layers`` were computed before.
        """
        mask = inputs["mask"]
        if self.writes is None:
            return Encoded(by_length(self._vectors, inputs), mask)
        return Encoded(self._upper(inputs["hidden"], mask), mask) if "hidden" in inputs else self._language(inputs)

    def _vectors(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """The vectors of a model that does not write, ``(B, T, D)``."""
        mask = inputs["mask"]
        if "hidden" in inputs:
            return self._upper(inputs["hidden"], mask)
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
        model = self.inner() if self.fills else self.model
        return model(**arguments).last_hidden_state[:, self.leading :]  # type: ignore[no-any-return]

    def inner(self) -> Any:
        """The model that gives vectors: without what a method wraps around it, without language head and decoder."""
        bare = self.language_model()
        if self.writes == "encoder-decoder":
            return bare.get_encoder()
        return bare.base_model

    def language_model(self) -> Any:
        """The pretrained model, with its language head where that was loaded, without what a method wraps around it."""
        return self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model

    def _language(self, inputs: Mapping[str, Tensor]) -> Encoded:
        """The vectors of a model that writes; what stands at padding is not to be read."""
        ids, mask = inputs["input_ids"], inputs["mask"]
        inner = self.inner()
        if self.packs and not self.prompted:
            return Encoded(_scattered(inner, mask, input_ids=ids[mask].unsqueeze(0)), mask)
        if not self.prompted or self._at_decoder():
            return Encoded(inner(input_ids=ids, **self._plain_mask(mask)).last_hidden_state, mask)
        places = self.model.get_prompt(batch_size=len(ids))
        count = int(places.get_seq_length() if self.prefixed else places.shape[1])
        whole = torch.cat([mask.new_ones(len(ids), count), mask], 1).to(torch.long)
        if self.prefixed:
            named = {"attention_mask": whole, "past_key_values": places}
            return Encoded(inner(input_ids=ids, **named).last_hidden_state, mask)
        vectors = torch.cat([places, inner.get_input_embeddings()(ids)], 1)
        found = inner(inputs_embeds=vectors, attention_mask=whole).last_hidden_state
        leading = found[:, :count] if self.writes == "encoder-decoder" else None
        return Encoded(found[:, count:], mask, leading)

    def _at_decoder(self) -> bool:
        """Whether a method's trained places stand before the decoder's text."""
        return self.prompted and self.writes == "encoder-decoder" and self.prefixed

    def decoder_places(self, size: int) -> Any:
        """The keys and values that a method puts before a decoder's own; None where it puts none."""
        return self.model.get_prompt(batch_size=size) if self._at_decoder() else None

    def _plain_mask(self, mask: Tensor) -> dict[str, Any]:
        return {} if bool(mask.all()) else {"attention_mask": mask.to(torch.long)}

    def _masked(self, mask: Tensor) -> dict[str, Any]:
        """Without padding no mask is needed, and attention takes its fast path."""
        return {"attention_mask": mask.to(torch.long)} if self.prompted else self._plain_mask(mask)

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
            self._vectors(inputs) if self.writes is None else self._language(inputs)
        except _Caught:
            return _spread(caught[0][0], inputs["mask"]) if self.packs else caught[0]
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

        inner = self.inner()
        parent, name = _home(self.model, layers)
        if self.packs:
            hidden = hidden[mask].unsqueeze(0)
        blank = hidden.new_zeros(*hidden.shape[:2], self._input_width())
        handle = layers[self.frozen_layers].register_forward_pre_hook(swap, with_kwargs=True)
        setattr(parent, name, layers[self.frozen_layers :])
        try:
            if self.packs:
                return _scattered(inner, mask, inputs_embeds=blank)
            return inner(inputs_embeds=blank, **self._masked(mask)).last_hidden_state  # type: ignore[no-any-return]
        finally:
            setattr(parent, name, layers)
            handle.remove()

    def layers(self) -> nn.ModuleList:
        """The transformer's layers, lowest first."""
        return find_layers(self.inner() if self.writes or self.fills else self.model)

    def stem(self) -> list[nn.Parameter]:
        """The weights below the lowest layer (embeddings and what stands between)."""
        inside = {id(weight) for weight in self.layers().parameters()}
        above = self._above()
        within = self.writes or self.fills  # decoder and language head lie above
        below = self.inner().parameters() if within else self.parameters()
        return [w for w in below if id(w) not in inside and id(w) not in above]

    def decoder_layers(self) -> list[nn.Module]:
        """The layers of an encoder-decoder's decoder, lowest first; none in other models."""
        return list(find_layers(self.language_model().get_decoder())) if self.writes == "encoder-decoder" else []

    def language_head(self) -> LanguageHead:
        """The head that writes; its weights are this encoder's own."""
        from sibu.modalities.text.writer import LanguageHead

        return LanguageHead(self)

    def filling_head(self) -> FillingHead:
        """The head that tells hidden pieces; its weights are this encoder's own."""
        from sibu.modalities.text.writer import FillingHead

        return FillingHead(self)

    def cloze_head(self, words: np.ndarray) -> ClozeHead:
        """The head that tells which word stands in a blank: pieces ``(C, K)``, -1 behind the shorter ones."""
        from sibu.modalities.text.writer import ClozeHead

        return ClozeHead(self, torch.from_numpy(words))

    def _above(self) -> set[int]:
        """Weights behind the last layer (a final norm, a pooler)."""
        names = ("pooler", "final_layer_norm", "ln_f", "norm", "head")
        modules = [getattr(self.inner(), name, None) for name in names]
        return {id(weight) for module in modules if isinstance(module, nn.Module) for weight in module.parameters()}


def _scattered(inner: Any, mask: Tensor, **inputs: Tensor) -> Tensor:
    """A model's vectors of texts side by side, put back to where each text's pieces stand. Shape ``(B, T, D)``."""
    places = (mask.cumsum(1) - 1)[mask].unsqueeze(0)
    with documents(inner.config, mask.sum(1).tolist()):
        return _spread(inner(position_ids=places, use_cache=False, **inputs).last_hidden_state[0], mask)


def _spread(found: Tensor, mask: Tensor) -> Tensor:
    """Vectors ``(N, D)`` of the N real places as ``(B, T, D)``."""
    vectors = found.new_zeros(*mask.shape, found.shape[-1])
    vectors[mask] = found
    return vectors


def load_encoder(folder: Path, *, dropout: float | None, writes: bool = False, fills: bool = False) -> Any:
    """The model in a folder, without pooler, in float32; with its language head where it ``writes`` or ``fills``.

    Raises:
        RecipeError: When its kind has no such head, or its weights are not complete.
    """
    from inspect import signature

    from transformers import AutoConfig
    from transformers.models.auto import modeling_auto

    config = AutoConfig.from_pretrained(str(folder), local_files_only=True)
    if dropout is not None:
        for name in DROPOUTS:
            if hasattr(config, name):
                setattr(config, name, dropout)
    table = modeling_auto.MODEL_MAPPING
    if writes:
        causal, both = modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING, modeling_auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING
        table = both if writing_kind(folder) == "encoder-decoder" else causal
    if fills:
        table = modeling_auto.MODEL_FOR_MASKED_LM_MAPPING
        if type(config) not in table:
            raise RecipeError(
                f"A model of the kind {config.model_type!r} has no masked-language head. Take an encoder."
            )
    architecture = table[type(config)]
    kind: dict[str, Any] = {"use_safetensors": True}
    if "add_pooling_layer" in signature(architecture.__init__).parameters:
        kind["add_pooling_layer"] = False  # no head here reads it; many folders lack its weights
    kind |= {"local_files_only": True, "output_loading_info": True, "ignore_mismatched_sizes": True}
    with quiet():
        model, about = architecture.from_pretrained(str(folder), config=config, dtype=torch.float32, **kind)
    own = f"{model.base_model_prefix}." if fills else ""  # a masked-language head may be new
    require_whole(folder, about, lambda name: name.startswith(own) and "pooler." not in name)
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
