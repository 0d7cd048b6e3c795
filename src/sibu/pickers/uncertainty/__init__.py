"""Uncertainty: the rows whose likeliest answer is the least likely.

For texts to tag the mean over the words. `margin` is mostly better with many labels. Source: Lewis and Gale, 1994,
arXiv:cmp-lg/9407020.
"""

from __future__ import annotations

from typing import Literal

from sibu.catalog import Entry, Spec
from sibu.core.protocols import Picker


class UncertaintySpec(Spec):
    """Options of `uncertainty`: none."""

    name: Literal["uncertainty"] = "uncertainty"


def build(spec: UncertaintySpec) -> Picker:  # noqa: ARG001  (every part is built from its spec)
    """The picker."""
    from sibu.pickers._doubt import by_row, least_confident, most

    return Picker(("chances",), lambda pool, count, draw: most(by_row(pool.chances, least_confident), count, draw))


ENTRY = Entry(UncertaintySpec, build)
