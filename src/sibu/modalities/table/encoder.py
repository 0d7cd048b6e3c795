"""A transformer over the columns of a table, with a line beside it."""

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
PACE = 3.0
"""The line's steps are so many times as large as those of the rest, beside whose layers it is slow to learn."""


class Bins(nn.Module):
    """How far a number fills each of its column's bins.

    Args:
        edges: Of each column the edges of its bins, ascending; fewer than two where it is constant.
    """

    edges: Tensor
    sizes: Tensor

    def __init__(self, edges: Sequence[Sequence[float]]) -> None:
        super().__init__()
        bins = max(1, max(len(own) - 1 for own in edges))
        lower, sizes = torch.zeros(len(edges), bins), torch.full((len(edges), bins), math.inf)  # inf: is never filled
        for row, own in enumerate(edges):
            if len(own) > 1:
                known = torch.tensor(own)
                lower[row, : len(own) - 1], sizes[row, : len(own) - 1] = known[:-1], known.diff()
        self.register_buffer("edges", lower, persistent=False)
        self.register_buffer("sizes", sizes, persistent=False)

    def forward(self, numbers: Tensor) -> Tensor:
        """``(B, K)`` to ``(B, K, bins)``."""
        return ((numbers.unsqueeze(-1) - self.edges) / self.sizes).clamp(0, 1)


class Shares(nn.Module):
    """How far a number fills each of its column's bins, as a vector. It begins as nothing.

    Args:
        edges: As ``Bins`` takes them.
        width: D.
    """

    def __init__(self, *, edges: Sequence[Sequence[float]], width: int) -> None:
        super().__init__()
        self.bins = Bins(edges)
        self.weight = nn.Parameter(torch.zeros(*self.bins.edges.shape, width))

    def forward(self, numbers: Tensor) -> Tensor:
        """``(B, K)`` to ``(B, K, D)``."""
        return torch.einsum("bkn,knd->bkd", self.bins(numbers), self.weight)


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

    def forward(self, codes: Tensor) -> Tensor:
        """Numbers of categories ``(B, L)`` to ``(B, L, D)``."""
        return self.weight[codes + self.starts]


