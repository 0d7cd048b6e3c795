"""What can be asked of an open knowledge base."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sibu.core.errors import DataError
from sibu.core.logic import Entity, Source, Status, Term, Triple, Value
from sibu.core.names import STANDARD, Names
from sibu.graph import asking, counting, searching
from sibu.graph._rdf import oxigraph, to_rdf, to_terms, to_triple
from sibu.graph.around import Neighbourhood, around
from sibu.graph.asking import Answer, Asker
from sibu.graph.documents import RuleFiles
from sibu.graph.folder import About
from sibu.graph.formats import format_of
from sibu.graph.journal import Version
from sibu.graph.labels import Labels
from sibu.graph.opening import Opened
from sibu.graph.published import sound
from sibu.graph.records import Record, is_record
from sibu.graph.searching import Diff
from sibu.graph.writing import write

if TYPE_CHECKING:
    from sibu.graph.columns import Columns
    from sibu.graph.statements import Statements


class Reading:
    """Facts, their sources, labels, documents and versions, as they are in the version that is open."""

    def __init__(self, opened: Opened, about: About) -> None:
        self._opened = opened
        self._about = about
        self._asker = Asker()
        self._labels: Labels | None = None
        self.rules = RuleFiles(opened.home)
        """Its rule files, by name."""

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self._opened.home

    @property
    def about(self) -> About:
        """Namespace, prefixes, languages."""
        return self._about

    @property
    def names(self) -> Names:
        """The short forms of its names."""
        return self._about.names

    @property
    def version(self) -> Version:
        """The version that is open."""
        return self._opened.version

    @property
    def store(self) -> Any:
        """The ``pyoxigraph.Store`` behind it, to be read: facts that hold stand in its default graph."""
        return self._opened.store

    # ---- asking ------------------------------------------------------------------------------------------------------

    def triples(
        self,
        subject: Entity | None = None,
        predicate: Entity | None = None,
        object: Term | None = None,  # noqa: A002  (as RDF calls it)
        *,
        status: Literal["holds"] | Status = "holds",
    ) -> Iterator[Triple]:
        """Facts of a pattern, each once; None: any.

        Args:
            subject: Of what.
            predicate: By which property.
            object: To what.
            status: Those that hold (asserted or derived), or those that a record of this status states.
        """
        pattern = tuple(None if each is None else to_rdf(each) for each in (subject, predicate, object))
        with sound(self.folder):
            yield from map(to_triple, searching.quads(self._opened, pattern, status))

    def holds(self, triple: Triple) -> bool:
        """Whether a fact holds: asserted or derived."""
        with sound(self.folder):
            return oxigraph().Quad(*to_terms(triple)) in self._opened.store

    def sources(self, triple: Triple, status: Status | None = None) -> list[Source]:
        """Who states a fact; of a status, or in whatever way but those that retracted it."""
        found = [record.source for record in self.records(triple)]
        return [each for each in found if each.status == status or (status is None and each.status != "retracted")]

    def records(self, triple: Triple) -> list[Record]:
        """Who states a fact, or did: with the reason where it was retracted, the earliest first."""
        with sound(self.folder):
            return searching.records(self._opened, triple)

    def statements(self, after: int = 0) -> Statements:
        """Who states what more than in a version before, or what no more, in bulk.

        Args:
            after: Number of that version; 0: all that is stated.
        """
        from sibu.graph.statements import Statements

        found = Statements(self._opened.records)
        with sound(self.folder):
            if after or not self._is_long():
                found.read(self._opened.journal, after, self.version.number)
            else:
                found.take_all(self._opened.store)
        return found

    def _is_long(self) -> bool:
        """Whether its history holds far more than there is now, so that the store is read in less time."""
        return sum(each.added + each.removed for each in self.versions()) > 3 * self.version.facts + 100_000

    def stated_as(
        self, status: Status, fact: Triple | tuple[Entity | None, Entity | None, Term | None]
    ) -> Iterator[Triple]:
        """Facts that records of a status state, as often as there are such records.

        Args:
            status: The status.
            fact: The fact, or subject, predicate and object; None: any.
        """
        terms = (fact.subject, fact.predicate, fact.object) if isinstance(fact, Triple) else fact
        pattern = tuple(None if each is None else to_rdf(each) for each in terms)
        if isinstance(pattern[1], oxigraph().BlankNode):
            return
        with sound(self.folder):
            for quad in self._opened.store.quads_for_pattern(*pattern, None):
                name = getattr(quad.graph_name, "value", "")
                if is_record(name) and self._opened.records.of(name).source.status == status:
                    yield to_triple(quad)

    def recorded(self) -> list[Source]:
        """The sources there are, or were: what those of one document and status share, without their places."""
        with sound(self.folder):
            return [record.source for _, record in self._opened.records.parents()]

    def said_by(self, wanted: Callable[[Source], bool]) -> Iterator[tuple[Triple, Source]]:
        """What some sources state, one by one, each with its source but for the time."""
        records = self._opened.records
        with sound(self.folder):
            for parent, record in records.parents():
                for graph in records.graphs(parent) if wanted(record.source) else ():
                    source = replace(records.of(graph).source, time="")
                    for quad in self._opened.store.quads_for_pattern(None, None, None, oxigraph().NamedNode(graph)):
                        yield to_triple(quad), source

    def told_by(self, document: str) -> Iterator[tuple[Triple, Record]]:
        """What a document's records state, those of what was retracted too."""
        records = self._opened.records
        with sound(self.folder):
            for parent, _ in list(records.parents(document)):
                for graph in list(records.graphs(parent)):
                    node = oxigraph().NamedNode(graph)
                    for quad in list(self._opened.store.quads_for_pattern(None, None, None, node)):
                        yield to_triple(quad), records.of(graph)

    def stated(self, wanted: Callable[[Source], bool]) -> Columns:
        """All that some sources state, in bulk, from the store."""
        from sibu.graph.statements import Statements

        found = Statements(self._opened.records)
        with sound(self.folder):
            for parent, record in self._opened.records.parents():
                if wanted(record.source):
                    for graph in self._opened.records.graphs(parent):
                        node = oxigraph().NamedNode(graph)
                        found.take_all(self._opened.store.quads_for_pattern(None, None, None, node))
        return found.net(wanted)[0]

    def query(self, sparql: str, *, seconds: float | None = 30.0, most: int = asking.MOST_ROWS) -> Answer:
        """Ask in SPARQL 1.1 over the facts that hold; ``GRAPH <urn:sibu:sources>`` tells of records.

        Args:
            sparql: SELECT, ASK, CONSTRUCT or DESCRIBE. Its prefixes are known, and ``:name`` is in the base namespace.
            seconds: When to stop it; it runs in a process of its own. None: it runs here, as long as it takes.
            most: Rows that the answer may have.

        Raises:
            DataError: When it cannot be read, or would change facts.
            QueryStopped: When the time is over, or the answer has more rows.
        """
        asking.check(sparql)
        if seconds is None:
            with sound(self.folder):
                return asking.asked(self._opened.store, sparql, self.names, most)
        return self._asker.ask(self._opened.place(), sparql, self.names, seconds, most)

    def relations(self) -> tuple[frozenset[Entity], frozenset[Entity]]:
        """The properties and the classes of the facts that hold, and those that are declared: by RDFS, by OWL."""
        with sound(self.folder):
            return counting.relations(self._opened, self.names)

    # ---- names for people --------------------------------------------------------------------------------------------

    @property
    def labelled(self) -> Labels:
        """Its labels: what names what, in which language."""
        if self._labels is None:
            self._labels = Labels(self._opened.store, self.names, self._about.languages)
        return self._labels

    def labels(self, entity: Entity) -> list[Value]:
        """Labels and aliases of a thing, labels first, those of the preferred languages first."""
        with sound(self.folder):
            return self.labelled.of(entity)

    def label(self, entity: Entity, language: str = "") -> str:
        """The label to show for a thing; where it has none, the end of its name."""
        with sound(self.folder):
            return self.labelled.best(entity, language)

    def find(self, label: str) -> list[Entity]:
        """Things with a label or alias: exactly so, else whatever the case, width and blanks."""
        with sound(self.folder):
            return self.labelled.find(label)

    def resolve(self, given: str) -> Entity:
        """The thing that a user means by a name, a short name, an IRI or a label.

        Raises:
            DataError: When there is none, or there are several.
        """
        with sound(self.folder):
            return self.labelled.resolve(given)

    def neighbourhood(self, entity: Entity, hops: int = 1, limit: int = 40, language: str = "") -> Neighbourhood:
        """What stands around a thing in the facts that hold.

        Args:
            entity: The thing.
            hops: Steps to go, from 1.
            limit: Most things to show.
            language: In which to show them, where they have a label in it.
        """
        if hops < 1 or limit < 2:
            raise DataError(f"A neighbourhood has at least 1 hop and 2 things, given {hops} and {limit}.")
        with sound(self.folder):
            return around(self._opened.store, entity, lambda each: self.label(each, language), hops, limit)

    # ---- documents, versions, files ----------------------------------------------------------------------------------

    def documents(self) -> dict[str, str]:
        """Sha256 of the text, by name, of every document whose text is kept."""
        return self._opened.documents.all()

    def document(self, name: str) -> str:
        """The text of a document.

        Raises:
            DataError: When none of this name is kept.
        """
        digest = self._opened.documents.digest(name)
        if not digest:
            raise DataError(f"No text of a document {name!r} is kept here.")
        return self._opened.documents.read(digest)

    def read_by(self, name: str) -> tuple[str, str]:
        """The sha256 of a document's text, and by what it was read (``Change.mark_read``); empty: there is none."""
        return self._opened.documents.digest(name), self._opened.documents.mark(name)

    def passage(self, record: Record) -> str | None:
        """The characters that a record points to, as they were when it was made; None where no text is kept."""
        source = record.source
        if source.start is None or source.end is None or not self._opened.documents.has(record.text):
            return None
        return self._opened.documents.read(record.text)[source.start : source.end]

    def text_of(self, record: Record) -> str:
        """The whole text of a record's document, as it was when it was made; empty where none is kept."""
        return self._opened.documents.read(record.text) if self._opened.documents.has(record.text) else ""

    def versions(self) -> list[Version]:
        """Every version from 0, up to the one that is open, each checked against the next."""
        return [each for each in self._opened.journal.all() if each.number <= self.version.number]

    def diff(self, before: int | str, after: int | str) -> Diff:
        """Which facts hold in one version and not in another."""
        return searching.diff(self._opened.journal, before, after)

    def returned(self, before: int) -> list[tuple[Triple, Record]]:
        """Facts that hold and did not in a version before, though one had retracted them: each with its last record.

        Args:
            before: Number of that version.
        """
        with sound(self.folder):
            return searching.returned(self._opened, before)

    def export(self, path: str | Path, format: str | None = None, *, all: bool = False) -> int:  # noqa: A002
        """Write what holds to a file.

        Args:
            path: The file.
            format: ``turtle``, ``ntriples``, ``jsonld``, ``rdfxml``, ``tsv``, ``csv``; None: by its name.
            all: Also what does not hold, with all records (``nquads``, ``trig``, ``jsonld``); it can be loaded again.

        Returns:
            How many statements were written.
        """
        file = Path(path)
        form = format_of(file, format)
        graph = None if all else oxigraph().DefaultGraph()
        prefixes = {"": self.names.base, **STANDARD, **self._about.prefixes}
        with sound(self.folder):
            quads = self._opened.store.quads_for_pattern(None, None, None, graph)
            return write(file, form, quads, prefixes, graphs=all)

    def stats(self) -> dict[str, Any]:
        """How much there is of what: facts, statements by status, classes, properties, documents, bytes."""
        with sound(self.folder):
            return counting.stats(self._opened, self._about, self.rules)
