"""The closure of university data like LUBM's: our engine with and without proofs, owlrl and reasonable, in turn.

    python bench/lubm.py DATA [--sizes 0.1 1 5] [--owlrl 0.02] [--rounds 1] [--seed 0] [--work DIR] [--results DIR]
    python bench/lubm.py --write FILE --size 0.1 [--seed 0]

The data is written by us, from the published description (Guo, Pan and Heflin, LUBM: A Benchmark for OWL Knowledge
Base Systems, 2005): ranges of departments, people, courses and publications as in its data profile, every department
drawn by a seed of its own, so that a larger set begins with the smaller. Sizes are millions of asserted triples;
writing stops behind the first department that reaches one. The ontology is ``univ-bench.ttl``; its nameless nodes get
names, so that what each side concludes can be compared. DATA holds ``kg_lubm_univ0_dept0``, a real department of the
benchmark's own generator, which is measured too.

The sides: ``closure`` and ``proofs``, our engine over ``rl.rules`` without and with proofs; ``shared``, the same
without the rules that ``reasonable`` does not have; ``reasonable`` and ``owlrl``. Each runs in a process of its own:
it reads the file (``load_seconds``), concludes all (``close_seconds``), and then, unmeasured, sums up what holds. Peak
memory is that until all is concluded. The last two also conclude what ``trivial.rules`` says of everything, the engine
does not. Equality is of all but that and but facts of which a value is the subject: ``proofs`` and ``owlrl`` with
``closure``, ``reasonable`` with ``shared``; ``instances`` are the facts that are not of the schema. One JSON:
``lubm.json``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import measure
import numpy as np
import pyoxigraph
import triples

import sibu
from sibu.core.logic import TYPE, Atom, Entity, Term, Value
from sibu.core.names import OWL, RDF, RDFS, Names
from sibu.reasoners.owl.trivial import REFLEXIVE, THING, is_trivial

SCHEMA = Path(__file__).with_name("univ-bench.ttl")
UB = "http://swat.cse.lehigh.edu/onto/univ-bench.owl#"
SIDES = ("closure", "proofs", "shared", "reasonable", "owlrl")
EQUAL = {"proofs": "closure", "owlrl": "closure", "reasonable": "shared"}
"""With which side's closure each side's is compared."""
REASONABLE_LACKS = frozenset({
    "scm-spo", "scm-eqp1", "scm-eqp2", "scm-eqc2", "scm-dom1", "scm-dom2", "scm-rng1", "scm-rng2", "scm-hv", "scm-svf1",
    "scm-svf2", "scm-avf1", "scm-avf2", "scm-int", "scm-uni", "cls-oo", "cls-maxc2", "cls-maxqc3", "cls-maxqc4",
    "prp-spo2", "prp-key",
})  # fmt: skip
"""Rules that reasonable 0.4.4 does not have (see tests/reasoners/test_owl_references.py)."""
UNIVERSITIES = 1000
"""So many there are to have a degree from."""
INTERESTS = 30
FACULTY = {
    "FullProfessor": (7, 10, 15, 20),
    "AssociateProfessor": (10, 14, 10, 18),
    "AssistantProfessor": (8, 11, 5, 10),
    "Lecturer": (5, 7, 0, 5),
}
"""Least and most in a department, least and most publications of each."""
PROVED = 1000
"""Of so many facts the proof is asked for."""

# The data.


class Lines:
    """Lines of N-Triples of one department."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def of(self, thing: str, kind: str, name: str = "") -> str:
        """A thing of a class, with its name where it has one."""
        self.lines.append(f"<{thing}> <{TYPE.iri}> <{UB}{kind}> .\n")
        if name:
            self.text(thing, "name", name)
        return thing

    def to(self, thing: str, link: str, other: str) -> None:
        """A link between two things."""
        self.lines.append(f"<{thing}> <{UB}{link}> <{other}> .\n")

    def text(self, thing: str, link: str, text: str) -> None:
        """A text about a thing."""
        self.lines.append(f'<{thing}> <{UB}{link}> "{text}" .\n')


