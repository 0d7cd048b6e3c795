"""``sibu kb rules``, ``infer``, ``why``, ``shapes``, ``check``: reasoning over a knowledge base."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sibu.cli.console import progress, table, write_json
from sibu.cli.kb import KB
from sibu.cli.options import Json, Quiet
from sibu.core.errors import counted

Language = Annotated[str, typer.Option(help="In which labels are shown.")]
Names = Annotated[bool, typer.Option("--names", help="Show short names, not labels.")]
Remove = Annotated[list[str] | None, typer.Option("--remove", metavar="NAME", help="Remove those; several times.")]
Listing = Annotated[bool, typer.Option("--list", help="Only list what there is.")]
Seconds = Annotated[float | None, typer.Option(min=0, help="How long deriving may take.")]


def rules(
    folder: KB,
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILE]...", help="Files of rules.")] = None,
    remove: Remove = None,
    list_: Listing = False,
    json: Json = False,
) -> None:
    """Take up rule files when they have passed all checks; without a file, list them."""
    from sibu import kb

    _not_both(list_, files, remove)
    found = kb.rules(folder, files or [], remove=remove or [])
    if json:
        write_json(found)
        return
    for each in found["warnings"]:
        typer.echo(f"warning: {_fault(each)}", err=True)
    _taken(found)
    rows = [[each["name"], *(str(each[key]) for key in ("rules", "uncertain", "constraints"))]
            for each in found["files"]]  # fmt: skip
    if rows:
        table("", ["file", "rules", "uncertain", "constraints"], rows)
    else:
        typer.echo("There are no rule files.")
    if files or remove:
        typer.echo(f"What follows by them: sibu kb infer {folder}")


def shapes(
    folder: KB,
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILE]...", help="Files of shapes (RDF).")] = None,
    remove: Remove = None,
    list_: Listing = False,
    json: Json = False,
) -> None:
    """Take up files of shapes (SHACL) by which `check` judges; without a file, list them."""
    from sibu import kb

    _not_both(list_, files, remove)
    found = kb.shapes(folder, files or [], remove=remove or [])
    if json:
        write_json(found)
        return
    _taken(found)
    typer.echo(f"shapes: {', '.join(found['files'])}" if found["files"] else "There are no shapes.")


def _not_both(list_: bool, files: list[Path] | None, remove: list[str] | None) -> None:
    if list_ and (files or remove):
        raise typer.BadParameter("--list changes nothing: give no files and no --remove with it.")


def _taken(found: dict[str, Any]) -> None:
    for what in ("added", "replaced", "removed"):
        if found[what]:
            typer.echo(f"{what}: {', '.join(found[what])}")


def _fault(fault: dict[str, str]) -> str:
    return f"{fault['where']}: {fault['message']} {fault['mend']}".rstrip()


def infer(
    folder: KB,
    options: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]...", help="Options of reasoners, such as owl.values=true."),
    ] = None,
    with_: Annotated[
        list[str] | None,
        typer.Option("--with", metavar="REASONER", help="`sibu list reasoners`; several times. Default: as last time."),
    ] = None,
    seconds: Seconds = None,
    force: Annotated[bool, typer.Option("--force", help="Derive all from the beginning.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Derive what follows, by rules and ontology, and write it as one version."""
    from sibu import kb

    given = _reasoners(with_, options)
    voice = progress(quiet=quiet)
    voice.say(f"inferring over {folder}")
    found = kb.infer(folder, given, seconds=seconds, force=force)
    if json:
        write_json(found)
        return
    by = f"{', '.join(found['reasoners'])}, {counted(found['rules'], 'rule')}"
    typer.echo(f"by {by}: {found['derived']:,} derived from {found['asserted']:,} asserted facts")
    if found["hypotheses"]:
        typer.echo(f"{_many(found['hypotheses'], 'hypothesis', 'hypotheses')} by uncertain rules; they do not hold")
    typer.echo(f"{counted(found['came'], 'fact')} came, {found['went']:,} went")
    version = found["version"]
    typer.echo(f"version {version['number']}: {version['facts']:,} hold" if found["new"] else "Nothing new.")
    if found["anew"] and not found["anew"].startswith("nothing was"):
        voice.say(f"All was derived from the beginning: {found['anew']}.")


def _many(number: int, one: str, more: str) -> str:
    return f"{number:,} {one if number == 1 else more}"


def _reasoners(names: list[str] | None, options: list[str] | None) -> list[dict[str, Any]] | None:
    """Reasoners with their options; None: none was named."""
    if wrong := [each for each in options or [] if "=" not in each or "." not in each.partition("=")[0]]:
        said = ", ".join(map(repr, wrong))
        raise typer.BadParameter(f"{said}: give REASONER.OPTION=VALUE, such as owl.values=true.")
    if not names and not options:
        return None
    found: dict[str, dict[str, Any]] = {name: {"name": name} for name in names or []}
    for each in options or []:
        import yaml

        key, _, value = each.partition("=")
        name, _, option = key.partition(".")
        if name not in found:
            raise typer.BadParameter(f"{each!r} is of {name!r}, which is not among --with.")
        try:
            found[name][option] = yaml.safe_load(value)
        except yaml.YAMLError as fault:
            raise typer.BadParameter(f"{each!r} has no value that YAML can read.") from fault
    return list(found.values())


