"""What a run will do: data read, gated and encoded, model found; trains nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from sibu.catalog import Spec
from sibu.core.errors import DataError, Fault, RecipeError, counted
from sibu.core.example import Faults
from sibu.core.protocols import Decoder, Modality, Task
from sibu.decoders import DECODERS
from sibu.methods import METHODS
from sibu.modalities import MODALITIES
from sibu.models.extend import LEAST, extend_vocabulary, find_words
from sibu.models.new import VERSION, make_model
from sibu.models.sources import Source, find_model
from sibu.models.spec import NewModel
from sibu.models.trim import trim_vocabulary
from sibu.pipeline.augment import augmented, joined, models_behind, ways_of
from sibu.pipeline.consistent import Doubled, doubled
from sibu.pipeline.data import Origin, Rows, missing_files, named_files, read_rows, split_dev
from sibu.pipeline.gate import GateReport, SplitSurvey, label_faults
from sibu.pipeline.lent import lend
from sibu.pipeline.looked import look, twins
from sibu.pipeline.progress import Progress
from sibu.pipeline.require import (
    require_bounds,
    require_contrast,
    require_head,
    require_metrics,
    require_targets,
    require_ways,
    require_writer,
)
from sibu.pipeline.reward import judges_of, require_rewards
from sibu.pipeline.shots import draw_shots
from sibu.pipeline.teach import Taught
from sibu.pipeline.weak import require_rules, weakly_labelled
from sibu.recipe.fill import as_written, settle, with_absolute_paths
from sibu.recipe.load import Loaded
from sibu.recipe.schema import Recipe, TaskBlock
from sibu.store.cache import cached
from sibu.store.hashes import hash_file, hash_json
from sibu.store.ragged import RaggedArrays
from sibu.tasks import TASKS
from sibu.tasks.tag import TagSpec
from sibu.trackers import TRACKERS

FEW = 100
"""Rows below which a split may take a label away."""
EXTEND_VERSION = 1
"""Counts up when `extend_vocabulary` gives another result for the same words."""
TRIM_VERSION = 1
"""Counts up when `trim_vocabulary` gives another result for the same pieces."""


@dataclass(slots=True)
class TaskPlan:
    """One task with its data."""

    name: str
    task: Task
    splits: dict[str, Rows]
    """``train``, ``dev``, then the test files by name."""
    surveys: dict[str, SplitSurvey]
    inputs: RaggedArrays | None
    targets: RaggedArrays | None
    key: str
    """Equal for two tasks that encode the same windows in the same order."""
    dev_was_split: bool
    learned: Rows | None
    """The rows that are trained on: ``train``, with changed copies where the recipe asks for them; None: none are."""
    learned_survey: SplitSurvey | None
    augmented: dict[str, int]
    """How many copies were made by each way; ``none`` counts those that could not be."""
    dev_is_train: bool = False
    """Whether nothing is held out: dev is then no measure of anything, and not reported."""
    told: np.ndarray | None = None
    """What the teacher says of each record, ``(records, C)``; None: there is none."""
    pairs: Doubled | None = None
    """Unlabelled texts with changed copies; None: there are none."""
    weak: dict[str, Any] | None = None
    """What came of the rules that label rows; None: there are none."""
    made_by: dict[str, str] = field(default_factory=dict)
    """The models by which copies were made, each with a hash of its files."""


@dataclass(slots=True)
class Plan:
    """Everything that training needs."""

    recipe: Recipe
    home: Path
    source: Source
    text: Modality
    shapes: bool
    tasks: dict[str, TaskPlan]
    gate: GateReport
    files: list[str]
    watch: Callable[[int, float], None] | None = None
    """Told the number and the score of each evaluation on dev."""


def make_plan(loaded: Loaded, progress: Progress, *, encode: bool) -> Plan:
    """Read the data, look at every row, and (where there is no error) encode what is to be learned.

    Args:
        loaded: The recipe.
        progress: Where to tell how far it is.
        encode: Whether the training data is wanted as arrays too.

    Raises:
        RecipeError: When model, files or columns are not there.
        DataError: When the training data cannot be learned from (one class, no row, ...).
    """
    try:
        return _make_plan(loaded, progress, encode=encode)
    except RecipeError as fault:
        raise loaded.placed(fault) from None


def _make_plan(loaded: Loaded, progress: Progress, *, encode: bool) -> Plan:
    recipe = with_absolute_paths(loaded.recipe, loaded.home)
    files = _all_files(recipe)
    METHODS.of(recipe.method)  # a missing library is told before any work is done
    for tracker in recipe.track:
        TRACKERS.of(tracker)
    require_ways(recipe)
    source = _found(recipe, loaded.home) if isinstance(recipe.model, str) else _new(recipe, recipe.model, progress)
    require_writer(recipe, source)
    text, shapes = _text(recipe, source.folder)
    require_bounds(recipe, text)
    require_rewards(recipe)
    if recipe.text.trim_vocabulary:
        source = _trimmed(recipe, source, text, progress)
        text = text_preparer(recipe, source.folder, shapes=shapes)
    if recipe.text.new_words:
        source = _extended(recipe, source, text, progress)
        text = text_preparer(recipe, source.folder, shapes=shapes)
    faults = Faults()
    plans: dict[str, TaskPlan] = {}
    wrong: list[Fault] = []
    for name, block in recipe.tasks.items():
        try:
            named: dict[str, Any] = {"chosen": loaded.chosen, "more": (loaded.more or {}).get(name), "encode": encode}
            named["source"] = source
            named["fold"] = None if loaded.fold is None else (loaded.fold, recipe.folds)
            plans[name] = _plan_task(name, block, recipe, text, faults, progress, plans, **named)
        except RecipeError as fault:  # the other tasks' faults are told with this one's
            wrong += fault.faults
    if wrong:
        raise RecipeError(wrong)
    require_metrics(recipe, plans)
    require_targets(recipe, plans)
    tokens = sum(found.tokens(text.max_length) for found in encoded_surveys(plans))
    recipe = settle(recipe, width=model_width(source.folder), tokens=tokens)
    require_contrast(recipe, plans, source.folder, text.max_length)
    gate = GateReport({name: plan.surveys for name, plan in plans.items()}, faults)
    return Plan(recipe, loaded.home, source, text, shapes, plans, gate, files, loaded.watch)


def _found(recipe: Recipe, home: Path) -> Source:
    """The model.

    Raises:
        RecipeError: When it or any file of the data is not there.
    """
    wrong = _missing(recipe)
    try:
        source = find_model(str(recipe.model), home=home, allow_pickle=recipe.allow_pickle)
    except RecipeError as fault:
        raise RecipeError([*(replace(each, where="model") for each in fault.faults), *wrong]) from fault
    if wrong:
        raise RecipeError(wrong)
    return source


def _missing(recipe: Recipe) -> list[Fault]:
    """Files of the data that are not there."""
    return [
        fault
        for name, block in recipe.tasks.items()
        for split, files in _files_by_split(block).items()
        for fault in missing_files(files, f"tasks.{name}.data.{split}")
    ]


def _new(recipe: Recipe, spec: NewModel, progress: Progress) -> Source:
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
    taught = {name: (block, block.data.train) for name, block in recipe.tasks.items() if block.data.train is not None}
    for name, (block, train) in taught.items():
        task = tasks[name] = build_task(block.task)
        origin = Origin(block.fields, block.reader, task.columns, task.needs, f"tasks.{name}")
        rows[name] = read_rows(named_files(train), origin, Faults())
        task.learn(rows[name])

    def texts(name: str) -> Iterator[str]:
        with progress.bar(f"{name}: learning pieces", len(rows[name])) as advance:
            for chunk in rows[name].chunks():
                yield from (text for _, _, row in chunk for each in tasks[name].inputs(row) for text in each.texts())
                advance(len(chunk))

    about = [[block.task.model_dump(mode="json"), rows[name].key()] for name, (block, _) in taught.items()]
    key = hash_json([VERSION, spec.model_dump(), about])
    folder = cached(
        "new", key, lambda folder: make_model(spec, (text for name in taught for text in texts(name)), folder)
    )
    size = json.loads((folder / "config.json").read_text(encoding="utf-8"))["vocab_size"]
    progress.say(f"a new model ({spec.new}) with {size} pieces")
    return Source(f"new {spec.new}", "new", folder)


def _files_by_split(block: TaskBlock) -> dict[str, list[str]]:
    data = block.data
    found = {} if data.train is None else {"train": named_files(data.train)}
    if data.unlabelled is not None:
        found["unlabelled"] = named_files(data.unlabelled)
    if data.dev is not None:
        found["dev"] = named_files(data.dev)
    if isinstance(data.test, Mapping):
        return found | {f"test.{name}": [file] for name, file in data.test.items()}
    return found if data.test is None else found | {"test": named_files(data.test)}


def _files_of(block: TaskBlock) -> list[str]:
    return [file for files in _files_by_split(block).values() for file in files]


def _all_files(recipe: Recipe) -> list[str]:
    return list(dict.fromkeys(file for block in recipe.tasks.values() for file in _files_of(block)))


def _text(recipe: Recipe, folder: Path) -> tuple[Modality, bool]:
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


def _trimmed(recipe: Recipe, source: Source, text: Modality, progress: Progress) -> Source:
    """The model with the pieces that training and dev texts need."""
    used: set[int] = set()
    for name, block in recipe.tasks.items():
        if block.data.train is None:
            continue
        task = build_task(block.task)
        origin = Origin(block.fields, block.reader, task.columns, task.needs, f"tasks.{name}")
        train = read_rows(named_files(block.data.train), origin, Faults())
        task.learn(train)
        dev = [] if block.data.dev is None else [read_rows(named_files(block.data.dev), origin, Faults())]
        for rows in (train, *dev):
            with progress.bar(f"{name}: counting pieces", len(rows)) as advance:
                for chunk in rows.chunks():
                    inputs = [each for _, _, row in chunk for each in task.inputs(row)]
                    for windows in text.prepare(inputs):
                        for window in windows:
                            used.update(window.input_ids)
                    advance(len(chunk))
    key = hash_json(
        [TRIM_VERSION, sorted(used), *(hash_file(file) for file in sorted(source.folder.glob("*.safetensors")))]
    )
    folder = cached("trimmed", key, lambda target: trim_vocabulary(source.folder, target, used))
    size = json.loads((folder / "config.json").read_text(encoding="utf-8"))["vocab_size"]
    progress.say(f"vocabulary trimmed to {size} pieces")
    return replace(source, folder=folder)


def _extended(recipe: Recipe, source: Source, text: Any, progress: Progress) -> Source:
    """The model with pieces for words of the training texts."""

    def texts() -> Iterator[str]:
        for name, block in recipe.tasks.items():
            if block.data.train is None:
                continue
            task = build_task(block.task)
            origin = Origin(block.fields, block.reader, task.columns, task.needs, f"tasks.{name}")
            train = read_rows(named_files(block.data.train), origin, Faults())
            task.learn(train)
            with progress.bar(f"{name}: counting words", len(train)) as advance:
                for chunk in train.chunks():
                    yield from (own for _, _, row in chunk for each in task.inputs(row) for own in each.texts())
                    advance(len(chunk))

    pieces = find_words(text.vocabulary.tokenizer, texts(), recipe.text.new_words)
    if not pieces:
        raise RecipeError(
            f"modalities: no word of the training texts occurs {LEAST} times and is cut into several pieces: "
            "`new_words` has nothing to add. Leave it out."
        )
    weights = [hash_file(file) for file in sorted(source.folder.glob("*.safetensors"))]
    key = hash_json([EXTEND_VERSION, [[each.word, each.parts] for each in pieces], *weights])
    folder = cached("extended", key, lambda target: extend_vocabulary(source.folder, target, pieces))
    shown = ", ".join(each.word for each in pieces[:5])
    progress.say(f"pieces for {counted(len(pieces), 'word')} of the training texts: {shown}, ...")
    return replace(source, folder=folder)


def text_preparer(recipe: Recipe, folder: Path, *, shapes: bool) -> Any:
    """The preparer of texts for a model folder, less the places that the method takes for itself."""
    spec = recipe.text
    reserved = int(getattr(recipe.method, "reserved_positions", 0))
    return MODALITIES.of(spec).build(spec, folder=folder, shapes=shapes, reserved=reserved, writes=writes(recipe))


def writes(recipe: Recipe) -> bool:
    """Whether a task of the recipe is answered by the model's language head."""
    return any(getattr(block.task, "writes", False) for block in recipe.tasks.values())