def department(university: int, number: int, seed: int) -> list[str]:
    """All facts about a department, as lines."""
    draw, facts = Random(f"{seed}/{university}/{number}"), Lines()
    above = f"http://www.University{university}.edu"
    here = f"http://www.Department{number}.University{university}.edu"
    facts.of(here, "Department", f"Department{number}")
    facts.to(here, "subOrganizationOf", above)
    for group in range(draw.randint(10, 20)):
        facts.to(facts.of(f"{here}/ResearchGroup{group}", "ResearchGroup"), "subOrganizationOf", here)
    faculty, courses, papers = _faculty(draw, facts, here)
    _undergraduates(draw, facts, here, faculty, courses["Course"])
    _graduates(draw, facts, here, faculty, courses, papers)
    return facts.lines


def _faculty(draw: Random, facts: Lines, here: str) -> tuple[list[str], dict[str, list[str]], dict[str, list[str]]]:
    """Everyone who teaches; their courses by kind; their publications by author."""
    everyone: list[str] = []
    courses: dict[str, list[str]] = {"Course": [], "GraduateCourse": []}
    papers: dict[str, list[str]] = {}
    for kind, (least, most, fewest, highest) in FACULTY.items():
        for number in range(draw.randint(least, most)):
            person = _person(facts, here, kind, number)
            facts.to(person, "worksFor", here)
            for course_kind, taught in courses.items():
                for _ in range(draw.randint(1, 2)):  # every course is taught by one person
                    name = f"{course_kind}{len(taught)}"
                    taught.append(facts.of(f"{here}/{name}", course_kind, name))
                    facts.to(person, "teacherOf", taught[-1])
            for degree in ("undergraduate", "masters", "doctoral"):
                _degree(draw, facts, person, degree)
            if kind != "Lecturer":
                facts.text(person, "researchInterest", f"Research{draw.randrange(INTERESTS)}")
            papers[person] = []
            for paper in range(draw.randint(fewest, highest)):
                papers[person].append(facts.of(f"{person}/Publication{paper}", "Publication", f"Publication{paper}"))
                facts.to(papers[person][-1], "publicationAuthor", person)
            everyone.append(person)
    heads = [person for person in everyone if "/FullProfessor" in person]
    facts.to(draw.choice(heads), "headOf", here)
    return everyone, courses, papers


