"""Writing a bundle, and opening it again."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import copyfile, copytree
from typing import TYPE_CHECKING, Any

from sibu.core.errors import BundleError, Unsupported
from sibu.core.protocols import Adapted
from sibu.core.result import Report
from sibu.core.values import ValueModality
from sibu.fusions import FUSIONS
from sibu.pipeline.adapting import adapt
from sibu.pipeline.aligned import build_alignments
from sibu.pipeline.backbone import bearer, build_task, fills, introduce, text_preparer, writes
from sibu.pipeline.bundle import Opened, manifest, open_recipe, verify
from sibu.pipeline.knowing import knowing
from sibu.pipeline.known import Known, opened, ruled
from sibu.pipeline.mixed import build_values, mixed
from sibu.pipeline.plan import Plan
from sibu.pipeline.record import data_hashes, machine, metrics_json, peak_memory, release_misses, versions
from sibu.pipeline.reward import judges_of
from sibu.recipe import yaml
from sibu.recipe.fill import as_written
from sibu.store.atomic import new_folder, write_json

if TYPE_CHECKING:
    from sibu.core.protocols import Task
    from sibu.pipeline.assemble import Ensemble, Model
    from sibu.pipeline.prepare import Trained
    from sibu.recipe.schema import KnowledgeBlock, Recipe

KNOWLEDGE = "knowledge"
"""The folder of what prediction needs of the recipe's knowledge."""
STATES = "modalities.json"
"""What modalities beside texts learned from their training values."""


def write_bundle(
    plan: Plan, trained: Trained, reports: Sequence[Report], out: Path, *, working: Path, began: float
) -> list[str]:
    """Write the bundle to its place at once, whole; returns the release conditions that it misses."""
    metrics = metrics_json(reports)
    missed = release_misses(plan.recipe.release, metrics)
    with new_folder(out) as folder:
        _write_model(plan, trained, folder)
        if plan.known is not None and plan.known.folder is not None:
            copytree(plan.known.folder, folder / KNOWLEDGE)
        (folder / "recipe.yaml").write_text(yaml.dump(as_written(plan.recipe)), encoding="utf-8")
        write_json(folder / "labels.json", {name: each.task.state for name, each in plan.tasks.items()})
        if plan.values:
            write_json(folder / STATES, {name: modality.state for name, modality in plan.values.items()})
        write_json(folder / "metrics.json", metrics)
        record = _record(plan, trained, reports, began)
        write_json(folder / "record.json", record)
        _write_pages(plan, trained, reports, record, missed, folder, working)
        about = {
            "sibu": record["versions"]["sibu"],
            "name": plan.recipe.name,
            "model": {"name": plan.source.name, "kind": plan.source.kind},
            "method": plan.recipe.method.name,  # type: ignore[attr-defined]
            "modalities": _about_modalities(plan),
            "tasks": {
                name: {"type": plan.recipe.tasks[name].task.type, "metric": each.task.main_metric}  # type: ignore[attr-defined]
                for name, each in plan.tasks.items()
            },
            "release": {"conditions": len(plan.recipe.release), "missed": missed},
        }
        write_json(folder / "bundle.json", manifest(folder, about))
    return missed


def _write_model(plan: Plan, trained: Trained, folder: Path) -> None:
    for name, part in trained.parts.items():
        encoder: Any = trained.model.encoders[name]
        home = home_of(plan.recipe, name, folder)
        if name == "text":
            _write_text(plan, encoder, part, home)
        elif encoder.pretrained:
            if part.adapter is not None:
                part.adapter.save(home / "adapter")
            encoder.save(home / "model")
    _write_heads(trained.model, folder)


def _write_text(plan: Plan, encoder: Any, part: Adapted, folder: Path) -> None:
    from sibu.modalities.text._hf import copy_tokenizer

    home = folder / "model"
    if part.adapter is None:
        encoder.model.save_pretrained(home)
    else:  # the base is as it came; what changed is the adapter
        part.adapter.save(folder / "adapter")
        _copy_base(plan, home)
    copy_tokenizer(plan.source.folder, home)


