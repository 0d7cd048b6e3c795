"""Statements in bulk: who states what, as columns of numbers, from the versions' files or from the store.

A million facts as objects of their own take longer to make than all that follows from them takes to derive. Here each
term is read once, however many facts have it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from sibu.core.errors import DataError
from sibu.core.logic import Entity, Source, Status, Term, Value
from sibu.core.names import RDF, SIBU
from sibu.graph._rdf import oxigraph, to_core, to_value
from sibu.graph.columns import Columns, Numbers
from sibu.graph.journal import Journal
from sibu.graph.records import RECORD, SOURCES, Records, split

_MARK, _SOURCES = RECORD.encode(), SOURCES.encode()
_PARENT = len(RECORD) + 20
_TOLD = {f"<{SIBU}{name}>".encode(): name for name in ("status", "extractor", "document", "version")}


class Statements:
    """What was stated, and what no more, by records.

    Args:
        records: Those of the store, for what the statements themselves do not tell.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._words: dict[bytes, int] = {}
        self._terms: list[Term] = []
        self._rows: dict[tuple[bytes, bool], list[int]] = defaultdict(list)
        self._told: dict[bytes, dict[str, str]] = defaultdict(dict)

    @property
    def terms(self) -> Sequence[Term]:
        """The terms by their numbers."""
        new = list(self._words)[len(self._terms) :]
        self._terms += map(_term, new)
        return self._terms

    def read(self, journal: Journal, after: int, upto: int) -> None:
        """Take in what the versions behind one changed, up to another."""
        for number in range(after + 1, upto + 1):
            for added, lines in journal.lines(journal.get(number)):
                self._take(lines, added)

    def _take(self, lines: Iterable[bytes], added: bool) -> None:
        word, rows, mark = self._words.setdefault, self._rows, _MARK
        words = self._words
        for line in lines:
            subject, predicate, rest = line.split(b" ", 2)
            what, _, graph = rest[:-4].rpartition(b" <")
            if graph.startswith(mark):
                if rest.endswith(b"> .\n") and b'"' not in graph:  # else it is the end of a text
                    own = rows[graph[:_PARENT], added]
                    own.append(word(subject, len(words)))
                    own.append(word(predicate, len(words)))
                    own.append(word(what, len(words)))
            elif graph == _SOURCES and predicate in _TOLD:
                self._told[subject[1:-1]][_TOLD[predicate]] = _text(what)

    def take_all(self, quads: Iterable[Any]) -> None:
        """Take in all that stands in a store, or some of it: quads of the library."""
        word, words = self._words.setdefault, self._words
        for subject, predicate, what, graph in quads:
            name = getattr(graph, "value", "")
            if name.startswith(RECORD):
                own = self._rows[name[:_PARENT].encode(), True]
                own += [word(str(term).encode(), len(words)) for term in (subject, predicate, what)]

    def net(self, wanted: Callable[[Source], bool]) -> tuple[Columns, Numbers]:
        """What more or fewer records of some sources state than before: the facts, each once, and how many more."""
        parts, signs = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for (parent, added), rows in self._rows.items():
            if wanted(self._source(parent)):
                parts.append(np.array(rows, np.int64))
                signs.append(np.full(len(rows) // 3, 1 if added else -1))
        facts, more = _summed(np.concatenate(parts).reshape(-1, 3), np.concatenate(signs))
        return Columns(self.terms, facts[:, 0], facts[:, 1], facts[:, 2]), more

    def _source(self, parent: bytes) -> Source:
        """What is told of a record; that of a version that was undone stands in the undone version alone."""
        told = self._told.get(parent, {})
        if "status" in told and "document" in told:
            status: Status = told["status"]  # type: ignore[assignment]
            return Source(
                told["document"], extractor=told.get("extractor", ""), version=told.get("version", ""), status=status
            )
        return self._records.of(split(parent.decode())[0]).source


def _summed(rows: Numbers, signs: Numbers) -> tuple[Numbers, Numbers]:
    """Each row once, by predicate, with the sum of its signs, where that is not 0."""
    order = np.lexsort((rows[:, 2], rows[:, 0], rows[:, 1]))
    rows, signs = rows[order], signs[order]
    first = np.ones(len(rows), bool)
    first[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    starts = np.flatnonzero(first)
    totals = np.add.reduceat(signs, starts) if len(starts) else signs
    return rows[starts[totals != 0]], totals[totals != 0]


def _term(token: bytes) -> Term:
    """A term as N-Quads has it."""
    text = token.decode()
    if text[0] == "<":
        return Entity(text[1:-1])
    if text[0] == "_":
        return Entity(text)
    end = text.rindex('"')
    body, rest = text[1:end], text[end + 1 :]
    if "\\" in body:
        library = oxigraph()
        (quad,) = library.parse(b"<urn:a> <urn:b> " + token + b" .", library.RdfFormat.N_TRIPLES)
        return to_core(quad.object)
    if rest.startswith("@"):
        return Value(body, RDF + "langString", rest[1:])
    return to_value(body, rest[3:-1]) if rest else Value(body)


def _text(token: bytes) -> str:
    term = _term(token)
    if not isinstance(term, Value):
        raise DataError(f"{token.decode()} stands where a record tells a text.")
    return term.text
