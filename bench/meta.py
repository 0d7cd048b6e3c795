"""A start learned over other intents, against the pretrained start: labels and steps to learn Banking77.

    python bench/meta.py DATA [--shots 1 2 4 8] [--epochs 0 2 10] [--seeds 5] [--work DIR] [--results DIR] [--limit N]

Starts: the model as it came (`none`); trained over customers' intents, kinds of questions and intents of travellers by
episodes (`episodes`: prototypical networks), or by pairs in 65 rounds of Reptile (`reptile`), five steps each; both by
bench/recipes/meta.yaml. None of their texts or labels is Banking77's. Each start then learns Banking77 from so many
rows of each label, for so many epochs (0: prototypes of the vectors as they are), on the same rows, by the head
`prototypes`; with one row of each label there are no pairs, so that epochs change nothing. Told: accuracy on the whole
test file, mean over seeds, and the paired difference to the start as it came.
``--limit``: rows of the test file. One JSON: ``meta.json``.
"""

from __future__ import annotations

import sys
from statistics import fmean
from typing import Any

import measure
import pretraining
import run

HEAD = 'tasks.it.head={"name": "prototypes"}'


def starts(place: Any, given: Any) -> tuple[dict[str, str], dict[str, Any]]:
    """The starts by name, and what training them told."""
    found, told = {"none": "minilm"}, {}
    pairs = [f'tasks.{task}.head={{"name": "prototypes"}}' for task in ("support", "questions", "travel")]
    ways = {"episodes": [], "reptile": [*pairs, 'train.reptile={"steps": 5, "share": 0.5}', "train.max_steps=65"]}
    for name, own in ways.items():
        work = given.work / "meta" / name
        told[name] = run.run("meta", place, work, own)
        found[name] = str(work / "runs" / "meta")
    return found, told


def learned(place: Any, test: Any, model: str, shots: int, epochs: int, seed: int, given: Any) -> float:
    """Accuracy on Banking77 from one start."""
    own = [f"model={model}", f"tasks.it.data.train={place / 'banking77' / 'train.jsonl'}", f"train.seed={seed}", HEAD]
    own += [f"tasks.it.data.test={test}", f"tasks.it.data.shots={shots}"]
    own += ["method=probe"] if not epochs else [f"train.epochs={epochs}"]
    found = run.run_once("few-labels", place, given.work / "few", own)
    return float(found["metrics"]["it"]["test"]["accuracy"]["value"])


def main() -> None:
    """Measure each start with each number of rows and of epochs."""
    parser = measure.options(__doc__ or "")
    parser.add_argument("--shots", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--epochs", type=int, nargs="+", default=[0, 2, 10])
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    place = run.prepared(given.data, given.work)
    test = pretraining.fewer(place, "banking77", given)
    models, told = starts(place, given)
    rows = []
    for shots in given.shots:
        for epochs in given.epochs:
            scores: dict[str, list[float]] = {start: [] for start in models}
            for seed in range(given.seeds):
                for start, model in models.items():
                    scores[start].append(learned(place, test, model, shots, epochs, seed, given))
            row: dict[str, Any] = {"shots": shots, "epochs": epochs, "accuracy": scores, "difference": {}}
            for start in (start for start in models if start != "none"):
                row["difference"][start] = measure.paired(scores[start], scores["none"])
            rows.append(row)
            print(shots, epochs, {start: round(fmean(own), 3) for start, own in scores.items()}, file=sys.stderr)
    measure.keep(
        {
            "name": "meta",
            "command": f"python bench/meta.py DATA --shots {' '.join(map(str, given.shots))} "
            f"--epochs {' '.join(map(str, given.epochs))} --seeds {given.seeds}"
            + ("" if given.limit is None else f" --limit {given.limit}"),
            "what": "accuracy on Banking77 from few rows and few steps, from starts learned over other intents",
            "rows": rows,
            "starts": {name: {"seconds": each["seconds"], "steps": each["steps"]} for name, each in told.items()},
            **measure.facts([test]),
        },
        given.results,
    )


if __name__ == "__main__":
    main()
