"""Concat: one vector a modality, put side by side and mixed by a feed-forward layer.

The plain way, and hard to beat where each row has every modality. A learned vector stands for a missing one.
Source: Ngiam et al., 2011, Multimodal deep learning (ICML).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from sibu.catalog import Entry, Spec
from sibu.fusions.options import Dropout, Width

if TYPE_CHECKING:
    from sibu.fusions.concat.layer import Concat


class ConcatSpec(Spec):
    """Options of `concat`."""

    name: Literal["concat"] = "concat"
    width: Width = None
    dropout: Dropout = 0.1


def build(spec: ConcatSpec, *, widths: Mapping[str, int]) -> Concat:
    """The layer, for modalities whose vectors have these widths."""
    from sibu.fusions._inputs import fitting
    from sibu.fusions.concat.layer import Concat

    return Concat(widths, width=fitting(widths, spec.width), dropout=spec.dropout)


ENTRY = Entry(ConcatSpec, build)
"""The fusion `concat`."""
