"""ComplEx: a product of three complex numbers a place, the object's conjugated, and the real part of their sum."""

import torch
from torch import Tensor

from sibu.scorers._tables import Tables, halves, moduli


class ComplEx(Tables):
    """The real part of the sum over places of ``s r conj(o)``."""

    def query(self, subjects: Tensor, relations: Tensor) -> Tensor:
        """``s r``."""
        (a, b), (c, d) = halves(subjects), halves(relations)
        return torch.cat([a * c - b * d, a * d + b * c], -1)

    def paired(self, queries: Tensor, objects: Tensor) -> Tensor:
        """One by one: the real part of ``q conj(o)`` is the product of both halves as they are."""
        return (queries * objects).sum(-1)

    def crossed(self, queries: Tensor, objects: Tensor) -> Tensor:
        """Each with each."""
        return queries @ objects.T

    def sizes(self, vectors: Tensor, *, relation: bool) -> Tensor:  # noqa: ARG002
        """Of both."""
        return moduli(vectors)
