"""A linker by labels alone: a name means the one thing that is named so."""

from __future__ import annotations

from collections.abc import Sequence

from sibu.core.linking import Link, Mention
from sibu.core.logic import TYPE, Entity
from sibu.curation.extracting.ontology import Ontology
from sibu.graph.reading import Reading


class ByLabel:
    """Links a name to what has it as label or alias.

    Args:
        kb: The knowledge base.
        ontology: What it says of classes.
        least: Lowest score of a link.
    """

    def __init__(self, kb: Reading, ontology: Ontology, least: float) -> None:
        self._kb, self._ontology, self._least = kb, ontology, least

    def link(self, mentions: Sequence[Mention]) -> list[Link]:
        """One link a mention: where several things are named so, each is as likely."""
        return [self._link(each) for each in mentions]

    def _link(self, mention: Mention) -> Link:
        found = [each for each in self._kb.find(mention.text) if self._may_be(each, mention.kinds)]
        if not found:
            return Link(None, 0.0, ())
        score = 1 / len(found)
        return Link(found[0] if len(found) == 1 else None, score, tuple((each, score) for each in found))

    def _may_be(self, entity: Entity, kinds: tuple[Entity, ...]) -> bool:
        own = [each.object for each in self._kb.triples(entity, TYPE) if isinstance(each.object, Entity)]
        ontology = self._ontology
        known = [each for each in own if each in ontology.classes]
        if entity in ontology.classes or entity in ontology.properties:
            return False
        return not (kinds and known) or any(ontology.is_a(a, b) or ontology.is_a(b, a) for a in known for b in kinds)
