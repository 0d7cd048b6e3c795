"""The same recipe with several seeds or several parts held out: its figures on average, and how much they vary."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from sibu.core.errors import RecipeError, ReleaseMissed
from sibu.pipeline.bundle import manifest, read_manifest
from sibu.pipeline.plan import mark_of
from sibu.pipeline.progress import Progress
from sibu.recipe import yaml
from sibu.recipe.fill import as_written
from sibu.recipe.load import Loaded
from sibu.store.atomic import write_json
from sibu.train.processes import several


def run_repeats(loaded: Loaded, out: Path, *, resume: bool, force: bool, progress: Progress) -> Path:
    """Run a recipe with as many seeds, or folds, as it says; the bundle is that of the first.

    Mean, deviation and every single figure go into the bundle's record (``repeats``, ``folds``). Each finished run is
    kept beside ``out`` until all are done, so that a stopped one goes on where it stopped.

    Raises:
        SibuError: As one run does.
    """
    from sibu.pipeline.stages import require_release, run_recipe

    key, runs = _runs(loaded)
    if several():
        raise RecipeError(f"`{key}` is for one process.")
    home = out.with_name(out.name + ".repeats")
    begin(loaded, home, "run of several " + ("folds" if key == "folds" else "seeds"), resume=resume, force=force)
    found: list[dict[str, Any]] = []
    for number, (which, one) in enumerate(runs):
        name = "-".join(map(str, which))
        place, kept = home / name, home / f"{name}.json"
        if not kept.is_file():
            progress.say(f"{which[0]} {which[1]}, {number + 1} of {len(runs)}")
            with suppress(ReleaseMissed):  # told at the end, of the bundle that stays
                run_recipe(one, place, resume=resume, force=not resume, progress=progress)
            write_json(kept, json.loads((place / "metrics.json").read_text(encoding="utf-8")))
            if number:
                shutil.rmtree(place)
        found.append({which[0]: which[1], "metrics": _values(json.loads(kept.read_text(encoding="utf-8")))})
    first = home / "-".join(map(str, runs[0][0]))
    _tell(first, loaded, key, found)
    former = home / "former"
    if out.exists():
        out.replace(former)
    first.replace(out)
    shutil.rmtree(home, ignore_errors=True)
    require_release(read_manifest(out)["release"]["missed"], out)
    return out


def _runs(loaded: Loaded) -> tuple[str, list[tuple[tuple[str, int], Loaded]]]:
    """The recipe's key, and each run with what tells it from the others."""
    recipe = loaded.recipe
    if recipe.folds is not None:
        return "folds", [(("fold", number), replace(loaded, fold=number)) for number in range(recipe.folds)]
    seeds = [recipe.train.seed + number for number in range(recipe.repeats)]
    own = {
        seed: recipe.model_copy(update={"repeats": 1, "train": recipe.train.model_copy(update={"seed": seed})})
        for seed in seeds
    }
    return "repeats", [(("seed", seed), replace(loaded, recipe=one)) for seed, one in own.items()]


def begin(loaded: Loaded, home: Path, what: str, *, resume: bool, force: bool) -> None:
    """Make the folder of several runs that are one; those of another recipe or other data are never gone on with.

    Args:
        loaded: The recipe.
        home: The folder.
        what: What stands there, in words.
        resume: Whether to go on with what stands there.
        force: Whether to replace it.

    Raises:
        RecipeError: When an unfinished run stands there, and is not to be gone on with or is another's.
    """
    if force:
        shutil.rmtree(home, ignore_errors=True)
    file, mark = home / "run.json", mark_of(loaded)
    if file.is_file():
        if not resume:
            raise RecipeError(
                f"An unfinished {what} stands at {home}. Go on with --resume, or begin anew with --force."
            )
        if json.loads(file.read_text(encoding="utf-8"))["mark"] != mark:
            raise RecipeError(
                f"The unfinished {what} at {home} was begun with something else: the recipe, the data or "
                "the model changed since. Undo the change to resume, or begin anew with --force."
            )
        return
    write_json(file, {"mark": mark})


def _values(metrics: dict[str, Any]) -> dict[str, dict[str, dict[str, float]]]:
    """Value by task, split and metric."""
    return {
        task: {split: {metric: score["value"] for metric, score in scores.items()} for split, scores in splits.items()}
        for task, splits in metrics.items()
    }


def summary(found: list[dict[str, Any]]) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
    """Mean and standard deviation (of a sample) of each metric over the seeds; ``n``: those that it is defined for."""
    by_place: dict[tuple[str, str, str], list[float]] = {}
    for each in found:
        for task, splits in each["metrics"].items():
            for split, scores in splits.items():
                for metric, value in scores.items():
                    by_place.setdefault((task, split, metric), []).append(value)
    told: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
    for (task, split, metric), own in by_place.items():
        spread = stdev(own) if len(own) > 1 else 0.0
        told.setdefault(task, {}).setdefault(split, {})[metric] = {"mean": fmean(own), "sd": spread, "n": len(own)}
    return told


def _tell(bundle: Path, loaded: Loaded, key: str, found: list[dict[str, Any]]) -> None:
    """Write what came of all runs into the bundle of the first."""
    about = read_manifest(bundle)
    record = json.loads((bundle / "record.json").read_text(encoding="utf-8"))
    write_json(bundle / "record.json", record | {key: {"over": summary(found), "runs": found}})
    value, _ = yaml.parse((bundle / "recipe.yaml").read_text(encoding="utf-8"), "recipe.yaml")
    value["repeats"] = as_written(loaded.recipe)["repeats"]
    (bundle / "recipe.yaml").write_text(yaml.dump(value), encoding="utf-8")
    own = {key: part for key, part in about.items() if key not in ("format", "files", "sha256")}
    write_json(bundle / "bundle.json", manifest(bundle, own))
