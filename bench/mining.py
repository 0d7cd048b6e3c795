"""Mined rules: what mining costs, how many of the hundred surest new facts are true, and rules as a link predictor.

    python bench/mining.py DATA [--sets umls kinships ...] [--most-valid 1000] [--results DIR] [--limit N]

Rules are mined on train. Each setting below is tried on valid (of many triples every n-th): the one with the best MRR,
and its way of weighing rules, is taken, and only that is judged on test. Told are

- ``mining``: rules, wall seconds and peak memory of a process that reads train and mines;
- ``top_100``: precision of the hundred best hypotheses, ``test`` (valid's are left out of the list, test's are true)
  and ``valid_and_test`` (both are true), in the way that is best on valid: the confidence that rules weigh, how rules
  that give the same are joined, and whether pairs that train joins already are left out. (FB15k-237 was made so that no
  pair of valid or test is joined in train, and the surest rules speak of just such pairs.) ``links-<name>.json`` has
  the same of vectors;
- ``links``: filtered MRR and hits at 1, 3, 10 on both sides, with 95 % bootstrap intervals. Ranks are realistic: the
  mean of the best and the worst place among equals, and all that no rule gives is equal.

``--limit``: triples of test. One JSON a set: ``mining-<name>.json``.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import graphs
import measure
import numpy as np
from numpy.typing import NDArray

from sibu.logic.mining.apply import Applied, Measure, Score
from sibu.logic.mining.columns import NONE, Relations
from sibu.logic.mining.search import Mined, mine

LOOSE: dict[str, Any] = {"support": 2, "head_coverage": 0.0, "confidence": 0.05}
SETTINGS: dict[str, list[dict[str, Any]]] = {
    "nations": [LOOSE | {"support": 10, "confidence": 0.3}, LOOSE | {"support": 20, "confidence": 0.3}],
    "umls": [LOOSE, LOOSE | {"confidence": 0.2}, LOOSE | {"longest": 4, "support": 20, "confidence": 0.5}],
    "kinships": [
        LOOSE,
        LOOSE | {"support": 5, "confidence": 0.1},
        LOOSE | {"constants": True, "support": 10},
        LOOSE | {"constants": True, "support": 5, "confidence": 0.1},
    ],
    "wn18rr": [
        LOOSE | {"confidence": 0.005, "longest": 4},
        LOOSE | {"confidence": 0.005, "longest": 4, "constants": True, "support": 5},
        LOOSE | {"confidence": 0.005, "longest": 4, "constants": True},
    ],
    "fb15k237": [
        LOOSE | {"support": 20, "confidence": 0.02},
        LOOSE | {"support": 20, "head_coverage": 0.001, "confidence": 0.02, "constants": True},
    ],
}
"""What is tried on valid."""
MEASURES: tuple[Measure, ...] = ("standard", "pca")
SCORES: tuple[Score, ...] = ("max", "or")
SIDES = ("subject", "object")


def ranks(applied: Applied, own: graphs.Set, asked: graphs.Triples) -> dict[Score, NDArray[np.float64]]:
    """Ranks of the objects, then of the subjects of some triples, by way of joining rules."""
    found: dict[Score, list[float]] = {score: [] for score in SCORES}
    for side, name in enumerate(SIDES):
        for relation in np.unique(asked[:, 1]).tolist():
            queries = asked[asked[:, 1] == relation]
            given = answers(applied, own, relation, name, queries[:, 2 * side])
            for thing, wanted in queries[:, [2 * side, 2 - 2 * side]].tolist():
                others = own.others(side, relation, thing)
                for score, rank in _ranks(given.get(thing), wanted, others, len(own.things)).items():
                    found[score].append(rank)
    return {score: np.array(each) for score, each in found.items()}


Answers = tuple[NDArray[np.int64], dict[Score, tuple[NDArray[np.float64], NDArray[np.float64]]]]
"""Things, sorted, and what each is ranked by."""


def answers(
    applied: Applied, own: graphs.Set, relation: int, side: str, things: NDArray[np.int64]
) -> dict[int, Answers]:
    """What rules give for some things on a side."""
    ids = applied.relations.ids
    found: dict[int, Answers] = {}
    places = np.flatnonzero(np.isin(ids, things))
    for part in applied.conclusions(own.relations[relation], side, places):  # type: ignore[arg-type]
        keys, others = (part.subjects, part.objects) if side == "subject" else (part.objects, part.subjects)
        starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]]) if len(keys) else NONE
        by = {score: part.ranked(score) for score in SCORES}
        for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(keys)], strict=False):
            own_by = {score: (first[start:end], second[start:end]) for score, (first, second) in by.items()}
            found[int(ids[keys[start]])] = ids[others[start:end]], own_by
    return found


def _ranks(given: Answers | None, wanted: int, known: NDArray[np.int64], count: int) -> dict[Score, float]:
    """Rank of a thing among all that are not known to be true as well."""
    left = count - len(known) + 1
    if given is None:
        return dict.fromkeys(SCORES, (1 + left) / 2)
    things, by = given
    rivals = ~np.isin(things, known)
    place = int(np.searchsorted(things, wanted))
    if place == len(things) or things[place] != wanted:
        before = int(rivals.sum())
        return dict.fromkeys(SCORES, before + (1 + left - before) / 2)
    found: dict[Score, float] = {}
    for score, (first, second) in by.items():
        equal = first == first[place]
        better = (first > first[place]) | (equal & (second > second[place]))
        ties = equal & (second == second[place])
        found[score] = 1 + int((better & rivals).sum()) + int((ties & rivals).sum()) / 2
    return found


def tried(own: graphs.Set, asked: graphs.Triples, settings: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """MRR on some of valid by setting and way of weighing; with the rules, best first."""
    found = []
    train = own.graph("train")
    relations = Relations(train, own.things)
    for setting in settings:
        began = time.perf_counter()
        rules = mine(train, terms=own.things, **setting)
        seconds = round(time.perf_counter() - began, 1)
        for kind in MEASURES:
            applied = Applied(rules, relations, own.things, measure=kind)
            for score, each in ranks(applied, own, asked).items():
                mrr = round(float((1 / each).mean()), 4)
                print(own.name, setting, kind, score, len(rules), "rules", seconds, "s", mrr, file=sys.stderr)
                told = {"setting": setting, "measure": kind, "score": score, "rules": len(rules), "valid_mrr": mrr}
                found.append({**told, "mined": rules})
    return sorted(found, key=lambda each: -each["valid_mrr"])


def top(own: graphs.Set, mined: Sequence[Mined]) -> dict[str, Any]:
    """Precision of the hundred best new facts, in the way that is best on valid."""
    joined, valid = graphs.linked(own.triples["train"]), own.pairs("valid")
    tried = []
    for kind in MEASURES:
        for score, best in suggested(own, mined, kind).items():
            every = list(map(tuple, best.tolist()))
            for unlinked in (False, True):
                pairs = joined if unlinked else set()
                first, later = (graphs.first(each, pairs) for each in (every, (t for t in every if t not in valid)))
                told = {"measure": kind, "score": score, "unlinked": unlinked}
                told |= {"valid": precision(own, first, "valid"), "test": precision(own, later, "test")}
                tried.append(told | {"valid_and_test": precision(own, first, "valid", "test")})
    best = max(tried, key=lambda each: each["valid"]["precision"])
    left = ("measure", "score", "unlinked")
    return best | {
        "tried": [{key: each[key] for key in left} | {"valid": each["valid"]["precision"]} for each in tried]
    }


def precision(own: graphs.Set, told: Sequence[tuple[int, int, int]], *true: str) -> dict[str, Any]:
    """Precision of some triples, and how many there are."""
    return {"precision": graphs.precision(told, own.pairs(*true)), "of": len(told)}


def suggested(own: graphs.Set, mined: Sequence[Mined], measure: Measure) -> dict[Score, NDArray[np.int64]]:
    """The best triples beyond train, by way of joining rules; the best first, as ``hypotheses`` has them."""
    applied = Applied(mined, Relations(own.graph("train"), own.things), own.things, measure=measure)
    ids, known = applied.relations.ids, np.sort(_keys(own, own.triples["train"]))
    found = {score: (np.zeros((0, 3), np.int64), np.zeros((2, 0))) for score in SCORES}
    for number, relation in enumerate(own.relations):
        for part in applied.conclusions(relation):
            triples = np.stack([ids[part.subjects], np.full(len(part.subjects), number), ids[part.objects]], 1)
            new = ~np.isin(_keys(own, triples), known)
            for score, (before, ranked) in found.items():
                every = np.concatenate([before, triples[new]])
                by = np.concatenate([ranked, np.stack(part.ranked(score))[:, new]], 1)
                order = np.lexsort((*every.T[[2, 0, 1]], -by[1], -by[0]))[: graphs.AHEAD]
                found[score] = every[order], by[:, order]
    return {score: triples for score, (triples, _) in found.items()}


def _keys(own: graphs.Set, triples: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each triple as one number."""
    subjects, relations, objects = triples.T
    found: NDArray[np.int64] = (subjects * len(own.relations) + relations) * len(own.things) + objects
    return found


