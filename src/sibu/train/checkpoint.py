"""Checkpoints: the trained weights, the optimiser's state and the run's progress, whole or not there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file, save_file

from sibu.store.atomic import new_file, new_folder

if TYPE_CHECKING:
    from torch import Tensor, nn


def trained_weights(model: nn.Module) -> dict[str, Tensor]:
    """The weights that train, by name, on the CPU."""
    return {name: weight.detach().cpu() for name, weight in model.named_parameters() if weight.requires_grad}


def load_weights(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Put trained weights back.

    Raises:
        ValueError: When names differ from those that train, with the first few.
    """
    own = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    if strange := sorted(set(own) ^ set(tensors)):
        raise ValueError(f"the checkpoint does not fit the model; names on one side only: {strange[:5]}")
    with torch.no_grad():
        for name, weight in own.items():
            weight.copy_(tensors[name])


def save_weights(model: nn.Module, file: Path) -> None:
    """Write the weights that train to one file."""
    with new_file(file) as temporary:
        save_file({name: tensor.contiguous() for name, tensor in trained_weights(model).items()}, temporary)


def save_checkpoint(
    folder: Path,
    *,
    step: int,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    progress: Mapping[str, Any],
    keep: int,
    more: Mapping[str, Tensor] | None = None,
) -> None:
    """Write checkpoint ``step`` below ``folder``, then remove all but the ``keep`` newest.

    Args:
        folder: Where checkpoints are.
        step: Number of the last step done.
        model: Whose trained weights are kept.
        optimizer: Whose state is kept.
        progress: JSON of what the run has found so far.
        keep: Checkpoints that stay.
        more: Tensors of the method's own.
    """
    with new_folder(folder / f"step-{step:08d}") as temporary:
        save_file({n: t.contiguous() for n, t in trained_weights(model).items()}, temporary / "weights.safetensors")
        save_file(_optimizer_tensors(model, optimizer), temporary / "optimizer.safetensors")
        if more:
            save_file(
                {name: tensor.detach().cpu().contiguous() for name, tensor in more.items()},
                temporary / "method.safetensors",
            )
        (temporary / "progress.json").write_text(json.dumps({"step": step, **progress}), encoding="utf-8")
    for old in checkpoints(folder)[:-keep]:
        shutil.rmtree(old)


def checkpoints(folder: Path) -> list[Path]:
    """The whole checkpoints below a folder, oldest first."""
    return sorted(path for path in folder.glob("step-*") if (path / "progress.json").exists())


def load_checkpoint(
    path: Path, *, model: nn.Module, optimizer: torch.optim.Optimizer
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Put weights and optimiser back as they were; returns the progress that was saved and the method's tensors."""
    load_weights(model, load_file(path / "weights.safetensors"))
    _restore_optimizer(model, optimizer, load_file(path / "optimizer.safetensors"))
    progress: dict[str, Any] = json.loads((path / "progress.json").read_text(encoding="utf-8"))
    more = path / "method.safetensors"
    return progress, load_file(more) if more.is_file() else {}


def _names(model: nn.Module) -> dict[int, str]:
    return {id(weight): name for name, weight in model.named_parameters()}


def _optimizer_tensors(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    names = _names(model)
    tensors = {}
    for weight, state in optimizer.state.items():
        for key, value in state.items():
            tensors[f"{names[id(weight)]}|{key}"] = torch.as_tensor(value).detach().cpu().contiguous()
    return tensors


def _restore_optimizer(model: nn.Module, optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    weights = dict(model.named_parameters())
    for name, value in tensors.items():
        owner, key = name.rsplit("|", 1)
        weight = weights[owner]
        # AdamW keeps its step count as a float32 scalar where the fused form expects it: beside the weight.
        held = value.to(weight.device)
        if held.shape == weight.shape:  # laid out in memory as the weight is, as the fused form takes for granted
            held = torch.empty_like(weight, dtype=held.dtype).copy_(held)
        optimizer.state[weight][key] = held
