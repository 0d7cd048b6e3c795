"""Patterns: sentences with places for what other extractors found, and what they say.

A line of the file is a pattern, an arrow, and a fact::

    "{drug:Drug} interacts with {other:Drug}" -> interacts(drug, other)
    "{药:Drug}与{另一药:Drug}(相互作用|有相互作用)" -> 相互作用(药, 另一药)   @ 0.8
    "{who:Patient} is [about] {age:integer} years old" -> age(who, age)
    "{drug} is an antibiotic" -> Antibiotic(drug)
    /(?P<gene>[A-Z][A-Z0-9]{2,5}) gene/ -> Gene(gene)

`{name:Class}` is a passage of a class, `{name}` of any; `integer`, `decimal`, `date` and `text` (in quotation marks)
are values. `(a|b)` is one of several, `[a]` may be left out, `...` is up to 60 characters within the sentence. Between
slashes stands a regular expression with named groups. `@` tells how sure the pattern is.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sibu.catalog import Entry
from sibu.core.extraction import Extractor, Surroundings
from sibu.extractors.options import ExtractorSpec


class PatternsSpec(ExtractorSpec):
    """Options of `patterns`."""

    name: Literal["patterns"] = "patterns"
    file: str
    """File of patterns."""
    score: float = Field(default=0.9, gt=0, le=1)
    """How sure a pattern is that does not say so itself."""


def build(spec: PatternsSpec, surroundings: Surroundings) -> Extractor:
    """The extractor."""
    from sibu.extractors.patterns.find import from_file

    return from_file(surroundings.file(spec.file), surroundings, score=spec.score)


ENTRY = Entry(PatternsSpec, build)
