"""Margin: the rows whose two likeliest answers are nearest to each other.

The usual first choice: a row where the model hesitates between two labels tells it most. For texts to tag the mean
over the words. Source: Scheffer et al., 2001.
"""

from __future__ import annotations

from typing import Literal

from sibu.catalog import Entry, Spec
from sibu.core.protocols import Picker


class MarginSpec(Spec):
    """Options of `margin`: none."""

    name: Literal["margin"] = "margin"


def build(spec: MarginSpec) -> Picker:  # noqa: ARG001  (every part is built from its spec)
    """The picker."""
    from sibu.pickers._doubt import by_row, most, small_margin

    return Picker(("chances",), lambda pool, count, draw: most(by_row(pool.chances, small_margin), count, draw))


ENTRY = Entry(MarginSpec, build)
