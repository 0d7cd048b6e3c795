"""The learning rate of a recipe looked for by one sweep over rates.

Source: Smith, 2017, arXiv:1506.01186; fastai's ``lr_find``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import log10
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

from sibu.core.errors import Fault, RecipeError, counted
from sibu.pipeline.backbone import build_task
from sibu.pipeline.plan import Plan, learns
from sibu.pipeline.progress import Progress
from sibu.pipeline.report.alone import chart_page
from sibu.pipeline.report.charts import Series
from sibu.recipe.load import Loaded
from sibu.store.atomic import disk_faults, new_file, write_json
from sibu.train.processes import several
from sibu.train.sweep import Curve, Reading, rates_of, read

if TYPE_CHECKING:
    from sibu.pipeline.prepare import Trained

FOUND, PICTURE = "rates.json", "rates.html"
ENCODER, HEADS = "train.learning_rate", "train.head_learning_rate"
FEWEST_STEPS = 20
"""Below this a sweep's steps lie too far apart."""

End = Literal["end", "rise", "not finite"]


@dataclass(frozen=True, slots=True)
class _Axis:
    """What the rates of a sweep are rates of."""

    key: str
    """Of the recipe."""
    own: Mapping[str, float]
    """The recipe's own rate of each key that the sweep moves, the axis's first."""

    def values(self, rate: float) -> dict[str, float]:
        """Each key's value at a rate of the axis, to two digits."""
        return {key: float(f"{rate * own / self.own[self.key]:.2g}") for key, own in self.own.items()}


def sweep(
    loaded: Loaded, out: Path, *, low: float, high: float, steps: int, force: bool, progress: Progress
) -> dict[str, Any]:
    """Train while the rate grows from step to step; tell from the loss which rate suits.

    The model and its batches are those of a run. The rates of all weights grow together, in the recipe's own ratios;
    the axis is the encoder's peak rate, ``train.learning_rate``, or where the encoder is frozen
    ``train.head_learning_rate``. Epochs, schedule and warm-up of the recipe play no part, nor do the pairs of
    `consistency`. Nothing is kept of the model.

    Args:
        loaded: The recipe; of one with `repeats`, `folds` or `self_training` the first model is trained.
        out: Folder for ``rates.json`` and ``rates.html``.
        low: The first rate.
        high: The last rate. The sweep ends before it where the smoothed loss is four times its lowest.
        steps: How many rates.
        force: Replace the sweep that stands there.
        progress: Where to tell how far it is.

    Returns:
        What ``rates.json`` holds: the table, suggestions (none where the loss tells none) and how to read them.

    Raises:
        RecipeError: When rates or steps are out of range, nothing trains by steps, or the place is taken.
        DataError: When the data gate finds errors.
    """
    _require_range(low, high, steps)
    if several():
        raise RecipeError("A sweep over learning rates is for one process.")
    _require_place(out, force=force)
    try:
        _require_steps(loaded)
    except RecipeError as fault:
        raise loaded.placed(fault) from None
    if loaded.recipe.folds is not None:
        loaded = replace(loaded, fold=0)
    with TemporaryDirectory(prefix="sibu-rates-") as scratch, disk_faults(Path(scratch)):
        plan, axis, curve, end = _swept(loaded, Path(scratch), rates_of(low, high, steps), progress)
    found = {"name": plan.recipe.name, "seed": plan.recipe.train.seed, "key": axis.key}
    found |= {"low": low, "high": high, "steps": steps, "recipe": dict(axis.own)}
    found |= _told(axis, curve, end, high)
    with new_file(out / PICTURE) as temporary:
        temporary.write_text(_picture(axis, curve, found), encoding="utf-8")
    write_json(out / FOUND, found)
    return found


