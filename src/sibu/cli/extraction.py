"""``sibu kb extract``: from text to facts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sibu.cli.console import progress, table, write_json
from sibu.cli.kb import KB, Message, said_returned, said_unmet
from sibu.cli.options import Json, Quiet
from sibu.core.errors import counted

Files = Annotated[
    list[Path] | None, typer.Argument(metavar="[FILE]...", help="Texts, folders of texts, tables of texts.")
]
Plan = Annotated[
    Path | None, typer.Option("--with", metavar="PLAN", help="YAML file that names extractors and thresholds.")
]
Remove = Annotated[
    list[str] | None,
    typer.Option("--remove", metavar="DOCUMENT", help="A document that is no more; several times."),
]
Again = Annotated[bool, typer.Option("--again", help="Read documents too that did not change.")]
IdColumn = Annotated[str, typer.Option("--id", help="Of tables: the column that names documents.")]
TextColumn = Annotated[str, typer.Option("--text", help="Of tables: the column of texts.")]


def extract(
    folder: KB,
    files: Files = None,
    with_: Plan = None,
    to_review: Annotated[
        Path | None, typer.Option("--to-review", metavar="FILE", help="Write what waits for a person: .tsv or .jsonl.")
    ] = None,
    review: Annotated[
        Path | None, typer.Option("--review", metavar="FILE", help="Read such a file back, with decisions.")
    ] = None,
    by: Annotated[str, typer.Option(help="Who decided: the source of what is confirmed.")] = "",
    remove: Remove = None,
    again: Again = False,
    id_column: IdColumn = "id",
    text_column: TextColumn = "text",
    message: Message = "",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Read documents: what is sure is asserted, what is not waits for a person, the rest is refused with a reason."""
    from sibu import kb

    if review is not None:
        if files or with_ or to_review or remove or again:
            raise typer.BadParameter("--review takes decisions back and does nothing else.", param_hint="--review")
        if not by.strip():
            raise typer.BadParameter("say who decided: --by NAME.", param_hint="--by")
        found = kb.review(folder, review, by=by, message=message)
        write_json(found) if json else _decided(found)
        return
    named: dict[str, Any] = {"remove": remove or [], "again": again, "to_review": to_review, "message": message}
    named |= {"id_column": id_column, "text_column": text_column, "progress": progress(quiet=quiet)}
    found = kb.extract(folder, files or [], with_, **named)
    write_json(found) if json else _extracted(found)


def _decided(found: dict[str, Any]) -> None:
    typer.echo(f"{found['confirmed']:,} confirmed, {found['rejected']:,} rejected, {found['open']:,} left open")
    if found["decided_before"]:
        typer.echo(f"{counted(found['decided_before'], 'line')} decided so before")
    _version(found)


def _extracted(found: dict[str, Any]) -> None:
    if "documents" in found:
        documents, facts, things = found["documents"], found["facts"], found["things"]
        read = ", ".join(f"{count:,} {what}" for what, count in documents.items() if count) or "none"
        typer.echo(f"documents: {read}")
        typer.echo(f"{facts['asserted']:,} asserted, {facts['review']:,} for review, {facts['refused']:,} refused")
        typer.echo(f"things: {things['known']:,} known, {things['new']:,} new")
        rows = [[f"{each['count']:,}", each["reason"], "; ".join(each["such_as"])] for each in found["refused"]]
        if rows:
            table("", ["refused", "why", "such as"], rows)
        for each in found["conflicts"][:10]:
            typer.echo(f"for review: {each['fact']}: {each['reason']}")
        said_unmet(found["unmet"])
        said_returned(found["returned"])
        _version(found)
    if "review" in found:
        waiting = f"{counted(found['review']['waiting'], 'fact')} waiting"
        typer.echo(f"{waiting}: {found['review']['file']}")


def _version(found: dict[str, Any]) -> None:
    version = found["version"]
    changed = f"{counted(version['added'], 'fact')} added, {version['removed']:,} removed"
    told = f"version {version['number']}: {changed}, {version['facts']:,} hold"
    typer.echo(told if found["new"] else "Nothing new.")
