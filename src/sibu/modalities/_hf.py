"""Where models of values in Hugging Face layout are loaded: weights in safetensors, in float32, none lacking."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from inspect import signature
from pathlib import Path
from typing import Any

import torch

from sibu.core.errors import RecipeError

UNREAD = ("pooler.", "head.", "layernorm_pooled", "decoder.")
"""Weights that no encoder here reads, so that a folder may lack them."""

SHOWN = 3
"""Weights that are named where some are wrong."""


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


def require_whole(folder: Path, about: Mapping[str, Any], read: Callable[[str], bool]) -> None:
    """No weight that is read begins at random because the folder lacks it.

    Args:
        folder: Where the model was loaded from.
        about: What ``from_pretrained`` told of it.
        read: Whether a weight is read here, by its name.

    Raises:
        RecipeError: When one is not there, or has another shape.
    """
    wrong = [f"{name} is not there" for name in sorted(about["missing_keys"]) if read(name)]
    for name, there, wanted in sorted(about["mismatched_keys"]):
        wrong.append(f"{name} has the shape {list(there)} and not {list(wanted)}")
    if wrong:
        more = "" if len(wrong) <= SHOWN else f" (and {len(wrong) - SHOWN} more)"
        what = f"The weights in {folder} are not those of its config.json: {', '.join(wrong[:SHOWN])}{more}."
        raise RecipeError(f"{what} Copy the whole model anew.")


@contextmanager
def quiet() -> Iterator[None]:
    """Within it transformers does not tell of weights that are left out, such as those of a text's part."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
