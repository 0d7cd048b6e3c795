"""The pretrained model of a run: found, made anew, with fewer pieces or more; what prepares its texts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from sibu.catalog import Spec
from sibu.core.errors import Fault, RecipeError, counted
from sibu.core.example import Faults, Row
from sibu.core.protocols import Modality, Task
from sibu.modalities import MODALITIES
from sibu.models.extend import LEAST, extend_vocabulary, find_words
from sibu.models.new import VERSION, make_model
from sibu.models.sources import Source, find_model, hash_model
from sibu.models.spec import NewModel
from sibu.models.trim import trim_vocabulary
from sibu.pipeline.data import Origin, files_by_split, missing_files, named_files, read_rows
from sibu.pipeline.progress import Progress, Silent
from sibu.pipeline.weak import training_rows
from sibu.recipe.schema import Recipe
from sibu.store.cache import cached
from sibu.store.hashes import hash_json
from sibu.tasks import TASKS
from sibu.tasks.tag import TagSpec

EXTEND_VERSION = 1
"""Counts up when `extend_vocabulary` gives another result for the same words."""
SHOWN = 5
"""New words that are told; of more there are dots."""
TRIM_VERSION = 1
"""Counts up when `trim_vocabulary` gives another result for the same pieces."""


def writes(recipe: Recipe) -> bool:
    """Whether a task of the recipe is answered by the model's language head."""
    return any(getattr(block.task, "writes", False) for block in recipe.tasks.values())


def fills(recipe: Recipe) -> bool:
    """Whether a task of the recipe tells hidden pieces by the model's masked-language head."""
    return any(getattr(block.task, "fills", False) for block in recipe.tasks.values())


def build_task(spec: Spec, state: dict[str, Any] | None = None) -> Task:
    """A task from its spec."""
    task: Task = TASKS.of(spec).build(spec, state)
    return task


def introduce(task: Any, text: Modality) -> None:
    """Tell a task that asks for it what the vocabulary has: pieces to hide words with, the piece that ends a text."""
    if hasattr(task, "end"):
        prompts = text.prompts  # type: ignore[attr-defined]
        task.end = prompts.special.ids.get(prompts.special.eos)
    if getattr(task, "fills", False):
        task.pieces = text.pieces


def learn(task: Task, rows: Iterable[Row], name: str) -> None:
    """Let a task learn from its training rows what it must know of them, such as its labels.

    Args:
        task: The task.
        rows: Its training rows.
        name: Its name in the recipe.

    Raises:
        RecipeError: When its options do not suit the rows, each fault by its key of the recipe.
        DataError: When the rows cannot be learned from.
    """
    try:
        task.learn(rows)
    except RecipeError as fault:
        told = [replace(each, where=f"tasks.{name}.{each.where}".rstrip(".")) for each in fault.faults]
        raise RecipeError(told) from None


def found_model(recipe: Recipe, home: Path) -> Source:
    """The model.

    Raises:
        RecipeError: When it or any file of the data is not there.
    """
    wrong = _missing(recipe)
    try:
        source = named_model(recipe, home)
    except RecipeError as fault:
        raise RecipeError([*(replace(each, where="model") for each in fault.faults), *wrong]) from fault
    if wrong:
        raise RecipeError(wrong)
    return source


def named_model(recipe: Recipe, home: Path) -> Source:
    """The model that a recipe names at its top, of the modality that bears it.

    Raises:
        RecipeError: When it is not there.
    """
    kind = "text" if recipe.reads_text else recipe.valued[bearer(recipe)].name
    return find_model(str(recipe.model), home=home, allow_pickle=recipe.allow_pickle, kind=kind)


def model_of_run(recipe: Recipe, home: Path, progress: Progress) -> Source:
    """The model that the recipe names at its top; where it names none an empty folder.

    Raises:
        RecipeError: When it or any file of the data is not there.
    """
    if isinstance(recipe.model, str):
        return found_model(recipe, home)
    if recipe.model is not None:
        return new_model(recipe, recipe.model, progress)
    if wrong := _missing(recipe):
        raise RecipeError(wrong)
    return Source("from nothing", "new", cached("none", "none", lambda _: None))


