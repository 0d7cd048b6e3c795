"""TransE: a relation is a way that leads from the subject's point to the object's.

For relations that have one object each, such as a place within a place. One subject's many objects are pulled to one
point, and a relation that holds both ways to no way at all: there `complex` and `rotate` are better. Source: Bordes et
al., 2013, Translating embeddings for modeling multi-relational data (NIPS).
"""

from __future__ import annotations

from typing import Literal

from sibu.catalog import Entry
from sibu.core.protocols import Scorer
from sibu.scorers.options import LearningRate, Loss, Margin, Optimizer, Penalty, ScorerSpec, Width


class TransESpec(ScorerSpec):
    """Options of `transe`."""

    name: Literal["transe"] = "transe"
    norm: Literal[1, 2] = 1
    """Of the distance: 1 sums its parts (L1), 2 is the straight way (L2)."""
    width: Width = 256
    loss: Loss = "sampled"
    margin: Margin = 3.0
    penalty: Penalty = 0.1
    optimizer: Optimizer = "adamw"
    learning_rate: LearningRate = 0.005


def build(spec: TransESpec, *, entities: int, relations: int, seed: int) -> Scorer:
    """The scorer of so many entities and relations."""
    from sibu.scorers._tables import uniform
    from sibu.scorers.transe.module import TransE

    bound = 6 / spec.width**0.5 / (spec.width**0.5 if spec.norm == 1 else 1)
    tables = (uniform(rows, spec.width, seed + n, bound=bound) for n, rows in enumerate((entities, 2 * relations)))
    return TransE(*tables, norm=spec.norm)


ENTRY = Entry(TransESpec, build)
