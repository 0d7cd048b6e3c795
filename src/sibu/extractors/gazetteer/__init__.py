"""Gazetteer: finds names that are known, those of the knowledge base or of a file.

The longest name at each place wins. Case, width and how accents are composed do not matter, nor how many blanks there
are; a name begins and ends where a word does, in scripts with blanks between words. A file has a name a line, then,
behind tabs, a class and the thing that is named, both of which may be left out.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from sibu.catalog import Entry
from sibu.core.extraction import Extractor, Surroundings
from sibu.extractors.options import ExtractorSpec


class GazetteerSpec(ExtractorSpec):
    """Options of `gazetteer`."""

    name: Literal["gazetteer"] = "gazetteer"
    file: str | None = None
    """File of names; null: the labels and aliases of the knowledge base."""
    label: str = ""
    """What all names of the file are taken for, where a line has no class of its own."""
    least: PositiveInt = 2
    """Fewest characters of a name."""
    case_up_to: NonNegativeInt = 0
    """Names of up to so many characters must have the case that they are known in (`US` is no `us`)."""
    score: float = Field(default=1.0, gt=0, le=1)
    """How sure it is of a name."""


def build(spec: GazetteerSpec, surroundings: Surroundings) -> Extractor:
    """The extractor."""
    from sibu.extractors.gazetteer.find import from_file, from_knowledge

    options: dict[str, Any] = {"least": spec.least, "case_up_to": spec.case_up_to, "score": spec.score}
    if spec.file is None:
        return from_knowledge(surroundings, **options)
    return from_file(surroundings.file(spec.file), surroundings, label=spec.label, **options)


ENTRY = Entry(GazetteerSpec, build)
