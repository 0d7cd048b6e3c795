"""Texts shown to the extractors of a plan, one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sibu.core.errors import RecipeError
from sibu.core.extraction import Extractor, Seen, Spot, Text, Tie
from sibu.curation.extracting.ontology import Ontology
from sibu.curation.extracting.plan import Planned
from sibu.curation.extracting.surroundings import Bundles, Known
from sibu.extractors import EXTRACTORS
from sibu.graph.reading import Reading
from sibu.store.hashes import hash_json

FORMAT = 1
"""Changes where the same extractors would be made other facts of."""


@dataclass(frozen=True, slots=True)
class Eye:
    """An extractor at work."""

    name: str
    """As sources have it."""
    extractor: Extractor
    known: Known
    properties: Mapping[str, str]
    """Property by label, as its options and the plan have it."""
    trust: float

    def spot(self, given: Spot) -> Spot:
        """What it saw, with the class that its label stands for."""
        kind = self.known.class_of(given.label) if given.label else None
        kinds = given.kinds if not given.label else () if kind is None else (kind,)
        return replace(given, kinds=kinds, score=given.score * self.trust)


@dataclass(frozen=True, slots=True)
class Look:
    """What one extractor saw in a text."""

    eye: Eye
    spots: tuple[Spot, ...]
    ties: tuple[Tie, ...]


def eyes(planned: Planned, kb: Reading, ontology: Ontology) -> list[Eye]:
    """The extractors of a plan, made ready.

    Raises:
        SibuError: When one cannot be.
    """
    bundles = Bundles()
    found = []
    for spec, name in zip(planned.extractors, planned.names, strict=True):
        classes = {**planned.plan.classes, **spec.classes}
        known = Known(kb, ontology, planned.home, classes, bundles)
        properties = {**planned.plan.properties, **spec.properties}
        extractor = EXTRACTORS.of(spec).build(spec, known)
        found.append(Eye(name, extractor, known, properties, spec.trust))
    _require_targets(planned, found, ontology)
    return found


def _require_targets(planned: Planned, found: Sequence[Eye], ontology: Ontology) -> None:
    """What labels are said to stand for must be in the schema.

    Raises:
        RecipeError: Naming each that is not.
    """
    plan, wrong = planned.plan, []
    maps = [("classes", plan.classes, True), ("properties", plan.properties, False)]
    for eye, spec in zip(found, planned.extractors, strict=True):
        maps += [(f"classes of {eye.name}", spec.classes, True), (f"properties of {eye.name}", spec.properties, False)]
    for where, given, is_class in maps:
        wrong += [f"{where}: {name!r}" for name in given.values() if ontology.named(name, is_class=is_class) is None]
    if wrong:
        mend = "Add them by an ontology (`sibu kb add`), mend the names, or say `outside: allow`."
        raise RecipeError(
            f"{planned.file}: the knowledge base knows no such class or property: {'; '.join(wrong)}. {mend}"
        )


def digest(planned: Planned, found: Sequence[Eye]) -> str:
    """By what documents are read: equal where the same would be made of the same text.

    What extractors are told by the knowledge base itself is left out, or each run would be a reason for another.
    """
    versions = [[eye.name, "" if eye.extractor.follows else eye.extractor.version] for eye in found]
    return hash_json([FORMAT, planned.options, versions])[:32]


def look(found: Sequence[Eye], texts: Sequence[Text]) -> list[list[Look]]:
    """What each extractor sees in each text; those after it are told."""
    looks: list[list[Look]] = [[] for _ in texts]
    so_far = [Seen() for _ in texts]
    for eye in found:
        for place, seen in enumerate(eye.extractor.extract(texts, so_far)):
            spots = tuple(map(eye.spot, seen.spots))
            known = {*so_far[place].spots}
            ties = tuple(_tied(eye, each, known) for each in seen.ties)
            looks[place].append(Look(eye, spots, ties))
            so_far[place] = Seen(so_far[place].spots + spots, so_far[place].ties + ties)
    return looks


def _tied(eye: Eye, tie: Tie, known: set[Spot]) -> Tie:
    """A relation between what is known already, or what the extractor itself found."""
    head, tail = (each if each in known else eye.spot(each) for each in (tie.head, tie.tail))
    return replace(tie, head=head, tail=tail, score=tie.score * eye.trust)
