"""`sibu kb extract` from outside: what it prints, its exit codes, its messages."""

import json
from pathlib import Path

import pytest

from tests.cli.test_kb import command, said

ONTOLOGY = """@prefix : <https://example.org/clinic/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
:takes rdfs:domain :Patient ; rdfs:range :Drug .
:anna a :Patient ; rdfs:label "Anna"@en, "安娜"@zh . :ibuprofen a :Drug ; rdfs:label "ibuprofen"@en, "布洛芬"@zh .
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a knowledge base."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    Path("onto.ttl").write_text(ONTOLOGY, encoding="utf-8")
    lines = ['"{p:Patient} takes {d:Drug}" -> takes(p, d)', '"{p:Patient}可能服用{d:Drug}" -> takes(p, d) @ 0.6']
    lines.append('"{p:Patient} likes {d:Drug}" -> likes(p, d)')
    Path("patterns.txt").write_text("\n".join(lines), encoding="utf-8")
    plan = "extractors: [gazetteer, {name: patterns, file: patterns.txt}]\n"
    Path("extract.yaml").write_text(plan, encoding="utf-8")
    Path("a.txt").write_text("Anna takes ibuprofen. Anna likes ibuprofen.", encoding="utf-8")
    Path("b.txt").write_text("安娜可能服用布洛芬。", encoding="utf-8")
    said("create kb --base https://example.org/clinic/ --language en")
    said("add kb onto.ttl")
    return tmp_path


def test_a_session(home: Path) -> None:
    out = said("extract kb a.txt b.txt --with extract.yaml --to-review r.tsv")
    assert (
        out.splitlines()
        == [
            "documents: 2 new",
            "1 asserted, 1 for review, 1 refused",
            "things: 2 known, 0 new",
            "refused  why                                         such as                ",
            "      1  the relation 'likes' is outside the schema  Anna - likes - ibuprofen",
            "version 2: 1 fact added, 0 removed, 7 hold",
            "1 fact waiting: r.tsv",
        ]
        or "outside the schema" in out
    )
    assert "Nothing new." in said("extract kb a.txt b.txt --with extract.yaml")
    text = Path("r.tsv").read_text(encoding="utf-8")
    assert "[[安娜可能服用布洛芬]]" in text
    Path("r.tsv").write_text(text.replace("\t\t\t", "\tno\tnot sure\t", 1), encoding="utf-8")
    assert said("extract kb --review r.tsv --by Li").startswith("0 confirmed, 1 rejected, 0 left open\nversion 3")
    assert said("extract kb --to-review r.tsv") == "0 facts waiting: r.tsv\n"
    assert said("extract kb --remove a.txt").startswith("documents: 1 removed\n")


def test_what_nothing_can_be_is_told(home: Path) -> None:
    Path("patterns.txt").write_text('"{p:Patient} takes {d:Drugs}" -> takes(p, d)', encoding="utf-8")
    out = said("extract kb a.txt --with extract.yaml")
    assert (
        "patterns looks for what nothing can be: no class of the knowledge base is called 'Drugs', and no extractor "
        "before it found one. Did you mean 'Drug'?"
    ) in out.replace("\n", " ")


def test_json(home: Path) -> None:
    found = json.loads(said("extract kb a.txt --with extract.yaml --json --quiet"))
    assert found["facts"] == {"asserted": 1, "review": 0, "refused": 1}
    assert [each["name"] for each in found["extractors"]] == ["gazetteer", "patterns"]
    assert found["new"] is True


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("extract kb a.txt", 1, "--with extract.yaml"),
        ("extract kb", 1, "Name documents to read"),
        ("extract kb a.txt --with none.yaml", 1, "none.yaml cannot be read"),
        ("extract kb none.txt --with extract.yaml", 1, "There is no file none.txt"),
        ("extract none a.txt --with extract.yaml", 1, "none"),
        ("extract kb --review r.tsv", 2, "say who decided: --by NAME"),
        ("extract kb a.txt --review r.tsv --by Li", 2, "does nothing else"),
        ("extract kb --review none.tsv --by Li", 1, "cannot be read"),
        ("extract kb --to-review r.doc", 1, "is .tsv or .jsonl"),
    ],
)
def test_faults(home: Path, line: str, code: int, words: str) -> None:
    found, out, err = command(line)
    assert (found, out) == (code, "")
    assert words in " ".join(err.split())
    assert "Traceback" not in err


def test_what_a_person_had_retracted_and_a_text_states_again_is_told(home: Path) -> None:
    said("extract kb a.txt --with extract.yaml")
    said("retract kb anna takes ibuprofen --why 'the nurse misheard'")
    Path("a.txt").write_text("Anna takes ibuprofen. So they say.", encoding="utf-8")
    told = said("extract kb a.txt --with extract.yaml")
    assert (
        "1 fact retracted before, now stated again:\n  takes(anna, ibuprofen), retracted: the nurse misheard\n" in told
    )
    assert json.loads(said("extract kb b.txt --with extract.yaml --json"))["returned"] == []
