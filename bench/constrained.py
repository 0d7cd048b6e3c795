"""Constrained decoding: how many of 1,000 answers are valid, and what it costs in time.

    python bench/constrained.py DATA [--prompts 1000] [--work DIR] [--results DIR] [--limit N]

A bundle of SmolLM2 as it comes (``train.epochs=0``) answers AG News headlines with each of three constraints, and
without: a topic out of four (`choice`), a code such as ``AB-1234`` (`regex`), an object of a JSON schema (`json`). Each
through `sibu predict` in a process of its own. What is valid is judged by others: Python's ``in`` and ``re``, and
`jsonschema`. Beside the wall seconds stand the pieces written, since bounds change how long answers are: the cost is
the ratio of seconds for each piece. One JSON: ``constrained.json``.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import measure
import prepare

TOPICS = ["World", "Sports", "Business", "Sci/Tech"]
CODE = r"[A-Z]{2}-[0-9]{4}"
SCHEMA = {
    "type": "object",
    "properties": {
        "topic": {"enum": TOPICS},
        "urgent": {"type": "boolean"},
        "people": {"type": "array", "items": {"type": "string", "maxLength": 30}, "maxItems": 3},
        "summary": {"type": "string", "maxLength": 120},
    },
    "required": ["topic", "urgent", "people", "summary"],
    "additionalProperties": False,
}
ASKED = {
    "choice": ("Which topic: World, Sports, Business or Sci/Tech? Answer with the topic alone.", 8),
    "regex": ("Give this headline a code of two capitals, a hyphen and four digits. Answer with the code alone.", 16),
    "json": ("Describe this headline as JSON with topic, urgent, people and summary.", 128),
}


def _fits_schema(text: str) -> bool:
    import jsonschema

    try:
        jsonschema.validate(json.loads(text), SCHEMA)
    except (ValueError, jsonschema.ValidationError):
        return False
    return True


VALID: dict[str, Callable[[str], bool]] = {
    "choice": lambda text: text in TOPICS,
    "regex": lambda text: re.fullmatch(CODE, text) is not None,
    "json": _fits_schema,
}
BOUNDS = {
    "choice": ["constrain.name=choice", f"constrain.among={json.dumps(TOPICS)}"],
    "regex": ["constrain.name=regex", f"constrain.pattern={json.dumps(CODE)}"],
    "json": ["constrain.name=json", f"constrain.json_schema={json.dumps(SCHEMA)}"],
}


def plain_bundle(work: Path, rows: list[dict[str, str]]) -> Path:
    """SmolLM2 as it comes, as a bundle."""
    home = work / "constrained"
    prepare.write(home / "rows.jsonl", [{"text": row["text"], "target": "World"} for row in rows[:8]])
    recipe = {
        "name": "constrained",
        "model": "smollm2",
        "tasks": {"answer": {"type": "generate", "data": {"train": "rows.jsonl", "test": "rows.jsonl"}}},
        "train": {"epochs": 0},
    }
    (home / "recipe.yaml").write_text(json.dumps(recipe), encoding="utf-8")
    words = ("run", str(home / "recipe.yaml"), "--out", str(home / "bundle"), "--force", "--quiet")
    measure.child(measure.sibu(*words))
    return home / "bundle"


def asked(bundle: Path, kind: str, file: Path, *, bound: bool, pieces: Callable[[str], int]) -> dict[str, Any]:
    """All prompts with a constraint, or without."""
    instruction, room = ASKED[kind]
    words = [f"instruction={json.dumps(instruction)}", f"max_new_tokens={room}", *(BOUNDS[kind] if bound else [])]
    out = file.with_name(f"{kind}.{'bound' if bound else 'free'}.jsonl")
    command = measure.sibu("predict", str(bundle), *words, "--input", str(file), "--output", str(out), "--quiet")
    seconds, memory, _ = measure.child(command)
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    texts = [line.get("value") for line in lines]
    written = sum(pieces(text) for text in texts if text is not None)
    return {
        "answers": len(lines),
        "errors": sum("error" in line for line in lines),
        "valid": sum(text is not None and VALID[kind](text) for text in texts),
        "wall_seconds": round(seconds, 1),
        "pieces": written,
        "peak_memory_bytes": memory,
        "first": texts[:3],
    }


def main() -> None:
    """Measure the three constraints."""
    parser = measure.options(__doc__ or "")
    parser.add_argument("--prompts", type=int, default=1000)
    given = parser.parse_args()
    count = given.limit or given.prompts
    source = prepare.text_of(given.data / "cls_ag_news_en" / "test.csv")
    rows = [{"text": row[1]} for row in list(csv.reader(source.splitlines(keepends=True)))[:count]]
    bundle = plain_bundle(given.work, rows)
    file = bundle.parent / "prompts.jsonl"
    prepare.write(file, rows)
    prepare.write(bundle.parent / "one.jsonl", rows[:1])
    words = ("predict", str(bundle), "--input", str(bundle.parent / "one.jsonl"), "max_new_tokens=1", "--quiet")
    start = measure.child(measure.sibu(*words))[0]

    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(bundle / "model" / "tokenizer.json"))

    def pieces(text: str) -> int:
        return len(tokenizer.encode(text, add_special_tokens=False).ids) + 1  # and its end

    found = {}
    for kind in ASKED:
        sides = {name: asked(bundle, kind, file, bound=name == "bound", pieces=pieces) for name in ("free", "bound")}
        rate = {name: (each["wall_seconds"] - start) / max(each["pieces"], 1) for name, each in sides.items()}
        found[kind] = {**sides, "cost": round(rate["bound"] / rate["free"], 3)}
        print(kind, found[kind], file=sys.stderr)
    measure.keep(
        {
            "name": "constrained",
            "command": f"python bench/constrained.py DATA --prompts {count}",
            "what": "valid answers of a bundle of SmolLM2 as it comes; cost: seconds a piece, bound over free",
            "start_seconds": round(start, 2),
            "kinds": found,
            **({} if given.limit is None else {"limit": given.limit}),
            **measure.facts([file]),
        },
        given.results,
    )


if __name__ == "__main__":
    main()
