"""The knowledge base's store: loading, asking, size, memory, and loads that are killed.

    python bench/store.py [--triples 1000000] [--kills 0.2 0.5 0.8 0.98] [--work DIR] [--results DIR] [--beside TEXT]

It needs no data: a graph is drawn by a seed, of things with a class, a name, an age and seven links to others.

- ``load``: `sibu kb add` of the whole graph as N-Triples into an empty knowledge base, in a process of its own: wall
  and processor seconds, peak memory, bytes on disk.
- ``ask``: one process that has it open: two hops from a thing (median and 95th percentile over 500 things, drawn by a
  seed; each answer is compared with the graph itself), the same through the process with a limit of time, and a join of
  all (`?a :p0 ?b . ?b :p1 ?c`, counted).
- ``kills``: the load again, into a knowledge base that has 10,000 facts of another file, killed (`kill -9`) after each
  share of the time that the load took. Then it is opened: all of the first file is there, and of the second all or
  nothing; counted fact by fact. ``lost`` and ``half_written`` are how often this was not so.

``--beside`` says what else ran on the machine, and is kept. One JSON: ``store.json``.
"""

from __future__ import annotations

import json
import random
import resource
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import measure

BASE = "https://example.org/bench/"
RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
INTEGER = "http://www.w3.org/2001/XMLSchema#integer"
EACH = 10
"""Facts of a thing."""
FIRST = 10_000
"""Facts that are there before a load is killed."""
TWO_HOPS = "SELECT ?c {{ <{thing}> ?p ?b . ?b ?q ?c }}"
ALL_JOINED = "SELECT (COUNT(*) AS ?n) { ?a :p0 ?b . ?b :p1 ?c }"


def links(triples: int) -> Iterator[list[int]]:
    """Seven things for each thing; some are linked to far more often than others."""
    draw = random.Random(5)
    things = triples // EACH
    for _ in range(things):
        yield [int(things * draw.random() ** 2) for _ in range(7)]


def write_graph(file: Path, triples: int) -> None:
    """The graph as N-Triples."""
    with file.open("w", encoding="utf-8") as out:
        for number, others in enumerate(links(triples)):
            thing = f"<{BASE}t{number}>"
            out.write(f"{thing} <{RDF_TYPE}> <{BASE}C{number % 50}> .\n")
            out.write(f'{thing} <{LABEL}> "thing {number} 号"@zh .\n')
            out.write(f'{thing} <{BASE}age> "{number % 97}"^^<{INTEGER}> .\n')
            out.writelines(f"{thing} <{BASE}p{place}> <{BASE}t{other}> .\n" for place, other in enumerate(others))


def write_first(file: Path) -> None:
    """A small file with facts that the graph has not."""
    with file.open("w", encoding="utf-8") as out:
        out.writelines(f'<{BASE}first{n}> <{BASE}first> "{n}" .\n' for n in range(FIRST))


def load(kb: Path, file: Path) -> dict[str, Any]:
    """`sibu kb add` into an empty knowledge base."""
    measure.child(measure.sibu("kb", "create", str(kb), "--base", BASE))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds, memory, told = measure.child(measure.sibu("kb", "add", str(kb), str(file), "--json", "--quiet"))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    facts = json.loads(told)["version"]["facts"]
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "facts": facts,
        "wall_seconds": round(seconds, 1),
        "processor_seconds": round(used, 1),
        "facts_a_wall_second": round(facts / seconds),
        "facts_a_processor_second": round(facts / used),
        "peak_memory_bytes": memory,
        "file_bytes": file.stat().st_size,
        "store_bytes": sum(each.stat().st_size for each in (kb / "store").rglob("*") if each.is_file()),
        "versions_bytes": sum(each.stat().st_size for each in (kb / "versions").iterdir()),
    }


