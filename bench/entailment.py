"""The W3C suites of entailment over our rules: RDF semantics (rdf-mt) and SPARQL 1.1 entailment regimes.

    python bench/entailment.py DATA [--results DIR]

DATA holds ``kg_w3c_rdfs_owl_entailment``. Each regime has its rules: simple none, RDF and RDFS those of ``rdfs.rules``
and ``axioms.rules``, D these and the datatypes, OWL (Direct and RDF-Based) ``rl.rules`` with ``trivial.rules``. What
follows is brought into pyoxigraph, and queries and conclusions are asked of it.

rdf-mt: a graph is entailed where a query with its nameless nodes as variables holds; values are replaced by one way to
write them where their datatype is recognised, and a value as a subject by a node of its own. ``false`` is entailed
where a constraint is met, a value is not as its datatype allows, or of a datatype that it cannot be of.

SPARQL: a test that names several regimes is run in each. Answers are compared as the suite gives them, nodes without a
name by their place. Under OWL Direct a node that stands for a class expression is no answer, as the regime has it. One
JSON: ``entailment.json``, with every failure and why.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import permutations
from pathlib import Path
from typing import Any

import measure
import pyoxigraph
import triples
from rdflib import RDF as R
from rdflib import Graph, Literal, Namespace, URIRef
from rdflib.collection import Collection

import sibu
from sibu.core.logic import TYPE, Atom, Entity, Rule, Term, Triple, Value, Variable
from sibu.core.names import OWL, RDF, RDFS, XSD, Names
from sibu.logic.closure import Closure
from sibu.logic.text import parse
from sibu.reasoners.owl.datatypes import ABOVE, ill_typed, is_of, meaning, types_of

MF = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
QT = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-query#")
SD = Namespace("http://www.w3.org/ns/sparql-service-description#")
ROOM = Path(sibu.__file__).parent / "reasoners"
FILES = {
    "simple": (),
    "RDF": ("axioms.rules",),
    "RDFS": ("rdfs.rules", "axioms.rules"),
    "D": ("rdfs.rules", "axioms.rules"),
    "OWL-RDF-Based": ("rl.rules", "trivial.rules", "rdfs.rules", "axioms.rules"),
    "OWL-Direct": ("rl.rules", "trivial.rules"),
}
RESCINDED = {"datatypes-intensional-xsd-integer-string-incompatible", "pfps-10-non-well-formed-literal-1",
             "xmlsch-02-whitespace-facet-3"}  # fmt: skip
"""Written in the manifest, but no longer among its entries."""
ASKED = (
    "the query asks for members of a class expression that the ontology does not hold: the OWL Direct regime has to "
    "prove membership for it, a materialised closure has no node for it"
)
REASONS: dict[str, str] = {
    "datatypes-intensional-xsd-integer-string-incompatible": "rescinded by the working group on 2013-12-18: not "
    "among the manifest's entries",
    **dict.fromkeys(
        (
            "simple1",
            "simple2",
            "simple3",
            "simple4",
            "simple5",
            "simple6",
            "simple7",
            "simple8",
            "parent4",
            "parent5",
            "parent6",
            "parent7",
            "parent8",
            "paper-sparqldl-Q2",
        ),
        ASKED,
    ),
    "paper-sparqldl-Q3": f"{ASKED}; and that a conference is no workshop follows from disjointness, which OWL 2 RL "
    "uses for contradictions alone",
    "sparqldl-11": "beyond OWL 2 RL: it has no rule from a property's domain to the range of its inverse",
    "sparqldl-12": "the one expected answer is that of OWL Direct: under OWL RDF-Based the nameless restriction that "
    "is equivalent to the domain, and rdfs:Resource, are domains too",
    **dict.fromkeys(("rif01", "rif03", "rif04", "rif06"), "RIF documents are not read"),
}
"""Why a test fails, by its name."""
EXPRESSION = frozenset(OWL + name for name in ("onProperty", "intersectionOf", "unionOf", "complementOf", "oneOf"))
"""What a node without a name has that stands for a class expression."""
KNOWN_NAMES = (
    *ABOVE, "integer", "decimal", "double", "float", "boolean", "dateTime", "hexBinary", "base64Binary", "string",
    "anyURI",
)  # fmt: skip
KNOWN = {Entity(XSD + name) for name in KNOWN_NAMES} | {Entity(RDF + "langString")}


@cache
def rules_of(regime: str) -> tuple[Rule, ...]:
    """The program of a regime; of RDF alone what begins with ``rdf`` in axioms.rules and is not RDFS."""
    found: dict[str, Rule] = {}
    for file in FILES[regime]:
        for rule in parse(next(ROOM.rglob(file)).read_text("utf-8"), Names("urn:bench:"), file).rules:
            if regime != "RDF" or rule.id == "rdfD2" or rule.id.startswith("rdf-"):
                found.setdefault(rule.id, rule)
    return tuple(found.values())


def followed(facts: Iterable[Triple], regime: str, known: set[Entity]) -> tuple[list[Atom], list[str]]:
    """What follows from facts, and why they contradict themselves; ``known``: the datatypes that are recognised."""
    own = [Atom(fact.predicate, (fact.subject, fact.object)) for fact in facts]
    values = {fact.terms[1] for fact in own if isinstance(fact.terms[1], Value)}
    wrong = [f"{value.text!r} is no {value.datatype}" for value in ill_typed(v for v in values if typed_in(v, known))]
    if regime != "simple":
        own += [Atom(TYPE, (value, kind)) for value in values for kind in types_of(value)
                if (kind in known and typed_in(value, known)) or kind == Entity(RDFS + "Literal")]  # fmt: skip
    closure = Closure(rules_of(regime), proofs=False)
    closure.add(own)
    closure.close()
    found = list(closure.match(Atom(Variable("P"), (Variable("S"), Variable("O")))))
    wrong += sorted({violation.rule.id for violation in closure.violations()})
    for fact in found:
        value, kind = fact.terms
        if fact.predicate != TYPE or not isinstance(value, Value) or kind not in known:
            continue
        if typed_in(value, known) and is_of(value, kind) is False:
            wrong.append(f"{value.text!r} cannot be of {kind.iri}")
    return found, wrong


def typed_in(value: Value, known: set[Entity]) -> bool:
    """Whether a value's datatype is recognised."""
    return Entity(value.datatype) in known


