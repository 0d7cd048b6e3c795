"""The stages of a run, in order: plan, train, evaluate, write the bundle."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sibu.core.errors import RecipeError, ReleaseMissed, RunStopped, counted
from sibu.core.result import Report
from sibu.methods import METHODS
from sibu.pipeline.bundle import open_recipe, verify
from sibu.pipeline.consistent import pair_streams
from sibu.pipeline.plan import Plan, fills, fingerprint, learns, make_plan, plan_steps, writes
from sibu.pipeline.progress import Progress, Silent
from sibu.pipeline.record import release_misses
from sibu.pipeline.teach import with_taught
from sibu.recipe.fill import as_written, with_absolute_paths
from sibu.recipe.load import Loaded
from sibu.store.atomic import disk_faults, write_json
from sibu.train.processes import is_first, shared

if TYPE_CHECKING:
    import numpy as np
    import torch
    from accelerate import Accelerator

    from sibu.core.protocols import Adapted
    from sibu.core.tensors import Batch
    from sibu.pipeline.assemble import Ensemble, Model
    from sibu.pipeline.frozen import Memo
    from sibu.train.batches import Schedule, Stream
    from sibu.train.fit import Step


@dataclass(slots=True)
class Trained:
    """A model in training, and what its training has told."""

    model: Model
    adapted: Adapted
    optimizer: torch.optim.Optimizer
    schedule: Schedule
    per_epoch: int
    steps: int
    make: Callable[[Stream, np.ndarray, int], Batch]
    """Makes a batch of records for a step."""
    step: int = 0
    evaluations: list[dict[str, Any]] = field(default_factory=list)
    """``{step, score, scores: {task: {metric: value}}}`` of each evaluation on dev."""
    best: float | None = None
    best_step: int = 0
    seconds: float = 0.0
    tokens: int = 0
    examples: int = 0
    stopped_early: bool = False
    memo: Memo | None = None
    """Kept vectors of dev, where the whole encoder is frozen."""
    fitting: Sequence[Stream] = ()
    """The streams of the tasks whose head is fitted."""
    soup: Sequence[int] = ()
    """The steps whose weights were averaged; none: they were not."""


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
    changed = sorted(path for path in set(_differences(known, own)) - settled if path != "track")
    if changed:
        raise RecipeError(
            f"{out} is a finished bundle of another recipe: {', '.join(changed[:5])} changed since. "
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


def _begin(working: Path, plan: Plan, *, resume: bool, force: bool) -> None:
    """Make the working folder; on resume, check that it is of the same recipe and data."""
    mark = fingerprint(plan)
    file = working / "run.json"
    if resume and file.is_file():
        known = json.loads(file.read_text(encoding="utf-8"))
        if known["fingerprint"] != mark:
            changed = sorted(_differences(known["recipe"], as_written(plan.recipe)))
            what = f"the recipe ({', '.join(changed[:5])})" if changed else "the data or the model"
            raise RecipeError(
                f"The unfinished run at {working} was begun with something else: {what} changed since. "
                "Undo the change to resume, or begin anew with --force."
            )
        return
    if force and working.exists():
        shutil.rmtree(working)
    write_json(file, {"fingerprint": mark, "recipe": as_written(plan.recipe)})


def _differences(one: Any, two: Any, path: str = "") -> Iterator[str]:
    if isinstance(one, dict) and isinstance(two, dict):
        for key in one.keys() | two.keys():
            yield from _differences(one.get(key), two.get(key), f"{path}.{key}" if path else key)
    elif one != two:
        yield path


def train(
    plan: Plan,
    working: Path,
    scratch: Path,
    progress: Progress,
    stack: ExitStack,
    accelerator: Accelerator,
    *,
    resume: bool,
) -> Trained:
    """Adapt the model; the best weights by the dev score are in it at the end."""
    import torch

    from sibu.train.checkpoint import checkpoints, load_checkpoint, load_weights

    trained = prepare(plan, accelerator, scratch, progress)
    found = checkpoints(working / "checkpoints")
    if resume and not found:
        progress.say("There is no checkpoint to resume from; the run begins anew.")
    if found:
        saved, more = load_checkpoint(found[-1], model=trained.model, optimizer=trained.optimizer)
        _take_up(trained, saved)
        if trained.adapted.restore is not None:
            trained.adapted.restore(more)
        progress.say(f"Resumed at step {trained.step} of {trained.steps}.")
    trackers = _open_trackers(plan, working, stack) if is_first() else []
    _loop(plan, trained, accelerator, working, progress, trackers)
    accelerator.wait_for_everyone()
    best = working / "best.safetensors"
    if best.is_file():
        from safetensors.torch import load_file

        load_weights(trained.model, load_file(best))
    if plan.recipe.train.soup is not None and is_first() and trained.evaluations:
        from sibu.pipeline.soup import cook

        own = (working / "soup", trained.model, trained.evaluations, plan.recipe.train.soup)
        trained.soup, trained.best = cook(*own, lambda: _judged(plan, trained)[0], progress)
    torch.set_grad_enabled(True)
    return trained


def open_accelerator(plan: Plan) -> Accelerator:
    """What carries the devices and the precision of a run.

    Raises:
        RecipeError: When this machine cannot compute in the precision.
    """
    import torch

    from sibu.train.processes import accelerator

    wanted = plan.recipe.train.precision
    if wanted == "auto":
        wanted = "bfloat16" if torch.cuda.is_available() and torch.cuda.is_bf16_supported() else "float32"
    mixed = {"float32": "no", "bfloat16": "bf16", "float16": "fp16"}[wanted]
    if mixed == "fp16" and not torch.cuda.is_available():
        raise RecipeError("train.precision is float16, which needs a GPU. Use float32 or bfloat16 on this machine.")
    return accelerator(mixed)


def prepare(plan: Plan, accelerator: Accelerator, scratch: Path, progress: Progress) -> Trained:
    """The model of a run as it is before its first step."""
    from sibu.train.seed import deterministic, seed_torch

    deterministic()
    seed_torch(plan.recipe.train.seed, "model")
    trained = _assemble(plan, accelerator, scratch, progress)
    if trained.adapted.begin is not None:
        trained.adapted.begin(trained.steps)
    return trained


def _assemble(plan: Plan, accelerator: Accelerator, scratch: Path, progress: Progress) -> Trained:
    """Encoder, method, heads, optimiser and the schedule of batches."""
    from sibu.fusions import FUSIONS
    from sibu.pipeline.assemble import Model, build_heads, text_encoder
    from sibu.pipeline.corrupt import Corrupter, corrupts
    from sibu.pipeline.frozen import Memo
    from sibu.pipeline.heads import fitted, kinds_of, start_heads
    from sibu.pipeline.lent import borrow_heads
    from sibu.pipeline.rollout import Explorer, explores
    from sibu.train.batches import Budget, Schedule
    from sibu.train.optim import Rated, adamw

    recipe, options = plan.recipe, plan.recipe.train
    encoder: Any = text_encoder(
        plan.source.folder,
        shapes=plan.shapes,
        dropout=recipe.text.dropout,
        allow_pickle=recipe.allow_pickle,
        writes=writes(recipe),
        fills=fills(recipe),
    )
    adapted: Adapted = METHODS.of(recipe.method).build(encoder, recipe.method)
    tasks = {name: each.task for name, each in plan.tasks.items()}
    fixed = {name: block.weight for name, block in recipe.tasks.items()} if options.weighting == "fixed" else None
    fusion = FUSIONS.of(recipe.fusion).build(recipe.fusion)
    model = Model({"text": adapted.encoder}, fusion, build_heads(tasks, recipe, encoder), weights=fixed)
    peak, head = options.learning_rate or 0.0, options.head_learning_rate or 0.0
    rated = [Rated(group.parameters, peak * group.scale) for group in adapted.groups]
    rated.append(Rated([*model.heads.parameters(), *model.fusion.parameters()], head))
    if fixed is None:
        rated.append(Rated(list(model.log_variances.parameters()), head, decay=False))
    model.to(accelerator.device)
    start_heads(model, plan)
    borrow_heads(model, plan)
    packed = encoder.packs and not encoder.prompted
    streams = [replace(stream, packed=packed) for stream in _streams(plan)]
    streams += pair_streams(plan)
    streams = [with_taught(plan, _with_reference(plan, model, stream, progress)) for stream in streams]
    anew = any(explores(task) or corrupts(task) for task in tasks.values())  # texts that no layer has seen before
    if adapted.frozen_layers and not anew:
        from sibu.pipeline.frozen import precompute

        streams = precompute(model, streams, adapted.frozen_layers, scratch, progress)
    budget = Budget(options.batch_tokens or 1, options.batch_examples)
    pairing = fitted(model, streams)
    fitting = [stream for _, stream in pairing]
    for name, stream in pairing:
        streams = [replace(each, kinds=kinds_of(stream, name)) if each is stream else each for each in streams]
    streams = [each for each in streams if any(learns(recipe, name) for name in each.targets)]
    schedule = Schedule(streams, budget=budget, sampling=options.sampling, seed=options.seed)
    per_epoch, steps = plan_steps(recipe, schedule.steps_per_epoch, processes=accelerator.num_processes)
    optimizer = accelerator.prepare_optimizer(adamw(rated, weight_decay=options.weight_decay))
    memo = Memo() if adapted.frozen_layers == len(encoder.layers()) else None
    make = Corrupter(tasks, options.seed, Explorer(plan, model))
    return Trained(model, adapted, optimizer, schedule, per_epoch, steps, make, memo=memo, fitting=fitting)


def _streams(plan: Plan) -> list[Stream]:
    """The tasks' windows as streams; tasks that read the same windows share one and are encoded once."""
    from sibu.pipeline.corrupt import corrupts
    from sibu.pipeline.rollout import explores
    from sibu.train.batches import Stream

    groups: dict[str, list[str]] = {}
    for name, each in plan.tasks.items():
        if each.learned is None:
            continue
        own = explores(each.task) or corrupts(each.task) or getattr(each.task, "group", 1) > 1
        alone = f"{each.key} {name}" if own else each.key
        groups.setdefault(alone, []).append(name)
    streams = []
    for names in groups.values():
        first = plan.tasks[names[0]]
        if first.inputs is None:
            raise RunStopped("The training data was not encoded.")
        targets = {name: arrays for name in names if (arrays := plan.tasks[name].targets) is not None}
        lengths = first.inputs.lengths("input_ids")
        written = [each.lengths("answer") for each in targets.values() if "answer" in {f.name for f in each.present}]
        group = int(getattr(first.task, "group", 1))
        lengths = sum(written, lengths)
        if explores(first.task):  # what it may write is planned for
            task: Any = first.task
            lengths = (lengths + task.room) * task.candidates
        streams.append(Stream("+".join(names), first.inputs, targets, lengths, group=group))
    return streams


