"""Records of sources: each is a named graph that holds what the source states.

A record has two parts: what many statements share (document, extractor, version, status, ...), told once in the graph
``urn:sibu:sources``, and where exactly each stands (row, passage, confidence), which its own name tells. So a table of
a million rows costs one statement a row::

    urn:sibu:source:3f1c...           document, table, extractor, version, time, status
    urn:sibu:source:3f1c...:r17       row 17 of it          <...:r17> sibu:of <...>
    urn:sibu:source:3f1c...:s120:e148:p0.87    characters 120 to 148 of it, with confidence 0.87
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, get_args

from sibu.core.errors import DataError
from sibu.core.logic import Source, Status
from sibu.core.names import SIBU
from sibu.graph._rdf import Quad, Store, oxigraph
from sibu.store.hashes import hash_json

SOURCES = SIBU + "sources"
"""The graph that tells of records and documents."""
RECORD = SIBU + "source:"
OF = SIBU + "of"
HOLDS = frozenset(("asserted", "derived"))
"""Statuses whose facts hold."""
_SHARED = ("document", "table", "extractor", "version", "time", "status")
_OWN = ("text", "why", "former", "ended")
_PLACE = re.compile(r"(:r(?P<row>\d+))?(:s(?P<start>\d+))?(:e(?P<end>\d+))?(:p(?P<confidence>[\d.e+-]+))?")


@dataclass(frozen=True, slots=True)
class Record:
    """A source with what the knowledge base knows beyond it."""

    source: Source
    text: str = ""
    """Sha256 of the document's text or file."""
    why: str = ""
    """Where it is retracted: why."""
    former: str = ""
    """Where it is retracted: the record that stated it before."""
    ended: str = ""
    """Where it is retracted: when, ISO 8601 in UTC."""

    @property
    def shared(self) -> tuple[str, ...]:
        """What many share."""
        source = self.source
        whence = (source.document, source.table, source.extractor, source.version, source.time, source.status)
        return (*whence, self.text, self.why, split(self.former)[0], self.ended)

    @property
    def parent(self) -> str:
        """The name of what many share, where it was never told of with another time."""
        return RECORD + hash_json(self.shared)[:20]

    @property
    def place(self) -> str:
        """What its name has behind that of its parent."""
        source = self.source
        parts = (("r", source.row), ("s", source.start), ("e", source.end))
        found = "".join(f":{sign}{number}" for sign, number in parts if number is not None)
        return found if source.confidence == 1.0 else f"{found}:p{source.confidence!r}"

    def to_json(self) -> dict[str, Any]:
        """The source, and why and when it was retracted."""
        own = {"why": self.why, "ended": self.ended}
        return self.source.to_json() | {name: value for name, value in own.items() if value}


def check_source(source: Source) -> str:
    """What is wrong with a source; empty where nothing is."""
    if not source.document.strip():
        return "its source names no document"
    if source.status not in get_args(Status):
        return f"its source has the status {source.status!r}; allowed: {', '.join(get_args(Status))}"
    if not 0 <= source.confidence <= 1:
        return f"its source has the confidence {source.confidence!r}; it lies from 0 to 1"
    start, end, row = source.start, source.end, source.row
    if any(number is not None and number < 0 for number in (start, end, row)):
        return f"its source has a place below 0 (start {start}, end {end}, row {row})"
    if start is not None and end is not None and end < start:
        return f"its source ends at {end}, before it starts at {start}"
    try:
        "".join((source.document, source.table, source.extractor, source.version, source.time)).encode()
    except UnicodeEncodeError:
        return "its source has half a character (a lone surrogate)"
    return ""


def is_record(graph: str) -> bool:
    """Whether a graph's name is that of a record."""
    return graph.startswith(RECORD)


def split(name: str) -> tuple[str, str]:
    """A record's name as its parent's and the rest."""
    end = len(RECORD) + 20
    return name[:end], name[end:]


class Records:
    """The records of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._parents: dict[str, Record] = {}
        self._sources = oxigraph().NamedNode(SOURCES)

    def of(self, name: str) -> Record:
        """The record of a name."""
        parent, place = split(name)
        found = self.find(parent)
        if found is None:
            raise DataError(f"{parent} is no record of this knowledge base: nothing tells of it in {SOURCES}.")
        return placed(found, place, name) if place else found

    def find(self, parent: str) -> Record | None:
        """The shared part of a name; None where nothing tells of it."""
        if parent not in self._parents:
            found = self._read(parent)
            if found is None:
                return None
            self._parents[parent] = found
        return self._parents[parent]

    def parents(self, document: str | None = None) -> Iterator[tuple[str, Record]]:
        """Every shared part, with its name; of one document, or all."""
        library = oxigraph()
        wanted = None if document is None else library.Literal(document)
        told = library.NamedNode(SIBU + "document")
        found = {quad.subject.value for quad in self._store.quads_for_pattern(None, told, wanted, self._sources)}
        for name in sorted(found):
            if is_record(name):
                yield name, self.of(name)

    def graphs(self, parent: str) -> Iterator[str]:
        """The graphs of a shared part: itself, and those with a place of their own."""
        library = oxigraph()
        yield parent
        children = self._store.quads_for_pattern(None, library.NamedNode(OF), library.NamedNode(parent), self._sources)
        for quad in children:
            yield quad.subject.value

    def graphs_with(self, status: str, most: int | None) -> list[str]:
        """Graphs of a status that state something, at most so many; None: all."""
        library = oxigraph()
        told = library.NamedNode(SIBU + "status"), library.Literal(status)
        found: list[str] = []
        for quad in self._store.quads_for_pattern(None, *told, self._sources):
            parent = quad.subject.value
            rest = None if most is None else most - len(found)
            found += islice((name for name in self.graphs(parent) if self._states(name)), rest)
            if most is not None and len(found) >= most:
                break
        return found

    def _states(self, graph: str) -> bool:
        node = oxigraph().NamedNode(graph)
        return next(self._store.quads_for_pattern(None, None, None, node), None) is not None

    def _read(self, parent: str) -> Record | None:
        library = oxigraph()
        told: dict[str, str] = {}
        for quad in self._store.quads_for_pattern(library.NamedNode(parent), None, None, self._sources):
            told[quad.predicate.value.removeprefix(SIBU)] = quad.object.value
        if "document" not in told:
            return None
        shared: Any = {name: told[name] for name in _SHARED if name in told}
        return Record(Source(**shared), **{name: told[name] for name in _OWN if name in told})


def placed(record: Record, place: str, name: str) -> Record:
    """A shared part at the place that the rest of a name tells.

    Raises:
        DataError: When the rest tells none.
    """
    found = _PLACE.fullmatch(place)
    if not found:
        raise DataError(f"{name} is no record's name: {place!r} tells no place.")
    numbers: dict[str, Any] = {key: int(found[key]) for key in ("row", "start", "end") if found[key] is not None}
    if found["confidence"] is not None:
        numbers["confidence"] = float(found["confidence"])
    source = replace(record.source, **numbers)
    former = record.former + place if record.former else ""
    return replace(record, source=source, former=former)


def told(parent: str, record: Record) -> list[Quad]:
    """The statements that tell of a shared part."""
    library = oxigraph()
    subject, graph = library.NamedNode(parent), library.NamedNode(SOURCES)
    shared = {name: getattr(record.source, name) for name in _SHARED}
    own = {"text": record.text, "why": record.why, "former": split(record.former)[0], "ended": record.ended}
    return [
        library.Quad(subject, library.NamedNode(SIBU + name), library.Literal(value), graph)
        for name, value in (shared | own).items()
        if value
    ]
