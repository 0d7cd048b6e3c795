"""``sibu kb``: a knowledge base, made, filled, and asked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sibu.cli.console import progress, table, write_json
from sibu.cli.options import Json, Quiet
from sibu.core.errors import counted

app = typer.Typer(
    name="kb",
    help="A knowledge base: facts with their sources, in versions.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
KB = Annotated[Path, typer.Argument(metavar="KB", help="Folder that `sibu kb create` made.")]
MOST_RETURNED = 5
"""So many facts that hold again are shown."""
Message = Annotated[str, typer.Option("--message", "-m", help="What the change is, in words.")]


def _prefixes(given: list[str] | None) -> list[str] | None:
    if wrong := [each for each in given or [] if "=" not in each]:
        raise typer.BadParameter(f"{', '.join(map(repr, wrong))}: give PREFIX=IRI, such as ex=https://example.org/.")
    return given


@app.command()
def create(
    folder: Annotated[Path, typer.Argument(metavar="KB", help="Folder to make.")],
    base: Annotated[
        str | None,
        typer.Option(help="Namespace of names without a prefix, ending in / or #. Default: by the folder's name."),
    ] = None,
    prefix: Annotated[
        list[str] | None,
        typer.Option(metavar="PREFIX=IRI", callback=_prefixes, help="A prefix; may be given several times."),
    ] = None,
    language: Annotated[
        list[str] | None, typer.Option(help="Language in which things are shown, the first first; several times.")
    ] = None,
) -> None:
    """Make an empty knowledge base."""
    from sibu import kb

    prefixes = dict(each.split("=", 1) for each in prefix or [])
    typer.echo(kb.create(folder, base=base, prefixes=prefixes, languages=language or []))


@app.command()
def add(
    folder: KB,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="RDF, triples (TSV, CSV), or tables. -: standard input.")
    ],
    format_: Annotated[str | None, typer.Option("--format", help="Their format. Default: by each name.")] = None,
    mapping: Annotated[Path | None, typer.Option(help="YAML file that says how a table's rows are facts.")] = None,
    document: Annotated[
        str | None, typer.Option(help="The document that states them. Default: the file's name.")
    ] = None,
    status: Annotated[str, typer.Option(help="asserted, or hypothesis: kept, but does not hold.")] = "asserted",
    confidence: Annotated[float, typer.Option(min=0, max=1, help="How sure they are.")] = 1.0,
    update: Annotated[
        bool, typer.Option("--update", help="A file may take the place of another one of its name.")
    ] = False,
    message: Message = "",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Facts of files, with their sources: all as one version, or nothing."""
    from sibu import kb

    if status not in ("asserted", "hypothesis"):
        raise typer.BadParameter(f"{status!r}: give asserted or hypothesis.", param_hint="--status")
    named: dict[str, Any] = {"format": format_, "mapping": mapping, "document": document, "status": status}
    named |= {"confidence": confidence, "update": update, "message": message, "progress": progress(quiet=quiet)}
    found = kb.add(folder, files, **named)
    if json:
        write_json(found)
        return
    for each in found["files"]:
        typer.echo(f"{each['document']}: {counted(each['facts'], 'fact')} stated")
    said_returned(found["returned"])
    typer.echo(said(found["version"]) if found["new"] else "Nothing new: all of it was stated before.")


def said_returned(facts: list[dict[str, Any]]) -> None:
    """Tell of facts that hold though one had retracted them, and why."""
    if facts:
        rest = f"; the first {MOST_RETURNED}, --json has them all" if len(facts) > MOST_RETURNED else ""
        typer.echo(f"{counted(len(facts), 'fact')} retracted before, now stated again{rest}:")
    for each in facts[:MOST_RETURNED]:
        typer.echo(f"  {each['said']}, retracted: {each['why']}")


def said_unmet(unmet: list[dict[str, str]]) -> None:
    """What extractors looked for and nothing can be."""
    for each in unmet:
        typer.echo(f"{each['extractor']} looks for what nothing can be: {each['reason']}")


@app.command()
def retract(
    folder: KB,
    why: Annotated[str, typer.Option(help="The reason; it is kept.")],
    subject: Annotated[
        str, typer.Argument(metavar="[SUBJECT]", help="Name or label of the thing; _ is anything.")
    ] = "_",
    predicate: Annotated[str, typer.Argument(metavar="[PREDICATE]", help="The property; _ is any.")] = "_",
    object_: Annotated[str, typer.Argument(metavar="[OBJECT]", help="Thing, text or number; _ is anything.")] = "_",
    document: Annotated[str | None, typer.Option(help="Only what this document states.")] = None,
    json: Json = False,
) -> None:
    """Say that facts are not so; who stated them, and why not, is kept."""
    from sibu import kb

    found = kb.retract(folder, subject, predicate, object_, why=why, document=document)
    if json:
        write_json(found)
    else:
        typer.echo(f"{counted(found['retracted'], 'statement')} retracted")
        typer.echo(said(found["version"]))


