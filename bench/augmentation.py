"""What each way of changing rows gains or costs, with few rows of each label.

    python bench/augmentation.py DATA [--sets sst2 trec conll2003] [--shots 8 64] [--seeds 10 3] [--copies 1]
                                      [--work DIR] [--results DIR] [--limit N]

Classification learns by bench/recipes/few-labels.yaml, tags by few-tags.yaml; seed by seed the same rows are drawn
without and with copies, one copy of each row made by the one operator. Copies make the epochs of classification longer:
`longer` is none of them, but epochs that take as many steps, so that what a copy gains can be told from what a step
does (of tags, few rows take some 200 steps with them and without). `mixup` needs the head `linear`, and is compared
with that head without it. `masked` takes the encoder that bench/pretraining.py trained on the set's own texts, and is
left out where there is none; `synonyms` needs WordNet's files, and is left out without; `back_translation` needs two
translation models, of which none is packaged. What is left out is said. ``--seeds``: one number, or one for each of
``--shots``: draws of eight rows differ more than draws of 64, and cost less. Told: the mean of the main metric, and the
paired difference to no copies with its interval over seeds (Student's t). ``--limit``: rows of the test file. One JSON
a set: ``augmentation-<set>.json``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import fmean
from typing import Any

import measure
import pretraining
import run

WORDNET = Path("/usr/share/wordnet")
CLASSES = ("swap", "delete", "spelling", "keyboard", "synonyms", "neighbours", "masked", "mixup")
TAGS = ("entities", "swap", "delete", "spelling", "keyboard", "synonyms", "neighbours")
EPOCHS = 10
"""Of few-labels.yaml."""


def ways(name: str, given: Any) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Overrides of each operator, and why some are left out."""
    found = {} if name == "conll2003" else {"longer": [f"train.epochs={EPOCHS * (1 + given.copies)}"]}
    without = {"back_translation": "no translation model is packaged"}
    for operator in TAGS if name == "conll2003" else CLASSES:
        augment: Any = operator
        if operator == "mixup":
            found["linear"] = ["tasks.it.head=linear"]
            found["mixup"] = ["tasks.it.head=linear", "tasks.it.mixup=0.4"]
            continue
        if operator == "synonyms" and not WORDNET.is_dir():
            without[operator] = "WordNet's files are not here"
            continue
        if operator == "masked":
            model = given.work / "pretraining" / f"{name}-mask" / "runs" / "pretraining"
            if not (model / "bundle.json").is_file():
                without[operator] = "bench/pretraining.py has trained no model of the set's texts"
                continue
            augment = {"name": "masked", "model": str(model)}
        found[operator] = [f"tasks.it.data.augment={json.dumps(augment)}", f"tasks.it.data.copies={given.copies}"]
    return found, without


def scores(name: str, place: Path, shots: int, seeds: int, own: list[str], given: Any) -> list[float]:
    """The main metric on test, by seed."""
    recipe, metric = ("few-tags", "f1") if name == "conll2003" else ("few-labels", "accuracy")
    words = [f"tasks.it.data.shots={shots}", f"repeats={seeds}", *own]
    if recipe == "few-labels":
        test = pretraining.fewer(place, name, given)
        words += [f"tasks.it.data.train={place / name / 'train.jsonl'}", f"tasks.it.data.test={test}"]
    return measure.by_seed(run.run_once(recipe, place, given.work / "augmentation", words), "it", metric)


def measured(name: str, place: Path, given: Any) -> dict[str, Any]:
    """One set."""
    own, without = ways(name, given)
    drawn = dict(zip(given.shots, given.seeds, strict=True))
    rows = []
    for shots, seeds in drawn.items():
        found = {"none": scores(name, place, shots, seeds, [], given)}
        for operator, words in own.items():
            found[operator] = scores(name, place, shots, seeds, words, given)
            beside = found["linear" if operator == "mixup" else "none"]
            gap = measure.paired(found[operator], beside)
            print(name, shots, operator, f"{fmean(found[operator]):.3f}", gap, file=sys.stderr)
            rows.append(
                {
                    "shots": shots,
                    "operator": operator,
                    "by_seed": found[operator],
                    "mean": fmean(found[operator]),
                    "without": fmean(beside),
                    "difference": gap,
                }
            )
    files = sorted((place / name).glob("t*.*"))
    return {
        "name": f"augmentation-{name}",
        "command": f"python bench/augmentation.py DATA --sets {name}",
        "what": "the main metric with one changed copy of each row by an operator, less that without copies",
        "seeds": drawn,
        "copies": given.copies,
        "rows": [row for row in rows if row["operator"] != "linear"],
        "linear": {row["shots"]: row for row in rows if row["operator"] == "linear"},
        "left_out": without,
        **({} if given.limit is None else {"limit": given.limit}),
        **measure.facts([file for file in files if file.stem in ("train", "test")]),
    }


def main() -> None:
    """Measure each set."""
    parser = measure.options(__doc__ or "")
    parser.add_argument("--sets", nargs="+", default=["sst2", "trec", "conll2003"])
    parser.add_argument("--shots", type=int, nargs="+", default=[8, 64])
    parser.add_argument("--seeds", type=int, nargs="+", default=[10, 3])
    parser.add_argument("--copies", type=int, default=1)
    given = parser.parse_args()
    if len(given.seeds) == 1:
        given.seeds *= len(given.shots)
    if len(given.seeds) != len(given.shots):
        parser.error("--seeds: give one number, or one for each of --shots")
    place = run.prepared(given.data, given.work)
    for name in given.sets:
        measure.keep(measured(name, place, given), given.results)


if __name__ == "__main__":
    main()
