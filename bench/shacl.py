"""The W3C test suite of SHACL (Core and SPARQL) through ``sibu.graph.shapes.validate``.

    python bench/shacl.py DATA [--results DIR]

DATA holds ``kg_w3c_shacl``. As the suite asks: the report's graph is isomorphic to the expected one over the
prescribed properties (focus node, path, severity, constraint, component, shape, value); where ``sht:Failure`` is
expected, the shapes are refused. ``conforms`` alone is the suite's partial compliance. Texts that the suite expects
(``sh:resultMessage``) are looked at too, and not part of passing. Paths are compared as rdflib reads them: ours from
its text, the expected one from its nodes. One JSON: ``shacl.json``, with every failure and why.
"""

from __future__ import annotations

import logging
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import measure
import triples
from rdflib import RDF, BNode, Graph, Literal, Namespace, URIRef
from rdflib.collection import Collection
from rdflib.compare import isomorphic
from rdflib.paths import AlternativePath, InvPath, MulPath, SequencePath
from rdflib.plugins.sparql import prepareQuery

from sibu.core.errors import SibuError
from sibu.core.logic import Entity, Term
from sibu.graph.shapes import Conformance, validate

MF = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
SHT = Namespace("http://www.w3.org/ns/shacl-test#")
SH = Namespace("http://www.w3.org/ns/shacl#")
PRESCRIBED = (
    SH.focusNode, SH.resultPath, SH.resultSeverity, SH.sourceConstraint, SH.sourceConstraintComponent, SH.sourceShape,
    SH.value,
)  # fmt: skip
REPEATS = {SH.zeroOrMorePath: "*", SH.oneOrMorePath: "+", SH.zeroOrOnePath: "?"}
REASONS = {
    "sparql/pre-binding/shapesGraph-001": "pyshacl 0.40 does not bind $shapesGraph, which SHACL-SPARQL leaves optional "
    "(section 5.3.1); the shapes are refused and the message says so.",
}
"""Why a test fails, by its name."""
MENDED = {
    "core/property/uniqueLang-002": 'pyshacl takes "1"^^xsd:boolean for true; only true turns sh:uniqueLang on.',
    "sparql/node/prefixes-001": "pyshacl does not follow owl:imports from sh:prefixes within the shapes graph.",
}
"""What pyshacl alone fails and passes here, since graph/_pyshacl.py mends it."""


def node_of(term: Term) -> Any:
    """A term as rdflib's, for comparison alone."""
    if isinstance(term, Entity):
        return BNode(term.iri[2:]) if term.iri.startswith("_:") else URIRef(term.iri)
    typed = None if term.language or term.datatype.endswith("#string") else URIRef(term.datatype)
    return Literal(term.text, lang=term.language or None, datatype=typed, normalize=False)


def loaded(file: Path) -> Graph:
    """The graph of a file, its values as written."""
    graph = Graph()
    for triple in triples.read(file):
        graph.add((node_of(triple.subject), node_of(triple.predicate), node_of(triple.object)))
    return graph


def path_of(node: Any, graph: Graph) -> Any:
    """The path of the nodes that say it."""
    if isinstance(node, URIRef):
        return node
    if (node, RDF.first, None) in graph:
        return SequencePath(*(path_of(each, graph) for each in Collection(graph, node)))
    if (node, SH.inversePath, None) in graph:
        return InvPath(path_of(graph.value(node, SH.inversePath), graph))
    if (node, SH.alternativePath, None) in graph:
        members = Collection(graph, graph.value(node, SH.alternativePath))
        return AlternativePath(*(path_of(each, graph) for each in members))
    kind = next(kind for kind in REPEATS if (node, kind, None) in graph)
    return MulPath(path_of(graph.value(node, kind), graph), REPEATS[kind])


def path_in(text: str) -> Any:
    """The path that a text says, by rdflib's parser."""
    query: Any = prepareQuery(f"SELECT * {{ ?start {text} ?end }}")
    return query.algebra.p.p.triples[0][1]


def shown(path: Any) -> Literal:
    """A path as a text that equal paths share."""
    return Literal(path.n3())


def expected(manifest: Graph, report: Any) -> Graph:
    """The part of the report that counts."""
    graph = Graph()
    graph.add((report, SH.conforms, manifest.value(report, SH.conforms)))
    for result in manifest.objects(report, SH.result):
        graph.add((report, SH.result, result))
        for predicate in PRESCRIBED:
            for thing in manifest.objects(result, predicate):
                told = shown(path_of(thing, manifest)) if predicate == SH.resultPath else thing
                graph.add((result, predicate, told))
    return graph