def _with_reference(plan: Plan, model: Model, stream: Stream, progress: Progress) -> Stream:
    """The stream with how likely the model finds each answer before it is trained, where a task's loss asks for it."""
    from sibu.pipeline.written import log_probabilities

    targets = dict(stream.targets)
    for name in stream.targets:
        task = plan.tasks[name].task
        if getattr(task, "compares", False) and plan.recipe.train.epochs:
            feature = next(each for each in task.features if each.name == "reference")
            found = log_probabilities(model, name, stream, progress)
            targets[name] = targets[name].with_numbers(feature, found)
    return replace(stream, targets=targets)


def _take_up(trained: Trained, saved: Mapping[str, Any]) -> None:
    trained.step = saved["step"]
    for name in ("evaluations", "best", "best_step", "seconds", "tokens", "examples", "stopped_early"):
        setattr(trained, name, saved[name])


def _progress_of(trained: Trained) -> dict[str, Any]:
    names = ("evaluations", "best", "best_step", "seconds", "tokens", "examples", "stopped_early")
    return {name: getattr(trained, name) for name in names}


def work_from(
    schedule: Schedule,
    make: Callable[[Stream, np.ndarray, int], Batch],
    *,
    per_epoch: int,
    accumulate: int,
    start: int,
    accelerator: Accelerator,
) -> Iterator[list[Batch]]:
    """This process's batches of each step from the one after ``start`` on; no step spans two epochs.

    Args:
        schedule: Which records each batch has.
        make: Makes a batch of records for a step, when the step is due.
        per_epoch: Steps an epoch.
        accumulate: Batches a step of each process.
        start: Steps that are done.
        accelerator: Knows how many processes there are and which this is.
    """
    from sibu.train.processes import own_share

    epoch, done = divmod(start, per_epoch)
    step = start
    each = accumulate * accelerator.num_processes
    while True:
        drawn = islice(schedule.epoch(epoch), done * each, None)
        while part := list(islice(drawn, each)):
            step += 1
            yield [make(stream, records, step) for stream, records in own_share(part, accelerator)]
        epoch, done = epoch + 1, 0


