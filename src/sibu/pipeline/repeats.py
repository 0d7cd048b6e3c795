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
from sibu.pipeline.bundle import about_of, manifest, read_manifest
from sibu.pipeline.changed import begun_otherwise
from sibu.pipeline.ensemble import Member, join, require_members, stir
from sibu.pipeline.plan import mark_of
from sibu.pipeline.progress import Progress
from sibu.recipe import yaml
from sibu.recipe.fill import as_written, with_absolute_paths
from sibu.recipe.load import Loaded
from sibu.store.atomic import write_json
from sibu.train.processes import several


def run_repeats(loaded: Loaded, out: Path, *, resume: bool, force: bool, progress: Progress) -> Path:
    """Run a recipe with as many seeds, or folds, as it says; the bundle is that of the first, or of all of them.

    Mean, deviation and every single figure go into the bundle's record (``repeats``, ``folds``). Each finished run is
    kept beside ``out`` until all are done, so that a stopped one goes on where it stopped.

    Raises:
        SibuError: As one run does.
    """
    from sibu.pipeline.stages import require_release

    home = out.with_name(out.name + ".repeats")
    key, runs = _runs(loaded, home)
    if several():
        raise RecipeError(f"`{key}` is for one process.")
    ensemble = loaded.recipe.ensemble
    begin(loaded, home, "run of several " + ("folds" if key == "folds" else "seeds"), resume=resume, force=force)
    if ensemble:
        require_members(runs, soup=ensemble == "soup")
    found = [
        _run(one, f"{number} of {len(runs)}", progress, resume=resume, keep=bool(ensemble) or number == 1)
        for number, one in enumerate(runs, 1)
    ]
    told = {key: {"over": summary(found), "runs": found}}
    done = runs[0].place
    if ensemble:
        done = home / "joined"
        (stir if ensemble == "soup" else join)(runs, loaded, done, told, progress)
    else:
        _tell(done, loaded, told)
    if out.exists():
        out.replace(home / "former")
    done.replace(out)
    shutil.rmtree(home, ignore_errors=True)
    require_release(read_manifest(out)["release"]["missed"], out)
    return out


def _run(one: Member, which: str, progress: Progress, *, resume: bool, keep: bool) -> dict[str, Any]:
    """Do one of the runs, unless it is done; its bundle stays where it is to be kept. What the record says of it."""
    from sibu.pipeline.stages import run_recipe

    kept = one.place.with_name(one.place.name + ".json")
    if not kept.is_file():
        progress.say(f"{one.name}, {which}")
        named: dict[str, Any] = {"resume": resume, "force": not resume, "progress": progress, "log": one.log}
        with suppress(ReleaseMissed):  # told at the end, of the bundle that stays
            run_recipe(one.loaded, one.place, **named)
        write_json(kept, json.loads((one.place / "metrics.json").read_text(encoding="utf-8")))
    if not keep:
        shutil.rmtree(one.place, ignore_errors=True)
    return {one.key: one.number, "metrics": _values(json.loads(kept.read_text(encoding="utf-8")))}


def _runs(loaded: Loaded, home: Path) -> tuple[str, list[Member]]:
    """The recipe's key, and each run."""
    whole = loaded.recipe.model_copy(update={"ensemble": False})

    def member(key: str, number: int, own: Loaded) -> Member:
        place = home / f"{key}-{number}"
        return Member(key, number, own, place, place.with_name(place.name + ".jsonl"))

    if whole.folds is not None:
        own = [replace(loaded, recipe=whole, fold=number) for number in range(whole.folds)]
        return "folds", [member("fold", number, each) for number, each in enumerate(own)]
    alone = whole.model_copy(update={"repeats": 1})
    runs = []
    for seed in range(whole.train.seed, whole.train.seed + whole.repeats):
        recipe = alone.model_copy(update={"train": whole.train.model_copy(update={"seed": seed})})
        runs.append(member("seed", seed, replace(loaded, recipe=recipe)))
    return "repeats", runs


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
    recipe = with_absolute_paths(loaded.recipe, loaded.home)
    if file.is_file():
        if not resume:
            raise RecipeError(
                f"An unfinished {what} stands at {home}. Go on with --resume, or begin anew with --force."
            )
        known = json.loads(file.read_text(encoding="utf-8"))
        if known["mark"] != mark:
            raise begun_otherwise(f"The unfinished {what} at {home}", known.get("recipe"), recipe)
        return
    write_json(file, {"mark": mark, "recipe": as_written(recipe)})


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


def _tell(bundle: Path, loaded: Loaded, told: dict[str, Any]) -> None:
    """Write what came of all runs into the bundle of the first."""
    own = about_of(bundle)
    record = json.loads((bundle / "record.json").read_text(encoding="utf-8"))
    write_json(bundle / "record.json", record | told)
    value, _ = yaml.parse((bundle / "recipe.yaml").read_text(encoding="utf-8"), "recipe.yaml")
    value["repeats"] = as_written(loaded.recipe)["repeats"]
    (bundle / "recipe.yaml").write_text(yaml.dump(value), encoding="utf-8")
    write_json(bundle / "bundle.json", manifest(bundle, own))
