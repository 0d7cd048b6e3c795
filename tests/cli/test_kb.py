"""`sibu kb` from outside: what it prints, its exit codes, its messages."""

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import sibu_here

BASE = "https://example.org/clinic/"
FACTS = f"""@prefix : <{BASE}> .
:anna :takes :ibuprofen, :warfarin ; <http://www.w3.org/2000/01/rdf-schema#label> "安娜"@zh, "Anna"@en .
"""


def command(line: str) -> tuple[int, str, str]:
    """Run a line of `sibu kb` here; returns its exit code, and what it says on stdout and stderr."""
    done = sibu_here("kb", *shlex.split(line))
    return done.returncode, done.stdout, done.stderr


def said(line: str, code: int = 0) -> str:
    found, out, err = command(line)
    assert found == code, out + err
    return out if code == 0 else err


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A knowledge base that was just made."""
    place = tmp_path_factory.mktemp("new") / "kb"
    line = f"create {place} --base {BASE} --prefix ex=https://example.org/ --language zh --language en"
    assert said(line) == f"{place}\n"
    return place


@pytest.fixture
def home(tmp_path: Path, new: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a copy of it and a file, to work in."""
    monkeypatch.chdir(shutil.copytree(new.parent, tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "160")
    Path("facts.ttl").write_text(FACTS, encoding="utf-8")
    return Path.cwd()


def test_a_session(home: Path) -> None:
    assert said("add kb facts.ttl") == "facts.ttl: 4 facts stated\nversion 1: 4 facts added, 0 removed, 4 hold\n"
    assert said("add kb facts.ttl").endswith("Nothing new: all of it was stated before.\n")
    assert said("query kb 'SELECT ?o { :anna :takes ?o } ORDER BY ?o'").split() == ["o", "ibuprofen", "warfarin"]
    assert said("query kb 'ASK { :anna :takes :x }'") == "false\n"
    shown = said("show kb 安娜")
    assert shown.startswith(f"安娜  <{BASE}anna>\nlabels: 安娜@zh, Anna@en\n")
    assert "facts.ttl" in shown
    out = said("retract kb Anna takes ibuprofen --why misread")
    assert out == "1 statement retracted\nversion 2: 0 facts added, 1 removed, 3 hold\n"
    assert "retracted  facts.ttl, retracted: misread" in said("show kb anna")
    assert said("diff kb 1 2") == "- takes(anna, ibuprofen)\n0 added, 1 removed\n"
    assert "first" in said("versions kb --name 1=first")
    assert said("rollback kb first") == "version 3: 1 fact added, 0 removed, 4 hold\n"
    assert said("export kb out.nt") == "4 statements written to out.nt\n"
    assert "facts.ttl" in said("stats kb")
    assert said("show kb anna --picture a.html").endswith("drawn: a.html\n")
    assert said("rebuild kb --quiet").startswith("version 3: ")


def test_a_retracted_fact_that_is_stated_again_is_told(home: Path) -> None:
    assert "again" not in said("add kb facts.ttl")
    said("retract kb anna takes warfarin --why stopped")
    again = said("add kb facts.ttl")
    assert "1 fact retracted before, now stated again:\n  takes(anna, warfarin), retracted: stopped\n" in again
    said("retract kb anna takes _ --why both")
    told = json.loads(said("add kb facts.ttl --json"))
    assert sorted(each["said"] for each in told["returned"]) == ["takes(anna, ibuprofen)", "takes(anna, warfarin)"]
    assert json.loads(said("add kb facts.ttl --json"))["returned"] == []


def test_an_empty_text_is_retracted_and_an_empty_name_is_none(home: Path) -> None:
    Path("more.ttl").write_text(f'@prefix : <{BASE}> .\n:anna :note "" ; :knows :bob .\n', encoding="utf-8")
    said("add kb more.ttl")
    assert "1 statement retracted" in said("retract kb anna note '' --why empty")
    assert "No fact is stated as (anna, knows, '')." in said("retract kb anna knows '' --why none", 1)


def test_facts_from_standard_input(home: Path) -> None:
    read = [sys.executable, "-m", "sibu", "kb", "add", "kb", "-"]
    told = ["--document", "piped", "--format", "turtle"]

    def run(*more: str, given: str = FACTS) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*read, *more], input=given, capture_output=True, text=True, check=False)

    done = run()
    assert (done.returncode, done.stderr) == (
        1,
        "sibu: Standard input has no name: say which document it is and its format.\n",
    )
    done = run(*told, given="# a comment\n:a :b .")
    assert done.returncode == 1
    assert "standard input" in done.stderr
    assert "/input" not in done.stderr
    done = run(*told)
    assert done.stdout == "piped: 4 facts stated\nversion 1: 4 facts added, 0 removed, 4 hold\n"
    assert "piped" in said("stats kb")