def fills(recipe: Recipe) -> bool:
    """Whether a task of the recipe tells hidden pieces by the model's masked-language head."""
    return any(getattr(block.task, "fills", False) for block in recipe.tasks.values())


def introduce(task: Any, text: Modality) -> None:
    """Tell a task that asks for it what the vocabulary has: pieces to hide words with, the piece that ends a text.

    Raises:
        RecipeError: When it has nothing to hide words with.
    """
    if hasattr(task, "end"):
        prompts = text.prompts  # type: ignore[attr-defined]
        task.end = prompts.special.ids.get(prompts.special.eos)
    if not getattr(task, "fills", False):
        return
    task.pieces = text.pieces
    if task.pieces is None:
        raise RecipeError("The model's vocabulary has no mask, which `mask` needs. Take a masked language model.")


def learns(recipe: Recipe, name: str) -> bool:
    """Whether a task has anything to train by steps: not where its head is fitted and the encoder stays as it is."""
    fits = getattr(recipe.tasks[name].head, "fits", False)
    return recipe.tasks[name].data.train is not None and not (
        fits and not getattr(recipe.method, "trains_encoder", True)
    )


def packs(plan: Plan) -> bool:
    """Whether texts will likely be computed side by side: known for certain once the model is loaded."""
    from sibu.modalities.text._hf import writing_kind

    prompted = getattr(plan.recipe.method, "reserved_positions", 0) > 0
    return writes(plan.recipe) and writing_kind(plan.source.folder) == "causal" and not prompted