# rdf-mt.


def one_way(term: Term, known: set[Entity], seen: dict[object, Value]) -> Term:
    """The value by which all that are worth the same are written."""
    if not isinstance(term, Value) or not typed_in(term, known):
        return term
    worth = meaning(term)
    return term if worth is None else seen.setdefault(worth, term)


def entails(facts: Iterable[Atom], wanted: Iterable[Triple], known: set[Entity]) -> bool:
    """Whether the facts entail a graph: its nameless nodes may be anything."""
    seen: dict[object, Value] = {}
    store = pyoxigraph.Store()
    for fact in facts:
        subject, thing = (one_way(term, known, seen) for term in fact.terms)
        for one, other in {(node_for(subject), triples.theirs(thing)), (node_for(subject), node_for(thing))}:
            store.add(pyoxigraph.Quad(one, triples.theirs(fact.predicate), other))
    lines = []
    for triple in wanted:
        parts = (triple.subject, triple.predicate, one_way(triple.object, known, seen))
        lines.append(" ".join(pattern(part) for part in parts))
    return bool(store.query(f"ASK {{ {' . '.join(lines)} }}"))


def node_for(term: Term) -> Any:
    """A node that may stand as a subject."""
    if isinstance(term, Value):
        return pyoxigraph.BlankNode(f"value{abs(hash(term))}")
    return triples.theirs(term)


def pattern(term: Term) -> str:
    """A term of a query; a nameless node is a variable."""
    if isinstance(term, Entity) and term.iri.startswith("_:"):
        return f"?{''.join(sign if sign.isalnum() else '_' for sign in term.iri)}"
    return str(triples.theirs(term))


def semantics(root: Path) -> dict[str, dict[str, Any]]:
    """The tests of rdf-mt."""
    manifest = Graph().parse(root / "manifest.ttl", publicID=root.as_uri() + "/")
    found = {}
    for kind, positive in ((MF.PositiveEntailmentTest, True), (MF.NegativeEntailmentTest, False)):
        for test in manifest.subjects(R.type, kind):
            name = str(test).rsplit("#", 1)[-1]
            regime = str(manifest.value(test, MF.entailmentRegime))
            known = {Entity(str(each)) for each in Collection(manifest, manifest.value(test, MF.recognizedDatatypes))}
            known |= {Entity(XSD + "string"), Entity(RDF + "langString")}  # always, since RDF 1.1
            facts, wrong = followed(triples.read(path_of(manifest.value(test, MF.action))), regime, known)
            result = manifest.value(test, MF.result)
            if isinstance(result, Literal):
                holds = bool(wrong)
            else:
                holds = bool(wrong) or entails(facts, triples.read(path_of(result)), known)
            found[name] = {"regime": regime, "passed": holds == positive, "said": wrong[:3], "positive": positive}
    return found


def path_of(iri: Any) -> Path:
    """The file of a file's IRI."""
    return Path(str(iri).removeprefix("file://"))


# SPARQL.


def regimes(suite: Path) -> dict[str, dict[str, Any]]:
    """The query tests, each in every regime that it names."""
    manifest = Graph().parse(suite / "manifest.ttl", publicID=suite.as_uri() + "/")
    found = {}
    for test in manifest.subjects(R.type, MF.QueryEvaluationTest):
        action = manifest.value(test, MF.action)
        own = [str(each).rsplit("/", 1)[-1] for each in several(manifest, action, SD.entailmentRegime)]
        files = [path_of(manifest.value(action, part)) for part in (QT.query, QT.data)]
        result = path_of(manifest.value(test, MF.result))
        for regime in own:
            name = f"{str(test).rsplit('#', 1)[-1]} ({regime})"
            found[name] = answered(files[0], files[1], result, regime)
    return found


def several(manifest: Graph, subject: Any, predicate: URIRef) -> Iterator[Any]:
    """The values of a property, those of a list one by one."""
    for value in manifest.objects(subject, predicate):
        yield from Collection(manifest, value) if (value, R.first, None) in manifest else (value,)


