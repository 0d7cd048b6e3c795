"""What fine-tuning changes in what a model writes: before, after, and after saving and loading.

    python bench/writing.py DATA NAME [NAME ...] [--work DIR] [--results DIR] [--limit N]

NAME is a recipe of bench/recipes whose one task is `generate`: dialogsum, multi30k, bitext. Each goes through the
command line: `sibu run` with ``train.epochs=0`` (the model as it came), `sibu run` as it stands, `sibu evaluate` of the
bundle on the first test file in a new process, whose every metric must be the one that the run reported from memory,
and `sibu predict` of both bundles on the first test rows, kept as samples. ``--limit``: steps of training, and rows of
the files. One JSON a name: ``writing-<name>.json``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import measure
import run
import yaml

SAMPLES = 8


def cut(file: Path, limit: int | None) -> Path:
    """The file, or its first rows in a file beside it."""
    if limit is None:
        return file
    short = file.with_name(f"{file.stem}.first-{limit}.jsonl")
    short.write_text("".join(file.read_text(encoding="utf-8").splitlines(keepends=True)[:limit]), encoding="utf-8")
    return short


def answers(bundle: Path, file: Path, overrides: tuple[str, ...] = ()) -> list[Any]:
    """What `sibu predict` writes to a file's rows."""
    _, _, told = measure.child(measure.sibu("predict", str(bundle), *overrides, "--input", str(file), "--quiet"))
    return [json.loads(line)["value"] for line in told.splitlines()]


def both(name: str, place: Path, given: Any) -> dict[str, Any]:
    """One recipe before and after its training."""
    recipe = yaml.safe_load((run.HERE / "recipes" / f"{name}.yaml").read_text(encoding="utf-8"))
    ((task, block),) = recipe["tasks"].items()
    test = block["data"]["test"]
    split, first = next(iter(test.items())) if isinstance(test, dict) else ("test", test)
    overrides = []
    if given.limit is not None:
        overrides = [f"train.max_steps={given.limit}"]
        for key in ("dev", "test"):
            short = cut(place / (first if key == "test" else block["data"][key]), given.limit)
            overrides.append(f"tasks.{task}.data.{key}={short}")
        first, split = str(cut(place / first, given.limit)), "test"
    file = place / first
    before = run.run(name, place, given.work / "before", [*overrides, "train.epochs=0"])
    after = run.run(name, place, given.work, overrides)
    bundles = {"before": given.work / "before" / "runs" / name, "after": given.work / "runs" / name}
    command = measure.sibu("evaluate", str(bundles["after"]), "--data", str(file), "--json", "--quiet")
    again = json.loads(measure.child(command)[2])
    short = cut(file, SAMPLES)
    rows = [json.loads(line) for line in short.read_text(encoding="utf-8").splitlines()]
    fields = {"text": "text", "target": "target"} | block.get("fields", {})
    texts = {side: answers(bundle, short) for side, bundle in bundles.items()}
    return {
        "name": f"writing-{name}",
        "command": f"python bench/writing.py DATA {name}",
        "before": before["metrics"],
        "after": after["metrics"],
        "saved_and_loaded": again,
        "same_after_loading": _scores(again) == _scores(after["metrics"][task][split]),
        "samples": [
            {"text": row[fields["text"]], "gold": row[fields["target"]]} | {side: own[n] for side, own in texts.items()}
            for n, row in enumerate(rows)
        ],
        "run": {key: after[key] for key in ("seconds", "steps", "tokens_per_second", "weights", "peak_memory_bytes")},
        **({} if given.limit is None else {"limit": given.limit}),
        **measure.facts([file]),
    }


def _scores(found: Any) -> dict[str, float]:
    """Value by metric, wherever in a mapping the scores stand."""
    while not all(isinstance(each, dict) and "value" in each for each in found.values()):
        found = next(each for each in found.values() if isinstance(each, dict))
    return {metric: score["value"] for metric, score in found.items()}


def main() -> None:
    """Measure what is named."""
    parser = measure.options(__doc__ or "")
    parser.add_argument("names", nargs="+", metavar="NAME")
    given = parser.parse_args()
    place = run.prepared(given.data, given.work)
    for name in given.names:
        found = both(name, place, given)
        measure.keep(found, given.results)
        for side in ("before", "after"):
            print(side, found[side], file=sys.stderr)


if __name__ == "__main__":
    main()
