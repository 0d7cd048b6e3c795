"""What a fixed budget of trials gains over a recipe as it is, and that a study which was stopped goes on.

    python bench/searching.py DATA [--sets trec conll2003 tnews] [--seeds 5] [--broken tnews] [--work DIR]
                                   [--results DIR] [--limit N]

Each recipe `search-<set>` of bench/recipes goes through `sibu search`, which chooses by dev and reads no test file;
then the recipe as it is and the best one train with ``--seeds`` new seeds, and both are judged on test: the gain is
paired by seed, with its interval (Student's t). The set of ``--broken`` is searched a second time by a process that is
killed in the middle of a trial and then told to go on: its trials must be those of the unbroken study. A study of an
earlier go in the same ``--work`` is gone on with (``seconds`` are then those of this go). ``--limit``: trials. One
JSON a set: ``searching-<set>.json``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import fmean
from typing import Any

import measure
import run
import yaml

METRIC = {"trec": "accuracy", "conll2003": "f1", "tnews": "accuracy"}
SHORT = 600


def shortened(place: Path) -> None:
    """The first sentences of CoNLL-2003's dev file."""
    blocks = (place / "conll2003" / "dev.conll").read_text(encoding="utf-8").split("\n\n")
    kept = [block for block in blocks if block.strip() and not block.startswith("-DOCSTART-")][:SHORT]
    (place / "conll2003" / f"dev-{SHORT}.conll").write_text("\n\n".join(kept) + "\n", encoding="utf-8")


def killed(command: list[str], trial: int) -> None:
    """Run a command until it has told so many trials, and a little longer; then kill it."""
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(f"trial {trial} of"):
            time.sleep(2)
            break
    process.kill()
    process.wait()
    if process.returncode == 0:
        raise SystemExit(f"{command}: ended before it was killed")


def searched(recipe: Path, out: Path, words: list[str], *how: str) -> dict[str, Any]:
    """One study through the command line, and its seconds."""
    command = measure.sibu("search", str(recipe), *words, "--out", str(out), *how, "--json")
    seconds, _, told = measure.child(command)
    return {"seconds": round(seconds, 1), **json.loads(told)}


def measured(name: str, place: Path, given: Any) -> dict[str, Any]:
    """One set."""
    metric, home = METRIC[name], given.work / "searching"
    recipe = place / f"search-{name}.yaml"
    recipe.write_text((run.HERE / "recipes" / recipe.name).read_text(encoding="utf-8"), encoding="utf-8")
    words = [] if given.limit is None else [f"search.trials={given.limit}"]
    study = searched(recipe, home / name, words, "--resume")
    sides = {}
    best = yaml.safe_load(Path(study["recipe"]).read_text(encoding="utf-8"))
    values = study["best"]["values"] if study["better"] else {}
    own = [f"{key}={json.dumps(value)}" for key, value in values.items()]
    for side, more in (("as it is", []), ("best", own)):
        done = run.run_once(f"search-{name}", place, home / "runs", [*more, "train.seed=100", f"repeats={given.seeds}"])
        sides[side] = measure.by_seed(done, "it", metric)
        print(name, side, f"{fmean(sides[side]):.4f}", file=sys.stderr)
    found = {
        "name": f"searching-{name}",
        "command": f"python bench/searching.py DATA --sets {name}",
        "what": "the score on test with the values that were best on dev, less that of the recipe as it is",
        "metric": metric,
        "dev": {"as it is": study["as it is"], "best": study["best"]["score"]},
        "test": sides,
        "gain": measure.paired(sides["best"], sides["as it is"]),
        "values": values,
        "seconds": study["seconds"],
        "trials": study["trials"],
        "written": {key: best[key] for key in ("train", "method") if key in best},
        **({} if given.limit is None else {"limit": given.limit}),
    }
    if name == given.broken:
        again = home / f"{name}-broken"
        command = measure.sibu("search", str(recipe), *words, "--out", str(again), "--force", "--json")
        killed(command, max(len(study["trials"]) // 2, 1))
        second = searched(recipe, again, words, "--resume")
        found["broken"] = {"trials": len(second["trials"]), "same": _bare(second) == _bare(study)}
        print(name, "broken and gone on with:", found["broken"], file=sys.stderr)
    files = sorted((place / ("fewclue" if name == "tnews" else name)).glob("*"))
    return found | measure.facts([file for file in files if file.name in _files(best)])


def _files(recipe: dict[str, Any]) -> set[str]:
    data = recipe["tasks"]["it"]["data"]
    return {Path(data[split]).name for split in ("train", "dev", "test") if data.get(split)}


def _bare(study: dict[str, Any]) -> list[Any]:
    """What was tried and what came of it, without the trial's number: a trial that was cut off took one."""
    return [(each["state"], each["values"], each["score"]) for each in study["trials"]]


def main() -> None:
    """Search each set."""
    parser = measure.options(__doc__ or "")
    parser.add_argument("--sets", nargs="+", default=list(METRIC), choices=list(METRIC))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--broken", default="tnews", help="set that is searched a second time, killed and gone on with")
    given = parser.parse_args()
    place = run.prepared(given.data, given.work)
    shortened(place)
    for name in given.sets:
        measure.keep(measured(name, place, given), given.results)


if __name__ == "__main__":
    main()
