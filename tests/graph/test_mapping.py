"""Mappings: every fault at once with its line, and what rows become."""

import re
from typing import Any

import pytest

from sibu.core.errors import DataError
from sibu.core.example import Faults
from sibu.core.logic import TYPE, Entity, Triple, Value
from sibu.core.names import RDF, RDFS, XSD
from sibu.graph.mapping import MappingError, TableMapping, mapping_of
from sibu.graph.tables import facts, is_header
from sibu.recipe.yaml import parse
from tests.graph.shared import BASE, NAMES, e

LABEL = Entity(RDFS + "label")
WHOLE = """\
id: {column: no, as: "patient/{}"}
class: [Patient, {column: kind}]
label: {column: name, language: zh}
properties:
  age: {column: age, type: integer}
  ex:born: {column: birth, type: xsd:date}
  takes: {column: drugs, type: entity, split: ";", as: "drug/{}"}
  remark: [notes, {column: more, language: en}]
  code: {column: code, type: ex:Code}
"""


def read(text: str) -> TableMapping:
    value, lines = parse(text, "map.yaml")
    return mapping_of(value, lines, "map.yaml", NAMES)


def rows_of(rows: list[dict[str, Any]], text: str = WHOLE, *, uniform: bool = False) -> tuple[list[Triple], Faults]:
    faults = Faults()
    found = facts(enumerate(rows, 2), read(text), NAMES, "a.csv", faults, uniform=uniform)
    return [fact for fact, _ in found], faults


EMPTY = dict.fromkeys(("no", "kind", "name", "age", "birth", "drugs", "notes", "more", "code"), "")


def test_a_row_becomes_facts() -> None:
    row = {
        "no": "7",
        "kind": "Old man",
        "name": "安娜",
        "age": "70",
        "birth": "1956-02-01",
        "drugs": "aspirin; ;heparin B",
    }
    found, faults = rows_of([row | {"notes": "  as it is ", "more": "more", "code": "x"}])
    thing, kind, drug = e("patient/7"), e("Old_man"), e("drug/heparin_B")
    assert not faults.examples
    assert set(found) == {
        Triple(thing, TYPE, e("Patient")),
        Triple(thing, TYPE, kind),
        Triple(kind, LABEL, Value("Old man")),
        Triple(thing, LABEL, Value("安娜", RDF + "langString", "zh")),
        Triple(thing, e("age"), Value.of(70)),
        Triple(thing, Entity("https://example.org/born"), Value("1956-02-01", XSD + "date")),
        Triple(thing, e("takes"), e("drug/aspirin")),
        Triple(thing, e("takes"), drug),
        Triple(drug, LABEL, Value("heparin B")),
        Triple(thing, e("remark"), Value("  as it is ")),
        Triple(thing, e("remark"), Value("more", RDF + "langString", "en")),
        Triple(thing, e("code"), Value("x", "https://example.org/Code")),
    }


def test_values_of_other_readers() -> None:
    row: dict[str, Any] = EMPTY | {
        "no": 7,
        "age": 70.0,
        "drugs": ["a", "b;c"],
        "notes": True,
        "more": None,
        "name": float("nan"),
    }
    found, faults = rows_of([row])
    assert not faults.examples
    assert {fact.object for fact in found if fact.predicate == e("takes")} == {e(f"drug/{n}") for n in "abc"}
    assert Triple(e("patient/7"), e("age"), Value.of(70)) in found
    assert Triple(e("patient/7"), e("remark"), Value("true")) in found
    assert len(found) == 6


