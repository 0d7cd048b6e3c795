"""What a run will do: data read, gated and encoded, model found; trains nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from sibu.core.errors import DataError, Fault, RecipeError, counted
from sibu.core.example import Faults
from sibu.core.protocols import Decoder, Modality, Task
from sibu.core.values import ValueModality
from sibu.decoders import DECODERS
from sibu.methods import METHODS
from sibu.models.sources import Source, hash_model
from sibu.pipeline.aligned import build_alignments
from sibu.pipeline.alike import near_pictures, remarks, telling_columns
from sibu.pipeline.augment import augmented, by_way, models_behind, ways_of
from sibu.pipeline.backbone import (
    build_task,
    extended,
    folders_of,
    introduce,
    learn,
    model_of_run,
    model_width,
    named_model,
    text_and_shapes,
    text_preparer,
    trimmed,
    writes,
)
from sibu.pipeline.changed import FREE
from sibu.pipeline.consistent import Doubled, doubled
from sibu.pipeline.data import (
    Origin,
    Rows,
    all_files,
    content_of,
    files_of,
    named_files,
    read_rows,
    split_dev,
    test_files,
)
from sibu.pipeline.gate import (
    GateReport,
    SplitSurvey,
    label_faults,
    nothing_to_choose_by,
    nothing_to_join,
    unjudged,
)
from sibu.pipeline.knowing import knowing, share_named
from sibu.pipeline.known import Known, gathered, mark, ruled
from sibu.pipeline.lent import lend
from sibu.pipeline.looked import Looked, look, twins
from sibu.pipeline.mixed import Mixed, build_values, learn_values, mixed, origin_of, sensed
from sibu.pipeline.progress import Progress
from sibu.pipeline.require import (
    begins_from_nothing,
    require_bounds,
    require_contrast,
    require_epochs,
    require_head,
    require_mask,
    require_metrics,
    require_one_label,
    require_targets,
    require_ways,
    require_writer,
)
from sibu.pipeline.reward import judges_of, require_rewards
from sibu.pipeline.ruled import rows_that_break
from sibu.pipeline.shots import draw_shots
from sibu.pipeline.teach import Taught
from sibu.pipeline.unlabelled import behind, keep_known, look_unlabelled
from sibu.pipeline.weak import training_rows
from sibu.recipe.fill import as_written, settle, settle_epochs, with_absolute_paths
from sibu.recipe.load import Loaded
from sibu.recipe.schema import Recipe, TaskBlock
from sibu.store.hashes import hash_json
from sibu.store.ragged import RaggedArrays
from sibu.trackers import TRACKERS
from sibu.train.spec import WHOLE

FEW = 100
"""Rows below which a split may take a label away."""


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
    rows: np.ndarray | None = None
    """The place among ``learned`` of the row that each window is of. Shape ``(windows,)``."""
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
    known: Known | None = None
    """The knowledge that the model uses; None: there is none."""
    values: Mapping[str, ValueModality] = field(default_factory=dict)
    """The modalities beside texts, by their columns."""


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
    files = all_files(recipe)
    METHODS.of(recipe.method)  # a missing library is told before any work is done
    for tracker in recipe.track:
        TRACKERS.of(tracker)
    require_ways(recipe)
    require_epochs(recipe)
    source = model_of_run(recipe, loaded.home, progress)
    values = build_values(recipe, folders_of(recipe, source.folder, loaded.home))
    text: Any = None
    shapes = False
    if recipe.reads_text:
        require_writer(recipe, source)
        text, shapes = text_and_shapes(recipe, source.folder)
        require_bounds(recipe, text)
    require_rewards(recipe)
    known = gathered(recipe, progress)
    if recipe.text.trim_vocabulary:
        source = trimmed(recipe, source, knowing(text, known), progress)
        text = text_preparer(recipe, source.folder, shapes=shapes)
    if recipe.text.new_words:
        source = extended(recipe, source, text, progress)
        text = text_preparer(recipe, source.folder, shapes=shapes)
    alignments = build_alignments(recipe)
    text = mixed(knowing(text, known), values, alignments)
    if values:
        learn_values(recipe, values, {name: build_task(block.task) for name, block in recipe.tasks.items()}, text)
        text = Mixed(text.inner, values, alignments)  # what was learned is part of its key
    faults = Faults()
    plans: dict[str, TaskPlan] = {}
    wrong: list[Fault] = []
    for name, block in recipe.tasks.items():
        try:
            named: dict[str, Any] = {"chosen": loaded.chosen, "more": (loaded.more or {}).get(name), "encode": encode}
            named["source"], named["known"] = source, loaded.known
            named["fold"] = None if loaded.fold is None else (loaded.fold, recipe.folds)
            plans[name] = _plan_task(name, block, recipe, text, faults, progress, plans, **named)
        except RecipeError as fault:  # the other tasks' faults are told with this one's
            wrong += fault.faults
    if wrong:
        raise RecipeError(wrong)
    require_metrics(recipe, plans)
    require_targets(recipe, plans)
    if known is not None and recipe.knowledge is not None:
        tasks = {name: each.task for name, each in plans.items()}
        known.rules = ruled(recipe.knowledge, tasks, {name: block.head for name, block in recipe.tasks.items()})
        text.tasks = tasks  # of texts alone: no other modality goes with knowledge
        if known.lexicon is not None:
            taught = {name: each for name, each in plans.items() if each.learned is not None}
            shares = {name: share_named(text, each.task, each.splits["train"]) for name, each in taught.items()}
            known.about["texts_with_names"] = {name: share for name, share in shares.items() if share is not None}
        if known.rules is not None and not faults.number("error"):
            faults.join(rows_that_break(known.rules, plans))
    nothing_to_join(recipe, loaded.file, faults)
    nothing_to_choose_by(recipe, loaded.file, faults)
    tokens = sum(found.tokens(text.max_length) for found in encoded_surveys(plans))
    share = max((getattr(each.task, "rate_share", 1.0) for each in plans.values()), default=1.0)
    recipe = settle(recipe, width=model_width(source.folder), tokens=tokens, share=share)
    require_contrast(recipe, plans, source.folder, text.max_length)
    gate = GateReport({name: plan.surveys for name, plan in plans.items()}, faults)
    plan = Plan(recipe, loaded.home, source, text, shapes, plans, gate, files, loaded.watch, known, values)
    plan.recipe = settle_epochs(
        recipe,
        steps_per_epoch=max(math.ceil(expected_batches(plan) / recipe.train.accumulate), 1),
        from_nothing=any(begins_from_nothing(recipe.tasks[name], each.task) for name, each in plans.items()),
    )
    return plan


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
    known: Path | None,
    fold: tuple[int, int] | None,
    source: Source,
    encode: bool,
) -> TaskPlan:
    task = build_task(block.task)
    origin = origin_of(name, block, task, text)
    if recipe.reads_text:
        introduce(task, text)
        require_mask(name, block, task, source)
        lend(task, source, name)
    if files := files_of(block):
        progress.say(f"{name}: reading {', '.join(Path(file).name for file in files)}")
    if block.data.train is None:
        return _plan_untaught(name, block, task, origin, text, faults, progress)
    whole, weak = training_rows(name, block, origin, faults, progress)
    whole = sensed(whole, text, faults, progress, what=name)
    if chosen is not None:
        whole = whole.subset(np.asarray(chosen, np.int64))
    if block.data.shots is not None:
        where = f"tasks.{name}.data.shots"
        left = np.setdiff1d(_numbers(whole), _of_others("dev", whole, block, recipe, before))
        whole = draw_shots(whole.subset(left), block.data.shots, seed=recipe.train.seed, where=where)
    splits = {"train": whole}
    dev_is_train = block.data.undivided
    try:
        learn(task, whole, name)
        require_head(name, block, task)
        require_one_label(name, block, task, recipe)
        if dev_is_train:
            splits["dev"] = whole
        elif block.data.dev is None:
            splits["train"], splits["dev"] = _dev_from(whole, block, recipe, before, fold)
            if len(whole) < FEW:  # the part that is left to train on can be learned from too
                _require_left(task, splits["train"], name, len(whole))
                learn(task, whole, name)
    except (DataError, RecipeError) as fault:
        if not faults.number("error"):
            raise
        why = f"Rows that could not be read may be why:\n{faults.first_errors()}"
        if isinstance(fault, RecipeError):
            raise RecipeError([*fault.faults, Fault("", why)]) from None
        raise DataError(f"{fault}\n{why}") from None
    if hasattr(task, "remember"):
        task.remember(splits["train"])
    if block.data.dev is not None:
        dev = read_rows(named_files(block.data.dev), origin, faults)
        splits["dev"] = sensed(dev, text, faults, progress, what=name)
    for split, files in test_files(block).items():
        splits[split] = sensed(read_rows(files, origin, faults), text, faults, progress, what=name)
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
    label_faults(name, block, surveys["train"], splits["train"].files[0], faults, texts=not isinstance(text, Mixed))
    if dev_is_train and not test_files(block):
        unjudged(name, splits["train"].files[0], faults)
    judged = {split: rows for split, rows in splits.items() if split != "dev" or not dev_is_train}
    faults.join(twins(name, {split: (rows, seen[split]) for split, rows in judged.items()}, progress))
    target = next((column.name for column in task.columns if column.role == "target"), "label")
    remarks(text, splits["train"], faults)
    telling_columns(name, text, splits["train"], target, faults)
    near_pictures(name, text, judged, target, faults)
    train, learned = seen["train"], splits["train"]
    if known is not None and encode:
        keep_known(known, name, [each.keys.joined()[0] for each in seen.values()])
    made: dict[str, int] = {}
    lent: dict[str, str] = {}
    if block.data.augment and not faults.number("error"):
        inputs = [each.keys.joined()[0] for each in seen.values()]
        lent = models_behind(block.data.augment)
        named: dict[str, Any] = {"seed": recipe.train.seed, "name": name, "progress": progress, "models": lent}
        learned, made = augmented(learned, task.columns, block.data, inputs, **named)
        what = f"{name}: looking at the copies"
        train = look(task, block.task, learned, text, progress, what=what, encode=encode)
        _require_sound(train, f"Changed copies of {name}'s rows")  # a way that breaks rows is a fault of its own
        ways = {way: count for way, count in made.items() if way != "none"}
        if not any(ways.values()):
            what = f"no row of {name} could be changed by {', '.join(ways)} to one that is not there yet."
            mend = "Name a way that suits the texts (`sibu list augmenters`), or leave `augment` out."
            raise RecipeError(Fault(f"tasks.{name}.data.augment", what, mend))
        progress.say(f"{name}: copies of training rows: {by_way(ways)}")
    if more is not None and not faults.number("error"):
        inputs = [each.keys.joined()[0] for each in seen.values()]
        learned, added = behind(learned, task, text, more, inputs, "self_training", progress)
        made = made | {"self_training": added}
        train = look(task, block.task, learned, text, progress, what=f"{name}: looking at more", encode=encode)
        _require_sound(train, f"The texts that {name} labelled itself")
    told = None
    if block.data.unlabelled is not None:
        look_unlabelled(named_files(block.data.unlabelled), origin, task, faults, texts=not isinstance(text, Mixed))
    if block.teacher is not None and not faults.number("error"):
        teacher = Taught(block.teacher, name, task)
        if encode and (file := teacher.labelled(block.data, origin, progress)) is not None:
            inputs = [each.keys.joined()[0] for each in seen.values()]
            learned, added = behind(learned, task, text, file, inputs, "teacher", progress)
            with file.open(encoding="utf-8") as lines:
                there = sum(1 for _ in lines) - added
            made = made | {"teacher": added, "teacher, there already": there}
            said = f"; {there} stand in a split or come twice, and are left out" if there else ""
            progress.say(f"{name}: the teacher labels {counted(added, 'text')}{said}")
            train = look(task, block.task, learned, text, progress, what=f"{name}: looking at more", encode=encode)
            _require_sound(train, f"The texts that the teacher of {name} labelled")
        told = teacher.told(learned, progress) if encode else None
    pairs = None
    if block.consistency is not None and not faults.number("error"):
        held = [each.keys.joined()[0] for split, each in seen.items() if split in judged and split != "train"]
        asked: dict[str, Any] = {"seed": recipe.train.seed, "progress": progress, "encode": encode}
        pairs = doubled(name, block, task, origin, text, held, **asked)
        made = made | {f"pairs, {way}": count for way, count in (pairs.made if pairs is not None else {}).items()}
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
        train.rows,
        lent,
    )


def _require_left(task: Task, rows: Rows, name: str, whole: int) -> None:
    """Learn from what is left to train on.

    Raises:
        DataError: When that cannot be, which all rows together can.
    """
    try:
        learn(task, rows, name)
    except DataError as fault:
        what = f"Dev is held out of the {counted(whole, 'row')} of the training data, and what is left is too little"
        raise DataError(f"{what}: {fault} Or give `data.dev`, or hold none out by `data.dev_share: 0`.") from None


def _require_sound(found: Looked, what: str) -> None:
    """Stop where rows that the run made itself cannot be learned from."""
    if found.faults.number("error"):
        raise DataError(f"{what} cannot be used:\n{found.faults.first_errors(where='')}")


def _plan_untaught(
    name: str, block: TaskBlock, task: Task, origin: Origin, text: Modality, faults: Faults, progress: Progress
) -> TaskPlan:
    """A task that learns nothing: its labels are in the recipe, and its files only judge it."""
    learn(task, (), name)
    files = ({} if block.data.dev is None else {"dev": named_files(block.data.dev)}) | test_files(block)
    splits = {
        split: sensed(read_rows(own, origin, faults), text, faults, progress, what=name) for split, own in files.items()
    }
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
    if fold is None and recipe.folds is not None:  # looked at, not run: the first stands for all
        fold = 0, recipe.folds
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


def expected_batches(plan: Plan) -> int:
    """About how many batches an epoch has."""
    options, packed = plan.recipe.train, packs(plan)
    size = options.batch_tokens or 1, options.batch_examples
    taught = {name: each for name, each in plan.tasks.items() if learns(plan.recipe, name)}
    writing = {id(each.learned_survey): each.task for each in taught.values()}
    pairing = {id(each.learned_survey) for name, each in taught.items() if _by_pairs(plan.recipe, name)}
    number = 0
    for found in encoded_surveys(taught):
        task: Any = writing[id(found)]
        count = int(getattr(task, "candidates", 0))
        if count:  # what may be written is planned for
            whole = (found.tokens(plan.text.max_length) + found.windows * task.room) * count
            number += max(-(-whole // size[0]), 1)
        else:
            bare = packed or (id(found) in pairing and found.windows <= WHOLE)
            number += max(found.batches(plan.text.max_length, *size, packed=bare), 1)
    return number


def _by_pairs(recipe: Recipe, name: str) -> bool:
    """Whether a task's head learns from pairs of rows, whose batches are drawn by labels."""
    return bool(getattr(recipe.tasks[name].head, "by_pairs", False))


