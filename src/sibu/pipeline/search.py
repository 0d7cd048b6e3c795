"""Values of a recipe's keys searched by trial: what is best on dev."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import islice, product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sibu.core.errors import DataError, Fault, MissingExtra, RecipeError, RunStopped, SibuError, counted
from sibu.pipeline.changed import begun_otherwise
from sibu.pipeline.plan import make_plan, mark_of
from sibu.pipeline.progress import Progress, Silent
from sibu.recipe import yaml
from sibu.recipe.fill import as_written, with_absolute_paths
from sibu.recipe.load import Loaded, load_recipe
from sibu.recipe.schema import Range, Recipe, Search
from sibu.store.atomic import new_file, write_json
from sibu.train.seed import derive

if TYPE_CHECKING:
    from optuna import Study, Trial

COMBINATIONS = 256
"""Values together that are looked at before anything is tried, until some make a recipe."""
IDLE = ("name", "search", "release", "track", "repeats", "folds", "ensemble")
"""Keys that say nothing of what one trial learns."""
STUDY, FOUND, BEST = "study.db", "search.json", "best.yaml"


def search(
    source: Any,
    overrides: Sequence[str],
    out: Path,
    *,
    resume: bool,
    force: bool,
    workers: int,
    progress: Progress,
) -> dict[str, Any]:
    """Try values of the keys that a recipe's `search` names, and write the recipe that was best on dev.

    Args:
        source: The recipe, as ``load_recipe`` takes it.
        overrides: Dotted overrides.
        out: Folder of the study.
        resume: Go on with the study that stands there.
        force: Replace it.
        workers: Processes that try at the same time; of more than one the recipe must be a file.
        progress: Where to tell how far it is.

    Returns:
        What ``search.json`` holds: every trial, the score of the recipe as it is, the best.

    Raises:
        MissingExtra: When optuna is not installed.
        RecipeError: When there is no `search`, a value that it may try is not allowed, nothing is held out to choose
            by, or the place is taken.
        RunStopped: When no trial came to an end.
    """
    loaded = load_recipe(source, overrides)
    options = _options(loaded)
    _require_values(source, overrides, options)
    optuna = _optuna()
    mark = mark_of(loaded)
    if resume and not (out / "study.json").is_file():
        progress.say(f"There is no study at {out} to go on with; one begins.")
    _begin(out, mark, with_absolute_paths(loaded.recipe, loaded.home), resume=resume, force=force)
    study = _study(optuna, out, mark)
    for trial in study.trials:
        if trial.state == optuna.trial.TrialState.RUNNING:  # of a process that is no more
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    if "as it is" not in study.user_attrs:
        progress.say("search: the recipe as it is")
        study.set_user_attr("as it is", _score(source, overrides, {}, None))
    if workers > 1:
        _spawn(source, overrides, out, workers)
    else:
        work(source, overrides, out, progress)
    return _told(optuna, _study(optuna, out, mark), loaded, source, overrides, out)


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as fault:
        raise MissingExtra("`sibu search`", "optuna", "search") from fault
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def _options(loaded: Loaded) -> Search:
    recipe = loaded.recipe
    if recipe.search is None:
        mend = "Add `search: {space: {train.learning_rate: {low: 1.0e-5, high: 1.0e-3, log: true}}}`."
        raise RecipeError(Fault("search", "is missing: nothing says what is to be tried.", mend))
    if recipe.repeats > 1:
        raise RecipeError(Fault("repeats", "cannot go with a search: every trial has one seed.", "Leave it out."))
    if recipe.folds is not None:
        what = "cannot go with a search, which compares trials by one dev."
        raise RecipeError(Fault("folds", what, "Leave it out; say it afterwards, of `best.yaml`."))
    if _undivided(recipe):
        given = "shots" if all(block.data.shots is not None for block in recipe.tasks.values()) else "dev_share: 0"
        mend = f"Give `data.dev`, or leave out `{given}`."
        raise RecipeError(Fault("search", f"chooses by dev, and with `{given}` none is held out.", mend))
    return recipe.search


def _ends(values: Range | Sequence[Any]) -> list[Any]:
    """Values that stand for all: of a range both ends."""
    return [values.low, values.high] if isinstance(values, Range) else list(values)


def _require_values(source: Any, overrides: Sequence[str], options: Search) -> None:
    """Every value that may be tried is one that the recipe and its data may have, alone or with some of the others.

    Raises:
        RecipeError: Naming each that is not.
    """
    wrong: list[Fault] = []
    for key, values in options.space.items():
        where = f"search.space.{key}"
        if key.split(".")[0] in IDLE:
            wrong.append(Fault(where, "says nothing of what one trial learns.", "Leave it out."))
            continue
        for value in _ends(values):
            try:
                loaded = load_recipe(source, [*overrides, _override(key, value)])
            except RecipeError as fault:
                if _obstacle(source, overrides, {**options.space, key: [value]}) is not None:
                    why = fault.faults[0]
                    wrong.append(Fault(where, f"{value!r} cannot be: {why.message}", why.mend))
                continue
            if _undivided(loaded.recipe):
                wrong.append(Fault(where, f"{value!r} cannot be: no dev is held out then.", "Give `data.dev`."))
            elif ".data" in key and (refused := _refused(loaded)) is not None:
                wrong.append(Fault(where, f"{value!r} cannot be: {refused.message}", refused.mend))
    if wrong:
        raise RecipeError(wrong)
    if (reason := _obstacle(source, overrides, options.space)) is not None:
        what = f"no values of it go together: {reason.where}: {reason.message}"
        raise RecipeError(Fault("search.space", what, reason.mend))


def _refused(loaded: Loaded) -> Fault | None:
    """The first fault of a recipe with its data."""
    try:
        make_plan(loaded, Silent(), encode=False)
    except RecipeError as fault:
        return fault.faults[0]
    except DataError as fault:
        return Fault("", str(fault))
    return None


def _obstacle(source: Any, overrides: Sequence[str], space: Mapping[str, Range | Sequence[Any]]) -> Fault | None:
    """The first fault where no values of a space make a recipe together; None where some do."""
    first = None
    for values in islice(product(*map(_ends, space.values())), COMBINATIONS):
        try:
            load_recipe(source, [*overrides, *map(_override, space, values)])
        except RecipeError as fault:
            first = first or fault.faults[0]
        else:
            return None
    return first


def _undivided(recipe: Recipe) -> bool:
    """Whether no task holds rows out to choose by."""
    return all(block.data.undivided for block in recipe.tasks.values())


def _override(key: str, value: Any) -> str:
    return f"{key}={json.dumps(value, ensure_ascii=False)}"


def _begin(out: Path, mark: str, recipe: Recipe, *, resume: bool, force: bool) -> None:
    """Make the folder of the study.

    Raises:
        RecipeError: When a study stands there, and is not to be gone on with or is another's.
    """
    about = out / "study.json"
    if force and about.is_file():
        for name in (STUDY, FOUND, BEST, "study.json"):
            (out / name).unlink(missing_ok=True)
    if not about.is_file():
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise RecipeError(f"{out} holds something that is no study. Choose another place with --out.")
        write_json(about, {"mark": mark, "recipe": as_written(recipe)})
        return
    if not resume:
        raise RecipeError(f"A study stands at {out}. Go on with --resume, or begin anew with --force.")
    known = json.loads(about.read_text(encoding="utf-8"))
    if known["mark"] != mark:
        raise begun_otherwise(f"The study at {out}", known.get("recipe"), recipe)


def _study(optuna: Any, out: Path, mark: str) -> Study:
    storage = optuna.storages.RDBStorage(
        f"sqlite:///{(out / STUDY).resolve()}", engine_kwargs={"connect_args": {"timeout": 60}}
    )
    found: Study = optuna.create_study(storage=storage, study_name=mark, direction="maximize", load_if_exists=True)
    return found


def work(source: Any, overrides: Sequence[str], out: Path, progress: Progress) -> None:
    """Try until as many trials are done as the recipe says; several processes may do so on one study.

    What a trial tries follows from seed, number, and the trials that are done: a study that was stopped and goes on (in
    one process) tries what an unbroken one does.
    """
    optuna = _optuna()
    loaded = load_recipe(source, overrides)
    options = _options(loaded)
    study = _study(optuna, out, mark_of(loaded))
    state = optuna.trial.TrialState
    study.pruner = optuna.pruners.NopPruner()
    if options.prune:
        study.pruner = optuna.pruners.MedianPruner(n_startup_trials=options.first)
    while _before(study, len(study.trials), state.FAIL) < options.trials:
        trial = study.ask()
        place = _before(study, trial.number, state.FAIL)
        if place >= options.trials:  # another process asked for the last one in the same moment
            study.tell(trial, state=state.FAIL)
            return
        seed = derive(loaded.recipe.train.seed, "search", place) % 2**32
        study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=options.first)
        values = {key: _suggested(trial, key, own) for key, own in options.space.items()}
        trial.set_user_attr("values", values)
        done = (each for each in study.trials if each.state == state.COMPLETE)
        same = next((each for each in done if each.user_attrs["values"] == values), None)
        shown = ", ".join(f"{key} {_short(value)}" for key, value in values.items())
        if same is not None:  # a run is the same to the bit each time
            study.tell(trial, same.value)
            said = f"as in trial {same.number + 1}: dev {same.value:.4f}"
            progress.say(f"trial {trial.number + 1} of {options.trials}: {shown}: {said}")
            continue
        try:
            score = _score(source, overrides, values, trial)
        except optuna.TrialPruned:
            study.tell(trial, state=state.PRUNED)
            progress.say(f"trial {trial.number + 1} of {options.trials}: {shown}: stopped, others were better by then")
            continue
        except SibuError as fault:
            trial.set_user_attr("fault", str(fault))
            study.tell(trial, state=state.FAIL)
            progress.say(f"trial {trial.number + 1} of {options.trials}: {shown}: failed: {fault}")
            continue
        study.tell(trial, score)
        progress.say(f"trial {trial.number + 1} of {options.trials}: {shown}: dev {score:.4f}")


def _before(study: Study, number: int, failed: Any) -> int:
    """How many trials before a number count: all but those that were cut off."""
    before = [each for each in study.trials if each.number < number]
    return sum(each.state != failed or "fault" in each.user_attrs for each in before)


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _suggested(trial: Trial, key: str, values: Range | Sequence[Any]) -> Any:
    if not isinstance(values, Range):
        place = trial.suggest_categorical(key, list(range(len(values))))
        return values[int(place)]
    if all(isinstance(each, int) for each in (values.low, values.high, values.step or 1)):
        return trial.suggest_int(key, int(values.low), int(values.high), step=int(values.step or 1), log=values.log)
    return trial.suggest_float(key, values.low, values.high, log=values.log, step=values.step)


def _score(source: Any, overrides: Sequence[str], values: Mapping[str, Any], trial: Trial | None) -> float:
    """The best dev score of one run."""
    from sibu.pipeline.stages import run_recipe

    own = [*overrides, *(_override(key, value) for key, value in values.items())]
    loaded = load_recipe(source, own)
    tasks = {
        name: block.model_copy(update={"data": block.data.model_copy(update={"test": None, "in_domain": None})})
        for name, block in loaded.recipe.tasks.items()
    }
    recipe = loaded.recipe.model_copy(update={"tasks": tasks, "release": {}, "track": (), "ensemble": False})
    watch = (lambda *_: None) if trial is None else _watch(trial)
    with TemporaryDirectory(prefix="sibu-search-") as scratch:
        out = Path(scratch) / "bundle"
        own_run = replace(loaded, recipe=recipe, watch=watch)
        run_recipe(own_run, out, resume=False, force=True, progress=Silent())
        record = json.loads((out / "record.json").read_text(encoding="utf-8"))
    scores = [each["score"] for each in record["evaluations"]]
    if not scores or not math.isfinite(max(scores)):
        raise RunStopped("no dev score came out of it: its figures on dev are no numbers.")
    return float(max(scores))


def _watch(trial: Trial) -> Callable[[int, float], None]:
    """Tells a trial each dev score; ends it where others were better by then."""
    import optuna

    def told(number: int, score: float) -> None:
        trial.report(score, number)
        if trial.should_prune():
            raise optuna.TrialPruned

    return told


def _spawn(source: Any, overrides: Sequence[str], out: Path, workers: int) -> None:
    """Processes that try at the same time, with the machine's threads shared among them."""
    import os

    if not isinstance(source, str | Path):
        raise RecipeError("Several workers read the recipe from its file: give a file, or one worker.")
    threads = max((os.cpu_count() or 1) // workers, 1)
    own = os.environ | {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(threads))}
    code = "import sys; from pathlib import Path; from sibu.api import search_worker; search_worker(*sys.argv[1:])"
    command = [sys.executable, "-c", code, str(source), str(out), *overrides]
    running = [subprocess.Popen(command, env=own) for _ in range(workers)]
    try:
        codes = [each.wait() for each in running]
    except BaseException:
        for each in running:
            each.terminate()
        raise
    if any(codes):
        raise RunStopped(f"{counted(sum(map(bool, codes)), 'worker')} of {workers} ended with a fault; see above.")


