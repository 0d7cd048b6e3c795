"""DistMult: each place of a relation's vector says how much the same place of both entities counts.

The smallest and quickest. It cannot tell who stands on which side: of a relation that holds one way it says both ways
the same, so it is for graphs of similarity, and for comparison. Source: Yang et al., 2015, arXiv:1412.6575.
"""

from __future__ import annotations

from typing import Literal

from sibu.catalog import Entry
from sibu.core.protocols import Scorer
from sibu.scorers.options import Penalty, ScorerSpec


class DistMultSpec(ScorerSpec):
    """Options of `distmult`."""

    name: Literal["distmult"] = "distmult"
    penalty: Penalty = 0.02


def build(spec: DistMultSpec, *, entities: int, relations: int, seed: int) -> Scorer:
    """The scorer of so many entities and relations."""
    from sibu.scorers._tables import normal
    from sibu.scorers.distmult.module import DistMult

    tables = (normal(rows, spec.width, seed + n, scale=1e-3) for n, rows in enumerate((entities, 2 * relations)))
    return DistMult(*tables)


ENTRY = Entry(DistMultSpec, build)
