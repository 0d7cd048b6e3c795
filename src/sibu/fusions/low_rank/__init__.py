"""Low rank: every product of the modalities' numbers counts (tensor fusion), at the cost of a few matrices.

For answers that depend on combinations, such as the same words beside another picture. The products of a missing
modality are left out, those of the others stay. Source: Liu et al., 2018, arXiv:1806.00064; Zadeh et al., 2017,
arXiv:1707.07250 (the tensor whose weights it factors).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import PositiveInt

from sibu.catalog import Entry, Spec
from sibu.fusions.options import Dropout, Width

if TYPE_CHECKING:
    from sibu.fusions.low_rank.layer import LowRank


class LowRankSpec(Spec):
    """Options of `low_rank`."""

    name: Literal["low_rank"] = "low_rank"
    width: Width = None
    rank: PositiveInt = 4
    """Of how many products of vectors the tensor of weights is the sum."""
    dropout: Dropout = 0.1


def build(spec: LowRankSpec, *, widths: Mapping[str, int]) -> LowRank:
    """The layer, for modalities whose vectors have these widths."""
    from sibu.fusions._inputs import fitting
    from sibu.fusions.low_rank.layer import LowRank

    return LowRank(widths, width=fitting(widths, spec.width), rank=spec.rank, dropout=spec.dropout)


ENTRY = Entry(LowRankSpec, build)
"""The fusion `low_rank`."""
