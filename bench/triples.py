"""Facts of files, for the measuring programs: Turtle, N-Triples and RDF/XML as the project's own terms."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyoxigraph

from sibu.core.logic import Entity, Term, Triple, Value

FORMATS = {
    ".ttl": pyoxigraph.RdfFormat.TURTLE,
    ".nt": pyoxigraph.RdfFormat.N_TRIPLES,
    ".rdf": pyoxigraph.RdfFormat.RDF_XML,
    ".owl": pyoxigraph.RdfFormat.RDF_XML,
}


def ours(term: Any) -> Any:
    """The term of pyoxigraph's."""
    if isinstance(term, pyoxigraph.NamedNode):
        return Entity(term.value)
    if isinstance(term, pyoxigraph.BlankNode):
        return Entity(f"_:{term.value}")
    return Value(term.value, term.datatype.value, (term.language or "").lower())


def theirs(term: Term) -> Any:
    """The term for pyoxigraph."""
    if isinstance(term, Value):
        if term.language:
            return pyoxigraph.Literal(term.text, language=term.language)
        return pyoxigraph.Literal(term.text, datatype=pyoxigraph.NamedNode(term.datatype))
    if term.iri.startswith("_:"):
        return pyoxigraph.BlankNode(term.iri[2:])
    return pyoxigraph.NamedNode(term.iri)


def read(file: Path, base: str | None = None) -> Iterator[Triple]:
    """The facts of a file; ``base`` is what its relative names are relative to (the file itself)."""
    quads = pyoxigraph.parse(path=str(file), format=FORMATS[file.suffix], base_iri=base or file.resolve().as_uri())
    for quad in quads:
        yield Triple(ours(quad.subject), ours(quad.predicate), ours(quad.object))


def versions(*names: str) -> dict[str, str]:
    """Of the packages a figure depends on."""
    return {name: version(name) for name in names}
