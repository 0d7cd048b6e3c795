"""The stages of a run, in order: plan, train, evaluate, write the bundle."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from sibu.core.errors import RecipeError, ReleaseMissed, counted
from sibu.pipeline.aligned import warn_of_meaning
from sibu.pipeline.bundle import open_recipe, verify
from sibu.pipeline.changed import begun_otherwise, changed_keys, named
from sibu.pipeline.judged import evaluate_all
from sibu.pipeline.loop import train
from sibu.pipeline.plan import Plan, fingerprint, make_plan
from sibu.pipeline.prepare import open_accelerator
from sibu.pipeline.progress import Progress, Silent
from sibu.pipeline.record import release_misses
from sibu.recipe.fill import as_written, with_absolute_paths
from sibu.recipe.load import Loaded
from sibu.store.atomic import disk_faults, write_json
from sibu.train.processes import is_first, shared


def run_recipe(
    loaded: Loaded, out: Path, *, resume: bool, force: bool, progress: Progress, log: Path | None = None
) -> Path:
    """Take a recipe to a bundle at ``out``.

    Args:
        loaded: The recipe.
        out: Where the bundle goes.
        resume: Whether to go on with what stands there.
        force: Whether to replace it.
        progress: Where to tell how far it is.
        log: Where the log of the steps goes when the run is done; None: nowhere.

    Raises:
        RecipeError: When something that the recipe names is not there, or ``out`` is taken.
        DataError: When the data gate finds errors.
        RunStopped: When training cannot go on.
        ReleaseMissed: When the bundle was written but misses a release condition.
    """
    began = time.time()
    if resume and force:
        raise RecipeError("--resume goes on with a run, --force begins anew: give one of the two.")
    out = out if out.name not in ("", "..") else out.resolve()
    if not out.name:
        raise RecipeError(f"{out} cannot be a bundle's folder. Choose another place with --out.")
    finished = resume and (out / "bundle.json").is_file()
    folds = loaded.recipe.folds is not None and loaded.fold is None
    if (loaded.recipe.repeats > 1 or folds) and not finished:
        from sibu.pipeline.repeats import run_repeats

        _check_place(out, out.with_name(out.name + ".working"), resume=resume, force=force)
        return run_repeats(loaded, out, resume=resume, force=force, progress=progress)
    if loaded.recipe.self_training is not None and loaded.more is None and not finished:
        from sibu.pipeline.selftrain import run_self_training

        _check_place(out, out.with_name(out.name + ".working"), resume=resume, force=force)
        return run_self_training(loaded, out, resume=resume, force=force, progress=progress)
    working = out.with_name(out.name + ".working")
    _check_parts(out, loaded, resume=resume, force=force)
    if resume and (out / "bundle.json").is_file() and not working.is_dir():
        _require_same(loaded, out)
        progress.say(f"{out} is a finished bundle; there is nothing to resume.")
        metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
        require_release(release_misses(loaded.recipe.release, metrics), out)
        return out
    first = is_first()
    if first:
        _check_place(out, working, resume=resume, force=force)
    else:
        progress = Silent()
    with ExitStack() as stack, disk_faults(working):
        scratch = Path(stack.enter_context(TemporaryDirectory(prefix="sibu-")))
        plan = gated_plan(loaded, progress)
        if first:
            _begin(working, plan, resume=resume, force=force)
        accelerator = open_accelerator(plan)  # with several processes, all meet here
        trained = train(plan, working, scratch, progress, stack, accelerator, resume=resume)
        missed: list[str] = []
        if first:
            from sibu.pipeline.heads import fit_heads
            from sibu.pipeline.write import write_bundle

            if trained.adapted.merge is not None:
                trained.adapted.merge()  # as the bundle will answer
            fitting = time.perf_counter()
            fit_heads(trained.model, trained.fitting, progress)
            trained.seconds += time.perf_counter() - fitting
            reports = evaluate_all(plan, trained.model, progress)
            warn_of_meaning(plan, reports, progress)
            if log is not None and (working / "steps.jsonl").is_file():
                shutil.copyfile(working / "steps.jsonl", log)
            missed = write_bundle(plan, trained, reports, out, working=working, began=began)
        missed = shared(missed, accelerator)
        accelerator.end_training()
    if first:
        shutil.rmtree(working, ignore_errors=True)
    require_release(missed, out)
    return out


def gated_plan(loaded: Loaded, progress: Progress) -> Plan:
    """What a run will do, with the training data encoded.

    Raises:
        RecipeError: When something that the recipe names is not there.
        DataError: When the data gate finds errors.
    """
    plan = make_plan(loaded, progress, encode=True)
    plan.gate.require()
    warned = plan.gate.faults.number("warning")
    if warned:
        progress.say(f"The data gate has {counted(warned, 'warning')}; `sibu check` and the report list them.")
    return plan


def require_release(missed: Sequence[str], out: Path) -> None:
    """Tell of the release conditions that a bundle misses.

    Raises:
        ReleaseMissed: When there are any.
    """
    if missed:
        listed = "; ".join(missed)
        raise ReleaseMissed(f"The bundle is at {out} but misses a release condition: {listed.rstrip('.')}.", out)


def _require_same(loaded: Loaded, out: Path) -> None:
    """Refuse to take a finished bundle for the run of another recipe."""
    verify(out)
    own = as_written(with_absolute_paths(loaded.recipe, loaded.home))
    known = as_written(open_recipe(out))
    settled = {f"train.{key}" for key, value in own["train"].items() if value is None}  # filled in by the run
    changed = [key for key in changed_keys(known, own, free=("track",)) if key not in settled]
    if changed:
        raise RecipeError(
            f"{out} is a finished bundle of another recipe: {named(changed)} changed since. "
            "Choose another place with --out, or replace it with --force."
        )


def _check_place(out: Path, working: Path, *, resume: bool, force: bool) -> None:
    """Refuse to lose what stands at the place of the bundle."""
    is_bundle = (out / "bundle.json").is_file()
    if (force or resume) and out.exists() and not is_bundle and (not out.is_dir() or any(out.iterdir())):
        why = "--force replaces bundles only" if force else "a run that goes on would replace it"
        raise RecipeError(
            f"{out} holds something that is no bundle; {why}. Move it away, or choose another place with --out."
        )
    if out.exists() and not force and not resume and (not out.is_dir() or any(out.iterdir())):
        what = "a bundle" if is_bundle else "something that is no bundle"
        mend = ", or replace it with --force" if is_bundle else ""
        raise RecipeError(f"{out} already holds {what}. Choose another place with --out{mend}.")
    from sibu.train.checkpoint import checkpoints

    if not resume and not force and checkpoints(working / "checkpoints"):
        step = json.loads((checkpoints(working / "checkpoints")[-1] / "progress.json").read_text())["step"]
        raise RecipeError(
            f"An unfinished run stands at {working} (step {step}). Go on with --resume, or begin anew with --force."
        )


def _check_parts(out: Path, loaded: Loaded, *, resume: bool, force: bool) -> None:
    """Refuse to pass by an unfinished run of several parts, which a recipe of one run cannot go on with."""
    for ending, what in ((".repeats", "run of several seeds or folds"), (".rounds", "self-training")):
        place = out.with_name(out.name + ending)
        if force and is_first():
            shutil.rmtree(place, ignore_errors=True)
        elif (place / "run.json").is_file():
            if resume:
                known = json.loads((place / "run.json").read_text(encoding="utf-8")).get("recipe")
                own = with_absolute_paths(loaded.recipe, loaded.home)
                raise begun_otherwise(f"The unfinished {what} at {place}", known, own)
            raise RecipeError(
                f"An unfinished {what} stands at {place}. Go on with it by the recipe that began it and --resume, "
                "or begin anew with --force."
            )


def _begin(working: Path, plan: Plan, *, resume: bool, force: bool) -> None:
    """Make the working folder; on resume, check that it is of the same recipe and data."""
    mark = fingerprint(plan)
    file = working / "run.json"
    if resume and file.is_file():
        known = json.loads(file.read_text(encoding="utf-8"))
        if known["fingerprint"] != mark:
            raise begun_otherwise(f"The unfinished run at {working}", known["recipe"], plan.recipe)
        return
    if force and working.exists():
        shutil.rmtree(working)
    write_json(file, {"fingerprint": mark, "recipe": as_written(plan.recipe)})
