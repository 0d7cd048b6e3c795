"""``sibu list``."""

from typing import Annotated

import typer

from sibu.cli.console import write_json
from sibu.cli.options import Json


def list_(
    room: Annotated[
        str | None, typer.Argument(metavar="[ROOM]", help="tasks, methods, models, ...; none: all.")
    ] = None,
    json: Json = False,
) -> None:
    """Every part that can be named in a recipe, with its options."""
    from sibu import api

    found = api.parts(room, options=json or room is not None)
    if json:
        write_json(found)
        return
    for name, parts in found.items():
        typer.echo(name)
        for part, about in parts.items():
            typer.echo(f"  {part:<12} {about['summary']}")
            for option in about["options"] if room else ():
                default = option["default"]
                said = (
                    "null" if default is None else str(default).lower() if isinstance(default, bool) else str(default)
                )
                typer.echo(f"    {option['name']} ({option['type']}, default {said})")
                typer.echo(f"      {' '.join(option['help'].split())}")
