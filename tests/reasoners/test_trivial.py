"""Which facts say nothing."""

import pytest

from sibu.core.logic import Atom, Entity
from sibu.reasoners.owl.trivial import is_trivial
from tests.reasoners.closing import close
from tests.reasoners.test_owl_rl import atoms, rules


@pytest.mark.parametrize(
    "fact",
    [
        ":a owl:sameAs :a .", ":C rdfs:subClassOf :C .", ":C rdfs:subClassOf owl:Thing .",
        "owl:Nothing rdfs:subClassOf :C .",
        ":p owl:equivalentProperty :p .", ":甲 a owl:Thing .", ":p rdfs:domain owl:Thing .", "owl:Thing a owl:Class .",
        "rdfs:label a owl:AnnotationProperty .", "xsd:integer a rdfs:Datatype .",
    ],
)  # fmt: skip
def test_says_nothing(fact: str) -> None:
    (atom,) = atoms(fact)
    assert is_trivial(atom)


@pytest.mark.parametrize(
    "fact",
    [
        ":a owl:sameAs :b .", ":C rdfs:subClassOf :D .", "owl:Thing rdfs:subClassOf :C .",
        ":C rdfs:subClassOf owl:Nothing .",
        ":a a :C .", ":C a owl:Class .", ":a :p :a .", ":p rdfs:domain :C .", "rdfs:label a owl:FunctionalProperty .",
    ],
)  # fmt: skip
def test_says_something(fact: str) -> None:
    (atom,) = atoms(fact)
    assert not is_trivial(atom)


def test_relations_of_rules_say_something() -> None:
    assert not is_trivial(Atom(Entity("urn:r"), (Entity("urn:a"),) * 3))


def test_trivial_rules_alone_conclude_what_says_nothing() -> None:
    facts = atoms(":C a owl:Class . :p a owl:ObjectProperty . :q a owl:DatatypeProperty . :a a :C ; :p :b ; :q 5 .")
    found = close(rules("trivial.rules"), facts).facts - set(facts)
    assert len(found) > 50
    assert [fact for fact in found if not is_trivial(fact)] == []