def why(
    folder: KB,
    fact: Annotated[
        list[str], typer.Argument(metavar="FACT", help="'takes(anna, X)', or: subject property object; _ is anything.")
    ],
    limit: Annotated[int, typer.Option(min=1, help="Most facts that are proved.")] = 5,
    depth: Annotated[int, typer.Option(min=1, help="Where it does not hold: steps to go on with what is missing.")] = 1,
    language: Language = "",
    names: Names = False,
    picture: Annotated[Path | None, typer.Option(help="Draw the proofs: a file .svg or .html.")] = None,
    looks: Annotated[
        int | None, typer.Option(min=1, help="Facts the checker may look at for what a rule denies or counts.")
    ] = None,
    json: Json = False,
) -> None:
    """The proof of a fact down to its sources, checked; or what is missing for it."""
    from sibu import kb

    if len(fact) not in (1, 3):
        raise typer.BadParameter("give one fact such as 'takes(anna, X)', or three: subject property object.")
    given: str | list[str] = fact[0] if len(fact) == 1 else fact
    own: dict[str, Any] = {"limit": limit, "depth": depth, "language": language, "names": names}
    found = kb.why(folder, given, picture=picture, looks=looks, **own)
    if json:
        write_json(found)
    else:
        _say_why(found)
    if any(each["verdict"] != "accepted" for each in found["facts"]):
        raise typer.Exit(1)


def _say_why(found: dict[str, Any]) -> None:
    for each in found["notes"]:
        typer.echo(f"note: {each}", err=True)
    for each in found["facts"]:
        _say_proved(each)
    if found["more"]:
        typer.echo(f"\n{counted(found['more'], 'fact')} more; --limit shows them.")
    for each in found["unproved"]:
        typer.echo(f"{each}\n  was derived, but there is no proof of it any more")
    if not found["facts"] and not found["unproved"]:
        typer.echo(f"{found['asked']}: there is no such fact")
        for each in found["missing"]:
            _say_missing(each, 1)
    for each in found["hypotheses"]:
        typer.echo(f"{each['said']}: a hypothesis of {each['line']}; it does not hold")
    for each in found["retracted"]:
        source = each["source"]
        typer.echo(f"{each['said']}: stated by {each['line']}, retracted {source.get('ended', '')}: {source['why']}")
    if found.get("picture"):
        typer.echo(f"drawn: {found['picture']}")


def _say_proved(fact: dict[str, Any]) -> None:
    """A fact and its proof; of a rejected one what is wrong, and never as if it were proved."""
    first, *rest = fact["tree"]
    if fact["verdict"] != "accepted":
        typer.echo(f"{first}  NOT PROVED: the checker rejects its proof")
        for each in fact["faults"]:
            typer.echo(f"  {each}")
        return
    kind = fact["status"]
    if kind == "hypothesis":
        kind = f"hypothesis, score {fact['score']:g}: it does not hold"
    steps = len(fact["proof"]["steps"])
    typer.echo(f"{first}  ({kind}; proof of {counted(steps, 'step')}, checked)")
    for line in rest:
        typer.echo(line)


def _say_missing(rule: dict[str, Any], depth: int) -> None:
    blank = "  " * depth
    for line in rule["lines"]:
        typer.echo(blank + line)
    for each in rule["below"]:
        typer.echo(f"{blank}  {each['missing']} is missing:")
        for inner in each["rules"]:
            _say_missing(inner, depth + 2)


def check(
    folder: KB,
    shapes: Annotated[
        list[Path] | None, typer.Option("--shapes", help="File of shapes, beside those that are kept; several times.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most cases of one constraint.")] = 20,
    language: Language = "",
    names: Names = False,
    seconds: Seconds = None,
    json: Json = False,
) -> None:
    """What must not be: constraints that are met, values that cannot be, shapes that are broken."""
    from sibu import kb

    found = kb.check(folder, shapes or [], limit=limit, language=language, names=names, seconds=seconds)
    if json:
        write_json(found)
    else:
        _say_checked(found)
    if found["faulty"]:
        raise typer.Exit(1)


def _say_checked(found: dict[str, Any]) -> None:
    for each in found["notes"]:
        typer.echo(f"note: {each}", err=True)
    for each in found["constraints"]:
        _say_met(each)
    for rule, more in found["more"].items():
        typer.echo(f"{counted(more, 'case')} more of {rule}; --limit shows them.")
    for each in found["values"]:
        typer.echo(f"{each['said']} is no {each['type']}")
        _say_facts(each["facts"])
    for each in found["shapes"]:
        where = f", {each['path']}" if each["path"] else ""
        value = f" {each['value_said']}" if each["value_said"] else ""
        typer.echo(f"{each['severity']}: {each['said']}{where}{value}: {each['message']}")
        _say_facts(each["facts"])
    looked = found["looked_at"]
    files = f" and the shapes of {', '.join(looked['shapes'])}" if looked["shapes"] else ""
    wrong = len(found["constraints"]) + sum(found["more"].values()) + len(found["values"]) + len(found["shapes"])
    done = f"{counted(looked['constraints'], 'constraint')}{files} looked at"
    typer.echo(f"{done}: {'all is well' if not wrong else counted(wrong, 'case') + ' of what must not be'}")


def _say_met(met: dict[str, Any]) -> None:
    typer.echo(f"must not be, {met['said']}")
    if met["verdict"] != "accepted":
        typer.echo("  NOT PROVED: the checker rejects that it is so")
        for each in met["faults"]:
            typer.echo(f"    {each}")
        return
    for line in met["tree"][1:]:
        typer.echo(line)


def _say_facts(facts: list[dict[str, Any]]) -> None:
    for fact in facts:
        typer.echo(f"  {fact['said']}")
        for source in fact["sources"]:
            typer.echo(f"    {'' if source == 'derived' else 'stated by '}{source}")
