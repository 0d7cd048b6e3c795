"""``sibu predict``."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from sibu.cli import live as streams
from sibu.cli.console import progress
from sibu.cli.options import Answering, Bundle, Quiet, Task


def predict(
    bundle: Bundle,
    overrides: Answering = None,
    task: Task = None,
    text: Annotated[str | None, typer.Option("--text", help="One text to answer.")] = None,
    text_pair: Annotated[str | None, typer.Option("--text-pair", help="Its pair.")] = None,
    value: Annotated[
        list[str] | None,
        typer.Option("--value", help="COLUMN=VALUE of one input, as `image=scan.png`; several times for several."),
    ] = None,
    input_: Annotated[
        Path | None, typer.Option("--input", help="File of inputs, read by its ending; -: standard input, JSON Lines.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", help="File for the predictions; none: stdout.")] = None,
    stream: Annotated[
        bool, typer.Option("--stream", help="With --text: print what is written bit by bit, as plain text.")
    ] = False,
    live: streams.Kind = None,
    source: streams.From = None,
    rate: streams.Rate = None,
    seconds: streams.Seconds = None,
    every: streams.Every = None,
    form: streams.Form = None,
    channels: streams.Channels = None,
    clock: streams.Clock = None,
    wait: streams.Wait = False,
    patience: streams.Patience = None,
    quiet: Quiet = False,
) -> None:
    """Predictions as JSON Lines, one an input, in input order."""
    how = {"rate": rate, "seconds": seconds, "every": every, "form": form, "channels": channels, "clock": clock}
    given = streams.given(live, source, how | {"wait": wait or None, "patience": patience})
    if live is not None:
        if text is not None or text_pair is not None or value or input_ is not None or stream:
            raise typer.BadParameter("--live takes what the stream brings; --text, --value and --input are without it.")
        streams.answer(bundle, overrides or (), task, live, source or "-", given, output, quiet=quiet)
        return
    if (text is None and not value) == (input_ is None):
        raise typer.BadParameter("give either --text (or --value) or --input, or --live.")
    values = columns(value)
    if text_pair is not None and text is None:
        raise typer.BadParameter("--text-pair goes with --text.")
    if stream and (text is None or output is not None):
        raise typer.BadParameter("--stream goes with --text, and prints to stdout.")
    from sibu import api

    predictor = api.load(bundle)
    name = predictor.task_named(task)
    predictor = predictor.answering(*overrides or (), task=name)
    if text_pair is not None and "text_pair" not in (reads := api.fields_of(predictor, name)):
        raise typer.BadParameter(f"the task {name!r} reads no text_pair; it reads {', '.join(reads)}.")
    require_read(api.columns_read(predictor, name), values | ({} if text is None else {"text": text}), name)
    if stream:
        given = {"text": _typed(text or "")} | ({} if text_pair is None else {"text_pair": _typed(text_pair)})
        told = predictor.tell(given, lambda bit: typer.echo(bit, nl=False), task=name)
        typer.echo()
        if not quiet:
            _say_of(told)
        return
    if input_ is None:
        own = {"text": text, "text_pair": text_pair}
        one = {name: _typed(said) for name, said in own.items() if said is not None} | values
        records: Iterator[tuple[Any, Any]] = iter([(None, one)])
    else:
        records = api.read_inputs(predictor, name, str(input_), progress=progress(quiet=quiet))
    streams.end(_write(api.predict_records(predictor, name, records, progress=progress(quiet=quiet)), output))


def _say_of(prediction: Any) -> None:
    """What a stream of text cannot tell: that not all was read, or that it came to its limit."""
    for each in prediction.evidence:
        if each.kind == "cut":
            typer.echo(f"What was not read: {each.content}.", err=True)
        if each.kind == "limit":
            typer.echo(f"The answer came to its limit of {each.content} pieces before its end.", err=True)


def columns(given: Sequence[str] | None) -> dict[str, str]:
    """The columns of the command line with their values."""
    found: dict[str, str] = {}
    for each in given or ():
        name, sign, said = each.partition("=")
        if not sign or not name:
            raise typer.BadParameter(f"--value {each!r}: give COLUMN=VALUE, as `image=scan.png`.")
        if name in found:
            raise typer.BadParameter(f"--value {name}= is given twice; one input has one value a column.")
        found[name] = _typed(said)
    return found


def require_read(read: Sequence[str], values: Mapping[str, str], task: str) -> None:
    """A value of the command line that the task does not read beside one that it does would be lost unseen."""
    lost = [name for name in values if name not in read]
    if lost and len(lost) < len(values):  # of an input with nothing that is read its line tells
        raise typer.BadParameter(f"the task {task!r} reads no {', '.join(lost)}; it reads {', '.join(read)}.")


def _typed(text: str) -> str:
    """A text of the command line; where the locale has no UTF-8, Python hands bytes over as half characters."""
    import os

    try:
        return os.fsencode(text).decode("utf-8")
    except UnicodeError:
        return text  # the task says what is wrong with it


def _write(lines: Iterator[dict[str, Any]], output: Path | None) -> int:
    """Write the lines, and count those with a fault."""
    import json
    import sys

    from sibu.store.atomic import new_file

    failed = 0
    with ExitStack() as stack:
        if output is None:
            out = sys.stdout
        else:
            temporary = stack.enter_context(new_file(output))
            out = stack.enter_context(temporary.open("w", encoding="utf-8"))
        for line in lines:
            failed += "error" in line
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
    return failed