def home_of(recipe: Recipe, name: str, folder: Path) -> Path:
    """Where a bundle has the model of a modality: at its top that of the recipe's ``model``."""
    return folder if recipe.model is not None and name == bearer(recipe) else folder / "modalities" / name


def _about_modalities(plan: Plan) -> dict[str, Any]:
    text = {"text": {"shapes": plan.shapes}} if plan.recipe.reads_text else {}
    return text | {
        name: {"kind": spec.name} | ({"model": begun} if (begun := getattr(spec, "model", None)) else {})
        for name, spec in plan.recipe.valued.items()
    }


def backbones(model: Model) -> tuple[str, ...]:
    """How the names of weights begin that folders of their own hold; ``heads.safetensors`` holds all others."""
    encoders: Any = model.encoders
    return tuple(f"encoders.{name}.model." for name in encoders if getattr(encoders[name], "pretrained", True))


def _write_heads(model: Model, folder: Path) -> None:
    from safetensors.torch import save_file

    elsewhere = backbones(model)
    rest = {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in model.state_dict().items()
        if not name.startswith(elsewhere)
    }
    save_file(rest, folder / "heads.safetensors")


def rewrite_weights(model: Model, folder: Path) -> None:
    """Put a model's weights in the place of those of a bundle that has no adapter; its manifest is not touched."""
    encoder: Any = model.encoders["text"]  # of other modalities no soup is made
    encoder.model.save_pretrained(folder / "model")
    _write_heads(model, folder)


def _copy_base(plan: Plan, home: Path) -> None:
    """The pretrained model as it came."""
    source = plan.source.folder
    weights = [*source.glob("*.safetensors"), *source.glob("*.safetensors.index.json")]
    home.mkdir(parents=True)
    for file in (*weights, source / "config.json", source / "generation_config.json"):
        if file.is_file():
            copyfile(file, home / file.name)


def _detail(reports: Sequence[Report], key: str) -> dict[str, Any]:
    """A detail of the reports that have it, by task and split."""
    found: dict[str, Any] = {}
    for report in reports:
        if key in report.details:
            found.setdefault(report.task, {})[report.split] = report.details[key]
    return found


def _record(plan: Plan, trained: Trained, reports: Sequence[Report], began: float) -> dict[str, Any]:
    layout = trained.schedule
    padded = trained.tokens
    return {
        "model": {"name": plan.source.name, "kind": plan.source.kind, "limit": plan.text.max_length},
        "seed": plan.recipe.train.seed,
        "data": data_hashes(plan.files),
        "judges": judges_of(plan.recipe),
        "rows": {name: {split: len(rows) for split, rows in each.splits.items()} for name, each in plan.tasks.items()},
        "augmented": {name: each.augmented for name, each in plan.tasks.items() if each.augmented},
        "augmented_by": {model: sha for each in plan.tasks.values() for model, sha in each.made_by.items()},
        **({} if plan.known is None else {"knowledge": _known(plan.known)}),
        "rules": {name: each.weak for name, each in plan.tasks.items() if each.weak is not None},
        "dev_is_train": [name for name, each in plan.tasks.items() if each.dev_is_train],
        "dev_split_from_train": {name: each.dev_was_split for name, each in plan.tasks.items()},
        "versions": versions(),
        "machine": machine(),
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began)),
        "seconds": {
            "total": round(time.time() - began, 2),
            "training": round(trained.seconds, 2),
            "waiting_for_data": round(trained.waited, 3),
        },
        "steps": {
            "planned": trained.steps,
            "done": trained.step,
            "best": trained.best_step,
            "per_epoch": trained.per_epoch,
        },
        "stopped_early": trained.stopped_early,
        **({"soup": list(trained.soup)} if trained.soup else {}),
        **({"interpolation": {"share": trained.share, "told": dict(trained.known)}} if trained.known else {}),
        "streams": [stream.name for stream in layout.streams],
        "packed": [stream.name for stream in layout.streams if stream.packed],
        "examples_per_second": round(trained.examples / max(trained.seconds, 1e-9), 2),
        "tokens_per_second": round(padded / max(trained.seconds, 1e-9), 1),
        "weights": {
            "encoder": sum(weight.numel() for weight in trained.model.encoders.parameters()),
            "encoder_trained": sum(w.numel() for w in trained.model.encoders.parameters() if w.requires_grad),
            "heads": sum(weight.numel() for weight in trained.model.heads.parameters()),
        },
        **({} if not plan.values else {"modalities": _detail(reports, "modalities")}),
        **({} if not plan.recipe.align else {"alignments": _detail(reports, "alignments")}),
        "peak_memory_bytes": peak_memory(),
        "evaluations": trained.evaluations,
    }


