"""Facts that come and go: after every change the closure is the one that is computed afresh, and what a change costs.

    python bench/retraction.py DATA [--programs 500] [--changes 8] [--size 0.1] [--results DIR]

Random rule programs (tests/logic/programs.py; a seed a program) get ``--changes`` rounds each of facts asserted and
withdrawn at random, what follows among them; after each the engine's closure is compared with that of a naive evaluator
over the facts that are left (tests/logic/naive.py), and every derived fact's proof is judged by the checker. Then
university data of ``--size`` million triples under OWL 2 RL (bench/lubm.py writes it) loses and gets back one, ten, a
hundred, a thousand and ten thousand facts drawn at random; each time the closure is compared with one made afresh, and
the seconds of both are told. One JSON: ``retraction.json``.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from random import Random
from typing import Any

import lubm
import measure
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.logic import naive
from tests.logic.closures import everything
from tests.logic.programs import Program, program

import sibu
from sibu.checker import Checker, Known
from sibu.core.logic import Atom
from sibu.core.names import Names
from sibu.logic.closure import Closure
from sibu.logic.text import parse

SIZES = (1, 10, 100, 1_000, 10_000)


def some(draw: Random, facts: set[Atom], most: int) -> list[Atom]:
    """A few of some facts."""
    return draw.sample(sorted(facts, key=repr), min(len(facts), draw.randint(0, most)))


def changed(given: Program, seed: int, changes: int) -> dict[str, int]:
    """One program's facts come and go."""
    draw = Random(f"retraction/{seed}")
    closure, asserted, holds = Closure(given.rules), set[Atom](), set[Atom]()
    told = {"changes": 0, "equal": 0, "came": 0, "went": 0, "proofs": 0, "proofs_accepted": 0}
    for turn in range(changes):
        new = some(draw, set(given.facts), 99 if turn == 0 else 5) + some(draw, holds, 1)
        closure.add(new)
        asserted |= set(new)
        old = some(draw, asserted, 4) + some(draw, holds, 1)
        closure.retract(old)
        asserted -= set(old)
        moved = closure.close()
        told["came"] += sum(came for came, _ in moved.counts.values())
        told["went"] += sum(went for _, went in moved.counts.values())
        holds = everything(closure, given.rules, {*given.facts, *asserted})
        told["changes"] += 1
        told["equal"] += holds == naive.evaluate(given.rules, asserted).facts
        checker = Checker(given.rules, Known(asserted))
        for fact in holds - asserted:
            proof = closure.proof(fact)
            told["proofs"] += 1
            told["proofs_accepted"] += proof is not None and proof.conclusion == fact and not checker.faults(proof)
    return told


def random_programs(programs: int, changes: int) -> dict[str, Any]:
    """All random programs."""
    total: dict[str, int] = {}
    passed_over = 0
    for seed in range(programs):
        try:
            found = changed(program(Random(seed), plain=seed % 2 == 0), seed, changes)
        except (naive.Unstratified, naive.TooMuch):
            passed_over += 1
            continue
        for key, value in found.items():
            total[key] = total.get(key, 0) + value
    return {"programs": programs - passed_over, "passed_over": passed_over, **total}


class University:
    """University data, and closures of it."""

    def __init__(self, file: Path) -> None:
        text = (Path(sibu.__file__).parent / "reasoners" / "owl" / "rl.rules").read_text("utf-8")
        self.rules = parse(text, Names("urn:bench:"), "rl.rules").rules
        plain = Closure(())
        lubm.load(plain, file)
        plain.close()
        self._terms = list(plain.terms)
        self.facts = [(predicate, *plain.columns(predicate)) for predicate in plain.counts()]

    def numbers(self, closure: Closure) -> Any:
        """The numbers of all terms in a closure."""
        return closure.terms.ids(self._terms)

    def afresh(self, gone: dict[Any, Any]) -> tuple[Closure, float]:
        """A closure over what is left, and the seconds that it took."""
        closure = Closure(self.rules)
        numbers = self.numbers(closure)
        for predicate, subjects, objects in self.facts:
            keep = np.ones(len(subjects), bool)
            keep[gone.get(predicate, [])] = False
            closure.add_columns(predicate, numbers[subjects[keep]], numbers[objects[keep]])
        began = time.perf_counter()
        closure.close()
        return closure, time.perf_counter() - began

    def sums(self, closure: Closure) -> dict[str, Any]:
        """A sum over all that holds, which is the same whatever the order."""
        total = lubm.Sum()
        total.words = list(closure.terms)
        for predicate in closure.counts():
            columns = closure.columns(predicate)
            if len(columns) == 2 and len(columns[0]):
                total.columns[predicate] = tuple(each.astype(np.int64) for each in columns)
        return total.told()


def university(file: Path, seed: int) -> dict[str, Any]:
    """Facts of university data go and come back."""
    data = University(file)
    draw = np.random.default_rng(seed)
    sizes = np.array([len(subjects) for _, subjects, _ in data.facts])
    begins = np.concatenate([[0], np.cumsum(sizes)])
    closure, first_seconds = data.afresh({})
    numbers, first = data.numbers(closure), data.sums(closure)
    told = []
    for size in SIZES:
        if size > sizes.sum():
            break
        places = np.sort(draw.choice(int(sizes.sum()), size, replace=False))
        gone = {
            predicate: places[(places >= low) & (places < high)] - low
            for (predicate, _, _), low, high in zip(data.facts, begins[:-1], begins[1:], strict=True)
        }

        def moved(change: Any, gone: dict[Any, Any] = gone) -> float:
            for predicate, subjects, objects in data.facts:
                if len(gone[predicate]):
                    change(predicate, numbers[subjects[gone[predicate]]], numbers[objects[gone[predicate]]])
            began = time.perf_counter()
            closure.close()
            return time.perf_counter() - began

        retracting = moved(closure.retract_columns)
        left = data.sums(closure)
        other, fresh = data.afresh(gone)
        same = left == data.sums(other)
        adding = moved(closure.add_columns)
        told.append(
            {
                "facts": size,
                "equal": same,
                "equal_when_back": data.sums(closure) == first,
                "went": first["all"]["facts"] - left["all"]["facts"],
                "retract_seconds": round(retracting, 4),
                "add_seconds": round(adding, 4),
                "afresh_seconds": round(fresh, 4),
            }
        )
        print(told[-1], file=sys.stderr)
    return {"asserted": int(sizes.sum()), "first_seconds": round(first_seconds, 3), "rounds": told}


def main() -> None:
    """Measure."""
    parser = measure.options(__doc__ or "")
    parser.add_argument("--programs", type=int, default=500)
    parser.add_argument("--changes", type=int, default=8)
    parser.add_argument("--size", type=float, default=0.1, help="million triples of university data")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    place = given.work / f"lubm-{given.seed}"
    place.mkdir(parents=True, exist_ok=True)
    file = lubm.prepared(place, f"{given.size:g}M", given.size, given.seed, given.data)
    found = random_programs(given.programs, given.changes)
    print(found, file=sys.stderr)
    measure.keep(
        {
            "name": "retraction",
            "command": f"python bench/retraction.py DATA --programs {given.programs} --changes {given.changes}",
            "what": "closures after facts came and went, against those computed afresh",
            "random": found,
            "university": {"size": given.size, **university(file, given.seed)},
            **({} if given.limit is None else {"limit": given.limit}),
            **measure.facts([lubm.SCHEMA]),
        },
        given.results,
    )


if __name__ == "__main__":
    main()
