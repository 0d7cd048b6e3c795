"""Gazetteer: where known names stand in a text, told to the model piece by piece.

Of each class of names the longest that do not overlap; whether a piece begins a name or goes on with one is a small
trained vector, which is joined with what the encoder says of the piece before the heads read it. For `tag`, and through
the mean over the pieces for `classify` and `regress`. It helps most where few rows are labelled.
Source: Florian et al., 2003 (CoNLL); Ratinov and Roth, 2009 (CoNLL), section 5.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.knowing import PieceKnowledge
    from sibu.phrases import Lexicon


class GazetteerSpec(Spec):
    """Options of `gazetteer`."""

    name: Literal["gazetteer"] = "gazetteer"
    dropout: float = Field(default=0.2, ge=0, lt=1)
    """In training, the chance that a text is read as if it held no known name, so that the model learns to go without
    too."""


def build(spec: GazetteerSpec, lexicon: Lexicon) -> PieceKnowledge:
    """What tells the pieces of a text; ``lexicon`` has the names."""
    from sibu.knowledge.gazetteer.places import Gazetteer

    return Gazetteer(lexicon, dropout=spec.dropout)


ENTRY = Entry(GazetteerSpec, build)
