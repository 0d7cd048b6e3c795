"""Gated: gates say for each row, and each number of its vector, from which modality it is taken.

For data in which now one modality tells the answer, now another. What each counted for is told by the shares in a
prediction's evidence. Of two modalities it is the paper's gated unit; of more, the gates are a softmax over those that
a row has, so that a missing one leaves its part to the others. Source: Arevalo et al., 2017, arXiv:1702.01992.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from sibu.catalog import Entry, Spec
from sibu.fusions.options import Dropout, Width

if TYPE_CHECKING:
    from sibu.fusions.gated.layer import Gated


class GatedSpec(Spec):
    """Options of `gated`."""

    name: Literal["gated"] = "gated"
    width: Width = None
    dropout: Dropout = 0.1


def build(spec: GatedSpec, *, widths: Mapping[str, int]) -> Gated:
    """The layer, for modalities whose vectors have these widths."""
    from sibu.fusions._inputs import fitting
    from sibu.fusions.gated.layer import Gated

    return Gated(widths, width=fitting(widths, spec.width), dropout=spec.dropout)


ENTRY = Entry(GatedSpec, build)
"""The fusion `gated`."""