def _known(known: Known) -> dict[str, Any]:
    """What the record says of the knowledge that was used."""
    rules = [] if known.rules is None else list(known.rules.texts)
    return {**known.about, **({"rules": rules} if rules else {})}


def _write_pages(
    plan: Plan,
    trained: Trained,
    reports: Sequence[Report],
    record: dict[str, Any],
    missed: Sequence[str],
    folder: Path,
    working: Path,
) -> None:
    from sibu.pipeline.report import write_pages

    log = working / "steps.jsonl"
    steps = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.is_file() else []
    write_pages(
        folder,
        recipe=as_written(plan.recipe),
        reports=reports,
        record=record,
        gate=plan.gate.as_json(),
        steps=steps,
        evaluations=trained.evaluations,
        missed=missed,
    )


def open_bundle(path: Path, *, device: str | None = None) -> Opened:
    """Check a bundle and build its model, ready to answer on a device; of an ensemble all its models.

    Raises:
        BundleError: When it is missing, damaged, or of a newer format.
        Unsupported: When there is no such device.
    """
    import torch

    from sibu.pipeline.assemble import Ensemble

    content = verify(path)
    recipe = open_recipe(path)
    states = json.loads((path / "labels.json").read_text(encoding="utf-8"))
    shapes = bool(content["modalities"].get("text", {}).get("shapes"))
    text: Any = text_preparer(recipe, path / "model", shapes=shapes) if recipe.reads_text else None
    values = _values(path, recipe)
    tasks = {name: build_task(block.task, states[name]) for name, block in recipe.tasks.items()}
    for task in tasks.values() if recipe.reads_text else ():
        introduce(task, text)
    if recipe.knowledge is not None:
        known = opened(recipe.knowledge, path / KNOWLEDGE)
        known.rules = ruled(recipe.knowledge, tasks, {name: block.head for name, block in recipe.tasks.items()})
        text = knowing(text, known)
        text.tasks = tasks
    text = mixed(text, values, build_alignments(recipe))
    first = _open_model(path, None, recipe, tasks, values, shapes=shapes)
    model: Model | Ensemble = first
    if count := content.get("ensemble"):
        homes = [member_folder(path, number) for number in range(2, count + 1)]
        others = [_open_model(path, home, recipe, tasks, values, shapes=shapes, first=first) for home in homes]
        own = [json.loads(_own(path, home, "labels.json").read_text(encoding="utf-8")) for home in homes]
        model = Ensemble([first, *others], [states, *own])
    place = device or torch.accelerator.current_accelerator(check_available=True) or "cpu"
    try:
        model.to(place)
    except (RuntimeError, AssertionError, NotImplementedError) as fault:  # torch's own words for a device it lacks
        reason = str(fault).splitlines()[0]
        raise Unsupported(f"The device {str(place)!r} cannot be had: {reason}. Give `cpu`, or leave it out.") from fault
    model.eval()
    return Opened(path, content, recipe, tasks, model, text)


