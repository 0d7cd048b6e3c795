"""Random rule programs: the same facts by every way, every proof accepted, every mutated proof rejected.

    python bench/proofs.py [--programs 2000] [--mixed 500] [--start 0] [--results DIR]

The programs have up to twelve levels of rules over asserted facts, with recursion, negation, aggregates, comparisons,
arithmetic, classes and open predicates (tests/logic/programs.py; a seed a program). ``--programs`` are of names and
whole numbers, so that clingo can have them; ``--mixed`` have floats, texts and dates too. What follows by the naive
evaluator (tests/logic/naive.py) is compared with what follows by each other way. The checker judges the proof of each
derived fact by each way that has proofs, and proofs that were made wrong (tests/logic/mutations.py): of one fact a
program in every way that it allows, and, of every fourth program, those made with other facts or a condition left out.
Some of these are proofs all the same; that is found without the checker. Told: ``proofs.json``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import Any

import measure

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.logic import asp, mutations, naive
from tests.logic.programs import Program, program

from sibu.checker import Checker, Known
from sibu.core.errors import ProofRejected
from sibu.core.logic import Atom, Proof, Variable

Found = tuple[frozenset[Atom], Callable[[Atom], Proof | None] | None]
"""What holds, and what proves it, where the way has proofs."""


def by_naive(given: Program) -> Found:
    """Every rule on every fact, until nothing is new."""
    model = naive.evaluate(given.rules, given.facts)
    return frozenset(model.facts), model.proof


def by_clingo(given: Program) -> Found:
    """The one stable model."""
    (found,) = asp.follows(given.rules, given.facts)
    return found, None


def by_closure(given: Program) -> Found:
    """Sibu's own engine."""
    from sibu.logic.closure import Closure

    closure = Closure(given.rules)
    closure.add(given.facts)
    closure.close()
    places = [Variable(f"V{place}") for place in range(5)]
    patterns = [Atom(name, tuple(places[:size])) for name in closure.counts() for size in range(len(places) + 1)]
    return frozenset(fact for pattern in patterns for fact in closure.match(pattern)), closure.proof


WAYS: dict[str, Callable[[Program], Found]] = {"naive": by_naive, "clingo": by_clingo, "closure": by_closure}
WITHOUT_MIXED = {"clingo"}


