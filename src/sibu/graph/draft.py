"""A version in the making: statements come and go in the writer's own store, and what they change is written down.

The facts that hold are kept by this alone: a fact stands in the store's default graph as long as one record states it
whose status is asserted or derived.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from sibu.graph._rdf import Graph, Node, Object, Quad, Store, oxigraph
from sibu.graph.journal import Changes
from sibu.graph.published import sound
from sibu.graph.records import HOLDS, OF, SOURCES, Record, Records, is_record, split, told
from sibu.store.atomic import disk_faults

MOST_PENDING = 200_000
"""Statements that are kept in memory before they go to the disk."""
_BULK = 20_000
"""From so many on, statements are sorted and written as files of their own."""


class Draft:
    """Changes to a store. What it is told is true at once, for its own questions too."""

    def __init__(self, home: Path, store: Store, records: Records, changes: Changes, time: str) -> None:
        self._home, self._store, self._changes = home, store, changes
        self.records = records
        self.time = time
        """When the version is made."""
        self.added = self.removed = self.statements = 0
        """Facts that hold since, facts that hold no more, and statements more (or less, below 0) than before."""
        self.changed = False
        """Whether something was written."""
        self._coming: dict[Quad, None] = {}
        self._going: dict[Quad, None] = {}
        self._unseen = False
        self._told: dict[tuple[str, ...], str] = {}
        self._emptied: set[Graph] = set()
        library = oxigraph()
        self._quad, self._name = library.Quad, library.NamedNode
        self._sources, self._of = library.NamedNode(SOURCES), library.NamedNode(OF)
        self._default = library.DefaultGraph()

    # ---- records ---------------------------------------------------------------------------------------------------

    def record(self, record: Record) -> Node:
        """The graph of a record, told of where it is new; one without a time is of now."""
        return self.placed(self.shared(record), record.place)

    def shared(self, record: Record) -> str:
        """The name of the part of a record that others share, told of where it is new."""
        found = self._told.get(record.shared)
        if found is None:
            found = self._told[record.shared] = self._named(record)
        return found

    def _named(self, record: Record) -> str:
        if record.source.time:  # it may be what was told of without a time, and is given back as it was read
            timeless = replace(record, source=replace(record.source, time="")).parent
            known = self.records.find(timeless)
            if known and known.source.time == record.source.time:
                return timeless
        name = record.parent
        if self.records.find(name) is None:
            time = record.source.time or self.time
            self.tell(told(name, replace(record, source=replace(record.source, time=time))))
        return name

    def restore(self, name: str, record: Record) -> None:
        """Tell of a shared part under the name that it had elsewhere."""
        if self.records.find(name) is None:
            self.tell(told(name, record))

    def placed(self, shared: str, place: str) -> Node:
        """The graph of a record of a shared part."""
        if place:
            child = self._name(shared + place)
            self._put(self._quad(child, self._of, self._name(shared), self._sources))
            return child
        return self._name(shared)

    def tell(self, quads: Iterable[Quad]) -> None:
        """Take up statements about records and documents, to be found at once."""
        for quad in quads:
            self._put(quad)
        self.flush()

    def untell(self, quads: Iterable[Quad]) -> None:
        """Drop statements about records and documents."""
        for quad in list(quads):
            self._take(quad)
        self.flush()

    # ---- facts -----------------------------------------------------------------------------------------------------

    def state(self, subject: Node, predicate: Node, what: Object, graph: Graph, *, holds: bool) -> None:
        """Have a record state a fact, which holds by it or not."""
        fact, stated = self._quad(subject, predicate, what), self._quad(subject, predicate, what, graph)
        self._unseen = True
        if holds and not self._going and fact not in self._coming and fact not in self._store:
            # most of a large file: what does not hold is stated by no record by which it would
            self._coming[fact] = self._coming[stated] = None
            self.added += 1
            self.statements += 1
            if len(self._coming) >= MOST_PENDING:
                self.flush()
            return
        self.added += holds and self._put(fact)
        self.statements += self._put(stated)

    def unstate(self, quad: Quad) -> None:
        """Have a record state a fact no more, and leave no trace but in the version."""
        subject, predicate, what, graph = quad
        if not self._take(quad):
            return
        self.statements -= 1
        self._emptied.add(graph)
        if not any(self.records.of(name).source.status in HOLDS for name in self.graphs(subject, predicate, what)):
            self.removed += self._take(self._quad(subject, predicate, what))

    def state_new(self, facts: Iterable[tuple[bytes, bytes, bytes]], graph: Graph, *, holds: bool) -> None:
        """Have a record state facts that nothing stated before, which is not looked up; each once.

        Args:
            facts: The three terms of each, as N-Triples writes them.
            graph: The record.
            holds: Whether they hold by it.
        """
        self.flush()
        end, every = f" {graph} .\n".encode(), iter(facts)
        while batch := list(islice(every, MOST_PENDING)):
            lines = [b"%b %b %b" % terms for terms in batch]
            stated = [line + end for line in lines]
            if holds:
                stated += [line + b" .\n" for line in lines]
                self.added += len(batch)
            self.statements += len(batch)
            self.changed = True
            whole = b"".join(stated)
            self._changes.added_lines(whole)
            library = oxigraph()
            with sound(self._home), disk_faults(self._home):
                self._store.bulk_extend(library.parse(whole, library.RdfFormat.N_QUADS))

    def move(self, subject: Node, predicate: Node, what: Object, former: Graph, graph: Graph) -> None:
        """Have another record state what one states; the fact holds as before."""
        if self._take(self._quad(subject, predicate, what, former)):
            self._emptied.add(former)
            self.statements += self._put(self._quad(subject, predicate, what, graph)) - 1
            self._unseen = True

    def retract(self, quad: Quad, why: str) -> None:
        """Have a record state a fact no more, and a retracted one that points to it state it instead."""
        subject, predicate, what, graph = quad
        former = self.records.of(graph.value)
        source = replace(former.source, status="retracted")
        ended = replace(former, source=source, why=why, former=graph.value, ended=self.time)
        unseen = self._unseen
        self.state(subject, predicate, what, self.record(ended), holds=False)
        self._unseen = unseen  # nobody asks for what is retracted, so it may stay in memory
        self.unstate(quad)

    def graphs(self, subject: Node, predicate: Node, what: Object) -> list[str]:
        """The records that state a fact."""
        if self._unseen:  # what is only in memory cannot be found by its terms
            self.flush()
        found = self._store.quads_for_pattern(subject, predicate, what, None)
        return [quad.graph_name.value for quad in found if _of_record(quad.graph_name) and quad not in self._going]

    def statements_of(self, graph: str) -> Iterator[Quad]:
        """What a record states now, whatever is changed while it is read."""
        self.flush()
        yield from self._store.quads_for_pattern(None, None, None, self._name(graph))

    def remake(self, quads: Iterable[Quad], *, added: bool) -> None:
        """Make a change of an earlier version again, or undo it: statements as they are written there."""
        for quad in quads:
            again = quad in (self._going if added else self._coming)  # what was just undone is made again
            if not (self._put(quad) if added else self._take(quad)):
                continue
            if quad.graph_name == self._default:
                if added != again:
                    self.added += -1 if again else 1
                else:
                    self.removed += -1 if again else 1
            elif _of_record(quad.graph_name):
                self.statements += 1 if added else -1
                if not added:
                    self._emptied.add(quad.graph_name)

    # ---- the store -------------------------------------------------------------------------------------------------

    def _put(self, quad: Quad) -> bool:
        """Add a statement; returns whether it is new."""
        if quad in self._coming:
            return False
        if quad in self._going:
            del self._going[quad]
            return True
        if quad in self._store:
            return False
        self._coming[quad] = None
        if len(self._coming) >= MOST_PENDING:
            self.flush()
        return True

    def _take(self, quad: Quad) -> bool:
        """Remove a statement; returns whether it was there."""
        if quad in self._coming:
            del self._coming[quad]
            return True
        if quad in self._going or quad not in self._store:
            return False
        self._going[quad] = None
        if len(self._going) >= MOST_PENDING:
            self.flush()
        return True

    def flush(self) -> None:
        """Bring what is in memory to the store and to the file of the version."""
        if self._going:
            self._changes.removed(self._going)
        if self._coming:
            self._changes.added(self._coming)
        self.changed = self.changed or bool(self._going or self._coming)
        with sound(self._home), disk_faults(self._home):
            _apply(self._store, self._going, self._coming)
        self._going, self._coming, self._unseen = {}, {}, False

    def finish(self) -> None:
        """Bring all to the store, and forget the graphs of records that state nothing any more."""
        self.flush()
        for graph in self._emptied:
            if not _any(self._store, graph) and split(str(graph.value))[1]:
                self._take(self._quad(graph, self._of, self._name(split(graph.value)[0]), self._sources))
        self.flush()
        _forget_empty(self._store, self._emptied)


def replay(home: Path, store: Store, changes: Iterable[tuple[bool, list[Quad]]]) -> None:
    """Make the changes of a version in a store; what of them is made already stays."""
    touched: set[Any] = set()
    with sound(home), disk_faults(home):
        for added, quads in changes:
            _apply(store, () if added else quads, quads if added else ())
            if not added:
                touched.update(quad.graph_name for quad in quads)
        _forget_empty(store, touched)


def _apply(store: Store, going: Iterable[Quad], coming: Iterable[Quad]) -> None:
    for quad in going:
        store.remove(quad)
    listed = list(coming)
    if len(listed) >= _BULK:
        store.bulk_extend(listed)
    elif listed:
        store.extend(listed)


def _forget_empty(store: Store, graphs: Iterable[Graph]) -> None:
    """A store lists graphs that have nothing left, unless it is told."""
    for graph in graphs:
        if _of_record(graph) and not _any(store, graph):
            store.remove_graph(graph)


def _any(store: Store, graph: Any) -> bool:
    return next(store.quads_for_pattern(None, None, None, graph), None) is not None


def _of_record(graph: Any) -> bool:
    return is_record(getattr(graph, "value", ""))
