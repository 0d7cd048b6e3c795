"""Options that every extractor has."""

from __future__ import annotations

from pydantic import Field

from sibu.catalog import Spec


class ExtractorSpec(Spec):
    """What is read of every extractor by those who use it."""

    called: str = ""
    """Its name in the sources of facts, where there are several of one kind; empty: that of the part."""
    classes: dict[str, str] = Field(default_factory=dict)
    """Class of the knowledge base by label; a label that is not here is a class's name or label itself."""
    properties: dict[str, str] = Field(default_factory=dict)
    """Property of the knowledge base by label of a relation; one that is not here is a property's name or label."""
    trust: float = Field(default=1.0, gt=0, le=1)
    """Factor of its scores: how far it is believed."""
