"""Intents and slots of ATIS with rules over labels: 5 % of the rows and all of them.

    python bench/label_rules.py DATA [--shares 0.05 1] [--seeds 3] [--sides plain kept learned both] [--least 5]
                                     [--work DIR] [--results DIR] [--limit N] [--epochs N]

The rules say which slot an intent never has: pairs that never stand together in the training part although at least
``--least`` rows would hold both if they were independent. They are mined from the *whole* training part at every share,
and stand for what somebody who knows the domain would write down: with 5 % of the rows the sides with rules know so
much of the others' labels, and no more. The test part is not looked at.

The sides, in turn, on the same rows, by bench/recipes/atis-rules.yaml (at 5 % 60 epochs): `plain`; `kept`: rules when
predicting alone (`weight: 0`); `learned`: the penalty alone (`enforce: false`); `both`. Told by seed, with means and
the gain over `plain` with its interval (paired, Student's t; of one seed none): accuracy of intents, F1 of slots, share
of test rows that break a rule. ``label-rules-atis.json``.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import measure
import run

FEW_EPOCHS = 60
SIDES = {"plain": None, "kept": (0.0, True), "learned": (0.5, False), "both": (0.5, True)}
METRICS = ("intent_accuracy", "slots_f1", "broken")


def rows_of(file: Path) -> list[dict[str, Any]]:
    """Rows of JSON Lines."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def kinds(row: dict[str, Any]) -> set[str]:
    """The slots that a row has."""
    return {tag[2:] for tag in row["tags"] if tag != "O"}


def mined(rows: list[dict[str, Any]], least: float) -> list[tuple[str, str]]:
    """Intents and slots that never stand together, and would in so many rows by chance."""
    intents = Counter(row["label"] for row in rows)
    slots = Counter(kind for row in rows for kind in kinds(row))
    there = {(row["label"], kind) for row in rows for kind in kinds(row)}
    return [
        (intent, slot)
        for intent, count in sorted(intents.items())
        for slot, other in sorted(slots.items())
        if (intent, slot) not in there and count * other / len(rows) >= least
    ]


def broken(bundle: Path, rows: list[dict[str, Any]], pairs: list[tuple[str, str]]) -> float:
    """Share of rows whose two answers break a rule."""
    import sibu

    model, refused = sibu.load(bundle), set(pairs)
    intents = model.predict([{"text": row["text"]} for row in rows], task="intent")
    slots = model.predict([{"tokens": row["tokens"]} for row in rows], task="slots")
    wrong = [
        any((intent.value, span["label"]) in refused for span in found.value)
        for intent, found in zip(intents, slots, strict=True)
    ]
    return sum(wrong) / len(wrong)


def one(side: str, share: float, seed: int, pairs: list[tuple[str, str]], given: Any) -> dict[str, Any]:
    """A run."""
    home, work = given.place / "atis", given.work / "label-rules"
    whole = {split: rows_of(home / f"{split}.jsonl") for split in ("train", "dev", "test")}
    draw, overrides = random.Random(f"{share} {seed}"), [f"train.seed={seed}"]
    work.mkdir(parents=True, exist_ok=True)
    every = [row for rows in whole.values() for row in rows]  # which labels there are belongs to the task
    labels = {"intent": sorted({row["label"] for row in every})}
    labels["slots"] = sorted({kind for row in every for kind in kinds(row)})
    for split, rows in whole.items():
        few = share < 1 and split != "test"
        rows = [rows[n] for n in sorted(draw.sample(range(len(rows)), round(share * len(rows))))] if few else rows
        file = work / f"{split}-{share:g}-{seed}.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows[: given.limit]), encoding="utf-8")
        overrides += [f"tasks.{task}.data.{split}={file}" for task in labels]
    overrides += [f"tasks.{task}.labels={json.dumps(own)}" for task, own in labels.items()]
    overrides += [f"train.epochs={FEW_EPOCHS}"] if share < 1 else []
    overrides += [f"train.epochs={given.epochs}"] if given.epochs else []
    if (how := SIDES[side]) is not None:
        rules = [f'not (intent = "{intent}" and slots has "{slot}")' for intent, slot in pairs]
        spec = {"name": "label_rules", "rules": rules, "weight": how[0], "enforce": how[1]}
        overrides += [f"knowledge.use={json.dumps(spec)}"]
    runs = given.work / "label-rules-runs"
    found = run.run("atis-rules", given.place, runs, overrides)
    test = rows_of(work / f"test-{share:g}-{seed}.jsonl")
    return {
        "intent_accuracy": found["metrics"]["intent"]["test"]["accuracy"]["value"],
        "slots_f1": found["metrics"]["slots"]["test"]["f1"]["value"],
        "broken": broken(runs / "runs" / "atis-rules", test, pairs),
        "steps": found["steps"]["done"],
        "training_seconds": found["seconds"]["training"],
    }


def main() -> None:
    """Measure what is asked for."""
    parser = measure.options(__doc__ or "")
    parser.add_argument("--shares", nargs="+", type=float, default=[0.05, 1.0])
    parser.add_argument("--epochs", type=int, help="in place of those that the program says, to try it out")
    parser.add_argument("--seeds", type=int, default=3, help="seeds where not all rows are learned from")
    parser.add_argument("--sides", nargs="+", default=list(SIDES), choices=list(SIDES))
    parser.add_argument("--least", type=float, default=5.0)
    given = parser.parse_args()
    given.sides = list(dict.fromkeys(["plain", *given.sides]))  # what all others are held against
    given.place = run.prepared(given.data, given.work)
    home = given.place / "atis"
    recipe = (run.HERE / "recipes" / "atis-rules.yaml").read_text(encoding="utf-8")
    pairs = mined(rows_of(home / "train.jsonl"), given.least)
    against = rows_of(home / "test.jsonl")
    found: dict[str, Any] = {
        "name": "label-rules-atis",
        "command": "python bench/label_rules.py DATA",
        "rules": len(pairs),
        "least": given.least,
        "shares": {},
    }
    gold = sum(any((row["label"], kind) in set(pairs) for kind in kinds(row)) for row in against)
    found["broken_by_the_right_labels_of_test"] = gold / len(against)
    for share in given.shares:
        rounds: dict[str, list[dict[str, Any]]] = {side: [] for side in given.sides}
        for seed in range(1, 1 + (given.seeds if share < 1 else 1)):
            for side in given.sides:
                asked = [recipe, side, share, seed, pairs, given.limit, given.epochs]
                rounds[side].append(run.once(given.work, asked, partial(one, side, share, seed, pairs, given)))
                print(share, seed, side, {key: round(rounds[side][-1][key], 4) for key in METRICS}, file=sys.stderr)
        by_side = {side: {metric: [each[metric] for each in own] for metric in METRICS} for side, own in rounds.items()}
        found["shares"][f"{share:g}"] = {
            "means": {side: {m: fmean(values) for m, values in own.items()} for side, own in by_side.items()},
            "gain": {
                side: {m: measure.paired(own[m], by_side["plain"][m]) for m in METRICS}
                for side, own in by_side.items()
                if side != "plain"
            },
            "rounds": rounds,
        }
        measure.keep(found | measure.facts([home / "train.jsonl", home / "test.jsonl"]), given.results)


if __name__ == "__main__":
    main()
