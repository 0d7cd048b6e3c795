"""``sibu evaluate``."""

from pathlib import Path
from typing import Annotated

import typer

from sibu.cli.console import SCORES, progress, score_rows, table, write_json
from sibu.cli.options import Bundle, Json, Quiet, Task


def evaluate(
    bundle: Bundle,
    data: Annotated[
        list[Path],
        typer.Option("--data", help="Labelled file, with the columns of the training data; several are read as one."),
    ],
    task: Task = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Metrics on a file, with 95 % bootstrap intervals."""
    from sibu import api
    from sibu.pipeline.record import metrics_json

    report = api.load(bundle).evaluate([str(file) for file in data], task=task, progress=progress(quiet=quiet))
    metrics = metrics_json([report])
    if json:
        write_json(metrics[report.task][report.split])
    else:
        table("", SCORES, score_rows(metrics))
