"""Where models of values in Hugging Face layout are loaded: weights in safetensors, in float32, none lacking."""

from __future__ import annotations

import json
from collections.abc import Mapping
from inspect import signature
from pathlib import Path
from typing import Any

import torch

from sibu.core.errors import RecipeError
from sibu.models.whole import quiet, require_whole

UNREAD = ("pooler.", "head.", "layernorm_pooled", "decoder.")
"""Weights that no encoder here reads, so that a folder may lack them."""


def kind_of(folder: Path) -> str:
    """The ``model_type`` in a folder's ``config.json``."""
    return str(json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type", ""))


def load_part(
    folder: Path,
    part: str,
    *,
    reads: str,
    what: str,
    architecture: Any = None,
    names: Mapping[str, str] | None = None,
) -> Any:
    """The model in a folder, or the part of it that reads one modality.

    Args:
        folder: A model folder.
        part: Where the config of a model of several modalities holds that part's, such as ``vision_config``.
        reads: The input that it must read, such as ``pixel_values``.
        what: What it must be, in words.
        architecture: A class of transformers; None: that of the config.
        names: How names of weights are changed: patterns and what stands in their place.

    Raises:
        RecipeError: When it is none, or its weights are not complete.
    """
    from transformers import AutoConfig
    from transformers.models.auto.modeling_auto import MODEL_MAPPING

    kind = kind_of(folder)
    try:
        whole = AutoConfig.from_pretrained(str(folder), local_files_only=True)
    except (ValueError, KeyError, ImportError) as fault:
        raise RecipeError(f"The model in {folder} is of the kind {kind!r}, which is not known here: {fault}") from fault
    config = getattr(whole, part, whole)
    architecture = architecture or MODEL_MAPPING.get(type(config), None)
    if architecture is None or getattr(architecture, "main_input_name", "") != reads:
        raise RecipeError(f"A model of the kind {kind!r} is not {what}. Take one that is, or leave `model` out.")
    named: dict[str, Any] = {}
    if "add_pooling_layer" in signature(architecture.__init__).parameters:
        named["add_pooling_layer"] = False
    if hasattr(config, "vision_use_head"):
        config.vision_use_head = False
    with quiet():
        model, about = architecture.from_pretrained(
            str(folder),
            config=config,
            local_files_only=True,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # told below, in words
            key_mapping=dict(names) if names else None,
            **named,
        )
    require_whole(folder, about, lambda name: not any(each in name for each in UNREAD))
    if names:
        model._weight_conversions = None  # else the names were changed back as it is saved
    return model
