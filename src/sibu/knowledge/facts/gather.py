"""Facts of a knowledge base in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

from sibu.core.logic import TYPE, Entity, Term, Triple
from sibu.core.names import OWL, PROV, RDF, RDFS, SHACL, SIBU, SKOS
from sibu.graph import KnowledgeBase
from sibu.graph.spoken import said_triple

LANGUAGES = ("en", "zh")
"""In which facts are told."""
_IS_A = {"en": "is a", "zh": "是一种"}
_ABOUT_WORDS = (RDF, RDFS, OWL, SKOS, SHACL, PROV, SIBU)
"""Namespaces of what says how things are called and what words mean."""
SOURCES = 3
"""Sources that are told of a fact."""


class Wording:
    """Words the facts of a knowledge base.

    Args:
        base: The knowledge base.
        predicates: Properties whose facts are wanted; None: all.
        each: Most facts about one thing, of each direction.
    """

    def __init__(self, base: KnowledgeBase, predicates: Iterable[Entity] | None, each: int) -> None:
        self.base, self.each = base, each
        self.predicates = None if predicates is None else frozenset(predicates)
        self._label = lru_cache(maxsize=50_000)(base.label)

    def of(self, entity: Entity) -> list[dict[str, Any]]:
        """The facts about a thing: ``words`` by language, ``ends`` (what they are about), ``fact``, ``sources``."""
        own = islice((each for each in self.base.triples(subject=entity) if self._wanted(each)), self.each)
        to = (each for each in self.base.triples(object=entity) if each.predicate != TYPE and self._wanted(each))
        found = dict.fromkeys([*own, *islice(to, self.each)])
        return [self._told(triple) for triple in found]

    def _wanted(self, triple: Triple) -> bool:
        if self.predicates is not None:
            return triple.predicate in self.predicates
        if triple.predicate == TYPE:
            return isinstance(triple.object, Entity) and not triple.object.iri.startswith(_ABOUT_WORDS)
        return not triple.predicate.iri.startswith(_ABOUT_WORDS)

    def _told(self, triple: Triple) -> dict[str, Any]:
        ends = [term.iri for term in (triple.subject, triple.object) if isinstance(term, Entity)]
        words = {language: " ".join(self._worded(triple, language)) for language in LANGUAGES}
        sources = [source.to_json() for source in self.base.sources(triple)[:SOURCES]]
        return {"words": words, "ends": ends, "fact": said_triple(triple, self.base.names), "sources": sources}

    def _worded(self, triple: Triple, language: str) -> Iterator[str]:
        yield self._term(triple.subject, language)
        is_a = triple.predicate == TYPE
        yield _IS_A[language] if is_a else self._term(triple.predicate, language).replace("_", " ")
        yield self._term(triple.object, language)

    def _term(self, term: Term, language: str) -> str:
        return str(self._label(term, language)) if isinstance(term, Entity) else term.text
