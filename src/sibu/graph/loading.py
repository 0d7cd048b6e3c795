"""Files into a version: what each states gets a record, and a document's new text takes the place of its old one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sibu.core.errors import DataError
from sibu.core.logic import Source, Triple
from sibu.graph._rdf import Blanks, named, oxigraph, to_terms, to_triple
from sibu.graph.draft import Draft
from sibu.graph.formats import Format, Parsed, format_of, opened
from sibu.graph.records import HOLDS, OF, RECORD, SOURCES, Record, check_source, is_record, placed, split
from sibu.store.hashes import hash_file

Tell = Callable[[int], None]
"""Told how many facts more were read."""
_STEP = 10_000


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of a file."""

    document: str
    facts: int
    """Facts that it states, each as often as it does."""
    prefixes: dict[str, str]
    """Prefixes that it declares."""


class Loading:
    """A file on its way into a version."""

    def __init__(self, draft: Draft, source: Source, content: str, *, update: bool, tell: Tell) -> None:
        """Begin.

        Args:
            draft: The version.
            source: What is told of the file; row, passage and time are its facts' own.
            content: Sha256 of the file.
            update: It may take the place of an earlier file of this name.
            tell: Told how far it is.

        Raises:
            DataError: When a file of this name was loaded with other content, and it is no update.
        """
        if said := check_source(source):
            raise DataError(f"{said}.")
        self._draft, self._source, self._content, self._tell = draft, source, content, tell
        self._former = list(self._earlier())
        self._shared = ""
        self.facts = 0
        if self._former and not update:
            _, record = self._former[0]
            when = f"{record.source.time}, sha256 {record.text[:12]}"
            how = "with other content" if record.text != content else "by another mapping"
            mend = "Give this one another name as its document, or say that it is an update of that one."
            raise DataError(f"{source.document} was loaded {how} ({when}). {mend} Nothing was loaded.")

    def _earlier(self) -> Iterator[tuple[str, Record]]:
        """Shared parts of this document's files of other content, or read in another way, that state something yet."""
        records = self._draft.records
        for name, record in records.parents(self._source.document):
            stands = record.text != "" and record.source.status in ("asserted", "hypothesis")
            if stands and not self._is_own(record) and any(map(self._any, records.graphs(name))):
                yield name, record

    def _any(self, graph: str) -> bool:
        return next(self._draft.statements_of(graph), None) is not None

    def rdf(self, path: Path, form: Format, base: str) -> Loaded:
        """Have the file's record state what it says; in a file with graphs each has a record of its own.

        A file that this knowledge base or another wrote with its records gets the very records back.
        """
        parsed = Parsed(path, form, base)
        if form.graphs:
            records = restored(Parsed(path, form, base))
            if records:
                self._restore(parsed, records)
                return self._loaded(parsed)
        self._shared = self._draft.shared(self._record())
        holds = self._source.status in HOLDS
        default = oxigraph().DefaultGraph()
        graphs: dict[Any, Any] = {default: self._draft.placed(self._shared, self._record().place)}
        for subject, predicate, what, graph in self._told(named(iter(parsed), Blanks(self._content[:12]))):
            if graph not in graphs:
                own = replace(self._record(), source=replace(self._source, table=graph.value))
                graphs[graph] = self._draft.record(own)
            self._draft.state(subject, predicate, what, graphs[graph], holds=holds)
        return self._loaded(parsed)

    def rows(self, facts: Iterable[tuple[Triple, int]]) -> Loaded:
        """Have each row's record state its facts."""
        self._shared = self._draft.shared(self._record())
        holds = self._source.status in HOLDS
        sure, last, graph = self._record().place, -1, None
        for triple, row in self._told(facts):
            if row != last:
                last = row
                graph = self._draft.placed(self._shared, f":r{row}{sure}")
            assert graph is not None
            self._draft.state(*to_terms(triple), graph, holds=holds)
        return self._loaded(None)

    def _record(self) -> Record:
        return Record(self._source, self._content)

    def _told(self, things: Iterable[Any]) -> Iterator[Any]:
        for thing in things:
            self.facts += 1
            if self.facts % _STEP == 0:
                self._tell(_STEP)
            yield thing
        self._tell(self.facts % _STEP)

    def _loaded(self, parsed: Parsed | None) -> Loaded:
        if not self.facts:
            raise DataError(f"{self._source.document} states no fact. Nothing was loaded.")
        for name, _ in self._former:
            self._supersede(name)
        return Loaded(self._source.document, self.facts, parsed.prefixes if parsed else {})

    def _supersede(self, name: str) -> None:
        """Retract what the document said and says no more; what it still says is of its new text now."""
        document = self._source.document
        for graph in self._draft.records.graphs(name):
            for quad in self._draft.statements_of(graph):
                terms = list(quad)[:3]
                still = any(self._is_new(other) for other in self._draft.graphs(*terms))
                if still:
                    self._draft.unstate(quad)
                else:
                    self._draft.retract(quad, f"no longer in {document}")

    def _is_new(self, graph: str) -> bool:
        record = self._draft.records.of(graph)
        return record.source.document == self._source.document and self._is_own(record)

    def _is_own(self, record: Record) -> bool:
        """Whether a record of this document is of this very content, read in this very way."""
        return (record.text, record.source.version) == (self._content, self._source.version)

    # ---- what was exported with its records ------------------------------------------------------------------------

    def _restore(self, parsed: Parsed, records: dict[str, Record]) -> None:
        default, library = oxigraph().DefaultGraph(), oxigraph()
        for name, record in records.items():
            self._draft.restore(name, record)
        blanks = Blanks(self._content[:12])
        for subject, predicate, what, graph in named(iter(parsed), blanks):
            if graph == default:
                continue  # what holds follows from the records
            name = graph.value
            if name == SOURCES:
                if subject.value.startswith(RECORD) or predicate.value == OF:
                    continue
                self._draft.tell([library.Quad(subject, predicate, what, graph)])
                continue
            shared, place = split(name)
            if not is_record(name) or shared not in records:
                said = f"the graph {name} has no record in {SOURCES}"
                raise DataError(f"{parsed.path}: {said}, though others have. Nothing was loaded.")
            self.facts += 1
            record = placed(records[shared], place, name)
            self._draft.state(
                subject, predicate, what, self._draft.placed(shared, place), holds=record.source.status in HOLDS
            )
        self._tell(self.facts)


