"""``sibu evaluate``."""

from pathlib import Path
from typing import Annotated

import typer

from sibu.cli.console import SCORES, progress, score_rows, table, write_json
from sibu.cli.options import Answering, Bundle, Json, Quiet, Task


def evaluate(
    bundle: Bundle,
    data: Annotated[
        list[Path],
        typer.Option("--data", help="Labelled file, with the columns of the training data; several are read as one."),
    ],
    overrides: Answering = None,
    task: Task = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Metrics on a file, with 95 % bootstrap intervals."""
    from sibu import api
    from sibu.pipeline.record import metrics_json

    predictor = api.load(bundle)
    name = predictor.task_named(task)
    predictor = predictor.answering(*overrides or (), task=name)
    report = predictor.evaluate([str(file) for file in data], task=name, progress=progress(quiet=quiet))
    metrics = metrics_json([report])
    if json:
        write_json(metrics[report.task][report.split])
    else:
        table("", SCORES, score_rows(metrics))