def stepping(
    plan: Plan, trained: Trained, accelerator: Accelerator, *, factor: Callable[[int], float], steps: int
) -> Iterator[Step]:
    """Train from the step after ``trained.step`` up to ``steps``, and yield what each step did.

    Args:
        plan: The run.
        trained: Its model.
        accelerator: Devices, precision, processes.
        factor: What each peak learning rate is multiplied by at a step.
        steps: Number of the last step; the training data is gone through as often as they need.
    """
    from sibu.pipeline.assemble import objective
    from sibu.train.fit import fit

    options = plan.recipe.train
    tasks = {name: each.task for name, each in plan.tasks.items()}
    work = work_from(
        trained.schedule,
        trained.make,
        per_epoch=trained.per_epoch,
        accumulate=options.accumulate,
        start=trained.step,
        accelerator=accelerator,
    )
    named: dict[str, Any] = {
        "loss": objective(trained.model, tasks, penalty=trained.adapted.penalty, blocks=plan.recipe.tasks),
        "optimizer": trained.optimizer,
        "factor": factor,
        "accelerator": accelerator,
        "seed": options.seed,
        "steps": steps,
        "start": trained.step,
        "clip": options.clip,
    }
    if options.reptile is not None:
        from sibu.train.reptile import reptile

        own = options.reptile
        return reptile(trained.model, work, inner=own.steps, share=own.share, **named)
    return fit(trained.model, work, after=trained.adapted.after_step, **named)


