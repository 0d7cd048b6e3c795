"""Training rows from texts and facts: a sentence that names two things that stand in a relation is taken to say so.

Source: Mintz et al., 2009, Distant supervision for relation extraction without labeled data. Such rows are wrong where
a sentence names both things and says something else of them; look at some before they are trained on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sibu.core.extraction import Seen, Spot, Text
from sibu.core.logic import TYPE, Entity, Triple
from sibu.core.passages import passages
from sibu.curation.extracting.ontology import Ontology
from sibu.curation.extracting.surroundings import Bundles, Known
from sibu.extractors import EXTRACTORS
from sibu.graph.labels import LABELS
from sibu.graph.reading import Reading


@dataclass(frozen=True, slots=True)
class Words:
    """What a bundle calls classes and relations."""

    classes: Mapping[Entity, str]
    """Label of its task `tag` by class."""
    properties: Mapping[Entity, str]
    """Label of its task `relate` by property."""


@dataclass
class Rows:
    """Rows for the tasks of a bundle."""

    tag: list[dict[str, Any]] = field(default_factory=list)
    relate: list[dict[str, Any]] = field(default_factory=list)

    def labels(self, kind: str) -> Counter[str]:
        """How often each label stands in the rows of a task."""
        if kind == "tag":
            return Counter(each["label"] for row in self.tag for each in row["entities"])
        return Counter(each["label"] for row in self.relate for each in row["relations"])


@dataclass(frozen=True, slots=True)
class _Named:
    """A thing that a sentence names."""

    start: int
    end: int
    entity: Entity
    label: str


class Distant:
    """Makes rows of the texts that a knowledge base keeps.

    Args:
        kb: The knowledge base.
        ontology: Its classes.
        new: Facts that rows are made for: a row holds a relation among them, or names a thing that they class or name.
    """

    def __init__(self, kb: Reading, ontology: Ontology, new: Collection[Triple]) -> None:
        self._kb, self._ontology = kb, ontology
        self._new = frozenset(new)
        self._fresh = frozenset(each.subject for each in new if each.predicate == TYPE or each.predicate in LABELS)
        spec = EXTRACTORS.spec("gazetteer")
        known = Known(kb, ontology, kb.folder, {}, Bundles())
        self._names = EXTRACTORS.of(spec).build(spec, known)
        self._things: dict[str, Entity | None] = {}
        self._kinds: dict[Entity, tuple[Entity, ...]] = {}
        self._between: dict[tuple[Entity, Entity], tuple[Entity, ...]] = {}

    def rows(self, documents: Iterable[str], words: Words) -> Rows:
        """The rows of some documents, for a bundle with these labels; each sentence once."""
        found, seen = Rows(), set[str]()
        for document in documents:
            text = self._kb.document(document)
            for start, end in passages(text, "sentence"):
                sentence = text[start:end]
                if sentence not in seen:
                    seen.add(sentence)
                    (own,) = self._names.extract([Text(document, sentence)], [Seen()])
                    self._add(found, sentence, self._named(sentence, own.spots, words), words)
        return found

    def _named(self, text: str, spots: Sequence[Spot], words: Words) -> list[_Named]:
        """The things that a sentence names, by their places in the text; a name of several things is passed over."""
        found = []
        for each in spots:
            entity = self._meant(text[each.start : each.end])
            if entity is not None:
                found.append(_Named(each.start, each.end, entity, self._label(entity, words)))
        return found

    def _meant(self, name: str) -> Entity | None:
        """The one thing of a name."""
        if name not in self._things:
            schema = self._ontology.classes | self._ontology.properties
            found = [each for each in self._kb.find(name) if each not in schema]
            self._things[name] = found[0] if len(found) == 1 else None
        return self._things[name]

    def _label(self, entity: Entity, words: Words) -> str:
        """What the bundle calls a thing: by the nearest of its classes that it has a label for; empty: nothing."""
        if entity not in self._kinds:
            own = (each.object for each in self._kb.triples(entity, TYPE))
            self._kinds[entity] = tuple(sorted(each for each in own if isinstance(each, Entity)))
        fitting = [
            kind for kind in words.classes if any(kind in self._ontology.supers(each) for each in self._kinds[entity])
        ]
        nearest = [each for each in fitting if not any(
            each != other and each in self._ontology.supers(other) for other in fitting)]  # fmt: skip
        return words.classes[min(nearest)] if nearest else ""

    def _add(self, found: Rows, sentence: str, named: Sequence[_Named], words: Words) -> None:
        labelled = [each for each in named if each.label]
        if any(each.entity in self._fresh for each in labelled):
            found.tag.append({"text": sentence, "entities": [_entity(each) for each in labelled]})
        if words.properties and len(named) > 1:
            relations = list(self._relations(named, words))
            if any(is_new for _, is_new in relations):
                told = [each for each, _ in relations]
                found.relate.append({"text": sentence, "entities": list(map(_entity, named)), "relations": told})

    def _relations(self, named: Sequence[_Named], words: Words) -> Iterator[tuple[dict[str, Any], bool]]:
        """Relations between the things of a sentence, and whether the fact is new; of several between two the first."""
        for head, one in enumerate(named):
            for tail, other in enumerate(named):
                if one.entity == other.entity:
                    continue
                holding = [each for each in self._properties(one.entity, other.entity) if each in words.properties]
                if holding:
                    fact = Triple(one.entity, holding[0], other.entity)
                    yield {"head": head, "tail": tail, "label": words.properties[holding[0]]}, fact in self._new

    def _properties(self, one: Entity, other: Entity) -> tuple[Entity, ...]:
        key = (one, other)
        if key not in self._between:
            self._between[key] = tuple(sorted(each.predicate for each in self._kb.triples(one, None, other)))
        return self._between[key]


def _entity(named: _Named) -> dict[str, Any]:
    label = {"label": named.label} if named.label else {}
    return {"start": named.start, "end": named.end, **label}
