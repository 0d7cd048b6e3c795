"""``sibu predict --live``: its options, and lines as a stream brings records."""

from collections.abc import Container, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from sibu.core.errors import DataError
from sibu.core.example import Faults

Kind = Annotated[
    str | None,
    typer.Option("--live", metavar="KIND", help="Answer what a stream brings, as it comes: sound, pictures, readings."),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="SOURCE",
        help="With --live: - (standard input, unless told), a pipe or file, tcp://HOST:PORT, unix:///PATH, "
        "microphone[:DEVICE], camera[:NUMBER].",
    ),
]
Rate = Annotated[
    float | None,
    typer.Option(
        "--rate",
        help="Samples a second of a stream of sound; pictures a second; readings a second where they have no clock.",
    ),
]
Seconds = Annotated[float | None, typer.Option("--seconds", help="Length of each window of live sound or readings.")]
Every = Annotated[float | None, typer.Option("--every", help="Seconds from one window to the next; none: --seconds.")]
Form = Annotated[
    str | None,
    typer.Option(
        "--form",
        help="How a stream is written. Sound: s16 (unless told), u8, s32, f32. Pictures: jpeg, or pixels (rgb24) of "
        "WIDTHxHEIGHT. Readings: json, or csv with a header.",
    ),
]
Channels = Annotated[
    str | None,
    typer.Option(
        "--channels",
        help="Of live sound how many; of readings their names, as `hr,spo2`, in the order of the bundle's channels.",
    ),
]
Clock = Annotated[
    str | None, typer.Option("--clock", help="Name of the clock among live readings; none: as the bundle was trained.")
]
Wait = Annotated[
    bool,
    typer.Option(
        "--wait", help="The sender waits where the model is slower, as files do; else the oldest records are dropped."
    ),
]
Patience = Annotated[
    float | None, typer.Option("--patience", help="Seconds that a socket may be silent; none: 30; 0: for ever.")
]


def given(live: str | None, source: str | None, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a stream that were given."""
    found = {name: value for name, value in options.items() if value is not None}
    names = [f"--{name}" for name in ({} if source is None else {"from": source}) | found]
    if live is None and names:
        raise typer.BadParameter(f"{', '.join(names)}: only with --live.")
    if "patience" in found:
        found["patience"] = found["patience"] or None
    if "channels" in found:
        parts = [part.strip() for part in found["channels"].split(",")]
        found["channels"] = int(parts[0]) if live == "sound" and parts[0].isdigit() and len(parts) == 1 else parts
    return found


def answer(
    bundle: Path,
    overrides: Sequence[str],
    task: str | None,
    kind: str,
    source: str,
    options: Mapping[str, Any],
    output: Path | None,
    *,
    quiet: bool,
) -> None:
    """Write a line a record, at once; a Ctrl-C is a good end."""
    import json
    import sys

    from sibu import api

    if source == "-" and sys.stdin.isatty():
        raise typer.BadParameter("standard input is a terminal; pipe a stream into it, or name one with --from.")
    predictor = api.load(bundle)
    name = predictor.task_named(task)
    predictor = predictor.answering(*overrides, task=name)
    records = api.listen(predictor, kind, source, task=name, **options)
    lines = failed = 0
    told: set[str] = set()

    def tell(text: str) -> None:
        told.add(text)
        if not quiet:
            typer.echo(text, err=True)

    with ExitStack() as stack:
        out = sys.stdout if output is None else stack.enter_context(_opened(output))
        if not quiet:
            stack.callback(_tell_all, records.faults, told)
        try:
            for line in api.live(predictor, records, task=name, tell=tell):
                lines += 1
                failed += "error" in line
                out.write(json.dumps(line, ensure_ascii=False) + "\n")
                out.flush()
        except KeyboardInterrupt:
            pass
    if not lines and records.faults.counts:
        typer.echo("sibu: nothing of the stream could be read as a record, and nothing was answered.", err=True)
        raise typer.Exit(1)
    end(failed)


def _tell_all(faults: Faults, told: Container[str]) -> None:
    for line in faults.warnings(told):
        typer.echo(line, err=True)


def _opened(output: Path) -> TextIO:
    """A file that holds each line as soon as it is written."""
    try:
        return output.open("w", encoding="utf-8")
    except OSError as fault:
        raise DataError(f"{output} cannot be written: {fault.strerror}.") from fault


def end(failed: int) -> None:
    """Say how many inputs could not be answered, and leave with 1 where there are any."""
    if failed:
        many = f"{failed} inputs could not be answered; their lines have"
        said = "1 input could not be answered; its line has" if failed == 1 else many
        typer.echo(f'sibu: {said} "error".', err=True)
        raise typer.Exit(1)
