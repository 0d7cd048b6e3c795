"""Questions in SPARQL, with a limit of time that holds.

A query runs in a process of its own over a published store, which is killed when its time is over: pyoxigraph cannot
be told to stop. The process is started with the first question and stays for the next.
"""

from __future__ import annotations

import json
import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sibu.core.errors import DataError, SibuError
from sibu.core.logic import Term, Triple, term_json, term_of
from sibu.core.names import STANDARD, Names
from sibu.graph._rdf import is_text, oxigraph, to_core, to_triple
from sibu.graph.published import sound

LONGEST = 1e6
"""Seconds beyond which a limit is as good as none; a timer of the system takes no more than some times as many."""
MOST_ROWS = 1_000_000
"""Rows of an answer; more are refused, as they would fill the memory."""
_BATCH = 500


class QueryStopped(SibuError):
    """A query that did not end in its time, or whose answer is too large."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The answer of a SELECT."""

    variables: tuple[str, ...]
    rows: list[tuple[Term | None, ...]]
    """What the variables stand for; None where one is open."""

    def to_json(self) -> dict[str, Any]:
        """Rows as objects, without what is open."""
        found = [
            {name: term_json(term) for name, term in zip(self.variables, row, strict=True) if term is not None}
            for row in self.rows
        ]
        return {"variables": list(self.variables), "rows": found}


Answer = Rows | bool | list[Triple]
"""Of SELECT, of ASK, of CONSTRUCT and DESCRIBE."""
_SKIPPED = re.compile(
    r"\"\"\".*?\"\"\"|'''.*?'''|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|<[^<>\"{}|^`\\\s]*>|#[^\n]*", re.S
)
_WORD = re.compile(r"(?<![\w?$:\-])[A-Za-z]+(?![\w:\-])")
_UPDATES = frozenset(("INSERT", "DELETE", "LOAD", "CLEAR", "DROP", "CREATE", "COPY", "MOVE", "ADD"))
_FORMS = frozenset(("SELECT", "ASK", "CONSTRUCT", "DESCRIBE"))


def check(sparql: str) -> None:
    """Refuse what must not run: updates, and calls of other servers.

    Raises:
        DataError: With the reason.
    """
    if not is_text(sparql):
        raise DataError("The query has half a character (a lone surrogate), which is no text.")
    words = [found[0].upper() for found in _WORD.finditer(_SKIPPED.sub(" ", sparql))]
    first = next((word for word in words if word in _UPDATES | _FORMS | {"WITH"}), "")
    if first in _UPDATES or first == "WITH":
        mend = "Use `sibu kb add` and `sibu kb retract`."
        raise DataError(f"{first} changes facts, and what changes facts must say where they come from. {mend}")
    if "SERVICE" in words:
        raise DataError("SERVICE asks another server; a knowledge base answers from what it has. Load it first.")


def asked(store: Any, sparql: str, names: Names, most: int = MOST_ROWS) -> Answer:
    """The answer of a store, without a limit of time.

    Args:
        store: The store.
        sparql: The question.
        names: Prefixes that it may use without declaring them; names in ``<>`` begin in the base namespace.
        most: Rows that the answer may have.

    Raises:
        DataError: When it is no query.
        QueryStopped: When the answer has more rows.
    """
    check(sparql)
    kind, variables, parts = _evaluated(store, sparql, names.base, {**STANDARD, **names.prefixes})
    if kind == "ask":
        return bool(variables)
    rows: list[Any] = []
    for part in parts:
        rows.append(part)
        if len(rows) > most:
            raise QueryStopped(_too_many(most))
    if kind == "select":
        return Rows(tuple(variables), [tuple(None if term is None else to_core(term) for term in row) for row in rows])
    return [to_triple(row) for row in rows]


def _evaluated(store: Any, sparql: str, base: str, prefixes: dict[str, str]) -> tuple[str, Any, Iterator[Any]]:
    library = oxigraph()
    try:
        found = store.query(sparql, base_iri=base, prefixes={"": base, **prefixes})
    except SyntaxError as fault:
        raise DataError(_no_query(sparql, str(fault))) from fault
    if isinstance(found, library.QueryBoolean):
        return "ask", bool(found), iter(())
    if isinstance(found, library.QuerySolutions):
        variables = [each.value for each in found.variables]
        order = _order(sparql, variables)
        return "select", [variables[n] for n in order], (tuple(row[n] for n in order) for row in found)
    return "triples", [], iter(found)


def _order(sparql: str, variables: list[str]) -> list[int]:
    """Places of the variables in the order of the answer: that of the query; of ``SELECT *`` as they come in it."""
    bare = _SKIPPED.sub(" ", sparql)
    if not re.search(r"\bSELECT\s+((DISTINCT|REDUCED)\s+)?\*", bare, re.I):
        return list(range(len(variables)))
    first: dict[str, int] = {}
    for found in re.finditer(r"[?$](\w+)", bare):
        first.setdefault(found[1], found.start())
    return sorted(range(len(variables)), key=lambda n: first.get(variables[n], len(bare)))


def _no_query(sparql: str, said: str) -> str:
    found = re.match(r"error at (\d+):(\d+): (.*)", said, re.S)
    if not found:
        return f"The query cannot be read: {said}."
    line, column, what = int(found[1]), int(found[2]), _expected(" ".join(found[3].split()))
    lines = sparql.splitlines()
    text = lines[line - 1] if line <= len(lines) else ""
    shown = f"\n  {text[max(0, column - 60) : column + 40]}\n  {' ' * min(column - 1, 59)}^" if text.strip() else ""
    return f"The query cannot be read at line {line}, column {column}: {what}.{shown}"


