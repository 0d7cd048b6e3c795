"""Entropy: the rows whose probabilities are the most even over all answers.

Differs from `margin` with more than two labels: it also looks at answers that come third and later. For texts to tag
the mean over the words. Source: Settles, 2009 (section 3.1).
"""

from __future__ import annotations

from typing import Literal

from sibu.catalog import Entry, Spec
from sibu.core.protocols import Picker


class EntropySpec(Spec):
    """Options of `entropy`: none."""

    name: Literal["entropy"] = "entropy"


def build(spec: EntropySpec) -> Picker:  # noqa: ARG001  (every part is built from its spec)
    """The picker."""
    from sibu.pickers._doubt import by_row, entropy, most

    return Picker(("chances",), lambda pool, count, draw: most(by_row(pool.chances, entropy), count, draw))


ENTRY = Entry(EntropySpec, build)