def _require_range(low: float, high: float, steps: int) -> None:
    """Refuse rates and steps of which no sweep can be made."""
    if not (0 < low < high < math.inf):
        raise RecipeError(f"A sweep goes up from `low` to `high`, both above 0; given {low:g} and {high:g}.")
    if steps < FEWEST_STEPS:
        raise RecipeError(f"A sweep needs at least {FEWEST_STEPS} steps, given {steps}.")


def _require_place(out: Path, *, force: bool) -> None:
    """Refuse to lose what stands at the place of the sweep."""
    if (out / FOUND).is_file():
        if not force:
            raise RecipeError(f"A sweep stands at {out}. Choose another place with --out, or replace it with --force.")
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RecipeError(f"{out} holds something that is no sweep. Choose another place with --out.")


def _require_steps(loaded: Loaded) -> None:
    """Refuse a recipe whose loss tells nothing of the rate, before its data is read.

    Raises:
        RecipeError: When it has no steps, goes a share of them, or learns by reward.
    """
    recipe = loaded.recipe
    if not recipe.train.trains:
        mend = "Sweep with train.epochs=1 or more."
        raise RecipeError(Fault("train.epochs", "is 0: nothing is trained, and no rate is used.", mend))
    if not any(learns(recipe, name) for name in recipe.tasks):
        what = "nothing trains by steps: the encoder stays as it is, and no head is trained on top of it."
        mend = "Take a method that trains the encoder, or the head `linear`; else there is no rate to look for."
        raise RecipeError(Fault("method", what, mend))
    if recipe.train.reptile is not None:
        what = "keeps a share of the way that some steps go: the sweep would change the share, not the rate."
        raise RecipeError(Fault("train.reptile", what, "Sweep with train.reptile=null."))
    from sibu.pipeline.rollout import explores  # torch comes with it

    for name, block in recipe.tasks.items():
        if explores(build_task(block.task)):
            what = "learns by reward: its loss does not fall as the answers get better, and tells no rate."
            raise RecipeError(Fault(f"tasks.{name}", what, "Compare rates by dev instead, with `search`."))


def _swept(loaded: Loaded, scratch: Path, rates: list[float], progress: Progress) -> tuple[Plan, _Axis, Curve, End]:
    """Train at each of the rates until the loss has risen."""
    from sibu.pipeline.loop import stepping
    from sibu.pipeline.prepare import open_accelerator, prepare
    from sibu.pipeline.stages import gated_plan
    from sibu.train.fit import NotFinite

    plan = gated_plan(loaded, progress)
    for each in plan.tasks.values():
        each.pairs = None  # whose loss is nothing until answers are sure: no sign of a rate
    accelerator = open_accelerator(plan)
    trained = prepare(plan, accelerator, scratch, progress)
    axis = _axis(plan, trained)
    curve = Curve(len(rates))
    end: End = "end"
    own = axis.own[axis.key]
    moved = stepping(plan, trained, accelerator, factor=lambda step: rates[step - 1] / own, steps=len(rates))
    with progress.bar("sweeping rates", len(rates)) as advance:
        try:
            for step in moved:
                curve.add(rates[step.number - 1], step.loss, tuple(sorted(step.losses)))
                advance(1)
                if curve.risen:
                    end = "rise"
                    break
        except NotFinite:
            end = "not finite"
    accelerator.end_training()
    return plan, axis, curve, end


def _axis(plan: Plan, trained: Trained) -> _Axis:
    """The axis of a run's sweep.

    Raises:
        RecipeError: When no weight trains.
    """
    encoder = {id(weight) for group in trained.adapted.groups for weight in group.parameters if weight.requires_grad}
    every = {id(weight) for group in trained.optimizer.param_groups for weight in group["params"]}
    peaks = {ENCODER: plan.recipe.train.learning_rate, HEADS: plan.recipe.train.head_learning_rate}
    own = {ENCODER: bool(encoder), HEADS: bool(every - encoder)}
    moved = {key: peak for key, peak in peaks.items() if own[key] and peak is not None}
    if not moved or not trained.steps:
        raise RecipeError("Nothing trains by steps: neither the encoder nor a head has weights that train.")
    return _Axis(next(iter(moved)), moved)


