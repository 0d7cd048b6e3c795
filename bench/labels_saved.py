"""How many labels are saved by choosing what to label, and by texts without labels.

    python bench/labels_saved.py DATA [--ways choose teach] [--sets banking77 conll2003] [--seeds 3]
                                      [--work DIR] [--results DIR] [--limit N]

`choose`: `sibu label --simulate` over a training file whose labels are hidden, round by round, by each picker and at
random (Banking77 by bench/recipes/few-labels.yaml with the encoder as it is, which takes seconds a training where the
whole model takes minutes; CoNLL-2003 by few-tags.yaml). `teach`: self-training from few rows
of each label and the other texts (``TEXTS`` of them, drawn), beside the same rows alone and beside more rows. Saved
labels: how many random ones it takes to be as good, read off the line through the means of the random curve, less
those that were used. ``--limit``: rows of the test file. One JSON each: ``choose-<set>.json``, ``teach-<set>.json``.
"""

from __future__ import annotations

import json
import random
import sys
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

import measure
import plain
import prepare
import pretraining
import run

SETS: dict[str, dict[str, Any]] = {
    "banking77": {"recipe": "few-labels", "metric": "accuracy", "start": 154, "count": 154, "rounds": 5},
    "conll2003": {"recipe": "few-tags", "metric": "f1", "start": 200, "count": 200, "rounds": 5},
}
OWN: dict[str, list[str]] = {"banking77": ["method=probe"], "conll2003": []}
PICKERS = {"banking77": ("random", "margin", "combined"), "conll2003": ("random", "margin", "uncertainty")}
SHOTS = {"banking77": (2, 4, 8, 12, 16), "conll2003": (8, 16, 32, 64, 128)}
TAUGHT = {"banking77": (4, 8), "conll2003": (16, 32)}
TEXTS = 2000
TEACHING = {
    "banking77": ["self_training.threshold=0.3", "self_training.balance=false"],
    "conll2003": ["self_training.threshold=0.9"],
}
"""Of Banking77 chosen on parts of its training file (docs/log.md): 77 labels leave little for the likeliest, and one
that is seldom sure would hold all others down."""


def needed(line: list[tuple[float, float]], score: float) -> float | None:
    """Labels at which a rising line of (labels, score) first has a score; None: nowhere."""
    if line[0][1] >= score:
        return line[0][0]
    for (fewer, low), (more, high) in pairwise(line):
        if low < score <= high:
            return fewer + (more - fewer) * (score - low) / (high - low)
    return None


def files(name: str, place: Path, given: Any) -> tuple[Path, Path]:
    """Training and test file."""
    ending = "conll" if name == "conll2003" else "jsonl"
    train, test = (place / name / f"{split}.{ending}" for split in ("train", "test"))
    if given.limit is None or ending == "conll":
        return train, test
    return train, pretraining.fewer(place, name, given)


def simulated(words: list[str], out: Path) -> dict[str, Any]:
    """The curves of `sibu label --simulate`."""
    measure.child(measure.sibu(*words))
    curves: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))["curves"]
    return curves


def choose(name: str, place: Path, given: Any) -> dict[str, Any]:
    """Curves of the pickers."""
    about = SETS[name]
    train, test = files(name, place, given)
    recipe = place / f"{about['recipe']}.yaml"
    recipe.write_text((run.HERE / "recipes" / recipe.name).read_text(encoding="utf-8"), encoding="utf-8")
    runs = []
    for seed in range(1, given.seeds + 1):
        home = given.work / "choose"
        home.mkdir(parents=True, exist_ok=True)
        out = home / f"{name}-{seed}.json"
        words = ["label", str(recipe), "--simulate", "--output", str(out)]
        words += [word for picker in PICKERS[name] for word in ("--by", picker)]
        for key in ("start", "count", "rounds"):
            words += [f"--{key}", str(about[key])]
        data = [f"tasks.it.data.train={train}", f"tasks.it.data.test={test}", "tasks.it.data.shots=null"]
        words += [*data, *OWN[name], f"train.seed={seed}"]
        asked = [recipe.read_text(encoding="utf-8"), words, run.contents(data)]
        runs.append(run.once(given.work, asked, partial(simulated, words, out)))
    curves: dict[str, list[dict[str, Any]]] = {}
    for picker in PICKERS[name]:
        points = zip(*(each[picker] for each in runs), strict=True)
        curves[picker] = [
            {"labels": point[0]["labels"], "by_seed": [each["scores"][about["metric"]] for each in point]}
            for point in points
        ]
    by_chance = [(point["labels"], fmean(point["by_seed"])) for point in curves["random"]]
    most, best = by_chance[-1]
    saved = {}
    for picker in (each for each in PICKERS[name] if each != "random"):
        used = needed([(point["labels"], fmean(point["by_seed"])) for point in curves[picker]], best)
        gap = measure.paired(curves[picker][-1]["by_seed"], curves["random"][-1]["by_seed"])
        saved[picker] = {
            "random": most,
            "used": used,
            "saved": None if used is None else most - used,
            "at_the_end": gap,
        }
        print(name, picker, saved[picker], file=sys.stderr)
    return {
        "name": f"choose-{name}",
        "command": f"python bench/labels_saved.py DATA --ways choose --sets {name} --seeds {given.seeds}",
        "what": "the score on test by the number of labels, chosen by a picker or at random; labels to equal quality",
        "metric": about["metric"],
        "curves": curves,
        "saved": saved,
        **measure.facts([train, test]),
    }