def judged(own: graphs.Set, best: dict[str, Any], limit: int | None) -> dict[str, Any]:
    """Scores on test."""
    from sibu.metrics.bootstrap import bootstrap

    relations = Relations(own.graph("train"), own.things)
    applied = Applied(best["mined"], relations, own.things, measure=best["measure"])
    began = time.perf_counter()
    found = ranks(applied, own, own.triples["test"][:limit])[best["score"]]
    seconds = time.perf_counter() - began
    scores = {name: score.as_json() for name, score in bootstrap(graphs.Ranks(found)).items()}
    return {**scores, "seconds": round(seconds, 1)}


def measured(name: str, given: Any) -> dict[str, Any]:
    """All of one set."""
    own = graphs.read(given.data, name)
    valid = own.triples["valid"]
    asked = valid[:: -(-len(valid) // given.most_valid)]
    choices = tried(own, asked, SETTINGS[name])
    best = choices[0]
    words = ("--alone", json.dumps(best["setting"]), "--sets", name)
    _, _, told = measure.child(measure.again(__file__, str(given.data), *words))
    return {
        "name": f"mining-{name}",
        "command": f"python bench/mining.py DATA --sets {name}",
        "what": "rules mined on train: cost, the hundred surest new facts, and link prediction",
        **({} if given.limit is None else {"limit": given.limit}),
        "chosen": {key: each for key, each in best.items() if key != "mined"},
        "tried": [{key: each for key, each in choice.items() if key != "mined"} for choice in choices],
        "valid_triples_asked": len(asked),
        "mining": json.loads(told),
        "top_100": top(own, best["mined"]),
        "links": judged(own, best, given.limit),
        **measure.facts(own.files),
    }


def alone(name: str, given: Any) -> None:
    """Read train and mine, and say what that took."""
    own = graphs.read(given.data, name)
    graph = own.graph("train")
    before = peak()
    began, worked = time.perf_counter(), time.process_time()
    rules: Sequence[Mined] = mine(graph, terms=own.things, **json.loads(given.alone))
    seconds = {"wall_seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - worked}
    told = {name: round(each, 2) for name, each in seconds.items()}
    print(json.dumps({"rules": len(rules), **told, "memory_before_bytes": before, "peak_memory_bytes": peak()}))


def peak() -> int:
    """Most bytes of memory that this process has held.

    Where the system tells it, since the program was started: what ``getrusage`` tells a child begins with its parent's.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> None:
    """Measure each set."""
    parser = measure.options(__doc__ or "")
    parser.add_argument("--sets", nargs="+", default=list(graphs.SETS), choices=graphs.SETS)
    parser.add_argument("--most-valid", type=int, default=1000, help="triples of valid that choices are made on")
    parser.add_argument("--alone", help="mine alone, with these options as JSON")
    given = parser.parse_args()
    for name in given.sets:
        if given.alone:
            alone(name, given)
        else:
            measure.keep(measured(name, given), given.results)


if __name__ == "__main__":
    main()
