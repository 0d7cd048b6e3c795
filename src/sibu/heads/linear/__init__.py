"""Linear: a layer of weights that trains together with the encoder, by cross entropy.

For more than some dozen rows a label. With fewer the encoder learns more from pairs: `logistic`; with none: `labels`.
Source: Devlin et al., 2019, arXiv:1810.04805 (section 4.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from torch import nn

    from sibu.core.protocols import HeadPlace


class LinearSpec(Spec):
    """Options of `linear`: none."""

    name: Literal["linear"] = "linear"


def build(spec: LinearSpec, place: HeadPlace) -> nn.Module:  # noqa: ARG001
    """The layer on the pooled vector."""
    from sibu.nn.heads import PooledHead

    return PooledHead(width=place.width, outputs=place.outputs, pooling=place.pooling, dropout=place.dropout)


ENTRY = Entry(LinearSpec, build)