class Table:
    """Where the columns lie in a batch's tensors.

    Args:
        edges: Of each column of numbers the edges of its bins.
        dates: How many columns of dates.
        parts: Numbers of a date.
        categories: Of each column of categories how many there are.
    """

    def __init__(self, *, edges: Sequence[Sequence[float]], dates: int, parts: int, categories: Sequence[int]) -> None:
        self.edges, self.dates, self.parts, self.categories = edges, dates, parts, categories

    def __len__(self) -> int:
        return len(self.edges) + self.dates + len(self.categories)

    def numbers(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """The numbers, ``(B, K)``."""
        return _rows(inputs["numbers"])[:, : len(self.edges)]

    def parts_of_dates(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """The parts of the dates, ``(B, dates, P)``."""
        rows = _rows(inputs["numbers"])[:, len(self.edges) :]
        return rows.reshape(len(rows), self.dates, self.parts)

    def codes(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """The numbers of the categories, ``(B, L)``."""
        return _rows(inputs["categories"])

    def hidden(self, inputs: Mapping[str, Tensor], share: float) -> Mapping[str, Tensor]:
        """The tensors with a share of the values missing; half of such categories are as if never seen."""
        found = dict(inputs)
        if "numbers" in inputs:
            numbers, dates = self.numbers(inputs), self.parts_of_dates(inputs)
            dates = dates.masked_fill(torch.rand_like(dates[..., :1]) < share, math.nan)
            numbers = numbers.masked_fill(torch.rand_like(numbers) < share, math.nan)
            found["numbers"] = torch.cat([numbers, dates.flatten(1)], 1)
        if "categories" in inputs:
            codes = self.codes(inputs)
            drawn = torch.randint(MISSING, OTHER + 1, codes.shape, device=codes.device)
            found["categories"] = torch.where(torch.rand(codes.shape, device=codes.device) < share, drawn, codes)
        return found


class ColumnVectors(nn.Module):
    """A vector for each column.

    Args:
        table: The columns.
        encoding: How a number becomes a vector.
        frequencies: With ``periodic``, frequencies a column.
        width: D.
    """

    def __init__(self, table: Table, *, encoding: Encoding, frequencies: int, width: int) -> None:
        super().__init__()
        self.table = table
        self.names = _vectors(len(table), width)
        """What a column is, whatever it holds."""
        options: dict[str, Any] = {"encoding": encoding, "frequencies": frequencies, "width": width}
        self.of_numbers = NumberVectors(edges=table.edges, **options) if table.edges else None
        self.of_dates = DateVectors(dates=table.dates, parts=table.parts, width=width) if table.dates else None
        self.of_categories = CategoryVectors(sizes=table.categories, width=width) if table.categories else None

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """``numbers`` (B, K) and ``categories`` (B, L), where there are any, to ``(B, columns, D)``."""
        found: list[Tensor] = []
        if self.of_numbers is not None:
            numbers = self.table.numbers(inputs)
            found.append(self.of_numbers(numbers.nan_to_num(), ~numbers.isnan()))
        if self.of_dates is not None:
            dates = self.table.parts_of_dates(inputs)
            found.append(self.of_dates(dates.nan_to_num(), ~dates[..., 0].isnan()))
        if self.of_categories is not None:
            found.append(self.of_categories(self.table.codes(inputs)))
        return torch.cat(found, 1) + self.names


class Line(nn.Module):
    """A linear map of the columns side by side.

    It reads of a number how far it lies from the mean, how far it fills each bin and whether it is missing; of a date
    its parts and whether it is missing; of a category whether the row has it.

    Args:
        table: The columns.
        bins: Whether bins are read.
        width: D.
    """

    starts: Tensor

    def __init__(self, table: Table, *, bins: bool, width: int) -> None:
        super().__init__()
        self.table = table
        self.bins = Bins(table.edges) if table.edges and bins else None
        each = 2 + (self.bins.edges.shape[1] if self.bins is not None else 0)
        self.numbers = len(table.edges) * each + table.dates * (table.parts + 1)
        reads = self.numbers + sum(table.categories)
        starts = torch.tensor([self.numbers, *table.categories]).cumsum(0)
        self.register_buffer("starts", starts[:-1], persistent=False)
        self.weight = nn.Parameter(torch.randn(reads, width) / (math.sqrt(reads) * PACE))

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """``numbers`` (B, K) and ``categories`` (B, L), where there are any, to ``(B, D)``."""
        table, found = self.table, list[Tensor]()
        if table.edges:
            numbers = table.numbers(inputs)
            there, numbers = ~numbers.isnan(), numbers.nan_to_num()
            found += [numbers, ~there]
            if self.bins is not None:
                found.append((self.bins(numbers) * there.unsqueeze(-1)).flatten(1))
        if table.dates:
            dates = table.parts_of_dates(inputs)
            found += [dates.nan_to_num().flatten(1), dates[..., 0].isnan()]
        answers: list[Tensor] = []
        if found:
            answers.append(torch.cat([each.to(self.weight.dtype) for each in found], 1) @ self.weight[: self.numbers])
        if table.categories:  # looked up: a column may have a thousand
            answers.append(self.weight[table.codes(inputs) + self.starts].sum(1))
        return PACE * torch.stack(answers).sum(0)


def _rows(given: Tensor) -> Tensor:
    """One number a row may come as ``(B,)``."""
    return given.reshape(len(given), -1)


def _vectors(count: int, width: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(count, width) / math.sqrt(width))


class ColumnTransformer(nn.Module):
    """Column vectors that read each other, led by one that stands for the row, to which a line over them is added.

    Args:
        table: The columns.
        encoding: How a number becomes a vector.
        frequencies: With ``periodic``, frequencies a column.
        hide: Share of the values that is hidden in training.
        width: D.
        layers: How many layers; with none there is the line alone.
        heads: Heads of attention.
        dropout: Of what each layer adds.
    """

    def __init__(
        self,
        table: Table,
        *,
        encoding: Encoding,
        frequencies: int,
        hide: float,
        width: int,
        layers: int,
        heads: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.table, self.hide = table, hide
        if layers:
            self.columns = ColumnVectors(table, encoding=encoding, frequencies=frequencies, width=width)
            self.row = _vectors(1, width)
            self.norm = nn.LayerNorm(width)
        self.layers = nn.ModuleList(TransformerLayer(width=width, heads=heads, dropout=dropout) for _ in range(layers))
        self.line = Line(table, bins=encoding == "piecewise", width=width)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """``(B, 1 + columns, D)``: the row's own vector, then one a column; with no layers the first alone."""
        if self.training and self.hide:
            inputs = self.table.hidden(inputs, self.hide)
        line: Tensor = self.line(inputs).unsqueeze(1)
        if not self.layers:
            return line
        columns = self.columns(inputs)
        vectors = torch.cat([self.row.expand(len(columns), 1, -1), columns], 1)
        mask = torch.ones(vectors.shape[:2], dtype=torch.bool, device=vectors.device)
        for layer in self.layers:
            vectors = layer(vectors, mask)
        vectors = self.norm(vectors)
        found: Tensor = torch.cat([vectors[:, :1] + line, vectors[:, 1:]], 1)
        return found


class TableEncoder(ModelEncoder):
    """Columns to vectors; all of its weights are made anew.

    Args:
        table: The columns.
        width: D.
        layout: As ``ColumnTransformer`` takes the rest.
    """

    def __init__(self, table: Table, *, width: int, **layout: object) -> None:
        super().__init__(ColumnTransformer(table, width=width, **layout), width=width, folder=None)  # type: ignore[arg-type]

    def encoded(self, inputs: Mapping[str, Tensor]) -> Encoded:
        """``numbers`` (B, K) with NaN where one is missing, and ``categories`` (B, L), to ``(B, T, D)``.

        T is 1 + columns, the row's own vector first; with no layers it is 1.
        """
        vectors = self.model(inputs)
        return Encoded(vectors, torch.ones(vectors.shape[:2], dtype=torch.bool, device=vectors.device))
