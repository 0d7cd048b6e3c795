"""Recipes to bundles, and what a recipe would do: run, check, align, search."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from sibu.core.errors import Fault, RecipeError
from sibu.pipeline.progress import Progress, Silent

if TYPE_CHECKING:
    from sibu.pipeline.gate import GateReport
    from sibu.recipe.load import Loaded
    from sibu.recipe.schema import Recipe

RecipeLike: TypeAlias = "str | Path | Mapping[str, Any] | Recipe"


def load_recipe(recipe: RecipeLike, overrides: Sequence[str] | str = ()) -> Loaded:
    """As ``recipe.load`` has it, which is imported where a recipe is read: listing parts needs none."""
    from sibu.recipe.load import load_recipe as load

    return load(recipe, overrides)


def run(
    recipe: RecipeLike,
    overrides: Sequence[str] = (),
    *,
    out: str | Path | None = None,
    resume: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Gate the data, adapt the model, evaluate, check release conditions, write a bundle.

    Args:
        recipe: A recipe file, its content as a mapping, or a ``Recipe``.
        overrides: ``KEY=VALUE`` with dotted keys, such as ``train.epochs=1``.
        out: Folder of the bundle; None: ``runs/<name>``.
        resume: Go on with an unfinished run at the same place.
        force: Replace a bundle or an unfinished run that stands there.
        progress: Where to tell how far it is; None: silent.

    Returns:
        The bundle's folder.

    Raises:
        SibuError: For every fault that the user can mend.
    """
    from sibu.pipeline.stages import run_recipe

    loaded = load_recipe(recipe, overrides)
    place = Path(out) if out is not None else Path("runs") / loaded.recipe.name
    return run_recipe(loaded, place, resume=resume, force=force, progress=progress or Silent())


@dataclass(frozen=True, slots=True)
class Checked:
    """What ``check`` found."""

    gate: GateReport
    steps: int
    """Estimated steps of the run."""
    steps_per_epoch: int
    limit: int
    """The model's longest input in pieces."""
    plan: Mapping[str, Any]
    """Model, method, seed, files."""

    @property
    def sound(self) -> bool:
        """Whether there is no error."""
        return not self.gate.faults.number("error")

    def as_json(self) -> dict[str, Any]:
        """Everything as JSON."""
        own = {"steps": self.steps, "steps_per_epoch": self.steps_per_epoch, "model_limit": self.limit}
        return {**self.gate.as_json(), "plan": {**self.plan, **own}}


def check(recipe: RecipeLike, overrides: Sequence[str] = (), *, progress: Progress | None = None) -> Checked:
    """The data gate and the plan alone: rows, lengths, labels, faults by file and row; trains nothing.

    Args:
        recipe: A recipe file, or its content as a mapping.
        overrides: ``KEY=VALUE`` with dotted keys.
        progress: Where to tell how far it is; None: silent.

    Raises:
        SibuError: When the recipe itself cannot be run (faults of rows are in the result instead).
    """
    from sibu.pipeline.plan import expected_batches, make_plan, plan_steps

    loaded = load_recipe(recipe, overrides)
    plan = make_plan(loaded, progress or Silent(), encode=False)
    per_epoch, steps = plan_steps(plan.recipe, expected_batches(plan))
    about = {
        "name": plan.recipe.name,
        "model": {"name": plan.source.name, "kind": plan.source.kind},
        "method": plan.recipe.method.name,  # type: ignore[attr-defined]
        "tasks": {name: block.task.type for name, block in plan.recipe.tasks.items()},  # type: ignore[attr-defined]
        "seed": plan.recipe.train.seed,
        "dev_is_train": [name for name, each in plan.tasks.items() if each.dev_is_train],
        **({} if plan.known is None else {"knowledge": plan.known.about}),
        **({} if not plan.values else {"modalities": _modalities(plan.recipe)}),
    }
    return Checked(plan.gate, steps, per_epoch, plan.text.max_length, about)


