"""Two modalities together against each alone: as they are, with one of them missing, with noise on one of them.

    python bench/fused.py DATA [--sets NAME ...] [--seeds 3] [--work DIR] [--results DIR] [--limit N]

Sets: `digits` (a spoken digit of FSDD with a written one of scikit-learn's that is the same; recordings 5 to 14 and the
first half of the pictures train, the rest test), `nlvr` (is the sentence true of the picture? dev trains, test tests),
`movielens` (the rating of a film from its title and from age, gender, occupation and region of who rates; a seeded
sample of ratings, 20,000 to train and 5,000 to test, no user or film in the columns). Each modality alone is a run of
its own with the same options. What is missing or under noise (0 dB) is told of the joined model by its own record.
One JSON a set: ``fused-<set>.json``.
"""

from __future__ import annotations

import gzip
import json
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import measure
import prepare
from modalities import digits, spoken

Rows = list[dict[str, Any]]
TRAIN, TEST = 20_000, 5_000


@dataclass(frozen=True)
class Pair:
    """A set with two modalities."""

    rows: Callable[[Path, Path], tuple[Rows, Rows]]
    modalities: dict[str, Any]
    """Each one's block, by the field."""
    train: dict[str, Any]
    fusion: str
    task: dict[str, Any]
    metric: str = "accuracy"
    model: str | None = None
    lower: bool = False
    """Whether less is better."""


def same_digits(data: Path, home: Path) -> tuple[Rows, Rows]:
    """Each recording with a written digit that is the same, drawn."""
    draw, found = random.Random(0), []
    (heard,), (seen,) = spoken(data, home), digits(data, home)
    for recordings, pictures in ((heard.train, seen.train), (heard.test, seen.test)):
        by_label: dict[str, Rows] = {}
        for row in pictures:
            by_label.setdefault(row["label"], []).append(row)
        found.append([row | {"image": draw.choice(by_label[row["label"]])["image"]} for row in recordings])
    return found[0], found[1]


def statements(data: Path, home: Path) -> tuple[Rows, Rows]:  # noqa: ARG001
    """Sentences with their pictures."""
    parts = []
    for split in ("dev", "test"):
        rows = []
        for line in prepare.lines_of(data / "mm_nlvr_en" / f"{split}.json"):
            each = json.loads(line)
            file = data / "mm_nlvr_en" / split / f"{split}-{each['identifier']}-0.png"
            rows.append({"text": each["sentence"], "image": str(file.resolve()), "label": each["label"]})
        parts.append(rows)
    return parts[0], parts[1]


def ratings(data: Path, home: Path) -> tuple[Rows, Rows]:  # noqa: ARG001
    """Ratings with the title of the film and what is known of who rates."""
    place = data / "rec_ml100k"
    users = {row["user_id"]: row for row in _atomic(place / "ml-100k.user")}
    items = {row["item_id"]: row for row in _atomic(place / "ml-100k.item")}
    found = list(_atomic(place / "ml-100k.inter"))
    random.Random(0).shuffle(found)
    rows = []
    for each in found[: TRAIN + TEST]:
        user, item = users[each["user_id"]], items[each["item_id"]]
        row: dict[str, Any] = {"text": item["movie_title"], "number": float(each["rating"])}
        row |= {"age": float(user["age"]), "gender": user["gender"], "occupation": user["occupation"]}
        rows.append(row | {"region": user["zip_code"][:1]})
    return rows[:TRAIN], rows[TRAIN:]


def _atomic(file: Path) -> list[dict[str, str]]:
    """Lines divided by tabs below names with their types, as RecBole keeps them."""
    packed = file.with_name(file.name + ".gz")
    text = gzip.decompress(packed.read_bytes()).decode() if packed.exists() else file.read_text(encoding="utf-8")
    first, *lines = text.splitlines()
    names = [name.split(":")[0] for name in first.split("\t")]
    return [dict(zip(names, line.split("\t"), strict=True)) for line in lines if line.strip()]


