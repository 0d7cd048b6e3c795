"""Vectors: what a graph knows of the things named in a text, as the vectors that `sibu kb embed` learned.

The vector of the thing, brought to the width of the model by a trained layer, is joined with what the encoder says of
the pieces of its name, before the heads read them; the thing's own vector stays as it is. A name of several things gets
the mean of their vectors. For `tag`, and through the mean over the pieces for `classify` and `regress`.
Source: Zhang et al., 2019, arXiv:1905.07129 (ERNIE); Peters et al., 2019, arXiv:1909.04164 (KnowBert), without their
further pretraining.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.knowing import PieceKnowledge
    from sibu.phrases import Lexicon


class VectorsSpec(Spec):
    """Options of `vectors`."""

    name: Literal["vectors"] = "vectors"
    links: str
    """Folder of the vectors, as `sibu kb embed` writes it."""
    dropout: float = Field(default=0.2, ge=0, lt=1)
    """In training, the chance that a text is read as if it named no known thing."""


def build(spec: VectorsSpec, lexicon: Lexicon, *, entities: list[str], table: Any) -> PieceKnowledge:
    """What tells the pieces of a text; ``entities`` are the things that ``table`` has a vector of, ``(E, V)``."""
    from sibu.knowledge.vectors.places import Things

    return Things(lexicon, entities, table, dropout=spec.dropout)


ENTRY = Entry(VectorsSpec, build)
