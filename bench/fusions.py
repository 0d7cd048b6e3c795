"""Every fusion with every pattern of missing and noisy modalities, on spoken digits with written ones.

    python bench/fusions.py DATA [--fusions NAME ...] [--seeds 2] [--work DIR] [--results DIR] [--limit N]

Data and options are those of ``bench/fused.py`` (`digits`); only the fusion changes. Told of each, by its own record:
both together, each alone, and both with noise as strong as the signal on one. One JSON: ``fusions.json``.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from statistics import fmean
from typing import Any

import fused
import measure
import prepare

NAME = "digits"


def measured(name: str, pair: fused.Pair, home: Any, seeds: int) -> dict[str, Any]:
    """One fusion: accuracy by pattern, the mean of some seeds."""
    runs = [fused.trained(replace(pair, fusion=name), home, list(pair.modalities), seed) for seed in range(seeds)]
    patterns: dict[str, list[float]] = {}
    for run in runs:
        for each in run["modalities"]["subsets"]:
            patterns.setdefault(" + ".join(each["of"]), []).append(each["scores"][pair.metric])
        for each in run["modalities"]["noise"]:
            patterns.setdefault(f"noise on {each['noise']}", []).append(each["scores"][pair.metric])
    weights = [each["modalities"].get("weights") for each in runs]
    return {
        "by_seed": patterns,
        "means": {pattern: fmean(own) for pattern, own in patterns.items()},
        "weights": weights if all(weights) else None,
        "training_seconds": measure.spread([each["seconds"] for each in runs], 1),
        "peak_memory_bytes": max(each["memory"] for each in runs),
    }


def main() -> None:
    """See the module's docstring."""
    from sibu.fusions import FUSIONS

    several = [name for name in FUSIONS if name != "identity"]
    parser = measure.options(__doc__ or "")
    parser.add_argument("--fusions", nargs="+", choices=several, default=several)
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    pair, home = fused.PAIRS[NAME], options.work / "fusions"
    home.mkdir(parents=True, exist_ok=True)
    for split, rows in zip(("train", "test"), pair.rows(options.data, home), strict=True):
        prepare.write(home / f"{split}.jsonl", rows[:: max(len(rows) // options.limit, 1)] if options.limit else rows)
    found = {}
    for name in options.fusions:
        found[name] = measured(name, pair, home, options.seeds)
        print(name, found[name]["means"], file=sys.stderr)
    measure.keep(
        {
            "name": "fusions",
            "metric": pair.metric,
            "seeds": options.seeds,
            "train": pair.train,
            "fusions": found,
            **({"limit": options.limit} if options.limit else {}),
            **measure.facts(sorted(home.glob("*.jsonl"))),
        },
        options.results,
    )


if __name__ == "__main__":
    main()