def _told(
    optuna: Any, study: Study, loaded: Loaded, source: Any, overrides: Sequence[str], out: Path
) -> dict[str, Any]:
    """Write what was found, and the best recipe."""
    trials = [
        {
            "number": trial.number,
            "state": trial.state.name.lower(),
            "values": trial.user_attrs.get("values", {}),
            "score": trial.value,
            **({"fault": trial.user_attrs["fault"]} if "fault" in trial.user_attrs else {}),
        }
        for trial in study.trials
        if trial.state != optuna.trial.TrialState.FAIL or "fault" in trial.user_attrs
    ]
    done = [each for each in trials if each["state"] == "complete"]
    if not done:
        first = next((each["fault"] for each in trials if "fault" in each), "they were all pruned")
        raise RunStopped(f"No trial of {len(trials)} came to an end: {first}")
    best = max(done, key=lambda each: (each["score"], -each["number"]))
    before = float(study.user_attrs["as it is"])
    better = best["score"] > before
    values = best["values"] if better else {}
    found = load_recipe(source, [*overrides, *(_override(key, value) for key, value in values.items())])
    written = as_written(with_absolute_paths(found.recipe, loaded.home))
    written.pop("search")
    with new_file(out / BEST) as temporary:
        temporary.write_text(yaml.dump(written), encoding="utf-8")
    told = {"as it is": before, "best": best, "better": better, "recipe": str(out / BEST), "trials": trials}
    write_json(out / FOUND, told)
    return told
