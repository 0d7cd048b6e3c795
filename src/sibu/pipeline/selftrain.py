"""Self-training: a model labels texts for the next one, where it is sure."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from math import floor
from pathlib import Path
from typing import Any

from sibu.core.errors import RecipeError, ReleaseMissed, Unsupported, counted
from sibu.core.example import Row
from sibu.metrics import goodness
from sibu.metrics.spans import decode_tags, encode_tags
from sibu.pipeline.bundle import Opened, about_of, manifest, read_manifest
from sibu.pipeline.data import named_files
from sibu.pipeline.gate import inputs_read
from sibu.pipeline.labelling import inputs_of, look_over, target_of
from sibu.pipeline.mixed import columns_of
from sibu.pipeline.progress import Progress
from sibu.pipeline.repeats import begin
from sibu.pipeline.unlabelled import known_in, new_rows
from sibu.recipe.load import Loaded
from sibu.recipe.schema import SelfTraining
from sibu.store.atomic import new_file, write_json
from sibu.train.processes import several


def run_self_training(loaded: Loaded, out: Path, *, resume: bool, force: bool, progress: Progress) -> Path:
    """Train on the labelled rows, then in each round on them and on the texts that the last model was sure of.

    The bundle is that of the round which is best on dev, or the last where no dev is held out. A round that would learn
    from the same rows as the one before is not run. Rounds are kept beside ``out`` until all are done, so that a
    stopped run goes on with the round at which it stopped.

    Raises:
        SibuError: As one run does.
    """
    from sibu.pipeline.stages import require_release, run_recipe

    options = loaded.recipe.self_training
    if options is None:
        raise ValueError("the recipe asks for no self-training")
    if several():
        raise RecipeError("`self_training` is for one process.")
    home = out.with_name(out.name + ".rounds")
    begin(loaded, home, "self-training", resume=resume, force=force)
    told: list[dict[str, Any]] = []
    more: dict[str, Path] = {}
    for number in range(options.rounds + 1):
        place = home / f"round-{number}"
        if not (place / "bundle.json").is_file():
            progress.say(f"self-training: round {number} of {options.rounds}")
            with suppress(ReleaseMissed):  # told at the end, of the bundle that stays
                own = replace(loaded, more=more, known=home / "known")
                run_recipe(own, place, resume=resume, force=not resume, progress=progress)
        told.append(_told(place, number, more))
        if number < options.rounds:
            before = _rows_of(more)
            more = _labelled(place, home / f"labels-{number + 1}", home / "known", options, progress)
            if _rows_of(more) == before:
                what = "the labels are those of the round before" if before else "no text was labelled"
                progress.say(f"self-training: {what}, so that another round would learn the same")
                break
    best = _best(told)
    progress.say(f"self-training: the bundle is that of round {best}")
    chosen = home / f"round-{best}"
    _tell(chosen, told, best)
    if out.exists():
        out.replace(home / "former")
    chosen.replace(out)
    shutil.rmtree(home, ignore_errors=True)
    require_release(read_manifest(out)["release"]["missed"], out)
    return out


def _told(place: Path, number: int, more: Mapping[str, Path]) -> dict[str, Any]:
    """What came of a round."""
    metrics = json.loads((place / "metrics.json").read_text(encoding="utf-8"))
    names = {name: each["metric"] for name, each in read_manifest(place)["tasks"].items()}
    dev = [goodness(names[name], own["dev"][names[name]]["value"]) for name, own in metrics.items() if "dev" in own]
    labels = {
        name: dict(sorted(Counter(label for label, _ in _labels_in(file)).items())) for name, file in more.items()
    }
    scores = {
        name: {split: {metric: score["value"] for metric, score in own.items()} for split, own in splits.items()}
        for name, splits in metrics.items()
    }
    return {"round": number, "labelled": labels, "dev": sum(dev) / len(dev) if dev else None, "scores": scores}


def _rows_of(files: Mapping[str, Path]) -> list[bytes]:
    """The rows of all tasks' files, in no order."""
    return sorted(line for file in files.values() for line in file.read_bytes().splitlines())


def _labels_in(file: Path) -> Iterator[tuple[str, Row]]:
    with file.open(encoding="utf-8") as lines:  # `splitlines` would also cut a text at a line separator (U+2028)
        for line in lines:
            row = json.loads(line)
            for label in _given(row) or ["(none)"]:
                yield label, row


def _given(row: Row) -> list[str]:
    """The label of a row, or that of each of its spans."""
    if "label" in row:
        return [row["label"]]
    if "tags" in row:
        return [label for label, _, _ in decode_tags(row["tags"], "BIO")]
    return [span["label"] for span in row["entities"]]


def _best(told: list[dict[str, Any]]) -> int:
    """The round that is best on dev, the earliest of equal ones; without dev the last."""
    if any(each["dev"] is None for each in told):
        return int(told[-1]["round"])
    return int(max(told, key=lambda each: (each["dev"], -each["round"]))["round"])


