"""``sibu search``."""

from pathlib import Path
from typing import Annotated

import typer

from sibu.cli.console import progress
from sibu.cli.options import Json, Overrides, Quiet, Recipe


def search(
    recipe: Recipe,
    overrides: Overrides = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder of the study; none: searches/<name>.")] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes that try at the same time.")] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the study that stands there.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the study that stands there.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Try values of the recipe's keys, as its `search` says; write the recipe that is best on dev."""
    import json

    from sibu import api

    named = {"resume": resume, "force": force, "workers": workers, "progress": progress(quiet=quiet)}
    found = api.search(recipe, overrides or [], out=out, **named)  # type: ignore[arg-type]
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    best = found["best"]
    typer.echo(f"dev as it is\t{found['as it is']:.4f}")
    typer.echo(f"dev at best\t{best['score']:.4f}\ttrial {best['number'] + 1} of {len(found['trials'])}")
    for key, value in best["values"].items():
        typer.echo(f"  {key}\t{value:.4g}" if isinstance(value, float) else f"  {key}\t{value}")
    if not found["better"]:
        typer.echo("No trial was better than the recipe as it is: it is written unchanged.")
    typer.echo(f"recipe\t{found['recipe']}")
