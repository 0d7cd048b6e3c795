"""RotatE: a relation turns the subject's complex numbers, each by an angle of its own, to the object's.

Learns what holds both ways (half turns), one way, as an inverse (the turn back), and one relation after another (the
sum of two turns). Slower than `complex`, since distances are no product of matrices. Source: Sun et al., 2019,
arXiv:1902.10197.
"""

from __future__ import annotations

from typing import Literal

from sibu.catalog import Entry
from sibu.core.protocols import Scorer
from sibu.scorers.options import Batch, EvenWidth, LearningRate, Loss, Margin, Penalty, ScorerSpec


class RotatESpec(ScorerSpec):
    """Options of `rotate`."""

    name: Literal["rotate"] = "rotate"
    width: EvenWidth = 256
    loss: Loss = "sampled"
    margin: Margin = 9.0
    penalty: Penalty = 0.0
    learning_rate: LearningRate = 0.1
    batch: Batch = 256


def build(spec: RotatESpec, *, entities: int, relations: int, seed: int) -> Scorer:
    """The scorer of so many entities and relations."""
    from math import pi

    from sibu.scorers._tables import uniform
    from sibu.scorers.rotate.module import RotatE

    points = uniform(entities, spec.width, seed, bound=6 / spec.width)
    return RotatE(points, uniform(2 * relations, spec.width // 2, seed + 1, bound=pi))


ENTRY = Entry(RotatESpec, build)
