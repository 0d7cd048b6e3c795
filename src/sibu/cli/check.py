"""``sibu check``."""

import typer

from sibu.cli.console import progress, said_modality, table, write_json
from sibu.cli.options import Json, Overrides, Quiet, Recipe
from sibu.core.errors import counted


def check(recipe: Recipe, overrides: Overrides = None, json: Json = False, quiet: Quiet = False) -> None:
    """The data gate and the plan alone: rows, lengths, labels, faults by file and row; trains nothing."""
    from sibu import api

    found = api.check(recipe, overrides or [], progress=progress(quiet=quiet))
    if json:
        write_json(found.as_json())
    else:
        _show(found.as_json())
    if not found.sound:
        raise typer.Exit(1)


ENDLESS = 1 << 20
"""The limit of a run without texts, which is none."""


def _limit(limit: int) -> str:
    return "longer" if limit >= ENDLESS else f"longer than {limit}"


def _show(found: dict) -> None:  # type: ignore[type-arg]
    plan = found["plan"]
    texts = "text" in plan.get("modalities", {"kinds": ["text"]})["kinds"]
    model = f"model {plan['model']['name']}, " if texts else ""
    typer.echo(f"{plan['name']}: {model}method {plan['method']}, about {plan['steps']} steps")
    if "knowledge" in plan:
        from sibu.pipeline.report.facts import said_knowledge

        typer.echo(f"knowledge: {said_knowledge(plan['knowledge'])}")
    if "modalities" in plan:
        kinds = plan["modalities"]["kinds"].items()
        said = ", ".join(said_modality(name, kind, plan["modalities"]["models"].get(name)) for name, kind in kinds)
        typer.echo(f"modalities: {said}" + (f", joined by {plan['modalities']['fusion']}" if len(kinds) > 1 else ""))
    rows = []
    for task, splits in found["tasks"].items():
        for split, s in splits.items():
            length = s["length"]
            named = "dev = train" if split == "dev" and task in plan["dev_is_train"] else split
            rows.append([task, named, *(str(n) for n in (s["rows"], length["p50"], length["p95"], length["max"]))])
            rows[-1] += [str(s["longer_than_model"]), str(len(s["labels"]))]
    head = ["task", "split", "rows", "pieces p50", "p95", "max", _limit(plan["model_limit"]), "labels"]
    table("", head, rows)
    for count in found["counts"]:
        typer.echo(f"{count['severity']}: {count['kind']}: {count['count']} in {count['file']}")
    shown: dict[tuple[str, str], int] = {}
    for fault in found["faults"]:
        key = (fault["kind"], fault["file"])
        shown[key] = shown.get(key, 0) + 1
        if shown[key] <= 5:
            place = fault["file"] if fault["row"] is None else f"{fault['file']}:{fault['row']}"
            typer.echo(f"  {place}: {fault['message']} {fault['mend']}".rstrip())
    for file, count in found["skipped_rows"].items():
        typer.echo(f"left out: {counted(count, 'row')} of {file}")
    typer.echo(f"{counted(found['errors'], 'error')}, {counted(found['warnings'], 'warning')}")