class Loader:
    """Takes files into a version."""

    def __init__(self, draft: Draft, base: str) -> None:
        self._draft, self._base = draft, base
        self.prefixes: dict[str, str] = {}
        """Prefixes that the files declare."""

    def __call__(
        self,
        file: Path,
        format: str | None = None,  # noqa: A002
        *,
        source: Source | None = None,
        update: bool = False,
        tell: Tell = lambda _: None,
        facts: Iterable[tuple[Triple, int]] | None = None,
    ) -> Loaded:
        """Take in a file.

        Args:
            file: The file.
            format: Its format; None: by its name.
            source: What is told of it; None: its name is the document's.
            update: It may take the place of another file of this document.
            tell: Told how many facts more were read.
            facts: Of a table: its facts, each with its row; None: the file is RDF.

        Raises:
            DataError: When it cannot be read.
        """
        form = format_of(file, format)
        if facts is None and not form.rdf:
            raise DataError(f"{file} is a table ({form.name}), no RDF; `sibu kb add` reads tables.")
        with opened(file):  # says what is wrong where there is none
            pass
        loading = Loading(self._draft, source or Source(file.name), hash_file(file), update=update, tell=tell)
        loaded = loading.rdf(file, form, self._base) if facts is None else loading.rows(facts)
        self.prefixes.update(loaded.prefixes)
        return loaded


def restored(quads: Iterable[Any]) -> dict[str, Record]:
    """The records that a file tells of, by the names of their shared parts; empty where it tells of none.

    Raises:
        DataError: When a record is none.
    """
    told: dict[str, dict[str, str]] = {}
    for quad in quads:
        if getattr(quad.graph_name, "value", "") == SOURCES and quad.subject.value.startswith(RECORD):
            own = told.setdefault(split(quad.subject.value)[0], {})
            own[quad.predicate.value.removeprefix("urn:sibu:")] = quad.object.value
    found = {}
    for name, own in told.items():
        own.pop("of", None)
        try:
            rest = {key: own.pop(key) for key in ("text", "why", "former", "ended") if key in own}
            record = Record(Source(**own), **rest)  # type: ignore[arg-type]
        except TypeError as fault:
            raise DataError(f"{name} is no record ({fault}). Nothing was loaded.") from fault
        if said := check_source(record.source):
            raise DataError(f"{name}: {said}. Nothing was loaded.")
        found[name] = record
    return found


def triples_of(path: Path, base: str) -> list[Triple]:
    """What a file of RDF says, without a knowledge base to take it; in whatever graph.

    Args:
        path: The file.
        base: Namespace of relative names.

    Raises:
        DataError: When it cannot be read: with line, column, and what is wrong.
    """
    form = format_of(path)
    if not form.rdf:
        raise DataError(f"{path} is a table ({form.name}), no RDF. Give Turtle, N-Triples, JSON-LD or RDF/XML.")
    with opened(path):  # says what is wrong where there is none
        pass
    blanks = Blanks(hash_file(path)[:12])
    return [to_triple(quad) for quad in named(iter(Parsed(path, form, base)), blanks)]
