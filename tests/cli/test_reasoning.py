"""`sibu kb rules, shapes, infer, why, check` from outside: what they print, exit codes, messages, in two languages."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.cli.test_kb import command, said
from tests.curation.clinic import make_clinic

FILES = Path(__file__).parents[2] / "examples" / "clinic" / "knowledge"


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = make_clinic(tmp_path_factory.mktemp("clinic") / "kb")
    assert command(f"infer {place} --with owl --with rules --quiet")[0] == 0
    return place


@pytest.fixture
def home(clinic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(clinic, tmp_path / "kb")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    return tmp_path


def rules(text: str, name: str = "own") -> str:
    Path(f"{name}.rules").write_text(text, encoding="utf-8")
    return f"{name}.rules"


# rules


def test_rules_are_taken_up_listed_and_removed(home: Path) -> None:
    out = said(f"rules kb {rules('@confidence 0.5 a(X) :- takes(X, _). :- takes(X, X).', '规则')}")
    assert out.startswith("added: 规则\n")
    assert out.endswith("What follows by them: sibu kb infer kb\n")
    row = next(line.split() for line in said("rules kb").splitlines() if line.startswith("规则"))
    assert row == ["规则", "1", "1", "1"]
    assert [each["name"] for each in json.loads(said("rules kb --json"))["files"]] == ["clinic", "规则", "诊所"]
    assert said("rules kb --remove 规则 --remove clinic --remove 诊所").startswith("removed: 规则, clinic, 诊所\n")
    assert said("rules kb --list") == "There are no rule files.\n"


def test_a_warning_is_told_and_the_rules_are_taken_up(home: Path) -> None:
    code, out, err = command(f"rules kb {rules('a(X) :- tkaes(X, Y), takes(X, _).')}")
    assert (code, out.splitlines()[0]) == (0, "added: own")
    assert "warning: own.rules:1:9: Nothing defines `tkaes`" in err
    assert "Did you mean `takes`?" in err
    assert "warning: own.rules:1:9: `Y` stands only once" in err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a(X) :- b(X), not c(X).\nb(X) :- takes(X, _).\nc(X) :- a(X).",
            "own.rules:1:1: A rule denies what rests on it in turn",
        ),
        ("病(?人) :- takes(?人, _), not 健康(?人).\n健康(?人) :- takes(?人, _), not 病(?人).", "own.rules:"),
        ("a(X) :- takes(Y, Z).", "own.rules:1:1: Nothing binds `X`"),
        ("a(X) :- takes(X, _", "own.rules:1:"),
        ("a(X) :- takes(X, D), N = D + 1, N > 3. a(X, Y) :- takes(X, Y). b(X) :- a(X, Y, Y).", "has 3 terms here"),
        ("n(0). n(M) :- n(N), M = N + 1.", "it would never end"),
    ],
)
def test_rules_with_faults_change_nothing(home: Path, text: str, message: str) -> None:
    before = said("rules kb --json")
    assert message in said(f"rules kb {rules(text)}", 1)
    assert said("rules kb --json") == before


def test_a_circle_through_not_shows_its_rules(home: Path) -> None:
    text = said(f"rules kb {rules('a(X) :- takes(X, _), not b(X).' + chr(10) + 'b(X) :- a(X).')}", 1)
    assert "depends on not b(X)" in text
    assert "own.rules:2: b(X) depends on a(X)" in text


def test_rule_files_that_cannot_be_read(home: Path) -> None:
    assert "no file none.rules" in said("rules kb none.rules", 1)
    Path("latin.rules").write_bytes("naïve(X) :- a(X).".encode("latin-1"))
    assert "latin.rules is not UTF-8, from byte 3 on" in said("rules kb latin.rules", 1)
    assert "no rules named 'clinik'. Did you mean 'clinic'?" in said("rules kb --remove clinik", 1)
    rules("a(X) :- takes(X, _).", "two words")
    assert "names no rules" in said("rules kb 'two words.rules'", 1)
    assert "--list changes nothing" in said("rules kb own.rules --list", 2)


# shapes


def test_shapes(home: Path) -> None:
    assert said("shapes kb") == "shapes: shapes.ttl\n"
    shutil.copy(FILES / "shapes.ttl", "形状.ttl")
    assert said("shapes kb 形状.ttl") == "added: 形状.ttl\nshapes: shapes.ttl, 形状.ttl\n"
    assert said("shapes kb 形状.ttl").startswith("replaced: 形状.ttl\n")
    assert said("shapes kb --remove 形状.ttl --remove shapes.ttl").endswith("There are no shapes.\n")
    assert "no file of shapes 'shape.ttl'" in said("shapes kb --remove shape.ttl", 1)
    Path("bad.ttl").write_text(
        "@prefix sh: <http://www.w3.org/ns/shacl#> .\n<urn:s> a sh:NodeShape ; sh:minCount 1 .\n<urn:"
    )
    assert "bad.ttl:3" in said("shapes kb bad.ttl", 1)
    assert json.loads(said("shapes kb --json"))["files"] == []


# infer


def test_infer_says_what_came_and_went(home: Path) -> None:
    assert said("infer kb").endswith("0 facts came, 0 went\nNothing new.\n")
    said("retract kb anna takes lunarin --why stopped")
    out = said("infer kb")
    assert "by rules, owl, 156 rules: " in out
    assert "0 facts came, " in out
    found = json.loads(said("infer kb --force --json"))
    assert found["anew"] == "that was asked for"
    assert found["reasoners"] == ["rules", "owl"]


def test_infer_with_options(home: Path) -> None:
    assert "by rdfs" in said("infer kb rdfs.axioms=true --with rdfs")
    assert "REASONER.OPTION=VALUE" in said("infer kb values=true", 2)
    assert "not among --with" in said("infer kb owl.values=true", 2)
    assert "Did you mean 'rdfs'?" in said("infer kb --with rdf", 1)
    assert "more than 0 seconds" in said("infer kb --seconds 0", 1)
    assert "no value that YAML can read" in said("infer kb 'owl.values=[' --with owl", 2)


def test_infer_without_rules(home: Path) -> None:
    said("create empty --base https://example.org/")
    assert "There is nothing to infer with" in said("infer empty", 1)
    assert "no knowledge base at nowhere" in said("infer nowhere", 1)


def test_opened_twice_for_writing(home: Path) -> None:
    from sibu.graph import KnowledgeBase

    with KnowledgeBase.open("kb", write=True):
        for line in ("infer kb", "rules kb --remove clinic", "shapes kb --remove shapes.ttl"):
            assert "kb is open for writing by process" in said(line, 1)
        assert "contraindicated(Anna Berg, Solvex)" in said("why kb 'contraindicated(anna, solvex)'")
        assert said("check kb").endswith("all is well\n")


def test_going_back_says_that_rules_stay(home: Path) -> None:
    code, out, err = command("rollback kb 1")
    assert (code, out[:9]) == (0, "version 4")
    assert err == (
        "note: Rules and shapes have no versions: clinic, 诊所, shapes.ttl stay as they are.\n"
        f"note: What follows by the rules of today: sibu kb infer {Path('kb')}\n"
    )
    assert " went\n" in said("infer kb")
    assert said("why kb 'contraindicated(P, D)'").startswith("contraindicated(P, D): there is no such fact\n")


# why


def test_why_in_english(home: Path) -> None:
    out = said("why kb 'contraindicated(anna, solvex)'")
    assert out.startswith("contraindicated(Anna Berg, Solvex)  (derived; proof of 3 steps, checked)\n")
    assert "    stated by patients.csv, row 2\n" in out
    assert said("why kb 'contraindicated(anna, solvex)' --names").startswith("contraindicated(anna, solvex)  (derived")


def test_why_in_chinese(home: Path) -> None:
    out = said("why kb 陈伟 优先查房 _ --language zh")
    assert out.startswith("优先查房(陈伟, 北病区)  (derived; proof of 6 steps, checked)\n")
    assert "住在北病区的老年病人要优先查房。" in out
    assert "无安神药(陈伟)" in said("why kb '无安神药(?谁)' --language zh")


def test_why_not(home: Path) -> None:
    out = said("why kb 'Review(bob)' --depth 2")
    assert out.startswith("Review(Bob Lind): there is no such fact\n")
    assert "✗ 48 >= 65" in out
    assert "manyDrugs(Bob Lind, _) is missing:" in out
    assert "but 获准使用(陈伟, 月宁) holds" in said("why kb 'contraindicated(chen, lunarin)' --language zh")


def test_why_of_a_hypothesis_and_of_what_was_retracted(home: Path) -> None:
    assert "(hypothesis, score 0.6: it does not hold; proof of" in said("why kb 'askAbout(anna, D)'")
    said("retract kb anna takes lunarin --why 停药")
    assert "stated by patients.csv, row 2, retracted " in said("why kb anna takes lunarin")


def test_a_rejected_proof_is_said_to_be_none(home: Path) -> None:
    said("retract kb anna takes lunarin --why stopped")
    code, out, err = command("why kb 'contraindicated(anna, solvex)' --picture a.html")
    assert code == 1
    assert out.startswith("contraindicated(Anna Berg, Solvex)  NOT PROVED: the checker rejects its proof\n")
    assert "checked)" not in out
    assert "stated by" not in out
    assert "Run: sibu kb infer kb" in err
    assert "Not accepted by the checker" in Path("a.html").read_text("utf-8")
    assert json.loads(command("why kb 'contraindicated(anna, solvex)' --json")[1])["facts"][0]["verdict"] == "rejected"


def test_pictures(home: Path) -> None:
    assert said("why kb 'contraindicated(anna, D)' --picture a.svg").endswith("drawn: a.svg\n")
    texts = "".join(ET.parse("a.svg").getroot().itertext())
    assert "contraindicated(Anna Berg, Marisol)" in texts
    assert "patients.csv" in texts
    said("why kb 陈伟 优先查房 _ --language zh --picture 图.html")
    assert "优先查房(陈伟, 北病区)" in Path("图.html").read_text("utf-8")
    assert "a file .svg or .html, given a.png" in said("why kb 'Senior(P)' --picture a.png", 1)
    assert "drawn" not in said("why kb 'Senior(bob)' --picture none.svg")
    assert not Path("none.svg").exists()


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("why kb anna takes", 2, "give one fact such as"),
        ("why kb 'takes(anna'", 1, "1:"),
        ("why kb 'takes(anna, X), takes(bob, X)'", 1, "1:"),
        ("why kb 'takes(nobody, X)'", 1, "There is nothing named 'nobody' here"),
        ("why kb 没有 takes _", 1, "nothing named '没有' here"),
        ("why kb 'ex:takes(anna, X)'", 1, "The prefix `ex:`"),
        ("why nowhere 'a(b)'", 1, "no knowledge base at nowhere"),
        ("why kb 'takes(anna, X)' --limit 0", 2, "--limit"),
    ],
)
def test_what_cannot_be_asked(home: Path, line: str, code: int, message: str) -> None:
    assert message in said(line, code)


# check


def test_check(home: Path) -> None:
    assert said("check kb") == "34 constraints and the shapes of shapes.ttl looked at: all is well\n"
    Path("more.tsv").write_text("anna\ttakes\tsolvex\n", encoding="utf-8")
    Path("more.ttl").write_text("@prefix : <https://example.org/clinic/> .\n:bob :age 130 . :dora a :Drug .\n")
    said("add kb more.tsv more.ttl")
    code, out, err = command("check kb")
    assert code == 1
    assert "must not be, by clinic:both (clinic.rules:30): Nobody takes two drugs that interact." in out
    assert "must not be, by cax-dw" in out
    assert "    stated by more.tsv, row 1\n" in out
    assert " 130: A patient has one age, from 0 to 120.\n" in out
    assert "note: Facts or rules changed" in err
    assert "病人须有一个年龄，在 0 到 120 之间。" in command("check kb --language zh")[1]
    found = json.loads(command("check kb --json")[1])
    assert found["faulty"]
    assert command("check kb --limit 1")[0] == 1
