"""Write the generated pages below docs/reference; with --check, only tell whether they are current.

python scripts/reference.py [--check]
python scripts/reference.py --probe     # run every method with every task and way first (some minutes)
python scripts/reference.py --probe-ways    # only the ways of learning from few labels
python scripts/reference.py --probe-values  # only modalities and fusions
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"
PROBED = REFERENCE / "capabilities.json"
COMMANDS = ("run", "check", "list", "predict", "find", "evaluate", "show", "label", "search", "ask", "kb")
KB = ("create", "add", "retract", "query", "show", "versions", "diff", "rollback", "export", "stats", "rebuild",
      "extract", "link", "update", "rules", "shapes", "infer", "why", "check", "embed", "mine")  # fmt: skip


def recipe_page() -> str:
    """Every key of a recipe."""
    from sibu.recipe.keys import recipe_keys

    lines = ["# The recipe", "", "Generated from `src/sibu/recipe/schema.py`; one heading a block.", ""]
    for block, summary, keys in recipe_keys():
        lines += [f"## {block}", "", summary, "", "| key | type | default | what |", "|---|---|---|---|"]
        lines += [f"| `{k.name}` | {cell(k.type)} | {cell(k.default)} | {cell(k.help)} |" for k in keys]
        lines.append("")
    return "\n".join(lines)


def cell(value: object) -> str:
    """A value inside a Markdown table."""
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return " ".join(text.split()).replace("|", "\\|")


def parts_page(room: str) -> str:
    """Every part of a room."""
    from importlib import import_module

    from sibu import api

    found = api.parts(room)[room]
    lines = [
        f"# {room.capitalize()}",
        "",
        f"Generated from `src/sibu/{room}/`. The same on the command line: `sibu list {room}`.",
        "",
    ]
    catalog = getattr(import_module(f"sibu.{room}"), room.upper(), None) if room != "models" else None
    for part, about in found.items():
        lines += [f"## {part}", "", catalog[part].doc if catalog is not None else about["summary"], ""]
        if about["options"]:
            lines += ["| option | type | default | what |", "|---|---|---|---|"]
            lines += [
                f"| `{o['name']}` | {cell(o['type'])} | {cell(o['default'])} | {cell(o['help'])} |"
                for o in about["options"]
            ]
            lines.append("")
    return "\n".join(lines)


def commands_page() -> str:
    """The help of every command."""
    lines = ["# Commands", "", "Generated from `--help`.", ""]
    for command in (*COMMANDS, *(f"kb {each}" for each in KB)):
        done = subprocess.run(
            [sys.executable, "-m", "sibu", *command.split(), "--help"],
            capture_output=True,
            text=True,
            check=True,
            env={"COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1", "PATH": "", "PYTHONPATH": str(ROOT / "src")},
        )
        body = "\n".join(line.rstrip() for line in done.stdout.strip().splitlines()).replace("python -m sibu", "sibu")
        lines += [f"## sibu {command}", "", "```text", body, "```", ""]
    return "\n".join(lines)


def capabilities_page() -> str:
    """Every method with every task, as probed."""
    probed = json.loads(PROBED.read_text(encoding="utf-8"))
    found = [own for part in PARTS for own in probed[part].values()]
    reasons = list(dict.fromkeys(said for row in found for said in row.values() if said != "works"))
    marks = {"works": "works"} | {said: f"no ({number})" for number, said in enumerate(reasons, 1)}

    def table(title: str, cells: dict[str, dict[str, str]]) -> list[str]:
        rows = list(next(iter(cells.values())))
        return [
            f"| {title} | " + " | ".join(f"`{method}`" for method in cells) + " |",
            "|---" * (len(cells) + 1) + "|",
            *(f"| {row} | " + " | ".join(marks[own[row]] for own in cells.values()) + " |" for row in rows),
        ]

    lines = [
        "# Capabilities",
        "",
        "Each cell was run: a tiny model is trained with the method on the task, its bundle is written, opened, and",
        "gives the same figures again (`scripts/reference.py --probe`; the runs are tests in `tests/conformance`).",
        f"Probed with {', '.join(f'{name} {version}' for name, version in probed['versions'].items())}.",
        "",
        *table("task", probed["cells"]),
        "",
        "Ways of learning from few labels or none, each in a task `classify`; those that are tasks stand above, and",
        "`tag` without a label (`compared`) trains nothing.",
        "",
        *table("way", probed["ways"]),
        "",
        "Modalities, with `full`: `classify` and `regress` by each alone, tasks that find places in a text with it",
        "beside the text, `match` between the text and it.",
        "",
        *table("task", probed["values"]),
        "",
        "Fusions of a text, a table and a series.",
        "",
        *table("task", probed["fusions"]),
        "",
        *(f"{number}. {cell(said.removeprefix('fails: '))}" for number, said in enumerate(reasons, 1)),
    ]
    return "\n".join([*lines, ""])


PARTS = ("cells", "ways", "values", "fusions")
"""What was probed."""
BY = ("full", "probe", "lora")
"""Methods that the ways of learning are probed with."""


def tried(recipe: dict[str, Any], out: Path, *, near: float) -> str:
    """Whether a recipe runs, and its bundle answers as the run did."""
    import sibu
    from sibu.core.errors import SibuError

    try:
        bundle = sibu.run(recipe, out=out)
        report = sibu.load(bundle).evaluate(recipe["tasks"]["it"]["data"]["test"])
        known = sibu.show(bundle)["metrics"]["it"]["test"]
    except SibuError as fault:
        return f"fails: {str(fault).removeprefix('the recipe method: ').removeprefix('the recipe ')}"
    same = known.keys() == report.scores.keys() and all(
        abs(score.value - known[name]["value"]) <= near * max(abs(score.value), 1)
        for name, score in report.scores.items()
    )
    return "works" if same else "fails: the bundle answers otherwise than the run"


def probe(*, tasks: bool) -> None:
    """Run every method with every task (``tasks``; else what is kept stays) and way, and keep what came of it."""
    sys.path.insert(0, str(ROOT))
    from tests.conftest import write_tiny_model, write_tiny_translator, write_tiny_writer
    from tests.tiny_tasks import TASKS, tiny_model_for, tiny_recipe
    from tests.tiny_ways import WAYS, Home, tiny_way

    from sibu.methods import METHODS
    from sibu.pipeline.record import versions

    cells: dict[str, dict[str, str]] = {}
    ways: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        models = [
            write(home / name)
            for name, write in (
                ("encoder", write_tiny_model),
                ("writer", write_tiny_writer),
                ("translator", write_tiny_translator),
            )
        ]
        for method in METHODS if tasks else ():
            for task in TASKS:
                train = {"epochs": 6, "batch_tokens": 256} if method == "adalora" else {}
                recipe = tiny_recipe(task, {"name": method}, tiny_model_for(task, *models), home, **train)
                near = 1e-4 if method == "adalora" else 0.0  # ranks that were taken away are summed no more
                cells.setdefault(method, {})[task] = tried(recipe, home / "runs" / method / task, near=near)
                print(f"{method} x {task}: {cells[method][task]}", file=sys.stderr)
        (home / "ways").mkdir()
        place = Home(home / "ways", *models[:2])
        for method in BY:
            for number, way in enumerate(WAYS):
                said = tried(tiny_way(way, method, place), home / "runs" / "ways" / f"{method}-{number}", near=0.0)
                ways.setdefault(method, {})[way] = said
                print(f"{method} x {way}: {said}", file=sys.stderr)
    wanted = ("python", "torch", "transformers", "peft")
    found = {name: version for name, version in versions().items() if name in wanted}
    before = json.loads(PROBED.read_text(encoding="utf-8"))
    kept = before | {"versions": found, "ways": ways} | ({"cells": cells} if tasks else {})
    PROBED.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def probe_values() -> None:
    """Run every task that can read each modality, and every fusion with them; what else was probed stays."""
    sys.path.insert(0, str(ROOT))
    from tests.conftest import write_tiny_model
    from tests.tiny_values import ALONE, BESIDE, MATCH, VALUES, tiny_mixed

    from sibu.fusions import FUSIONS

    values: dict[str, dict[str, str]] = {}
    fusions: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        model = write_tiny_model(home / "encoder")
        for name in VALUES:
            for task in (*ALONE, *BESIDE, MATCH):
                recipe = tiny_mixed(task, (name,) if task in ALONE else ("text", name), model, home)
                values.setdefault(name, {})[task] = tried(recipe, home / "runs" / name / task, near=0.0)
                print(f"{name} x {task}: {values[name][task]}", file=sys.stderr)
        for fusion in (name for name in FUSIONS if name != "identity"):
            for task in (*ALONE, *BESIDE):
                recipe = tiny_mixed(task, ("text", "table", "series"), model, home, fusion=fusion)
                fusions.setdefault(fusion, {})[task] = tried(recipe, home / "runs" / fusion / task, near=0.0)
                print(f"{fusion} x {task}: {fusions[fusion][task]}", file=sys.stderr)
    before = json.loads(PROBED.read_text(encoding="utf-8"))
    kept = before | {"values": values, "fusions": fusions}
    PROBED.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def pages() -> dict[str, str]:
    """Every generated page by its name."""
    from sibu import api

    rooms = list(api.parts())
    index = [
        "# Reference",
        "",
        "Generated by `scripts/reference.py`.",
        "",
        "- [The recipe](recipe.md)",
        "- [Commands](commands.md)",
    ]
    index += ["- [Capabilities: every method with every task](capabilities.md)"]
    index += [f"- [{room.capitalize()}]({room}.md)" for room in rooms]
    made = {"README.md": "\n".join([*index, ""]), "recipe.md": recipe_page(), "commands.md": commands_page()}
    made["capabilities.md"] = capabilities_page()
    return made | {f"{room}.md": parts_page(room) for room in rooms}


def main() -> int:
    """Write or check."""
    if "--probe" in sys.argv or "--probe-ways" in sys.argv:
        probe(tasks="--probe" in sys.argv)
    if "--probe" in sys.argv or "--probe-values" in sys.argv:
        probe_values()
    stale = []
    for name, text in pages().items():
        file = REFERENCE / name
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            stale.append(name)
            if "--check" not in sys.argv:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
    if stale and "--check" in sys.argv:
        print(f"docs/reference is not current: {', '.join(stale)}. Run `python scripts/reference.py`.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