def test_json_wherever_a_table_is_printed(home: Path) -> None:
    def read(line: str) -> object:
        return json.loads(said(f"{line} --json"))

    found = read("add kb facts.ttl --status hypothesis --confidence 0.5 --document guesses --message 猜")
    assert isinstance(found, dict)
    assert (found["version"]["message"], found["files"][0]["document"], found["version"]["facts"]) == (
        "猜",
        "guesses",
        0,
    )
    assert read("query kb 'SELECT * { ?s ?p ?o }'") == {"variables": ["s", "p", "o"], "rows": []}
    assert read("show kb anna")["hypotheses"][0]["sources"][0]["confidence"] == 0.5  # type: ignore[index]
    assert len(read("versions kb")) == 2  # type: ignore[arg-type]
    assert read("diff kb 0 1")["added"] == []  # type: ignore[index]
    assert read("retract kb anna takes --why no")["retracted"] == 2  # type: ignore[index]
    assert read("rollback kb 0")["number"] == 3  # type: ignore[index]
    assert read("stats kb")["facts"] == 0  # type: ignore[index]


def test_questions_from_a_file_and_answers_of_every_kind(home: Path) -> None:
    said("add kb facts.ttl")
    Path("q.rq").write_text(
        "\ufeffCONSTRUCT { ?o :taken_by ?s }\r\n{ ?s :takes ?o FILTER(?o = :warfarin) }", encoding="utf-8"
    )
    lines = said("query kb --file q.rq").splitlines()
    assert [line.split() for line in lines] == [["subject", "predicate", "object"], ["warfarin", "taken_by", "anna"]]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("add nothing facts.ttl", "sibu: There is no knowledge base at nothing. Make one: sibu kb create nothing\n"),
        ("stats facts.ttl", "sibu: facts.ttl is a file; a knowledge base is a folder that `sibu kb create` made.\n"),
        ("stats .", "sibu: . is a folder without kb.json, so no knowledge base. `sibu kb create` makes one.\n"),
        ("create kb", "sibu: kb is there already, and is a knowledge base. Choose another place, or remove it.\n"),
        ("create new --base clinic", "sibu: base: 'clinic' is no absolute IRI"),
        ("add kb none.ttl", "sibu: There is no file none.ttl."),
        ("add kb bad.ttl", "sibu: bad.ttl:2:1: "),
        ("add kb facts.ttl --format turtel", "sibu: There is no format 'turtel'. Did you mean 'turtle'?"),
        ("query kb 'SELECT'", "sibu: The query cannot be read at line 1, column 7: "),
        ("query kb 'DROP ALL'", "sibu: DROP changes facts, and what changes facts must say where they come from."),
        ("query kb --file none.rq", "sibu: none.rq cannot be read: "),
        ("show kb bob", "sibu: There is nothing named 'bob' here"),
        ("retract kb anna takes --why x", "sibu: There is nothing named 'anna' here"),
        ("retract kb --why x", "sibu: Name at least one of subject, predicate, object and document."),
        ("diff kb 0 9", "sibu: There is no version '9'. Give a number from 0 to 0."),
        ("rollback kb first", "sibu: There is no version 'first'."),
        ("export kb out.foo", "sibu: The name of out.foo does not tell its format."),
        (
            "export kb out.ttl --all",
            "sibu: turtle has no place for where facts come from. Choose nquads, trig or jsonld.",
        ),
        ("versions kb --name 9=x", "sibu: There is no version '9'."),
    ],
)
def test_faults_have_one_message_and_exit_code_1(line: str, told: str, home: Path) -> None:
    Path("bad.ttl").write_text("# a comment\n:a :b :c .")
    assert told in said(line, 1)


@pytest.mark.parametrize(
    "line",
    [
        "create new --prefix ex",
        "add kb",
        "add kb facts.ttl --status true",
        "add kb facts.ttl --confidence 2",
        "query kb",
        "query kb 'ASK {}' --file x",
        "retract kb anna",
        "versions kb --name first",
        "nothing",
    ],
)
def test_wrong_usage_has_exit_code_2(line: str, home: Path) -> None:
    said(line, 2)


def test_a_query_that_would_run_for_ever(home: Path) -> None:
    lines = "".join(f"<urn:a:a{n}> <urn:p:p> <urn:a:a{n + 1}> .\n" for n in range(300))
    Path("many.nt").write_text(lines)
    said("add kb many.nt")
    query = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
    assert "did not end within 0.5 seconds and was stopped" in said(f"query kb '{query}' --seconds 0.5", 1)


def test_open_for_writing_twice(home: Path) -> None:
    from sibu.graph import KnowledgeBase

    with KnowledgeBase.open("kb", write=True):
        assert "sibu: kb is open for writing by process" in said("add kb facts.ttl", 1)
        assert said("versions kb").split()[-1] == "created"


def test_it_imports_nothing_heavy_and_answers_at_once() -> None:
    heavy = ("torch", "numpy", "pyarrow", "pyoxigraph", "transformers", "sibu.graph")
    code = f"""
import sys
sys.argv = ["sibu", "kb", "--help"]
from sibu.cli import main
try:
    main()
except SystemExit:
    print(*[name for name in {heavy!r} if name in sys.modules])"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "create" in done.stdout
    assert done.stdout.splitlines()[-1] == ""


def test_questions_import_no_torch(home: Path) -> None:
    said("add kb facts.ttl")
    code = """
import sys
sys.argv = ["sibu", "kb", "query", "kb", "ASK { ?s ?p ?o }"]
from sibu.cli import main
try:
    main()
except SystemExit:
    pass
print(*[name for name in ("torch", "numpy", "pyarrow", "transformers") if name in sys.modules])"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "true\n\n"