def _undergraduates(draw: Random, facts: Lines, here: str, faculty: list[str], courses: list[str]) -> None:
    professors = [person for person in faculty if "/Lecturer" not in person]
    count = round(draw.uniform(8, 14) * len(faculty))
    advised = set(draw.sample(range(count), count // 5))
    for number in range(count):
        student = _person(facts, here, "UndergraduateStudent", number)
        facts.to(student, "memberOf", here)
        for course in draw.sample(courses, min(draw.randint(2, 4), len(courses))):
            facts.to(student, "takesCourse", course)
        if number in advised:
            facts.to(student, "advisor", draw.choice(professors))


def _graduates(
    draw: Random,
    facts: Lines,
    here: str,
    faculty: list[str],
    courses: dict[str, list[str]],
    papers: dict[str, list[str]],
) -> None:
    professors = [person for person in faculty if "/Lecturer" not in person]
    students = []
    for number in range(round(draw.uniform(3, 4) * len(faculty))):
        student = _person(facts, here, "GraduateStudent", number)
        facts.to(student, "memberOf", here)
        for course in draw.sample(courses["GraduateCourse"], min(draw.randint(1, 3), len(courses["GraduateCourse"]))):
            facts.to(student, "takesCourse", course)
        _degree(draw, facts, student, "undergraduate")
        facts.to(student, "advisor", draw.choice(professors))
        own = draw.choice(professors)
        for paper in draw.sample(papers[own], min(draw.randint(0, 5), len(papers[own]))):
            facts.to(paper, "publicationAuthor", student)
        students.append(student)
    draw.shuffle(students)
    assisting = round(draw.uniform(1 / 5, 1 / 4) * len(students))
    helped = draw.sample(courses["Course"], min(assisting, len(courses["Course"])))
    for student, course in zip(students, helped, strict=False):  # each assists in a course of their own
        facts.of(student, "TeachingAssistant")
        facts.to(student, "teachingAssistantOf", course)
    searching = round(draw.uniform(1 / 4, 1 / 3) * len(students))
    for student in students[len(helped) : len(helped) + searching]:
        facts.of(student, "ResearchAssistant")


def _person(facts: Lines, here: str, kind: str, number: int) -> str:
    person = facts.of(f"{here}/{kind}{number}", kind, f"{kind}{number}")
    facts.text(person, "emailAddress", f"{kind}{number}@{here[11:]}")
    facts.text(person, "telephone", "xxx-xxx-xxxx")
    return person


def _degree(draw: Random, facts: Lines, person: str, degree: str) -> None:
    university = f"http://www.University{draw.randrange(UNIVERSITIES)}.edu"
    facts.of(university, "University")
    facts.to(person, f"{degree}DegreeFrom", university)


def universities(seed: int) -> Iterator[list[str]]:
    """Endless facts, a department at a time."""
    university = 0
    while True:
        facts = Lines()
        facts.of(f"http://www.University{university}.edu", "University", f"University{university}")
        for number in range(Random(f"{seed}/{university}").randint(15, 25)):
            yield [*facts.lines, *department(university, number, seed)]
            facts.lines.clear()
        university += 1


def schema() -> list[str]:
    """The ontology as lines; nameless nodes have names, the same each time."""
    named: dict[str, str] = {}
    lines = []
    for triple in triples.read(SCHEMA):
        parts = []
        for part in (triple.subject, triple.predicate, triple.object):
            text = str(triples.theirs(part))
            parts.append(named.setdefault(text, f"<urn:univ-bench:{len(named)}>") if text.startswith("_:") else text)
        lines.append(f"{' '.join(parts)} .\n")
    return lines


def write(file: Path, size: float, seed: int) -> int:
    """Write ontology and data; how many lines."""
    wanted, written = int(size * 1_000_000), 0
    with file.open("w", encoding="utf-8") as out:
        lines = schema()
        out.writelines(lines)
        written += len(lines)
        for lines in universities(seed):
            out.writelines(lines)
            written += len(lines)
            if written >= wanted:
                return written
    raise AssertionError("universities never end")


# What a side concludes, summed up.


class Sum:
    """Facts by predicate as numbers of terms, summed up so that their order does not matter."""

    def __init__(self) -> None:
        self.words: list[Term] = []
        self.columns: dict[Entity, tuple[Any, Any]] = {}

    def told(self) -> dict[str, Any]:
        """How many facts count, of all and of instances, and a sum of their hashes."""
        marks = np.array([_mark(word) for word in self.words], np.uint64)
        found = {"all": [0, 0], "instances": [0, 0]}
        for predicate, (subjects, things) in self.columns.items():
            kept = self._counts(predicate, subjects, things)
            subjects, things = subjects[kept], things[kept]
            sums = _mixed(marks[subjects], np.uint64(_mark(predicate)), marks[things])
            for name, chosen in (("all", slice(None)), ("instances", self._instances(predicate, things))):
                found[name][0] += len(sums[chosen])
                found[name][1] = (found[name][1] + int(sums[chosen].sum(dtype=np.uint64))) % 2**64
        return {name: {"facts": count, "sum": f"{total:016x}"} for name, (count, total) in found.items()}

    def _counts(self, predicate: Entity, subjects: Any, things: Any) -> Any:
        """Which facts say something: no value is their subject, and they are not trivial."""
        values = np.array([isinstance(word, Value) for word in self.words])
        kept = ~values[subjects]
        suspect = np.zeros(len(subjects), bool)
        if predicate.iri in REFLEXIVE or predicate.iri.startswith((RDFS, OWL)):
            suspect[:] = True
        elif predicate == TYPE:
            dull = {THING, *(Entity(name) for name in (OWL + "Class", RDFS + "Datatype", OWL + "AnnotationProperty"))}
            suspect = np.array([word in dull for word in self.words])[things]
        for place in np.flatnonzero(suspect & kept).tolist():
            fact = Atom(predicate, (self.words[subjects[place]], self.words[things[place]]))
            kept[place] = not is_trivial(fact)
        return kept

    def _instances(self, predicate: Entity, things: Any) -> Any:
        """Which facts speak of instances and not of the schema."""
        if predicate == TYPE:
            own = np.array([isinstance(word, Entity) and word.iri.startswith((OWL, RDFS, RDF)) for word in self.words])
            return ~own[things]
        return np.full(len(things), not predicate.iri.startswith((OWL, RDFS, RDF)))

    def take(self, facts: Iterable[tuple[Term, Term, Term]]) -> None:
        """Facts one by one, each once."""
        numbers: dict[Term, int] = {}
        rows: dict[Entity, set[tuple[int, int]]] = {}
        for subject, predicate, thing in facts:
            if isinstance(predicate, Entity):
                pair = (numbers.setdefault(subject, len(numbers)), numbers.setdefault(thing, len(numbers)))
                rows.setdefault(predicate, set()).add(pair)
        self.words = list(numbers)
        for predicate, pairs in rows.items():
            table = np.array(sorted(pairs), np.int64).reshape(-1, 2)
            self.columns[predicate] = (table[:, 0], table[:, 1])


def _mark(word: Term) -> int:
    text = word.iri if isinstance(word, Entity) else f'"{word.text}"{word.datatype}@{word.language}'
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def _mixed(subjects: Any, predicate: Any, things: Any) -> Any:
    """One hash of three (the last step is splitmix64's)."""
    with np.errstate(over="ignore"):
        mixed = subjects * np.uint64(0x9E3779B97F4A7C15) ^ predicate
        mixed = (mixed ^ mixed >> np.uint64(31)) * np.uint64(0xBF58476D1CE4E5B9) + things
        mixed = (mixed ^ mixed >> np.uint64(30)) * np.uint64(0x94D049BB133111EB)
        return mixed ^ mixed >> np.uint64(31)


# The sides.


def peak() -> int:
    """Most bytes of memory held at once until now."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def ours(file: Path, side: str) -> dict[str, Any]:
    """The engine over rl.rules."""
    from sibu.logic.closure import Closure
    from sibu.logic.text import parse

    text = (Path(sibu.__file__).parent / "reasoners" / "owl" / "rl.rules").read_text("utf-8")
    began = time.perf_counter()
    rules = parse(text, Names("urn:bench:"), "rl.rules").rules
    if side == "shared":
        rules = tuple(rule for rule in rules if rule.id.split(".")[0] not in REASONABLE_LACKS)
    closure = Closure(rules, proofs=side == "proofs")
    asserted = load(closure, file)
    loaded = time.perf_counter()
    closure.close()
    closed = time.perf_counter()
    found: dict[str, Any] = {"asserted": asserted, "load_seconds": loaded - began, "close_seconds": closed - loaded}
    found |= {"peak_memory_bytes": peak(), "facts": closure.count()}
    found["violations"] = sum(1 for _ in closure.violations())
    total = Sum()
    total.words = list(closure.terms)
    for predicate in closure.counts():
        columns = closure.columns(predicate)
        if len(columns) == 2 and len(columns[0]):
            total.columns[predicate] = (columns[0].astype(np.int64), columns[1].astype(np.int64))
    return found | total.told() | (proved(closure) if side == "proofs" else {})


def load(closure: Any, file: Path) -> int:
    """Assert what a file of N-Triples holds, column by column; how many facts."""
    count, size = 0, 200_000
    rows: dict[str, tuple[list[str], list[Any]]] = {}

    def put() -> int:
        done = 0
        for name, (subjects, things) in rows.items():
            numbers = closure.terms.entities(subjects)
            named = [isinstance(thing, pyoxigraph.NamedNode) for thing in things]
            if all(named):
                others = closure.terms.entities(thing.value for thing in things)
            else:
                others = closure.terms.ids(triples.ours(thing) for thing in things)
            done += closure.add_columns(Entity(name), numbers, others)
        rows.clear()
        return done

    for number, quad in enumerate(pyoxigraph.parse(path=str(file), format=pyoxigraph.RdfFormat.N_TRIPLES), 1):
        own = rows.setdefault(quad.predicate.value, ([], []))
        own[0].append(quad.subject.value)
        own[1].append(quad.object)
        if number % size == 0:
            count += put()
    return count + put()


def proved(closure: Any) -> dict[str, Any]:
    """How long a proof takes, of facts drawn by a fixed seed, and how many steps it has."""
    draw = Random(0)
    wanted = []
    for name in sorted(closure.counts()):
        columns = closure.columns(name)
        if len(columns) == 2 and len(columns[0]):
            for place in draw.sample(range(len(columns[0])), min(PROVED // 10, len(columns[0]))):
                wanted.append(Atom(name, tuple(closure.terms[int(column[place])] for column in columns)))
    wanted = draw.sample(wanted, min(PROVED, len(wanted)))
    began = time.perf_counter()
    steps = [len(closure.proof(fact).steps) for fact in wanted]
    seconds = time.perf_counter() - began
    return {"proofs": {"asked": len(wanted), "milliseconds_each": round(1000 * seconds / max(len(wanted), 1), 3),
                       "steps": measure.spread([float(count) for count in steps], 1)}}  # fmt: skip


def by_reasonable(file: Path) -> dict[str, Any]:
    """The compiled reasoner; its time includes handing all facts to Python, as there is no other way to have them."""
    import reasonable

    reasoner = reasonable.PyReasoner()
    began = time.perf_counter()
    reasoner.load_file(str(file.with_suffix(".ttl")))
    loaded = time.perf_counter()
    facts = reasoner.reason()
    closed = time.perf_counter()
    found = {"load_seconds": loaded - began, "close_seconds": closed - loaded, "peak_memory_bytes": peak()}
    return found | {"facts": len(facts)} | summed(facts, file)


def by_owlrl(file: Path) -> dict[str, Any]:
    """The reference in Python."""
    import owlrl
    import rdflib

    graph = rdflib.Graph()
    began = time.perf_counter()
    graph.parse(file, format="nt")
    loaded = time.perf_counter()
    owlrl.DeductiveClosure(owlrl.OWLRL_Semantics, axiomatic_triples=False, datatype_axioms=False).expand(graph)
    closed = time.perf_counter()
    found = {"load_seconds": loaded - began, "close_seconds": closed - loaded, "peak_memory_bytes": peak()}
    return found | {"facts": len(graph)} | summed(graph, file)


def summed(facts: Iterable[Any], file: Path) -> dict[str, Any]:
    """What others conclude, together with what was given to them."""
    import rdflib

    known: dict[Any, Term] = {}

    def ours_of(term: Any) -> Term:
        if term not in known:
            if isinstance(term, rdflib.Literal):
                datatype = str(term.datatype or rdflib.XSD.string) if not term.language else str(rdflib.RDF.langString)
                known[term] = Value(str(term), datatype, (term.language or "").lower())
            else:
                known[term] = Entity(f"_:{term}" if isinstance(term, rdflib.BNode) else str(term))
        return known[term]

    def everything() -> Iterator[tuple[Term, Term, Term]]:
        for fact in facts:
            yield ours_of(fact[0]), ours_of(fact[1]), ours_of(fact[2])
        for triple in triples.read(file):
            yield triple.subject, triple.predicate, triple.object

    total = Sum()
    total.take(everything())
    return total.told()


def one(side: str, file: Path) -> dict[str, Any]:
    """One side over one file, in this process."""
    if side in ("closure", "proofs", "shared"):
        return ours(file, side)
    return by_reasonable(file) if side == "reasonable" else by_owlrl(file)


# The measurement.


def prepared(place: Path, name: str, size: float, seed: int, data: Path) -> Path:
    """The file of a size, or of the real department; written where it is not there yet."""
    file = place / f"{name}.nt"
    if not file.exists():
        draft = file.with_suffix(".part")
        if size:
            write(draft, size, seed)
        else:
            real = triples.read(data / "kg_lubm_univ0_dept0" / "University0_0.owl")
            parts = ((fact.subject, fact.predicate, fact.object) for fact in real)
            lines = [f"{' '.join(str(triples.theirs(part)) for part in each)} .\n" for each in parts]
            draft.write_text("".join([*schema(), *lines]), encoding="utf-8")
        draft.rename(file)
    turtle = file.with_suffix(".ttl")  # N-Triples are Turtle; reasonable looks at the name
    if not turtle.exists():
        turtle.symlink_to(file.name)
    return file


def measured(file: Path, sides: list[str], rounds: int) -> dict[str, list[dict[str, Any]]]:
    """Every side in turn, the order turned round every second round."""
    found: dict[str, list[dict[str, Any]]] = {side: [] for side in sides}
    for number in range(rounds):
        for side in sides if number % 2 == 0 else sides[::-1]:
            wall, _, told = measure.child(measure.again(__file__, "--side", side, "--file", str(file)))
            found[side].append(json.loads(told.splitlines()[-1]) | {"wall_seconds": wall})
            print(file.stem, side, found[side][-1], file=sys.stderr)
    return found


def judged(found: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """What the rounds of one size say together."""
    first = found["closure"][0]
    sides = {}
    for side, rounds in found.items():
        seconds = measure.spread([each["close_seconds"] for each in rounds])
        sides[side] = {
            "close_seconds": seconds,
            "load_seconds": measure.spread([each["load_seconds"] for each in rounds]),
            "peak_memory_bytes": max(each["peak_memory_bytes"] for each in rounds),
            "facts": rounds[0]["facts"],
            **{
                f"{name}_equal_to_{other}": all(each[name] == found[other][0][name] for each in rounds)
                for other in [EQUAL.get(side)]
                if other
                for name in ("all", "instances")
            },
            **{name: rounds[0][name] for name in ("all", "instances", "proofs", "violations") if name in rounds[0]},
        }
        ours_seconds = measure.spread([each["close_seconds"] for each in found["closure"]])
        sides[side]["times_as_long_as_ours"] = round(seconds["median"] / ours_seconds["median"], 2)
    return {"asserted": first["asserted"], "sides": sides}


def linear(by_size: dict[str, dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Microseconds and bytes for each fact that holds, by side and size: linear where they stay."""
    found: dict[str, dict[str, float]] = {}
    for name, each in by_size.items():
        for side, own in each["sides"].items():
            facts = own["all"]["facts"]
            found.setdefault(f"{side}, microseconds a fact", {})[name] = round(
                1e6 * own["close_seconds"]["median"] / facts, 3
            )
            found.setdefault(f"{side}, bytes a fact", {})[name] = round(own["peak_memory_bytes"] / facts, 1)
    return found


def main() -> None:
    """Write data, run one side, or measure all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--size", type=float, default=0.1)
    parser.add_argument("--side", choices=SIDES)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    given, rest = parser.parse_known_args()
    if given.write:
        print(write(given.write, given.size, given.seed), "triples", file=sys.stderr)
    elif given.side:
        print(json.dumps(one(given.side, given.file)))
    else:
        everything(rest, given.seed)


def everything(words: list[str], seed: int) -> None:
    """Measure every side at every size."""
    parser = measure.options(__doc__ or "")
    parser.add_argument("--sizes", type=float, nargs="+", default=[0.1, 1, 5])
    parser.add_argument("--owlrl", type=float, default=0.02, help="the size at which owlrl is run too")
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args(words)
    place = given.work / f"lubm-{seed}"
    place.mkdir(parents=True, exist_ok=True)
    by_size = {}
    for size in [0.0, *sorted({given.owlrl, *given.sizes} - {0.0})]:
        name = f"{size:g}M" if size else "real department"
        file = prepared(place, name.replace(" ", "-"), size, seed, given.data)
        sides = [side for side in SIDES if side != "owlrl" or size <= given.owlrl]
        by_size[name] = judged(measured(file, sides, given.rounds))
    result = {
        "name": "lubm",
        "command": f"python bench/lubm.py DATA {' '.join(words[1:])}".strip(),
        "what": "closure of university data: seconds, memory and equality of what holds",
        "seed": seed,
        "by_size": by_size,
        "linear": linear(by_size),
        **measure.facts([SCHEMA, given.data / "kg_lubm_univ0_dept0" / "University0_0.owl"]),
        "versions_of_references": triples.versions("owlrl", "reasonable", "rdflib", "pyoxigraph"),
    }
    measure.keep(result, given.results)


if __name__ == "__main__":
    main()