def _loop(
    plan: Plan,
    trained: Trained,
    accelerator: Accelerator,
    working: Path,
    progress: Progress,
    trackers: Sequence[Callable[[int, Mapping[str, float]], None]],
) -> None:
    """Step, log, evaluate, save, stop."""
    from sibu.pipeline.soup import keep
    from sibu.train.checkpoint import save_checkpoint, save_weights
    from sibu.train.optim import rate

    options = plan.recipe.train
    if trained.stopped_early or trained.step >= trained.steps:
        return
    judged = any(not each.dev_is_train for each in plan.tasks.values())  # else the last weights are the run's
    every = options.evaluate_every or trained.per_epoch
    save_every = options.checkpoint_every or every
    factor = rate(options.schedule, steps=trained.steps, warmup=options.warmup)
    steps = stepping(plan, trained, accelerator, factor=factor, steps=trained.steps)
    first = is_first()
    log = _step_log(working / "steps.jsonl", trained.step) if first else nullcontext(lambda _: None)
    with log as write, progress.bar("training", trained.steps) as advance:
        advance(trained.step)
        for step in steps:
            _count(trained, step, trackers)
            write(step)
            advance(1)
            last = step.number == trained.steps
            if not judged:
                trained.best_step = step.number
            if judged and (step.number % every == 0 or last):
                better = _evaluate_dev(plan, trained, accelerator, progress, trackers)
                if better and first:
                    save_weights(trained.model, working / "best.safetensors")
                if options.soup is not None and first:
                    keep(working / "soup", trained.model, trained.evaluations, options.soup)
                trained.stopped_early = _out_of_patience(trained, options.patience)
            if first and (step.number % save_every == 0 or last or trained.stopped_early):
                save_checkpoint(
                    working / "checkpoints",
                    step=step.number,
                    model=trained.model,
                    optimizer=trained.optimizer,
                    progress=_progress_of(trained),
                    keep=options.keep_checkpoints,
                    more=trained.adapted.state() if trained.adapted.state is not None else None,
                )
            if trained.stopped_early:
                progress.say(f"Stopped at step {step.number}: no better dev score since step {trained.best_step}.")
                return


def _count(trained: Trained, step: Step, trackers: Sequence[Callable[[int, Mapping[str, float]], None]]) -> None:
    trained.step = step.number
    trained.seconds += step.seconds
    trained.tokens += step.tokens
    trained.examples += step.examples
    for track in trackers:
        track(step.number, {"loss": step.loss, "learning_rate": step.learning_rate})


def _step_log(file: Path, start: int) -> AbstractContextManager[Callable[[Step], None]]:
    """One line a step; on resume, lines of steps that will be done again are taken out first."""
    from contextlib import contextmanager

    @contextmanager
    def opened() -> Iterator[Callable[[Step], None]]:
        kept = []
        if start and file.is_file():
            lines = file.read_text(encoding="utf-8").splitlines()
            kept = [line for line in lines if line.endswith("}") and json.loads(line)["step"] <= start]
        with file.open("w", encoding="utf-8", buffering=1) as out:
            out.writelines(line + "\n" for line in kept)

            def write(step: Step) -> None:
                line = {"step": step.number, "loss": round(step.loss, 6), "losses": dict(step.losses)}
                line |= {"learning_rate": step.learning_rate, "seconds": round(step.seconds, 4), "tokens": step.tokens}
                out.write(json.dumps(line) + "\n")

            yield write

    return opened()


