"""Weighted: the modalities' vectors are summed, each with one learned weight for the whole data.

The fewest weights, and the easiest to read: the report shows how much each modality counts. What a row lacks leaves its
weight to the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from sibu.catalog import Entry, Spec
from sibu.fusions.options import Width

if TYPE_CHECKING:
    from sibu.fusions.weighted.layer import Weighted


class WeightedSpec(Spec):
    """Options of `weighted`."""

    name: Literal["weighted"] = "weighted"
    width: Width = None


def build(spec: WeightedSpec, *, widths: Mapping[str, int]) -> Weighted:
    """The layer, for modalities whose vectors have these widths."""
    from sibu.fusions._inputs import fitting
    from sibu.fusions.weighted.layer import Weighted

    return Weighted(widths, width=fitting(widths, spec.width))


ENTRY = Entry(WeightedSpec, build)
"""The fusion `weighted`."""
