"""Run recipes of bench/recipes through `sibu run`, and keep what came of each as JSON.

    python bench/run.py DATA NAME [NAME ...] [--work DIR] [--resume] [KEY=VALUE ...]

DATA is the folder with one sub-folder a set, NAME a recipe of bench/recipes without its ending. WORK (default:
`sibu-bench` in the temporary folder) gets the prepared sets, the recipes and the bundles; the recipes that name
`me5-zh-en` take the encoder from `DATA/../models/multilingual-e5-small-zh-en`. A result that stands already
is replaced. A `KEY=VALUE` is handed to every run and kept in its result. ``--resume`` goes on with a run that was
stopped; its wall seconds are those of the last part.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import prepare

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"


def prepared(data: Path, work: Path) -> Path:
    """The folder of prepared sets; made once."""
    place = work / "data"
    for name, function in prepare.BENCHMARKS.items():
        if not (place / name).is_dir():
            function(data, place / name)
    encoder = data.resolve().parent / "models" / "multilingual-e5-small-zh-en"
    if encoder.is_dir() and not (place / "me5-zh-en").exists():
        (place / "me5-zh-en").symlink_to(encoder)
    return place


def run(name: str, place: Path, work: Path, overrides: list[str], *, how: str = "--force") -> dict[str, Any]:
    """One recipe through the command line, in a process of its own; ``how``: ``--force`` or ``--resume``."""
    recipe = place / f"{name}.yaml"
    recipe.write_text((HERE / "recipes" / f"{name}.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    out = work / "runs" / name
    command = [sys.executable, "-m", "sibu", "run", str(recipe), *overrides, "--out", str(out), how, "--json"]
    began = time.time()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name}: sibu run ended with {done.returncode}")
    return result(name, json.loads(done.stdout), out, overrides) | {"wall_seconds": round(time.time() - began, 1)}


def once(work: Path, asked: Any, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What ``make`` gives, or gave when an earlier go in the same ``work`` asked the same of the same code.

    Programs of many hours go on so where they were stopped; ``asked`` must hold all that the answer depends on.
    """
    from sibu.store.hashes import hash_code, hash_json

    file = work / "kept" / f"{hash_json([hash_code(), asked])}.json"
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        part.write_text(json.dumps(make(), ensure_ascii=False), encoding="utf-8")
        part.replace(file)
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def run_once(name: str, place: Path, work: Path, overrides: list[str]) -> dict[str, Any]:
    """As ``run``, once; the bundle is there only where it was run now."""
    asked = [(HERE / "recipes" / f"{name}.yaml").read_text(encoding="utf-8"), overrides, contents(overrides)]
    return once(work, asked, lambda: run(name, place, work, overrides))


def contents(words: list[str]) -> list[str]:
    """Hashes of the files and bundles that are named in words: another one may stand there under the same name."""
    from sibu.store.hashes import hash_file

    found = []
    for named in re.findall(r"/[^\s\"',}\]]+", " ".join(words)):
        file = Path(named) / "bundle.json" if Path(named).is_dir() else Path(named)
        found += [hash_file(file)] if file.is_file() else []
    return found


def result(name: str, told: dict[str, Any], out: Path, overrides: list[str]) -> dict[str, Any]:
    """What is kept of a run: no path of this machine is in it."""
    record = told["record"]
    files = json.loads((out / "bundle.json").read_text(encoding="utf-8"))["files"]
    return {
        "name": name,
        "command": " ".join(["sibu run", f"bench/recipes/{name}.yaml", *overrides]),
        "metrics": told["metrics"],
        "seconds": record["seconds"],
        "examples_per_second": record["examples_per_second"],
        "tokens_per_second": record["tokens_per_second"],
        "steps": record["steps"],
        "weights": record["weights"],
        "evaluations": record["evaluations"],
        "peak_memory_bytes": record["peak_memory_bytes"],
        "bundle_bytes": sum(file["bytes"] for file in files.values()),
        **({"repeats": record["repeats"]} if "repeats" in record else {}),
        "rows": record["rows"],
        "data_sha256": {Path(file).name: sha for file, sha in record["data"].items()},
        "seed": record["seed"],
        "machine": record["machine"],
        "versions": record["versions"],
        "date": time.strftime("%Y-%m-%d"),
    }


def keep(found: dict[str, Any]) -> None:
    """Write a result."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{found['name']}.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")


def main() -> None:
    """Run what is named."""
    words = sys.argv[1:]
    work = Path(tempfile.gettempdir()) / "sibu-bench"
    if "--work" in words:
        place = words.index("--work")
        work = Path(words[place + 1])
        del words[place : place + 2]
    how = "--resume" if "--resume" in words else "--force"
    words = [word for word in words if word != "--resume"]
    data, names = Path(words[0]), [word for word in words[1:] if "=" not in word]
    place = prepared(data, work)
    for name in names:
        keep(run(name, place, work, [word for word in words[1:] if "=" in word], how=how))


if __name__ == "__main__":
    main()
