"""Whether the parts that a recipe names suit one another, its model and its data: all faults before any work."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sibu.augmenters import AUGMENTERS
from sibu.constraints import CONSTRAINTS
from sibu.core.errors import Fault, RecipeError, SibuError, counted, near_miss
from sibu.core.grammar import Grammar
from sibu.decoders.greedy import GreedySpec
from sibu.metrics import ABOVE_ONE
from sibu.models.sources import Source
from sibu.models.trained import BESIDE
from sibu.recipe.schema import Recipe, TaskBlock

if TYPE_CHECKING:
    from pathlib import Path

    from sibu.pipeline.plan import TaskPlan

FEWEST = 4
"""Texts of two pairs: with fewer in a batch there is nothing to tell a pair from."""


def require_ways(recipe: Recipe) -> None:
    """Every way of making copies can be had.

    Raises:
        RecipeError: Naming each that cannot.
    """
    wrong: list[Fault] = []
    for name, block in recipe.tasks.items():
        pairs = () if block.consistency is None else block.consistency.augment
        for key, ways in (("data", block.data.augment), ("consistency", pairs)):
            for spec in ways:
                try:
                    AUGMENTERS.of(spec).build(spec)
                except SibuError as fault:
                    wrong.append(Fault(f"tasks.{name}.{key}.augment", str(fault)))
    if wrong:
        raise RecipeError(wrong)


def require_targets(recipe: Recipe, plans: Mapping[str, TaskPlan]) -> None:
    """Every row has what a reward compares with.

    Raises:
        RecipeError: Naming the splits in which rows have not.
    """
    faults = []
    for name, plan in plans.items():
        wanting = [spec.name for spec in recipe.tasks[name].reward if getattr(spec, "needs_target", False)]  # type: ignore[attr-defined]
        if not wanting:
            continue
        for split, rows in plan.splits.items():
            without = sum(not plan.task.answers(row) for row in rows)  # type: ignore[attr-defined]
            if without:
                what = f"{without} of {counted(len(rows), 'row')} of {split} have none."
                what = f"`{wanting[0]}` compares with the target, and {what}"
                faults.append(Fault(f"tasks.{name}.reward", what, "Fill them in, or say `against: text`."))
    if faults:
        raise RecipeError(faults)


def require_metrics(recipe: Recipe, plans: Mapping[str, TaskPlan]) -> None:
    """What the recipe says of metrics names some that its tasks report, on splits that they have.

    Raises:
        RecipeError: Naming every one that is not there, before anything is trained for it.
    """
    faults = []
    named = [("release." + key, key) for key in recipe.release]
    if recipe.train.stop_on != "mean":
        named.append(("train.stop_on", recipe.train.stop_on))
    for where, key in named:
        task, *split, metric = key.split(".")
        plan = plans[task]
        if metric not in plan.task.metrics:
            close = near_miss(metric, plan.task.metrics)
            allowed = ", ".join(plan.task.metrics)
            faults.append(Fault(where, f"{metric!r} is no metric of {task}.", f"{close}Allowed: {allowed}."))
        elif metric == "reward" and not recipe.tasks[task].reward:
            faults.append(Fault(where, f"{task} has no reward.", f"Add `reward` to tasks.{task}."))
        elif metric not in ABOVE_ONE and key in recipe.release and (recipe.release[key].at_least or 0) > 1:
            given = recipe.release[key].at_least
            faults.append(
                Fault(where, f"{metric} is never above 1, given at_least {given:g}.", "Give a share, as 0.9.")
            )
        splits = [name for name in plan.splits if name != "train"]
        if split and split[0] not in splits:
            faults.append(Fault(where, f"{task} has no split {split[0]!r}.", f"Allowed: {', '.join(splits)}."))
    if faults:
        raise RecipeError(faults)


def require_bounds(recipe: Recipe, text: Any) -> None:
    """Every constraint can be kept, and belongs to a task without bounds of its own.

    Raises:
        RecipeError: Naming each that cannot.
    """
    wrong: list[Fault] = []
    for name, block in recipe.tasks.items():
        where = f"tasks.{name}.constrain"
        if block.decoding != GreedySpec():
            wrong += _undecoded(name, block)
        if block.constrain is None:
            continue
        if block.task.type not in ("generate", "prefer", "reinforce"):  # type: ignore[attr-defined]
            what = "`constrain` is for `generate`, `prefer` and `reinforce`; others are bound to labels as it is."
            wrong.append(Fault(where, what, "Leave it out."))
            continue
        if block.task.stop:  # type: ignore[attr-defined]
            what = "an answer that `stop` cuts short may no longer keep to `constrain`."
            wrong.append(Fault(where, what, "Leave `stop` out (of a bundle: `stop=[]`)."))
            continue
        grammar = constraint_of(block)
        if grammar is not None and (why := text.bounds(block.task.template).fault(grammar)):  # type: ignore[attr-defined]
            lacking = "nimplemented" in why
            what = f"it asks for what is not supported: {why}" if lacking else f"no answer can keep to it: {why}"
            wrong.append(Fault(where, what, "Mend it."))
    if wrong:
        raise RecipeError(wrong)


def _undecoded(name: str, block: TaskBlock) -> list[Fault]:
    """What is wrong with a `decoding` where nothing is written."""
    where, how = f"tasks.{name}.decoding", "`decoding` is for tasks that write, and"
    if not getattr(block.task, "writes", False):
        what, mend = f"{how} {name} answers by a head of its own.", "Leave it out, or say `written: true`."
        return [Fault(where, what, mend)]
    if getattr(getattr(block.task, "written", None), "by", "") == "likelihood":
        return [Fault(where, f"{how} {name} weighs its labels.", "Leave it out, or say `written: {by: writing}`.")]
    return []


def require_epochs(recipe: Recipe) -> None:
    """A recipe that trains nothing has no head that only training would make.

    Raises:
        RecipeError: When it has.
    """
    heads = [
        name for name, block in recipe.tasks.items() if not getattr(block.task, "writes", False) and not _ready(block)
    ]
    if not recipe.train.trains and heads:
        what = f"with no epoch the heads of {', '.join(heads)} would stay random."
        mend = "Give at least 1, or a head that needs no steps (of `classify`: `labels`, `logistic`, `prototypes`, "
        mend += "`neighbours`)"
        if recipe.reads_text:
            mend += ", or say `written: true` or `entailed: true` in the tasks"
        raise RecipeError(Fault("train.epochs", what, f"{mend}."))


def require_writer(recipe: Recipe, source: Source) -> None:
    """Model, method and options suit the tasks that write.

    Raises:
        RecipeError: Naming each that does not.
    """
    from sibu.modalities.text._hf import writing_kind

    tasks = [name for name, block in recipe.tasks.items() if getattr(block.task, "writes", False)]
    _require_filler(recipe, source, tasks)
    _require_pretraining(recipe)
    if not tasks:
        return
    kind, faults = writing_kind(source.folder), []
    if kind is None:
        config = json.loads((source.folder / "config.json").read_text(encoding="utf-8"))
        given = ", ".join(config.get("architectures") or ["no architecture"])
        what = f"{recipe.model!r} cannot write ({given} has no language head), but {', '.join(tasks)} must."
        mend = "Take a causal model or an encoder-decoder: the packaged `smollm2`, a folder, or a Hub id."
        faults.append(Fault("model", what, mend))
    if recipe.method.name == "probe":  # type: ignore[attr-defined]
        what = "`probe` trains heads alone, and a task that writes has none: its language head is the model's."
        faults.append(Fault("method", what, "Choose `lora`, `freeze` or `full`."))
    if kind == "encoder-decoder":
        for name in tasks:
            if getattr(recipe.tasks[name].task, "continues", False):
                what = f"{name} goes on with texts, and {recipe.model!r} writes answers to what it reads."
                faults.append(Fault(f"tasks.{name}.type", what, "Take a causal model, or the task `generate`."))
    alone = kind == "causal" and not getattr(recipe.method, "reserved_positions", 0)
    for name in tasks:
        if recipe.tasks[name].decoding.name == "contrastive" and not alone:  # type: ignore[attr-defined]
            what = "`contrastive` needs a causal model without trained places before its text."
            faults.append(Fault(f"tasks.{name}.decoding", what, "Choose `beam` or `sample`."))
    wrong = {
        "trim_vocabulary": "the model could not spell what it lacks",
        "shapes": "what is written has no shapes before it is there",
    }
    for option, why in wrong.items():
        if getattr(recipe.text, option):
            what = f"{option} cannot go with a task that writes: {why}."
            faults.append(Fault("modalities", what, "Leave it out."))
    if faults:
        raise RecipeError(faults)


def _blank_faults(recipe: Recipe, source: Source, name: str) -> list[Fault]:
    """What keeps a model from telling what stands in a blank."""
    faults = []
    config = json.loads((source.folder / "config.json").read_text(encoding="utf-8"))
    made = config.get("architectures") or ["no architecture"]
    if not any(each.endswith(("ForMaskedLM", "ForPreTraining")) for each in made):
        what = f"{recipe.model!r} cannot fill in a blank ({', '.join(made)} has no masked-language head)."
        mend = "Take a masked language model, or the bundle of a task `mask`, which trains such a head."
        faults.append(Fault("model", what, mend))
    method = recipe.method.name  # type: ignore[attr-defined]
    if method in ("probe", "adapter", "prefix", "prompt"):
        what = f"`{method}` and the model's masked-language head, which {name} answers by, do not go together."
        faults.append(Fault("method", what, "Choose `full`, `freeze`, `bitfit`, `lora`, `adalora` or `ia3`."))
    return faults


def _require_filler(recipe: Recipe, source: Source, writing: Sequence[str]) -> None:
    """Method and tasks suit those that fill in.

    Raises:
        RecipeError: Naming each that does not.
    """
    faults = []
    filling = {name: block.task for name, block in recipe.tasks.items() if getattr(block.task, "fills", False)}
    name = next(iter(filling), None)
    if name is None:
        return
    method = recipe.method.name  # type: ignore[attr-defined]
    pretrains = any(getattr(spec, "pretrains", False) for spec in filling.values())
    if not pretrains:
        faults += _blank_faults(recipe, source, name)
    elif method != "full":
        what = f"`{method}` leaves weights as they are, and `mask` is to bring the domain's language into them."
        faults.append(Fault("method", what, "Choose `full`."))
    if writing:
        what = f"{name} fills in and {', '.join(writing)} must write: no model does both."
        faults.append(Fault("tasks", what, "Make two recipes of it."))
    if recipe.text.trim_vocabulary:
        what = "trim_vocabulary would take away what other texts of the domain need."
        faults.append(Fault("modalities", what, "Leave it out."))
    if faults:
        raise RecipeError(faults)


def _require_pretraining(recipe: Recipe) -> None:
    """What tasks without labels teach stays in the model's own weights, and its batches have something to teach.

    Raises:
        RecipeError: Naming each part in the way.
    """
    blocks = {name: block for name, block in recipe.tasks.items() if getattr(block.task, "pretrains", False)}
    if not blocks:
        return
    faults = []
    method, kind = recipe.method.name, next(iter(blocks.values())).task.type  # type: ignore[attr-defined]
    mend = "Choose `full`, `freeze`, `bitfit`, `lora`, `adalora` or `ia3`."
    if method in BESIDE:
        what = f"`{method}` leaves the model's own weights as they were: what `{kind}` teaches could not be the model "
        faults.append(Fault("method", what + "of another run.", mend))
    if not getattr(recipe.method, "trains_encoder", True):
        what = f"`{method}` leaves the encoder as it is, and `{kind}` is to teach it."
        faults.append(Fault("method", what, mend))
    if recipe.text.trim_vocabulary:
        what = "trim_vocabulary would take away what other texts of the domain need."
        faults.append(Fault("modalities", what, "Leave it out."))
    most = recipe.train.batch_examples
    if most is not None and most < FEWEST and any(getattr(block.task, "by_pairs", False) for block in blocks.values()):
        what = f"a batch of {counted(most, 'text')} holds one pair at most, with nothing to be told from."
        faults.append(Fault("train.batch_examples", what, f"Give at least {FEWEST}, better 64 or more."))
    if faults:
        raise RecipeError(faults)


def require_contrast(recipe: Recipe, plans: Mapping[str, TaskPlan], folder: Path, limit: int) -> None:
    """There are several rows, texts that are their own pairs are read in two ways, and most batches hold several pairs.

    Args:
        recipe: With its defaults settled.
        plans: The tasks with their data.
        folder: The model's.
        limit: The model's longest input.

    Raises:
        RecipeError: Naming each task of which that is not so.
    """
    faults = []
    for name, plan in plans.items():
        if not getattr(recipe.tasks[name].task, "by_pairs", False) or plan.learned_survey is None:
            continue
        if (rows := len(plan.splits["train"])) < 2:
            what = f"{name} has {counted(rows, 'row')} to train on, with nothing to be told from."
            faults.append(
                Fault(
                    f"tasks.{name}.data.train",
                    what,
                    "Give two at least, better thousands, or `dev_share: 0` where dev took some.",
                )
            )
        without = {"all": "", "some": "some texts", "none": "texts"}[plan.task.state["pairs"]]
        if without and (why := _no_dropout(recipe, folder)):
            what = f"{without} of {name} have no pair but themselves, read twice with other values dropped out; {why}."
            mend = "Say `dropout: 0.1`, or give every text a `text_pair`."
            faults.append(Fault("modalities", what, mend))
        lengths, batch = plan.learned_survey.lengths, recipe.train.batch_tokens or 1
        alone = sum(count for length, count in lengths.items() if FEWEST * min(length, limit) > batch)
        if 2 * alone > sum(lengths.values()):
            middle = min(plan.learned_survey.quantile(0.5), limit)
            what = f"{batch} pieces hold one pair of most texts of {name}, with nothing to be told from."
            mend = f"Give more ({64 * middle} hold 32 pairs), or the text modality a smaller `max_length`."
            faults.append(Fault("train.batch_tokens", what, mend))
    if faults:
        raise RecipeError(faults)


def _no_dropout(recipe: Recipe, folder: Path) -> str:
    """Why the encoder drops nothing; an empty text where it does, or where its config does not say."""
    from sibu.modalities.text._hf import own_dropout

    if recipe.text.dropout is not None:
        return "" if recipe.text.dropout else "the text modality's `dropout` is 0"
    return "the model's own dropout is 0" if own_dropout(folder) == 0 else ""


def _ready(block: TaskBlock) -> bool:
    """Whether a task's head answers before any step."""
    of_task = any(getattr(block.task, kind, False) for kind in ("fills", "borrows", "weightless", "compares_words"))
    return of_task or getattr(block.head, "fits", False) or getattr(block.head, "starts", False)