def align(
    recipe: RecipeLike, overrides: Sequence[str] = (), *, progress: Progress | None = None
) -> Iterator[dict[str, Any]]:
    """How the values of each row lie to each other, by the recipe's ``align``: one mapping a pair of values.

    Its keys: ``task``, ``split``, ``file``, ``row``, ``of``, ``with``, ``quality`` (0 to 1) and the figures of the kind
    (``offset_seconds``, ``drift_ppm``, ...), or ``error``: why the value is left out of the row.

    Args:
        recipe: A recipe file, or its content as a mapping.
        overrides: ``KEY=VALUE`` with dotted keys.
        progress: Where to tell how far it is; None: silent.

    Raises:
        SibuError: For every fault that the user can mend; where the recipe aligns nothing.
    """
    from sibu.pipeline.aligned import lines_of
    from sibu.pipeline.plan import make_plan

    loaded = load_recipe(recipe, overrides)
    if not loaded.recipe.align:
        raise RecipeError(Fault("align", "is missing: nothing is aligned.", "Add it; the guide has examples."))
    plan = make_plan(loaded, progress or Silent(), encode=False)
    for task, own in plan.tasks.items():
        for split, rows in own.splits.items():
            yield from ({"task": task, "split": split} | line for line in lines_of(rows))


def _modalities(recipe: Recipe) -> dict[str, Any]:
    """What is read of a row, by column, and how it is joined."""
    kinds = {"text": "text"} if recipe.reads_text else {}
    kinds |= {name: spec.name for name, spec in recipe.valued.items()}
    begun = {name: spec.model for name, spec in recipe.valued.items() if getattr(spec, "model", None)}
    return {"kinds": kinds, "models": begun, "fusion": recipe.fusion.name}  # type: ignore[attr-defined]


def search(
    recipe: RecipeLike,
    overrides: Sequence[str] = (),
    *,
    out: str | Path | None = None,
    resume: bool = False,
    force: bool = False,
    workers: int = 1,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Try values of a recipe's keys, as its `search` says; write the recipe that is best on dev.

    Args:
        recipe: A recipe file, or its content as a mapping.
        overrides: ``KEY=VALUE`` with dotted keys.
        out: Folder of the study (``study.db``, ``search.json``, ``best.yaml``); None: ``searches/<name>``.
        resume: Go on with the study that stands there.
        force: Replace it.
        workers: Processes that try at the same time.
        progress: Where to tell how far it is; None: silent.

    Returns:
        The dev score of the recipe as it is, every trial, the best one, the file of the best recipe.

    Raises:
        SibuError: For every fault that the user can mend.
    """
    from sibu.pipeline.search import search as through

    place = Path(out) if out is not None else Path("searches") / load_recipe(recipe, overrides).recipe.name
    named: dict[str, Any] = {"resume": resume, "force": force, "workers": workers}
    return through(recipe, overrides, place, progress=progress or Silent(), **named)


def find_rate(
    recipe: RecipeLike,
    overrides: Sequence[str] = (),
    *,
    low: float = 1e-7,
    high: float = 1.0,
    steps: int = 100,
    out: str | Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train a few steps while the learning rate grows, and tell from the loss which rate suits (the range test).

    The rate is the encoder's peak, ``train.learning_rate`` (``train.head_learning_rate`` where the encoder is frozen);
    those of all other weights grow with it, in the recipe's ratios. Dev is not looked at, and no bundle is written.
    Source: Smith, 2017, arXiv:1506.01186.

    Args:
        recipe: A recipe file, or its content as a mapping.
        overrides: ``KEY=VALUE`` with dotted keys.
        low: The first rate.
        high: The last rate, where the loss does not end the sweep by rising to four times its lowest.
        steps: How many rates, at least 20; each is the same multiple of the one before.
        out: Folder for ``rates.json`` and ``rates.html``; None: ``searches/<name>-rates``.
        force: Replace the sweep that stands there.
        progress: Where to tell how far it is; None: silent.

    Returns:
        What ``rates.json`` holds: ``key``, ``table`` (step, rate, loss, ``smoothed``: its running mean, which ends the
        sweep, ``centred``: the mean of the steps around it, by which rates are chosen; None at the ends), ``stopped``
        (``end``, ``rise`` or ``not finite``), ``suggestions`` by name (``valley`` is the one to try; none where the
        loss tells none), each with values for the recipe's keys, ``lowest`` and ``reading``, a line for people; and
        ``file``, its place.

    Raises:
        SibuError: For every fault that the user can mend.
    """
    from sibu.pipeline.rates import FOUND, sweep

    loaded = load_recipe(recipe, overrides)
    place = Path(out) if out is not None else Path("searches") / f"{loaded.recipe.name}-rates"
    named: dict[str, Any] = {"low": low, "high": high, "steps": steps, "force": force}
    return sweep(loaded, place, progress=progress or Silent(), **named) | {"file": str(place / FOUND)}


def search_worker(recipe: str, out: str, *overrides: str) -> None:
    """One of several processes of ``search``: tries until the study has its trials."""
    from sibu.pipeline.search import work

    work(recipe, overrides, Path(out), Silent())
