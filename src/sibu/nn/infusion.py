"""What is known of pieces, joined with their vectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from sibu.core.tensors import Encoded


class Infusion(nn.Module):
    """``v + up(gelu(down(v) + sum of what is known))``: at first the pieces' vectors as they came.

    So the heads can hold what is known against what the text says. Source of the form: Houlsby et al., 2019,
    arXiv:1902.00751; of adding what is known: Zhang et al., 2019, arXiv:1905.07129 (ERNIE).

    Args:
        width: D, of the pieces' vectors.
        inner: H, of the vectors that say what is known.
        parts: By name of the feature, what makes vectors ``(B, T, H)`` of its numbers.
    """

    def __init__(self, *, width: int, inner: int, parts: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.parts = nn.ModuleDict(dict(parts))
        self.down = nn.Linear(width, inner)
        self.up = nn.Linear(inner, width)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, encoded: Encoded, inputs: Mapping[str, Tensor]) -> Encoded:
        """The vectors with what is known; parts of which a batch has no numbers are silent."""
        known = self.down(encoded.vectors)
        for name, part in self.parts.items():
            if name in inputs:
                known = known + part(inputs[name])
        return replace(encoded, vectors=encoded.vectors + self.up(nn.functional.gelu(known)))


def kept_rows(size: int, chance: float, like: Tensor) -> Tensor:
    """Which rows of a batch keep what is known: each but with this chance. Shape ``(B, 1, 1)``, bool."""
    return torch.rand(size, 1, 1, device=like.device) >= chance


class Marks(nn.Module):
    """A vector for each class that a piece begins or goes on with; what stands for nothing is zero.

    Args:
        classes: C.
        width: H.
        dropout: Chance that a text is read as if nothing were known of it, while training.
    """

    def __init__(self, *, classes: int, width: int, dropout: float) -> None:
        super().__init__()
        self.classes = classes
        self.dropout = dropout
        self.vectors = nn.Embedding(2 * classes + 1, width, padding_idx=0)

    def forward(self, numbers: Tensor) -> Tensor:
        """Numbers 0, 1, 2 by class, ``(B, T, C)`` (of one class ``(B, T)``), to vectors ``(B, T, H)``."""
        numbers = numbers.view(*numbers.shape[:2], self.classes)
        places = 2 * torch.arange(self.classes, device=numbers.device) + numbers
        places = places.masked_fill(numbers == 0, 0)
        if self.training and self.dropout:
            places = places * kept_rows(len(places), self.dropout, places)
        return self.vectors(places).sum(2)  # type: ignore[no-any-return]


class Entities(nn.Module):
    """The vectors of things, which stay as they are, brought to the width by a trained layer.

    Args:
        table: Vectors of things. Shape ``(E, V)``.
        width: H.
        dropout: As ``Marks`` has it.
    """

    table: Tensor

    def __init__(self, table: Tensor, *, width: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.register_buffer("table", torch.cat([torch.zeros_like(table[:1]), table]), persistent=False)
        self.project = nn.Linear(table.shape[1], width)

    def forward(self, numbers: Tensor) -> Tensor:
        """Numbers of things from 1, 0 where there is none, ``(B, T)``, to vectors ``(B, T, H)``."""
        kept = numbers.unsqueeze(-1) > 0
        if self.training and self.dropout:
            kept = kept & kept_rows(len(numbers), self.dropout, numbers)
        return self.project(self.table[numbers]) * kept  # type: ignore[no-any-return]
