"""Where vision models in Hugging Face layout are read: how their pictures are prepared, and the models themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any, Literal

from sibu.core.errors import RecipeError

SETTINGS = ("preprocessor_config.json", "processor_config.json")
"""Files that say how pictures are prepared; the first that is there counts."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """How a pretrained model wants its pictures."""

    size: tuple[int, int]
    """Height and width."""
    fit: Literal["stretch", "crop"]
    share: float
    """Of a picture that is cropped: how much of its shorter side is kept, in (0, 1]."""
    mean: tuple[float, ...]
    """Of each channel, in units of 0 to 255."""
    deviation: tuple[float, ...]
    reverse: bool
    """Whether channels are blue, green, red."""
    cell: int
    """About how many pixels a side make one place."""


def read_prepared(folder: Path) -> Prepared:
    """What a model folder says of its pictures.

    Raises:
        RecipeError: When it says nothing.
    """
    settings = _settings(folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    vision = config.get("vision_config") or config
    size, whole = _sizes(settings, vision, folder)
    share = float(settings.get("crop_pct") or 0.0) or min(size) / whole
    cropped = bool(settings.get("do_center_crop")) or "shortest_edge" in _as_mapping(settings.get("size"))
    factor = float(settings.get("rescale_factor", 1 / 255)) if settings.get("do_rescale", True) else 1.0
    mean, deviation = [0.0] * 3, [1.0] * 3
    if settings.get("do_normalize", True):
        mean, deviation = settings.get("image_mean", [0.5] * 3), settings.get("image_std", [0.5] * 3)
    return Prepared(
        size=size,
        fit="crop" if cropped else "stretch",
        share=min(share, 1.0) if cropped else 1.0,
        mean=tuple(float(each) / factor for each in mean),
        deviation=tuple(float(each) / factor for each in deviation),
        reverse=bool(settings.get("do_flip_channel_order")),
        cell=_cell(vision),
    )


def _settings(folder: Path) -> dict[str, Any]:
    for name in SETTINGS:
        file = folder / name
        if file.is_file():
            found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            inner = found.get("image_processor")
            return inner if isinstance(inner, dict) else found
    raise RecipeError(
        f"The model in {folder} does not say how its pictures are prepared: it has no {SETTINGS[0]}. Take a vision "
        "model, or write that file with the image processor of transformers (`AutoImageProcessor`, `save_pretrained`)."
    )


def _as_mapping(given: Any) -> Mapping[str, Any]:
    if isinstance(given, int):
        return {"height": given, "width": given}
    return given if isinstance(given, Mapping) else {}


def _sizes(settings: Mapping[str, Any], vision: Mapping[str, Any], folder: Path) -> tuple[tuple[int, int], int]:
    """Height and width of what the model reads, and the shorter side of a picture before it is cropped to them."""
    resized = _as_mapping(settings.get("size"))
    cropped = _as_mapping(settings.get("crop_size")) if settings.get("do_center_crop") else {}
    if not resized and not cropped:
        resized = _as_mapping(vision.get("image_size"))
    for given in (cropped, resized):
        if "height" in given and "width" in given:
            size = int(given["height"]), int(given["width"])
            break
    else:
        edge = next((int(each["shortest_edge"]) for each in (cropped, resized) if "shortest_edge" in each), None)
        if edge is None:
            raise RecipeError(f"The model in {folder} does not say the size of its pictures. Give `size`.")
        size = edge, edge
    whole = int(resized.get("shortest_edge") or min(resized.get("height", 0), resized.get("width", 0)) or min(size))
    return size, max(whole, min(size))


def _cell(vision: Mapping[str, Any]) -> int:
    patch = vision.get("patch_size")
    hierarchical = any(key in vision for key in ("depths", "hidden_sizes", "blocks")) or not isinstance(patch, int)
    return 32 if hierarchical else int(patch or 32)


def load_model(folder: Path, size: tuple[int, int]) -> tuple[Any, dict[str, Any]]:
    """The vision model in a folder, and the arguments that it wants for pictures of this size.

    Raises:
        RecipeError: When it is none.
    """
    from sibu.modalities._hf import kind_of, load_part
    from sibu.modalities.image.efficientnet import KIND, load_lite

    kind = kind_of(folder)
    if kind == KIND:
        return load_lite(folder), {}
    if kind == "timm_wrapper":
        raise RecipeError(
            f"The model in {folder} is one of timm's, which is not used here. Take the same model with an architecture "
            "of transformers, such as ConvNeXt, Swin, ViT or ResNet."
        )
    what = "a vision model (ViT, DINOv2, Swin, ConvNeXt, ResNet, CLIP, SigLIP, ...)"
    model = load_part(folder, "vision_config", reads="pixel_values", what=what)
    own = getattr(model.config, "image_size", None)
    own = (own, own) if isinstance(own, int) else tuple(own or size)
    interpolates = "interpolate_pos_encoding" in signature(model.forward).parameters
    return model, {"interpolate_pos_encoding": True} if interpolates and own != size else {}
