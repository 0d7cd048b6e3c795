"""``sibu show``."""

import typer

from sibu.cli.console import SCORES, said_modality, score_rows, table, write_json
from sibu.cli.options import Bundle, Json


def show(bundle: Bundle, json: Json = False) -> None:
    """What is inside a bundle: tasks, labels, metrics, sizes, lineage; every file is checked against its hash."""
    from sibu import api

    found = api.show(bundle)
    if json:
        write_json(found)
        return
    record = found["record"]
    typer.echo(
        f"{found['name']}: bundle of format {found['format']}, written by sibu {found['sibu']} on {record['started']}"
    )
    read = found["modalities"]
    model = f"model {found['model']['name']} ({found['model']['kind']}), " if "text" in read else ""
    typer.echo(f"{model}method {found['method']}, seed {record['seed']}")
    if set(read) != {"text"}:
        own = (said_modality(name, about.get("kind", name), about.get("model")) for name, about in read.items())
        typer.echo(f"modalities: {', '.join(own)}")
    if found["made_of"]:
        typer.echo(f"it is {found['made_of']}")
    for name, task in found["tasks"].items():
        labels = found["labels"].get(name, {}).get("labels")
        said = f", {len(labels)} labels: {', '.join(labels[:12])}{' ...' if len(labels) > 12 else ''}" if labels else ""
        typer.echo(f"task {name}: {task['type']}{said}")
    table("", SCORES, score_rows(found["metrics"]))
    rows = [[name, f"{about['bytes']:,}", about["sha256"][:16]] for name, about in found["files"].items()]
    table("", ["file", "bytes", "sha256"], rows)
    typer.echo(f"data: {', '.join(f'{file} ({sha[:12]})' for file, sha in record['data'].items())}")
    for missed in found["release"]["missed"]:
        typer.echo(f"release condition missed: {missed}")
