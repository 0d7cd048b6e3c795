"""``sibu align``."""

import typer

from sibu.cli.console import progress
from sibu.cli.options import Overrides, Quiet, Recipe


def align(recipe: Recipe, overrides: Overrides = None, quiet: Quiet = False) -> None:
    """How the values of each row lie to each other (the recipe's `align`); JSON Lines, one a pair; trains nothing."""
    import json

    from sibu import api

    failed = 0
    for line in api.align(recipe, overrides or [], progress=progress(quiet=quiet)):
        failed += "error" in line
        typer.echo(json.dumps(line, ensure_ascii=False))
    if failed:
        raise typer.Exit(1)