def actual(found: Conformance) -> Graph:
    """The same of ours."""
    graph, report = Graph(), BNode()
    graph.add((report, SH.conforms, Literal(found.conforms)))
    for breach in found.results:
        result = BNode()
        graph.add((report, SH.result, result))
        parts = (breach.focus, None, breach.severity, breach.query, breach.constraint, breach.shape, breach.value)
        for predicate, part in zip(PRESCRIBED, parts, strict=True):
            if part is not None:
                graph.add((result, predicate, node_of(part)))
        if breach.path is not None:
            graph.add((result, SH.resultPath, shown(path_in(breach.path))))
    return graph


def texts_differ(manifest: Graph, report: Any, found: Conformance) -> int:
    """How many expected texts no breach of that focus says."""
    said = {
        (node_of(breach.focus), Literal(line, lang=language or None))
        for breach in found.results
        for language, text in breach.message.items()
        for line in (text, *text.split("\n"))
    }
    return sum(
        (manifest.value(result, SH.focusNode), text) not in said
        for result in manifest.objects(report, SH.result)
        for text in manifest.objects(result, SH.resultMessage)
    )


def judged(manifest: Graph, test: Any) -> dict[str, Any]:
    """One test: whether it is passed, wholly and in ``conforms`` alone."""
    action, report = manifest.value(test, MF.action), manifest.value(test, MF.result)
    data, shapes = (Path(str(manifest.value(action, part))[7:]) for part in (SHT.dataGraph, SHT.shapesGraph))
    own = {"status": str(manifest.value(test, MF.status)).split("#")[-1]}
    try:
        found = validate(triples.read(data), triples.read(shapes))
    except SibuError as error:
        return own | {"passed": report == SHT.Failure, "partly": report == SHT.Failure, "said": str(error)[:300]}
    if report == SHT.Failure:
        return own | {"passed": False, "partly": False, "said": "a report, where a failure is expected"}
    return own | {
        "passed": isomorphic(actual(found), expected(manifest, report)),
        "partly": Literal(found.conforms) == manifest.value(report, SH.conforms),
        "texts_missed": texts_differ(manifest, report, found),
    }


def main() -> None:
    """Run every test that the manifests reach."""
    given = measure.options(__doc__ or "").parse_args()
    logging.getLogger("rdflib.term").disabled = True  # the suite holds values that are not of their type
    warnings.filterwarnings("ignore", message="Parsing weird boolean")
    root = (given.data / "kg_w3c_shacl" / "tests").resolve()
    found: dict[str, dict[str, Any]] = {}
    began = time.perf_counter()
    for file in sorted(root.rglob("*.ttl"))[: given.limit]:
        manifest = loaded(file)
        for test in sorted(manifest.subjects(RDF.type, SHT.Validate)):
            name = f"{file.parent.relative_to(root)}/{str(test).rsplit('/', 1)[-1]}"
            found[name] = judged(manifest, test)
    seconds = time.perf_counter() - began
    sections: dict[str, list[bool]] = {}
    for name, each in found.items():
        sections.setdefault(name.rsplit("/", 1)[0], []).append(each["passed"])
    failures = {
        name: {**each, "why": REASONS.get(name, "NOT EXPLAINED")} for name, each in found.items() if not each["passed"]
    }
    result = {
        "name": "shacl",
        "command": "python bench/shacl.py DATA",
        "what": "W3C SHACL test suite: reports isomorphic to the expected ones (full compliance)",
        "tests": len(found),
        "passed": sum(each["passed"] for each in found.values()),
        "passed_in_conforms_alone": sum(each["partly"] for each in found.values()),
        "texts_missed": sum(each.get("texts_missed", 0) for each in found.values()),
        "by_section": {name: f"{sum(own)}/{len(own)}" for name, own in sorted(sections.items())},
        "failures": failures,
        "pyshacl_alone_fails_also": MENDED,
        "seconds": round(seconds, 1),
        **({} if given.limit is None else {"limit": given.limit}),
        **measure.facts(sorted(root.rglob("manifest.ttl"))),
        "versions_of_references": triples.versions("pyshacl", "rdflib", "pyoxigraph"),
    }
    measure.keep(result, given.results)
    print(f"{result['passed']} of {result['tests']} passed", *failures, sep="\n", file=sys.stderr)


if __name__ == "__main__":
    main()
