"""What choosing rows to label would have gained: a learning curve over rows whose labels are known."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from sibu.catalog import Spec
from sibu.core.errors import RecipeError, ReleaseMissed, counted
from sibu.core.example import Faults, as_names
from sibu.core.protocols import Picker
from sibu.pickers import PICKERS
from sibu.pipeline.backbone import build_task
from sibu.pipeline.bundle import read_manifest
from sibu.pipeline.data import Origin, named_files, read_rows
from sibu.pipeline.labelling import look_at, target_of
from sibu.pipeline.plan import mark_of
from sibu.pipeline.progress import Progress, Silent
from sibu.pipeline.report.alone import chart_page
from sibu.pipeline.report.charts import Series
from sibu.recipe.fill import with_absolute_paths
from sibu.recipe.load import Loaded
from sibu.store.atomic import write_json
from sibu.store.hashes import hash_json
from sibu.train.seed import generator


def simulate(
    loaded: Loaded, ways: Sequence[Spec], *, start: int, count: int, rounds: int, output: Path, progress: Progress
) -> dict[str, Any]:
    """Train again and again on more of the training rows, chosen in several ways; judge each bundle on test.

    All ways begin with the same rows, drawn by the seed. What was found is written after each round, and a stopped
    simulation goes on behind it.

    Args:
        loaded: A recipe of one task whose training data has labels.
        ways: Pickers.
        start: Rows to begin with.
        count: Rows that each round adds.
        rounds: Rounds after the first.
        output: JSON with the curves; a picture (``.html``) goes beside it.
        progress: Where to tell how far it is.

    Raises:
        RecipeError: When the recipe does not suit, or there are fewer rows.
    """
    name, total = _suited(loaded)
    if start + count * rounds > total:
        most = {"rounds": (total - start) // count, "start": total - count * rounds, "count": (total - start) // rounds}
        mends = [f"--{what} at most {each}" for what, each in most.items() if each > (what == "start")]
        raise RecipeError(
            f"{start} rows and {counted(rounds, 'round')} of {count} are {start + count * rounds}, and the training "
            f"data has {total}. Give {', or '.join(mends) if mends else 'fewer of all'}."
        )
    named = [way.name for way in ways]  # type: ignore[attr-defined]
    if twice := sorted({each for each in named if named.count(each) > 1}):
        raise RecipeError(f"A simulation draws one curve of each picker, and {as_names(twice)} comes twice. Keep one.")
    if output.suffix == ".html":
        mend = f"such as {output.with_suffix('.json')}."
        raise RecipeError(f"{output} would be replaced by the picture of the curves. Choose another ending, {mend}")
    about = {"task": name, "start": start, "count": count, "ways": [way.model_dump(mode="json") for way in ways]}
    mark = hash_json([mark_of(loaded), about])
    found: dict[str, Any] = _begun(output) if output.exists() else {"mark": mark, "curves": {}}
    if found.get("mark") != mark:
        raise RecipeError(f"{output} is of another simulation. Choose another name with --output.")
    curves: dict[str, list[dict[str, Any]]] = found["curves"]
    with TemporaryDirectory(prefix="sibu-simulate-") as scratch:
        first = Path(scratch) / "first"  # of the rows that all ways begin with: trained once
        for way, own in zip(ways, named, strict=True):
            curve = curves.setdefault(own, [])
            chosen: list[int] = list(curve[-1]["next"]) if curve else _first(loaded, total, start)
            while len(curve) <= rounds:
                progress.say(f"{own}: {len(chosen)} labels")
                last = len(curve) == rounds
                out = first.with_name("later") if curve else first
                found["metric"], scores, added = _round(loaded, name, way, chosen, 0 if last else count, total, out)
                following = sorted([*chosen, *added])
                curve.append({"labels": len(chosen), "scores": scores, "next": following})
                chosen = following
                write_json(output, found)
                if out != first:
                    shutil.rmtree(out)
    found |= about
    write_json(output, found)
    series = [
        Series(own, [(each["labels"], each["scores"][found["metric"]]) for each in curves[own]], number)
        for number, own in enumerate(named)
    ]
    title = f"{found['metric']} of {name} on test, by labels"
    output.with_suffix(".html").write_text(chart_page(series, title=title, x_name="labels"), encoding="utf-8")
    return found


def _begun(output: Path) -> dict[str, Any]:
    try:
        found = json.loads(output.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict) or "curves" not in found:
        raise RecipeError(f"{output} is there already and is no simulation. Choose another name with --output.")
    return found


def _suited(loaded: Loaded) -> tuple[str, int]:
    """The recipe's task, and how many training rows it has."""
    recipe = with_absolute_paths(loaded.recipe, loaded.home)
    if len(recipe.tasks) != 1:
        raise RecipeError(f"A simulation is for a recipe of one task, and this one has {len(recipe.tasks)}.")
    if recipe.valued:
        raise RecipeError(f"A simulation chooses among texts alone, and the recipe reads {as_names(recipe.valued)}.")
    ((name, block),) = recipe.tasks.items()
    if block.data.train is None or block.data.test is None or isinstance(block.data.test, Mapping):
        raise RecipeError(f"A simulation needs tasks.{name}.data with `train` and one `test` file.")
    if block.data.shots is not None or recipe.repeats > 1 or recipe.folds is not None:
        raise RecipeError("A simulation chooses the rows itself. Leave out `shots`, `repeats` and `folds`.")
    if block.data.rules:
        raise RecipeError("A simulation hides labels that people gave, and rules would give others. Leave out `rules`.")
    task = build_task(block.task)
    origin = Origin(block.fields, block.reader, task.columns, task.needs, f"tasks.{name}")
    return name, len(read_rows(named_files(block.data.train), origin, Faults()))


def _first(loaded: Loaded, total: int, start: int) -> list[int]:
    return sorted(generator(loaded.recipe.train.seed, "simulate").permutation(total)[:start].tolist())


def _round(
    loaded: Loaded, name: str, way: Spec, chosen: Sequence[int], count: int, total: int, out: Path
) -> tuple[str, dict[str, float], list[int]]:
    """Train on the chosen rows unless `out` is there, and choose more: the main metric, scores on test, the rows."""
    from sibu.pipeline.stages import run_recipe
    from sibu.pipeline.write import open_bundle

    if not out.exists():
        with suppress(ReleaseMissed):  # a bundle of few rows need not be fit for release
            run_recipe(replace(loaded, chosen=tuple(chosen)), out, resume=False, force=True, progress=Silent())
    metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))[name]["test"]
    scores = {metric: score["value"] for metric, score in metrics.items()}
    metric = read_manifest(out)["tasks"][name]["metric"]
    if not count:
        return metric, scores, []
    opened = open_bundle(out)
    target_of(opened, name)
    block, task = opened.recipe.tasks[name], opened.tasks[name]
    origin = Origin(block.fields, block.reader, task.columns, task.needs, f"tasks.{name}")
    rows = read_rows(named_files(block.data.train or ()), origin, Faults())
    others = np.setdiff1d(np.arange(total), chosen)
    picker: Picker = PICKERS.of(way).build(way)
    seed = loaded.recipe.train.seed
    named: dict[str, Any] = {"seed": seed, "progress": Silent()}
    pool = look_at(opened, name, rows.subset(others), picker, rows.subset(np.asarray(chosen)), **named)
    picked = picker.choose(pool, count, generator(seed, "simulate", len(chosen)))
    return metric, scores, [int(others[place]) for place in picked]