class Tally:
    """What is counted over the programs."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.depths: Counter[int] = Counter()
        self.ways: dict[str, Counter[str]] = defaultdict(Counter)
        self.seconds: Counter[str] = Counter()
        self.mutated: dict[str, Counter[str]] = {kind: Counter() for kind in mutations.ALL}
        self.wrong: list[str] = []

    def told(self) -> dict[str, Any]:
        """As JSON."""
        kinds = {kind: {"no_proof": own["no_proof"], "rejected": own["rejected"],
                        "rejected_share": _share(own["rejected"], own["no_proof"]),
                        "a_proof_still": own["proof"], "accepted": own["accepted"]}
                 for kind, own in self.mutated.items()}  # fmt: skip
        made = sum(own["no_proof"] for own in self.mutated.values())
        refused = sum(own["rejected"] for own in self.mutated.values())
        return {
            **self.counts,
            "accepted_share": _share(self.counts["proofs_accepted"], self.counts["proofs"]),
            "deepest": max(self.depths, default=0),
            "programs_of_depth_12_or_more": sum(count for depth, count in self.depths.items() if depth >= 12),
            "ways": {
                way: {**own, "equal_share": _share(own["equal"], own["programs"])} for way, own in self.ways.items()
            },
            "mutated": {"no_proof": made, "rejected": refused, "rejected_share": _share(refused, made), "kinds": kinds},
            "wrong": self.wrong,
            "seconds": {what: round(seconds, 1) for what, seconds in self.seconds.items()},
        }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def one(seed: int, plain: bool, ways: Iterable[str], tally: Tally) -> None:
    """One program, by all ways."""
    draw = Random(seed)
    given = program(draw, seed % 13, plain=plain)
    model = naive.evaluate(given.rules, given.facts)
    checker = Checker(given.rules, Known(given.facts))
    tally.counts.update(programs=1, rules=len(given.rules), asserted=len(model.asserted))
    tally.counts.update(derived=len(set(model.why) - model.asserted), with_open_predicates=given.generic)
    for way in ways:
        began = time.process_time()
        facts, proved = WAYS[way](given)
        tally.seconds[way] += time.process_time() - began
        equal = facts == model.facts
        tally.ways[way].update(programs=1, equal=equal, facts=len(facts))
        if not equal:
            tally.wrong.append(f"{'plain' if plain else 'mixed'} program {seed}: other facts by {way}")
        if proved is not None:
            derived = sorted(facts - model.asserted, key=repr)
            check(checker, way, f"program {seed}", ((fact, proved(fact)) for fact in derived), tally)
    tally.depths[max((naive.depth(model.proof(fact)) for fact in model.why), default=0)] += 1
    changed = [] if seed % 4 else list(mutations.of_program(given, model, draw))
    for fact in draw.sample(list(model.why), min(len(model.why), 1)):
        changed += mutations.of_proof(model, model.proof(fact), draw)
    for each in changed:
        judge(checker, model, each, f"program {seed}", tally)


def check(checker: Checker, way: str, where: str, proofs: Iterable[tuple[Atom, Proof | None]], tally: Tally) -> None:
    """The proofs of a way."""
    for fact, proof in proofs:
        began = time.process_time()
        faults = ["there is none"] if proof is None else checker.faults(proof)
        tally.seconds["checker"] += time.process_time() - began
        good = not faults and proof is not None and proof.conclusion == fact
        tally.counts.update(proofs=1, proofs_accepted=good, steps=0 if proof is None else len(proof.steps))
        tally.ways[way].update(proofs=1, proofs_accepted=good)
        if not good:
            tally.wrong.append(f"{where}: a proof by {way} was not accepted: {'; '.join(faults)}")


def judge(checker: Checker, model: naive.Model, mutation: mutations.Mutation, where: str, tally: Tally) -> None:
    """A mutated proof."""
    stands = mutation.stands(model)
    try:
        checker.check(mutation.proof, mutation.asked)
        rejected = False
    except ProofRejected:
        rejected = True
    own = tally.mutated[mutation.kind]
    own.update({"proof": stands, "no_proof": not stands, "rejected": rejected and not stands})
    own.update(accepted=stands and not rejected)
    if stands == rejected:
        tally.wrong.append(f"{where}: {mutation.kind} was {'rejected' if rejected else 'accepted'}")


def measured(given: argparse.Namespace) -> dict[str, Any]:
    """All programs."""
    told = {}
    for name, count in (("plain", given.programs), ("mixed", given.mixed)):
        ways = [way for way in given.ways if name == "plain" or way not in WITHOUT_MIXED]
        tally = Tally()
        for seed in range(given.start, given.start + (count if given.limit is None else min(count, given.limit))):
            one(seed, name == "plain", ways, tally)
            if (seed + 1) % 100 == 0:
                print(name, seed + 1, len(tally.wrong), "wrong", file=sys.stderr)
        told[name] = tally.told()
    return {
        "name": "proofs",
        "command": f"python bench/proofs.py --programs {given.programs} --mixed {given.mixed} --start {given.start}",
        "what": "facts by every way, proofs accepted and mutated proofs rejected, over random rule programs",
        **told,
        **measure.facts(),
    }


def there(way: str) -> bool:
    """Whether what a way needs is installed."""
    from importlib.util import find_spec

    needed = {"clingo": ("clingo",), "closure": ("sibu.logic", "sibu.logic.closure")}
    return all(find_spec(module) is not None for module in needed.get(way, ()))


def main() -> None:
    """Measure."""
    parser = measure.options(__doc__ or "", data=False)
    parser.add_argument("--programs", type=int, default=2000, help="of names and whole numbers")
    parser.add_argument("--mixed", type=int, default=500, help="with other values, without clingo")
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=[way for way in WAYS if there(way)])
    given = parser.parse_args()
    found = measured(given)
    measure.keep(found, given.results)
    wrong = found["plain"]["wrong"] + found["mixed"]["wrong"]
    print(*wrong[:20], sep="\n", file=sys.stderr)
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
