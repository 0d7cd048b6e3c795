"""The edge to pyoxigraph: its terms and quads on one side, the vocabulary of ``core`` on the other.

The store keeps numbers, truth values and dates by what they are worth, not by how they are written: ``"01"`` and
``"1"`` of ``xsd:integer`` are one value there, and ``xsd:int`` is ``xsd:integer``. ``kept`` tells what it makes of a
term; what comes out of a store is always in that form. A number of ``xsd:double`` reads as Python writes it, as
``Value.of`` has it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any, TypeAlias

from sibu.core.errors import DataError, MissingExtra
from sibu.core.logic import FLOATS, INTEGERS, Entity, Term, Triple, Value
from sibu.core.names import RDF, SIBU, XSD

Store: TypeAlias = Any
Quad: TypeAlias = Any
Graph: TypeAlias = Any
"""What the library's own types have as the name of a graph."""
Node: TypeAlias = Any
Object: TypeAlias = Any
Literal: TypeAlias = Any
"""By the library's own types each may hold a triple inside a triple, which never comes in here."""

_TEXTS = (XSD + "string", RDF + "langString")
_BY_WORTH = (
    INTEGERS
    | FLOATS
    | {XSD + name for name in ("boolean", "date", "dateTime", "dateTimeStamp", "time", "duration", "yearMonthDuration")}
    | {XSD + name for name in ("dayTimeDuration", "gYear", "gYearMonth", "gMonth", "gMonthDay", "gDay")}
)
"""Types whose values the store writes in one form."""


@cache
def oxigraph() -> Any:
    """The library behind a knowledge base.

    Raises:
        MissingExtra: When it is not installed.
    """
    try:
        import pyoxigraph
    except ImportError as fault:
        raise MissingExtra("A knowledge base", "pyoxigraph", "kg") from fault
    return pyoxigraph


def to_rdf(term: Term) -> Object:
    """A term as the store takes it.

    Raises:
        DataError: When RDF has no such name or value.
    """
    library = oxigraph()
    if isinstance(term, Entity):
        make, text = (library.BlankNode, term.iri[2:]) if term.iri.startswith("_:") else (library.NamedNode, term.iri)
        try:
            node: Node = make(text)
        except (ValueError, UnicodeEncodeError) as fault:
            raise DataError(f"{term.iri!r} is no name that RDF allows: {fault}.") from fault
        return node
    if not is_text(term.text):
        raise DataError(f"{term.text!r} has half a character (a lone surrogate), which is no text.")
    try:
        if term.language:
            said: Literal = library.Literal(term.text, language=term.language)
            return said
        return kept_literal(library.Literal(term.text, datatype=library.NamedNode(term.datatype)))
    except ValueError as fault:
        what = f"the language {term.language!r}" if term.language else f"the type {term.datatype!r}"
        raise DataError(f"{term.text!r} has {what}, which RDF does not allow: {fault}.") from fault


def to_core(term: Any) -> Term:
    """A term of the store as ``core`` has it.

    Raises:
        DataError: When ``core`` has no such term (a triple inside a triple, a text with a direction).
    """
    library = oxigraph()
    if isinstance(term, library.NamedNode):
        return _entity(term.value)
    if isinstance(term, library.BlankNode):
        return Entity(f"_:{term.value}")
    if isinstance(term, library.Literal) and term.direction is None:
        language = term.language
        if language:
            return Value(term.value, RDF + "langString", language)
        return to_value(term.value, term.datatype.value)
    raise DataError(f"{term} is of RDF 1.2 (a triple inside a triple, or a text with a direction); {_REFUSED}")


_REFUSED = "RDF 1.1 is read. Say it by a thing of its own: with a name, and properties that tell the rest."


@lru_cache(1 << 14)
def _entity(iri: str) -> Entity:
    try:
        return Entity(iri)
    except ValueError as fault:
        raise DataError(f"{iri!r} is no name of a thing: behind its colon stands nothing.") from fault