def bearer(recipe: Recipe) -> str:
    """The modality whose model the recipe names at its top: the text, or where there is none the first."""
    return "text" if recipe.reads_text else next(iter(recipe.valued))


def folders_of(recipe: Recipe, model: Path | None, home: Path) -> dict[str, Path | None]:
    """The folder of the pretrained model of each modality beside the text; None: it begins from nothing.

    Args:
        recipe: The recipe.
        model: The folder of the model that the recipe names at its top.
        home: What names of folders are relative to.

    Raises:
        RecipeError: When one is not there.
    """
    found: dict[str, Path | None] = {}
    named: dict[str, Any] = {"home": home, "allow_pickle": recipe.allow_pickle}
    for name, spec in recipe.valued.items():
        given = getattr(spec, "model", None)
        if given is None and name == bearer(recipe) and recipe.model is not None:
            found[name] = model
            continue
        try:
            found[name] = None if given is None else find_model(given, **named, kind=spec.name).folder
        except RecipeError as fault:
            place = next(n for n, each in enumerate(recipe.modalities) if each is spec)
            raise RecipeError([replace(each, where=f"modalities.{place}.model") for each in fault.faults]) from fault
    return found


def _missing(recipe: Recipe) -> list[Fault]:
    """Files of the data that are not there."""
    return [
        fault
        for name, block in recipe.tasks.items()
        for split, files in files_by_split(block).items()
        for fault in missing_files(files, f"tasks.{name}.data.{split}")
    ]


def new_model(recipe: Recipe, spec: NewModel, progress: Progress) -> Source:
    """A model with random weights, and a tokenizer that has learned the training texts.

    Raises:
        RecipeError: When files of the data are not there, or the method would leave the weights random.
    """
    wrong = _missing(recipe)
    method = recipe.method.name  # type: ignore[attr-defined]
    if not any(block.data.train for block in recipe.tasks.values()):
        wrong.append(Fault("model", "a new model learns its pieces from training texts, and no task has any."))
    if method != "full":
        what = f"`{method}` leaves weights as they are, and those of a new model are random."
        wrong.append(Fault("method", what, "Choose `full`."))
    if wrong:
        raise RecipeError(wrong)
    tasks, rows = {}, {}
    taught = {name: block for name, block in recipe.tasks.items() if block.data.train is not None}
    for name, block in taught.items():
        task = tasks[name] = build_task(block.task)
        origin = Origin(block.fields, block.reader, task.columns, task.needs, f"tasks.{name}")
        rows[name], _ = training_rows(name, block, origin, Faults(), Silent())
        learn(task, rows[name], name)

    def texts(name: str) -> Iterator[str]:
        with progress.bar(f"{name}: learning pieces", len(rows[name])) as advance:
            for chunk in rows[name].chunks():
                yield from (text for _, _, row in chunk for each in tasks[name].inputs(row) for text in each.texts())
                advance(len(chunk))

    about = [[block.task.model_dump(mode="json"), rows[name].key()] for name, block in taught.items()]
    key = hash_json([VERSION, spec.model_dump(), about])
    folder = cached(
        "new", key, lambda folder: make_model(spec, (text for name in taught for text in texts(name)), folder)
    )
    size = json.loads((folder / "config.json").read_text(encoding="utf-8"))["vocab_size"]
    progress.say(f"a new model ({spec.new}) with {size} pieces")
    return Source(f"new {spec.new}", "new", folder)


