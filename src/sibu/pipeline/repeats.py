"""The same recipe with several seeds: what its figures are on average, and how much they vary."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from sibu.core.errors import RecipeError, ReleaseMissed
from sibu.pipeline.bundle import manifest, read_manifest
from sibu.pipeline.progress import Progress
from sibu.recipe import yaml
from sibu.recipe.fill import as_written
from sibu.recipe.load import Loaded
from sibu.store.atomic import write_json
from sibu.train.processes import several


def run_repeats(loaded: Loaded, out: Path, *, resume: bool, force: bool, progress: Progress) -> Path:
    """Run a recipe with as many seeds as it says; the bundle is that of the first seed.

    Mean, deviation and every single figure go into the bundle's record (``repeats``). Each finished run is kept beside
    ``out`` until all are done, so that a stopped one goes on with the seed at which it stopped.

    Raises:
        SibuError: As one run does.
    """
    from sibu.pipeline.stages import run_recipe

    recipe = loaded.recipe
    if several():
        raise RecipeError("`repeats` is for one process. Run the seeds one by one (train.seed), or use one process.")
    home = out.with_name(out.name + ".repeats")
    if force:
        shutil.rmtree(home, ignore_errors=True)
    missed: ReleaseMissed | None = None
    found: list[dict[str, Any]] = []
    for number in range(recipe.repeats):
        seed = recipe.train.seed + number
        place, kept = home / f"seed-{seed}", home / f"seed-{seed}.json"
        if not kept.is_file():
            progress.say(f"seed {seed}, {number + 1} of {recipe.repeats}")
            one = recipe.model_copy(update={"repeats": 1, "train": recipe.train.model_copy(update={"seed": seed})})
            try:
                run_recipe(replace(loaded, recipe=one), place, resume=resume, force=not resume, progress=progress)
            except ReleaseMissed as fault:
                missed = fault if number == 0 else missed
            write_json(kept, json.loads((place / "metrics.json").read_text(encoding="utf-8")))
            if number:
                shutil.rmtree(place)
        found.append({"seed": seed, "metrics": _values(json.loads(kept.read_text(encoding="utf-8")))})
    first = home / f"seed-{recipe.train.seed}"
    _tell(first, loaded, found)
    if out.exists():
        shutil.rmtree(out)
    first.replace(out)
    shutil.rmtree(home, ignore_errors=True)
    if missed is not None:
        raise ReleaseMissed(str(missed).replace(str(first), str(out)), out)
    return out


def _values(metrics: dict[str, Any]) -> dict[str, dict[str, dict[str, float]]]:
    """Value by task, split and metric."""
    return {
        task: {split: {metric: score["value"] for metric, score in scores.items()} for split, scores in splits.items()}
        for task, splits in metrics.items()
    }


def summary(found: list[dict[str, Any]]) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
    """Mean and standard deviation (of a sample) of each metric over the seeds."""
    first = found[0]["metrics"]
    told: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
    for task, splits in first.items():
        for split, scores in splits.items():
            for metric in scores:
                own = [each["metrics"][task][split][metric] for each in found]
                told.setdefault(task, {}).setdefault(split, {})[metric] = {"mean": fmean(own), "sd": stdev(own)}
    return told


def _tell(bundle: Path, loaded: Loaded, found: list[dict[str, Any]]) -> None:
    """Write what came of all seeds into the bundle of the first."""
    about = read_manifest(bundle)
    record = json.loads((bundle / "record.json").read_text(encoding="utf-8"))
    write_json(bundle / "record.json", record | {"repeats": {"over": summary(found), "runs": found}})
    value, _ = yaml.parse((bundle / "recipe.yaml").read_text(encoding="utf-8"), "recipe.yaml")
    value["repeats"] = as_written(loaded.recipe)["repeats"]
    (bundle / "recipe.yaml").write_text(yaml.dump(value), encoding="utf-8")
    own = {key: part for key, part in about.items() if key not in ("format", "files", "sha256")}
    write_json(bundle / "bundle.json", manifest(bundle, own))