def _told(axis: _Axis, curve: Curve, end: End, high: float) -> dict[str, Any]:
    """The table, what is suggested, and how to read it."""
    table = [
        {"step": place + 1, "rate": point.rate, "loss": point.loss, "smoothed": point.smoothed, "centred": mean}
        for place, (point, mean) in enumerate(zip(curve.points, _read_means(curve), strict=True))
    ]
    found = read(curve, ended=end == "end") if table else None
    marks: dict[str, float] = {}
    if found is not None and found.steepest is not None and found.valley is not None and found.lowest is not None:
        marks = {"valley": found.valley, "steepest": found.steepest, "lowest / 10": found.lowest / 10}
    return {
        "stopped": end,
        "suggestions": {name: axis.values(rate) for name, rate in marks.items()},
        "lowest": None if found is None else found.lowest,
        "reading": _advice(axis, found, high) if found is not None and marks else _why_none(curve, found),
        "table": table,
    }


def _read_means(curve: Curve) -> list[float | None]:
    """The centred mean of each step by which the rates are chosen; None at the ends, which are not looked at."""
    return [mean if place in curve.whole else None for place, mean in enumerate(curve.centred)]


def _advice(axis: _Axis, found: Reading, high: float) -> str:
    """One line that says which rate to try, and why."""
    words = " ".join(f"{key}={short(value)}" for key, value in axis.values(found.valley or 0.0).items())
    rose = f"rose from {short(found.lowest or 0.0)}."
    if not found.rose:
        rose = f"had not risen by {short(high)}: a higher --high shows where it does."
    own, steepest = short(axis.own[axis.key]), short(found.steepest or 0.0)
    return f"Try {words} (the recipe has {own}): the loss was falling fastest at {steepest}, and {rose}"


def _why_none(curve: Curve, found: Reading | None) -> str:
    """One line that says why no rate is suggested."""
    if found is None:
        return (
            "Nothing to suggest: the loss was not a finite number at the first step already. Look for extreme targets "
            "with `sibu check`."
        )
    if found.few is not None:
        what = "rose" if found.rose else "was lowest"
        return (
            f"Nothing to suggest: the loss {what} after {counted(found.few, 'step')} already, and "
            f"{curve.fewest} are needed to read it. Begin lower with --low, or take more --steps."
        )
    fell = f"the loss never fell by more than it varies (from {found.before:.4g} to {found.best:.4g} at best)"
    if not found.rose:
        return f"Nothing to suggest: {fell}, nor did it rise. Go higher with --high, or take more --steps."
    return (
        f"Nothing to suggest: {fell}. Take larger batches (train.batch_tokens, train.accumulate) or more --steps, or "
        "look with `sibu check` whether the labels can be learned."
    )


def short(rate: float) -> str:
    """A rate as a recipe has it: ``3.0e-4``."""
    mantissa, _, power = f"{rate:.1e}".partition("e")
    return f"{mantissa}e{int(power)}"


def _picture(axis: _Axis, curve: Curve, found: Mapping[str, Any]) -> str:
    """The loss over the logarithm of the rate, as a page."""
    points = list(zip(curve.points, _read_means(curve), strict=True))
    kept = {0, curve.whole.start}  # of a loss that rises at once there is something to show too
    shown = [pair for place, pair in enumerate(points) if place in kept or pair[0].smoothed <= curve.limit]
    line = [(log10(each.rate), mean) for each, mean in shown]
    series = Series("loss, centred mean", line, raw=[(log10(each.rate), each.loss) for each, _ in shown])
    tried = found["suggestions"].get("valley")
    mark = None if tried is None else (log10(tried[axis.key]), short(tried[axis.key]))
    title = f"{found['name']}: the loss by {axis.key}"
    return chart_page([series], title=title, x_name=f"log10 of {axis.key}", mark=mark)
