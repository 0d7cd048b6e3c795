"""The values that flow through a model.

Shape glossary, used in every docstring: B batch, T tokens, D width, C classes, E entities, R relations, M modalities.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor


HIDDEN = "hidden"
"""Among a modality's tensors: vectors that were computed before, in place of what its encoder would make them of."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step sees: the inputs of each modality and the targets of each task in it.

    The only type that maps names to tensors.
    """

    inputs: Mapping[str, Mapping[str, Tensor]]
    """Per modality, its tensors: for ``text`` ``input_ids`` (B, T), ``mask`` (B, T), ..."""
    targets: Mapping[str, Mapping[str, Tensor]] = field(default_factory=dict)
    """Per task, the tensors its head and its loss ask for."""
    size: int = 0
    """B."""
    tokens: int = 0
    """Tokens with their padding, B x T summed over the modalities (of packed texts without): what the step costs."""

    def to(self, device: torch.device) -> Batch:
        """The same batch on another device."""
        inputs = {m: {k: v.to(device) for k, v in part.items()} for m, part in self.inputs.items()}
        targets = {t: {k: v.to(device) for k, v in part.items()} for t, part in self.targets.items()}
        return Batch(inputs=inputs, targets=targets, size=self.size, tokens=self.tokens)


@dataclass(frozen=True, slots=True)
class Encoded:
    """What an encoder or a fusion hands on: one vector a token."""

    vectors: Tensor
    """Shape ``(B, T, D)``."""
    mask: Tensor
    """True where a token is real. Shape ``(B, T)``, bool."""
    leading: Tensor | None = None
    """Vectors that an adaptation method put before the text's own, which a decoder reads too. Shape ``(B, P, D)``."""

    def __post_init__(self) -> None:
        if self.vectors.ndim != 3 or self.mask.shape != self.vectors.shape[:2]:
            given = f"vectors {tuple(self.vectors.shape)} and mask {tuple(self.mask.shape)}"
            raise ValueError(f"Encoded needs vectors (B, T, D) and mask (B, T), given {given}")


@dataclass(frozen=True, slots=True)
class Output:
    """What a head answers."""

    logits: Tensor
    """Scores before any softmax; the task says which shape: ``(B, C)``, ``(B, T, C)``, ..."""
    votes: Mapping[str, tuple[Tensor, Tensor]] | None = None
    """Of a vote: by modality the scores of its own head, and which rows have it, ``(B,)`` bool; None: no vote."""
