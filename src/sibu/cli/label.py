"""``sibu label``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from sibu.cli.console import progress
from sibu.cli.options import Json, Overrides, Quiet, Task


def label(
    source: Annotated[
        Path | None, typer.Argument(metavar="[BUNDLE|RECIPE]", help="A bundle; with --simulate a recipe.")
    ] = None,
    overrides: Overrides = None,
    input_: Annotated[Path | None, typer.Option("--input", help="File of rows without labels.")] = None,
    count: Annotated[
        int | None, typer.Option("--count", min=1, help="Rows to choose; with --simulate in each round. Default: 20.")
    ] = None,
    by: Annotated[
        list[str] | None, typer.Option("--by", help="Picker (`sibu list pickers`); --simulate takes several.")
    ] = None,
    desk: Annotated[str | None, typer.Option("--desk", help="Form of the file (`sibu list desks`).")] = None,
    ask: Annotated[bool, typer.Option("--ask", help="Ask for each label here, in place of writing a file.")] = False,
    back: Annotated[Path | None, typer.Option("--back", help="File that came back with labels.")] = None,
    sent: Annotated[Path | None, typer.Option("--sent", help="With --back: list of what was sent.")] = None,
    known: Annotated[
        list[str] | None, typer.Option("--known", help="File of rows with a label; none: the bundle's training data.")
    ] = None,
    simulate: Annotated[bool, typer.Option("--simulate", help="Draw the learning curve of a labelled recipe.")] = False,
    start: Annotated[
        int | None, typer.Option("--start", min=2, help="With --simulate: rows to begin with. Default: 20.")
    ] = None,
    rounds: Annotated[
        int | None, typer.Option("--rounds", min=1, help="With --simulate: rounds after the first. Default: 5.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", help="File to write.")] = None,
    task: Task = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Of what is drawn; of a simulation train.seed is. Default: 13.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Choose what to label next, send it to a desk, take the labels back, or simulate all that."""
    from sibu import api

    if sum([input_ is not None, back is not None, simulate]) != 1:
        raise typer.BadParameter("give one of --input (choose), --back (take back) and --simulate.")
    if output is None:
        raise typer.BadParameter("give --output, the file to write.")
    if (source is None) != (back is not None):
        raise typer.BadParameter("--back needs no bundle." if source else "give a bundle, or with --simulate a recipe.")
    if overrides and not simulate:
        raise typer.BadParameter("KEY=VALUE goes with --simulate.")
    if by is not None and len(by) > 1 and not simulate:
        raise typer.BadParameter("several --by go with --simulate.")
    given = {"count": count, "by": by, "desk": desk, "ask": ask or None, "sent": sent, "known": known}
    given |= {"start": start, "rounds": rounds, "task": task, "seed": seed}
    _require_uses(given, "back" if back is not None else "simulate" if simulate else "input")
    if back is not None:
        _tell(api.take_labels(back, output, sent=sent, desk=desk), as_json=as_json)
        return
    if simulate:
        ways = tuple(dict.fromkeys([*(by or ["margin"]), "random"]))
        named: dict[str, Any] = {"start": start or 20, "count": count or 20, "rounds": rounds or 5}
        named |= {"progress": progress(quiet=quiet)}
        found = api.simulate_labels(source, output, overrides or [], by=ways, **named)  # type: ignore[arg-type]
        _curves(found, as_json=as_json)
        return
    picker = (by or ["margin"])[0]
    own: dict[str, Any] = {"count": count or 20, "by": picker, "task": task, "known": known}
    own |= {"seed": 13 if seed is None else seed}
    own |= {"progress": progress(quiet=quiet)}
    if ask:
        if desk is not None:
            raise typer.BadParameter("--ask needs no desk.")
        _tell(api.ask_labels(source, str(input_), output, _asked, **own), as_json=as_json)  # type: ignore[arg-type]
        return
    _tell(api.label(source, str(input_), output, desk=desk or "jsonl", **own), as_json=as_json)  # type: ignore[arg-type]


USES = {
    "input": ("count", "by", "desk", "ask", "known", "task", "seed"),
    "back": ("desk", "sent"),
    "simulate": ("count", "by", "start", "rounds"),
}
"""What each way of the command reads beside its files."""


def _require_uses(given: dict[str, Any], way: str) -> None:
    """Refuse options that a way of the command would not look at.

    Raises:
        BadParameter: Naming them.
    """
    lost = [f"--{name}" for name, value in given.items() if value is not None and name not in USES[way]]
    if lost:
        verb = "does" if len(lost) == 1 else "do"
        mend = " Say train.seed=N behind the recipe." if way == "simulate" and "--seed" in lost else ""
        raise typer.BadParameter(f"{', '.join(lost)} {verb} not go with --{way}.{mend}")


def _asked(text: str, guess: str, labels: list[str]) -> str | None:
    """Ask for one label at the terminal: its number, its name, nothing to go by the guess, `-` to skip, `q` to end.

    Raises:
        EOFError: When no more is to be asked.
    """
    typer.echo(f"\n{text}", err=True)
    typer.echo("  ".join(f"{number} {name}" for number, name in enumerate(labels, 1)), err=True)
    while True:
        typer.echo(f"[{guess}] ", err=True, nl=False)
        said = input().strip()
        if said == "q":
            raise EOFError
        if not said:
            return guess
        if said == "-":
            return None
        if said in labels:
            return said
        if said.isdigit() and 0 < int(said) <= len(labels):
            return labels[int(said) - 1]
        typer.echo("Give a number, a label, nothing for the guess, - to skip, or q to end.", err=True)


def _tell(found: dict[str, Any], *, as_json: bool) -> None:
    import json

    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for what, value in found.items():
        if value not in (0, []):
            typer.echo(f"{what}: {', '.join(value) if isinstance(value, list) else value}")


def _curves(found: dict[str, Any], *, as_json: bool) -> None:
    import json

    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    names, metric = list(found["curves"]), found["metric"]
    typer.echo("\t".join(["labels", *names]))
    for rows in zip(*found["curves"].values(), strict=True):
        typer.echo("\t".join([str(rows[0]["labels"]), *(f"{row['scores'][metric]:.4f}" for row in rows)]))
