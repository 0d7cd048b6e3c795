"""RDF Schema: every pattern alone and among all, on data of which each fact is needed."""

import pytest

from sibu.core.logic import Rule
from tests.reasoners.closing import close
from tests.reasoners.test_owl_rl import atoms, rules

PATTERNS = [
    ("rdfs2", ":takes rdfs:domain :Patient . :anna :takes :x .", ":anna a :Patient ."),
    ("rdfs3", ":服用 rdfs:range :药 . :王芳 :服用 :布洛芬 .", ":布洛芬 a :药 ."),
    ("rdfs5", ":p rdfs:subPropertyOf :q . :q rdfs:subPropertyOf :r .", ":p rdfs:subPropertyOf :r ."),
    ("rdfs7", ":p rdfs:subPropertyOf :q . :a :p :b .", ":a :q :b ."),
    ("rdfs9", ":C rdfs:subClassOf :D . :a a :C .", ":a a :D ."),
    ("rdfs11", ":C rdfs:subClassOf :D . :D rdfs:subClassOf :E .", ":C rdfs:subClassOf :E ."),
    ("rdfs12", ":p a rdfs:ContainerMembershipProperty .", ":p rdfs:subPropertyOf rdfs:member ."),
    ("rdfs13", ":D a rdfs:Datatype .", ":D rdfs:subClassOf rdfs:Literal ."),
    ("rdfD2", ":a :p :b .", ":p a rdf:Property ."),
    ("rdfs1", "", "xsd:string a rdfs:Datatype . rdf:langString a rdfs:Datatype ."),
    ("rdfs4a", ":a :p :b .", ":a a rdfs:Resource ."),
    ("rdfs4b", ":a :p :b .", ":b a rdfs:Resource ."),
    ("rdfs6", ":p a rdf:Property .", ":p rdfs:subPropertyOf :p ."),
    ("rdfs8", ":C a rdfs:Class .", ":C rdfs:subClassOf rdfs:Resource ."),
    ("rdfs10", ":C a rdfs:Class .", ":C rdfs:subClassOf :C ."),
]
GRANTED = {"rdfs1", "rdfs4a", "rdfs4b", "rdfs6", "rdfs8", "rdfs10", "rdfD2"}
"""In axioms.rules."""


def family(name: str) -> tuple[Rule, ...]:
    own = rules("rdfs.rules", "axioms.rules")
    return tuple(rule for rule in own if rule.id == name or rule.id.startswith(f"{name}."))


def test_all_patterns_are_there() -> None:
    numbers = {f"rdfs{number}" for number in range(1, 14)} - {"rdfs4"} | {"rdfs4a", "rdfs4b", "rdfD2"}
    assert {name for name, _, _ in PATTERNS} == numbers
    own = rules("rdfs.rules", "axioms.rules")
    assert len({rule.id for rule in own}) == len(own)
    assert {rule.id for rule in rules("rdfs.rules")} == numbers - GRANTED


@pytest.mark.parametrize(("name", "data", "wanted"), PATTERNS, ids=[pattern[0] for pattern in PATTERNS])
def test_a_pattern(name: str, data: str, wanted: str) -> None:
    facts = atoms(data)
    assert close(family(name), facts).facts.issuperset(atoms(wanted))
    for fact in facts:
        assert not close(family(name), [other for other in facts if other != fact]).facts.issuperset(atoms(wanted))
    among = rules("rdfs.rules", "axioms.rules") if name in GRANTED else rules("rdfs.rules")
    assert close(among, facts).facts.issuperset(atoms(wanted))


def test_what_does_not_follow() -> None:
    found = close(rules("rdfs.rules"), atoms(":C rdfs:subClassOf :D . :a a :D . :p rdfs:domain :C . :b :q :c .")).facts
    assert not found & set(atoms(":a a :C . :b a :C ."))


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (":C rdfs:subClassOf :D .", ":C a rdfs:Class . :D a rdfs:Class . :D rdfs:subClassOf :D, rdfs:Resource ."),
        (":p rdfs:domain :C .", ":p a rdf:Property . :C a rdfs:Class ."),
        (
            "",
            "rdf:_1 rdfs:subPropertyOf rdfs:member . rdf:nil a rdf:List . rdf:Alt rdfs:subClassOf rdfs:Container .",
        ),
        (':a rdfs:label "甲"@zh .', ":a a rdfs:Resource . rdfs:label a rdf:Property ."),
    ],
)
def test_the_words_of_rdf_themselves(data: str, wanted: str) -> None:
    assert close(rules("rdfs.rules", "axioms.rules"), atoms(data)).facts.issuperset(atoms(wanted))


def test_owl_rl_concludes_all_of_rdfs_but_containers() -> None:
    for name, data, wanted in PATTERNS:
        if name not in GRANTED:
            found = close(rules("rl.rules"), atoms(data)).facts.issuperset(atoms(wanted))
            assert found == (name not in {"rdfs12", "rdfs13"}), name
