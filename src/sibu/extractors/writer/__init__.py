"""Writer: a model that writes tells names and relations as JSON, bound to the classes and properties there are.

The bundle is one of `generate`. What it writes keeps to a schema that is made of the knowledge base's ontology, so a
class or a property that is not there cannot be written; a name that does not stand in the text is left out.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveInt

from sibu.catalog import Entry
from sibu.core.extraction import Extractor, Surroundings
from sibu.extractors.options import ExtractorSpec


class WriterSpec(ExtractorSpec):
    """Options of `writer`."""

    name: Literal["writer"] = "writer"
    bundle: str
    """Folder of the bundle."""
    task: str | None = None
    """Its task `generate`; null: its only one."""
    instruction: str | None = None
    """What is asked before each text; null: what the bundle was trained with."""
    within: Literal["sentence", "paragraph", "document"] = "paragraph"
    """What is shown to it."""
    max_new_tokens: PositiveInt = 256
    """Most pieces of an answer; what does not end within them is left out, and counted."""
    score: float = Field(default=0.6, gt=0, le=1)
    """How sure it is taken to be: what it writes has no score of its own."""


def build(spec: WriterSpec, surroundings: Surroundings) -> Extractor:
    """The extractor."""
    from sibu.extractors.writer.ask import writing

    return writing(
        surroundings.bundle(spec.bundle),
        spec.bundle,
        spec.task,
        surroundings.vocabulary(),
        instruction=spec.instruction,
        within=spec.within,
        max_new_tokens=spec.max_new_tokens,
        score=spec.score,
    )


ENTRY = Entry(WriterSpec, build, needs=("llguidance",))
