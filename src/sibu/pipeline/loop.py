"""The training of a run: step, log, evaluate, save, stop; going on where it was stopped."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sibu.core.errors import RecipeError
from sibu.pipeline.judged import counting, dev_score, dev_scores, one_answer
from sibu.pipeline.plan import Plan
from sibu.pipeline.prepare import Trained, prepare, rules_learned
from sibu.pipeline.progress import Progress, Silent
from sibu.recipe.fill import as_written
from sibu.train.processes import is_first, several, shared

if TYPE_CHECKING:
    import numpy as np
    from accelerate import Accelerator

    from sibu.core.tensors import Batch
    from sibu.train.batches import Schedule, Stream
    from sibu.train.fit import Step


PROGRESS = ("evaluations", "best", "best_step", "seconds", "waited", "tokens", "examples", "stopped_early")
"""What a checkpoint holds of how far the training is, beside its step."""
ROUNDING = 1e-9
"""Scores that differ by less are equal."""
APART = 10.0
"""Seconds between checkpoints where the recipe does not say how many steps: what a kill costs at most. Steps of a small
run are faster than the disk, and it would spend half of its time on checkpoints."""

FEW = 64
"""Rows of each label, in the mean, up to which a run may end short of the weights that it trained."""
TOLD, NEAR = (0.6, 0.7), 0.7
"""Of how many rows of a label, in the mean over labels, the encoder knows it as it came where a run begins to end
short, and does so most; how far it goes then. Chosen on seven sets' training files, see docs/log.md, 2026-11-28."""


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
    trained.share, trained.known = _share(plan, trained, progress)
    if trained.share < 1:
        from sibu.train.interpolate import Start

        trained.start = Start(trained.model.encoders["text"])
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
    if trained.start is not None:
        trained.start.interpolate(trained.share)
    torch.set_grad_enabled(True)
    return trained


def _share(plan: Plan, trained: Trained, progress: Progress) -> tuple[float, dict[str, float]]:
    """How far of the way from the weights that came the run is to end, and how well these tell each task's rows."""
    import numpy as np

    from sibu.pipeline.heads import fitted, kinds_of, told_by_means

    recipe = plan.recipe
    if recipe.train.interpolation is not None:
        return recipe.train.interpolation, {}
    by_pairs = all(
        getattr(block.head, "fits", False) and getattr(block.head, "learn", "pairs") == "pairs"
        for block in recipe.tasks.values()
    )
    moves = recipe.reads_text and isinstance(recipe.model, str) and getattr(recipe.method, "trains_own", False)
    other = plan.values or recipe.knowledge is not None or recipe.train.reptile is not None
    if not (by_pairs and moves and trained.steps) or other:
        return 1.0, {}
    rows = {}
    for name, stream in fitted(trained.model, trained.fitting):
        kinds = kinds_of(stream, name)
        if kinds is None:
            return 1.0, {}
        # Copies of rows and rows that a model labelled stand behind the file's own, and would vouch for each other.
        kinds = kinds[: plan.tasks[name].surveys["train"].windows]
        if not len(np.unique(kinds)) > 1 or len(kinds) > FEW * len(np.unique(kinds)):
            return 1.0, {}
        rows[name] = stream, kinds
    if not rows:
        return 1.0, {}
    began = time.perf_counter()
    known = {name: told_by_means(trained.model, name, *each, progress) for name, each in rows.items()}
    trained.seconds += time.perf_counter() - began
    low, high = TOLD
    far = min(max((min(known.values()) - low) / (high - low), 0.0), 1.0)
    share = round(1.0 - (1.0 - NEAR) * far, 4)
    if share < 1:
        said = ", ".join(f"{name} {100 * own:.0f} %" for name, own in known.items())
        progress.say(f"The encoder as it came tells by the nearest mean: {said}. Its weights go {share:g} of the way.")
    return share, known


def _take_up(trained: Trained, saved: Mapping[str, Any]) -> None:
    trained.step = saved["step"]
    for name in PROGRESS:
        setattr(trained, name, saved.get(name, getattr(trained, name)))


def _progress_of(trained: Trained) -> dict[str, Any]:
    return {name: getattr(trained, name) for name in PROGRESS}