def decoder_of(block: TaskBlock) -> Decoder:
    """How a task's answers are chosen."""
    decoder: Decoder = DECODERS.of(block.decoding).build(block.decoding)
    return decoder


def rows_of(block: TaskBlock) -> int:
    """How many rows of a batch each prompt takes while it is answered."""
    return int(getattr(block.decoding, "rows", 1))


def build_task(spec: Spec, state: dict[str, Any] | None = None) -> Task:
    """A task from its spec."""
    task: Task = TASKS.of(spec).build(spec, state)
    return task


def _plan_task(
    name: str,
    block: TaskBlock,
    recipe: Recipe,
    text: Modality,
    faults: Faults,
    progress: Progress,
    before: Mapping[str, TaskPlan],
    *,
    chosen: Sequence[int] | None,
    more: Path | None,
    fold: tuple[int, int] | None,
    source: Source,
    encode: bool,
) -> TaskPlan:
    task = build_task(block.task)
    introduce(task, text)
    lend(task, source, name)
    origin = Origin(block.fields, block.reader, task.columns, task.needs, f"tasks.{name}")
    if files := _files_of(block):
        progress.say(f"{name}: reading {', '.join(Path(file).name for file in files)}")
    if block.data.train is None:
        return _plan_untaught(name, block, task, origin, text, faults, progress)
    whole, weak = _train_rows(name, block, task, origin, faults, progress)
    if chosen is not None:
        whole = whole.subset(np.asarray(chosen, np.int64))
    if block.data.shots is not None:
        where = f"tasks.{name}.data.shots"
        left = np.setdiff1d(np.arange(len(whole)), _of_others("dev", whole, block, recipe, before))
        whole = draw_shots(whole.subset(left), block.data.shots, seed=recipe.train.seed, where=where)
    splits = {"train": whole}
    dev_is_train = block.data.shots is not None and block.data.dev is None
    try:
        task.learn(whole)
        require_head(name, block, task)
        if dev_is_train:
            splits["dev"] = whole
        elif block.data.dev is None:
            splits["train"], splits["dev"] = _dev_from(whole, block, recipe, before, fold)
            if len(whole) < FEW:  # the part that is left to train on can be learned from too
                task.learn(splits["train"])
                task.learn(whole)
    except DataError as fault:
        if not faults.number("error"):
            raise
        raise DataError(f"{fault}\nRows that could not be read may be why:\n{faults.first_errors()}") from None
    if hasattr(task, "remember"):
        task.remember(splits["train"])
    if block.data.dev is not None:
        splits["dev"] = read_rows(named_files(block.data.dev), origin, faults)
    for split, files in test_files(block).items():
        splits[split] = read_rows(files, origin, faults)
    seen = {
        split: look(
            task,
            block.task,
            rows,
            text,
            progress,
            what=f"{name}: looking at {split}",
            encode=encode and split == "train" and not block.data.augment,
        )
        for split, rows in splits.items()
    }
    for split, each in seen.items():
        if split != "dev" or not dev_is_train:
            faults.join(each.faults)
    surveys = {split: each.survey for split, each in seen.items()}
    label_faults(name, surveys["train"], splits["train"].files[0], faults)
    judged = {split: rows for split, rows in splits.items() if split != "dev" or not dev_is_train}
    faults.join(twins(name, {split: (rows, seen[split]) for split, rows in judged.items()}, progress))
    train, learned = seen["train"], splits["train"]
    made: dict[str, int] = {}
    lent: dict[str, str] = {}
    if block.data.augment and not faults.number("error"):
        inputs = [each.keys.joined()[0] for each in seen.values()]
        lent = models_behind(block.data.augment)
        named: dict[str, Any] = {"seed": recipe.train.seed, "name": name, "progress": progress, "models": lent}
        learned, made = augmented(learned, task.columns, block.data, inputs, **named)
        what = f"{name}: looking at the copies"
        train = look(task, block.task, learned, text, progress, what=what, encode=encode)
        if train.faults.number("error"):  # a way that breaks rows is a fault of its own
            raise DataError(f"Changed copies of {name}'s rows cannot be used:\n{train.faults.first_errors()}")
        said = ", ".join(f"{count} by {way}" for way, count in made.items() if way != "none" and count)
        if not said:
            ways = ", ".join(way for way in made if way != "none")
            what = f"no row of {name} could be changed by {ways} to one that is not there yet."
            mend = "Name a way that suits the texts (`sibu list augmenters`), or leave `augment` out."
            raise RecipeError(Fault(f"tasks.{name}.data.augment", what, mend))
        progress.say(f"{name}: copies of training rows: {said}")
    if more is not None and not faults.number("error"):
        inputs = [each.keys.joined()[0] for each in seen.values()]
        learned, added = joined(learned, task.columns, more, inputs, made="self_training")
        made = made | {"self_training": added}
        train = look(task, block.task, learned, text, progress, what=f"{name}: looking at more", encode=encode)
    told = None
    if block.teacher is not None and not faults.number("error"):
        teacher = Taught(block.teacher, name, task)
        if encode and (file := teacher.labelled(block.data, origin, progress)) is not None:
            inputs = [each.keys.joined()[0] for each in seen.values()]
            learned, added = joined(learned, task.columns, file, inputs, made="teacher")
            made = made | {"teacher": added}
            train = look(task, block.task, learned, text, progress, what=f"{name}: looking at more", encode=encode)
        told = teacher.told(learned, progress) if encode else None
    pairs = None
    if block.consistency is not None and encode and not faults.number("error"):
        held = [each.keys.joined()[0] for split, each in seen.items() if split in judged and split != "train"]
        asked: dict[str, Any] = {"seed": recipe.train.seed, "progress": progress}
        pairs = doubled(name, block, task, origin, text, held, **asked)
        made = made | {f"pairs, {way}": count for way, count in pairs.made.items()}
    own_dev = block.data.dev is not None or dev_is_train
    return TaskPlan(
        name,
        task,
        splits,
        surveys,
        train.inputs,
        train.targets,
        train.windows,
        not own_dev,
        learned,
        train.survey,
        made,
        dev_is_train,
        told,
        pairs,
        weak,
        lent,
    )