def texts_of(name: str, train: Path, home: Path) -> Path:
    """Texts of the training file, without labels; those that are drawn as labelled rows are left out by the run."""
    file = home / f"{name}.texts.jsonl"
    if name == "conll2003":
        sentences = [
            {"tokens": [line.split()[0] for line in block.split("\n") if line]}
            for block in train.read_text(encoding="utf-8").split("\n\n")
            if block.strip() and not block.startswith("-DOCSTART-")
        ]
    else:
        sentences = [{"text": row["text"]} for row in plain.rows_of(train, None)]
    prepare.write(file, random.Random(13).sample(sentences, TEXTS))
    return file


def teach(name: str, place: Path, given: Any) -> dict[str, Any]:
    """Self-training beside labels alone."""
    about = SETS[name]
    train, test = files(name, place, given)
    home = given.work / "teach"
    texts = texts_of(name, train, home)
    data = [f"tasks.it.data.train={train}", f"tasks.it.data.test={test}", f"repeats={given.seeds}", *OWN[name]]
    own = [f"tasks.it.data.unlabelled={texts}", *TEACHING[name], "self_training.rounds=1"]
    alone, taught = [], []
    for shots in SHOTS[name]:
        found = run.run_once(about["recipe"], place, home, [*data, f"tasks.it.data.shots={shots}"])
        alone.append(
            {
                "shots": shots,
                "rows": found["rows"]["it"]["train"],
                "by_seed": measure.by_seed(found, "it", about["metric"]),
            }
        )
        print(name, "alone", alone[-1], file=sys.stderr)
    line = [(each["rows"], fmean(each["by_seed"])) for each in alone]
    for shots in TAUGHT[name]:
        found = run.run_once(about["recipe"], place, home, [*data, *own, f"tasks.it.data.shots={shots}"])
        scores = measure.by_seed(found, "it", about["metric"])
        (beside,) = (each for each in alone if each["shots"] == shots)
        worth = needed(line, fmean(scores))
        gap = measure.paired(scores, beside["by_seed"])
        taught.append(
            {"shots": shots, "rows": beside["rows"], "by_seed": scores, "difference": gap, "worth": worth,
             "saved": None if worth is None else worth - beside["rows"]}
        )  # fmt: skip
        print(name, "taught", taught[-1], file=sys.stderr)
    return {
        "name": f"teach-{name}",
        "command": f"python bench/labels_saved.py DATA --ways teach --sets {name} --seeds {given.seeds}",
        "what": "the score on test from few labels, alone and with texts that the model labels itself, and its worth",
        "metric": about["metric"],
        "texts": TEXTS,
        "options": TEACHING[name],
        "alone": alone,
        "taught": taught,
        **measure.facts([train, test]),
    }


def main() -> None:
    """Measure each way on each set."""
    parser = measure.options(__doc__ or "")
    parser.add_argument("--ways", nargs="+", default=["choose", "teach"], choices=["choose", "teach"])
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    place = run.prepared(given.data, given.work)
    for name in given.sets:
        for way in given.ways:
            measure.keep({"choose": choose, "teach": teach}[way](name, place, given), given.results)


if __name__ == "__main__":
    main()