def dev_scores(plan: Plan, model: Model, *, memo: Memo | None = None) -> dict[str, dict[str, float]]:
    """Every metric of every task on its dev, of a model whose heads are fitted; ``memo`` keeps vectors of dev."""
    from sibu.pipeline.predict import evaluate_rows

    counts = counting(plan)
    found = {}
    for name, each in plan.tasks.items():
        if each.dev_is_train:
            continue
        rows = each.splits["dev"]
        block = plan.recipe.tasks[name]
        wanted = {each.task.main_metric, *(metric for task, metric in counts if task == name)}
        unwritten = set(getattr(each.task, "unwritten", ()))
        report = evaluate_rows(
            model,
            name,
            each.task,
            plan.text,
            rows,
            split="dev",
            total=len(rows),
            intervals=False,
            memo=memo,
            block=block if wanted - unwritten else None,
        )
        found[name] = {metric: score.value for metric, score in report.scores.items()}
    return found


def counting(plan: Plan) -> list[tuple[str, str]]:
    """The tasks and metrics by which one evaluation on dev is better than another."""
    stop = plan.recipe.train.stop_on
    if stop == "mean":
        return [(name, each.task.main_metric) for name, each in plan.tasks.items() if not each.dev_is_train]
    task, metric = stop.split(".")
    return [(task, metric)]


def dev_score(plan: Plan, scores: Mapping[str, Mapping[str, float]]) -> float:
    """What counts as better on dev, of all its scores."""
    from sibu.metrics import goodness

    values = [goodness(metric, scores[task][metric]) for task, metric in counting(plan)]
    return sum(values) / len(values)


def _evaluate_dev(
    plan: Plan,
    trained: Trained,
    accelerator: Accelerator,
    progress: Progress,
    trackers: Sequence[Callable[[int, Mapping[str, float]], None]],
) -> bool:
    """Score dev, note it, and tell whether it is the best so far."""
    judged: Any = shared(_judged(plan, trained) if is_first() else None, accelerator)
    score, scores = judged
    trained.evaluations.append({"step": trained.step, "score": score, "scores": scores})
    if plan.watch is not None:
        plan.watch(len(trained.evaluations), score)
    said = ", ".join(f"{task}.{metric} {scores[task][metric]:.4f}" for task, metric in counting(plan))
    progress.say(f"step {trained.step}/{trained.steps}: dev {said}")
    for track in trackers:
        track(trained.step, {f"dev/{task}.{m}": value for task, found in scores.items() for m, value in found.items()})
    if trained.best is None or score > trained.best:
        trained.best, trained.best_step = score, trained.step
        return True
    return False


def _judged(plan: Plan, trained: Trained) -> tuple[float, dict[str, dict[str, float]]]:
    """What counts as better on dev, and every score."""
    from sibu.pipeline.heads import fit_heads

    fit_heads(trained.model, trained.fitting, Silent())
    scores = dev_scores(plan, trained.model, memo=trained.memo)
    return dev_score(plan, scores), scores


def _out_of_patience(trained: Trained, patience: int | None) -> bool:
    since = [evaluation for evaluation in trained.evaluations if evaluation["step"] > trained.best_step]
    return patience is not None and len(since) >= patience


def _open_trackers(plan: Plan, working: Path, stack: ExitStack) -> list[Callable[[int, Mapping[str, float]], None]]:
    from sibu.trackers import TRACKERS

    opened = []
    for spec in plan.recipe.track:
        tracker = TRACKERS.of(spec).build(spec)
        run = stack.enter_context(tracker(working.parent, plan.recipe.name, as_written(plan.recipe)))
        opened.append(run.log)
    return opened


def evaluate_all(
    plan: Plan, model: Model | Ensemble, progress: Progress, *, leave_dev: Container[str] = ()
) -> list[Report]:
    """Every task on dev and on each test file, with intervals; the dev of tasks in ``leave_dev`` is left out."""
    from sibu.pipeline.predict import evaluate_rows

    reports = []
    for name, each in plan.tasks.items():
        for split, rows in each.splits.items():
            if split == "train" or (split == "dev" and (each.dev_is_train or name in leave_dev)):
                continue
            named: dict[str, Any] = {"split": split, "total": len(rows), "block": plan.recipe.tasks[name]}
            reports.append(evaluate_rows(model, name, each.task, plan.text, rows, progress=progress, **named))
    return reports
