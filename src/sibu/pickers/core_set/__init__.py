"""Core set: rows that lie far from each other, and from those that have a label.

Looks at the texts alone, not at the answers: for the first labels, when the model knows nothing yet, and against
choosing the same thing many times. Source: Sener and Savarese, 2018, arXiv:1708.00489 (the greedy form).
"""

from __future__ import annotations

from typing import Literal

from sibu.catalog import Entry, Spec
from sibu.core.protocols import Picker


class CoreSetSpec(Spec):
    """Options of `core_set`: none."""

    name: Literal["core_set"] = "core_set"


def build(spec: CoreSetSpec) -> Picker:  # noqa: ARG001  (every part is built from its spec)
    """The picker."""
    from sibu.pickers._spread import farthest

    return Picker(("vectors",), lambda pool, count, draw: farthest(pool.vectors, pool.known, count, draw))


ENTRY = Entry(CoreSetSpec, build)
