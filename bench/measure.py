"""What the measuring programs share: their options, the prepared sets, and the file that keeps a figure."""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any

import run

T_95 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}
"""Student's t for 95 %, by the number of seeds."""


def options(about: str, *, data: bool = True) -> argparse.ArgumentParser:
    """The options that every program has, ``data`` those that read sets; ``about`` is its docstring."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    if data:
        parser.add_argument("data", type=Path, help="folder with one sub-folder a raw set")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "sibu-bench", help="scratch folder")
    parser.add_argument("--results", type=Path, default=run.RESULTS, help="folder of the results")
    parser.add_argument("--limit", type=int, help="rows of each file, to try the program out")
    return parser


def facts(files: Iterable[Path] = ()) -> dict[str, Any]:
    """What a figure depends on: data, machine, versions. Imports torch: call it when all is measured."""
    from sibu.pipeline.record import machine, versions
    from sibu.store.hashes import hash_file

    return {
        "data_sha256": {f"{file.parent.name}/{file.name}": hash_file(file) for file in files},
        "machine": machine(),
        "threads_asked": os.environ.get("OMP_NUM_THREADS"),
        "versions": versions(),
        "date": time.strftime("%Y-%m-%d"),
    }


def keep(found: dict[str, Any], folder: Path) -> None:
    """Write a result as ``<name>.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{found['name']}.json"
    file.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"kept {file.name}", file=sys.stderr)


def spread(numbers: Sequence[float], digits: int = 3) -> dict[str, float]:
    """Least, middle and greatest of some rounds."""
    shown = {"min": min(numbers), "median": median(numbers), "max": max(numbers)}
    return {name: round(number, digits) for name, number in shown.items()}


def paired(ones: Sequence[float], others: Sequence[float]) -> dict[str, float]:
    """Mean difference by seed, and the ends of its interval (Student's t, 95 %), which one seed has not."""
    gaps = [one - other for one, other in zip(ones, others, strict=True)]
    mean = fmean(gaps)
    if len(gaps) == 1:
        return {"value": mean}
    half = T_95[len(gaps)] * stdev(gaps) / math.sqrt(len(gaps))
    return {"value": mean, "low": mean - half, "high": mean + half}


def by_seed(found: dict[str, Any], task: str, metric: str) -> list[float]:
    """A metric on test by seed, of what ``run.run`` keeps of a run, with `repeats` or alone."""
    if "repeats" not in found:
        return [found["metrics"][task]["test"][metric]["value"]]
    return [each["metrics"][task]["test"][metric] for each in found["repeats"]["runs"]]


def child(command: Sequence[str], **environment: str) -> tuple[float, int, str]:
    """Run a command in a process of its own.

    Returns:
        Wall seconds, most bytes of memory held at once, stdout. What it says on stderr is passed on.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as out:
        began = time.perf_counter()
        process = subprocess.Popen(list(command), stdout=out, env=os.environ | environment)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)}: ended with {process.returncode}")
        out.seek(0)
        return seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024), out.read()


def sibu(*words: str) -> list[str]:
    """The command line of Sibu."""
    return [sys.executable, "-m", "sibu", *words]


def trained(recipe: dict[str, Any], home: Path) -> dict[str, Any]:
    """What a recipe's run in a folder tells: ``metrics``, ``record``."""
    file = home / "recipe.yaml"
    file.write_text(json.dumps(recipe), encoding="utf-8")
    command = sibu("run", str(file), "--out", str(home / "run"), "--force", "--quiet", "--json")
    found: dict[str, Any] = json.loads(child(command)[2])
    return found


def again(program: str, *words: str) -> list[str]:
    """A measuring program as a process of its own."""
    return [sys.executable, program, *words]
