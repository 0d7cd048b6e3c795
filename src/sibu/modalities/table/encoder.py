"""A transformer over the columns of a table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from sibu.core.tensors import Encoded
from sibu.modalities._encoder import ModelEncoder
from sibu.nn.transformer import TransformerLayer

Encoding = Literal["piecewise", "periodic", "plain"]

MISSING, OTHER = 0, 1
"""Numbers of a missing category, and of one that is rare or new."""


class Shares(nn.Module):
    """How far a number fills each of its column's bins, as a vector. It begins as nothing.

    Args:
        edges: Of each column the edges of its bins, ascending; fewer than two where it is constant.
        width: D.
    """

    edges: Tensor
    sizes: Tensor

    def __init__(self, *, edges: Sequence[Sequence[float]], width: int) -> None:
        super().__init__()
        bins = max(1, max(len(own) - 1 for own in edges))
        lower, sizes = torch.zeros(len(edges), bins), torch.full((len(edges), bins), math.inf)  # inf: is never filled
        for row, own in enumerate(edges):
            if len(own) > 1:
                known = torch.tensor(own)
                lower[row, : len(own) - 1], sizes[row, : len(own) - 1] = known[:-1], known.diff()
        self.register_buffer("edges", lower, persistent=False)
        self.register_buffer("sizes", sizes, persistent=False)
        self.weight = nn.Parameter(torch.zeros(len(edges), bins, width))

    def forward(self, numbers: Tensor) -> Tensor:
        """``(B, K)`` to ``(B, K, D)``."""
        shares = ((numbers.unsqueeze(-1) - self.edges) / self.sizes).clamp(0, 1)
        return torch.einsum("bkn,knd->bkd", shares, self.weight)


class Waves(nn.Module):
    """A number as sines and cosines of learned frequencies, as a vector.

    Args:
        columns: How many columns.
        frequencies: Of each.
        width: D.
    """

    def __init__(self, *, columns: int, frequencies: int, width: int) -> None:
        super().__init__()
        self.turns = nn.Parameter(torch.randn(columns, frequencies) * 0.3)
        self.weight = nn.Parameter(torch.randn(columns, 2 * frequencies, width) / math.sqrt(2 * frequencies * width))

    def forward(self, numbers: Tensor) -> Tensor:
        """``(B, K)`` to ``(B, K, D)``."""
        angles = 2 * math.pi * numbers.unsqueeze(-1) * self.turns
        return torch.einsum("bkn,knd->bkd", torch.cat([angles.sin(), angles.cos()], -1), self.weight)


class NumberVectors(nn.Module):
    """A vector for each column of numbers.

    Args:
        edges: As ``Shares`` takes them.
        encoding: What is added to the number's multiple of a vector.
        frequencies: With ``periodic``, frequencies a column.
        width: D.
    """

    def __init__(self, *, edges: Sequence[Sequence[float]], encoding: Encoding, frequencies: int, width: int) -> None:
        super().__init__()
        self.slopes, self.absent = _vectors(len(edges), width), _vectors(len(edges), width)
        self.curve: nn.Module | None = None
        if encoding == "piecewise":
            self.curve = Shares(edges=edges, width=width)
        elif encoding == "periodic":
            self.curve = Waves(columns=len(edges), frequencies=frequencies, width=width)

    def forward(self, numbers: Tensor, there: Tensor) -> Tensor:
        """Numbers ``(B, K)`` and which are there, ``(B, K)``, to ``(B, K, D)``."""
        found = numbers.unsqueeze(-1) * self.slopes
        if self.curve is not None:
            found = found + self.curve(numbers)
        return torch.where(there.unsqueeze(-1), found, self.absent)


class DateVectors(nn.Module):
    """A vector for each column of dates.

    Args:
        dates: How many columns.
        parts: Numbers of a date.
        width: D.
    """

    def __init__(self, *, dates: int, parts: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(dates, parts, width) / math.sqrt(parts * width))
        self.absent = _vectors(dates, width)

    def forward(self, parts: Tensor, there: Tensor) -> Tensor:
        """Parts ``(B, dates, P)`` and which dates are there, ``(B, dates)``, to ``(B, dates, D)``."""
        return torch.where(there.unsqueeze(-1), torch.einsum("bkp,kpd->bkd", parts, self.weight), self.absent)


class CategoryVectors(nn.Module):
    """A vector for each category of each column.

    Args:
        sizes: Of each column how many there are: a missing one, `other`, and those that are known.
        width: D.
    """

    starts: Tensor

    def __init__(self, *, sizes: Sequence[int], width: int) -> None:
        super().__init__()
        starts = torch.tensor([0, *sizes]).cumsum(0)
        self.register_buffer("starts", starts[:-1], persistent=False)
        self.weight = _vectors(int(starts[-1]), width)

    def forward(self, codes: Tensor, there: Tensor) -> Tensor:
        """Numbers of categories ``(B, L)`` and which are not hidden, ``(B, L)``, to ``(B, L, D)``.

        Half of those that are hidden are as if they had never been seen.
        """
        if not bool(there.all()):
            codes = torch.where(there, codes, torch.randint(MISSING, OTHER + 1, codes.shape, device=codes.device))
        return self.weight[codes + self.starts]


class ColumnVectors(nn.Module):
    """A vector for each column.

    Args:
        edges: Of each column of numbers the edges of its bins.
        dates: How many columns of dates.
        parts: Numbers of a date.
        categories: Of each column of categories how many there are.
        encoding: How a number becomes a vector.
        frequencies: With ``periodic``, frequencies a column.
        hide: Share of the values that is hidden in training.
        width: D.
    """

    def __init__(
        self,
        *,
        edges: Sequence[Sequence[float]],
        dates: int,
        parts: int,
        categories: Sequence[int],
        encoding: Encoding,
        frequencies: int,
        hide: float,
        width: int,
    ) -> None:
        super().__init__()
        self.count, self.dates, self.parts, self.hide = len(edges), dates, parts, hide
        self.names = _vectors(len(edges) + dates + len(categories), width)
        """What a column is, whatever it holds."""
        options: dict[str, Any] = {"encoding": encoding, "frequencies": frequencies, "width": width}
        self.of_numbers = NumberVectors(edges=edges, **options) if edges else None
        self.of_dates = DateVectors(dates=dates, parts=parts, width=width) if dates else None
        self.of_categories = CategoryVectors(sizes=categories, width=width) if categories else None

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """``numbers`` (B, K) and ``categories`` (B, L), where there are any, to ``(B, columns, D)``."""
        found: list[Tensor] = []
        if self.of_numbers is not None:
            numbers = _rows(inputs["numbers"])[:, : self.count]
            found.append(self.of_numbers(numbers.nan_to_num(), self._shown(~numbers.isnan())))
        if self.of_dates is not None:
            dates = _rows(inputs["numbers"])[:, self.count :].reshape(-1, self.dates, self.parts)
            found.append(self.of_dates(dates.nan_to_num(), self._shown(~dates[..., 0].isnan())))
        if self.of_categories is not None:
            codes = _rows(inputs["categories"])
            found.append(self.of_categories(codes, self._shown(torch.ones_like(codes, dtype=torch.bool))))
        return torch.cat(found, 1) + self.names

    def _shown(self, there: Tensor) -> Tensor:
        """What is there, less what is hidden of it in training."""
        if not (self.training and self.hide):
            return there
        return there & (torch.rand(there.shape, device=there.device) >= self.hide)


def _rows(given: Tensor) -> Tensor:
    """One number a row may come as ``(B,)``."""
    return given.reshape(len(given), -1)


def _vectors(count: int, width: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(count, width) / math.sqrt(width))


class ColumnTransformer(nn.Module):
    """Column vectors that read each other, led by one that stands for the row.

    Args:
        width: D.
        layers: How many layers.
        heads: Heads of attention.
        dropout: Of what each layer adds.
        columns: As ``ColumnVectors`` takes it.
    """

    def __init__(self, *, width: int, layers: int, heads: int, dropout: float, **columns: object) -> None:
        super().__init__()
        self.columns = ColumnVectors(width=width, **columns)  # type: ignore[arg-type]
        self.row = _vectors(1, width)
        self.layers = nn.ModuleList(TransformerLayer(width=width, heads=heads, dropout=dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """``(B, 1 + columns, D)``: the row's own vector, then one a column."""
        columns = self.columns(inputs)
        vectors = torch.cat([self.row.expand(len(columns), 1, -1), columns], 1)
        mask = torch.ones(vectors.shape[:2], dtype=torch.bool, device=vectors.device)
        for layer in self.layers:
            vectors = layer(vectors, mask)
        found: Tensor = self.norm(vectors)
        return found


class TableEncoder(ModelEncoder):
    """Columns to vectors; all of its weights are made anew.

    Args:
        layout: As ``ColumnTransformer`` takes it.
        width: D.
    """

    def __init__(self, *, width: int, **layout: object) -> None:
        super().__init__(ColumnTransformer(width=width, **layout), width=width, folder=None)  # type: ignore[arg-type]

    def encoded(self, inputs: Mapping[str, Tensor]) -> Encoded:
        """``numbers`` (B, K) with NaN where one is missing, and ``categories`` (B, L), to ``(B, 1 + columns, D)``."""
        vectors = self.model(inputs)
        return Encoded(vectors, torch.ones(vectors.shape[:2], dtype=torch.bool, device=vectors.device))
