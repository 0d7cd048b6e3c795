"""Options that several commands share."""

from pathlib import Path
from typing import Annotated, Any

import typer

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No words and no progress on stderr.")]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout.")]
Bundle = Annotated[Path, typer.Argument(metavar="BUNDLE", help="Folder that `sibu run` wrote.")]
Task = Annotated[str | None, typer.Option("--task", "-t", help="Which task, where the bundle has several.")]
Recipe = Annotated[Path, typer.Argument(metavar="RECIPE", help="Recipe file (YAML).")]


def _with_values(given: list[str] | None) -> list[str] | None:
    if wrong := [each for each in given or [] if "=" not in each]:
        raise typer.BadParameter(f"{', '.join(map(repr, wrong))}: give KEY=VALUE, such as train.epochs=1.")
    return given


def _values(about: str) -> Any:
    return typer.Argument(callback=_with_values, metavar="[KEY=VALUE]...", help=about, show_default=False)


Answering = Annotated[
    list[str] | None, _values("How the task answers, such as decoding=beam, decoding.beams=8, max_new_tokens=40.")
]
Overrides = Annotated[list[str] | None, _values("Overrides with dotted keys, such as train.epochs=1.")]