def _tell(bundle: Path, told: list[dict[str, Any]], best: int) -> None:
    """Write what came of all rounds into the bundle."""
    own = about_of(bundle)
    record = json.loads((bundle / "record.json").read_text(encoding="utf-8"))
    write_json(bundle / "record.json", record | {"self_training": {"best": best, "rounds": told}})
    write_json(bundle / "bundle.json", manifest(bundle, own))


# ---- labels that a model is sure of ---------------------------------------------------------------------------------


def _labelled(bundle: Path, folder: Path, known: Path, options: SelfTraining, progress: Progress) -> dict[str, Path]:
    """The unlabelled texts of each task that a bundle is sure of, with its labels, as files."""
    from sibu.pipeline.write import open_bundle

    opened = open_bundle(bundle)
    found = {}
    for name, block in opened.recipe.tasks.items():
        if block.data.unlabelled is None:
            continue
        file = folder / f"{name}.jsonl"
        if not file.is_file():
            own = {"known": known_in(known, name)}
            rows = sure_rows(opened, name, named_files(block.data.unlabelled), options, progress, **own)
            folder.mkdir(parents=True, exist_ok=True)
            with new_file(file) as temporary, temporary.open("w", encoding="utf-8") as out:
                out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        found[name] = file
    return found


@dataclass(frozen=True, slots=True)
class _Sure:
    row: dict[str, Any]
    label: str
    """What balances: the label; of spans nothing."""
    chance: float


def sure_rows(
    opened: Opened,
    name: str,
    files: list[str],
    options: SelfTraining,
    progress: Progress,
    *,
    known: Iterable[int] = (),
) -> list[dict[str, Any]]:
    """The rows of unlabelled files whose labels a bundle is sure of, surest first, with these labels.

    A text to tag is as sure as its least sure word. Rows that come twice are taken once.

    Args:
        opened: The bundle.
        name: The task.
        files: Of rows without labels.
        options: How sure, and how many.
        progress: Where to tell how many.
        known: Keys (``input_key``) of rows that are not to be taken: those of the splits.

    Raises:
        Unsupported: When the task's answers cannot be labels.
    """
    target = target_of(opened, name)
    task: Any = opened.tasks[name]
    if task.state.get("multi_label"):
        raise Unsupported(f"`self_training` is for tasks that give a text one label, and {name} gives several.")
    rows = inputs_of(opened, name, files, progress)
    columns = {column.name for column in columns_of(task, opened.text) if column.role == "input"}
    total = len(rows)
    rows = new_rows(rows, inputs_read(task, opened.text), set(known))
    left = total - len(rows)
    found = []
    for (row, outputs), given in zip(look_over(opened, name, rows, progress), rows.bare(), strict=True):
        chances = task.chances(outputs)
        chance = float(chances.max(1).min()) if len(chances) else 0.0
        if chance >= options.threshold:
            value = task.decode(row, outputs).value
            own = {key: part for key, part in given.items() if key in columns and part is not None}
            spans = target == "entities"
            found.append(
                _Sure(own | (_marks(own, value) if spans else {target: value}), "" if spans else value, chance)
            )
    found.sort(key=lambda each: -each.chance)
    shared = options.balance and target == "label"
    kept = _balanced(found, task.state.get("counts"), options.most) if shared else found
    kept = kept[: options.most] if options.most is not None else kept
    there = f", {left} stand in a split or come twice" if left else ""
    sure = f"{len(found)} are labelled at {options.threshold:g} or more"
    progress.say(f"{name}: of {counted(total, 'text')}{there}, {sure}, {len(kept)} are taken with these labels")
    return [each.row for each in kept]


def _marks(row: Row, spans: list[dict[str, Any]]) -> dict[str, Any]:
    """The spans of a text; of tokens a tag for each, as they are learned from."""
    if row.get("tokens") is None:
        return {"entities": [{key: span[key] for key in ("start", "end", "label")} for span in spans]}
    places = [(span["label"], span["token_start"], span["token_end"]) for span in spans]
    return {"tags": encode_tags(places, len(row["tokens"]), "BIO")}


def _balanced(found: list[_Sure], shares: Mapping[str, int] | None, most: int | None) -> list[_Sure]:
    """The surest of each label, as many as keep the labels' shares of the labelled rows; about ``most`` in all.

    A label that the model is never sure of counts for nothing: it must not keep the others away.
    """
    there = Counter(each.label for each in found)
    wanted = {label: (shares or {}).get(label, 0) or 1 for label in there}
    scale = min((there[label] / wanted[label] for label in there), default=0.0)
    if most is not None and wanted:
        scale = min(scale, most / sum(wanted.values()))
    room = {label: max(floor(scale * wanted[label]), 1) for label in there}
    kept = []
    for each in found:
        if room[each.label]:
            room[each.label] -= 1
            kept.append(each)
    return kept
