"""Where pyshacl and rdflib are met: terms of theirs and ours, what is mended before, what is read of a report."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sibu.core.errors import DataError, MissingExtra
from sibu.core.logic import TYPE, Entity, Term, Triple, Value
from sibu.core.names import OWL, RDF, SHACL, XSD
from sibu.graph._paths import outward, read, written

SHORTEST_NAMESPACES: Mapping[str, str] = {"rdf": RDF, "rdfs": "http://www.w3.org/2000/01/rdf-schema#", "owl": OWL}
"""What pyshacl declares in every query."""


@dataclass(frozen=True, slots=True)
class Result:
    """One result of the report, in our terms."""

    focus: Term
    path: Term | None
    value: Term | None
    severity: Entity
    shape: Term
    constraint: Entity
    query: Term | None
    messages: tuple[Value, ...]


class Held:
    """Triples in memory, found by any of their parts.

    Raises:
        MissingExtra: When rdflib and pyshacl are not installed.
    """

    def __init__(self, triples: Iterable[Triple] = ()) -> None:
        try:
            import pyshacl  # noqa: F401
            from rdflib import Graph
        except ImportError:
            raise MissingExtra("Validation with shapes", "pyshacl", "shapes") from None
        self.graph: Any = Graph(bind_namespaces="none")
        self._known: dict[Term, Any] = {}
        with _quiet():
            for triple in triples:
                self.add(triple)

    def add(self, triple: Triple) -> None:
        """Holds one more."""
        self.graph.add(tuple(map(self._theirs, (triple.subject, triple.predicate, triple.object))))

    def remove(self, triple: Triple) -> None:
        """Holds it no more."""
        self.graph.remove(tuple(map(self._theirs, (triple.subject, triple.predicate, triple.object))))

    def find(self, subject: Term | None, predicate: Entity | None, object_: Term | None) -> Iterator[Triple]:
        """The triples with these parts; None: any."""
        pattern = tuple(None if part is None else self._theirs(part) for part in (subject, predicate, object_))
        for found in self.graph.triples(pattern):
            yield Triple(*map(ours, found))

    def _theirs(self, term: Term) -> Any:
        if term not in self._known:
            self._known[term] = theirs(term)
        return self._known[term]


def theirs(term: Term) -> Any:
    """The term of rdflib. A text is written without its type, as rdflib's own parsers do; no value is rewritten."""
    from rdflib import BNode, Literal, URIRef

    if isinstance(term, Entity):
        return BNode(term.iri[2:]) if term.iri.startswith("_:") else URIRef(term.iri)
    if term.language:
        return Literal(term.text, lang=term.language)
    return Literal(term.text, datatype=None if term.datatype == XSD + "string" else term.datatype, normalize=False)


def ours(term: Any) -> Any:
    """The term of rdflib's; what a query makes up and is no IRI becomes a text."""
    from rdflib import BNode, Literal

    if isinstance(term, BNode):
        return Entity(f"_:{term}")
    if not isinstance(term, Literal):
        try:
            return Entity(str(term))
        except ValueError:
            return Value(str(term))
    if term.language:
        return Value(str(term), RDF + "langString", term.language.lower())
    return Value(str(term), str(term.datatype) if term.datatype else XSD + "string")


def query_fault(text: str, prefixes: Mapping[str, str]) -> str:
    """What is wrong with a query of a shapes graph; empty: nothing that can be seen before it runs."""
    from rdflib.plugins.sparql import prepareQuery

    try:
        with _quiet():
            parsed = prepareQuery(text, initNs={**SHORTEST_NAMESPACES, **prefixes})
    except Exception as error:  # rdflib's parser raises of many kinds
        return " ".join(str(error).split())
    names = _parts(parsed.algebra)
    if "ServiceGraphPattern" in names:
        return "it asks another server (SERVICE); nothing is fetched here"
    if "DatasetClause" in names:
        return "it names graphs to load (FROM); nothing is fetched here"
    return _unbindable(text)


def _unbindable(text: str) -> str:
    """What SHACL-SPARQL does not allow, since a variable could not be bound before; empty: nothing."""
    from pyshacl.errors import ReportableRuntimeError
    from pyshacl.helper.sparql_query_helper import SPARQLQueryHelper

    helper: Any = SPARQLQueryHelper
    try:
        helper(None, None, text).check_invalid_sparql(text)
    except ReportableRuntimeError as error:
        return " ".join(str(error).split())
    return ""


def _parts(node: Any) -> set[str]:
    """Names of all parts of a parsed query."""
    from rdflib.plugins.sparql.parserutils import CompValue

    if isinstance(node, CompValue):
        return {node.name}.union(*map(_parts, node.values()))
    return set().union(*map(_parts, node)) if isinstance(node, (list, tuple, set)) else set()


