"""The public verbs of knowledge, from files of every kind."""

import gzip
import re
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import sibu
from sibu import kb
from sibu.core.errors import DataError
from tests.conftest import write_jsonl

BASE = "https://example.org/clinic/"
TURTLE = f"""@prefix : <{BASE}> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
:anna a :Patient ; rdfs:label "Anna"@en, "安娜"@zh ; :takes :ibuprofen, :warfarin ; :age 70 .
"""
MAPPING = "id: {column: no, as: 'patient/{}'}\nclass: Patient\nproperties:\n  age: {column: age, type: integer}\n"


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A knowledge base that was just made."""
    place = tmp_path_factory.mktemp("new") / "kb"
    assert kb.create(place, base=BASE, prefixes={"ex": "https://example.org/"}, languages=["zh", "en"]) == place
    return place


@pytest.fixture
def home(tmp_path: Path, new: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a copy of it and some files, to work in."""
    monkeypatch.chdir(shutil.copytree(new.parent, tmp_path / "home"))
    Path("facts.ttl").write_text(TURTLE, encoding="utf-8")
    Path("patients.yaml").write_text(MAPPING, encoding="utf-8")
    Path("patients.csv").write_text("no,age\r\n1,70\r\n2,\r\n", encoding="utf-8-sig")
    return Path.cwd()


def asked(sparql: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = kb.query("kb", sparql)["rows"]
    return found


def test_it_is_a_part_of_the_face() -> None:
    assert sibu.kb is kb
    assert "kb" in dir(sibu)


def test_what_a_file_states(home: Path) -> None:
    found = kb.add("kb", "facts.ttl", message="first")
    assert (found["new"], found["files"]) == (True, [{"document": "facts.ttl", "facts": 6}])
    assert found["version"]["number"] == 1
    assert kb.add("kb", ["facts.ttl"])["new"] is False
    assert asked("SELECT ?n { :anna :age ?n }") == [
        {"n": {"value": "70", "type": "http://www.w3.org/2001/XMLSchema#integer"}}
    ]
    assert kb.query("kb", "ASK { :anna :takes :warfarin }") == {"answer": True}
    assert kb.query("kb", "CONSTRUCT WHERE { ?s :age ?o }")["facts"][0]["subject"] == {"iri": BASE + "anna"}
    assert [each["message"] for each in kb.versions("kb")] == ["created", "first"]


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "parquet", "gz"])
def test_tables_of_every_form(form: str, home: Path) -> None:
    rows = [{"no": "1", "age": 70}, {"no": "2", "age": None}]
    name = f"p.{form}"
    if form == "csv":
        name = "patients.csv"
    elif form == "tsv":
        Path(name).write_text("no\tage\n1\t70\n2\t\n")
    elif form == "jsonl":
        write_jsonl(Path(name), rows)
    elif form == "gz":
        name = "p.csv.gz"
        Path(name).write_bytes(gzip.compress(b"no,age\n1,70\n2,\n"))
    else:
        pq.write_table(pa.Table.from_pylist(rows), name)
    assert kb.add("kb", name, mapping="patients.yaml")["version"]["facts"] == 3
    found = kb.show("kb", "patient/1")["facts"]
    row = {"parquet": 1, "jsonl": 1}.get(form, 2)
    assert {source["row"] for fact in found for source in fact["sources"]} == {row}
    assert found[0]["sources"][0]["document"] == name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.tsv", "anna\ttakes\tibuprofen\n"),
        ("a.txt", "anna\ttakes\tibuprofen\r\n"),
        ("a.tsv", "\ufeffhead\trelation\ttail\nanna\ttakes\tibuprofen\n"),
        ("a.csv", "Tail,Head,Relation\nibuprofen,anna,takes\n"),
        ("a.csv", '"anna","takes","ibuprofen"\n'),
        ("a.csv", f"<{BASE}anna>,takes,{BASE}ibuprofen\n"),
    ],
)
def test_tables_of_triples(name: str, text: str, home: Path) -> None:
    Path(name).write_text(text, encoding="utf-8")
    assert kb.add("kb", name)["version"]["facts"] == 1
    (fact,) = kb.show("kb", "anna")["facts"]
    assert (fact["predicate"]["iri"], fact["object"]["iri"]) == (BASE + "takes", BASE + "ibuprofen")
    assert fact["sources"][0]["row"] == text.count("\n")