def test_every_wrong_cell_is_a_fault_of_its_row() -> None:
    _, faults = rows_of(
        [
            EMPTY | {"no": "1", "age": "old", "birth": "1956-13-01"},
            EMPTY | {"no": " "},
            EMPTY | {"no": "3", "age": {"x": 1}, "code": float("inf")},
            EMPTY | {"no": ["1", "2"]},
            EMPTY | {"no": "5", "kind": "<a b>"},
        ]
    )
    said = [str(each) for each in faults.examples]
    for expected in (
        "a.csv:2: The column 'age' must hold a whole number such as 70, given 'old'. Mend the cell.",
        "a.csv:2: The column 'birth' must hold a day such as 2026-01-31, given '1956-13-01'.",
        "a.csv:3: The column 'no' is empty, which names the row's thing.",
        "a.csv:4: The column 'age' is dict, which no value is made of",
        "a.csv:4: The column 'code' is an infinite number",
        "a.csv:5: The column 'no' must name one thing, given ['1', '2'].",
        "a.csv:6: The column 'kind' 'a b' is no absolute IRI",
    ):
        assert any(line.startswith(expected) for line in said), (expected, said)
    assert len(said) == 7


@pytest.mark.parametrize("uniform", [True, False])
def test_columns_that_are_not_there(uniform: bool) -> None:
    rows = [{"No": "1", "name": "x"}]
    with pytest.raises(DataError) as caught:
        rows_of(rows, "id: no\nlabel: nmae\nproperties:\n  age: name\n", uniform=uniform)
    assert str(caught.value).splitlines() == [
        "map.yaml:1 id: a.csv has no column 'no'. It has: No, name.",
        "map.yaml:2 label: a.csv has no column 'nmae'. Did you mean 'name'? It has: No, name.",
        "Nothing was loaded.",
    ]


def test_all_faults_of_a_mapping_are_told_at_once() -> None:
    text = """\
idd: no
class: ""
label: {colum: name, language: en_}
properties:
  age: {column: age, type: integr}
  takes: {column: drugs, as: "drug"}
  name: {column: n, type: date, language: en}
  other: 1.5
"""
    with pytest.raises(MappingError) as caught:
        read(text)
    said = [str(fault) for fault in caught.value.faults]
    for expected in (
        "map.yaml:1 idd: no key 'idd' is known here. Did you mean 'id'? Allowed: id, class, label, properties, reader.",
        "map.yaml:1 : `id` is missing: the column whose cell names the row's thing. Add a line `id: <column>`.",
        "map.yaml:2 class: '' names a class, but is empty where a name is expected.",
        "map.yaml:3 label.colum: no key 'colum' is known here. Did you mean 'column'?",
        "map.yaml:3 label: `column` is missing. Name the table's column.",
        "map.yaml:3 label.language: 'en_' is no language tag.",
        "map.yaml:5 properties.age.type: 'integr' is no type. Did you mean 'integer'? Allowed: integer, ",
        "map.yaml:6 properties.takes.as: only things are named; the type is not `entity`.",
        "map.yaml:6 properties.takes.as: 'drug' must end in {}, where the cell goes.",
        "map.yaml:7 properties.name.language: only texts have a language; the type is 'date'.",
        "map.yaml:8 properties.other: name a column, given 1.5.",
    ):
        assert any(line.startswith(expected.replace(" : ", ": ")) for line in said), (expected, said)
    assert str(caught.value).startswith(f"The mapping has {len(said)} faults:")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a mapping is keys with values (id, class, label, properties, reader), given None."),
        ("- a", "a mapping is keys with values"),
        ("id: no", "it says nothing of a row's thing. Add `class`, `label` or `properties`."),
        ("id: no\nproperties: [a]", "properties are names with columns, given ['a']."),
        ("id: no\nproperties: {a: }", "name a column, given None."),
    ],
)
def test_what_is_no_mapping(text: str, said: str) -> None:
    with pytest.raises(MappingError, match=re.escape(said)):
        read(text)


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (["head", "relation", "tail"], True),
        (["Tail", " HEAD ", "relation"], True),
        (["s", "p", "o"], True),
        (["head", "relation", "other"], False),
        (["head", "relation"], False),
    ],
)
def test_headers(cells: list[str], found: bool) -> None:
    assert is_header(cells) == found


def test_names_of_rows_are_in_the_namespace() -> None:
    found, _ = rows_of([{"n": "a|b"}], "id: n\nclass: T")
    assert {fact.subject.iri for fact in found} == {BASE + "a%7Cb"}
    assert Triple(Entity(BASE + "a%7Cb"), LABEL, Value("a|b")) in found
