"""What a knowledge base's own ontology says of new facts: names of classes and properties, and what may not be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache

from sibu.core.errors import DataError
from sibu.core.logic import TYPE, Entity, Term, Value
from sibu.core.names import OWL, RDF, RDFS, XSD
from sibu.graph.cells import entity_of, local_part
from sibu.graph.labels import normal
from sibu.graph.reading import Reading

Either = tuple[Entity, ...]
"""Classes of which one is enough: a class, or the members of a union."""
_OWN = (RDF, RDFS, OWL, XSD)


def _of(name: str, space: str = RDFS) -> Entity:
    return Entity(space + name)


class Ontology:
    """What is declared, as far as facts that hold say it.

    Args:
        kb: The knowledge base.
        open_: Whether classes and properties may be new.
    """

    def __init__(self, kb: Reading, *, open_: bool) -> None:
        self._kb, self._open = kb, open_
        properties, classes = kb.relations()
        self.properties = frozenset(each for each in properties if not each.iri.startswith(_OWN))
        self.classes = frozenset(each for each in classes if not each.iri.startswith((*_OWN, "_:")))
        self._above = self._pairs(_of("subClassOf"), _of("equivalentClass", OWL))
        self._wider = self._pairs(_of("subPropertyOf"), _of("equivalentProperty", OWL))
        self._domains, self._ranges = self._sides("domain"), self._sides("range")
        self._apart = frozenset(self._disjoint())
        self.functional = frozenset(
            each.subject
            for each in kb.triples(None, TYPE, _of("FunctionalProperty", OWL))
            if isinstance(each.subject, Entity)
        )
        self._values = {each.subject for each in kb.triples(None, TYPE, _of("DatatypeProperty", OWL))}
        self._known = {True: self._by_name(self.classes), False: self._by_name(self.properties)}
        self.supers = cache(lambda kind: frozenset(_closed(kind, self._above)))
        self._supers_of_property = cache(lambda each: frozenset(_closed(each, self._wider)))

    def _pairs(self, up: Entity, both: Entity) -> dict[Entity, set[Entity]]:
        found: dict[Entity, set[Entity]] = defaultdict(set)
        for each in self._kb.triples(None, up):
            if isinstance(each.object, Entity):
                found[each.subject].add(each.object)
        for each in self._kb.triples(None, both):
            if isinstance(each.object, Entity):
                found[each.subject].add(each.object)
                found[each.object].add(each.subject)
        return found

    def _sides(self, name: str) -> dict[Entity, list[Either]]:
        found: dict[Entity, list[Either]] = defaultdict(list)
        for each in self._kb.triples(None, _of(name)):
            if isinstance(each.object, Entity):
                either = self._either(each.object)
                if either:
                    found[each.subject].append(either)
        return found

    def _either(self, kind: Entity) -> Either:
        """A class by itself, or the members of a union; none where it is something else without a name."""
        if not kind.iri.startswith("_:"):
            return (kind,) if kind.iri not in (OWL + "Thing", RDFS + "Resource") else ()
        for each in self._kb.triples(kind, _of("unionOf", OWL)):
            return tuple(self._items(each.object))
        return ()

    def _items(self, node: Term) -> Iterator[Entity]:
        seen = set()
        while isinstance(node, Entity) and node.iri != RDF + "nil" and node not in seen:
            seen.add(node)
            for each in self._kb.triples(node, _of("first", RDF)):
                if isinstance(each.object, Entity):
                    yield each.object
            node = next((each.object for each in self._kb.triples(node, _of("rest", RDF))), Entity(RDF + "nil"))

    def _disjoint(self) -> Iterator[frozenset[Entity]]:
        for each in self._kb.triples(None, _of("disjointWith", OWL)):
            if isinstance(each.object, Entity):
                yield frozenset((each.subject, each.object))
        for each in self._kb.triples(None, TYPE, _of("AllDisjointClasses", OWL)):
            for told in self._kb.triples(each.subject, _of("members", OWL)):
                members = list(self._items(told.object))
                yield from (frozenset((one, other)) for one in members for other in members if one < other)

    def _by_name(self, things: Iterable[Entity]) -> dict[str, Entity | None]:
        """By each name and label without case; None where it names several."""
        found: dict[str, Entity | None] = {}
        for thing in sorted(things):
            words = {normal(local_part(thing.iri)), *(normal(each.text) for each in self._kb.labels(thing))}
            for word in words:
                found[word] = thing if found.get(word, thing) == thing else None
        return found

    # ---- labels ----------------------------------------------------------------------------------------------------

    def named(self, label: str, *, is_class: bool) -> Entity | None:
        """The class or property that a label stands for; None where there is none, and none may be new."""
        try:
            entity = entity_of(label, self._kb.names)[0]
        except DataError:
            return None
        if entity in (self.classes if is_class else self.properties):
            return entity
        known = self._known[is_class].get(normal(label.replace("_", " ")))
        return known or (entity if self._open else None)

    # ---- what may not be -------------------------------------------------------------------------------------------

    def class_fault(self, kind: Entity, known: Iterable[Entity]) -> str:
        """Why a thing of these classes is not of another one too; empty where nothing speaks against it."""
        for each in known:
            if self.are_apart(kind, each):
                return f"no {self._said(each)} is a {self._said(kind)} (disjoint classes)"
        return ""

    def end_fault(self, prop: Entity, side: str, known: frozenset[Entity]) -> str:
        """Why a thing of these classes cannot stand at an end of a property; empty where nothing speaks against it.

        A thing whose classes are not known may stand anywhere; so may one of a wider class than the one that is asked.
        """
        sides = self._domains if side == "domain" else self._ranges
        for either in (each for wider in self._supers_of_property(prop) for each in sides.get(wider, ())):
            if any(each.iri.startswith(XSD) or each.iri == RDFS + "Literal" for each in either):
                return f"its {side} is a value, not a thing"
            fitting = [one for one in either if not any(self.are_apart(one, each) for each in known)]
            if not fitting or (known and not any(self._meets(one, each) for one in fitting for each in known)):
                wanted, given = " or ".join(map(self._said, either)), ", ".join(map(self._said, sorted(known)))
                return f"its {side} is {wanted}, not {given}"
        return "its values are no things" if side == "range" and prop in self._values else ""

    def value_fault(self, prop: Entity, value: Value) -> str:
        """Why a value cannot be one of a property; empty where nothing speaks against it."""
        for either in (each for wider in self._supers_of_property(prop) for each in self._ranges.get(wider, ())):
            if any(each.iri in (RDFS + "Literal", value.datatype) for each in either):
                continue
            if any(each.iri.startswith(XSD) for each in either):
                if value.number is not None and any(Value(value.text, each.iri).number is not None for each in either):
                    continue
                return f"its range is {' or '.join(map(self._said, either))}, not {local_part(value.datatype)}"
            return f"its range is {' or '.join(map(self._said, either))}, not a value"
        return ""

    def are_apart(self, one: Entity, other: Entity) -> bool:
        """Whether two classes are disjoint, by themselves or by wider ones."""
        return any(frozenset((a, b)) in self._apart for a in self.supers(one) for b in self.supers(other) if a != b)

    def is_a(self, kind: Entity, wider: Entity) -> bool:
        """Whether a class is another one, or below it."""
        return wider in self.supers(kind)

    def _meets(self, one: Entity, other: Entity) -> bool:
        return self.is_a(one, other) or self.is_a(other, one)

    def _said(self, kind: Entity) -> str:
        return self._kb.names.short(kind.iri)


def _closed(start: Entity, steps: dict[Entity, set[Entity]]) -> Iterator[Entity]:
    seen, waiting = {start}, [start]
    while waiting:
        each = waiting.pop()
        yield each
        for other in steps.get(each, ()):
            if other not in seen:
                seen.add(other)
                waiting.append(other)
