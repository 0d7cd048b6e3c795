"""What the scorers share: two tables, and a question as one vector that objects are compared with."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Tables(nn.Module, ABC):
    """Vectors of entities and of relations with their inverses.

    A scorer says how subject and relation become one vector (``query``), how that is compared with objects one by one
    (``paired``) and with all of a table (``crossed``), and how large the numbers of vectors are (``sizes``).

    Args:
        entities: The table as it begins. Shape ``(E, D)``.
        relations: The same. Shape ``(2R, W)``.
    """

    def __init__(self, entities: Tensor, relations: Tensor) -> None:
        super().__init__()
        self.entities = nn.Parameter(entities)
        self.relations = nn.Parameter(relations)

    @abstractmethod
    def query(self, subjects: Tensor, relations: Tensor) -> Tensor:
        """The vector of a question from those of its subject ``(B, D)`` and its relation ``(B, W)``: ``(B, D)``."""

    @abstractmethod
    def paired(self, queries: Tensor, objects: Tensor) -> Tensor:
        """Scores of questions with an object each, both ``(B, D)``. Shape ``(B,)``."""

    @abstractmethod
    def crossed(self, queries: Tensor, objects: Tensor) -> Tensor:
        """Scores of questions ``(B, D)`` with all of some objects ``(K, D)``. Shape ``(B, K)``."""

    @abstractmethod
    def sizes(self, vectors: Tensor, *, relation: bool) -> Tensor:
        """What the penalty cubes; empty where nothing of it is to stay small."""

    def against(self, subjects: Tensor, relations: Tensor, objects: Tensor | None = None) -> Tensor:
        """Scores of questions ``(B,)`` with objects ``(K,)``, or with all: ``(B, K)``."""
        table = self.entities if objects is None else F.embedding(objects, self.entities)
        return self.crossed(self._asked(subjects, relations), table)

    def score(self, subjects: Tensor, relations: Tensor, objects: Tensor) -> Tensor:
        """Scores of triples ``(B,)``."""
        return self.paired(self._asked(subjects, relations), F.embedding(objects, self.entities))

    def penalty(self, subjects: Tensor, relations: Tensor, objects: Tensor) -> Tensor:
        """Sum of the cubed sizes of the numbers in triples' vectors (N3: Lacroix et al., 2018, arXiv:1806.07297)."""
        ends = self._cubes(torch.cat([subjects, objects]), self.entities, relation=False)
        return ends + self._cubes(relations, self.relations, relation=True)

    def _cubes(self, numbers: Tensor, table: Tensor, *, relation: bool) -> Tensor:
        counts = torch.bincount(numbers)  # a batch holds few vectors many times
        rows = counts.nonzero()[:, 0]
        cubes = self.sizes(F.embedding(rows, table), relation=relation).pow(3).sum(1)
        return cubes @ counts[rows].to(cubes.dtype)

    def _asked(self, subjects: Tensor, relations: Tensor) -> Tensor:
        return self.query(F.embedding(subjects, self.entities), F.embedding(relations, self.relations))


def normal(rows: int, width: int, seed: int, *, scale: float) -> Tensor:
    """A table of draws around 0."""
    return torch.randn(rows, width, generator=torch.Generator().manual_seed(seed)) * scale


def uniform(rows: int, width: int, seed: int, *, bound: float) -> Tensor:
    """A table of even draws from ``-bound`` to ``bound``."""
    return (torch.rand(rows, width, generator=torch.Generator().manual_seed(seed)) * 2 - 1) * bound


def halves(vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Real and imaginary parts of vectors that hold the real ones first: ``(..., D)`` to twice ``(..., D/2)``."""
    real, imaginary = vectors.chunk(2, -1)
    return real, imaginary


def moduli(vectors: Tensor) -> Tensor:
    """Sizes of complex numbers: ``(..., D)`` to ``(..., D/2)``."""
    real, imaginary = halves(vectors)
    return (real.square() + imaginary.square()).clamp_min(1e-30).sqrt()  # a root has no slope at 0