def test_names_in_triples_keep_what_they_say(home: Path) -> None:
    Path("a.tsv").write_text('A+\tis worse than\tA-\nA+\tcalled\t"甲+"@zh\n', encoding="utf-8")
    assert kb.add("kb", "a.tsv")["version"]["facts"] == 3
    found = kb.show("kb", "A+")["facts"]
    assert sorted(fact["said"][2] for fact in found) == ['"甲+"@zh', "A-"]
    assert {fact["said"][1] for fact in found} == {"is worse than", "called"}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.tsv", "a\tb\tc\na\tb\n", "The record has 2 cells where the header has 3"),
        ("a.tsv", "a\tb\tc\na\t\tc\n", "a.tsv:2: A cell is empty where a name is expected: ['a', '', 'c']."),
        ("a.tsv", 'a\tb\t"x"^^foo:y\n', "a.tsv:1: A cell has a type with the prefix 'foo', which is not known"),
        ("a.csv", "no,age\n1,2\n", "a.csv:1: a triple has 3 cells, this line has 2 ('no,age'). Where it is a table"),
        ("a.tsv", "", "No records: no line follows the header"),
        ("a.jsonl", "{}\n", "is a table; say by a mapping how its rows are facts (`--mapping FILE`)."),
        ("a.foo", "", "The name of a.foo does not tell its format."),
    ],
)
def test_tables_of_triples_that_are_none(name: str, text: str, said: str, home: Path) -> None:
    Path(name).write_text(text)
    with pytest.raises(DataError, match=re.escape(said)):
        kb.add("kb", name)
    assert kb.versions("kb")[1:] == []


def test_every_fault_of_a_table_is_told_and_nothing_is_loaded(home: Path) -> None:
    Path("bad.csv").write_text("no,age\n1,old\n,3\n3,70\n4\n")
    with pytest.raises(DataError) as caught:
        kb.add("kb", ["facts.ttl", "bad.csv"], mapping="patients.yaml", format=None)
    assert "facts.ttl is turtle, which needs no mapping." in str(caught.value)
    with pytest.raises(DataError) as caught:
        kb.add("kb", "bad.csv", mapping="patients.yaml")
    lines = str(caught.value).splitlines()
    assert lines[-1] == "3 faults; nothing was loaded."
    assert [line.split(":")[1] for line in lines[:-1]] == ["2", "3", "5"]
    assert len(kb.versions("kb")) == 1


def test_a_reader_with_options(home: Path) -> None:
    Path("semi.csv").write_text("no;age\n1;70\n")
    Path("semi.yaml").write_text(f"{MAPPING}reader: {{name: csv, delimiter: ';'}}\n")
    assert kb.add("kb", "semi.csv", mapping="semi.yaml")["version"]["facts"] == 2


