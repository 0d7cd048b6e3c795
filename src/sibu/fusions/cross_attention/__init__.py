"""Cross-attention: each place of a modality reads the places of all others, over several layers.

For answers that lie in parts of an input, such as a word and the spot in the picture that it names. Places do not read
their own modality, whose encoder has done that. Every pair of modalities shares one set of weights; the pairs' own
transformers of the paper grow with their number, and each would see only the rows that have both.
Source: Tsai et al., 2019, arXiv:1906.00295.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from sibu.catalog import Entry
from sibu.fusions.options import AttentionSpec

if TYPE_CHECKING:
    from sibu.fusions.cross_attention.layer import CrossAttention


class CrossAttentionSpec(AttentionSpec):
    """Options of `cross_attention`."""

    name: Literal["cross_attention"] = "cross_attention"


def build(spec: CrossAttentionSpec, *, widths: Mapping[str, int]) -> CrossAttention:
    """The layers, for modalities whose vectors have these widths."""
    from sibu.fusions._inputs import fitting
    from sibu.fusions.cross_attention.layer import CrossAttention

    return CrossAttention(
        widths,
        width=fitting(widths, spec.width, heads=spec.heads),
        layers=spec.layers,
        heads=spec.heads,
        dropout=spec.dropout,
    )


ENTRY = Entry(CrossAttentionSpec, build)
"""The fusion `cross_attention`."""