def text_and_shapes(recipe: Recipe, folder: Path) -> tuple[Modality, bool]:
    """The preparer of texts, and whether word shapes are added."""
    spec = recipe.text
    build = MODALITIES.of(spec).build
    wanted = spec.shapes
    if wanted is None and not writes(recipe):
        tags = any(isinstance(block.task, TagSpec) for block in recipe.tasks.values())
        # A method that leaves the inputs alone could not train the shapes' vectors.
        wanted = tags and getattr(recipe.method, "trains_inputs", True)
        wanted = wanted and build(spec, folder=folder, shapes=False).vocabulary.lowercases
    return text_preparer(recipe, folder, shapes=bool(wanted)), bool(wanted)


def text_preparer(recipe: Recipe, folder: Path, *, shapes: bool) -> Any:
    """The preparer of texts for a model folder, less the places that the method takes for itself."""
    spec = recipe.text
    reserved = int(getattr(recipe.method, "reserved_positions", 0))
    return MODALITIES.of(spec).build(spec, folder=folder, shapes=shapes, reserved=reserved, writes=writes(recipe))


def trimmed(recipe: Recipe, source: Source, text: Modality, progress: Progress) -> Source:
    """The model with the pieces that training and dev texts need."""
    used: set[int] = set()
    for name, block in recipe.tasks.items():
        if block.data.train is None:
            continue
        task = build_task(block.task)
        origin = Origin(block.fields, block.reader, task.columns, task.needs, f"tasks.{name}")
        train, _ = training_rows(name, block, origin, Faults(), Silent())
        learn(task, train, name)
        dev = [] if block.data.dev is None else [read_rows(named_files(block.data.dev), origin, Faults())]
        for rows in (train, *dev):
            with progress.bar(f"{name}: counting pieces", len(rows)) as advance:
                for chunk in rows.chunks():
                    inputs = [each for _, _, row in chunk for each in task.inputs(row)]
                    for windows in text.prepare(inputs):
                        for window in windows:
                            used.update(window.input_ids)
                    advance(len(chunk))
    key = hash_json([TRIM_VERSION, sorted(used), hash_model(source.folder)])
    folder = cached("trimmed", key, lambda target: trim_vocabulary(source.folder, target, used))
    size = json.loads((folder / "config.json").read_text(encoding="utf-8"))["vocab_size"]
    progress.say(f"vocabulary trimmed to {size} pieces")
    return replace(source, folder=folder)


def extended(recipe: Recipe, source: Source, text: Any, progress: Progress) -> Source:
    """The model with pieces for words of the training texts."""

    def texts() -> Iterator[str]:
        for name, block in recipe.tasks.items():
            if block.data.train is None:
                continue
            task = build_task(block.task)
            origin = Origin(block.fields, block.reader, task.columns, task.needs, f"tasks.{name}")
            train, _ = training_rows(name, block, origin, Faults(), Silent())
            learn(task, train, name)
            with progress.bar(f"{name}: counting words", len(train)) as advance:
                for chunk in train.chunks():
                    yield from (own for _, _, row in chunk for each in task.inputs(row) for own in each.texts())
                    advance(len(chunk))

    pieces = find_words(text.vocabulary.tokenizer, texts(), recipe.text.new_words)
    if not pieces:
        where = f"modalities.{recipe.modalities.index(recipe.text)}.new_words"
        what = f"no word of the training texts occurs {LEAST} times and is cut into several pieces: "
        raise RecipeError(Fault(where, what + "`new_words` has nothing to add.", "Leave it out."))
    key = hash_json([EXTEND_VERSION, [[each.word, each.parts] for each in pieces], hash_model(source.folder)])
    folder = cached("extended", key, lambda target: extend_vocabulary(source.folder, target, pieces))
    shown = ", ".join(each.word for each in pieces[:SHOWN]) + (", ..." if len(pieces) > SHOWN else "")
    progress.say(f"pieces for {counted(len(pieces), 'word')} of the training texts: {shown}")
    return replace(source, folder=folder)


def model_width(folder: Path) -> int:
    """D of the model in a folder, as its ``config.json`` calls it; 768 where it has another name there."""
    if not (folder / "config.json").is_file():
        return 768
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return next((config[name] for name in ("hidden_size", "d_model", "dim", "n_embd") if name in config), 768)
