"""Facts by pattern and status, who states them, and what differs between two versions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sibu.core.logic import Triple
from sibu.graph._rdf import Quad, oxigraph, to_terms, to_triple
from sibu.graph.journal import Journal, Version
from sibu.graph.opening import Opened
from sibu.graph.records import Record, is_record


@dataclass(frozen=True, slots=True)
class Diff:
    """What differs between the facts that hold in two versions."""

    before: Version
    after: Version
    added: list[Triple]
    """What holds in the second alone, in order."""
    removed: list[Triple]
    """What holds in the first alone, in order."""


def quads(opened: Opened, pattern: tuple[Any, ...], status: str) -> Iterator[Quad]:
    """The quads of a pattern, one for each fact that holds, or that a record of the status states."""
    default, store = oxigraph().DefaultGraph(), opened.store
    others = {"asserted": "derived", "derived": "asserted"}.get(status, "")
    if status == "holds" or (others and not opened.records.graphs_with(others, 1)):
        yield from store.quads_for_pattern(*pattern, default)
    elif len(own := opened.records.graphs_with(status, 2)) < 2:  # one record alone states each once
        for name in own:
            yield from store.quads_for_pattern(*pattern, oxigraph().NamedNode(name))
    elif others:
        yield from _of_holding(opened, pattern, status, opened.records.graphs_with(others, _FEW + 1))
    else:
        for quad in store.quads_for_pattern(*pattern, None):
            name = getattr(quad.graph_name, "value", "")
            if is_record(name) and _status(opened, name) == status:
                same = [each for each in _graphs(opened, quad) if _status(opened, each) == status]
                if name == min(same):  # several records may state it
                    yield quad


_FEW = 4
"""Records that are looked into one by one."""


def _of_holding(opened: Opened, pattern: tuple[Any, ...], status: str, others: list[str]) -> Iterator[Quad]:
    """Of the facts that hold, those that a record of the status states: all that no other kind of record does, too."""
    library = oxigraph()
    looked = [library.NamedNode(name) for name in others] if len(others) <= _FEW else None
    for quad in opened.store.quads_for_pattern(*pattern, library.DefaultGraph()):
        subject, predicate, what, _ = quad
        if looked is not None and not any(
            library.Quad(subject, predicate, what, each) in opened.store for each in looked
        ):
            yield quad
        elif any(_status(opened, name) == status for name in _graphs(opened, quad)):
            yield quad


def _status(opened: Opened, name: str) -> str:
    return opened.records.of(name).source.status


def _graphs(opened: Opened, quad: Any) -> list[str]:
    subject, predicate, what, *_ = quad
    found = opened.store.quads_for_pattern(subject, predicate, what, None)
    names = [getattr(each.graph_name, "value", "") for each in found]
    return [name for name in names if is_record(name)]


def records(opened: Opened, triple: Triple) -> list[Record]:
    """The records that state a fact, the earliest first."""
    quad = oxigraph().Quad(*to_terms(triple))
    found = [opened.records.of(name) for name in _graphs(opened, quad)]

    def order(record: Record) -> tuple[Any, ...]:
        source = record.source
        return source.time, source.document, source.row or 0, source.start or 0, record.ended, source.confidence

    return sorted(found, key=order)


def diff(journal: Journal, before: int | str, after: int | str) -> Diff:
    """What differs between two versions, whichever is the later one."""
    one, two = journal.get(before), journal.get(after)
    if one.number > two.number:
        turned = diff(journal, two.number, one.number)
        return Diff(one, two, turned.removed, turned.added)
    added, removed = _net(journal, one.number, two.number)
    return Diff(one, two, _sorted(added), _sorted(removed))


def _net(journal: Journal, one: int, two: int) -> tuple[dict[Quad, None], dict[Quad, None]]:
    """The facts that came and that went, as quads, from one version to a later one."""
    default = oxigraph().DefaultGraph()
    added: dict[Quad, None] = {}
    removed: dict[Quad, None] = {}
    for number in range(one + 1, two + 1):
        for come, changed in journal.changes(journal.get(number)):
            this, other = (added, removed) if come else (removed, added)
            for quad in changed:
                if quad.graph_name == default:
                    if quad in other:
                        del other[quad]
                    else:
                        this[quad] = None
    return added, removed


def returned(opened: Opened, before: int) -> list[tuple[Triple, Record]]:
    """Facts that hold and did not in a version before, though it was said that they are not so; with the last reason.

    Looked up fact by fact where few came, else among all that were retracted: each is cheap where the other is not.
    """
    gone = opened.records.graphs_with("retracted", 1)
    came = _net(opened.journal, before, opened.version.number)[0] if gone else {}
    if len(came) > _FEW_FACTS:
        every = opened.records.graphs_with("retracted", None)
        nodes = map(oxigraph().NamedNode, every)
        said = {quad.triple for node in nodes for quad in opened.store.quads_for_pattern(None, None, None, node)}
        came = {quad: None for quad in came if quad.triple in said}
    found = []
    for triple in _sorted(came):
        if whys := [each for each in records(opened, triple) if each.source.status == "retracted"]:
            found.append((triple, max(whys, key=lambda each: each.ended)))
    return found


_FEW_FACTS = 2_000


def _sorted(found: Iterable[Any]) -> list[Triple]:
    def order(triple: Triple) -> tuple[Any, ...]:
        return triple.subject.iri, triple.predicate.iri, type(triple.object).__name__, str(triple.object)

    return sorted(map(to_triple, found), key=order)