def work_from(
    schedule: Schedule,
    make: Callable[[Stream, np.ndarray, int], Batch],
    *,
    accumulate: int,
    start: int,
    accelerator: Accelerator,
) -> Iterator[list[Batch]]:
    """This process's batches of each step from the one after ``start`` on; no step spans two epochs.

    Args:
        schedule: Which records each batch has.
        make: Makes a batch of records for a step, when the step is due.
        accumulate: Batches a step of each process.
        start: Steps that are done.
        accelerator: Knows how many processes there are and which this is.
    """
    from sibu.train.processes import own_share

    each = accumulate * accelerator.num_processes
    epoch, done, step = 0, start, start
    while done and done >= (whole := math.ceil(schedule.batches(epoch) / each)):  # epochs differ in their batches
        epoch, done = epoch + 1, done - whole
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
        accumulate=options.accumulate,
        start=trained.step,
        accelerator=accelerator,
    )
    if plan.values:  # pictures and recordings take time to read; no text that a model writes is among them
        from sibu.train.ahead import ahead

        work = ahead(work)
    named: dict[str, Any] = {
        "loss": objective(
            trained.model,
            tasks,
            penalty=trained.adapted.penalty,
            blocks=plan.recipe.tasks,
            rules=rules_learned(plan),
        ),
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

        if several():
            raise RecipeError("`train.reptile` is for one process: start it without torchrun.")
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
    judged = any(not each.dev_is_train for each in plan.tasks.values())  # else the last weights are the run's
    if not trained.steps and judged and plan.watch is not None:  # nothing to choose, but a score that is asked for
        _evaluate_dev(plan, trained, accelerator, progress, trackers)
    if trained.stopped_early or trained.step >= trained.steps:
        return
    every = options.evaluate_every or trained.per_epoch
    factor = rate(options.schedule, steps=trained.steps, warmup=options.warmup)
    steps = stepping(plan, trained, accelerator, factor=factor, steps=trained.steps)
    first = is_first()
    saved = time.monotonic()
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
            ended = last or trained.stopped_early
            if options.checkpoint_every is None:
                due = (ended or step.number % every == 0) and time.monotonic() - saved >= APART
            else:
                due = ended or step.number % options.checkpoint_every == 0
            if first and due:
                save_checkpoint(
                    working / "checkpoints",
                    step=step.number,
                    model=trained.model,
                    optimizer=trained.optimizer,
                    progress=_progress_of(trained),
                    keep=options.keep_checkpoints,
                    more=trained.adapted.state() if trained.adapted.state is not None else None,
                )
                saved = time.monotonic()
            if trained.stopped_early:
                since = trained.evaluations[_first_best(trained)]["step"]
                progress.say(f"Stopped at step {step.number}: no better dev score since step {since}.")
                return


def _count(trained: Trained, step: Step, trackers: Sequence[Callable[[int, Mapping[str, float]], None]]) -> None:
    trained.step = step.number
    trained.seconds += step.seconds
    trained.waited += step.waited
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
    if plan.watch is not None and trained.steps:
        plan.watch(len(trained.evaluations), score)
    said = ", ".join(f"{task}.{metric} {scores[task][metric]:.4f}" for task, metric in counting(plan))
    progress.say(f"step {trained.step}/{trained.steps}: dev {said}")
    for track in trackers:
        track(trained.step, {f"dev/{task}.{m}": value for task, found in scores.items() for m, value in found.items()})
    # Of equal scores the later, and what one row's answer makes of one is equal: dev is soon at its best where it is
    # small, and slower steps go on to improve the rest.
    if score >= _highest(trained) - one_answer(plan) - ROUNDING or trained.best is None or math.isnan(trained.best):
        trained.best, trained.best_step = score, trained.step
        return True
    return False


def _highest(trained: Trained) -> float:
    """The highest dev score so far; NaN where there is none."""
    scores = [evaluation["score"] for evaluation in trained.evaluations if not math.isnan(evaluation["score"])]
    return max(scores, default=math.nan)


def _judged(plan: Plan, trained: Trained) -> tuple[float, dict[str, dict[str, float]]]:
    """What counts as better on dev, and every score."""
    from sibu.pipeline.heads import fit_heads

    with nullcontext() if trained.start is None else trained.start.interpolated(trained.share):
        fit_heads(trained.model, trained.fitting, Silent())
        scores = dev_scores(plan, trained.model, memo=trained.memo)
    return dev_score(plan, scores), scores


def _out_of_patience(trained: Trained, patience: int | None) -> bool:
    return patience is not None and len(trained.evaluations) - 1 - _first_best(trained) >= patience


def _first_best(trained: Trained) -> int:
    """Which evaluation was the first with the best score."""
    highest = _highest(trained)
    return next((number for number, each in enumerate(trained.evaluations) if each["score"] == highest), 0)


def _open_trackers(plan: Plan, working: Path, stack: ExitStack) -> list[Callable[[int, Mapping[str, float]], None]]:
    from sibu.trackers import TRACKERS

    opened = []
    for spec in plan.recipe.track:
        tracker = TRACKERS.of(spec).build(spec)
        run = stack.enter_context(tracker(working.parent, plan.recipe.name, as_written(plan.recipe)))
        opened.append(run.log)
    return opened
