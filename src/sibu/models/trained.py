"""What a run has trained as the model of another: a bundle's model of texts or pictures, its adapter added to it."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from shutil import copyfile
from typing import Any

from sibu.core.errors import RecipeError
from sibu.core.example import as_names
from sibu.store.cache import cached
from sibu.store.hashes import hash_json

BESIDE = ("adapter", "prefix", "prompt")
"""Methods whose work lies beside the model's weights and cannot be added to them."""


VISION = ("image", "video")
"""Modalities whose models are of the same kind."""


def is_bundle(folder: Path) -> bool:
    """Whether a folder is what ``sibu run`` wrote."""
    return (folder / "bundle.json").is_file()


def model_of(bundle: Path, name: str, kind: str = "text") -> Path:
    """The model folder of a bundle; of one with an adapter a merged copy, kept by content.

    Args:
        bundle: The bundle's folder.
        name: As the recipe calls it.
        kind: The modality whose model it is to be, such as ``image``.

    Raises:
        RecipeError: When it is an ensemble, has no pretrained model of this kind or several, what was trained cannot be
            added to the model's weights, or its files are not whole.
    """
    about = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))
    method = about.get("method")
    if members := about.get("ensemble"):
        raise RecipeError(
            f"The bundle {name!r} is an ensemble of {members} models, and a run begins with one. Run its recipe with "
            "`ensemble: soup`, which makes one model of them, or without `ensemble`, for the first of them."
        )
    if method in BESIDE:
        raise RecipeError(
            f"The bundle {name!r} was trained by `{method}`, which leaves the model's own weights as they were: it "
            "cannot be the model of another run. Train it by `full`, `lora`, `adalora` or `ia3`."
        )
    home = _home(bundle, name, kind, about.get("modalities", {}))
    if not (home / "adapter").is_dir():
        return home / "model"
    own = tuple((home / part).relative_to(bundle).as_posix() + "/" for part in ("model", "adapter"))
    files = {path: known["sha256"] for path, known in about["files"].items() if path.startswith(own)}
    return cached("merged", hash_json(["merged-1", files]), lambda folder: _merge(home, folder))


def _home(bundle: Path, name: str, kind: str, parts: Mapping[str, Mapping[str, Any]]) -> Path:
    """Where a bundle has its model of this kind: at its top that of texts, or of the first modality it reads."""
    homes = {part: bundle if number == 0 else bundle / "modalities" / part for number, part in enumerate(parts)}
    homes |= {part: each for part in parts if ((each := bundle / "modalities" / part) / "model").is_dir()}
    kinds = VISION if kind in VISION else (kind,)
    own = {part: homes[part] for part, said in parts.items() if said.get("kind", "text") in kinds}
    if found := [each for each in own.values() if (each / "model").is_dir()]:
        if len(found) == 1:
            return found[0]
        listed = ", ".join(str(each.relative_to(bundle) / "model") for each in found)
        raise RecipeError(
            f"The bundle {name!r} has several models of the kind `{kind}`. Name a folder of it: {listed}."
        )
    why = f"its {as_names(own)} was made anew in its run" if own else f"it reads {as_names(parts)}"
    raise RecipeError(
        f"The bundle {name!r} has no pretrained model of the kind `{kind}`: {why}. Name a bundle whose run began with "
        "one, a folder in Hugging Face layout, or a Hub id."
    )


def _merge(bundle: Path, folder: Path) -> None:
    """Add an adapter to the weights beside it."""
    import torch
    from peft import PeftModel
    from transformers import AutoConfig
    from transformers.models.auto import modeling_auto

    config = AutoConfig.from_pretrained(str(bundle / "model"), local_files_only=True)
    kinds: dict[str, Any] = {
        "CAUSAL_LM": modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING,
        "SEQ_2_SEQ_LM": modeling_auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING,
    }
    task = json.loads((bundle / "adapter" / "adapter_config.json").read_text(encoding="utf-8")).get("task_type")
    architecture = kinds.get(task, modeling_auto.MODEL_MAPPING)[type(config)]
    base = architecture.from_pretrained(str(bundle / "model"), local_files_only=True, dtype=torch.float32)
    with warnings.catch_warnings():  # what PEFT 0.21 asks of transformers 5.23 in an outdated way
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
        merged: Any = PeftModel.from_pretrained(base, str(bundle / "adapter"), local_files_only=True)
    merged.merge_and_unload().save_pretrained(str(folder))
    for file in (bundle / "model").iterdir():
        if file.is_file() and not (folder / file.name).exists() and ".safetensors" not in file.name:
            copyfile(file, folder / file.name)
