"""Random: rows drawn without regard to the model.

What every other way is to be compared with, and a fair sample to measure a model by.
"""

from __future__ import annotations

from typing import Literal

from sibu.catalog import Entry, Spec
from sibu.core.protocols import Picker


class RandomSpec(Spec):
    """Options of `random`: none."""

    name: Literal["random"] = "random"


def build(spec: RandomSpec) -> Picker:  # noqa: ARG001  (every part is built from its spec)
    """The picker."""
    return Picker((), lambda pool, count, draw: [int(place) for place in draw.permutation(pool.size)[:count]])


ENTRY = Entry(RandomSpec, build)
