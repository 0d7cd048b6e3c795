"""Combined: of the rows in most doubt those that lie far from each other.

Against choosing many rows that ask the same: first `wider` times as many as are wanted by `doubt`, of them the core
set. Source: the two steps of Zhdanov, 2019, arXiv:1901.05954, with a core set for the clusters.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sibu.catalog import Entry, Spec
from sibu.core.protocols import Picker


class CombinedSpec(Spec):
    """Options of `combined`."""

    name: Literal["combined"] = "combined"
    doubt: Literal["margin", "uncertainty", "entropy"] = "margin"
    """What the first step goes by."""
    wider: int = Field(default=5, ge=2)
    """So many times the wanted rows are taken by the first step."""


def build(spec: CombinedSpec) -> Picker:
    """The picker."""
    from sibu.pickers.combined.steps import both

    return Picker(("chances", "vectors"), both(spec.doubt, spec.wider))


ENTRY = Entry(CombinedSpec, build)