def to_value(text: str, datatype: str) -> Value:
    """A value of the store that is no text of a language, as ``core`` has it."""
    if datatype.endswith(("#double", "#float")) and datatype in FLOATS:
        try:
            number = float(text)
        except ValueError:
            return Value(text, datatype)
        return Value(repr(number), datatype) if math.isfinite(number) else Value(text, datatype)
    return Value(text, datatype)


def to_triple(quad: Any) -> Triple:
    """The triple of a quad, as ``core`` has it."""
    subject, predicate, what, *_ = quad
    head, relation = to_core(subject), to_core(predicate)
    if not isinstance(head, Entity) or not isinstance(relation, Entity):
        raise DataError(f"{quad} has a subject or a predicate that is no name.")
    return Triple(head, relation, to_core(what))


def to_terms(triple: Triple) -> tuple[Node, Node, Object]:
    """The three terms of a triple, as the store takes them.

    Raises:
        DataError: When RDF has no such triple, such as one whose predicate has no name.
    """
    subject, predicate, what = (to_rdf(each) for each in (triple.subject, triple.predicate, triple.object))
    library = oxigraph()
    if not isinstance(predicate, library.NamedNode):
        raise DataError(f"{triple.predicate.iri!r} is a predicate without a name of its own; give it an IRI.")
    return subject, predicate, what


def check_terms(subject: Node, predicate: Node, what: Object) -> None:
    """Refuse what ``core`` cannot hold, before it comes into the store.

    Raises:
        DataError: As ``to_core``.
    """
    library = oxigraph()
    for term in (subject, predicate, what):
        if isinstance(term, library.NamedNode):
            _entity(term.value)
        elif isinstance(term, library.Triple):
            raise DataError(f"It holds a triple inside a triple ({term}), which is of RDF 1.2; {_REFUSED}")
        elif isinstance(term, library.Literal) and term.direction is not None:
            raise DataError(f"It holds a text with a direction ({term}), which is of RDF 1.2; {_REFUSED}")


def kept(term: Term) -> Term:
    """A term in the form in which it comes out of a store."""
    return to_core(to_rdf(term))


def kept_literal(literal: Literal) -> Literal:
    """A literal in the form in which the store gives it again."""
    datatype = literal.datatype.value
    return _written_anew(literal) if datatype not in _TEXTS and datatype in _BY_WORTH else literal


@lru_cache(1 << 16)
def _written_anew(literal: Literal) -> Literal:
    library = oxigraph()
    store, name = library.Store(), library.NamedNode(SIBU)
    store.add(library.Quad(name, name, literal))
    (quad,) = store
    found: Literal = quad.object
    return found


def is_text(text: str) -> bool:
    """Whether a text can be written down: it has no half of a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Blanks:
    """Names for the things without a name of one file: the same for the same file, others for every other."""

    def __init__(self, mark: str) -> None:
        self._mark = mark
        self._names: dict[str, Node] = {}

    def __call__(self, node: Node) -> Node:
        """The name of a thing, by the order in which they come."""
        found = self._names.get(node.value)
        if found is None:
            found = self._names[node.value] = oxigraph().BlankNode(f"b{self._mark}n{len(self._names)}")
        return found


def named(quads: Iterator[Any], blanks: Blanks) -> Iterator[tuple[Any, Any, Any, Any]]:
    """The terms of a file's quads: checked, with blank nodes of the file's own and values as they are kept.

    Raises:
        DataError: When ``core`` cannot hold a term.
    """
    library = oxigraph()
    blank, name, literal = library.BlankNode, library.NamedNode, library.Literal
    for subject, predicate, what, graph in quads:
        if not isinstance(what, name) or what.value.endswith(":"):
            check_terms(subject, predicate, what)
            if isinstance(what, literal):
                what = kept_literal(what)
            elif isinstance(what, blank):
                what = blanks(what)
        if predicate.value.endswith(":"):
            check_terms(subject, predicate, what)
        if isinstance(subject, blank):
            subject = blanks(subject)
        elif subject.value.endswith(":"):
            check_terms(subject, predicate, what)
        yield subject, predicate, what, blanks(graph) if isinstance(graph, blank) else graph
