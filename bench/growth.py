"""How cost grows with the data: 1, 3 and 10 times 5,000 rows of like lengths (AG News).

    python bench/growth.py DATA [--sizes 1 3 10] [--steps 20] [--work DIR] [--results DIR]

Each measurement is one command of Sibu in a process of its own, its cache empty, with wall seconds and peak memory as
the system tells them; dev is the same 200 rows throughout:

- ``check``: the data gate alone.
- ``full``: a run of STEPS steps whatever the size, so that only the data path grows.
- ``probe``: the same with every layer frozen, whose vectors of all rows are computed and kept on disk.
- ``epoch``: one whole epoch of full fine-tuning, at the two smaller sizes.
- ``predict``: all rows through the bundle of ``full``.

Told for each: the ratio of memory and of time between the largest and the smallest size, and ``bend``: the seconds that
a row adds in the upper part over those in the lower part (1: linear; start-up is in neither). One JSON:
``growth.json``.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import measure
import prepare

RECIPE = """name: growth
model: minilm
tasks:
  topic:
    type: classify
    data: {{train: {train}, dev: dev.jsonl}}
train: {{epochs: 1, batch_tokens: 2048}}
"""


def data_of(data: Path, place: Path, limit: int | None) -> None:
    """``x1``, ``x3``, ``x10`` and dev; made once."""
    if not (place / "dev.jsonl").is_file():
        prepare.growing(data, place)
        rows = [json.loads(line) for line in (place / "x10.jsonl").read_text(encoding="utf-8").splitlines()]
        chosen = random.Random(17).sample(rows, 200)
        prepare.write(place / "dev.jsonl", ({**row, "text": f"d{row['text']}"} for row in chosen))
    for factor in (1, 3, 10) if limit is not None else ():
        lines = (place / f"x{factor}.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
        (place / f"s{factor}.jsonl").write_text("".join(lines[: limit * factor]), encoding="utf-8")


def command(what: str, size: int, place: Path, steps: int, file: Path) -> list[str]:
    """The command line of a measurement."""
    recipe, out = str(place / f"{file.stem}.yaml"), place / "out"
    if what == "check":
        return measure.sibu("check", recipe, "--json", "--quiet")
    if what == "predict":
        words = ("--input", str(file), "--output", str(place / "answers.jsonl"), "--quiet")
        return measure.sibu("predict", str(out / f"full-{size}"), *words)
    more = {"full": [f"train.max_steps={steps}"], "probe": ["method=probe", f"train.max_steps={steps}"], "epoch": []}
    return measure.sibu(
        "run", recipe, *more[what], "--out", str(out / f"{what}-{size}"), "--force", "--json", "--quiet"
    )


def measured(what: str, size: int, place: Path, given: Any) -> dict[str, Any]:
    """One measurement."""
    file = place / f"{'x' if given.limit is None else 's'}{size}.jsonl"
    (place / f"{file.stem}.yaml").write_text(RECIPE.format(train=file.name), encoding="utf-8")
    cache = place / "cache"
    shutil.rmtree(cache, ignore_errors=True)
    seconds, memory, told = measure.child(command(what, size, place, given.steps, file), SIBU_CACHE=str(cache))
    found = {
        "rows": rows_in(file),
        "wall_seconds": round(seconds, 2),
        "peak_memory_bytes": memory,
        "file_bytes": file.stat().st_size,
    }
    if what in ("full", "probe", "epoch"):
        record = json.loads(told)["record"]
        found["training_seconds"] = record["seconds"]["training"]
        found["steps"] = record["steps"]["done"]
    return found


def rows_in(file: Path) -> int:
    """How many rows a file has."""
    with file.open("rb") as lines:
        return sum(1 for _ in lines)


def grown(by_size: dict[int, dict[str, Any]]) -> dict[str, float]:
    """Ratios between the sizes."""
    found = [by_size[size] for size in sorted(by_size)]
    low, high = found[0], found[-1]
    ratios = {
        "rows": high["rows"] / low["rows"],
        "time": high["wall_seconds"] / low["wall_seconds"],
        "memory": high["peak_memory_bytes"] / low["peak_memory_bytes"],
    }
    if len(found) > 2:
        added = [
            (two["wall_seconds"] - one["wall_seconds"]) / (two["rows"] - one["rows"]) for one, two in pairwise(found)
        ]
        ratios["bend"] = added[-1] / max(added[0], 1e-9)
        ratios["milliseconds_a_row"] = 1000 * added[-1]
    return {name: round(value, 3) for name, value in ratios.items()}


def main() -> None:
    """Measure every command at every size."""
    parser = measure.options(__doc__ or "")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 3, 10], choices=[1, 3, 10])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--only", nargs="+", default=["check", "full", "probe", "epoch", "predict"])
    given = parser.parse_args()
    place = given.work / "growth"
    place.mkdir(parents=True, exist_ok=True)
    data_of(given.data, place, given.limit)
    sizes: Sequence[int] = sorted(given.sizes)
    found: dict[str, dict[int, dict[str, Any]]] = {}
    for what in given.only:
        found[what] = {}
        for size in sizes[:2] if what == "epoch" else sizes:
            found[what][size] = measured(what, size, place, given)
            print(what, size, found[what][size], file=sys.stderr)
    ratios = {what: grown(by_size) for what, by_size in found.items()}
    files = [place / f"x{size}.jsonl" for size in sizes]
    result = {
        "name": "growth",
        "command": f"python bench/growth.py DATA --sizes {' '.join(map(str, sizes))} --steps {given.steps}",
        "what": "wall seconds and peak memory of whole commands as the data grows",
        "ratios": ratios,
        "measured": found,
        **({} if given.limit is None else {"limit": given.limit}),
        **measure.facts(files),
    }
    measure.keep(result, given.results)
    for what, own in ratios.items():
        print(what, own)


if __name__ == "__main__":
    main()