def _train_rows(
    name: str, block: TaskBlock, task: Task, origin: Origin, faults: Faults, progress: Progress
) -> tuple[Rows, dict[str, Any] | None]:
    """The training rows; with rules those that have a label or get one, and what came of the rules."""
    files = named_files(block.data.train or ())
    if not block.data.rules:
        return read_rows(files, origin, faults), None
    require_rules(name, block.data, task.columns, getattr(block.task, "labels", None))
    roles = {column.name: column.role for column in task.columns}
    inputs = tuple(group for group in origin.needs if roles[group[0]] == "input")
    bare = read_rows(files, replace(origin, needs=inputs), Faults(), targets=False)
    there = set(json.loads((bare.folder / "about.json").read_text(encoding="utf-8"))["in_files"])
    fields = {key: column for key, column in origin.fields.items() if roles.get(key) == "input" or column in there}
    rows = read_rows(files, replace(origin, needs=inputs, fields=fields), faults)
    return weakly_labelled(rows, task.columns, block.data, name=name, progress=progress)


def _plan_untaught(
    name: str, block: TaskBlock, task: Task, origin: Origin, text: Modality, faults: Faults, progress: Progress
) -> TaskPlan:
    """A task that learns nothing: its labels are in the recipe, and its files only judge it."""
    task.learn(())
    files = ({} if block.data.dev is None else {"dev": named_files(block.data.dev)}) | test_files(block)
    splits = {split: read_rows(own, origin, faults) for split, own in files.items()}
    named: dict[str, Any] = {"encode": False}
    seen = {
        split: look(task, block.task, rows, text, progress, what=f"{name}: looking at {split}", **named)
        for split, rows in splits.items()
    }
    for each in seen.values():
        faults.join(each.faults)
    faults.join(twins(name, {split: (rows, seen[split]) for split, rows in splits.items()}, progress))
    surveys = {split: each.survey for split, each in seen.items()}
    return TaskPlan(name, task, splits, surveys, None, None, "", False, None, None, {})


