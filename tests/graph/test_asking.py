"""Questions in SPARQL: their answers, their limits, and what is refused."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sibu.core.errors import DataError
from sibu.core.logic import Source, Triple, Value
from sibu.graph import KnowledgeBase, QueryStopped, Rows
from sibu.graph.asking import Asker, check
from tests.graph.shared import AGE, BASE, CHART, NOTES, TAKES, e, t

LABEL = Value("安娜", "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString", "zh")
ENDLESS = "SELECT (COUNT(*) AS ?n) { " + " ".join(f"?a{n} ?b{n} ?c{n} ." for n in range(9)) + " }"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    with KnowledgeBase.create(tmp_path_factory.mktemp("asking") / "kb", base=BASE) as kb:
        kb.add([(TAKES, NOTES), (AGE, CHART), (t("anna", "name", LABEL), NOTES)])
        kb.add([(t("anna", "takes", "guess"), Source("g", status="hypothesis"))])
        kb.add([(t(f"n{n}", "next", f"n{n + 1}"), Source("chain")) for n in range(200)])
        yield kb


@pytest.mark.parametrize("seconds", [None, 20.0, 1e12])
def test_answers_are_the_same_here_and_in_a_process(seconds: float | None, filled: KnowledgeBase) -> None:
    def ask(sparql: str) -> object:
        return filled.query(sparql, seconds=seconds)

    assert ask("SELECT ?o { :anna :takes ?o }") == Rows(("o",), [(e("ibuprofen"),)])
    found = ask("SELECT ?n ?x { :anna :age ?n OPTIONAL { :anna :none ?x } }")
    assert found == Rows(("n", "x"), [(Value.of(70), None)])
    assert ask("SELECT ?l { :anna :name ?l }") == Rows(("l",), [(LABEL,)])
    assert ask("ASK { :anna :takes :ibuprofen }") is True
    assert ask("ASK { :anna :takes :guess }") is False
    assert ask("CONSTRUCT { ?o :taken_by ?s } { ?s :takes ?o }") == [t("ibuprofen", "taken_by", "anna")]
    described = ask("DESCRIBE :anna")
    assert isinstance(described, list)
    assert set(described) == {TAKES, AGE, t("anna", "name", LABEL)}
    assert ask("SELECT (COUNT(*) AS ?n) { ?a :next+ ?b }") == Rows(("n",), [(Value.of(200 * 201 // 2),)])


def test_records_can_be_asked_for(filled: KnowledgeBase) -> None:
    sparql = """SELECT ?document { GRAPH ?record { :anna :age ?age }
                GRAPH <urn:sibu:sources> { ?record sibu:of?/sibu:document ?document } }"""
    assert filled.query(sparql) == Rows(("document",), [(Value("chart.csv"),)])


def test_a_query_that_would_run_for_ever_is_ended(filled: KnowledgeBase) -> None:
    began = time.monotonic()
    said = r"The query did not end within 1 seconds and was stopped\. Bind more of it, add LIMIT"
    with pytest.raises(QueryStopped, match=said):
        filled.query(ENDLESS, seconds=1)
    assert time.monotonic() - began < 10
    assert children() == []
    assert filled.query("ASK { :anna ?p ?o }") is True


def children() -> list[str]:
    """Processes of ours that answer."""
    done = subprocess.run(["ps", "-o", "args", "--ppid", str(os.getpid())], capture_output=True, text=True, check=True)
    return [line for line in done.stdout.splitlines() if "sibu.graph.asking" in line]


def test_nobody_answers_for_ever_when_the_one_who_asked_is_gone(filled: KnowledgeBase) -> None:
    filled.publish()
    place = max((filled.folder / "store").glob("0*"))
    question = {"store": str(place), "query": ENDLESS, "base": BASE, "prefixes": {}, "most": 9, "seconds": 0.2}
    with subprocess.Popen([sys.executable, "-m", "sibu.graph.asking"], stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps(question).encode() + b"\n")
        process.stdin.flush()
        assert process.wait(20) == -signal.SIGALRM


def test_an_answer_that_is_too_large_is_refused(filled: KnowledgeBase) -> None:
    for seconds in (None, 20.0):
        with pytest.raises(QueryStopped, match=r"The answer has more than 50 rows. Add LIMIT to the query"):
            filled.query("SELECT * { ?a :next ?b }", seconds=seconds, most=50)
    assert len(filled.query("SELECT * { ?a :next ?b } LIMIT 50", most=50).rows) == 50  # type: ignore[union-attr]


def test_a_question_sees_what_was_just_written(kb: KnowledgeBase) -> None:
    for number in range(3):
        kb.add([(t("a", "b", Value.of(number)), NOTES)])
        assert len(kb.query("SELECT ?o { :a :b ?o }").rows) == number + 1  # type: ignore[union-attr]


def test_a_killed_process_is_told_and_another_takes_its_place(filled: KnowledgeBase) -> None:
    asker, place = Asker(), max((filled.folder / "store").glob("0*"))
    assert asker.ask(place, "ASK { ?s ?p ?o }", filled.names, 20) is True
    assert asker._process is not None
    os.kill(asker._process.pid, signal.SIGSTOP)
    process = asker._process
    with pytest.raises(QueryStopped, match=r"did not end within 0.3 seconds"):
        asker.ask(place, "ASK { ?s ?p ?o }", filled.names, 0.3)
    assert process.returncode == -signal.SIGKILL
    assert asker.ask(place, "ASK { ?s ?p ?o }", filled.names, 20) is True
    asker._process.kill()
    asker._process.wait()
    assert asker.ask(place, "ASK { ?s ?p ?o }", filled.names, 20) is True
    asker.close()


@pytest.mark.parametrize(
    ("sparql", "word"),
    [
        ("INSERT DATA { :a :b :c }", "INSERT"),
        ("PREFIX x: <urn:x:> # SELECT\nDELETE WHERE { ?s ?p ?o }", "DELETE"),
        ("clear all", "CLEAR"),
        ("WITH <urn:a:b> DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }", "WITH"),
        ("LOAD <http://a.org/>", "LOAD"),
    ],
)
def test_updates_are_refused_with_the_reason(sparql: str, word: str, filled: KnowledgeBase) -> None:
    with pytest.raises(DataError, match=f"{word} changes facts, and what changes facts must say where they come from"):
        filled.query(sparql)


def test_other_servers_are_not_asked(filled: KnowledgeBase) -> None:
    with pytest.raises(DataError, match="SERVICE asks another server"):
        filled.query("SELECT * { SERVICE <http://localhost/> { ?s ?p ?o } }", seconds=None)


@pytest.mark.parametrize(
    "sparql",
    [
        'SELECT * { ?s ?p "INSERT DATA SERVICE" }',
        "SELECT ?insert ?service { ?insert :service ?service . ?a :delete :b }",
        "# INSERT\nPREFIX delete: <urn:d:> SELECT * { <urn:INSERT> delete:x '''SERVICE''' }",
        "ASK { ?s :add-service ?o }",
    ],
)
def test_words_that_only_look_like_updates(sparql: str) -> None:
    check(sparql)


@pytest.mark.parametrize("seconds", [None, 20.0])
@pytest.mark.parametrize(
    ("sparql", "said"),
    [
        ("SELECT ?s {\n  ?s :takes }", "The query cannot be read at line 2, column 13: "),
        ("SELECT '\ud800'", "The query has half a character"),
        ("SELEC ?s", "The query cannot be read at line 1, column "),
        ("", "The query cannot be read at line 1, column 1"),
        ("SELECT * { ?s foo:x ?o }", "Prefix not found"),
    ],
)
def test_a_query_that_cannot_be_read(sparql: str, said: str, seconds: float | None, filled: KnowledgeBase) -> None:
    with pytest.raises(DataError, match=re.escape(said)) as caught:
        filled.query(sparql, seconds=seconds)
    assert "['A' ..=" not in str(caught.value)


def test_a_fact_of_a_view_that_is_none(filled: KnowledgeBase, tmp_path: Path) -> None:
    found = filled.query("CONSTRUCT { ?s :said_at ?age } { ?s :age ?age }")
    assert found == [Triple(e("anna"), e("said_at"), Value.of(70))]
