"""OWL 2 RL: every rule of the W3C tables alone and within all of them, on data of which each fact is needed."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pyoxigraph
import pytest

import sibu
from sibu.core.logic import Atom, Entity, Rule, Term, Value
from sibu.core.names import OWL, RDF, RDFS, XSD, Names
from sibu.logic.sound import faults
from sibu.logic.text import parse
from tests.reasoners.closing import Closed, close

ROOM = Path(sibu.__file__).parent / "reasoners"
EX = "https://example.org/"
PREFIXES = f"""
@prefix : <{EX}> . @prefix rdf: <{RDF}> . @prefix rdfs: <{RDFS}> . @prefix owl: <{OWL}> . @prefix xsd: <{XSD}> .
"""
LISTS = {Entity(RDF + "first"), Entity(RDF + "rest")}
TABLES = {
    4: "eq-ref eq-sym eq-trans eq-rep-s eq-rep-p eq-rep-o eq-diff1 eq-diff2 eq-diff3",
    5: "prp-ap prp-dom prp-rng prp-fp prp-ifp prp-irp prp-symp prp-asyp prp-trp prp-spo1 prp-spo2 prp-eqp1 "
    "prp-eqp2 prp-pdw prp-adp prp-inv1 prp-inv2 prp-key prp-npa1 prp-npa2",
    6: "cls-thing cls-nothing1 cls-nothing2 cls-int1 cls-int2 cls-uni cls-com cls-svf1 cls-svf2 cls-avf cls-hv1 "
    "cls-hv2 cls-maxc1 cls-maxc2 cls-maxqc1 cls-maxqc2 cls-maxqc3 cls-maxqc4 cls-oo",
    7: "cax-sco cax-eqc1 cax-eqc2 cax-dw cax-adc",
    8: "dt-type1 dt-type2 dt-eq dt-diff dt-not-type",
    9: "scm-cls scm-sco scm-eqc1 scm-eqc2 scm-op scm-dp scm-spo scm-eqp1 scm-eqp2 scm-dom1 scm-dom2 scm-rng1 scm-rng2 "
    "scm-hv scm-svf1 scm-svf2 scm-avf1 scm-avf2 scm-int scm-uni",
}
"""The rules of OWL 2 Profiles (Second Edition), section 4.3."""
NO_RULES = {"dt-type2", "dt-eq"}
"""These are facts of datatypes.py, see test_datatypes.py."""


def term(found: object) -> Term:
    if isinstance(found, pyoxigraph.NamedNode):
        return Entity(found.value)
    if isinstance(found, pyoxigraph.BlankNode):
        return Entity(f"_:{found.value}")
    assert isinstance(found, pyoxigraph.Literal)
    return Value(found.value, found.datatype.value, found.language or "")


def atoms(turtle: str) -> list[Atom]:
    found = pyoxigraph.parse((PREFIXES + turtle).encode(), format=pyoxigraph.RdfFormat.TURTLE)
    return [Atom(Entity(quad.predicate.value), (term(quad.subject), term(quad.object))) for quad in found]


@cache
def rules(*files: str) -> tuple[Rule, ...]:
    names = Names(EX)
    return tuple(rule for file in files for rule in parse(next(ROOM.rglob(file)).read_text("utf-8"), names, file).rules)


LEANED = {
    "dt-diff": ("eq-sym", "eq-trans"),
    "dt-not-type": ("prp-rng", "dt-numeric", "dt-whole", "dt-least", "dt-greatest"),
}


def family(name: str) -> tuple[Rule, ...]:
    """The rules of one row of the tables, and those that they lean on."""
    own = rules("rl.rules", "trivial.rules")
    leaned = ("list-", *LEANED.get(name, ()))
    return tuple(rule for rule in own if rule.id == name or rule.id.startswith((f"{name}.", *leaned)))


def holds(found: Closed, wanted: str) -> bool:
    """Whether what a case expects holds: facts in Turtle, or `false`."""
    return bool(found.violated) if wanted == "false" else found.facts.issuperset(atoms(wanted))


CONCLUDES = [
    # Table 4
    ("eq-ref", ":a :p :b .", ":a owl:sameAs :a . :b owl:sameAs :b . :p owl:sameAs :p ."),
    ("eq-sym", ":a owl:sameAs :b .", ":b owl:sameAs :a ."),
    ("eq-trans", ":a owl:sameAs :b . :b owl:sameAs :c .", ":a owl:sameAs :c ."),
    ("eq-rep-s", ":a owl:sameAs :b . :a :p :c .", ":b :p :c ."),
    ("eq-rep-p", ":p owl:sameAs :q . :a :p :b .", ":a :q :b ."),
    ("eq-rep-o", ":b owl:sameAs :c . :a :p :b .", ":a :p :c ."),
    ("eq-diff1", ":a owl:sameAs :b . :a owl:differentFrom :b .", "false"),
    ("eq-diff1", ":a owl:differentFrom :a .", "false"),
    ("eq-diff2", "[] a owl:AllDifferent ; owl:members ( :a :b :c ) . :c owl:sameAs :a .", "false"),
    ("eq-diff2", "[] a owl:AllDifferent ; owl:members ( :a :b :a ) .", "false"),
    ("eq-diff3", "[] a owl:AllDifferent ; owl:distinctMembers ( :a :b :c ) . :b owl:sameAs :c .", "false"),
    ("eq-diff3", "[] a owl:AllDifferent ; owl:distinctMembers ( :a :b :b ) .", "false"),
    # Table 5
    ("prp-ap", "", "rdfs:label a owl:AnnotationProperty . owl:versionInfo a owl:AnnotationProperty ."),
    ("prp-dom", ":takes rdfs:domain :Patient . :anna :takes :x .", ":anna a :Patient ."),
    ("prp-rng", ":服用 rdfs:range :药 . :王芳 :服用 :布洛芬 .", ":布洛芬 a :药 ."),
    (
        "prp-fp",
        ":mother a owl:FunctionalProperty . :a :mother :b . :a :mother :c .",
        ":b owl:sameAs :c . :c owl:sameAs :b .",
    ),
    (
        "prp-ifp",
        ":ssn a owl:InverseFunctionalProperty . :a :ssn :n . :b :ssn :n .",
        ":a owl:sameAs :b . :b owl:sameAs :a .",
    ),
    ("prp-irp", ":parent a owl:IrreflexiveProperty . :a :parent :a .", "false"),
    ("prp-symp", ":near a owl:SymmetricProperty . :a :near :b .", ":b :near :a ."),
    ("prp-asyp", ":parent a owl:AsymmetricProperty . :a :parent :b . :b :parent :a .", "false"),
    ("prp-trp", ":in a owl:TransitiveProperty . :a :in :b . :b :in :c .", ":a :in :c ."),
    ("prp-spo1", ":p rdfs:subPropertyOf :q . :a :p :b .", ":a :q :b ."),
    (
        "prp-spo2",
        ":uncle owl:propertyChainAxiom ( :parent :brother ) . :a :parent :b . :b :brother :c .",
        ":a :uncle :c .",
    ),
    ("prp-spo2", ":p owl:propertyChainAxiom ( :q :r :s ) . :a :q :b . :b :r :c . :c :s :d .", ":a :p :d ."),
    ("prp-eqp1", ":p owl:equivalentProperty :q . :a :p :b .", ":a :q :b ."),
    ("prp-eqp2", ":p owl:equivalentProperty :q . :a :q :b .", ":a :p :b ."),
    ("prp-pdw", ":likes owl:propertyDisjointWith :hates . :a :likes :b . :a :hates :b .", "false"),
    ("prp-adp", "[] a owl:AllDisjointProperties ; owl:members ( :p :q :r ) . :a :p :b . :a :r :b .", "false"),
    ("prp-inv1", ":owns owl:inverseOf :owner . :a :owns :b .", ":b :owner :a ."),
    ("prp-inv2", ":owns owl:inverseOf :owner . :a :owner :b .", ":b :owns :a ."),
    ("prp-key", ":C owl:hasKey ( :k ) . :a a :C ; :k 1 . :b a :C ; :k 1 .", ":a owl:sameAs :b . :b owl:sameAs :a ."),
    ("prp-key", ":C owl:hasKey ( :k :l ) . :a a :C ; :k 1 ; :l 2 . :b a :C ; :k 1 ; :l 2 .", ":a owl:sameAs :b ."),
    (
        "prp-key",
        "owl:Thing owl:hasKey ( :k ) . :a a :C ; :k 1 . :b a :C ; :k 1 . :C a owl:Class .",
        ":b owl:sameAs :a .",
    ),
    (
        "prp-npa1",
        "[] owl:sourceIndividual :a ; owl:assertionProperty :p ; owl:targetIndividual :b . :a :p :b .",
        "false",
    ),
    ("prp-npa2", "[] owl:sourceIndividual :a ; owl:assertionProperty :p ; owl:targetValue 5 . :a :p 5 .", "false"),
    # Table 6
    ("cls-thing", "", "owl:Thing a owl:Class ."),
    ("cls-nothing1", "", "owl:Nothing a owl:Class ."),
    ("cls-nothing2", ":a a owl:Nothing .", "false"),
    ("cls-int1", ":C owl:intersectionOf ( :D :E :F ) . :a a :D, :E, :F .", ":a a :C ."),
    ("cls-int1", ":C owl:intersectionOf ( :D ) . :a a :D .", ":a a :C ."),
    ("cls-int1", ":C owl:intersectionOf ( owl:Thing :E ) . :a a :E .", ":a a :C ."),
    ("cls-int1", ":C owl:intersectionOf ( :E owl:Thing ) . :a a :E . :E a owl:Class .", ":a a :C ."),
    ("cls-int2", ":C owl:intersectionOf ( :D :E ) . :a a :C .", ":a a :D, :E ."),
    ("cls-uni", ":C owl:unionOf ( :D :E ) . :a a :E .", ":a a :C ."),
    ("cls-com", ":C owl:complementOf :D . :a a :C, :D .", "false"),
    ("cls-com", ":C owl:complementOf owl:Thing ; a owl:Class . :a a :C .", "false"),
    ("cls-com", "owl:Thing owl:complementOf :C . :C a owl:Class . :a a :C .", "false"),
    ("cls-svf1", ":R owl:someValuesFrom :Drug ; owl:onProperty :takes . :a :takes :x . :x a :Drug .", ":a a :R ."),
    ("cls-svf2", ":R owl:someValuesFrom owl:Thing ; owl:onProperty :takes . :a :takes :x .", ":a a :R ."),
    ("cls-avf", ":R owl:allValuesFrom :Dog ; owl:onProperty :child . :a a :R ; :child :b .", ":b a :Dog ."),
    ("cls-hv1", ":R owl:hasValue 5 ; owl:onProperty :p . :a a :R .", ":a :p 5 ."),
    ("cls-hv2", ":R owl:hasValue :v ; owl:onProperty :p . :a :p :v .", ":a a :R ."),
    ("cls-maxc1", ":R owl:maxCardinality 0 ; owl:onProperty :p . :a a :R ; :p :b .", "false"),
    (
        "cls-maxc2",
        ':R owl:maxCardinality "1"^^xsd:nonNegativeInteger ; owl:onProperty :p . :a a :R ; :p :b, :c .',
        ":b owl:sameAs :c .",
    ),
    (
        "cls-maxqc1",
        ":R owl:maxQualifiedCardinality 0 ; owl:onProperty :p ; owl:onClass :D . :a a :R ; :p :b . :b a :D .",
        "false",
    ),
    (
        "cls-maxqc2",
        ":R owl:maxQualifiedCardinality 0 ; owl:onProperty :p ; owl:onClass owl:Thing . :a a :R ; :p :b .",
        "false",
    ),
    (
        "cls-maxqc3",
        ":R owl:maxQualifiedCardinality 1 ; owl:onProperty :p ; owl:onClass :D . :a a :R ; :p :b, :c . "
        ":b a :D . :c a :D .",
        ":b owl:sameAs :c .",
    ),
    (
        "cls-maxqc4",
        ":R owl:maxQualifiedCardinality 1 ; owl:onProperty :p ; owl:onClass owl:Thing . :a a :R ; :p :b, :c .",
        ":b owl:sameAs :c .",
    ),
    ("cls-oo", ":Colour owl:oneOf ( :red :蓝 ) .", ":red a :Colour . :蓝 a :Colour ."),
    # Table 7
    ("cax-sco", ":C rdfs:subClassOf :D . :a a :C .", ":a a :D ."),
    ("cax-eqc1", ":C owl:equivalentClass :D . :a a :C .", ":a a :D ."),
    ("cax-eqc2", ":C owl:equivalentClass :D . :a a :D .", ":a a :C ."),
    ("cax-dw", ":Cat owl:disjointWith :Dog . :a a :Cat, :Dog .", "false"),
    ("cax-dw", ":C owl:disjointWith owl:Thing ; a owl:Class . :a a :C .", "false"),
    ("cax-dw", "owl:Thing owl:disjointWith :C . :C a owl:Class . :a a :C .", "false"),
    ("cax-adc", "[] a owl:AllDisjointClasses ; owl:members ( :猫 :狗 :Bird ) . :a a :猫, :Bird .", "false"),
    # Table 8
    ("dt-type1", "", "xsd:integer a rdfs:Datatype . rdfs:Literal a rdfs:Datatype . xsd:dateTime a rdfs:Datatype ."),
    ("dt-diff", ":x owl:sameAs 1, 2 .", "false"),
    ("dt-diff", ':x owl:sameAs "a", "药" .', "false"),
    ("dt-diff", ':x owl:sameAs 1, "1" .', "false"),
    ("dt-diff", ":x owl:sameAs true, false .", "false"),
    ("dt-not-type", ':age rdfs:range xsd:integer . :anna :age "old" .', "false"),
    ("dt-not-type", ":name rdfs:range xsd:string . :anna :name 5 .", "false"),
    ("dt-not-type", ":age rdfs:range xsd:integer . :anna :age 1.5 .", "false"),
    ("dt-not-type", ":age rdfs:range xsd:unsignedInt . :anna :age -1 .", "false"),
    ("dt-not-type", ":age rdfs:range xsd:byte . :anna :age 300 .", "false"),
    # Table 9
    (
        "scm-cls",
        ":C a owl:Class .",
        ":C rdfs:subClassOf :C, owl:Thing ; owl:equivalentClass :C . owl:Nothing rdfs:subClassOf :C .",
    ),
    ("scm-sco", ":C rdfs:subClassOf :D . :D rdfs:subClassOf :E .", ":C rdfs:subClassOf :E ."),
    ("scm-sco", "owl:Thing rdfs:subClassOf :D . :C a owl:Class .", ":C rdfs:subClassOf :D ."),
    ("scm-sco", ":C rdfs:subClassOf owl:Nothing . :D a owl:Class .", ":C rdfs:subClassOf :D ."),
    ("scm-eqc1", ":C owl:equivalentClass :D .", ":C rdfs:subClassOf :D . :D rdfs:subClassOf :C ."),
    ("scm-eqc2", ":C rdfs:subClassOf :D . :D rdfs:subClassOf :C .", ":C owl:equivalentClass :D ."),
    ("scm-op", ":p a owl:ObjectProperty .", ":p rdfs:subPropertyOf :p ; owl:equivalentProperty :p ."),
    ("scm-dp", ":p a owl:DatatypeProperty .", ":p rdfs:subPropertyOf :p ; owl:equivalentProperty :p ."),
    ("scm-spo", ":p rdfs:subPropertyOf :q . :q rdfs:subPropertyOf :r .", ":p rdfs:subPropertyOf :r ."),
    ("scm-eqp1", ":p owl:equivalentProperty :q .", ":p rdfs:subPropertyOf :q . :q rdfs:subPropertyOf :p ."),
    ("scm-eqp2", ":p rdfs:subPropertyOf :q . :q rdfs:subPropertyOf :p .", ":p owl:equivalentProperty :q ."),
    ("scm-dom1", ":p rdfs:domain :C . :C rdfs:subClassOf :D .", ":p rdfs:domain :D ."),
    ("scm-dom2", ":p rdfs:domain :C . :q rdfs:subPropertyOf :p .", ":q rdfs:domain :C ."),
    ("scm-rng1", ":p rdfs:range :C . :C rdfs:subClassOf :D .", ":p rdfs:range :D ."),
    ("scm-rng2", ":p rdfs:range :C . :q rdfs:subPropertyOf :p .", ":q rdfs:range :C ."),
    (
        "scm-hv",
        ":R owl:hasValue :v ; owl:onProperty :p . :S owl:hasValue :v ; owl:onProperty :q . "
        ":p rdfs:subPropertyOf :q .",
        ":R rdfs:subClassOf :S .",
    ),
    (
        "scm-hv",
        ":R owl:hasValue 1 ; owl:onProperty :p . :S owl:hasValue 1 ; owl:onProperty :p . "
        ":p a owl:DatatypeProperty .",
        ":R rdfs:subClassOf :S .",
    ),
    (
        "scm-svf1",
        ":R owl:someValuesFrom :C ; owl:onProperty :p . :S owl:someValuesFrom :D ; owl:onProperty :p . "
        ":C rdfs:subClassOf :D .",
        ":R rdfs:subClassOf :S .",
    ),
    (
        "scm-svf1",
        ":R owl:someValuesFrom :C ; owl:onProperty :p . "
        ":S owl:someValuesFrom owl:Thing ; owl:onProperty :p . :C a owl:Class .",
        ":R rdfs:subClassOf :S .",
    ),
    (
        "scm-svf1",
        ":R owl:someValuesFrom :C ; owl:onProperty :p . :S owl:someValuesFrom :C ; owl:onProperty :p . "
        ":C a owl:Class .",
        ":R rdfs:subClassOf :S .",
    ),
    (
        "scm-svf2",
        ":R owl:someValuesFrom :C ; owl:onProperty :p . :S owl:someValuesFrom :C ; owl:onProperty :q . "
        ":p rdfs:subPropertyOf :q .",
        ":R rdfs:subClassOf :S .",
    ),
    (
        "scm-avf1",
        ":R owl:allValuesFrom :C ; owl:onProperty :p . :S owl:allValuesFrom :D ; owl:onProperty :p . "
        ":C rdfs:subClassOf :D .",
        ":R rdfs:subClassOf :S .",
    ),
    (
        "scm-avf1",
        ":R owl:allValuesFrom owl:Nothing ; owl:onProperty :p . "
        ":S owl:allValuesFrom :D ; owl:onProperty :p . :D a owl:Class .",
        ":R rdfs:subClassOf :S .",
    ),
    (
        "scm-avf2",
        ":R owl:allValuesFrom :C ; owl:onProperty :p . :S owl:allValuesFrom :C ; owl:onProperty :q . "
        ":p rdfs:subPropertyOf :q .",
        ":S rdfs:subClassOf :R .",
    ),
    ("scm-int", ":C owl:intersectionOf ( :D :E ) .", ":C rdfs:subClassOf :D, :E ."),
    ("scm-uni", ":C owl:unionOf ( :D :E ) .", ":D rdfs:subClassOf :C . :E rdfs:subClassOf :C ."),
    # Beyond the tables
    ("ext-disjoint-union", ":C owl:disjointUnionOf ( :D :E ) .", ":D rdfs:subClassOf :C . :E rdfs:subClassOf :C ."),
    ("ext-disjoint-union", ":C owl:disjointUnionOf ( :D :E ) . :a a :D, :E .", "false"),
]  # fmt: skip


TRIVIAL = {rule.id.split(".")[0] for rule in rules("trivial.rules")}
NOT = [
    ("eq-rep-o", ":b owl:sameAs :c . :a :p :d .", ":a :p :c ."),
    ("prp-key", ":C owl:hasKey ( :k :l ) . :a a :C ; :k 1 ; :l 2 . :b a :C ; :k 1 ; :l 3 .", ":a owl:sameAs :b ."),
    ("prp-key", ":C owl:hasKey ( :k ) . :a a :C ; :k 1 . :b a :D ; :k 1 .", ":a owl:sameAs :b ."),
    ("prp-spo2", ":p owl:propertyChainAxiom ( :q :r ) . :a :r :b . :b :q :c .", ":a :p :c ."),
    ("prp-spo2", ":p owl:propertyChainAxiom ( :q :r ) . :a :q :b .", ":a :p :b ."),
    ("prp-adp", "[] a owl:AllDisjointProperties ; owl:members ( :p :q ) . :a :p :b . :b :q :a .", "false"),
    ("cls-int1", ":C owl:intersectionOf ( :D :E :F ) . :a a :D, :F .", ":a a :C ."),
    ("cls-uni", ":C owl:unionOf ( :D :E ) . :a a :C .", ":a a :D ."),
    ("cls-avf", ":R owl:allValuesFrom :Dog ; owl:onProperty :child . :a :child :b . :b a :Dog .", ":a a :R ."),
    ("cls-maxc1", ":R owl:maxCardinality 1 ; owl:onProperty :p . :a a :R ; :p :b .", "false"),
    ("cls-maxc2", ":R owl:maxCardinality 2 ; owl:onProperty :p . :a a :R ; :p :b, :c .", ":b owl:sameAs :c ."),
    (
        "cls-maxqc3",
        ":R owl:maxQualifiedCardinality 1 ; owl:onProperty :p ; owl:onClass :D . :a a :R ; :p :b, :c . :b a :D .",
        ":b owl:sameAs :c .",
    ),
    ("cls-svf1", ":R owl:someValuesFrom :Drug ; owl:onProperty :takes . :a a :R .", ":a :takes :x ."),
    ("cax-sco", ":C rdfs:subClassOf :D . :a a :D .", ":a a :C ."),
    ("cax-adc", "[] a owl:AllDisjointClasses ; owl:members ( :C :D ) . :a a :C . :b a :D .", "false"),
    ("prp-asyp", ":p a owl:AsymmetricProperty . :a :p :b . :b :p :c .", "false"),
    ("scm-eqc2", ":C rdfs:subClassOf :D .", ":C owl:equivalentClass :D ."),
    (
        "scm-avf2",
        ":R owl:allValuesFrom :C ; owl:onProperty :p . :S owl:allValuesFrom :C ; owl:onProperty :q . "
        ":p rdfs:subPropertyOf :q .",
        ":R rdfs:subClassOf :S .",
    ),
    ("dt-diff", ":x owl:sameAs 1, 1.0, 1.0e0 .", "false"),
    ("dt-not-type", ":age rdfs:range xsd:byte . :anna :age -128, 127 .", "false"),
]  # fmt: skip


IDS = [f"{case[0]}-{place}" for place, case in enumerate(CONCLUDES)]


def test_every_rule_of_the_tables_is_there_and_has_a_test() -> None:
    wanted = {name for row in TABLES.values() for name in row.split()} - NO_RULES
    assert len(wanted | NO_RULES) == 78
    tested = {name for name, _, _ in CONCLUDES}
    assert wanted <= tested
    written = {rule.id.split(".")[0] for rule in rules("rl.rules", "trivial.rules")}
    assert wanted <= written


def test_ids_are_of_one_rule_and_each_says_what_it_is() -> None:
    own = rules("rl.rules", "trivial.rules")
    assert len({rule.id for rule in own}) == len(own)
    silent = [rule.id for rule in own if rule.body and not rule.about and not rule.id.startswith(("list-", "dt-"))]
    assert silent == []


@pytest.mark.parametrize(("name", "data", "wanted"), CONCLUDES, ids=IDS)
def test_a_rule_alone(name: str, data: str, wanted: str) -> None:
    """The rule concludes what it should from these facts, and from none fewer."""
    facts = atoms(data)
    found = close(family(name), facts)
    assert holds(found, wanted)
    if wanted != "false":
        assert not found.violated
    if wanted == "false" or len(atoms(wanted)) == 1:
        for fact in facts:
            if fact.predicate not in LISTS:
                assert not holds(close(family(name), [other for other in facts if other != fact]), wanted), fact


@pytest.mark.parametrize(("name", "data", "wanted"), CONCLUDES, ids=IDS)
def test_a_rule_among_all(name: str, data: str, wanted: str) -> None:
    found = close(rules("rl.rules", "trivial.rules") if name in TRIVIAL else rules("rl.rules"), atoms(data))
    assert holds(found, wanted)
    assert not found.violated or wanted == "false"


@pytest.mark.parametrize(("name", "data", "unwanted"), NOT, ids=[f"{case[0]}-{n}" for n, case in enumerate(NOT)])
def test_what_does_not_follow(name: str, data: str, unwanted: str) -> None:
    assert not holds(close(family(name), atoms(data)), unwanted)
    assert not holds(close(rules("rl.rules", "trivial.rules"), atoms(data)), unwanted)


@pytest.mark.parametrize("file", ["rl.rules", "trivial.rules", "rdfs.rules", "axioms.rules"])
def test_the_files_are_sound(file: str) -> None:
    found = faults(parse(next(ROOM.rglob(file)).read_text("utf-8"), Names(EX), file), None)
    assert (found.errors, found.warnings) == ((), ())


def test_relations_of_rules_alone_are_no_facts() -> None:
    """What the rules keep of lists has three or four terms, so that it never comes among a knowledge base's triples."""
    own = {rule.head.predicate: len(rule.head.terms) for rule in rules("rl.rules") if rule.head is not None}
    kept = {predicate.iri: terms for predicate, terms in own.items() if isinstance(predicate, Entity)}
    assert {iri for iri, terms in kept.items() if terms != 2} == {
        iri for iri in kept if iri.startswith("urn:sibu:owl:")
    }