def plan_steps(recipe: Recipe, batches_per_epoch: int, *, processes: int = 1) -> tuple[int, int]:
    """Steps an epoch, and steps of the run."""
    per_epoch = math.ceil(batches_per_epoch / (recipe.train.accumulate * processes))
    total = per_epoch * (recipe.train.epochs or 0)
    return per_epoch, min(total, recipe.train.max_steps or total)


def fingerprint(plan: Plan) -> str:
    """Changes when recipe, data or model change: a run may resume only where it is equal."""
    return _mark(plan.recipe, plan.files, plan.source.folder, plan.home)


def mark_of(loaded: Loaded) -> str:
    """As ``fingerprint``, of a recipe that was not planned yet.

    Raises:
        RecipeError: When its model is not there.
    """
    recipe = with_absolute_paths(loaded.recipe, loaded.home)
    named = isinstance(recipe.model, str)
    source = named_model(recipe, loaded.home) if named else None
    return _mark(recipe, all_files(recipe), None if source is None else source.folder, loaded.home)


def _mark(recipe: Recipe, files: Sequence[str], model: Path | None, home: Path) -> str:
    written = as_written(recipe)
    for key in FREE:
        written.pop(key)
    contents = [content_of(file) for file in files]
    models = dict.fromkeys(each for each in (model, *folders_of(recipe, model, home).values()) if each is not None)
    weights = [hash_model(each) for each in models]
    lent = [models_behind(ways_of(block)) for block in recipe.tasks.values()]
    known = [] if recipe.knowledge is None else [mark(recipe)]
    return hash_json([written, contents, weights, judges_of(recipe), lent, *known])
