"""Files that a user gives, as facts."""

from __future__ import annotations

from pathlib import Path

import pytest

from sibu.core.errors import DataError
from sibu.core.logic import Entity, Value
from sibu.core.names import RDF, RDFS
from sibu.curation.given import mapping_file, table_facts
from tests.curation.clinic import FILES, NAMES, e, fact


def facts(file: Path, mapping: str | Path | None = None, format_: str | None = None) -> list[tuple[object, int]]:
    read = mapping_file(mapping, NAMES) if mapping else None
    found = table_facts(file, NAMES, format_, read, file.name)
    assert found is not None
    return list(found)


def write(tmp_path: Path, name: str, text: str) -> Path:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    "text",
    ["anna\ttakes\tx\n安娜\ttakes\t药\n", "head\trelation\ttail\nanna\ttakes\tx\n安娜\ttakes\t药\n",
     "\ufeffrelation\ttail\thead\ntakes\tx\tanna\ntakes\t药\t安娜\n"],
)  # fmt: skip
def test_triples_with_or_without_a_header(tmp_path: Path, text: str) -> None:
    found = facts(write(tmp_path, "a.tsv", text))
    assert [triple for triple, _ in found] == [fact("anna", "takes", "x"), fact("安娜", "takes", "药")]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "head , Relation, tail\nanna,takes,x\n"),
        ("a.csv", '"head","relation","tail"\nanna,takes,x\n'),
        ("a.tsv", '"head"\t"relation"\t"tail"\nanna\ttakes\tx\n'),
        ("a.csv", 'anna,takes,"x"\n'),
    ],
)
def test_headers_however_they_are_written(tmp_path: Path, name: str, text: str) -> None:
    assert [triple for triple, _ in facts(write(tmp_path, name, text))] == [fact("anna", "takes", "x")]


@pytest.mark.parametrize("text", ['anna,rdfs:label,"Berg, Anna"\n', 'anna,rdfs:label,"Berg,\nAnna"\n'])
def test_a_first_cell_may_hold_what_parts_cells(tmp_path: Path, text: str) -> None:
    ((triple, row), *_) = facts(write(tmp_path, "a.csv", text))
    assert triple.predicate == Entity(RDFS + "label") and row == 1


def test_rows_are_counted_from_1(tmp_path: Path) -> None:
    assert [row for _, row in facts(write(tmp_path, "a.tsv", "a\tb\tc\nd\te\tf\n"))] == [1, 2]


def test_a_table_by_a_mapping() -> None:
    found = facts(FILES / "patients.csv", FILES / "patients.yaml")
    triples = [triple for triple, _ in found]
    assert fact("anna", "age", 71) in triples
    assert fact("chen", "cleared", "lunarin") in triples
    label = Value("陈伟", RDF + "langString", "zh")
    assert [each.object for each in triples if each.subject == e("chen") and each.predicate == Entity(RDFS + "label")
            and each.object == label] == [label]  # fmt: skip


def test_rdf_is_left_to_others(tmp_path: Path) -> None:
    file = write(tmp_path, "a.ttl", "")
    assert table_facts(file, NAMES, None, None, "a") is None
    with pytest.raises(DataError, match="which needs no mapping"):
        table_facts(file, NAMES, None, mapping_file(FILES / "patients.yaml", NAMES), "a")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.tsv", "a\tb\n", r"a\.tsv:1: a triple has 3 cells, this line has 2"),
        ("a.csv", "no,name,age,drugs\n", "say by a mapping"),
        ("a.jsonl", "{}\n", "is a table; say by a mapping"),
        ("a.tsv", "a\tb\tc\n\t\tx\n", "nothing was loaded"),
    ],
)
def test_what_is_no_table_of_triples(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        facts(write(tmp_path, name, text))


def test_files_that_are_not_there_or_not_utf_8(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.tsv"):
        facts(tmp_path / "none.tsv")
    with pytest.raises(DataError, match=r"no file .*none\.parquet"):
        facts(tmp_path / "none.parquet")
    bad = tmp_path / "m.yaml"
    bad.write_bytes("id: {column: naïve}".encode("latin-1"))
    with pytest.raises(DataError, match="is not UTF-8, from byte 16 on"):
        mapping_file(bad, NAMES)