def report(data: Held, shapes: Held) -> tuple[bool, list[Result]]:
    """What pyshacl says, without the network, without inference, and with the faults of its own that we know mended.

    Raises:
        DataError: When it cannot judge the shapes.
    """
    import pyshacl
    from pyshacl.errors import ReportableRuntimeError

    _forget_validators()
    with _quiet():
        try:
            conforms, found, text = pyshacl.validate(
                data.graph,
                shacl_graph=_mended(shapes).graph,
                inference="none",
                advanced=False,
                inplace=True,  # no copy: nothing is inferred, so nothing is changed
                do_owl_imports=False,
                max_validation_depth=1000,  # shapes that refer to themselves are refused before
            )
        except ReportableRuntimeError as error:
            found, text = error, str(error)
    if isinstance(found, Exception):
        raise DataError(f"The shapes cannot be judged: {' '.join(text.split())}")
    return conforms, list(_results(found))


def _results(found: Any) -> Iterator[Result]:
    from rdflib import Namespace

    sh = Namespace(SHACL)
    for node in found.objects(None, sh.result):
        parts: dict[str, Any] = {}
        messages = []
        for predicate, thing in found.predicate_objects(node):
            if predicate == sh.resultMessage:
                messages.append(ours(thing))
            else:
                parts[str(predicate).removeprefix(SHACL)] = ours(thing)
        yield Result(
            parts["focusNode"],
            parts.get("resultPath"),
            parts.get("value"),
            parts["resultSeverity"],
            parts["sourceShape"],
            parts["sourceConstraintComponent"],
            parts.get("sourceConstraint"),
            tuple(sorted(messages)),
        )


def _mended(shapes: Held) -> Held:
    """A copy of the shapes in which pyshacl 0.40 goes right where it went wrong.

    ``sh:uniqueLang`` works for the term ``true`` alone; ``sh:prefixes`` reaches what its ontology imports within the
    graph; ``^(a/b)`` is ``^b/^a``, and not ``^a/^b``; what a question to each value (``sh:ask``) finds at a path names
    the value.
    """
    mended = Held(shapes.find(None, None, None))
    for triple in shapes.find(None, _sh("uniqueLang"), None):
        if triple.object != Value.of(True):
            mended.remove(triple)
    for part in (*_prefixes(shapes), *_selects(shapes)):
        mended.add(part)
    for triple in shapes.find(None, _sh("path"), None):
        path = read(triple.object, shapes.find)
        if outward(path) != path:
            node, parts = written(outward(path), _fresh)
            mended.remove(triple)
            for part in (Triple(triple.subject, triple.predicate, node), *parts):
                mended.add(part)
    return mended


def _prefixes(shapes: Held) -> Iterator[Triple]:
    for triple in shapes.find(None, _sh("prefixes"), None):
        for source in imported(triple.object, shapes):
            for declared in shapes.find(source, _sh("declare"), None):
                if isinstance(triple.object, Entity):
                    yield Triple(triple.object, declared.predicate, declared.object)


def _selects(shapes: Held) -> Iterator[Triple]:
    """For each ``sh:ask`` of all shapes the ``sh:select`` that says the same of a path."""
    for triple in shapes.find(None, _sh("validator"), None):
        if not isinstance(triple.object, Entity) or any(shapes.find(triple.subject, _sh("propertyValidator"), None)):
            continue
        for ask in shapes.find(triple.object, _sh("ask"), None):
            parts = re.fullmatch(
                r"(.*?)\bASK\b(?:\s*WHERE\b)?\s*(\{.*\})\s*", _text(ask.object), re.DOTALL | re.IGNORECASE
            )
            if parts:
                select = f"{parts[1]}SELECT $this $value WHERE {{ $this $PATH $value . FILTER NOT EXISTS {parts[2]} }}"
                node = _fresh()
                yield Triple(triple.subject, _sh("propertyValidator"), node)
                yield Triple(node, TYPE, _sh("SPARQLSelectValidator"))
                yield Triple(node, _sh("select"), Value(select))
                for prefixes in shapes.find(triple.object, _sh("prefixes"), None):
                    yield Triple(node, prefixes.predicate, prefixes.object)


def _sh(name: str) -> Entity:
    return Entity(SHACL + name)


def _text(term: Term) -> str:
    return term.text if isinstance(term, Value) else ""


def imported(ontology: Term, shapes: Held) -> set[Term]:
    """The ontology and all that it imports, as far as the shapes say."""
    found = {ontology}
    waiting = [ontology]
    while waiting:
        for triple in shapes.find(waiting.pop(), Entity(OWL + "imports"), None):
            if triple.object not in found:
                found.add(triple.object)
                waiting.append(triple.object)
    return found


def _fresh() -> Entity:
    from rdflib import BNode

    return Entity(f"_:{BNode()}")


def _forget_validators() -> None:
    """Pyshacl keeps validators by the address of their graph in memory; another graph may stand there by now."""
    try:
        from pyshacl.constraints.sparql.sparql_based_constraint_components import SPARQLConstraintComponentValidator
    except ImportError:  # another version: nothing kept
        return
    getattr(SPARQLConstraintComponentValidator, "validator_cache", {}).clear()


@contextmanager
def _quiet() -> Iterator[None]:
    """What both print on the way (a value that is not of its type, each error before it is raised) is ours to say."""
    logs = [logging.getLogger(name) for name in ("rdflib.term", "pyshacl-validate")]
    before = [(log.disabled, log.handlers[:]) for log in logs]
    try:
        for log in logs:
            log.disabled = True
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for log, (disabled, handlers) in zip(logs, before, strict=True):
            log.disabled, log.handlers[:] = disabled, handlers
