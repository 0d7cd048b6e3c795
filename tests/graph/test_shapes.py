"""Shapes: what breaks them, whose facts are to blame, what cannot be judged; no network."""

import socket
import sys
import urllib.request
from collections.abc import Iterator

import pytest
from rdflib import Graph

from sibu.core.errors import DataError, MissingExtra
from sibu.core.logic import Entity, Triple, Value
from sibu.core.names import RDF, SHACL, XSD
from sibu.graph._pyshacl import ours
from sibu.graph.shapes import Breach, Conformance, validate

EX = "https://example.org/"
PREFIXES = f"""
@prefix : <{EX}> . @prefix sh: <{SHACL}> . @prefix xsd: <{XSD}> . @prefix rdf: <{RDF}> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix owl: <http://www.w3.org/2002/07/owl#> .
"""


def triples(turtle: str) -> list[Triple]:
    return [Triple(*map(ours, found)) for found in Graph().parse(data=PREFIXES + turtle, format="turtle")]


def judged(data: str, shapes: str, ontology: str | None = None) -> Conformance:
    return validate(triples(data), triples(shapes), ontology=None if ontology is None else triples(ontology))


def only(found: Conformance) -> Breach:
    assert not found.conforms
    (breach,) = found.results
    return breach


def e(name: str) -> Entity:
    return Entity(EX + name)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Nothing is fetched, whatever the shapes say: the attempts are told, and there are none."""
    attempts: list[str] = []

    def refuse(*args: object, **_: object) -> None:
        attempts.append(str(args))
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(urllib.request.OpenerDirector, "open", refuse)
    yield attempts
    assert not attempts


AGE = """:AgeShape a sh:NodeShape ; sh:targetClass :Patient ;
    sh:property [ sh:path :age ; sh:datatype xsd:integer ; sh:minCount 1 ; sh:maxCount 1 ] ."""


def test_what_is_as_it_should_be() -> None:
    assert judged(":anna a :Patient ; :age 70 .", AGE) == Conformance(True, ())


def test_a_wrong_value_blames_its_own_fact() -> None:
    breach = only(judged(':anna a :Patient ; :age "old" .', AGE))
    assert (breach.focus, breach.path, breach.value) == (e("anna"), f"<{EX}age>", Value("old"))
    assert breach.constraint.iri == SHACL + "DatatypeConstraintComponent"
    assert breach.severity.iri == SHACL + "Violation"
    assert breach.facts == (Triple(e("anna"), e("age"), Value("old")),)
    assert breach.message == {"en": f"is not of the datatype <{XSD}integer>", "zh": f"不是数据类型 <{XSD}integer>"}


def test_a_missing_value_blames_what_made_the_shape_look() -> None:
    breach = only(judged(":anna a :Patient, :Person .", AGE))
    assert breach.value is None
    assert breach.facts == (Triple(e("anna"), Entity(RDF + "type"), e("Patient")),)
    assert breach.message["en"] == 'has fewer values than "1"'


def test_too_many_values_blame_all_of_them() -> None:
    breach = only(judged(":anna a :Patient ; :age 70, 71 .", AGE))
    assert {fact.object for fact in breach.facts} == {Value.of(70), Value.of(71)}
    assert {fact.predicate for fact in breach.facts} == {e("age")}


def test_names_and_texts_in_chinese() -> None:
    shapes = """:病人形状 a sh:NodeShape ; sh:targetClass :病人 ;
        sh:property [ sh:path :年龄 ; sh:datatype xsd:integer ;
            sh:message "{?this} 的年龄“{?value}”不是整数"@zh, "the age {?value} is no whole number"@en ] ."""
    breach = only(judged(':王芳 a :病人 ; :年龄 "七十" .', shapes))
    assert breach.facts == (Triple(e("王芳"), e("年龄"), Value("七十")),)
    assert breach.message == {"en": "the age 七十 is no whole number", "zh": f"{EX}王芳 的年龄“七十”不是整数"}


@pytest.mark.parametrize(
    ("path", "text", "facts"),
    [
        ("( :ward :head )", "<ward>/<head>", [("anna", "ward", "w1"), ("w1", "head", "bob")]),
        (
            "[ sh:inversePath ( :knows :cures ) ]", "^(<knows>/<cures>)",
            [("eva", "cures", "anna"), ("joe", "knows", "eva")],
        ),
        ("[ sh:alternativePath ( :aunt :uncle ) ]", "<aunt>|<uncle>", [("anna", "uncle", "tom")]),
        ("[ sh:oneOrMorePath :parent ]", "<parent>+", [("anna", "parent", "ida")]),
        ("( [ sh:zeroOrOnePath :uncle ] :parent )", "<uncle>?/<parent>", [("anna", "parent", "ida")]),
    ],
)  # fmt: skip
def test_facts_along_a_path(path: str, text: str, facts: list[tuple[str, str, str]]) -> None:
    data = """:kim :treats :anna . :anna :ward :w1 . :w1 :head :bob . :joe :knows :eva . :eva :cures :anna .
        :anna :uncle :tom . :anna :parent :ida . :kim a :Doctor . :eva a :Doctor ."""
    found = judged(
        data, f":S a sh:NodeShape ; sh:targetNode :anna ; sh:property [ sh:path {path} ; sh:class :Doctor ] ."
    )
    breach = only(found)
    assert breach.path is not None
    assert breach.path.replace(EX, "") == text
    assert set(breach.facts) == {Triple(e(subject), e(predicate), e(thing)) for subject, predicate, thing in facts}


def test_an_inverse_path_blames_the_fact_that_points_here() -> None:
    shape = ":S sh:targetNode :anna ; sh:property [ sh:path [ sh:inversePath :treats ] ; sh:class :Doctor ] ."
    breach = only(judged(":kim :treats :anna .", shape))
    assert breach.value == e("kim")
    assert breach.facts == (Triple(e("kim"), e("treats"), e("anna")),)


@pytest.mark.parametrize(
    ("target", "data", "facts"),
    [
        ("sh:targetSubjectsOf :takes", ":anna :takes :x .", [("anna", "takes", "x")]),
        ("sh:targetObjectsOf :treats", ":kim :treats :anna .", [("kim", "treats", "anna")]),
        ("sh:targetNode :anna", ":anna :takes :x .", []),
        ("a rdfs:Class", ":anna a :S .", [("anna", "type", "S")]),
    ],
)
def test_facts_of_each_kind_of_target(target: str, data: str, facts: list[tuple[str, str, str]]) -> None:
    breach = only(judged(data, f":S a sh:NodeShape ; {target} ; sh:property [ sh:path :age ; sh:minCount 1 ] ."))
    kind = Entity(RDF + "type")
    assert breach.facts == tuple(Triple(e(s), kind if p == "type" else e(p), e(o)) for s, p, o in facts)


def test_a_class_below_the_target_comes_from_the_ontology() -> None:
    breach = only(
        judged(":anna a :Inpatient .", AGE, ":Inpatient rdfs:subClassOf :Person . :Person rdfs:subClassOf :Patient .")
    )
    assert breach.facts == (Triple(e("anna"), Entity(RDF + "type"), e("Inpatient")),)
    assert judged(":anna a :Inpatient .", AGE).conforms


def test_inside_another_shape_the_fact_that_leads_there() -> None:
    shapes = """:S a sh:NodeShape ; sh:targetClass :Patient ;
        sh:property [ sh:path :ward ; sh:property [ sh:path :head ; sh:minCount 1 ] ] ."""
    breach = only(judged(":anna a :Patient ; :ward :w1 .", shapes))
    assert breach.focus == e("w1")
    assert breach.facts == (Triple(e("anna"), e("ward"), e("w1")),)


@pytest.mark.parametrize(
    ("constraint", "others"),
    [("sh:lessThan :end", [5]), ("sh:disjoint :same", [9]), ("sh:lessThanOrEquals :end", [5])],
)
def test_two_properties_compared_blame_both_sides(constraint: str, others: list[int]) -> None:
    shapes = f":S a sh:NodeShape ; sh:targetNode :x ; sh:property [ sh:path :begin ; {constraint} ] ."
    breach = only(judged(":x :begin 9 ; :end 5 ; :same 9, 8 .", shapes))
    assert breach.facts[0] == Triple(e("x"), e("begin"), Value.of(9))
    assert [fact.object for fact in breach.facts[1:]] == [Value.of(number) for number in others]


def test_a_closed_shape_blames_the_stranger() -> None:
    shapes = """:S a sh:NodeShape ; sh:targetNode :x ; sh:closed true ; sh:ignoredProperties ( rdf:type ) ;
        sh:property [ sh:path :age ] ."""
    breach = only(judged(":x a :Patient ; :age 3 ; :agee 4 .", shapes))
    assert (breach.path, breach.value) == (f"<{EX}agee>", Value.of(4))
    assert breach.facts == (Triple(e("x"), e("agee"), Value.of(4)),)


def test_severities_are_told_and_none_conforms() -> None:
    shapes = """:S a sh:NodeShape ; sh:targetNode :x ;
        sh:property [ sh:path :p ; sh:minCount 1 ; sh:severity sh:Warning ],
            [ sh:path :q ; sh:minCount 1 ; sh:severity :Curious ] ."""
    found = judged("", shapes)
    assert not found.conforms
    assert [breach.severity for breach in found.results] == [Entity(SHACL + "Warning"), e("Curious")]


QUERY = """:S a sh:NodeShape ; sh:targetClass :Patient ; sh:sparql :Dose .
    :Dose sh:prefixes :names ; sh:message "{?value} mg of {?drug} are too much"@en, "{?drug}：{?value} 毫克过量"@zh ;
      sh:select "SELECT $this ?value ?drug WHERE { $this :takes ?drug . ?drug :mg ?value . FILTER(?value > 800) }" .
    :names owl:imports :more . :more sh:declare [ sh:prefix "" ; sh:namespace "https://example.org/"^^xsd:anyURI ] ."""


def test_a_query_of_the_shapes() -> None:
    found = judged(":anna a :Patient ; :takes :a, :b, :c . :a :mg 900 . :b :mg 800 . :c :mg 1000 .", QUERY)
    assert [breach.message for breach in found.results] == [
        {"en": f"1000 mg of {EX}c are too much", "zh": f"{EX}c：1000 毫克过量"},
        {"en": f"900 mg of {EX}a are too much", "zh": f"{EX}a：900 毫克过量"},
    ]
    assert {breach.query for breach in found.results} == {e("Dose")}


COMPONENT = """:Below a sh:ConstraintComponent ; sh:parameter [ sh:path :below ] ;
      sh:message "{?value} is not below {?below}"@en ;
      sh:validator [ a sh:SPARQLAskValidator ; sh:ask "ASK { FILTER($value < $below) }" ] .
    :S a sh:NodeShape ; sh:targetNode :x ; sh:property [ sh:path :p ; :below %s ] ."""


def test_a_constraint_of_their_own_and_each_result_its_own_text() -> None:
    found = judged(":x :p 3, 7, 9 .", COMPONENT % 5)
    assert [breach.message for breach in found.results] == [{"en": "7 is not below 5"}, {"en": "9 is not below 5"}]
    assert [breach.facts for breach in found.results] == [
        (Triple(e("x"), e("p"), Value.of(number)),) for number in (7, 9)
    ]  # fmt: skip


def test_nothing_is_kept_from_shapes_before() -> None:
    for limit in range(5, 12):  # the same names each time, another validator behind them
        text = (COMPONENT % limit).replace("<", "<" if limit % 2 else ">")
        numbers = [breach.value for breach in judged(":x :p 3, 20 .", text).results]
        assert numbers == [Value.of(20 if limit % 2 else 3)]


def test_unique_lang_works_for_true_alone_and_says_so() -> None:
    data = triples(':x :p "a"@en, "b"@en, "药"@zh .')
    shapes = triples(":S a sh:NodeShape ; sh:targetNode :x ; sh:property [ sh:path :p ; sh:uniqueLang true ] .")
    assert only(validate(data, shapes)).facts
    one = [Triple(t.subject, t.predicate, Value("1", XSD + "boolean") if t.object == Value.of(True) else t.object)
           for t in shapes]  # fmt: skip
    found = validate(data, one)
    assert found.conforms
    assert any("sh:uniqueLang has no effect but as true" in note for note in found.notes)


FAULTS = [
    (
        ":S sh:targetNode :x ; sh:property [ sh:path :p ; sh:minCout 1 ] .",
        "SHACL has no sh:minCout. Did you mean 'minCount'?",
    ),
    (
        ":S a sh:NodeShap .",
        "SHACL has no class sh:NodeShap. Did you mean 'NodeShape'?",
    ),
    (
        ":S sh:targetNode :x ; sh:property [ sh:path :p ; sh:minCount 'one' ] .",
        'sh:minCount is a whole number (xsd:integer) that is not negative, not "one"',
    ),
    (
        ":S sh:targetNode :x ; sh:property [ sh:path :p ; sh:maxCount -1 ] .",
        'sh:maxCount is a whole number (xsd:integer) that is not negative, not "-1"',
    ),
    (
        ":S sh:targetNode :x ; sh:nodeKind sh:Iri .",
        "sh:nodeKind is one of",
    ),
    (
        ":S sh:targetNode :x ; sh:datatype 'integer' .",
        'sh:datatype is an IRI, not "integer"',
    ),
    (
        ":S sh:targetNode :x ; sh:minCount 1 .",
        "sh:minCount needs sh:path beside it",
    ),
    (
        ":S sh:targetNode :x ; sh:property [ sh:minLength 1 ] .",
        "a property shape needs sh:path; there is none",
    ),
    (
        ":S sh:targetNode :x ; sh:property [ sh:path ( :p ) ] .",
        "the path has a list of fewer than two members",
    ),
    (
        ":S sh:targetNode :x ; sh:property [ sh:path :p, :q ] .",
        "sh:path is there 2 times; a shape has one",
    ),
    (
        ":S sh:targetNode :x ; sh:pattern '[' .",
        "sh:pattern '[' is no regular expression of Python's",
    ),
    (
        ":S sh:targetNode :x ; sh:node :AdressShape . :AddressShape a sh:NodeShape .",
        f"names <{EX}AdressShape>, of which the shapes say nothing. Did you mean '{EX}AddressShape'?",
    ),
    (
        ":S sh:targetNode :x ; sh:in :notalist .",
        f"sh:in is a list, not <{EX}notalist>",
    ),
    (
        ":S sh:targetNode :x ; sh:or ( ) .",
        "sh:or is a list of shapes",
    ),
    (
        ":S sh:targetNode :x ; sh:property [ sh:path :p ; sh:qualifiedValueShape [ sh:class :C ] ] .",
        "sh:qualifiedValueShape needs sh:qualifiedMinCount or sh:qualifiedMaxCount beside it",
    ),
    (
        ":S sh:targetNode :x ; sh:flags 'i' .",
        "sh:flags needs sh:pattern beside it",
    ),
    (
        ":S sh:targetNode :x ; sh:node :T . :T a sh:NodeShape ; sh:property [ sh:path :p ; sh:node :S ] .",
        "refers to itself",
    ),
    (
        ":S sh:targetNode :x ; sh:expression [] .",
        "sh:expression is not judged here",
    ),
    (
        ":G sh:entailment <http://www.w3.org/ns/entailment/RDFS> .",
        "nothing is inferred here",
    ),
    (
        "QUERY WHERE { $this ",
        "sh:select: Expected",
    ),
    (
        "QUERY WHERE { $this nope:p ?value }",
        "Unknown namespace prefix : nope",
    ),
    (
        "QUERY WHERE { SERVICE <http://127.0.0.1:9/> { $this ?p ?value } }",
        "it asks another server (SERVICE)",
    ),
    (
        "QUERY FROM <http://127.0.0.1:9/g> WHERE { $this ?p ?value }",
        "it names graphs to load (FROM)",
    ),
    (
        "QUERY WHERE { $this ?p ?value MINUS { ?value ?p $this } }",
        "must not contain a MINUS clause",
    ),
    (
        "QUERY WHERE { GRAPH $shapesGraph { $this ?p ?value } }",
        "$shapesGraph is not bound here",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("shapes", "message"), FAULTS)
def test_shapes_that_cannot_be_judged(shapes: str, message: str) -> None:
    query = shapes.removeprefix("QUERY ")
    if query != shapes:
        shapes = f":S sh:targetNode :x ; sh:sparql [ sh:select 'SELECT $this {query}' ] ."
    with pytest.raises(DataError) as caught:
        judged(":x :p 1 .", shapes)
    assert message in str(caught.value)


def test_all_faults_at_once() -> None:
    with pytest.raises(DataError, match="They have 3 faults:") as caught:
        judged(
            "",
            ":S sh:targetNode :x ; sh:nodeKind :Foo ; sh:datatype 1 ; sh:property [ sh:path :年龄 ; sh:minCout 1 ] .",
        )
    assert f"the shape of the path <{EX}年龄> at sh:property of <{EX}S>: SHACL has no sh:minCout" in str(caught.value)


def test_imports_are_not_fetched_and_that_is_said(_no_network: list[str]) -> None:
    imports = "<http://127.0.0.1:9/ontology> a owl:Ontology ; owl:imports <http://127.0.0.1:9/other> . "
    found = judged(imports + ":anna a :Patient .", imports + AGE, imports)
    assert not found.conforms
    assert "<http://127.0.0.1:9/ontology> imports <http://127.0.0.1:9/other>: nothing is fetched here" in found.notes[0]
    assert _no_network == []


@pytest.mark.parametrize(
    ("shapes", "note"),
    [
        (
            ":S a sh:NodeShape ; sh:targetClass :Patien ; sh:nodeKind sh:IRI .",
            f"sh:targetClass <{EX}Patien> meets nothing",
        ),
        (":S a sh:NodeShape ; sh:targetSubjectsOf :tkes .", f"sh:targetSubjectsOf <{EX}tkes> meets nothing"),
        (":S a sh:NodeShape ; sh:nodeKind sh:IRI .", "has no target, and no shape refers to it"),
        (":S a sh:NodeShape ; sh:targetNode :x ; sh:rule [ ] .", "sh:rule is not run"),
        (":S sh:targetNode :x ; sh:qualifiedMinCount 1 .", "no effect without sh:qualifiedValueShape"),
    ],
)
def test_what_looks_not_meant_so_is_noted(shapes: str, note: str) -> None:
    found = judged(":anna a :Patient ; :takes :x .", shapes)
    assert found.conforms
    assert any(note in line for line in found.notes), found.notes


def test_values_of_the_wrong_type_are_a_breach_and_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    data = [
        Triple(e("x"), e("p"), Value("abc", XSD + "integer")),
        Triple(e("x"), e("p"), Value("none", XSD + "boolean")),
    ]
    shapes = triples(":S a sh:NodeShape ; sh:targetNode :x ; sh:property [ sh:path :p ; sh:datatype xsd:integer ] .")
    assert [breach.value for breach in validate(data, shapes).results] == [data[0].object, data[1].object]
    assert capfd.readouterr() == ("", "")


def test_every_script_and_what_has_no_name() -> None:
    data = [Triple(Entity("_:b1"), Entity(RDF + "type"), e("😀類")), Triple(Entity("_:b1"), e("имя"), Value("ليلى 🌙"))]
    shapes = triples(
        ":S a sh:NodeShape ; sh:targetClass :😀類 ; sh:property [ sh:path :имя ; sh:maxLength 3 ] .".replace(
            ":😀類", f"<{EX}😀類>"
        )
    )
    breach = only(validate(data, shapes))
    assert (breach.focus, breach.value, breach.facts) == (Entity("_:b1"), Value("ليلى 🌙"), (data[1],))


def test_nothing_given() -> None:
    assert validate([], []) == Conformance(True, ())


def test_order_is_the_same_again() -> None:
    data = " ".join(f':n{number} a :Patient ; :age "x{number}" .' for number in range(12))
    first, second = judged(data, AGE), judged(data, AGE)
    assert [(breach.focus, breach.value) for breach in first.results] == [(b.focus, b.value) for b in second.results]
    assert [breach.focus for breach in first.results] == sorted(breach.focus for breach in first.results)


def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyshacl", None)
    with pytest.raises(MissingExtra, match=r"pip install 'sibu\[shapes\]'"):
        judged("", AGE)
