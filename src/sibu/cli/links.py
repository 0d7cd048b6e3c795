"""``sibu kb embed``, ``mine``: links that are missing, by vectors and by rules."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sibu.cli.console import progress, table, write_json
from sibu.cli.kb import KB
from sibu.cli.options import Json, Quiet
from sibu.core.errors import counted

Asserted = Annotated[bool, typer.Option("--asserted", help="Only from what is asserted, not from what rules derived.")]
Language = Annotated[str, typer.Option(help="In which labels are shown.")]


def embed(
    folder: KB,
    options: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]...", help="Options of the scorer, such as width=128 epochs=50."),
    ] = None,
    scorer: Annotated[str, typer.Option(help="How vectors say how likely a fact is: `sibu list scorers`.")] = "complex",
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to save the vectors in. Default: links/<name of KB>.")
    ] = None,
    vectors: Annotated[
        Path | None, typer.Option("--from", metavar="DIR", help="Vectors that were saved before, instead of learning.")
    ] = None,
    propose: Annotated[int, typer.Option(min=0, help="How many new facts to propose at most.")] = 10,
    write: Annotated[bool, typer.Option("--write", help="Write the proposals into KB, as hypotheses.")] = False,
    at_least: Annotated[float, typer.Option(min=0, help="Lowest probability of a proposal, below 1.")] = 0.0,
    relation: Annotated[
        list[str] | None, typer.Option("--relation", help="Propose only of this property; several times.")
    ] = None,
    most_of_one: Annotated[int | None, typer.Option(min=1, help="At most so many of one property.")] = None,
    held_out: Annotated[
        float, typer.Option(help="Share of the facts that is held out to judge by, from 0 to below 1.")
    ] = 0.1,
    seed: Annotated[int, typer.Option(help="Same facts, same seed: the same vectors.")] = 13,
    asserted: Asserted = False,
    force: Annotated[bool, typer.Option("--force", help="Replace vectors that stand there.")] = False,
    language: Language = "",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Learn vectors from the facts, and propose new facts that they speak for."""
    from sibu import kb

    if vectors is not None and (options or out is not None):
        raise typer.BadParameter("--from uses vectors as they are: give no options and no --out with it.")
    place = out if out is not None or vectors is not None else Path("links") / folder.resolve().name
    try:
        found = kb.embed(
            folder, {"name": scorer, **_options(options)}, out=place, vectors=vectors, held_out=held_out, seed=seed,
            propose=propose, at_least=at_least, relations=relation or [], most_of_one=most_of_one, asserted=asserted,
            write=write, force=force, language=language, progress=progress(quiet=quiet),
        )  # fmt: skip
    except KeyboardInterrupt:
        typer.echo("Interrupted: nothing was written.", err=True)
        raise typer.Exit(130) from None
    if json:
        write_json(found)
    else:
        _say_embedded(found)


def _options(given: list[str] | None) -> dict[str, Any]:
    import yaml

    if wrong := [each for each in given or [] if not each.partition("=")[0] or "=" not in each]:
        raise typer.BadParameter(f"{', '.join(map(repr, wrong))}: give KEY=VALUE, such as width=128.")
    found = {}
    for each in given or []:
        key, _, value = each.partition("=")
        try:
            found[key] = yaml.safe_load(value)
        except yaml.YAMLError as fault:
            raise typer.BadParameter(f"{each!r} has no value that YAML can read.") from fault
    if "name" in found:
        raise typer.BadParameter("name the scorer by --scorer.")
    return found


def _say_embedded(found: dict[str, Any]) -> None:
    by = f"{counted(found['entities'], 'thing')} and {counted(found['relations'], 'relation')}"
    typer.echo(f"{found['scorer']['name']}: vectors of {by}, of {counted(found['facts'], 'fact')}")
    if found["held_out"]:
        score = found["held_out"]["mrr"]
        interval = f"{score['low']:.3f} to {score['high']:.3f}"
        typer.echo(f"MRR {score['value']:.3f} ({interval}) on {counted(score['n'], 'held-out fact')}")
    else:
        typer.echo("No facts were held out, so it is not known how good they are, nor how sure a proposal is.")
    if found["out"]:
        typer.echo(f"saved: {found['out']}")
    rows = [[f"{each['probability']:.3f}" if each["probability"] is not None else "", f"{each['score']:.3f}",
             *each["said"]] for each in found["proposed"]]  # fmt: skip
    if rows:
        table("", ["probability", "score", "subject", "property", "object"], rows)
    else:
        typer.echo("Nothing is proposed.")
    if found["written"]:
        done = found["written"]
        typer.echo(f"{_many(done['came'])} came, {done['went']:,} went; they do not hold")
        typer.echo(f"version {done['version']['number']}" if done["new"] else "Nothing new.")


def _many(number: int) -> str:
    return f"{number:,} {'hypothesis' if number == 1 else 'hypotheses'}"


def mine(
    folder: KB,
    support: Annotated[
        int | None,
        typer.Option(help="Least number of facts that a rule gives and that hold. Default: 1 in 1,000, from 3 to 100."),
    ] = None,
    head_coverage: Annotated[float, typer.Option(help="Least share of its property's facts that a rule gives.")] = 0.01,
    confidence: Annotated[float, typer.Option(help="Least PCA confidence.")] = 0.1,
    longest: Annotated[int, typer.Option(help="Most atoms of a rule with its head, 2 to 4.")] = 3,
    constants: Annotated[
        bool, typer.Option("--constants", help="Any thing or value may stand in a rule, not a class alone.")
    ] = False,
    most: Annotated[int, typer.Option(help="Most rules, the best.")] = 100,
    seconds: Annotated[float | None, typer.Option(help="When to end with what was found.")] = None,
    asserted: Asserted = False,
    out: Annotated[Path | None, typer.Option("--out", help="File of rules to write, for a person to edit.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Take the rules up as a rule file of KB.")] = False,
    name: Annotated[str, typer.Option(help="Name of the rule file, with --write.")] = "mined",
    force: Annotated[bool, typer.Option("--force", help="Replace the file, or rules that were not mined.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find rules that the facts suggest; `infer` makes hypotheses of them, with proofs."""
    from sibu import kb

    voice = progress(quiet=quiet)
    voice.say(f"mining {folder}")
    found = kb.mine(
        folder, support=support, head_coverage=head_coverage, confidence=confidence, longest=longest,
        constants=constants, most=most, seconds=seconds, asserted=asserted, out=out, write=write, name=name,
        force=force,
    )  # fmt: skip
    if json:
        write_json(found)
        return
    if found["stopped"]:
        voice.say(found["stopped"])
    _say_mined(found, folder)


def _say_mined(found: dict[str, Any], folder: Path) -> None:
    if found["rules"]:
        rows = [[f"{each['pca_confidence']:.3f}", f"{each['confidence']:.3f}", f"{each['head_coverage']:.3f}",
                 f"{each['support']:,}", f"{each['new']:,}", each["rule"]] for each in found["rules"]]  # fmt: skip
        table("", ["PCA confidence", "confidence", "head coverage", "support", "new", "rule"], rows)
    else:
        typer.echo(f"No rules with a support of {found['support']:,} or more. Look for less: --support, --confidence.")
    of = f"{counted(found['facts'], 'fact')} of {counted(found['things'], 'thing')}"
    typer.echo(f"{counted(len(found['rules']), 'rule')} from {of}")
    if found["out"]:
        typer.echo(f"written: {found['out']}")
    if found["written"]:
        done = "replaced" if found["written"]["replaced"] else "added"
        typer.echo(f"{done}: {found['written']['name']}\nWhat follows by them: sibu kb infer {folder}")
