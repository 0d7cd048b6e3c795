"""What fine-tuning changes in what a model writes: before, after, and after saving and loading.

    python bench/writing.py DATA NAME [NAME ...] [--work DIR] [--results DIR] [--limit N] [--resume]

NAME is a recipe of bench/recipes whose one task is `generate`: dialogsum, multi30k, bitext. Each goes through the
command line: `sibu run` with ``train.epochs=0`` (the model as it came), `sibu run` as it stands, `sibu evaluate` of the
bundle in a new process on the first ``AGAIN`` test rows, whose every metric must be the one that the run reported from
memory, and `sibu predict` of both bundles on the first test rows, kept as samples. Dev is its first ``AGAIN`` rows:
writing to them takes minutes, and it chooses nothing here but which evaluation's weights are kept. ``--limit``: steps
of training, and rows of the files. ``--resume`` goes on with runs that were stopped. One JSON a name:
``writing-<name>.json``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import measure
import run
import yaml

SAMPLES, AGAIN = 8, 100


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
    file = cut(place / block["data"]["test"], given.limit)
    few = cut(file, min(AGAIN, given.limit or AGAIN))
    dev = cut(place / block["data"]["dev"], min(AGAIN, given.limit or AGAIN))
    tests = {"test": str(file), "first": str(few)}
    overrides = [f"tasks.{task}.data.test={json.dumps(tests)}", f"tasks.{task}.data.dev={dev}"]
    if given.limit is not None:
        overrides.append(f"train.max_steps={given.limit}")
    how = "--resume" if given.resume else "--force"
    before = run.run(name, place, given.work / "before", [*overrides, "train.epochs=0"], how=how)
    after = run.run(name, place, given.work, overrides, how=how)
    bundles = {"before": given.work / "before" / "runs" / name, "after": given.work / "runs" / name}
    command = measure.sibu("evaluate", str(bundles["after"]), "--data", str(few), "--json", "--quiet")
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
        "same_after_loading": _scores(again) == _scores(after["metrics"][task]["first"]),
        "samples": [
            {"text": row[fields["text"]], "gold": row[fields["target"]]} | {side: own[n] for side, own in texts.items()}
            for n, row in enumerate(rows)
        ],
        "run": {key: after[key] for key in ("seconds", "steps", "tokens_per_second", "weights", "peak_memory_bytes")},
        **({} if given.limit is None else {"limit": given.limit}),
        "rows": {"dev": AGAIN, "test": sum(1 for _ in file.open(encoding="utf-8"))},
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
    parser.add_argument("--resume", action="store_true")
    given = parser.parse_args()
    place = run.prepared(given.data, given.work)
    for name in given.names:
        found = both(name, place, given)
        measure.keep(found, given.results)
        for side in ("before", "after"):
            print(side, found[side], file=sys.stderr)


if __name__ == "__main__":
    main()
