"""What encoders of values have in common: one model, made anew or pretrained, whose layers methods adapt."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from shutil import copyfile
from typing import Any

import torch
from torch import Tensor, nn

from sibu.core.tensors import Encoded

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


class ModelEncoder(nn.Module, ABC):
    """A model of values that answers with vectors; what methods need to know of it.

    Args:
        model: The model; its longest part that is a list of modules are its layers.
        width: D, of the vectors.
        folder: The pretrained model's folder; None: its weights are random.
        settings: Files of that folder, beside weights and ``config.json``, that say how values are prepared.
    """

    writes = None
    """It has no language head."""
    embeds = False
    """It has no table of pieces before whose vectors a method could put its own."""
    uneven = True
    """Whether its layers answer otherwise than with one vector of the encoder's width a place."""

    def __init__(self, model: Any, *, width: int, folder: Path | None, settings: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.model: Any = model
        self.width = width
        self.folder = folder
        self.pretrained = folder is not None
        self._settings = settings

    def forward(self, inputs: Mapping[str, Tensor]) -> Encoded:
        """Encode a batch; ``hidden`` (B, T, D), where it stands among the tensors, is handed on."""
        if "hidden" in inputs:
            return Encoded(vectors=inputs["hidden"], mask=inputs["mask"])
        return self.encoded(inputs)

    @abstractmethod
    def encoded(self, inputs: Mapping[str, Tensor]) -> Encoded:
        """Encode a batch's tensors of this modality."""

    def inner(self) -> Any:
        """The model without what a method wraps around it; layers that a method put into it stay."""
        return self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model

    def layers(self) -> nn.ModuleList:
        """Its layers (blocks, stages), lowest first."""
        return find_layers(self.inner())

    def measure(self, answer: Callable[[], Tensor]) -> None:
        """Find how wide the vectors are and what the layers answer: told nowhere but by an answer.

        Args:
            answer: Computes vectors ``(B, T, D)`` of anything.
        """
        caught: list[Any] = []
        handles = [layer.register_forward_hook(lambda *passed: caught.append(passed[2])) for layer in self.layers()]
        mode = self.training
        self.eval()
        try:
            with torch.no_grad():
                self.width = int(answer().shape[2])
        finally:
            for handle in handles:
                handle.remove()
            self.train(mode)
        firsts = [each[0] if isinstance(each, tuple) else each for each in caught]
        self.uneven = any(
            not isinstance(each, Tensor) or each.ndim != 3 or each.shape[2] != self.width for each in firsts
        )

    def stem(self) -> list[nn.Parameter]:
        """The weights below the lowest layer: models hold their parts in the order in which they compute."""
        inside = {id(weight) for weight in self.layers().parameters()}
        found: list[nn.Parameter] = []
        for weight in self.inner().parameters():
            if id(weight) in inside:
                break
            found.append(weight)
        return found

    def added(self) -> list[nn.Parameter]:
        """All weights of a model that is made anew; none of a pretrained one."""
        return [] if self.pretrained else list(self.parameters())

    def decoder_layers(self) -> list[nn.Module]:
        """None: it has no decoder."""
        return []

    def train(self, mode: bool = True) -> ModelEncoder:
        """Switch dropout on or off. Batch norms keep the statistics of the pretraining and never look at the batch."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, NORMS):
                module.eval()
        return self

    def save(self, folder: Path) -> None:
        """Write a pretrained model's folder: ``config.json``, ``model.safetensors``, how values are prepared.

        Of a model with an adapter the folder is the base, as it came.
        """
        if self.folder is None:
            raise ValueError("a model that was made anew has no folder of its own; its weights are the encoder's state")
        folder.mkdir(parents=True, exist_ok=True)
        names = set(self._settings)
        if self.inner() is self.model:
            self.model.save_pretrained(str(folder))
        else:
            names |= {file.name for file in (*self.folder.glob("*.safetensors*"), self.folder / "config.json")}
        for name in sorted(names):
            if (self.folder / name).is_file():
                copyfile(self.folder / name, folder / name)


def find_layers(model: nn.Module) -> nn.ModuleList:
    """The list of a model's layers: of its lists of modules that with the most weights, the outermost of equal ones.

    Raises:
        ValueError: Where the model has none.
    """
    lists = [module for module in model.modules() if isinstance(module, nn.ModuleList)]
    if not lists:
        raise ValueError(f"{type(model).__name__} has no list of layers; it cannot be frozen or trained layer by layer")
    return max(lists, key=lambda each: sum(weight.numel() for weight in each.parameters()))
