"""Two modalities in one space: how often partners find each other on rows that were held out.

    python bench/matching.py DATA [--sets NAME ...] [--seeds 3] [--work DIR] [--results DIR] [--limit N]

Sets: `sentences` (true sentences of NLVR with their pictures; dev trains, test tests), `digits` (a spoken digit of FSDD
with a written one that is the same; recordings 5 to 14 and the first half of the pictures train) and `words` (a spoken
digit with its English word: ten labels as words, so that recall at 1 is zero-shot accuracy). Each is trained as its
task `match` stands, and held against chance (random vectors) and, where both sides have a pretrained encoder, against a
frozen pairing: both encoders left as they are (MiniLM, EfficientNet-lite0), their projections alone trained. Values
that are equal count as one. One JSON a set: ``matching-<set>.json``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import fused
import measure
import numpy as np
import prepare
from modalities import spoken

Rows = list[dict[str, Any]]
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
METRICS = ("recall_at_1", "recall_at_5", "recall_at_10", "mrr")
DRAWS = 20


@dataclass(frozen=True)
class Pairing:
    """A set of pairs, and how it is learned."""

    rows: Callable[[Path, Path], tuple[Rows, Rows]]
    of: tuple[str, str]
    modalities: list[dict[str, Any]]
    train: dict[str, Any]
    task: dict[str, Any]
    model: str | None = None
    frozen: dict[str, Any] | None = None
    """What the recipe of the frozen pairing changes; None: a side has no pretrained encoder."""


def sentences(data: Path, home: Path) -> tuple[Rows, Rows]:
    """Sentences that are true of their pictures."""
    parts = fused.statements(data, home)
    kept = [[{"text": r["text"], "image": r["image"]} for r in rows if r["label"] == "true"] for rows in parts]
    return kept[0], kept[1]


def words(data: Path, home: Path) -> tuple[Rows, Rows]:
    """Spoken digits with their words."""
    (split,) = spoken(data, home)
    kept = [[{"audio": r["audio"], "text": WORDS[int(r["label"])]} for r in rows] for rows in (split.train, split.test)]
    return kept[0], kept[1]


def same_digits(data: Path, home: Path) -> tuple[Rows, Rows]:
    """Spoken digits with written ones."""
    train, test = fused.same_digits(data, home)
    return train, test


PAIRINGS = {
    "sentences": Pairing(
        sentences,
        ("text", "image"),
        [{"name": "text"}, {"name": "image", "size": [50, 200]}],
        {"epochs": 20, "batch_examples": 64, "batch_tokens": 16384},
        {},
        model="minilm",
        frozen={
            "modalities": [{"name": "text"}, {"name": "image", "model": "efficientnet-lite0"}],
            "method": "freeze",
            "train": {"epochs": 40, "batch_examples": 64, "batch_tokens": 65536},
        },
    ),
    "digits": Pairing(
        same_digits,
        ("audio", "image"),
        [{"name": "audio"}, {"name": "image", "size": 8, "shift": 0.13}],
        {"epochs": 30},
        {},
    ),
    "words": Pairing(
        words, ("audio", "text"), [{"name": "text"}, {"name": "audio"}], {"epochs": 20}, {}, model="minilm"
    ),
}


def recipe_of(pairing: Pairing, seed: int) -> dict[str, Any]:
    """The recipe as it is trained."""
    data = {split: f"{split}.jsonl" for split in ("train", "test")}
    recipe: dict[str, Any] = {
        "name": "matching",
        "modalities": pairing.modalities,
        "tasks": {"pairs": {"type": "match", "of": list(pairing.of), "data": data} | pairing.task},
        "train": pairing.train | {"seed": 13 + seed},
    }
    return recipe | ({} if pairing.model is None else {"model": pairing.model})


def trained(recipe: dict[str, Any], home: Path) -> dict[str, Any]:
    """What a run reports on test."""
    found = measure.trained(recipe, home)
    scores = {metric: found["metrics"]["pairs"]["test"][metric]["value"] for metric in METRICS}
    return scores | {"seconds": found["record"]["seconds"]["training"]}


def chance(rows: Rows, of: tuple[str, str]) -> dict[str, float]:
    """What random vectors score, the mean of some draws."""
    from sibu.metrics.retrieval import Recalls

    alike = [np.unique([row[name] for row in rows], return_inverse=True)[1] for name in of]
    draw = np.random.default_rng(0)
    found = []
    for _ in range(DRAWS):
        sides = []
        for codes in alike:
            vectors = draw.standard_normal((codes.max() + 1, 64))
            sides.append((vectors / np.linalg.norm(vectors, axis=1, keepdims=True))[codes])
        found.append(Recalls(*sides, *alike)(np.arange(len(rows))))
    return {metric: fmean(each[metric] for each in found) for metric in METRICS}


def measured(name: str, options: Any) -> dict[str, Any]:
    """One set: trained, frozen, chance."""
    pairing, home = PAIRINGS[name], options.work / "matching" / name
    home.mkdir(parents=True, exist_ok=True)
    parts = [rows[: options.limit] if options.limit else rows for rows in pairing.rows(options.data, home)]
    for split, rows in zip(("train", "test"), parts, strict=True):
        prepare.write(home / f"{split}.jsonl", rows)
    sides: dict[str, list[dict[str, Any]]] = {"trained": [], "frozen": []}
    for seed in range(options.seeds):
        recipe = recipe_of(pairing, seed)
        sides["trained"].append(trained(recipe, home))
        if pairing.frozen is not None:
            changed = pairing.frozen | {"train": pairing.frozen["train"] | {"seed": 13 + seed}}
            sides["frozen"].append(trained(recipe | changed, home))
    means = {
        side: {metric: fmean(each[metric] for each in own) for metric in METRICS} for side, own in sides.items() if own
    }
    return {
        "name": f"matching-{name}",
        "of": list(pairing.of),
        "rows": {split: len(rows) for split, rows in zip(("train", "test"), parts, strict=True)},
        "modalities": pairing.modalities,
        "train": pairing.train,
        "seeds": options.seeds,
        "means": means | {"chance": chance(parts[1], pairing.of)},
        "runs": {side: own for side, own in sides.items() if own},
        **({"limit": options.limit} if options.limit else {}),
        **measure.facts(sorted(home.glob("*.jsonl"))),
    }


def main() -> None:
    """See the module's docstring."""
    parser = measure.options(__doc__ or "")
    parser.add_argument("--sets", nargs="+", choices=list(PAIRINGS), default=list(PAIRINGS))
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    for name in options.sets:
        found = measured(name, options)
        print(name, found["means"], file=sys.stderr)
        measure.keep(found, options.results)


if __name__ == "__main__":
    main()