def test_files(block: TaskBlock) -> dict[str, list[str]]:
    """Test files by the name of their split."""
    test = block.data.test
    if isinstance(test, Mapping):
        return {name: [file] for name, file in test.items()}
    return {} if test is None else {"test": named_files(test)}


def _dev_from(
    whole: Rows,
    block: TaskBlock,
    recipe: Recipe,
    before: Mapping[str, TaskPlan],
    fold: tuple[int, int] | None,
) -> tuple[Rows, Rows]:
    """Train and dev of a task without dev.

    Tasks that learn from the same file share the split, so that no task trains on a text that another is judged on.
    """
    for name, plan in before.items():
        other = recipe.tasks[name].data
        alike = other.dev is None and other.shots is None and other.dev_share == block.data.dev_share
        if other.train == block.data.train and alike:
            train, dev = plan.splits["train"].chosen, plan.splits["dev"].chosen
            if train is not None and dev is not None and len(whole) == len(train) + len(dev):
                return whole.subset(train), whole.subset(dev)
    parts = split_dev(whole, share=block.data.dev_share, seed=recipe.train.seed, fold=fold)
    kept = np.setdiff1d(_numbers(parts[1]), _of_others("train", whole, block, recipe, before))
    if len(kept) == len(parts[1]) or not len(kept):
        return parts
    return whole.subset(np.setdiff1d(_numbers(whole), kept)), whole.subset(kept)


