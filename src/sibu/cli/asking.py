"""``sibu ask`` and ``sibu kb link``: questions in plain words, and names in texts joined to things."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sibu.cli.console import write_json
from sibu.cli.kb import KB
from sibu.cli.options import Json
from sibu.core.errors import counted

Model = Annotated[
    str | None, typer.Option(help="Encoder for what is said in other words: minilm (English), me5, a folder, ...")
]
Language = Annotated[str, typer.Option(help="In which labels are shown. Default: as the question is written.")]
Names = Annotated[bool, typer.Option("--names", help="Show short names, not labels.")]


def ask(
    folder: KB,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="In English or Chinese.")],
    model: Model = None,
    limit: Annotated[int, typer.Option(min=1, help="Most answers that are proved.")] = 5,
    language: Language = "",
    names: Names = False,
    json: Json = False,
) -> None:
    """The answer to a question with its proof and sources; or `not known`, with what is missing."""
    import sibu

    found = sibu.ask(folder, question, model=model, limit=limit, language=language, names=names)
    if json:
        write_json(found)
    else:
        _say(found)
    if any(each["verdict"] != "accepted" for each in found["answers"]):
        raise typer.Exit(1)


def _say(found: dict[str, Any]) -> None:
    for each in found["notes"]:
        typer.echo(f"note: {each}", err=True)
    typer.echo(found["said"])
    if found["plan"] is not None:
        typer.echo(f"read as: {found['plan']['rule']}")
    _say_over(found)
    for each in found["answers"]:
        _say_proved(each)
    if found["kind"] == "which" and isinstance(found["value"], list) and len(found["value"]) > len(found["answers"]):
        typer.echo(f"{counted(len(found['value']) - len(found['answers']), 'answer')} more; --limit proves them.")
    for each in found["needed"]:
        typer.echo(each)
    for each in found.get("why_not", {}).get("missing", []):
        for line in each["lines"]:
            typer.echo(f"  {line}")
    for each in found.get("why_not", {}).get("hypotheses", []):
        typer.echo(f"{each['said']}: a hypothesis of {each['line']}; it does not hold")
    if found["readings"]:
        typer.echo("readings:" if found["status"] == "ambiguous" else "nearest readings:")
        for each in found["readings"]:
            said = f" {each['said']}" if each.get("said") else ""
            left = f", without {', '.join(map(repr, each['left_out']))}" if each.get("left_out") else ""
            typer.echo(f"  {each['rule']}{said} (score {each['score']:.2f}{left})")


def _say_over(found: dict[str, Any]) -> None:
    over = found.get("over")
    if over is None:
        return
    what = "counted" if found["kind"] == "count" and found["value"] else "looked for among"
    typer.echo(f"{what} {counted(over['facts'], 'fact')}:")
    for each in over["some"]:
        typer.echo(f"  {each}")
    if over["facts"] > len(over["some"]):
        typer.echo("  ...")


def _say_proved(one: dict[str, Any]) -> None:
    """A proof; of a rejected one what is wrong, and never as if it were proved."""
    first, *rest = one["tree"]
    if one["verdict"] != "accepted":
        typer.echo(f"{first}  NOT PROVED: the checker rejects its proof")
        for each in one["faults"]:
            typer.echo(f"  {each}")
        return
    typer.echo(f"{first}  (proof of {counted(len(one['proof']['steps']), 'step')}, checked)")
    for line in rest:
        typer.echo(line)


def link(
    folder: KB,
    text: Annotated[str | None, typer.Option(help="A text, in which names are looked for.")] = None,
    input_: Annotated[
        Path | None, typer.Option("--input", help="JSON Lines, one mention each: text, and kinds, context, ...")
    ] = None,
    model: Model = None,
    threshold: Annotated[float, typer.Option(min=0, max=1, help="Score below which a name means nothing here.")] = 0.6,
    most: Annotated[int, typer.Option(min=1, help="Candidates that are told.")] = 8,
    language: Annotated[str, typer.Option(help="In which labels are told.")] = "",
) -> None:
    """Join names in a text to the things that they mean: JSON Lines, with candidates."""
    import json as library

    from sibu import kb

    if (text is None) == (input_ is None):
        raise typer.BadParameter("give either --text or --input.")
    rows = _rows(input_) if input_ is not None else []
    found = kb.link(folder, text, rows, model=model, threshold=threshold, most=most, language=language)
    for each in found:
        typer.echo(library.dumps(each, ensure_ascii=False))


def _rows(file: Path) -> list[dict[str, Any]]:
    from sibu.kb.asking import mention_rows

    return mention_rows(file)