@app.command()
def query(
    folder: KB,
    sparql: Annotated[str | None, typer.Argument(metavar="[SPARQL]", help="The question.")] = None,
    file: Annotated[Path | None, typer.Option(help="File that holds the question.")] = None,
    seconds: Annotated[float, typer.Option(help="When to stop it.")] = 30.0,
    json: Json = False,
) -> None:
    """Ask in SPARQL; `:name` stands in the base namespace."""
    from sibu import kb

    if (sparql is None) == (file is None):
        raise typer.BadParameter("give a question, or --file with one.")
    found = kb.query(folder, sparql if sparql is not None else _read(file), seconds=seconds)
    if json:
        write_json(found)
    elif "answer" in found:
        typer.echo("true" if found["answer"] else "false")
    else:
        head = found.get("variables", ["subject", "predicate", "object"])
        rows = found["rows"] if "rows" in found else found["facts"]
        names = kb.names(folder)
        table("", head, [[_shown(row.get(name), names) for name in head] for row in rows])


@app.command()
def show(
    folder: KB,
    entity: Annotated[str, typer.Argument(metavar="ENTITY", help="name, prefix:name, <iri>, or a label.")],
    language: Annotated[str, typer.Option(help="In which labels are shown.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Most facts in each direction, most things on the picture.")] = 50,
    picture: Annotated[Path | None, typer.Option(help="Draw what stands around it: a file .svg or .html.")] = None,
    hops: Annotated[int, typer.Option(min=1, help="Steps that the picture goes.")] = 1,
    json: Json = False,
) -> None:
    """What is known of a thing: labels, and facts with their sources."""
    from sibu import kb
    from sibu.graph.spoken import one_line

    found = kb.show(folder, entity, language=language, limit=limit, picture=picture, hops=hops)
    if json:
        write_json(found)
        return
    names = [
        f"{one_line(each['value'])}{'@' + each['language'] if 'language' in each else ''}" for each in found["labels"]
    ]
    typer.echo(f"{found['label']}  <{found['entity']}>")
    if names:
        typer.echo(f"labels: {', '.join(names)}")
    rows = [_fact_row(each, "") for kind in ("facts", "to") for each in found[kind]]
    rows += [_fact_row(each, kind) for kind in ("hypotheses", "retracted") for each in found[kind]]
    if rows:
        table("", ["subject", "property", "object", "status", "sources"], rows)
    else:
        typer.echo("No fact is about it.")
    if "picture" in found:
        more = " (there is more around it)" if found["picture"]["cut"] else ""
        typer.echo(f"drawn: {found['picture']['file']}{more}")


def said(version: dict[str, Any]) -> str:
    """A new version in words."""
    changed = f"{counted(version['added'], 'fact')} added, {version['removed']:,} removed"
    return f"version {version['number']}: {changed}, {version['facts']:,} hold"


def _read(file: Path | None) -> str:
    from sibu.core.errors import DataError

    assert file is not None
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise DataError(f"{file} cannot be read: {fault}.") from fault


def _shown(term: dict[str, str] | None, names: Any) -> str:
    """A term in a table: a thing by its short name, of a value its text."""
    if term is None:
        return ""
    return names.short(term["iri"]) if "iri" in term else term["value"]


def _fact_row(fact: dict[str, Any], status: str) -> list[str]:
    derived = not status and all(each.get("status") == "derived" for each in fact["sources"])
    return [*fact["said"], status or ("derived" if derived else "holds"), "; ".join(map(_source, fact["sources"]))]


def _source(source: dict[str, Any]) -> str:
    """A source in few words: document, row or passage, extractor, confidence, and why it was retracted."""
    parts = [source["document"]]
    if "row" in source:
        parts.append(f"row {source['row']}")
    if "passage" in source:
        parts.append(f"“{source['passage']}”")
    elif "start" in source:
        parts.append(f"{source['start']} to {source.get('end', '')}")
    if "extractor" in source:
        parts.append(f"by {source['extractor']}")
    if "confidence" in source:
        parts.append(f"{source['confidence']:.2f}")
    if "why" in source:
        parts.append(f"retracted: {source['why']}")
    return ", ".join(parts)