def _expected(said: str) -> str:
    """What the parser says, without the letters that a name may begin with."""
    wanted = said.removeprefix("expected one of ").removeprefix("expected ")
    parts = [part for part in re.sub(r"\[[^\]]*\](?:\s*\|)?", "", wanted).split(", ") if part.strip(" |")]
    if sentence := next((part for part in parts if len(part.split()) > 3), ""):
        return sentence
    listed = ", ".join(dict.fromkeys(parts)) if len(parts) <= 12 else ""
    return f"expected {listed}" if listed else "this does not go on so"


def _too_many(most: int) -> str:
    return f"The answer has more than {most:,} rows. Add LIMIT to the query, or count with COUNT."


# ---- a process of its own -------------------------------------------------------------------------------------------


class Asker:
    """A process that answers, one question at a time."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, store: Path, sparql: str, names: Names, seconds: float, most: int = MOST_ROWS) -> Answer:
        """The answer of a published store, within a limit of time.

        Raises:
            DataError: When it is no query.
            QueryStopped: When the time is over; the query has ended then. Also when the answer is too large.
        """
        check(sparql)
        process = self._running()
        seconds = min(seconds, LONGEST)
        question = {"store": str(store), "query": sparql, "base": names.base, "most": most, "seconds": seconds}
        question["prefixes"] = {**STANDARD, **names.prefixes}
        ended = False
        try:
            found = _collected(self._lines(process, question, time.monotonic() + seconds, seconds))
            ended = True
            return found
        finally:
            if not ended and not self._idle:
                self.close()

    _idle = False
    """Whether the process waits for a question."""

    def _lines(self, process: subprocess.Popen[bytes], question: Any, until: float, seconds: float) -> Iterator[Any]:
        assert process.stdin is not None and process.stdout is not None
        self._idle = False
        try:
            process.stdin.write(json.dumps(question).encode() + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            raise QueryStopped(_died(process)) from None
        rest = b""
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while True:
                if not selector.select(max(until - time.monotonic(), 0)):
                    raise QueryStopped(_too_long(seconds))
                block = os.read(process.stdout.fileno(), 1 << 18)
                if not block:
                    late = time.monotonic() > until or process.wait() == -signal.SIGALRM
                    raise QueryStopped(_too_long(seconds) if late else _died(process))
                *lines, rest = (rest + block).split(b"\n")
                for line in lines:
                    found = json.loads(line)
                    if "end" in found or "fault" in found or "stopped" in found:
                        self._idle = True
                    yield found

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            line = [sys.executable, "-m", "sibu.graph.asking"]
            home = str(Path(__file__).parents[2])  # the same code, wherever it was imported from
            paths = os.pathsep.join([home, *filter(None, [os.environ.get("PYTHONPATH")])])
            self._process = subprocess.Popen(
                line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": paths}
            )
        return self._process

    def close(self) -> None:
        """End the process; twice does no harm."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                with suppress(OSError):
                    if pipe is not None:
                        pipe.close()
            self._process = None

    def __del__(self) -> None:
        with suppress(Exception):
            self.close()


def _too_long(seconds: float) -> str:
    mend = "Bind more of it, add LIMIT, or give it more time (`--seconds`)."
    return f"The query did not end within {seconds:g} seconds and was stopped. {mend}"


def _died(process: subprocess.Popen[bytes]) -> str:
    mend = "Likely the memory was full: bind more of it, or add LIMIT."
    return f"The process that answered the query ended (exit code {process.wait()}). {mend}"


def _collected(lines: Iterator[dict[str, Any]]) -> Answer:
    kind, variables, value = "", (), False
    rows: list[Any] = []
    for line in lines:
        if "fault" in line:
            raise DataError(line["fault"])
        if "stopped" in line:
            raise QueryStopped(line["stopped"])
        if "kind" in line:
            kind, variables, value = line["kind"], tuple(line["variables"]), line["value"]
        for row in line.get("rows", ()):
            rows.append(tuple(None if each is None else term_of(each) for each in row))
        if "end" in line:
            break
    if kind == "ask":
        return bool(value)
    return Rows(variables, rows) if kind == "select" else [Triple(*row) for row in rows]


def _serve() -> None:
    """Answer questions, a line of JSON each on stdin, in lines of JSON on stdout, until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who asks ends this
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    stores: dict[str, Any] = {}
    for line in sys.stdin.buffer:
        question = json.loads(line)
        # Where the one who asks is gone, nobody else ends a query that runs for ever.
        signal.setitimer(signal.ITIMER_REAL, question["seconds"] + 2)
        place = question["store"]
        try:
            with sound(Path(place).parents[1]):
                if place not in stores:
                    stores = {place: oxigraph().Store.read_only(place)}
                _answer(stores[place], question)
        except QueryStopped as fault:
            _write({"stopped": str(fault)})
        except SibuError as fault:
            _write({"fault": str(fault)})
        signal.setitimer(signal.ITIMER_REAL, 0)


def _answer(store: Any, question: dict[str, Any]) -> None:
    kind, found, parts = _evaluated(store, question["query"], question["base"], question["prefixes"])
    _write({"kind": kind, "variables": found if kind == "select" else [], "value": found if kind == "ask" else False})
    batch: list[Any] = []
    for count, part in enumerate(parts, 1):
        terms = list(part) if kind == "select" else [part.subject, part.predicate, part.object]
        batch.append([None if term is None else term_json(to_core(term)) for term in terms])
        if count > question["most"]:
            raise QueryStopped(_too_many(question["most"]))
        if len(batch) >= _BATCH:
            _write({"rows": batch})
            batch = []
    _write({"rows": batch, "end": True})


def _write(value: Any) -> None:
    sys.stdout.buffer.write(json.dumps(value, ensure_ascii=False).encode() + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    _serve()
