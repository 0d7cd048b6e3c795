"""What an ontology says of new facts."""

import pytest

from sibu import kb
from sibu.core.logic import Entity, Value
from sibu.core.names import XSD
from sibu.curation.extracting.ontology import Ontology

BASE = "https://example.org/"
TURTLE = f"""@prefix : <{BASE}> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
:Person a owl:Class . :Firm a owl:Class . :Town a owl:Class ; rdfs:label "place to live"@en, "城镇"@zh .
:Doctor rdfs:subClassOf :Person . :Hospital rdfs:subClassOf :Firm . :Human owl:equivalentClass :Person .
[] a owl:AllDisjointClasses ; owl:members (:Person :Firm :Town) .
:agent rdfs:domain [ owl:unionOf (:Person :Firm) ] .
:works rdfs:subPropertyOf :agent ; rdfs:range :Firm . :lives rdfs:domain :Person ; rdfs:range :Town .
:age a owl:FunctionalProperty, owl:DatatypeProperty ; rdfs:range xsd:integer .
:weight rdfs:range xsd:decimal . :note a owl:DatatypeProperty . :any rdfs:domain owl:Thing .
"""


def e(name: str) -> Entity:
    return Entity(BASE + name)


@pytest.fixture(scope="module")
def ontology(tmp_path_factory: pytest.TempPathFactory) -> Ontology:
    home = tmp_path_factory.mktemp("ontology")
    (home / "o.ttl").write_text(TURTLE, encoding="utf-8")
    kb.create(home / "kb", base=BASE)
    kb.add(home / "kb", home / "o.ttl")
    with kb.open(home / "kb") as base:
        return Ontology(base, open_=False)


@pytest.mark.parametrize(
    ("label", "found"),
    [("Town", "Town"), ("town", "Town"), ("Place to  Live", "Town"), ("城镇", "Town"), ("village", None), ("", None)],
)
def test_what_a_label_stands_for(ontology: Ontology, label: str, found: str | None) -> None:
    assert ontology.named(label, is_class=True) == (None if found is None else e(found))


def test_disjoint_classes(ontology: Ontology) -> None:
    assert ontology.class_fault(e("Doctor"), [e("Hospital")]) == "no Hospital is a Doctor (disjoint classes)"
    assert ontology.class_fault(e("Doctor"), [e("Human")]) == ""
    assert ontology.class_fault(e("Human"), [e("Town")])
    assert ontology.class_fault(e("Doctor"), []) == ""


@pytest.mark.parametrize(
    ("prop", "side", "kinds", "fits"),
    [
        ("works", "domain", ["Doctor"], True),  # by the property above it, and a union
        ("works", "domain", ["Firm"], True),
        ("works", "domain", ["Town"], False),
        ("works", "range", ["Hospital"], True),
        ("works", "range", ["Doctor"], False),
        ("lives", "domain", [], True),
        ("lives", "domain", ["Human"], True),
        ("any", "domain", ["Town"], True),
        ("age", "range", ["Town"], False),
        ("note", "range", ["Town"], False),
    ],
)
def test_ends_of_properties(ontology: Ontology, prop: str, side: str, kinds: list[str], fits: bool) -> None:
    assert (ontology.end_fault(e(prop), side, frozenset(map(e, kinds))) == "") is fits


@pytest.mark.parametrize(
    ("prop", "value", "fits"),
    [
        ("age", Value("70", XSD + "integer"), True),
        ("age", Value("7.5", XSD + "decimal"), False),
        ("age", Value("old"), False),
        ("weight", Value("70", XSD + "integer"), True),
        ("note", Value("old"), True),
        ("lives", Value("here"), False),
    ],
)
def test_values_of_properties(ontology: Ontology, prop: str, value: Value, fits: bool) -> None:
    assert (ontology.value_fault(e(prop), value) == "") is fits


def test_functional(ontology: Ontology) -> None:
    assert ontology.functional == {e("age")}
