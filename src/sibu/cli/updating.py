"""``sibu kb update``: new documents, and all that comes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sibu.cli.console import progress, table, write_json
from sibu.cli.extraction import Again, Files, IdColumn, Plan, Remove, TextColumn
from sibu.cli.kb import KB, Message, said_returned, said_unmet
from sibu.cli.options import Json, Quiet
from sibu.core.errors import counted


def update(
    folder: KB,
    files: Files = None,
    with_: Plan = None,
    conflicts: Annotated[
        str, typer.Option(help="Facts that a new conflict rests on: hold (they wait), tell (they stay), refuse (all).")
    ] = "hold",
    bundle: Annotated[
        list[Path] | None, typer.Option(help="A bundle to judge beside those of the plan; several times.")
    ] = None,
    rows: Annotated[Path | None, typer.Option(help="Folder for the training rows that new facts yield.")] = None,
    name: Annotated[str, typer.Option(help="Name for the version that comes of it.")] = "",
    remove: Remove = None,
    again: Again = False,
    id_column: IdColumn = "id",
    text_column: TextColumn = "text",
    seconds: Annotated[float | None, typer.Option(min=0, help="How long deriving may take, each time.")] = None,
    message: Message = "",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Read documents, derive what follows, find conflicts that came with them, tell what should be trained again."""
    from sibu import kb

    if with_ is None:
        raise typer.BadParameter("say how documents are read: a file that names extractors.", param_hint="--with")
    if conflicts not in ("hold", "tell", "refuse"):
        raise typer.BadParameter(f"{conflicts!r}: give hold, tell or refuse.", param_hint="--conflicts")
    named: dict[str, Any] = {"conflicts": conflicts, "bundles": bundle or [], "rows": rows, "name": name}
    named |= {"remove": remove or [], "again": again, "seconds": seconds, "message": message}
    named |= {"id_column": id_column, "text_column": text_column, "progress": progress(quiet=quiet)}
    found = kb.update(folder, files or [], with_, **named)
    write_json(found) if json else _said(found)
    if found["refused"] or found["conflicts"]["left"]:
        raise typer.Exit(1)


def _said(found: dict[str, Any]) -> None:
    read, facts = found["read"], found["read"]["facts"]
    documents = ", ".join(f"{count:,} {what}" for what, count in read["documents"].items() if count) or "none"
    typer.echo(f"documents: {documents}")
    typer.echo(f"{facts['asserted']:,} asserted, {facts['review']:,} for review, {facts['refused']:,} refused")
    said_unmet(read["unmet"])
    if found["inferred"] is not None:
        typer.echo(f"{found['inferred']['derived']:,} facts follow")
    _conflicts(found["conflicts"], refused=found["refused"])
    said_returned(found["returned"])
    diff = found["diff"]
    rows = [[each, f"+{own['added']:,}", f"-{own['removed']:,}"] for each, own in diff["by"].items()]
    if rows:
        table("", ["of what", "came", "went"], rows)
    for each in found["retrain"]:
        _advised(each)
    if found["unseen"]:
        listed = ", ".join(f"{name} ({count:,})" for name, count in list(found["unseen"].items())[:10])
        typer.echo(f"no bundle was trained to see: {listed}")
    version, before = found["version"], found["before"]
    if not found["new"]:
        typer.echo("Nothing new.")
        return
    name = f" {version['name']!r}" if version.get("name") else ""
    changed = f"{counted(diff['added'], 'fact')} came, {diff['removed']:,} went since version {before['number']}"
    typer.echo(f"version {version['number']}{name}: {changed}, {version['facts']:,} hold")


def _conflicts(found: dict[str, Any], *, refused: bool) -> None:
    if found["known"]:
        typer.echo(f"{counted(found['known'], 'conflict')} there was before: sibu kb check")
    for each in found["new"]:
        typer.echo(f"new conflict: {each['said']}: {each['why']}")
        for fact in each["facts"]:
            sources = ", ".join(dict.fromkeys(source["document"] for source in fact["sources"]))
            typer.echo(f"  {fact['said']}" + (f", stated by {sources}" if sources else ""))
    if refused:
        typer.echo("All was taken back.")
    for each in found["held"]:
        typer.echo(f"held back, waits for a person: {each}")
    if found["left"]:
        typer.echo(f"{counted(found['left'], 'conflict')} left: sibu kb check")


def _advised(each: dict[str, Any]) -> None:
    if not each["retrain"]:
        typer.echo(f"{each['bundle']}: nothing new to learn")
        return
    for name, task in each["tasks"].items():
        labels = ", ".join(f"{label} {count:,}" for label, count in task["labels"].items())
        where = f": {task['file']}" if "file" in task else ""
        typer.echo(f"{each['bundle']}: {counted(task['rows'], 'new row')} for {name} ({labels}){where}")
    if "command" in each:
        typer.echo(f"  train it again: {each['command']}")