def begins_from_nothing(block: TaskBlock, task: Any) -> bool:
    """Whether a task's head has random weights before the first step, and learns them from the task's labels.

    Not who writes, who reads on in texts, and who learns by pairs, which are many where rows are few.
    """
    reads_on = getattr(task, "rate_share", 1.0) < 1
    by_pairs = getattr(block.task, "by_pairs", False)
    return not (getattr(block.task, "writes", False) or reads_on or by_pairs or _ready(block))


def require_mask(name: str, block: TaskBlock, task: Any, source: Source) -> None:
    """The model's vocabulary has what a task hides words with.

    Raises:
        RecipeError: When the task fills in, and there is no mask.
    """
    if not getattr(block.task, "fills", False) or task.pieces is not None:
        return
    key, needing = ("type", "mask") if getattr(block.task, "pretrains", False) else ("cloze", "cloze")
    what = f"the vocabulary of the model {source.name!r} has no mask, which `{needing}` needs."
    raise RecipeError(Fault(f"tasks.{name}.{key}", what, "Take a masked language model."))


def require_head(name: str, block: TaskBlock, task: Any) -> None:
    """The head can answer for the labels that were found.

    Raises:
        RecipeError: When texts have several labels and it knows one.
    """
    head: Any = block.head
    counts = task.state.get("counts") or {}
    if getattr(head, "learn", "") == "episodes" and max(counts.values(), default=2) < 2:
        what = "`episodes` tell rows by others of their label, and no label has two."
        mend = "Give two rows of each label (`shots: 2`), or say `learn: pairs`."
        raise RecipeError(Fault(f"tasks.{name}.head", what, mend))
    if not getattr(head, "several", True) and task.state.get("multi_label"):
        what = f"`{head.name}` gives a text one label, and {name}'s have several."
        raise RecipeError(Fault(f"tasks.{name}.head", what, "Choose `logistic` or `neighbours`."))


def require_one_label(name: str, block: TaskBlock, task: Any, recipe: Recipe) -> None:
    """Texts have one label where a model is to label the others.

    Raises:
        RecipeError: When the rows were found to have several.
    """
    if not task.state.get("multi_label"):
        return
    asked = {
        "self_training": recipe.self_training is not None and block.data.unlabelled is not None,
        f"tasks.{name}.consistency": block.consistency is not None,
    }
    what = f"labels texts by one label, and the rows of {name} have several."
    if faults := [Fault(where, what, "Leave it out, or take a `teacher`.") for where, there in asked.items() if there]:
        raise RecipeError(faults)


def constraint_of(block: TaskBlock) -> Grammar | None:
    """What every answer of a task must look like."""
    if block.constrain is None:
        return None
    grammar: Grammar = CONSTRAINTS.of(block.constrain).build(block.constrain)
    return grammar
