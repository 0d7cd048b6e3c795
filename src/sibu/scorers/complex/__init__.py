"""ComplEx: entities and relations are vectors of complex numbers.

The usual first choice: it learns relations that hold both ways, one way, or as each other's inverse, is asked about all
entities by one product of matrices, and with the N3 penalty is as good as any. Sources: Trouillon et al., 2016,
arXiv:1606.06357; penalty, all entities at once, inverse relations: Lacroix et al., 2018, arXiv:1806.07297.
"""

from __future__ import annotations

from typing import Literal

from sibu.catalog import Entry
from sibu.core.protocols import Scorer
from sibu.scorers.options import EvenWidth, ScorerSpec


class ComplExSpec(ScorerSpec):
    """Options of `complex`."""

    name: Literal["complex"] = "complex"
    width: EvenWidth = 512


def build(spec: ComplExSpec, *, entities: int, relations: int, seed: int) -> Scorer:
    """The scorer of so many entities and relations."""
    from sibu.scorers._tables import normal
    from sibu.scorers.complex.module import ComplEx

    tables = (normal(rows, spec.width, seed + n, scale=1e-3) for n, rows in enumerate((entities, 2 * relations)))
    return ComplEx(*tables)


ENTRY = Entry(ComplExSpec, build)
