"""DPO on pairs of DialogSum: how often the better summary is the likelier one, before and after, and what is written.

    python bench/preferences.py DATA [--pairs 800] [--held-out 300] [--work DIR] [--results DIR] [--limit N]

Begins from the bundle of bench/recipes/dialogsum.yaml (`WORK/runs/dialogsum`, which writing.py leaves). A pair is a
dialogue, its reference summary, and a worse one, in thirds of each file: the reference with its two speakers changed
about (`swapped`; where it names one, the other), the reference of another dialogue (`other`), or what the bundle itself
draws at temperature 1 (`written`). Training pairs are of the train file's last rows, held-out ones of dev. Accuracy is
the share of the pairs whose reference is likelier by piece. Before: a `prefer` run of no epoch; after: the run. Whether
summaries got worse: ROUGE of both models on the first test rows. One JSON: ``preferences.json``.
"""

from __future__ import annotations

import json
import random
import re
import sys
from pathlib import Path
from typing import Any

import measure
import plain
import prepare
import run

INSTRUCTION, ROOM = "Summarise the dialogue.", 96
KINDS = ("swapped", "other", "written")
TESTED = 200
SPEAKER = re.compile(r"#Person([12])#")
Row = dict[str, Any]


def drawn(bundle: Path, rows: list[Row], home: Path) -> list[str]:
    """What the bundle writes to dialogues by sampling."""
    file = home / "asked.jsonl"
    prepare.write(file, ({"dialogue": row["dialogue"]} for row in rows))
    words = ("decoding=sample", "decoding.temperature=1.0", "decoding.top_p=1.0")
    _, _, told = measure.child(measure.sibu("predict", str(bundle), *words, "--input", str(file), "--quiet"))
    return [str(json.loads(line)["value"]) for line in told.splitlines()]


def pairs_of(rows: list[Row], bundle: Path, home: Path, seed: int) -> dict[str, list[Row]]:
    """Pairs by kind, none of two equal texts."""
    parts = {kind: rows[number :: len(KINDS)] for number, kind in enumerate(KINDS)}
    worse = {
        "swapped": [SPEAKER.sub(lambda m: f"#Person{3 - int(m[1])}#", row["summary"]) for row in parts["swapped"]],
        "other": random.Random(seed).sample([row["summary"] for row in rows], len(parts["other"])),
        "written": drawn(bundle, parts["written"], home),
    }
    found = {}
    for kind, own in parts.items():
        made = [
            {"text": row["dialogue"], "chosen": row["summary"], "rejected": bad}
            for row, bad in zip(own, worse[kind], strict=True)
        ]
        found[kind] = [row for row in made if row["rejected"].strip() and row["chosen"] != row["rejected"]]
    return found


def recipe(kind: str, model: Path, data: dict[str, Any], **train: Any) -> dict[str, Any]:
    """A run of DPO, or (as `generate`) of what its model writes."""
    task: dict[str, Any] = {"type": kind, "instruction": INSTRUCTION, "max_new_tokens": ROOM, "data": data}
    if kind == "prefer":
        task |= {"loss": "dpo", "beta": 0.1, "write_weight": 0.1}
    method = {"name": "lora", "rank": 8}
    return {"name": kind, "model": str(model), "tasks": {"summary": task}, "method": method, "train": train}


def through(recipe: dict[str, Any], out: Path) -> dict[str, Any]:
    """A recipe through the command line: its record and metrics."""
    file = out.with_suffix(".json.yaml")
    file.write_text(json.dumps(recipe), encoding="utf-8")
    words = ("run", str(file), "--out", str(out), "--force", "--json")
    return dict(json.loads(measure.child(measure.sibu(*words))[2]))


def main() -> None:
    """Make the pairs, train, judge."""
    parser = measure.options(__doc__ or "")
    parser.add_argument("--pairs", type=int, default=800)
    parser.add_argument("--held-out", type=int, default=300)
    given = parser.parse_args()
    place = run.prepared(given.data, given.work)
    base = given.work / "runs" / "dialogsum"
    if not (base / "bundle.json").is_file():
        raise SystemExit(f"{base} is not there. Run `python bench/writing.py DATA dialogsum` first.")
    home = given.work / "preferences"
    home.mkdir(parents=True, exist_ok=True)
    train = plain.rows_of(place / "dialogsum" / "train.jsonl", None)[-(given.limit or given.pairs) :]
    dev = plain.rows_of(place / "dialogsum" / "dev.jsonl", given.limit or given.held_out)
    made = {"train": pairs_of(train, base, home, 13), "held": pairs_of(dev, base, home, 14)}
    mixed = [row for rows in zip(*made["train"].values(), strict=False) for row in rows]
    tenth = max(len(mixed) // 10, 4)
    prepare.write(home / "train.jsonl", mixed[tenth:])
    prepare.write(home / "dev.jsonl", mixed[:tenth])
    for kind, rows in made["held"].items():
        prepare.write(home / f"{kind}.jsonl", rows)
    data = {"train": str(home / "train.jsonl"), "dev": str(home / "dev.jsonl")}
    data["test"] = {kind: str(home / f"{kind}.jsonl") for kind in KINDS}  # type: ignore[assignment]
    before = through(recipe("prefer", base, data, epochs=0), home / "before")
    options = {"epochs": 1, "batch_tokens": 4096, "learning_rate": 1e-4}
    after = through(recipe("prefer", base, data, **options), home / "after")

    tests = plain.rows_of(place / "dialogsum" / "test.jsonl", given.limit or TESTED)
    prepare.write(home / "test.jsonl", ({"text": row["dialogue"], "target": row["summary"]} for row in tests))
    few = [{"text": row["text"], "target": row["chosen"]} for row in mixed[:4]]
    prepare.write(home / "few.jsonl", few)
    own = {"train": str(home / "few.jsonl"), "dev": str(home / "few.jsonl"), "test": str(home / "test.jsonl")}
    written = {
        side: through(recipe("generate", model, own, epochs=0), home / f"{side}-written")["metrics"]["summary"]["test"]
        for side, model in (("before", base), ("after", home / "after"))
    }
    found = {
        "name": "preferences",
        "command": f"python bench/preferences.py DATA --pairs {len(train)} --held-out {len(dev)}",
        "pairs": {"train": len(mixed) - tenth, **{kind: len(rows) for kind, rows in made["held"].items()}},
        "recipe": recipe("prefer", Path("runs/dialogsum"), {}, **options),
        "before": before["metrics"]["summary"],
        "after": after["metrics"]["summary"],
        "written": written,
        "run": {key: after["record"][key] for key in ("seconds", "steps", "tokens_per_second", "peak_memory_bytes")},
        "examples": {kind: rows[:2] for kind, rows in made["held"].items()},
        **({} if given.limit is None else {"limit": given.limit}),
        **measure.facts([place / "dialogsum" / f"{split}.jsonl" for split in ("train", "dev", "test")]),
    }
    measure.keep(found, given.results)
    for side in ("before", "after"):
        shown = {kind: found[side][kind]["accuracy"]["value"] for kind in KINDS}
        print(side, shown, {m: s["value"] for m, s in written[side].items()}, file=sys.stderr)


if __name__ == "__main__":
    main()
