"""Things that names in texts stand for: those that are known, and new ones."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import count

from sibu.core.logic import TYPE, Entity, Triple, Value
from sibu.core.names import RDF, RDFS
from sibu.curation.extracting.ontology import Ontology
from sibu.graph.cells import local_name, local_part
from sibu.graph.labels import LABELS, normal
from sibu.graph.reading import Reading

LABEL = Entity(RDFS + "label")
EXTRACT = "extract:"
"""What the name of an extractor has before it in the sources of facts."""
REVIEW = "review:"
"""What the name of a person who decided has before it there."""


@dataclass
class Things:
    """What is known of things without what is just being read anew.

    Args:
        kb: The knowledge base.
        ontology: Its classes.
        anew: Documents that are read anew: what extractors made of them before says nothing.
        language: Of the labels of new things.
    """

    kb: Reading
    ontology: Ontology
    anew: Collection[str]
    language: str = ""
    _new: dict[tuple[str, Entity | None], Entity] = field(default_factory=dict)
    _taken: dict[Entity, tuple[str, Entity | None]] = field(default_factory=dict)
    _known: dict[Entity, bool] = field(default_factory=dict)
    _kinds: dict[Entity, frozenset[Entity]] = field(default_factory=dict)
    _owned: dict[Entity, tuple[Value, ...]] = field(default_factory=dict)

    def stands(self, fact: Triple) -> bool:
        """Whether a fact holds by something else than what is read anew."""
        return any(not self._is_anew(each.extractor, each.document) for each in self.kb.sources(fact)
                   if each.status in ("asserted", "derived"))  # fmt: skip

    def _is_anew(self, extractor: str, document: str) -> bool:
        return extractor.startswith(EXTRACT) and document in self.anew

    def is_known(self, entity: Entity) -> bool:
        """Whether something else than what is read anew says anything of a thing."""
        if entity not in self._known:
            self._known[entity] = any(self.stands(each) for each in self.kb.triples(entity)) or any(
                self.stands(each) for each in self.kb.triples(object=entity)
            )
        return self._known[entity]

    def kinds(self, entity: Entity) -> frozenset[Entity]:
        """The classes of a thing."""
        if entity not in self._kinds:
            facts = [each for each in self.kb.triples(entity, TYPE) if isinstance(each.object, Entity)]
            own = (each.object for each in facts if each.object in self.ontology.classes and self.stands(each))
            self._kinds[entity] = frozenset(each for each in own if isinstance(each, Entity))
        return self._kinds[entity]

    def others(self, subject: Entity, prop: Entity, what: object) -> list[Triple]:
        """Other facts of a thing by a property."""
        return [each for each in self.kb.triples(subject, prop) if each.object != what and self.stands(each)]

    def labels_to_keep(self, entity: Entity) -> tuple[Value, ...]:
        """Labels of a thing that only extractors stated: each document that names it states them too.

        So they stay as long as one document names it.
        """
        if entity not in self._owned:
            values = [(value, named) for named in LABELS for value in self.kb.labels(entity)
                      if self.kb.holds(Triple(entity, named, value))]  # fmt: skip
            own = [value for value, named in values if named == LABEL]
            by_extractors = all(
                each.extractor.startswith((EXTRACT, REVIEW))
                for value, named in values
                for each in self.kb.sources(Triple(entity, named, value))
            )
            self._owned[entity] = tuple(own) if by_extractors else ()
        return self._owned[entity]

    def is_named_so(self, text: str, kinds: tuple[Entity, ...]) -> bool:
        """Whether some thing that may be of one of these classes is known by this very name."""
        found = (each for each in self.kb.find(text) if each not in self.ontology.classes | self.ontology.properties)
        return any(self._meets(each, kinds) for each in found)

    def _meets(self, entity: Entity, kinds: tuple[Entity, ...]) -> bool:
        known, is_a = self.kinds(entity), self.ontology.is_a
        return not (kinds and known) or any(is_a(a, b) or is_a(b, a) for a in known for b in kinds)

    # ---- new things --------------------------------------------------------------------------------------------------

    def new(self, text: str, kind: Entity | None) -> Entity:
        """A new thing of a name and a class; the same one for the same name and class."""
        key = (normal(text), kind)
        if key not in self._new:
            entity = next(each for each in self._names(text, kind) if self._is_free(each, text, kind))
            self._new[key] = entity
            self._taken[entity] = key
        return self._new[key]

    def _names(self, text: str, kind: Entity | None) -> Iterator[Entity]:
        base = self.kb.names.base + local_name(" ".join(text.split()))
        longer = f"{base}_{local_part(kind.iri).replace(' ', '_')}" if kind is not None else base
        yield from map(Entity, (base, longer))
        for number in count(2):
            yield Entity(f"{longer}_{number}")

    def _is_free(self, entity: Entity, text: str, kind: Entity | None) -> bool:
        """Whether nothing else has this name: what an earlier run named so is the same thing."""
        if entity in self._taken or entity in self.ontology.classes or entity in self.ontology.properties:
            return False
        if not self.kb.labelled.knows(entity):
            return True
        words = {normal(each.text) for each in self.kb.labels(entity)} or {normal(local_part(entity.iri))}
        return normal(text) in words and self._meets(entity, () if kind is None else (kind,))

    def label(self, text: str) -> Value:
        """A label of a new thing."""
        said = " ".join(text.split())
        return Value(said, RDF + "langString", self.language) if self.language else Value(said)
