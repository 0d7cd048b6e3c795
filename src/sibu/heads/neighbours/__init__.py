"""Neighbours: a text takes the label that most of the nearest training rows have (k-NN), the nearer counting more.

Keeps the vector of every training row in the bundle. For labels whose texts fall into many small groups; the encoder
learns from pairs of rows (not with `probe`). `prototypes` is smaller, `logistic` mostly more accurate.
Source: Cover and Hart, 1967; weights by similarity as in Wu et al., 2018, arXiv:1805.01978.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from torch import nn

    from sibu.core.protocols import HeadPlace


class NeighboursSpec(Spec):
    """Options of `neighbours`."""

    by_pairs: ClassVar[bool] = True
    fits: ClassVar[bool] = True
    name: Literal["neighbours"] = "neighbours"
    k: PositiveInt = 5
    """Training rows that are asked; where there are fewer, all."""
    temperature: PositiveFloat = Field(default=0.1, le=10)
    """Of the similarities: in training between pairs, in answers between text and neighbours."""


def build(spec: NeighboursSpec, place: HeadPlace) -> nn.Module:
    """The nearest rows by cosine."""
    from sibu.heads._fitted import Fitted
    from sibu.heads.neighbours.nearest import Nearest

    return Fitted(Nearest(place, k=spec.k, temperature=spec.temperature), place, temperature=spec.temperature)


ENTRY = Entry(NeighboursSpec, build)
