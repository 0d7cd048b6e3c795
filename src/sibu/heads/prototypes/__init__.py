"""Prototypes: a label is the mean of its rows' vectors, and a text takes the label of the nearest mean.

Nothing is fitted but means, so that one row a label is enough and a new label costs nothing; the encoder learns from
pairs of rows (not with `probe`). `logistic` is more accurate where rows of one label differ much. For one label a text.
Source: Snell et al., 2017, arXiv:1703.05175.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, PositiveFloat

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from torch import nn

    from sibu.core.protocols import HeadPlace


class PrototypesSpec(Spec):
    """Options of `prototypes`."""

    several: ClassVar[bool] = False
    by_pairs: ClassVar[bool] = True
    fits: ClassVar[bool] = True
    name: Literal["prototypes"] = "prototypes"
    learn: Literal["pairs", "episodes"] = "pairs"
    """What the encoder learns by: `pairs` of rows, or `episodes`: of each label in a batch half the rows make the mean
    by which the other half is told, as answers are (Snell et al., section 2). The latter suits a start for the labels
    of others, learned over many tasks or labels."""
    temperature: PositiveFloat = Field(default=0.1, le=10)
    """Of the similarities: in training between pairs, in answers between text and means."""


def build(spec: PrototypesSpec, place: HeadPlace) -> nn.Module:
    """The nearest mean by cosine."""
    from sibu.heads._fitted import Fitted
    from sibu.heads.prototypes.means import Means

    episodes = spec.learn == "episodes"
    return Fitted(Means(place, temperature=spec.temperature), place, temperature=spec.temperature, episodes=episodes)


ENTRY = Entry(PrototypesSpec, build)
