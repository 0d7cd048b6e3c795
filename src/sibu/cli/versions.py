"""``sibu kb versions``, ``diff``, ``rollback``, ``export``, ``stats``, ``rebuild``: through time, and out again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sibu.cli.console import progress, table, write_json
from sibu.cli.kb import KB, Message, said
from sibu.cli.options import Json, Quiet
from sibu.core.errors import counted

MOST_SHOWN = 200
"""Facts of a diff that are shown on a side."""


def versions(
    folder: KB,
    name: Annotated[
        list[str] | None, typer.Option(metavar="NUMBER=NAME", help="Give a version a name first; several times.")
    ] = None,
    json: Json = False,
) -> None:
    """Every version of the facts, and how many came and went; rules and shapes have none."""
    from sibu import kb

    pairs = [each.partition("=") for each in name or []]
    if not all(given and sign and own for given, sign, own in pairs):
        raise typer.BadParameter("give NUMBER=NAME, such as 3=released.", param_hint="--name")
    for which, _, own in pairs:
        kb.name_version(folder, which, own)
    found = kb.versions(folder)
    if json:
        write_json(found)
        return
    head = ["version", "name", "time", "facts", "added", "removed", "what"]
    keys = ("number", "name", "time", "facts", "added", "removed", "message")
    table("", head, [[str(each[key]) for key in keys] for each in found])


def diff(
    folder: KB,
    before: Annotated[str, typer.Argument(metavar="BEFORE", help="Number or name of a version.")],
    after: Annotated[str, typer.Argument(metavar="AFTER", help="Number or name of another.")],
    json: Json = False,
) -> None:
    """Which facts hold in one version and not in another."""
    from sibu import kb

    found = kb.diff(folder, before, after)
    if json:
        write_json(found)
        return
    for sign, kind in (("-", "removed"), ("+", "added")):
        for each in found[kind][:MOST_SHOWN]:
            typer.echo(f"{sign} {each['said']}")
        if len(found[kind]) > MOST_SHOWN:
            typer.echo(f"{sign} ... and {len(found[kind]) - MOST_SHOWN:,} more; --json has them all")
    typer.echo(f"{len(found['added']):,} added, {len(found['removed']):,} removed")


def rollback(
    folder: KB,
    to: Annotated[str, typer.Argument(metavar="VERSION", help="Number or name of the version.")],
    message: Message = "",
    json: Json = False,
) -> None:
    """Have all facts as they were in a version, by a new one that undoes the rest; rules and shapes stay."""
    from sibu import kb

    found = kb.rollback(folder, to, message=message)
    if json:
        write_json(found)
        return
    typer.echo(said(found) if found["new"] else "Nothing new: all is as it was then.")
    for each in found["notes"]:
        typer.echo(f"note: {each}", err=True)


def export(
    folder: KB,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File to write.")],
    format_: Annotated[str | None, typer.Option("--format", help="Its format. Default: by the name.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="With all sources, and what does not hold (.nq, .trig).")] = False,
) -> None:
    """Write what holds to a file."""
    from sibu import kb

    written = kb.export(folder, file, format=format_, all=all_)
    typer.echo(f"{counted(written, 'statement')} written to {file}")


def stats(folder: KB, json: Json = False) -> None:
    """How much there is of what."""
    from sibu import kb

    found = kb.stats(folder)
    if json:
        write_json(found)
        return
    version = found["version"]
    typer.echo(
        f"{found['folder']}: {found['facts']:,} facts of {found['things']:,} things, version {version['number']}"
    )
    typer.echo(f"namespace {found['base']}")
    rows = [["statements", name, f"{count:,}"] for name, count in found["statements"].items()]
    for kind in ("documents", "classes", "properties"):
        listed = list(found[kind].items())
        rows += [[kind, name, f"{count:,}"] for name, count in listed[:20]]
        if len(listed) > 20:
            rows.append([kind, f"{len(listed) - 20:,} more", f"{sum(count for _, count in listed[20:]):,}"])
    rows += [["labels", name or "no language", f"{count:,}"] for name, count in found["labels"].items()]
    rows += [["bytes", name, f"{count:,}"] for name, count in found["bytes"].items()]
    table("", ["what", "name", "count"], rows)
    if found["rules"]:
        typer.echo(f"rules: {', '.join(found['rules'])}")


def rebuild(folder: KB, quiet: Quiet = False) -> None:
    """Make the store anew from the versions, where it is damaged."""
    from sibu import kb

    typer.echo(said(kb.rebuild(folder, progress=progress(quiet=quiet))))
