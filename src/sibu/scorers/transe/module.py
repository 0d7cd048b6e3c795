"""TransE: a relation is a way from one point to another."""

import torch
from torch import Tensor

from sibu.scorers._tables import Tables


class TransE(Tables):
    """Less the distance of ``s + r`` from ``o``.

    Args:
        entities: See ``Tables``.
        relations: See ``Tables``.
        norm: 1 or 2: of the distance.
    """

    def __init__(self, entities: Tensor, relations: Tensor, *, norm: int) -> None:
        super().__init__(entities, relations)
        self.norm = float(norm)

    def query(self, subjects: Tensor, relations: Tensor) -> Tensor:
        """``s + r``."""
        return subjects + relations

    def paired(self, queries: Tensor, objects: Tensor) -> Tensor:
        """One by one."""
        distances: Tensor = torch.linalg.vector_norm(queries - objects, self.norm, -1)
        return -distances

    def crossed(self, queries: Tensor, objects: Tensor) -> Tensor:
        """Each with each."""
        return -torch.cdist(queries, objects, self.norm)

    def sizes(self, vectors: Tensor, *, relation: bool) -> Tensor:  # noqa: ARG002
        """Of both."""
        return vectors.abs()
