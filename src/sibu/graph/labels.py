"""Names for people: labels and aliases in several languages, and things found by them."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from sibu.core.errors import DataError, near_miss
from sibu.core.logic import Entity, Value
from sibu.core.names import RDFS, SKOS, STANDARD, Names
from sibu.graph._rdf import Node, Store, oxigraph, to_core, to_rdf
from sibu.graph.cells import entity_of, local_part
from sibu.graph.spoken import one_line, said_term

LABELS = tuple(Entity(iri) for iri in (SKOS + "prefLabel", RDFS + "label", SKOS + "altLabel"))
"""Properties whose texts name a thing, the best first; those of the last are aliases."""


def normal(text: str) -> str:
    """A text by which labels are compared: no case, no width, no difference of composition, single blanks."""
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).split())


class Labels:
    """The labels of a store."""

    def __init__(self, store: Store, names: Names, languages: Sequence[str]) -> None:
        self._store, self._names, self._languages = store, names, tuple(languages)
        library = oxigraph()
        self._default = library.DefaultGraph()
        self._properties: list[Node] = [library.NamedNode(each.iri) for each in LABELS]
        self._index: dict[str, set[Entity]] | None = None

    def of(self, entity: Entity) -> list[Value]:
        """Labels and aliases, labels first, those of the preferred languages first."""
        places = self._places(entity)
        return sorted(places, key=lambda value: (places[value] == 2, self._rank(value, self._languages), value))

    def best(self, entity: Entity, language: str = "") -> str:
        """The label to show, on one line: in the language, else a preferred one, without one, or any; else its name."""
        wanted = (language.lower(), *self._languages) if language else self._languages
        places = self._places(entity)
        if not places:
            return entity.iri if entity.iri.startswith("_:") else local_part(entity.iri)
        best = min(places, key=lambda value: (self._rank(value, wanted), places[value], value)).text
        return one_line(best) or local_part(entity.iri)

    def _places(self, entity: Entity) -> dict[Value, int]:
        """Labels, each with the place of the best property that has it."""
        node: Any = to_rdf(entity)
        found: dict[Value, int] = {}
        for place, named in enumerate(self._properties):
            for quad in self._store.quads_for_pattern(node, named, None, self._default):
                term = to_core(quad.object)
                if isinstance(term, Value):
                    found.setdefault(term, place)
        return found

    @staticmethod
    def _rank(value: Value, wanted: Sequence[str]) -> int:
        for place, language in enumerate(wanted):
            if value.language == language or value.language.startswith(f"{language}-"):
                return place
        return len(wanted) + bool(value.language)

    def find(self, text: str) -> list[Entity]:
        """Things with this label or alias: exactly so; where there is none, whatever the case, width and blanks."""
        exact = sorted(set(self._exact(text)))
        if exact:
            return exact
        if self._index is None:
            self._index = defaultdict(set)
            for value, entity in self.all():
                self._index[normal(value.text)].add(entity)
        return sorted(self._index.get(normal(text), ()))

    def _exact(self, text: str) -> Iterator[Entity]:
        library = oxigraph()
        try:
            plain = library.Literal(text)
        except ValueError:
            return
        tagged = [library.Literal(text, language=each) for each in dict.fromkeys((*self._languages, "en", "zh"))]
        for named in self._properties:
            for literal in (plain, *tagged):
                yield from _things(self._store.quads_for_pattern(None, named, literal, self._default))

    def all(self) -> Iterator[tuple[Value, Entity]]:
        """Every label and alias, with what it names."""
        for named in self._properties:
            for quad in self._store.quads_for_pattern(None, named, None, self._default):
                term, entity = to_core(quad.object), to_core(quad.subject)
                if isinstance(term, Value) and isinstance(entity, Entity):
                    yield term, entity

    def things(self) -> Iterator[Entity]:
        """Everything with an IRI that facts are about, or lead to, each once."""
        found: Any = self._store.query("SELECT DISTINCT ?x { { ?x ?p ?o } UNION { ?s ?p ?x } FILTER isIRI(?x) }")
        for row in found:
            yield Entity(row[0].value)

    # ---- what a user typed -----------------------------------------------------------------------------------------

    def resolve(self, given: str) -> Entity:
        """The thing that a user means: ``<iri>``, a whole IRI, ``prefix:name``, a name, or a label.

        Raises:
            DataError: When there is no such thing, or a label names several.
        """
        try:
            entity = entity_of(given, self._names)[0]
        except DataError as fault:
            raise DataError(f"{given!r} {str(fault).rstrip('.')}.") from None
        if self.knows(entity):
            return entity
        found = self.find(given.strip())
        if len(found) == 1:
            return found[0]
        if found:
            shown = ", ".join(said_term(each, self._names) for each in found[:8])
            raise DataError(f"{given!r} names {len(found)} things: {shown}. Give the name of one.")
        said = f"There is nothing named {given!r} here{self._why(given, entity)}. {self._near(given)}"
        raise DataError(said.rstrip())

    def knows(self, entity: Entity) -> bool:
        """Whether any statement is about a thing, by it, or leads to it."""
        node: Any = to_rdf(entity)
        patterns: list[tuple[Any, Any, Any]] = [(node, None, None), (None, None, node)]
        if isinstance(node, oxigraph().NamedNode):
            patterns.insert(1, (None, node, None))
        return any(next(self._store.quads_for_pattern(*each, None), None) is not None for each in patterns)

    def _why(self, given: str, entity: Entity) -> str:
        prefix, colon, _ = given.partition(":")
        if colon and prefix.isidentifier() and prefix not in {**STANDARD, **self._names.prefixes}:
            known = ", ".join(sorted({**STANDARD, **self._names.prefixes}))
            return f" (the prefix {prefix!r} is not known; known: {known})"
        return f" (as a name it stands for <{entity.iri}>)"

    def _near(self, given: str) -> str:
        labels = {value.text for value, _ in _first(self.all(), 3_000)}
        nodes = {quad.subject for quad in _first(self._store.quads_for_pattern(None, None, None, self._default), 3_000)}
        names = {self._names.short(node.value) for node in nodes if isinstance(node, oxigraph().NamedNode)}
        return near_miss(given, labels | names)


def _things(quads: Iterable[Any]) -> Iterator[Entity]:
    for quad in quads:
        entity = to_core(quad.subject)
        if isinstance(entity, Entity):
            yield entity


def _first(values: Iterable[Any], most: int) -> Iterator[Any]:
    return islice(iter(values), most)
