"""Bundle: a model trained by Sibu finds names by its task `tag`, and relations between names by its task `relate`.

Every two names of a passage are a question to `relate`, so what it was trained on should have pairs without a relation.
What an end of a relation is called in its question is the label that `tag` gives.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import PositiveInt

from sibu.catalog import Entry
from sibu.core.extraction import Extractor, Surroundings
from sibu.extractors.options import ExtractorSpec


class BundleSpec(ExtractorSpec):
    """Options of `bundle`."""

    name: Literal["bundle"] = "bundle"
    bundle: str
    """Folder of the bundle."""
    tag: str | None = None
    """Its task that finds names; null: its only one of type `tag`, if it has one."""
    relate: str | None = None
    """Its task that finds relations; null: its only one of type `relate`, if it has one."""
    within: Literal["sentence", "paragraph", "document"] = "sentence"
    """How far apart two names may stand that are related, and what is shown to the model."""
    over: Literal["own", "all"] = "own"
    """Between which names relations are looked for: those that it finds itself, or those of the extractors before it
    too. One without a task `tag` takes all."""
    most: PositiveInt = 24
    """Most names of a passage that are related with each other, the surest."""


def build(spec: BundleSpec, surroundings: Surroundings) -> Extractor:
    """The extractor."""
    from sibu.extractors.bundle.ask import asking

    chosen = {"tag": spec.tag, "relate": spec.relate}
    named: dict[str, Any] = {
        "within": spec.within,
        "over_all": spec.over == "all",
        "most": spec.most,
        "classes": spec.classes,
    }
    return asking(surroundings.bundle(spec.bundle), spec.bundle, chosen, **named)


ENTRY = Entry(BundleSpec, build)
