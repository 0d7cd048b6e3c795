"""How much there is of what."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

from sibu.core.logic import Entity
from sibu.core.names import RDFS, SKOS, Names
from sibu.graph.asking import Rows, asked
from sibu.graph.documents import RuleFiles
from sibu.graph.folder import About
from sibu.graph.opening import Opened
from sibu.graph.records import is_record

_CLASSES = "SELECT ?what (COUNT(*) AS ?n) WHERE { ?s a ?what } GROUP BY ?what"
_PROPERTIES = "SELECT ?what (COUNT(*) AS ?n) WHERE { ?s ?what ?o } GROUP BY ?what"
_GRAPHS = "SELECT ?what (COUNT(*) AS ?n) WHERE { GRAPH ?what { ?s ?p ?o } } GROUP BY ?what"
_THINGS = "SELECT (COUNT(DISTINCT ?s) AS ?n) WHERE { ?s ?p ?o }"
_LANGUAGES = f"""SELECT ?what (COUNT(*) AS ?n)
WHERE {{ VALUES ?p {{ <{RDFS}label> <{SKOS}prefLabel> <{SKOS}altLabel> }} ?s ?p ?l }} GROUP BY (LANG(?l) AS ?what)"""


_USED_PROPERTIES = """SELECT DISTINCT ?what {
  { ?s ?what ?o } UNION
  { VALUES ?kind { rdf:Property owl:ObjectProperty owl:DatatypeProperty owl:AnnotationProperty } ?what a ?kind } UNION
  { VALUES ?p { rdfs:subPropertyOf owl:inverseOf owl:equivalentProperty } { ?what ?p ?o } UNION { ?s ?p ?what } }
  UNION { VALUES ?p { rdfs:domain rdfs:range } ?what ?p ?o }
}"""
_USED_CLASSES = """SELECT DISTINCT ?what {
  { ?s a ?what } UNION { VALUES ?kind { rdfs:Class owl:Class } ?what a ?kind } UNION
  { VALUES ?p { rdfs:subClassOf owl:equivalentClass owl:disjointWith } { ?what ?p ?o } UNION { ?s ?p ?what } } UNION
  { VALUES ?p { rdfs:domain rdfs:range } ?s ?p ?what }
}"""


def stats(opened: Opened, about: About, rules: RuleFiles) -> dict[str, Any]:
    """Facts, statements by status, things, classes, properties, languages of labels, documents, bytes on disk."""
    names = about.names
    version = opened.version
    statuses: Counter[str] = Counter()
    documents: Counter[str] = Counter()
    for name, count in _counted(opened, about, _GRAPHS):
        if is_record(name):
            source = opened.records.of(name).source
            statuses[source.status] += count
            if source.status != "retracted":
                documents[source.document] += count
    classes, properties = (
        {names.short(what): count for what, count in _counted(opened, about, query)}
        for query in (_CLASSES, _PROPERTIES)
    )
    languages = dict(_counted(opened, about, _LANGUAGES))
    return {
        "folder": str(opened.home),
        "base": about.base,
        "prefixes": dict(about.prefixes),
        "languages": list(about.languages),
        "created": about.created,
        "version": version.to_json(),
        "facts": version.facts,
        "statements": {status: statuses[status] for status in sorted(statuses)},
        "things": _counted(opened, about, _THINGS)[0][1],
        "classes": classes,
        "properties": properties,
        "labels": languages,
        "documents": dict(sorted(documents.items())),
        "texts": len(opened.documents.all()),
        "rules": sorted(rules.all()),
        "bytes": {part: size(opened.home / part) for part in ("store", "versions", "documents", "rules")},
    }


def relations(opened: Opened, names: Names) -> tuple[frozenset[Entity], frozenset[Entity]]:
    """Properties and classes: those that facts have, and those that are declared."""
    properties, classes = (_distinct(opened, names, query) for query in (_USED_PROPERTIES, _USED_CLASSES))
    return properties, classes


def _distinct(opened: Opened, names: Names, query: str) -> frozenset[Entity]:
    found = asked(opened.store, query, names, sys.maxsize)
    assert isinstance(found, Rows)
    return frozenset(term for row in found.rows for term in row if isinstance(term, Entity))


def _counted(opened: Opened, about: About, query: str) -> list[tuple[str, int]]:
    """Names with their counts, the most frequent first."""
    found = asked(opened.store, query, about.names, sys.maxsize)
    assert isinstance(found, Rows)
    rows = []
    for row in found.rows:
        *what, count = (str(getattr(term, "iri", getattr(term, "text", ""))) for term in row)
        rows.append((what[0] if what else "", int(count)))
    return sorted(rows, key=lambda pair: (-pair[1], pair[0]))


def size(folder: Path) -> int:
    """Bytes that a folder takes on disk; a file of two names counts once."""
    seen: dict[int, int] = {}
    for file in folder.rglob("*"):
        if file.is_file():
            told = file.stat()
            seen[told.st_ino] = told.st_size
    return sum(seen.values())
