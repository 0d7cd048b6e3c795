"""What stands around a thing: the things that facts lead to, and from, within some steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sibu.core.logic import TYPE, Entity, Triple, Value
from sibu.graph._rdf import Store, oxigraph, to_core, to_rdf, to_triple
from sibu.graph.labels import LABELS

MOST_OF_ONE = 200
"""Facts of one thing, in each direction, that are looked at: a class may have a million members."""


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing in a neighbourhood."""

    entity: Entity
    label: str
    hops: int
    """Steps from the middle."""
    via: Entity | None = None
    """The thing that it was found from; None: it is the middle."""
    classes: tuple[str, ...] = ()
    """Labels of its classes."""
    values: tuple[tuple[str, str], ...] = ()
    """Labels of properties, and the texts that they have."""


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Things around one, the middle first, and the facts between them."""

    things: tuple[Thing, ...]
    facts: tuple[Triple, ...]
    relations: dict[Entity, str] = field(default_factory=dict)
    """Label of each property."""
    cut: bool = False
    """Whether there are more things than are here."""

    @property
    def via(self) -> dict[Entity, Entity | None]:
        """From which thing each was found."""
        return {thing.entity: thing.via for thing in self.things}


def around(store: Store, entity: Entity, label: Callable[[Entity], str], hops: int, limit: int) -> Neighbourhood:
    """The neighbourhood of a thing in the facts that hold.

    Args:
        store: The store.
        entity: The middle.
        label: What to show for a thing.
        hops: Steps to go.
        limit: Most things, with the middle.

    Returns:
        The nearest things; classes and values stand with each thing, not as things of their own.
    """
    found: dict[Entity, tuple[int, Entity | None]] = {entity: (0, None)}
    facts: dict[Triple, None] = {}
    cut, ring = False, [entity]
    for hop in range(1, hops + 1):
        coming: list[Entity] = []
        ways = [_neighbours(store, each) for each in ring]
        for source, (fact, other) in _in_turn(ring, ways):
            if other in found:
                facts[fact] = None
            elif len(found) >= limit:
                cut = True
            else:
                found[other] = (hop, source)
                facts[fact] = None
                coming.append(other)
        ring = coming
    facts.update(dict.fromkeys(_between(store, found)))
    things = tuple(_thing(store, each, hop, via, label) for each, (hop, via) in found.items())
    relations = {fact.predicate: label(fact.predicate) for fact in facts}
    return Neighbourhood(things, tuple(facts), relations, cut)


def _in_turn(ring: list[Entity], ways: list[Iterator[tuple[Triple, Entity]]]) -> Iterator[tuple[Entity, Any]]:
    """One neighbour of each thing after the other, so that none takes all the room."""
    left = list(zip(ring, ways, strict=True))
    while left:
        still = []
        for source, way in left:
            step = next(way, None)
            if step is not None:
                yield source, step
                still.append((source, way))
        left = still


def _neighbours(store: Store, entity: Entity) -> Iterator[tuple[Triple, Entity]]:
    node: Any = to_rdf(entity)
    default = oxigraph().DefaultGraph()
    for pattern in ((node, None, None), (None, None, node)):
        for quad in islice(store.quads_for_pattern(*pattern, default), MOST_OF_ONE):
            fact = to_triple(quad)
            other = fact.object if pattern[0] is not None else fact.subject
            if isinstance(other, Entity) and fact.predicate != TYPE and other != entity:
                yield fact, other


def _between(store: Store, found: dict[Entity, Any]) -> Iterator[Triple]:
    """Facts between things that were found by other ways."""
    for entity in found:
        for fact, other in _neighbours(store, entity):
            if other in found:
                yield fact


def _thing(store: Store, entity: Entity, hop: int, via: Entity | None, label: Callable[[Entity], str]) -> Thing:
    node: Any = to_rdf(entity)
    classes, values = [], []
    for quad in islice(store.quads_for_pattern(node, None, None, oxigraph().DefaultGraph()), MOST_OF_ONE):
        predicate, what = to_core(quad.predicate), to_core(quad.object)
        assert isinstance(predicate, Entity)
        if predicate == TYPE and isinstance(what, Entity):
            classes.append(label(what))
        elif isinstance(what, Value) and predicate not in LABELS:
            values.append((label(predicate), what.text))
    return Thing(entity, label(entity), hop, via, tuple(sorted(classes)), tuple(sorted(values)))
