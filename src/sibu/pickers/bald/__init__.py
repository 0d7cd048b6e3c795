"""BALD: the rows about which the model's own variants, made by dropout, disagree.

Leaves aside what is merely hard (every variant in doubt alike), and asks where more data would settle it. Takes
`passes` times as long as `margin`; needs a model with dropout, or an ensemble, whose members are its variants. Source:
Houlsby et al., 2011, arXiv:1112.5745; by dropout: Gal et al., 2017, arXiv:1703.02910; by an ensemble: Beluch et al.,
2018, The power of ensembles for active learning in image classification (CVPR).
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sibu.catalog import Entry, Spec
from sibu.core.protocols import Picker


class BaldSpec(Spec):
    """Options of `bald`."""

    name: Literal["bald"] = "bald"
    passes: int = Field(default=10, ge=2, le=1000)
    """Variants that are asked; of an ensemble as many as it has members."""


def build(spec: BaldSpec) -> Picker:
    """The picker."""
    from sibu.pickers._doubt import most
    from sibu.pickers.bald.disagreement import disagreement

    return Picker(("draws",), lambda pool, count, draw: most(disagreement(pool.draws), count, draw), spec.passes)


ENTRY = Entry(BaldSpec, build)
