"""Doubt first, then spread."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sibu.core.protocols import Pool
from sibu.pickers._doubt import DOUBTS, by_row, most
from sibu.pickers._spread import farthest


def both(doubt: str, wider: int) -> Callable[[Pool, int, np.random.Generator], list[int]]:
    """The two steps as one way of choosing."""

    def choose(pool: Pool, count: int, draw: np.random.Generator) -> list[int]:
        first = most(by_row(pool.chances, DOUBTS[doubt]), count * wider, draw)
        return [first[place] for place in farthest(pool.vectors[first], pool.known, count, draw)]

    return choose
