"""RotatE: a relation turns each of the subject's complex numbers by an angle of its own."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from sibu.scorers._tables import Tables, halves, moduli

TINY = 1e-30
"""Squares below it are told from it no more: a distance has no slope at 0."""
CELLS = 1 << 18
"""Numbers in memory at a time where questions are compared with many objects: what stays near the processor."""


class RotatE(Tables):
    """Less the sum over places of the distance of ``s r`` from ``o``, ``r`` being of size 1."""

    def query(self, subjects: Tensor, relations: Tensor) -> Tensor:
        """``s r``; a relation's numbers are angles ``(B, D/2)``."""
        (a, b), c, d = halves(subjects), relations.cos(), relations.sin()
        return torch.cat([a * c - b * d, a * d + b * c], -1)

    def paired(self, queries: Tensor, objects: Tensor) -> Tensor:
        """One by one."""
        return -moduli(queries - objects).sum(-1)

    def crossed(self, queries: Tensor, objects: Tensor) -> Tensor:
        """Each with each."""
        found: Tensor = _Distances.apply(queries, objects)  # type: ignore[no-untyped-call]
        return -found

    def sizes(self, vectors: Tensor, *, relation: bool) -> Tensor:
        """Of the entities: a relation's numbers are of size 1."""
        return vectors[:, :0] if relation else moduli(vectors)


class _Distances(torch.autograd.Function):
    """Sums of distances of complex numbers, each with each, some objects at a time, both ways.

    All at once would hold ``B x K x D`` numbers, and three times as many for the gradient.
    """

    @staticmethod
    def forward(ctx: Any, queries: Tensor, objects: Tensor) -> Tensor:
        ctx.save_for_backward(queries, objects)
        found = queries.new_empty(len(queries), len(objects))
        for part in _parts(queries, objects):
            real, imaginary = halves((queries.unsqueeze(1) - objects[part]).square_())
            found[:, part] = real.add_(imaginary).sqrt_().sum(-1)
        return found

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor, Tensor]:
        queries, objects = ctx.saved_tensors
        to_queries, to_objects = torch.zeros_like(queries), torch.zeros_like(objects)
        for part in _parts(queries, objects):
            apart = queries.unsqueeze(1) - objects[part]
            real, imaginary = halves(apart)
            weights = real.square().addcmul_(imaginary, imaginary).clamp_min_(TINY).rsqrt_()
            weights.mul_(outer[0][:, part].unsqueeze(-1))
            real.mul_(weights), imaginary.mul_(weights)
            to_queries += apart.sum(1)
            to_objects[part] -= apart.sum(0)
        return to_queries, to_objects


def _parts(queries: Tensor, objects: Tensor) -> list[slice]:
    step = max(CELLS // max(queries.numel(), 1), 1)
    return [slice(start, start + step) for start in range(0, len(objects), step)]