def ask(kb: Path, triples: int) -> dict[str, Any]:
    """Questions to an open knowledge base; run in a process of its own."""
    from sibu.graph import KnowledgeBase

    graph = dict(enumerate(links(triples)))
    draw = random.Random(7)
    chosen = [draw.randrange(len(graph)) for _ in range(500)]
    began = time.perf_counter()
    with KnowledgeBase.open(kb) as opened:
        found: dict[str, Any] = {"open_milliseconds": round(1000 * (time.perf_counter() - began), 1)}
        for name, limit, things in (("here", None, chosen), ("in_a_process", 60.0, chosen[:100])):
            times, wrong = [], 0
            for number in things:
                began = time.perf_counter()
                rows = opened.query(TWO_HOPS.format(thing=f"{BASE}t{number}"), seconds=limit).rows  # type: ignore[union-attr]
                times.append(1000 * (time.perf_counter() - began))
                wrong += len(rows) != EACH * len(graph[number])  # a class, a name and an age lead nowhere
            found[f"two_hops_{name}_milliseconds"] = {
                "median": round(median(times), 3),
                "p95": round(quantiles(times, n=20)[-1], 3),
                "first": round(times[0], 1),
                "asked": len(times),
            }
            found[f"two_hops_{name}_wrong"] = wrong
        began = time.perf_counter()
        count = opened.query(ALL_JOINED, seconds=None).rows[0][0].number  # type: ignore[union-attr]
        found["all_joined_seconds"] = round(time.perf_counter() - began, 2)
        found["all_joined_wrong"] = int(count != len(graph))  # each thing has one p0 and one p1
    found["peak_memory_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return found


def counts(kb: Path) -> dict[str, int]:
    """What is in a knowledge base, counted fact by fact; run in a process of its own."""
    from sibu.graph import KnowledgeBase

    found: dict[str, int] = defaultdict(int)
    with KnowledgeBase.open(kb) as opened:
        found["version"] = opened.version.number
        found["facts"], found["statements"] = opened.version.facts, opened.version.statements
        for quad in opened.store:
            graph = getattr(quad.graph_name, "value", "")
            first = quad.predicate.value == f"{BASE}first"
            if not graph:
                found["first" if first else "second"] += 1
            elif graph.startswith("urn:sibu:source:"):
                found["first_stated" if first else "second_stated"] += 1
    return dict(found)


def in_process(what: str, kb: Path, triples: int) -> dict[str, Any]:
    """``ask`` or ``counts`` in a process of its own."""
    _, _, told = measure.child(measure.again(__file__, "--only", what, "--kb", str(kb), "--triples", str(triples)))
    return dict(json.loads(told))


def killed(start: Path, kb: Path, file: Path, triples: int, seconds: float) -> dict[str, Any]:
    """A load that is killed after so many seconds, and what is there then."""
    shutil.rmtree(kb, ignore_errors=True)
    shutil.copytree(start, kb)
    process = subprocess.Popen(measure.sibu("kb", "add", str(kb), str(file), "--quiet"), stdout=subprocess.DEVNULL)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
    code = process.wait()
    began = time.perf_counter()
    found = in_process("counts", kb, triples)
    whole = found.get("second", 0) == found.get("second_stated", 0) == triples and found["version"] == 2
    nothing = not found.get("second") and not found.get("second_stated") and found["version"] == 1
    told = found["facts"] == found["first"] + found.get("second", 0)
    return {
        "after_seconds": round(seconds, 1),
        "exit_code": code,
        "opened_and_counted_seconds": round(time.perf_counter() - began, 1),
        "committed": found["version"] == 2,
        "lost": int(found["first"] != FIRST or found["first_stated"] != FIRST),
        "half_written": int(not (whole or nothing) or not told),
    }


def main() -> None:
    """Measure all."""
    parser = measure.options(__doc__ or "")
    data = next(action for action in parser._actions if action.dest == "data")
    data.nargs = "?"  # none is needed
    parser.add_argument("--triples", type=int, default=1_000_000)
    parser.add_argument("--kills", type=float, nargs="*", default=[0.2, 0.5, 0.8, 0.98])
    parser.add_argument("--beside", default="", help="what else runs on the machine")
    parser.add_argument("--only", choices=["ask", "counts"])
    parser.add_argument("--kb", type=Path)
    given = parser.parse_args()
    if given.only:
        print(json.dumps(counts(given.kb) if given.only == "counts" else ask(given.kb, given.triples)))
        return
    triples = given.triples // EACH * EACH
    place = given.work / "store"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    write_graph(place / "graph.nt", triples)
    write_first(place / "first.nt")
    loaded = load(place / "kb", place / "graph.nt")
    print("load", loaded, file=sys.stderr)
    asked = in_process("ask", place / "kb", triples)
    print("ask", asked, file=sys.stderr)
    shutil.rmtree(place / "kb")
    measure.child(measure.sibu("kb", "create", str(place / "start"), "--base", BASE))
    measure.child(measure.sibu("kb", "add", str(place / "start"), str(place / "first.nt"), "--quiet"))
    kills = []
    for share in given.kills:
        seconds = share * loaded["wall_seconds"]
        kills.append(killed(place / "start", place / "kb", place / "graph.nt", triples, seconds))
        print("kill", kills[-1], file=sys.stderr)
    result = {
        "name": "store",
        "command": f"python bench/store.py --triples {triples}",
        "what": "a graph of things with a class, a name, an age and seven links; N-Triples into a knowledge base",
        "load": loaded,
        "ask": asked,
        "kills": kills,
        "lost": sum(each["lost"] for each in kills),
        "half_written": sum(each["half_written"] for each in kills),
        "beside": given.beside,
        **measure.facts(),
    }
    result["versions"]["pyoxigraph"] = version("pyoxigraph")
    measure.keep(result, given.results)


if __name__ == "__main__":
    main()
