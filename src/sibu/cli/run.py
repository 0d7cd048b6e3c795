"""``sibu run``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from sibu.cli.console import SCORES, progress, score_rows, table, write_json
from sibu.cli.options import Json, Overrides, Quiet, Recipe


def run(
    recipe: Recipe,
    overrides: Overrides = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder of the bundle. Default: runs/<name>.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the unfinished run at the same place.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the bundle or the unfinished run at the place.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Gate the data, adapt the model, evaluate, check release conditions, write a bundle."""
    if resume and force:
        raise typer.BadParameter("--resume goes on with a run, --force begins anew: give one of the two.")
    from sibu import api
    from sibu.core.errors import ReleaseMissed
    from sibu.train.processes import is_first

    missed = None
    try:
        bundle = api.run(recipe, overrides or [], out=out, resume=resume, force=force, progress=progress(quiet=quiet))
    except ReleaseMissed as fault:
        if fault.bundle is None:
            raise
        bundle, missed = fault.bundle, fault
    except KeyboardInterrupt:
        typer.echo("sibu: stopped. The unfinished run goes on with --resume.", err=True)
        raise typer.Exit(130) from None
    if not is_first():  # one of several processes: the first one speaks
        return
    found = api.show(bundle)
    if json:
        write_json({"bundle": str(bundle), "metrics": found["metrics"], "record": found["record"], **found["release"]})
    else:
        table("", SCORES, score_rows(found["metrics"]))
        for key, what in (("repeats", "seeds"), ("folds", "folds")):
            if over := found["record"].get(key):
                _over_runs(over, what)
        typer.echo(f"bundle: {bundle}")
        typer.echo(f"report: {bundle / 'report.html'}")
    if missed is not None:
        raise missed


def _over_runs(found: dict[str, Any], what: str) -> None:
    """Mean and deviation over the runs."""
    rows = [
        [task, split, metric, f"{own['mean']:.4f}", f"{own['sd']:.4f}"]
        for task, splits in found["over"].items()
        for split, scores in splits.items()
        for metric, own in scores.items()
    ]
    table(f"over {len(found['runs'])} {what}", ["task", "split", "metric", "mean", "deviation"], rows)
