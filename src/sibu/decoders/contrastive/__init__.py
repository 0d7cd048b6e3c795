"""Contrastive search: of the likeliest next pieces the one whose vector is least like those before.

Fluent long answers that do not repeat themselves, the same each time; about twice the cost of `greedy`. Causal models.
Source: Su et al., 2022, arXiv:2202.06417.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Decoder


class ContrastiveSpec(Spec):
    """Options of `contrastive`."""

    name: Literal["contrastive"] = "contrastive"
    alpha: float = Field(default=0.6, ge=0, le=1)
    """Weight of being unlike what came before; 0: `greedy`."""
    top_k: int = Field(default=4, ge=1, le=64)
    """How many of the likeliest pieces are compared."""


def build(spec: ContrastiveSpec) -> Decoder:
    """The decoder."""
    from sibu.decoders.contrastive.search import search

    return search(alpha=spec.alpha, top_k=spec.top_k)


ENTRY = Entry(ContrastiveSpec, build, needs=("transformers",))
