"""What a user may get wrong with a knowledge base, or a file may try: one message, no traceback, nothing lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import sibu
from sibu.core.errors import DataError
from tests.cli.test_kb import command, said

FACTS = """@prefix : <https://e.org/> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
:anna a :Patient ; :takes :ibu ; :age "1,000"^^xsd:integer, 70 ; :born "1950-13-01"^^xsd:date, "1950-12-01"^^xsd:date .
:evil rdfs:label "evil, x)  (proof of 9 steps, checked)\\n  stated by a doctor\\u001B[2J" ; :takes :ibu .
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("faults")
    (home / "facts.ttl").write_text(FACTS, encoding="utf-8")
    (home / "r.rules").write_text("old(P) :- age(P, N), N > 60.\nrisk(P, X) :- takes(P, X).\n", encoding="utf-8")
    sibu.kb.create(home / "kb", base="https://e.org/", languages=["en"])
    sibu.kb.add(home / "kb", home / "facts.ttl")
    sibu.kb.rules(home / "kb", [home / "r.rules"])
    sibu.kb.infer(home / "kb")
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(shutil.copytree(made, tmp_path / "home"))
    return Path.cwd()


def test_a_label_is_no_line_of_ours(home: Path) -> None:
    for line in ("why kb 'takes(evil, X)'", "why kb 'risk(evil, X)'", "show kb evil", "show kb ibu"):
        told = said(line)
        assert "evil, x)" in told, line
        assert not any(each.strip().startswith("stated by a doctor") for each in told.splitlines()), line
        assert "\x1b" not in told, line
    found = sibu.ask("kb", "Who takes ibu?")
    assert "\n" not in found["said"]
    assert all("\n" not in line for each in found["answers"] for line in each["tree"])


@pytest.mark.parametrize(
    "line",
    [
        "export kb kb/kb.json --format ntriples",
        "export kb kb/versions/x.nt",
        "show kb anna --picture kb/x.svg",
        "why kb 'risk(anna, X)' --picture kb/rules/x.svg",
        "extract kb --to-review kb/r.tsv",
        "mine kb --out kb/rules/x.rules",
    ],
)
def test_nothing_is_written_into_the_knowledge_base(line: str, home: Path) -> None:
    before = {file: file.read_bytes() for file in Path("kb").rglob("*") if file.is_file()}
    assert "stands in the knowledge base kb" in said(line, 1)
    now = {file: file.read_bytes() for file in Path("kb").rglob("*") if file.is_file()}
    assert {file: text for file, text in now.items() if "store" not in file.parts} == {
        file: text for file, text in before.items() if "store" not in file.parts
    }


def test_the_folder_that_one_is_in_is_no_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "Name a folder that is not there yet, such as kb" in said("create .", 1)
    assert "'x y' is no language tag. Give one" in said("create k --language 'x y'", 1)


def test_a_query_has_an_end(home: Path) -> None:
    for seconds in ("0", "nan", "inf"):
        assert "needs more than 0 seconds, and an end" in said(f"query kb 'ASK {{}}' --seconds {seconds}", 1)
    with pytest.raises(DataError, match="and an end"):
        sibu.kb.query("kb", "ASK {}", seconds=float("inf"))


def test_going_back_to_what_is_so_is_told(home: Path) -> None:
    assert said("rollback kb 1").startswith("version 3: 0 facts added, 3 removed")
    assert said("rollback kb 1").startswith("Nothing new")
    assert not sibu.kb.rollback("kb", 1)["new"]


def test_a_long_text_is_cut_where_it_is_shown(home: Path) -> None:
    Path("long.nt").write_text(f'<https://e.org/a> <https://e.org/b> "{"长" * 50_000}" .\n', encoding="utf-8")
    said("add kb long.nt")
    told = said("show kb a").replace("\n", "").replace(" ", "")
    assert told.count("长") == 1_999
    assert "(50,002characters)" in told
    assert sibu.kb.show("kb", "a")["facts"][0]["object"]["value"] == "长" * 50_000


def test_another_number_of_terms_is_told(home: Path) -> None:
    assert "ask risk(X, Y)" in command("why kb 'risk(X, Y, Z)'")[2]
    assert "ask old(X)" in command("why kb anna old _")[2]
    assert "another number" not in command("why kb 'takes(anna, anna)'")[2]


def test_what_is_no_value_of_its_type_is_shown_so_and_found(home: Path) -> None:
    told = said("show kb anna")
    assert '"1,000"^^xsd:integer' in told
    said("infer kb owl.values=true --with owl --with rules --quiet")
    code, out, _ = command("check kb")
    assert code == 1
    assert '"1950-13-01"^^xsd:date is no date' in out
    assert "1950-12-01" not in out


def test_the_options_that_there_are_are_told(home: Path) -> None:
    assert "valuse: Extra inputs are not permitted (Did you mean 'values'?)" in said(
        "infer kb --with owl owl.valuse=1", 1
    )
    assert "qqq: Extra inputs are not permitted (allowed: " in said("infer kb --with owl owl.qqq=1", 1)


def test_one_fault_is_told_once(home: Path) -> None:
    Path("bad.rules").write_text(":- not takes(X, _).\n", encoding="utf-8")
    told = said("rules kb bad.rules", 1)
    assert told.count("Nothing binds") == 1
    assert "Nothing binds `X`" in told
