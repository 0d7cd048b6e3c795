"""How long a model waits for pictures and recordings, and what memory does as they become more.

    python bench/input_pipeline.py DATA [--sets NAME ...] [--epochs 2] [--work DIR] [--results DIR] [--limit N]

Sets: `pictures` (NLVR, a network of its own at 50 x 200), `efficientnet` (the same pictures at 224 x 224 through the
whole of EfficientNet-lite0, one epoch) and `sounds` (FSDD), each with a third of its rows and with all. A run is one
command in a process of its own, its cache empty. Told of each: the share of the training loop in which the model had no
batch, the seconds that the first look at all values took (decoding, once; `sibu check`, its start taken off), and peak
memory. One JSON: ``input-pipeline.json``.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import measure
import prepare
from modalities import pictures, spoken

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Kind:
    """Rows of one modality, and its encoder."""

    rows: Callable[[Path, Path], Any]
    modality: dict[str, Any]
    epochs: int | None = None
    """How many of them there are at most; None: as asked for."""


KINDS = {
    "pictures": Kind(pictures, {"name": "image", "size": [50, 200]}),
    "efficientnet": Kind(pictures, {"name": "image", "model": "efficientnet-lite0"}, epochs=1),
    "sounds": Kind(spoken, {"name": "audio"}),
}


def measured(name: str, rows: Rows, options: Any) -> dict[str, Any]:
    """One run over some rows."""
    kind, home = KINDS[name], options.work / "input" / name
    home.mkdir(parents=True, exist_ok=True)
    prepare.write(home / "train.jsonl", rows)
    recipe = {
        "name": "input",
        "modalities": [kind.modality],
        "tasks": {"one": {"type": "classify", "data": {"train": "train.jsonl"}}},
        "train": {"epochs": min(options.epochs, kind.epochs or options.epochs)},
    }
    (home / "recipe.yaml").write_text(json.dumps(recipe), encoding="utf-8")
    cache = home / "cache"
    seconds = []
    for _ in range(2):  # with an empty cache, and once more with what it holds: the difference is the first look
        if not seconds:
            shutil.rmtree(cache, ignore_errors=True)
        command = measure.sibu("check", str(home / "recipe.yaml"), "--quiet", "--json")
        seconds.append(measure.child(command, SIBU_CACHE=str(cache))[0])
    command = measure.sibu("run", str(home / "recipe.yaml"), "--out", str(home / "run"), "--force", "--quiet", "--json")
    _, memory, told = measure.child(command, SIBU_CACHE=str(cache))
    spent = json.loads(told)["record"]["seconds"]
    shutil.rmtree(cache, ignore_errors=True)
    return {
        "rows": len(rows),
        "first_look_seconds": round(seconds[0] - seconds[1], 2),
        "training_seconds": spent["training"],
        "waiting_seconds": spent["waiting_for_data"],
        "waiting_share": round(spent["waiting_for_data"] / max(spent["training"], 1e-9), 5),
        "peak_memory_bytes": memory,
    }


def main() -> None:
    """See the module's docstring."""
    parser = measure.options(__doc__ or "")
    parser.add_argument("--sets", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--epochs", type=int, default=2)
    options = parser.parse_args()
    found: dict[str, Any] = {}
    for name in options.sets:
        (split,) = KINDS[name].rows(options.data, options.work)
        rows = random.Random(0).sample(split.train, min(options.limit or len(split.train), len(split.train)))
        found[name] = [measured(name, part, options) for part in (rows[: max(len(rows) // 3, 8)], rows)]
        print(name, found[name], file=sys.stderr)
    measure.keep(
        {
            "name": "input-pipeline",
            "command": f"python bench/input_pipeline.py DATA --epochs {options.epochs}",
            "what": "seconds in which the training loop had no batch, and peak memory, by rows",
            "epochs": options.epochs,
            "sets": found,
            **({"limit": options.limit} if options.limit else {}),
            **measure.facts(),
        },
        options.results,
    )


if __name__ == "__main__":
    main()
