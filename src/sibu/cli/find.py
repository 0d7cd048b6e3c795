"""``sibu find``."""

from pathlib import Path
from typing import Annotated

import typer

from sibu.cli.console import progress
from sibu.cli.options import Bundle, Quiet, Task
from sibu.cli.predict import columns, require_read


def find(
    bundle: Bundle,
    among: Annotated[Path, typer.Option("--among", help="File of candidates, read by its ending.")],
    task: Task = None,
    text: Annotated[str | None, typer.Option("--text", help="A text to find partners for.")] = None,
    value: Annotated[
        list[str] | None, typer.Option("--value", help="COLUMN=VALUE to find partners for, as `image=scan.png`.")
    ] = None,
    input_: Annotated[Path | None, typer.Option("--input", help="File of queries, read by its ending.")] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="So many candidates a query.")] = 10,
    quiet: Quiet = False,
) -> None:
    """The nearest candidates of the other modality to each query, by a task `match`; JSON Lines, one a query."""
    import json

    from sibu import api

    if (text is None and not value) == (input_ is None):
        raise typer.BadParameter("give either --text (or --value) or --input.")
    predictor = api.load(bundle)
    name = predictor.task_named(task)
    own = ({} if text is None else {"text": text}) | columns(value)
    require_read(api.columns_read(predictor, name), own, name)
    queries = (
        [(None, own)]
        if input_ is None
        else list(api.read_inputs(predictor, name, str(input_), progress=progress(quiet=quiet)))
    )
    candidates = list(api.read_inputs(predictor, name, str(among), progress=progress(quiet=quiet)))
    failed = 0
    for line in api.find_partners(predictor, name, queries, candidates, most=most, progress=progress(quiet=quiet)):
        failed += "error" in line
        typer.echo(json.dumps(line, ensure_ascii=False))
    if failed:
        raise typer.Exit(1)
