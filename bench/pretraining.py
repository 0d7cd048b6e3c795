"""Going on with pretraining on a domain's texts, then 100 labels: what it gains over the model as it came.

    python bench/pretraining.py DATA [--sets sst2 trec] [--objectives mask contrast denoise] [--seeds 10] [--labels 100]
                                     [--work DIR] [--results DIR] [--limit N]

The texts are those of a set's training file, without labels. Each objective goes on from MiniLM once, by
bench/recipes/pretraining.yaml; then for each seed as many rows of each label as make up ``--labels`` are drawn, and
bench/recipes/few-labels.yaml learns from them, from each bundle and from the model as it came, on the same rows.
Told: accuracy on the whole test file by seed, and the paired difference to the model as it came with its interval over
seeds (Student's t). ``--limit``: rows of the test file. One JSON a set: ``pretraining-<set>.json``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import measure
import plain
import prepare
import run

OBJECTIVES = ("mask", "contrast", "denoise")


def fewer(place: Path, name: str, given: Any) -> Path:
    """The test file, or its first rows."""
    test = place / name / "test.jsonl"
    if given.limit is None:
        return test
    short = given.work / f"{name}.first-{given.limit}.jsonl"
    prepare.write(short, plain.rows_of(test, given.limit))
    return short


def measured(name: str, place: Path, given: Any) -> dict[str, Any]:
    """One set."""
    rows = plain.rows_of(place / name / "train.jsonl", None)
    texts = given.work / "pretraining" / f"{name}.texts.jsonl"
    prepare.write(texts, ({"text": row["text"]} for row in rows))
    shots = max(round(given.labels / len({row["label"] for row in rows})), 1)
    test = fewer(place, name, given)
    starts, trained = {"none": "minilm"}, {}
    for objective in given.objectives:
        own = [f"tasks.texts.type={objective}", f"tasks.texts.data.train={texts}"]
        work = given.work / "pretraining" / f"{name}-{objective}"
        trained[objective] = run.run("pretraining", place, work, own, how="--resume")
        starts[objective] = str(work / "runs" / "pretraining")
    scores: dict[str, list[float]] = {start: [] for start in starts}
    for seed in range(given.seeds):
        for start, model in starts.items():
            own = [f"model={model}", f"tasks.it.data.train={place / name / 'train.jsonl'}", f"train.seed={seed}"]
            own += [f"tasks.it.data.test={test}", f"tasks.it.data.shots={shots}"]
            found = run.run_once("few-labels", place, given.work / "few", own)
            scores[start].append(found["metrics"]["it"]["test"]["accuracy"]["value"])
        print(name, seed, {start: round(own[-1], 3) for start, own in scores.items()}, file=sys.stderr)
    gaps = {}
    for start in given.objectives:
        gaps[start] = measure.paired(scores[start], scores["none"])
    return {
        "name": f"pretraining-{name}",
        "command": f"python bench/pretraining.py DATA --sets {name} --labels {given.labels} --seeds {given.seeds}",
        "what": "accuracy with few labels, from bundles that went on with pretraining and from the model as it came",
        "texts": len(rows),
        "shots": shots,
        "accuracy": {start: {"mean": fmean(own), "sd": stdev(own) if len(own) > 1 else 0.0, "by_seed": own}
                     for start, own in scores.items()},
        "difference": gaps,
        "pretraining": {each: {"seconds": told["seconds"], "steps": told["steps"], "metrics": told["metrics"]}
                        for each, told in trained.items()},
        **measure.facts([texts, test]),
    }  # fmt: skip


def main() -> None:
    """Measure each set."""
    parser = measure.options(__doc__ or "")
    parser.add_argument("--sets", nargs="+", default=["sst2", "trec"])
    parser.add_argument("--objectives", nargs="+", default=list(OBJECTIVES), choices=OBJECTIVES)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--labels", type=int, default=100)
    given = parser.parse_args()
    place = run.prepared(given.data, given.work)
    for name in given.sets:
        measure.keep(measured(name, place, given), given.results)


if __name__ == "__main__":
    main()