def member_folder(bundle: Path, number: int) -> Path:
    """Where an ensemble's bundle has what is a member's own; the first (1) has the bundle's own files."""
    return bundle / "members" / str(number)


def _own(path: Path, home: Path | None, name: str) -> Path:
    """A member's own part of a bundle, or the one that it has in common with the first."""
    return home / name if home is not None and (home / name).exists() else path / name


def _open_model(
    path: Path,
    home: Path | None,
    recipe: Recipe,
    tasks: dict[str, Task],
    values: Mapping[str, ValueModality],
    *,
    shapes: bool,
    first: Model | None = None,
) -> Model:
    """Build a model of a bundle.

    Args:
        path: The bundle.
        home: The folder of a member of an ensemble; None: the first's.
        recipe: The bundle's recipe.
        tasks: Its tasks.
        values: Its modalities beside texts.
        shapes: Whether words' shapes are read.
        first: The first member, whose encoder is shared where this one has none of its own.
    """
    from safetensors.torch import load_file

    from sibu.pipeline.assemble import Model, build_heads, by_place, text_encoder, voting, widths_of

    heads = _own(path, home, "heads.safetensors")
    found = load_file(heads)
    whole = home is None or any((home / part).is_dir() for part in ("model", "adapter"))
    encoders: dict[str, Any] = {}
    if first is not None and not whole and not any(name.startswith("encoders.") for name in found):
        encoders = dict(first.encoders.items())
        parts = {name: Adapted(encoder, []) for name, encoder in encoders.items()}
    else:
        if recipe.reads_text:
            named: dict[str, Any] = {"dropout": recipe.text.dropout}
            named |= {"writes": writes(recipe), "fills": fills(recipe)}
            encoders["text"] = text_encoder(_own(path, home, "model"), shapes=shapes, **named)
        encoders |= {name: modality.encoder() for name, modality in values.items()}
        adapters = {name: home_of(recipe, name, path) / "adapter" for name in encoders}
        if home is not None and recipe.reads_text:
            adapters["text"] = _own(path, home, "adapter")
        parts = adapt(recipe, encoders, saved={name: place for name, place in adapters.items() if place.is_dir()})
    fixed = dict.fromkeys(tasks, 1.0) if recipe.train.weighting == "fixed" else None
    fusion = FUSIONS.of(recipe.fusion).build(recipe.fusion, widths=widths_of(encoders))
    known = None if recipe.knowledge is None else _infusion(path, recipe.knowledge, encoders["text"])
    built = build_heads(tasks, recipe, encoders.get("text"), int(fusion.width), widths_of(encoders))
    built = voting(tasks, recipe, built, fusion, list(encoders))
    encoded = {name: part.encoder for name, part in parts.items()}
    model = Model(encoded, fusion, built, weights=fixed, knowledge=known, by_place=by_place(tasks))
    missing, unexpected = model.load_state_dict(found, strict=False)
    elsewhere = backbones(model)
    lacking = [name for name in missing if not name.startswith(elsewhere)]
    if lacking or unexpected:
        raise BundleError(f"{heads} does not fit its recipe: {[*lacking, *unexpected][:5]}.")
    for part in parts.values():
        if part.merge is not None:
            part.merge()
    return model


def _values(path: Path, recipe: Recipe) -> dict[str, ValueModality]:
    """A bundle's modalities beside texts."""
    if not recipe.valued:
        return {}
    states = json.loads((path / STATES).read_text(encoding="utf-8"))
    homes = {name: home_of(recipe, name, path) / "model" for name in recipe.valued}
    return build_values(recipe, {name: home if home.is_dir() else None for name, home in homes.items()}, states)


def _infusion(path: Path, block: KnowledgeBlock, encoder: Any) -> Any:
    """What joins a bundle's knowledge of pieces with their vectors, before its weights are read."""
    from sibu.pipeline.assemble import infusion

    pieces = opened(block, path / KNOWLEDGE).pieces
    return infusion(pieces, width=int(encoder.width), inner=block.width)