def answered(query: Path, data: Path, result: Path, regime: str) -> dict[str, Any]:
    """One test in one regime."""
    if regime not in FILES:
        return {"regime": regime, "passed": False, "said": "no such rules"}
    base = data.as_uri()
    asserted = list(triples.read(data, base))
    facts, wrong = followed(asserted, regime, KNOWN)
    store = pyoxigraph.Store()
    for fact in facts:
        subject, thing = fact.terms
        predicate = fact.predicate
        if isinstance(subject, Entity) and isinstance(predicate, Entity) and not predicate.iri.startswith("_:"):
            store.add(pyoxigraph.Quad(*map(triples.theirs, (subject, predicate, thing))))
    answers: Any = store.query(query.read_text("utf-8"), base_iri=base)
    expected: Any = pyoxigraph.parse_query_results(path=str(result), format=pyoxigraph.QueryResultsFormat.XML)
    if isinstance(answers, pyoxigraph.QueryBoolean):
        return {"regime": regime, "passed": bool(answers) == bool(expected), "said": f"{bool(answers)}"}
    names = [variable.value for variable in answers.variables]
    wanted_names = [variable.value for variable in expected.variables]
    ours, theirs = rows(answers, names), rows(expected, names)
    if regime == "OWL-Direct":
        nodes = {str(triples.theirs(fact.subject)) for fact in asserted
                 if fact.predicate.iri in EXPRESSION and fact.subject.iri.startswith("_:")}  # fmt: skip
        ours = [row for row in ours if not nodes & set(row)]
    passed = set(names) == set(wanted_names) and alike(ours, theirs)
    said = "" if passed else f"more: {shown(ours, theirs)}; fewer: {shown(theirs, ours)}"
    return {"regime": regime, "passed": passed, "said": said, **({"contradicts_itself": wrong[:3]} if wrong else {})}


def rows(solutions: Any, names: list[str]) -> list[tuple[str, ...]]:
    """Each answer as texts; the same answer once, as a regime gives no multiplicities of its own."""
    found = {tuple("" if row[name] is None else str(row[name]) for name in names) for row in solutions}
    return sorted(found)


def shown(one: list[tuple[str, ...]], other: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The first of what is in one alone."""
    return [row for row in one if row not in other][:4]


def alike(one: list[tuple[str, ...]], other: list[tuple[str, ...]]) -> bool:
    """Whether answers are the same but for the names of nodes without one."""
    if len(one) != len(other):
        return False
    mine, theirs = (sorted({part for row in each for part in row if part.startswith("_:")}) for each in (one, other))
    if len(mine) != len(theirs) or len(mine) > 6:
        return one == other
    return any(
        Counter(tuple(dict(zip(mine, order, strict=True)).get(part, part) for part in row) for row in one)
        == Counter(other)
        for order in permutations(theirs)
    )


def rates(found: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Passed of all, by regime."""
    own: dict[str, list[bool]] = {}
    for each in found.values():
        own.setdefault(each["regime"], []).append(each["passed"])
    return {regime: f"{sum(passed)}/{len(passed)}" for regime, passed in sorted(own.items())}


def failures(found: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What failed, with the reason."""
    return {
        name: {**each, "why": REASONS.get(name) or REASONS.get(name.split(" ")[0], "NOT EXPLAINED")}
        for name, each in sorted(found.items())
        if not each["passed"]
    }


def main() -> None:
    """Run both suites."""
    given = measure.options(__doc__ or "").parse_args()
    root = (given.data / "kg_w3c_rdfs_owl_entailment").resolve()
    began = time.perf_counter()
    first, second = semantics(root / "rdf-mt"), regimes(root / "entailment")
    tests: dict[str, list[bool]] = {}
    for name, each in second.items():
        tests.setdefault(name.split(" ")[0], []).append(each["passed"])
    result = {
        "name": "entailment",
        "command": "python bench/entailment.py DATA",
        "what": "W3C rdf-mt tests, and SPARQL 1.1 entailment tests in every regime that each names",
        "rdf_mt": {
            "tests": len(first),
            "passed": sum(each["passed"] for each in first.values()),
            "rescinded": {name: first[name]["passed"] for name in sorted(RESCINDED)},
            "by_regime": rates(first),
            "failures": failures(first),
        },
        "sparql": {
            "tests": len(tests),
            "passed_in_every_regime": sum(all(passed) for passed in tests.values()),
            "passed_in_some_regime": sum(any(passed) for passed in tests.values()),
            "by_regime": rates(second),
            "failures": failures(second),
        },
        "seconds": round(time.perf_counter() - began, 1),
        **measure.facts([root / "rdf-mt" / "manifest.ttl", root / "entailment" / "manifest.ttl"]),
        "versions_of_references": triples.versions("rdflib", "pyoxigraph"),
    }
    measure.keep(result, given.results)
    for name in ("rdf_mt", "sparql"):
        print(name, {key: value for key, value in result[name].items() if key != "failures"}, file=sys.stderr)


if __name__ == "__main__":
    main()