PAIRS = {
    "digits": Pair(
        same_digits,
        {"audio": {"name": "audio"}, "image": {"name": "image", "size": 8, "shift": 0.13}},
        {"epochs": 30, "modality_dropout": 0.3, "modality_noise": 0.2},
        "gated",
        {"type": "classify"},
    ),
    "nlvr": Pair(
        statements,
        {"text": {"name": "text"}, "image": {"name": "image", "size": [50, 200]}},
        {"epochs": 15, "modality_noise": 0.1},
        "cross_attention",
        {"type": "classify"},
        model="minilm",
    ),
    "movielens": Pair(
        ratings,
        {"text": {"name": "text"}, "table": {"name": "table", "columns": ["age", "gender", "occupation", "region"]}},
        {"epochs": 3, "modality_noise": 0.1},
        "concat",
        {"type": "regress"},
        metric="mse",
        model="minilm",
        lower=True,
    ),
}


def measured(name: str, options: Any) -> dict[str, Any]:
    """The joined model and each alone, by seed."""
    pair, home = PAIRS[name], options.work / "fused" / name
    home.mkdir(parents=True, exist_ok=True)
    for split, rows in zip(("train", "test"), pair.rows(options.data, home), strict=True):
        prepare.write(home / f"{split}.jsonl", rows[:: max(len(rows) // options.limit, 1)] if options.limit else rows)
    fields = list(pair.modalities)
    asked = {"joined": fields, **{field: [field] for field in fields}}
    runs: dict[str, list[dict[str, Any]]] = {kind: [] for kind in asked}
    for seed in range(options.seeds):
        for kind, kept in asked.items():
            runs[kind].append(trained(pair, home, kept, seed))
    scores = {kind: [each["score"] for each in own] for kind, own in runs.items()}
    record = [each["modalities"] for each in runs["joined"]]
    return {
        "name": f"fused-{name}",
        "metric": pair.metric,
        "lower_is_better": pair.lower,
        "fusion": pair.fusion,
        "modalities": pair.modalities,
        "train": pair.train,
        "seeds": options.seeds,
        "scores": scores,
        "means": {kind: fmean(own) for kind, own in scores.items()},
        "only": {field: fmean(_subset(each, field, pair.metric) for each in record) for field in fields},
        "noise_on": {field: fmean(_noise(each, field, pair.metric) for each in record) for field in fields},
        "shares": {field: fmean(each["shares"][field] for each in record) for field in fields},
        "training_seconds": {kind: measure.spread([each["seconds"] for each in own], 1) for kind, own in runs.items()},
        "peak_memory_bytes": {kind: max(each["memory"] for each in own) for kind, own in runs.items()},
        **({"limit": options.limit} if options.limit else {}),
        **measure.facts(sorted(home.glob("*.jsonl"))),
    }


def _subset(found: dict[str, Any], field: str, metric: str) -> float:
    return next(each["scores"][metric] for each in found["subsets"] if each["of"] == [field])


def _noise(found: dict[str, Any], field: str, metric: str) -> float:
    return next(each["scores"][metric] for each in found["noise"] if each["noise"] == field)


def trained(pair: Pair, home: Path, kept: list[str], seed: int) -> dict[str, Any]:
    """One run: its score on test, and what its record says of the modalities."""
    data = {split: f"{split}.jsonl" for split in ("train", "test")}
    recipe: dict[str, Any] = {
        "name": "fused",
        "modalities": [pair.modalities[field] for field in kept],
        "tasks": {"one": pair.task | {"data": data}},
        "train": pair.train | {"seed": 13 + seed},
    }
    if len(kept) > 1:
        recipe["fusion"] = pair.fusion
    if pair.model is not None and "text" in kept:
        recipe["model"] = pair.model
    found = measure.trained(recipe, home)
    return {
        "score": found["metrics"]["one"]["test"][pair.metric]["value"],
        "modalities": found["record"].get("modalities", {}).get("one", {}).get("test"),
        "seconds": found["record"]["seconds"]["training"],
        "memory": found["record"]["peak_memory_bytes"],
    }


def main() -> None:
    """See the module's docstring."""
    parser = measure.options(__doc__ or "")
    parser.add_argument("--sets", nargs="+", choices=list(PAIRS), default=list(PAIRS))
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    for name in options.sets:
        found = measured(name, options)
        print(name, found["means"], found["only"], found["noise_on"], file=sys.stderr)
        measure.keep(found, options.results)


if __name__ == "__main__":
    main()
