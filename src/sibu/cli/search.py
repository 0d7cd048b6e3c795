"""``sibu search``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from sibu.cli.console import progress, table
from sibu.cli.options import Json, Overrides, Quiet, Recipe


def search(
    recipe: Recipe,
    overrides: Overrides = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder of the study; none: searches/<name>, with --rates searches/<name>-rates."),
    ] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes that try at the same time.")] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the study that stands there.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the study or the sweep that stands there.")] = False,
    rates: Annotated[
        bool, typer.Option("--rates", help="Sweep over learning rates instead: one short training, no `search` needed.")
    ] = False,
    low: Annotated[float | None, typer.Option("--low", help="With --rates: the first rate. Default: 1e-7.")] = None,
    high: Annotated[float | None, typer.Option("--high", help="With --rates: the last rate. Default: 1.0.")] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", min=20, help="With --rates: how many rates. Default: 100.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Try values of the recipe's keys, as its `search` says; write the recipe that is best on dev."""
    import json

    own = {name: value for name, value in (("low", low), ("high", high), ("steps", steps)) if value is not None}
    if rates and (resume or workers > 1):
        raise typer.BadParameter("--workers and --resume go with a study of trials, not with --rates.")
    if own and not rates:
        raise typer.BadParameter("--low, --high and --steps go with --rates.")
    from sibu import api

    told = progress(quiet=quiet)
    if rates:
        found = api.find_rate(recipe, overrides or [], out=out, force=force, progress=told, **own)  # type: ignore[arg-type]
    else:
        named = {"resume": resume, "force": force, "workers": workers, "progress": told}
        found = api.search(recipe, overrides or [], out=out, **named)  # type: ignore[arg-type]
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    elif rates:
        _tell_rates(found)
    else:
        _tell_study(found)


def _tell_study(found: dict[str, Any]) -> None:
    """What came of the trials."""
    best = found["best"]
    typer.echo(f"dev as it is\t{found['as it is']:.4f}")
    typer.echo(f"dev at best\t{best['score']:.4f}\ttrial {best['number'] + 1} of {len(found['trials'])}")
    for key, value in best["values"].items():
        typer.echo(f"  {key}\t{value:.4g}" if isinstance(value, float) else f"  {key}\t{value}")
    if not found["better"]:
        typer.echo("No trial was better than the recipe as it is: it is written unchanged.")
    typer.echo(f"recipe\t{found['recipe']}")


def _tell_rates(found: dict[str, Any]) -> None:
    """What came of the sweep."""
    rows = [
        [f"{each['rate']:.2e}", f"{each['loss']:.4g}", "" if each["centred"] is None else f"{each['centred']:.4g}"]
        for each in found["table"]
    ]
    table("", [found["key"], "loss", "centred mean"], rows)
    if found["stopped"] == "rise":
        typer.echo("Stopped: the running mean of the loss was four times its lowest.")
    elif found["stopped"] == "not finite":
        typer.echo(f"Stopped at step {len(rows) + 1}: the loss was not a finite number.")
    for name, values in found["suggestions"].items():
        typer.echo(f"{name}\t" + " ".join(f"{key}={value:.1e}" for key, value in values.items()))
    typer.echo(found["reading"])
    typer.echo(f"file\t{found['file']}")
