"""What may be done to a knowledge base within one version, in the words of ``core``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sibu.core.errors import DataError, counted
from sibu.core.logic import Source, Triple
from sibu.core.names import Names
from sibu.graph._rdf import Quad, is_text, oxigraph, to_terms
from sibu.graph.documents import Documents, hash_text
from sibu.graph.draft import Draft
from sibu.graph.records import HOLDS, Record, check_source
from sibu.graph.spoken import said_triple

if TYPE_CHECKING:
    from sibu.graph.columns import Columns


@dataclass(frozen=True, slots=True)
class Restated:
    """What changed where a document stated facts anew."""

    came: int
    """Statements that it did not make before."""
    kept: int
    """Statements that stay as they were."""
    went: int
    """Statements that it makes no more."""


class Change:
    """A version in the making. All of it comes to be, or nothing."""

    def __init__(self, draft: Draft, documents: Documents, names: Names) -> None:
        self._draft, self._documents, self._names = draft, documents, names
        self._texts: dict[str, str] = {}

    def state(self, facts: Iterable[tuple[Triple, Source]]) -> None:
        """Have sources state facts. What a source states already stays as it is.

        Args:
            facts: Facts and their sources. One whose time is empty is of now, or of when it was first named. A source
                whose document has a text here keeps which text it was.

        Raises:
            DataError: When a fact or a source is none; says which.
        """
        for number, (triple, source) in enumerate(facts, 1):
            said = check_source(source)
            if source.status == "retracted":
                said = "its source has the status 'retracted'; state it, then retract it with a reason"
            if said:
                raise DataError(f"Fact {number} ({said_triple(triple, self._names)}): {said}. Nothing was changed.")
            try:
                terms = to_terms(triple)
            except DataError as fault:
                raise DataError(f"Fact {number}: {fault} Nothing was changed.") from fault
            graph = self._draft.record(Record(source, self._text_of(source.document)))
            self._draft.state(*terms, graph, holds=source.status in ("asserted", "derived"))

    def retract(self, facts: Iterable[Triple], why: str, source: Source | str | None = None) -> int:
        """Say that facts are not so: they hold no more, and it is kept that they were stated, by whom, and why not.

        Args:
            facts: The facts.
            why: The reason.
            source: Only what this source states, or this document; None: all. A source without a time is of any time.

        Returns:
            How many statements were retracted.

        Raises:
            DataError: When one is not stated (so), or is only derived: then what it rests on is to be retracted.
        """
        _check_reason(why)
        done = 0
        unknown: list[Triple] = []
        derived: list[Triple] = []
        for triple in facts:
            found = [quad for quad in self._quads(triple) if self._is_of(quad, source)]
            own = [quad for quad in found if self._status(quad) in ("asserted", "hypothesis")]
            if not own:
                (derived if any(self._status(quad) == "derived" for quad in found) else unknown).append(triple)
            for quad in own:
                self._draft.retract(quad, why)
            done += len(own)
        if unknown or derived:
            raise DataError("\n".join([*self._not_stated(unknown, source), *self._only_derived(derived)]))
        return done

    def retract_document(self, document: str, why: str) -> int:
        """Retract all that a document states.

        Raises:
            DataError: When it states nothing.
        """
        _check_reason(why)
        done = 0
        for name, record in list(self._draft.records.parents(document)):
            if record.source.status in ("asserted", "hypothesis"):
                for graph in self._draft.records.graphs(name):
                    for quad in self._draft.statements_of(graph):
                        self._draft.retract(quad, why)
                        done += 1
        if not done:
            raise DataError(f"No document {document!r} states anything here. `sibu kb stats` lists the documents.")
        return done

    def drop(self, facts: Iterable[Triple], source: Source | str | None = None) -> int:
        """Take back what was derived and follows no more; nothing is kept of it but the version.

        Args:
            facts: The facts; what else states them stays.
            source: Only what this source states, or this document; None: all that is derived. Of a source that
                supposes, its hypotheses.

        Returns:
            How many statements were dropped.
        """
        done = 0
        status = "hypothesis" if isinstance(source, Source) and source.status == "hypothesis" else "derived"
        for triple in facts:
            for quad in list(self._quads(triple)):
                if self._status(quad) == status and self._is_of(quad, source):
                    self._draft.unstate(quad)
                    done += 1
        return done

    def hold(self, facts: Iterable[Triple], source: Source) -> int:
        """Have what a source asserts wait for a decision: it is a hypothesis of that source, and holds by it no more.

        Returns:
            How many facts it asserted.
        """
        done = 0
        for triple in facts:
            for quad in list(self._quads(triple)):
                if self._status(quad) == "asserted" and self._is_of(quad, source):
                    self._draft.unstate(quad)
                    self.state([(triple, replace(source, status="hypothesis"))])
                    done += 1
        return done

    def state_all(self, facts: Columns, source: Source, *, new: bool = False) -> int:
        """Have one source state many facts.

        Args:
            facts: The facts, each once.
            source: The source.
            new: No other source that makes facts hold states any of them, nor does this one; which is not looked up.

        Returns:
            How many it did not state before.
        """
        if not len(facts):
            return 0
        before, holds = self._draft.statements, source.status in HOLDS
        graph = self._draft.record(Record(source))
        if new:
            self._draft.state_new(facts.lines(), graph, holds=holds)
        else:
            for terms in facts.nodes():
                self._draft.state(*terms, graph, holds=holds)
        return self._draft.statements - before

    def drop_all(self, facts: Columns, source: Source) -> int:
        """Take back many facts that one source, which is of no certain time, states; nothing is kept of them.

        Returns:
            How many it stated.
        """
        library, before = oxigraph(), self._draft.statements
        graph = library.NamedNode(Record(source).parent)
        for terms in facts.nodes():
            self._draft.unstate(library.Quad(*terms, graph))
        return before - self._draft.statements

    def move_all(self, facts: Columns, former: Source, source: Source) -> None:
        """Have another source state what one states; both by the same status, and of no certain time."""
        if len(facts):
            graph = self._draft.record(Record(source))
            before = oxigraph().NamedNode(Record(former).parent)
            for terms in facts.nodes():
                self._draft.move(*terms, before, graph)

    def restate(
        self, document: str, facts: Iterable[tuple[Triple, Source]], mine: Callable[[Source], bool], why: str
    ) -> Restated:
        """Have a document state facts in place of those that some of its sources stated.

        What is stated just as before, by the same text of the document, stays. A fact that it states no more is
        retracted where it was asserted; a hypothesis, and a statement in place of which there is another of the same
        fact, leave no trace but in the version.

        Args:
            document: The document.
            facts: What it states now; ``state`` tells more.
            mine: Which of its sources state no more than this.
            why: Why what it states no more is retracted.
        """
        former = dict(self._former(document, mine))
        now: set[Quad] = set()
        quad = oxigraph().Quad
        for triple, source in facts:
            self.state([(triple, source)])
            now.add(quad(*to_terms(triple), self._draft.record(Record(source, self._text_of(document)))))
        said = {(each.subject, each.predicate, each.object) for each in now}
        gone = [each for each in former if each not in now]
        for each in gone:
            if former[each] == "asserted" and (each.subject, each.predicate, each.object) not in said:
                self._draft.retract(each, why)
            else:
                self._draft.unstate(each)
        return Restated(len(now - former.keys()), len(now & former.keys()), len(gone))

    def _former(self, document: str, mine: Callable[[Source], bool]) -> Iterator[tuple[Quad, str]]:
        """What some of a document's sources state, with the status."""
        self._draft.flush()
        for name, record in list(self._draft.records.parents(document)):
            status = record.source.status
            if status in ("asserted", "hypothesis") and mine(record.source):
                for graph in list(self._draft.records.graphs(name)):
                    for quad in self._draft.statements_of(graph):
                        yield quad, status

    def keep_texts(self, texts: Iterable[str]) -> None:
        """Bring texts to the disk that will be those of documents, all together."""
        self._documents.keep_all(texts)

    def mark_read(self, document: str, mark: str) -> None:
        """Keep by what a document was read, until its text changes; it has a text."""
        if self._documents.mark(document) != mark:
            self._draft.untell(self._documents.marks(document))
            self._draft.tell(self._documents.marking(document, mark))

    def forget_document(self, name: str) -> None:
        """Know a document no more; its text is kept for what was said of it."""
        self._draft.untell(self._documents.told(name))
        self._texts.pop(name, None)

    def document(self, name: str, text: str, *, update: bool = False) -> str:
        """Keep the text of a document, so that passages of it can be shown.

        Args:
            name: Its name, as sources give it.
            text: The text.
            update: It may take the place of another text of this name.

        Returns:
            The text's sha256.

        Raises:
            DataError: When another text has this name and ``update`` is not said.
        """
        before, digest = self._documents.digest(name), hash_text(text)
        if before and before != digest and not update:
            mend = "Give it another name, or say that it is an update."
            raise DataError(f"There is a document {name!r} with another text (sha256 {before[:12]}). {mend}")
        if not self._documents.has(digest):
            self._documents.keep(text)
        if before != digest:
            self._draft.untell(self._documents.told(name))
            self._draft.tell(self._documents.telling(name, digest))
        self._texts[name] = digest
        return digest

    def _text_of(self, document: str) -> str:
        if document not in self._texts:
            self._texts[document] = self._documents.digest(document)
        return self._texts[document]

    def _quads(self, triple: Triple) -> Iterator[Quad]:
        library, terms = oxigraph(), to_terms(triple)
        for name in self._draft.graphs(*terms):
            yield library.Quad(*terms, library.NamedNode(name))

    def _status(self, quad: Quad) -> str:
        return self._source(quad).status

    def _source(self, quad: Any) -> Source:
        return self._draft.records.of(quad.graph_name.value).source

    def _is_of(self, quad: Quad, wanted: Source | str | None) -> bool:
        return wanted is None or is_of(self._source(quad), wanted)

    def _not_stated(self, facts: list[Triple], source: Source | str | None) -> Iterator[str]:
        if facts:
            by = "" if source is None else f" by {source if isinstance(source, str) else source.document}"
            yield f"{counted(len(facts), 'fact')} not stated{by}, so nothing was retracted: {self._some(facts)}"

    def _only_derived(self, facts: list[Triple]) -> Iterator[str]:
        if facts:
            mend = "Retract what they rest on; they go with it when rules run again."
            yield f"{counted(len(facts), 'fact')} only derived, so nothing was retracted: {self._some(facts)} {mend}"

    def _some(self, facts: list[Triple]) -> str:
        shown = "; ".join(said_triple(each, self._names) for each in facts[:5])
        return f"{shown}." if len(facts) <= 5 else f"{shown} and {len(facts) - 5} more."


def _check_reason(why: str) -> None:
    if not why.strip() or not is_text(why):
        raise DataError(f"Say why, in words: a fact that is retracted keeps the reason, given {why!r}.")


def is_of(source: Source, wanted: Source | str) -> bool:
    """Whether a source is one, or is of the document; a wanted one without a time is of any time."""
    if isinstance(wanted, str):
        return source.document == wanted
    names = [name for name in Source.__dataclass_fields__ if name != "time" or wanted.time]
    return all(getattr(source, name) == getattr(wanted, name) for name in names)