def _of_others(
    split: Literal["train", "dev"], whole: Rows, block: TaskBlock, recipe: Recipe, before: Mapping[str, TaskPlan]
) -> np.ndarray:
    """The rows of a file that earlier tasks hold out as ``dev``, or drew as their few to ``train`` on."""
    found = [np.zeros(0, np.int64)]
    for name, plan in before.items():
        data, rows = recipe.tasks[name].data, plan.splits[split]
        asked = plan.dev_was_split if split == "dev" else data.shots is not None
        if asked and data.train == block.data.train and rows.in_files == whole.in_files:
            found.append(_numbers(rows))
    return np.concatenate(found)


def _numbers(rows: Rows) -> np.ndarray:
    return np.arange(len(rows)) if rows.chosen is None else rows.chosen


def encoded_surveys(plans: Mapping[str, TaskPlan]) -> list[SplitSurvey]:
    """The training splits that are encoded: tasks that read the same texts (told by equal lengths) share one."""
    found = [plan.learned_survey for plan in plans.values() if plan.learned_survey is not None]
    return list({tuple(sorted(each.lengths.items())): each for each in found}.values())


def model_width(folder: Path) -> int:
    """D of the model in a folder, as its ``config.json`` calls it; 768 where it has another name there."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return next((config[name] for name in ("hidden_size", "d_model", "dim", "n_embd") if name in config), 768)


def expected_batches(plan: Plan) -> int:
    """About how many batches an epoch has."""
    options, packed = plan.recipe.train, packs(plan)
    size = options.batch_tokens or 1, options.batch_examples
    taught = {name: each for name, each in plan.tasks.items() if learns(plan.recipe, name)}
    writing = {id(each.learned_survey): each.task for each in taught.values()}
    number = 0
    for found in encoded_surveys(taught):
        task: Any = writing[id(found)]
        count = int(getattr(task, "candidates", 0))
        if count:  # what may be written is planned for
            whole = (found.tokens(plan.text.max_length) + found.windows * task.room) * count
            number += max(-(-whole // size[0]), 1)
        else:
            number += max(found.batches(plan.text.max_length, *size, packed=packed), 1)
    return number


def plan_steps(recipe: Recipe, batches_per_epoch: int, *, processes: int = 1) -> tuple[int, int]:
    """Steps an epoch, and steps of the run."""
    per_epoch = math.ceil(batches_per_epoch / (recipe.train.accumulate * processes))
    total = per_epoch * recipe.train.epochs
    return per_epoch, min(total, recipe.train.max_steps or total)


def fingerprint(plan: Plan) -> str:
    """Changes when recipe, data or model change: a run may resume only where it is equal."""
    return _mark(plan.recipe, plan.files, plan.source.folder)


def mark_of(loaded: Loaded) -> str:
    """As ``fingerprint``, of a recipe that was not planned yet.

    Raises:
        RecipeError: When its model is not there.
    """
    recipe = with_absolute_paths(loaded.recipe, loaded.home)
    named = isinstance(recipe.model, str)
    source = find_model(str(recipe.model), home=loaded.home, allow_pickle=recipe.allow_pickle) if named else None
    return _mark(recipe, _all_files(recipe), None if source is None else source.folder)


def _mark(recipe: Recipe, files: Sequence[str], model: Path | None) -> str:
    written = as_written(recipe)
    for key in ("track", "release"):
        written.pop(key)
    contents = [hash_file(Path(file)) if Path(file).is_file() else file for file in files]
    weights = [] if model is None else [hash_file(file) for file in sorted(model.glob("*.safetensors"))]
    lent = [models_behind(ways_of(block)) for block in recipe.tasks.values()]
    return hash_json([written, contents, weights, judges_of(recipe), lent])