def test_a_mended_mapping_takes_back_what_the_first_one_said(home: Path) -> None:
    Path("things.csv").write_text("n,nick\nanna,Ann\n", encoding="utf-8")
    Path("map.yaml").write_text("id: n\nproperties: {nick: nick}\n", encoding="utf-8")
    kb.add("kb", "things.csv", mapping="map.yaml")
    Path("map.yaml").write_text("# the same\n\nid: n\nproperties:\n  nick: nick\n", encoding="utf-8")
    assert not kb.add("kb", "things.csv", mapping="map.yaml")["new"]
    Path("map.yaml").write_text("id: n\nlabel: nick\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"things\.csv was loaded by another mapping .* say that it is an update"):
        kb.add("kb", "things.csv", mapping="map.yaml")
    version = kb.add("kb", "things.csv", mapping="map.yaml", update=True)["version"]
    assert (version["added"], version["removed"]) == (1, 1)
    assert not kb.add("kb", "things.csv", mapping="map.yaml")["new"]


def test_files_that_are_not_there(home: Path) -> None:
    for name in ("facts.tt1", "patients.parquet", "no.csv"):
        with pytest.raises(DataError, match=r"There is no file|does not tell its format"):
            kb.add("kb", name, mapping=None if name != "patients.parquet" else "patients.yaml")
    with pytest.raises(DataError, match=r"There is no file .*maping.yaml"):
        kb.add("kb", "patients.csv", mapping="maping.yaml")
    with pytest.raises(DataError, match="Name at least one file"):
        kb.add("kb", [])


def test_two_files_of_one_name(home: Path) -> None:
    Path("more").mkdir()
    Path("more/facts.ttl").write_text(TURTLE + ":bob a :Patient .", encoding="utf-8")
    with pytest.raises(DataError, match=r"Several files are the document 'facts\.ttl'"):
        kb.add("kb", ["facts.ttl", "more/facts.ttl"])
    kb.add("kb", "facts.ttl")
    with pytest.raises(DataError, match=r"facts\.ttl was loaded with other content"):
        kb.add("kb", "more/facts.ttl")
    assert kb.add("kb", "more/facts.ttl", document="facts 2")["version"]["added"] == 1
    assert kb.add("kb", "more/facts.ttl", update=True)["version"]["added"] == 0


def test_guesses_do_not_hold(home: Path) -> None:
    found = kb.add("kb", "facts.ttl", status="hypothesis", confidence=0.5)
    assert found["version"]["facts"] == 0
    shown = kb.show("kb", "anna")
    assert shown["facts"] == []
    assert len(shown["hypotheses"]) == 6
    assert shown["hypotheses"][0]["sources"][0]["confidence"] == 0.5


@pytest.mark.parametrize(
    ("terms", "left"),
    [
        (("anna", "takes", "ibuprofen"), 5),
        (("安娜", "takes", f"<{BASE}ibuprofen>"), 5),
        (("anna", "takes", "_"), 4),
        (("_", "_", "70"), 5),
        (("anna", "age", '"70"^^xsd:integer'), 5),
        (("_", "rdfs:label", '"安娜"@zh'), 5),
        (("anna", "_", "_"), 0),
    ],
)
def test_what_is_retracted(terms: tuple[str, str, str], left: int, home: Path) -> None:
    kb.add("kb", "facts.ttl")
    found = kb.retract("kb", *terms, why="misread")
    assert (found["version"]["facts"], found["retracted"]) == (left, 6 - left)
    why = [source["why"] for fact in kb.show("kb", f"<{BASE}anna>")["retracted"] for source in fact["sources"]]
    assert set(why) == {"misread"}


def test_an_object_that_may_be_several_is_asked_back(home: Path) -> None:
    labels = "".join(f':{name} rdfs:label "{label}" .\n' for name, label in {"p1": "Bo", "p2": "Bo", "q": "p1"}.items())
    Path("bo.ttl").write_text(f'{TURTLE}{labels}:anna :knows :p1, :p2, :q, "Bo" .', encoding="utf-8")
    kb.add("kb", "bo.ttl")
    with pytest.raises(DataError, match=re.escape("""'Bo' may mean 3 things and values: p1, p2, "Bo". Give one""")):
        kb.retract("kb", "anna", "knows", "Bo", why="bad")
    assert kb.retract("kb", "anna", "knows", "p1", why="bad")["retracted"] == 1, "its name goes before a label"
    assert kb.retract("kb", "anna", "knows", '"Bo"', why="bad")["retracted"] == 1
    assert kb.retract("kb", "anna", "knows", "bo", why="bad")["retracted"] == 1, "p2 alone is left of this label"
    assert [fact["said"][2] for fact in kb.show("kb", "anna")["facts"] if fact["said"][1] == "knows"] == ["p1"]


def test_a_document_is_retracted(home: Path) -> None:
    kb.add("kb", "facts.ttl")
    kb.add("kb", "facts.ttl", document="copy")
    assert kb.retract("kb", "anna", "takes", why="bad", document="copy")["retracted"] == 2
    assert kb.retract("kb", why="bad", document="facts.ttl")["version"]["facts"] == 4
    with pytest.raises(DataError, match="Name at least one of subject, predicate, object and document"):
        kb.retract("kb", why="bad")
    with pytest.raises(DataError, match=r"No fact is stated as \(anna, takes, aspirin\) in 'copy'"):
        kb.retract("kb", "anna", "takes", "aspirin", why="bad", document="copy")


def test_what_is_known_of_a_thing(home: Path) -> None:
    kb.add("kb", "facts.ttl")
    shown = kb.show("kb", "Anna", language="en")
    assert (shown["entity"], shown["short"], shown["label"]) == (BASE + "anna", "anna", "Anna")
    assert [each["value"] for each in shown["labels"]] == ["安娜", "Anna"]
    assert kb.show("kb", "ibuprofen")["to"][0]["said"] == ["安娜", "takes", "ibuprofen"]
    assert len(kb.show("kb", "anna", limit=2)["facts"]) == 2


def test_pictures(home: Path) -> None:
    kb.add("kb", "facts.ttl")
    told = kb.show("kb", "anna", picture="p/anna.svg")["picture"]
    assert (told["things"], told["facts"], told["cut"]) == (3, 2, False)
    assert "安娜" in Path("p/anna.svg").read_text(encoding="utf-8")
    kb.show("kb", "anna", picture="anna.html", hops=2)
    page = Path("anna.html").read_text(encoding="utf-8")
    assert "<td>facts.ttl</td>" in page
    assert "<td>70</td>" in page
    with pytest.raises(DataError, match=r"A picture is a file \.svg or \.html, given anna\.png"):
        kb.show("kb", "anna", picture="anna.png")


def test_there_and_back_through_versions(home: Path) -> None:
    kb.add("kb", "facts.ttl")
    kb.retract("kb", "anna", "age", why="unsure")
    kb.name_version("kb", 1, "first")
    found = kb.diff("kb", "first", 2)
    assert [each["said"] for each in found["removed"]] == ["age(anna, 70)"]
    assert found["added"] == []
    assert kb.rollback("kb", "first")["facts"] == 6
    assert kb.diff("kb", 1, 3)["removed"] == []


@pytest.mark.parametrize("name", ["a.ttl", "a.nt", "a.jsonld", "a.rdf", "a.tsv", "a.csv", "a.nq", "a.trig"])
def test_exports_are_loaded_again(name: str, home: Path) -> None:
    kb.add("kb", "facts.ttl")
    assert kb.export("kb", name) == 6
    kb.create("other", base=BASE)
    kb.add("other", name)
    assert {str(row) for row in kb.query("other", "SELECT * { ?s ?p ?o }")["rows"]} == {
        str(row) for row in asked("SELECT * { ?s ?p ?o }")
    }


def test_a_store_made_anew(home: Path) -> None:
    kb.add("kb", "facts.ttl")
    before = kb.stats("kb")["facts"]
    assert kb.rebuild("kb")["facts"] == before
    assert kb.stats("kb")["facts"] == before


def test_a_limit_of_no_time(home: Path) -> None:
    with pytest.raises(DataError, match="A query needs more than 0 seconds, and an end, given 0"):
        kb.query("kb", "ASK { ?s ?p ?o }", seconds=0)
