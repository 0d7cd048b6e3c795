"""Weights in a pickle of PyTorch, written once as safetensors: nothing behind this reads a pickle."""

from __future__ import annotations

import pickle
from pathlib import Path
from shutil import copyfile

from sibu.core.errors import RecipeError
from sibu.store.cache import cached
from sibu.store.hashes import hash_file, hash_json

WEIGHTS = (".bin", ".ckpt", ".h5", ".msgpack", ".onnx", ".ot", ".pt", ".pth", ".bin.index.json")
"""How files end that hold weights in some other form, or tell of them."""


def pickles_of(folder: Path) -> list[Path]:
    """The files of a model folder that hold weights in a pickle: one, or several parts of them."""
    return sorted(folder.glob("pytorch_model*.bin"))


def as_safetensors(folder: Path, name: str) -> Path:
    """A copy of a model folder whose weights are a pickle, with safetensors in its place; kept by content.

    Only tensors are read (``weights_only``): whatever else a pickle would run is refused.

    Args:
        folder: In Hugging Face layout, with ``pytorch_model.bin`` or its parts.
        name: As the recipe calls it.

    Raises:
        RecipeError: When a file cannot be read, or holds something else than tensors by name.
    """
    others = sorted(file for file in folder.iterdir() if file.is_file() and not file.name.endswith(WEIGHTS))
    pickles = pickles_of(folder)
    key = hash_json(["unpickled-1", [[file.name, hash_file(file)] for file in (*others, *pickles)]])

    def make(target: Path) -> None:
        for file in others:
            copyfile(file, target / file.name)
        _convert(pickles, name, target / "model.safetensors")

    return cached("unpickled", key, make)


def _convert(pickles: list[Path], name: str, target: Path) -> None:
    import torch
    from safetensors.torch import save_file

    tensors: dict[str, torch.Tensor] = {}
    for file in pickles:
        try:
            found = torch.load(file, map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, EOFError, OSError, RuntimeError, ValueError) as fault:
            raise RecipeError(_refused(name, file, "it cannot be read as tensors alone")) from fault
        if not isinstance(found, dict) or not all(isinstance(each, torch.Tensor) for each in found.values()):
            raise RecipeError(_refused(name, file, "it holds something else than tensors by name"))
        tensors |= found
    # Weights that are tied share their memory, which the format does not have.
    save_file({key: each.contiguous().clone() for key, each in tensors.items()}, target, metadata={"format": "pt"})


def _refused(name: str, file: Path, why: str) -> str:
    return (
        f"The model {name!r} has its weights in a pickle, {file.name}, and {why}. Where its code is at hand, load it "
        "there and write it with `model.save_pretrained(folder)`, which gives safetensors."
    )
