"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No words and no progress on stderr.")]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout.")]
Bundle = Annotated[Path, typer.Argument(metavar="BUNDLE", help="Folder that `sibu run` wrote.")]
Task = Annotated[str | None, typer.Option("--task", "-t", help="Which task, where the bundle has several.")]
Recipe = Annotated[Path, typer.Argument(metavar="RECIPE", help="Recipe file (YAML).")]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[KEY=VALUE]...", help="Overrides with dotted keys, such as train.epochs=1.", show_default=False
    ),
]
