"""Keys of a recipe that are right each on its own, and do not go together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sibu.core.example import as_names
from sibu.methods import METHODS
from sibu.recipe import yaml
from sibu.recipe.schema import DataBlock, Recipe, TaskBlock

MODEL_MISSING = (("model",), "is missing.", "Add it.")
"""Of a recipe that reads texts."""


TAKEN = frozenset(
    [
        "add_module",
        "apply",
        "bfloat16",
        "buffers",
        "children",
        "clear",
        "compile",
        "cpu",
        "cuda",
        "double",
        "eval",
        "extra_repr",
        "float",
        "forward",
        "half",
        "items",
        "keys",
        "modules",
        "parameters",
        "pop",
        "requires_grad_",
        "share_memory",
        "state_dict",
        "to",
        "train",
        "training",
        "type",
        "update",
        "values",
    ]
)
"""Names that the modules of torch have for themselves."""


def cross_checks(recipe: Recipe) -> list[tuple[yaml.Path, str, str]]:
    """What one key says of another."""
    found: list[tuple[yaml.Path, str, str]] = []
    tasks = list(recipe.tasks)
    for name, block in recipe.tasks.items():
        test = block.data.test
        if isinstance(test, Mapping):
            if block.data.in_domain is not None and block.data.in_domain not in test:
                mend = f"Allowed: {', '.join(test)}."
                found.append((("tasks", name, "data", "in_domain"), "names no test file.", mend))
            for split in sorted({"train", "dev"} & set(test)):
                found.append(
                    (("tasks", name, "data", "test", split), "a test file cannot have this name.", "Rename it.")
                )
        elif block.data.in_domain is not None:
            found.append((("tasks", name, "data", "in_domain"), "needs several test files by name.", "Remove it."))
        found += _head_faults(name, block)
        found += _teacher_faults(name, block, recipe)
        found += _consistency_faults(name, block, recipe)
        found += _own_label_faults(name, block, recipe)
        used = (recipe.self_training, block.teacher, block.consistency)
        left_out = block.data.dev_share in (0, DataBlock.model_fields["dev_share"].default)
        if block.data.shots is not None and not left_out:
            what = "is not used: with `shots` no dev is held out of the training data."
            found.append((("tasks", name, "data", "dev_share"), what, "Give `data.dev`, or leave `dev_share` out."))
        for key in ("label_model", "rule_threshold"):
            if getattr(block.data, key) != DataBlock.model_fields[key].default and not block.data.rules:
                what = "is not used: there are no `rules` whose labels it weighs."
                found.append((("tasks", name, "data", key), what, "Write some as `data.rules`, or leave it out."))
        if block.data.copies != 1 and not block.data.augment:
            what = "is not used: no way of changing rows is named."
            found.append((("tasks", name, "data", "copies"), what, "Name some with `augment`, or leave it out."))
        if block.data.unlabelled is not None and all(each is None for each in used):
            mend = (
                "Say how: `self_training: {}` beside `train`, or `teacher` or `consistency` of the task; or leave it "
            )
            mend += "out."
            found.append((("tasks", name, "data", "unlabelled"), "is not used for anything.", mend))
        if getattr(block.task, "compares_words", False) and (block.data.train is not None or recipe.train.trains):
            what = "`compared` learns nothing from rows."
            mend = "Leave `data.train` out and say `train.epochs: 0`; or leave `compared` out."
            found.append((("tasks", name, "compared"), what, mend))
        found += _untaught(name, block, recipe)
        if block.data.rules and block.task.type != "classify":  # type: ignore[attr-defined]
            found.append((("tasks", name, "data", "rules"), "are for `classify`.", "Leave them out."))
        elif block.data.rules and getattr(block.task, "multi_label", None):
            found.append((("tasks", name, "data", "rules"), "give a text one label.", "Leave out `multi_label`."))
    found += _undivided_faults(recipe)
    found += _reptile_faults(recipe)
    found += _interpolation_faults(recipe)
    found += _knowledge_faults(recipe)
    stop = recipe.train.stop_on
    if stop != "mean" and (stop.count(".") != 1 or stop.split(".")[0] not in tasks):
        allowed = "mean, " + ", ".join(f"{task}.<metric>" for task in tasks)
        found.append((("train", "stop_on"), f"{stop!r} names no task's metric.", f"Allowed: {allowed}."))
    for key, condition in recipe.release.items():
        if key.split(".")[0] not in tasks or key.count(".") not in (1, 2):
            allowed = ", ".join(f"{task}.<metric> or {task}.<split>.<metric>" for task in tasks)
            found.append((("release", key), "names no task's metric.", f"Allowed: {allowed}."))
        elif key.split(".")[1:-1] == ["dev"] and recipe.tasks[key.split(".")[0]].data.undivided:
            what = "is on dev, and the rows that are trained on stand for it."
            found.append((("release", key), what, "Give the task's `data.dev`, or judge by a test file."))
        if condition.at_least is None and condition.at_most is None:
            found.append((("release", key), "sets no bound.", "Give at_least or at_most."))
        elif None not in (condition.at_least, condition.at_most) and condition.at_least > condition.at_most:  # type: ignore[operator]
            found.append((("release", key), "at_least lies above at_most: nothing meets both.", "Mend one of them."))
    if recipe.folds is not None:
        for name, block in recipe.tasks.items():
            if block.data.dev is not None or block.data.undivided or block.data.train is None:
                what = "has training data"
                if block.data.train is not None:
                    what += ", without `dev`, `shots` and `dev_share: 0`"
                found.append((("folds",), f"is for tasks of which each {what}; {name} is another.", "Leave it out."))
        for key, other in (("repeats", recipe.repeats > 1), ("self_training", recipe.self_training is not None)):
            if other:
                found.append((("folds",), f"cannot go with `{key}`.", "Leave one of the two out."))
    found += _ensemble_faults(recipe)
    if recipe.self_training is not None and not recipe.train.trains:
        what = "learns from its own labels, and with no epoch nothing is learned."
        found.append((("self_training",), what, "Leave it out, or give `train.epochs` at least 1."))
    if recipe.self_training is not None and all(b.data.unlabelled is None for b in recipe.tasks.values()):
        mend = "Give texts without labels as `data.unlabelled` of a task."
        found.append((("self_training",), "has nothing to label.", mend))
    found += _modality_faults(recipe)
    found += _align_faults(recipe)
    return found


def _modality_faults(recipe: Recipe) -> Iterator[tuple[yaml.Path, str, str]]:
    """Two modalities of one column, a fusion that joins none, a model that nobody asks for or that is missing."""
    fields = [getattr(spec, "field", "text") for spec in recipe.modalities]
    if len(set(fields)) < len(fields):
        mend = "Keep one of each, or give each a `field` (the column that it reads) of its own."
        if fields.count("text") > 1:
            mend = "Keep one `text`: a second text of a row is `text_pair`, or joins the first in one column."
        yield ("modalities",), f"names one twice: {as_names(fields)}.", mend
    for name in fields:
        if not name.isidentifier() or name in TAKEN:
            mend = f"Give another `field`, and the column under the task's `fields`: `{{vitals: {name}}}`."
            yield ("modalities",), f"{name!r} cannot be the name of a modality.", mend
    if len(fields) > 1 and recipe.fusion.name == "identity" and "fusion" in recipe.model_fields_set:  # type: ignore[attr-defined]
        yield ("fusion",), "`identity` hands on one modality, and there are several.", "Choose another, as `concat`."
    if recipe.knowledge is not None and recipe.valued:
        yield ("knowledge",), "is for texts alone.", f"Leave it out, or the modalities {as_names(recipe.valued)}."
    if recipe.reads_text and recipe.model is None:
        yield MODEL_MISSING
    if recipe.valued:
        yield from _texts_alone(recipe)


def _texts_alone(recipe: Recipe) -> Iterator[tuple[yaml.Path, str, str]]:
    """Ways to learn that make rows, or begin heads, of texts alone, beside another modality."""
    what = f"is for texts alone, and there are the modalities {as_names(recipe.valued)}."
    mend = "Leave it out, or the other modalities."
    for name, block in recipe.tasks.items():
        if block.consistency is not None:
            yield ("tasks", name, "consistency"), what, mend
        if block.data.augment:
            yield ("tasks", name, "data", "augment"), what, mend
        if block.data.rules and not recipe.reads_text:
            none = f"reads texts, and the modalities are {as_names(recipe.valued)}."
            yield ("tasks", name, "data", "rules"), none, "Add `text` to `modalities`, or leave it out."
        if getattr(block.head, "starts", False):
            yield ("tasks", name, "head"), f"`{block.head.name}` {what}", "Choose another head, as `linear`."  # type: ignore[attr-defined]


def _align_faults(recipe: Recipe) -> Iterator[tuple[yaml.Path, str, str]]:
    """Alignments of what is no modality, of another kind than they can move, or of one value by two of them."""
    moved = Counter[str]()
    for number, spec in enumerate(recipe.align):
        own: Any = spec
        others = getattr(own, "others", None) or (own.other,)
        for key, name in (("reference", own.reference), *(("others", each) for each in others)):
            where = ("align", number, key if hasattr(own, key) else "other")
            modality = recipe.valued.get(name)
            allowed = [field for field, each in recipe.valued.items() if each.name in own.of]
            if modality is None or modality.name not in own.of:
                what = f"{name!r} is no modality that `{own.name}` aligns ({' or '.join(own.of)})."
                yield where, what, f"Allowed: {', '.join(allowed)}." if allowed else "Add one to `modalities`."
            moved[name] += key != "reference" or own.name == "time"
        for column in (getattr(own, key, None) for key in ("start", "landmarks", "boxes")):
            if column is not None and (not column.isidentifier() or column in (*TAKEN, *recipe.valued)):
                mend = f"Give another name, and the column under the task's `fields`: `{{at: {column}}}`."
                yield ("align", number), f"{column!r} cannot be the name of a column that it reads.", mend
    for number, spec in enumerate(recipe.align):
        again = [name for name in (spec.reference, *getattr(spec, "others", ())) if moved[name] > 1]  # type: ignore[attr-defined]
        if again:
            mend = "Name all streams of one clock in one `time` (`others: [a, b]`); let each be moved once."
            yield ("align", number), f"{as_names(again)} is moved by two alignments.", mend
            return


def _teacher_faults(name: str, block: TaskBlock, recipe: Recipe) -> Iterator[tuple[yaml.Path, str, str]]:
    """A teacher where nothing can be taught."""
    if block.teacher is None:
        return
    where = ("tasks", name, "teacher")
    if block.task.type not in ("classify", "regress"):  # type: ignore[attr-defined]
        yield where, "is for `classify` and `regress`.", "Leave it out."
    if recipe.self_training is not None:
        yield where, "cannot go with `self_training`: both label the unlabelled rows.", "Leave one of the two out."
    yield from _needs_scores(where, block, recipe)


def _consistency_faults(name: str, block: TaskBlock, recipe: Recipe) -> Iterator[tuple[yaml.Path, str, str]]:
    """Consistency where nothing can be learned by it."""
    if block.consistency is None:
        return
    where, task = ("tasks", name, "consistency"), block.task
    if task.type != "classify" or getattr(task, "multi_label", None):  # type: ignore[attr-defined]
        yield where, "is for `classify` with one label.", "Leave it out."
    for key, other in (("self_training", recipe.self_training), ("teacher", block.teacher)):
        if other is not None:
            yield where, f"cannot go with `{key}`: both use the unlabelled rows.", "Leave one of the two out."
    if block.data.unlabelled is None:
        yield where, "has no texts to learn from.", "Give texts without labels as `data.unlabelled`."
    yield from _needs_scores(where, block, recipe)


def _own_label_faults(name: str, block: TaskBlock, recipe: Recipe) -> Iterator[tuple[yaml.Path, str, str]]:
    """Texts that a model is to label itself, where its answers are no labels, or several."""
    if recipe.self_training is None or block.data.unlabelled is None:
        return
    kind, where = block.task.type, ("tasks", name, "data", "unlabelled")  # type: ignore[attr-defined]
    mend = "Leave it out, or leave `self_training` out."
    if kind not in ("classify", "tag"):
        yield where, f"is labelled by `self_training` for `classify` and `tag`, and {name} is of type `{kind}`.", mend
    elif getattr(block.task, "writes", False):
        what = f"is labelled by `self_training` by how sure a head is, and {name} writes its answers."
        yield where, what, "Leave `written` out, or leave `self_training` out."
    elif getattr(block.task, "multi_label", None):
        yield where, f"is labelled by `self_training` with one label, and {name} gives several.", mend


def _needs_scores(where: yaml.Path, block: TaskBlock, recipe: Recipe) -> Iterator[tuple[yaml.Path, str, str]]:
    """What learns from scores by label needs a head that gives them while it trains, and training."""
    for key in ("written", "entailed"):
        if getattr(block.task, key, None) is not None:
            yield where, f"cannot go with `{key}`.", "Leave one of the two out."
    if getattr(block.head, "fits", False):
        what = f"cannot go with the head `{block.head.name}`, which is fitted to labels."  # type: ignore[attr-defined]
        yield where, what, "Choose `linear` or `labels`."
    if block.data.train is None or not recipe.train.trains:
        yield where, "needs training rows and at least one epoch.", "Give both, or leave it out."


def _ensemble_faults(recipe: Recipe) -> Iterator[tuple[yaml.Path, str, str]]:
    """Runs that cannot be joined, or figures that what is joined does not have."""
    if not recipe.ensemble:
        return
    where = ("ensemble",)
    if recipe.repeats == 1 and recipe.folds is None:
        yield where, "joins several runs, and the recipe has one.", "Say `repeats: 5` or `folds: 5`, or leave it out."
    if recipe.ensemble == "soup":
        yield from _soup_faults(recipe)
        return
    for name, block in recipe.tasks.items():
        kind = block.task.type  # type: ignore[attr-defined]
        if getattr(block.task, "writes", False) or getattr(block.task, "fills", False):
            what = f"answers by mean probabilities, and {name} ({kind}) is answered in words, which have no mean."
            yield where, what, "Leave it out; or say `ensemble: soup`, which makes one model."
    for key in recipe.release:
        name, *split = key.split(".")[:-1] or [key]
        data = recipe.tasks[name].data if name in recipe.tasks else None
        on_dev = split == ["dev"] or (not split and data is not None and not data.test)
        if data is not None and data.dev is None and on_dev:
            what = "is on dev, which an ensemble has no figures on: some members were trained on the dev of others."
            yield ("release", key), what, f"Give `tasks.{name}.data.dev` for all members, or a test file."


def _soup_faults(recipe: Recipe) -> Iterator[tuple[yaml.Path, str, str]]:
    """Runs whose weights have no mean, or none that could be judged."""
    where = ("ensemble",)
    if recipe.folds is not None:
        yield where, "`soup` chooses by one dev, and each fold has another.", "Say `repeats` in place of `folds`."
    if not isinstance(recipe.model, str):
        what = "`soup` is the mean of runs that begin from the same weights, and those of a new model are random."
        yield where, what, "Name a pretrained model, or say `ensemble: true`."
    method: Any = recipe.method
    if not getattr(method, "trains_own", False):
        allowed = ", ".join(name for name in METHODS if getattr(METHODS[name].spec, "trains_own", False))
        what = f"`soup` is a mean of the model's own weights, which `{method.name}` leaves as they are."
        yield where, what, f"Choose one of {allowed}, or say `ensemble: true`."
    for name, block in recipe.tasks.items():
        if block.data.train is not None and block.data.dev is None and recipe.folds is None:
            what = f"`soup` chooses by dev, and each seed would split another off the training rows of {name}."
            yield where, what, f"Give `tasks.{name}.data.dev`, or say `ensemble: true`."
        if getattr(block.head, "fits", False):
            head = block.head.name  # type: ignore[attr-defined]
            what = f"`soup` needs heads that train, and the head `{head}` of {name} is fitted to the vectors of one."
            yield where, what, "Choose the head `linear`, or say `ensemble: true`."


READERS_OF_NAMES = ("classify", "regress", "tag", "extract", "relate")
"""Task types whose heads read what is known of pieces."""
READERS_OF_FACTS = ("classify", "regress", "extract", "generate")
"""Task types that read facts beside a text."""


def _knowledge_faults(recipe: Recipe) -> Iterator[tuple[yaml.Path, str, str]]:
    """Knowledge that is not there, that nothing uses, or that a task has no place for."""
    block = recipe.knowledge
    if block is None:
        return
    names = [str(getattr(spec, "name", "")) for spec in block.use]
    if len(set(names)) < len(names):
        yield ("knowledge", "use"), f"names one twice: {as_names(names)}.", "Keep one of each."
    reads = [name for name in names if name != "label_rules"]
    given = [key for key in ("kb", "names") if getattr(block, key) is not None]
    if reads and not given:
        yield ("knowledge", "kb"), f"is missing: `{reads[0]}` looks for names in texts.", "Name a `kb`, or `names`."
    for key in given if not reads else ():
        yield ("knowledge", key), "is not used: rules over labels need no names.", "Leave it out, or add a way."
    if block.classes is not None and block.kb is None:
        yield (
            ("knowledge", "classes"),
            "are those of a knowledge base, and none is named.",
            "Leave it out, or give `kb`.",
        )
    for place, name in enumerate(names):
        if name in ("vectors", "facts") and block.kb is None and given:
            mend = "Name a `kb`."
            yield ("knowledge", "use", place), f"`{name}` speaks of things, and `names` alone names none.", mend
    yield from _unread_knowledge(recipe, names)


def _unread_knowledge(recipe: Recipe, names: Sequence[str]) -> Iterator[tuple[yaml.Path, str, str]]:
    """Ways of using knowledge beside tasks that cannot."""
    kinds: dict[str, Any] = {name: block.task for name, block in recipe.tasks.items()}
    own = [n for n in names if n in ("gazetteer", "vectors")]
    if own:
        for task, spec in kinds.items():
            if spec.type not in READERS_OF_NAMES or any(
                getattr(spec, k, False) for k in ("writes", "fills", "borrows")
            ):
                what = f"`{own[0]}` is for {', '.join(READERS_OF_NAMES)} with heads of their own; {task} is none."
                yield ("knowledge", "use"), what, "Leave one of the two out."
    if "facts" in names:
        known = set(READERS_OF_FACTS) | {"tag", "relate"}
        for task, spec in kinds.items():
            if spec.type not in known:
                what = f"`facts` cannot go with {task} ({spec.type})."
                yield ("knowledge", "use"), what, f"They are for {', '.join(READERS_OF_FACTS)}."
        if not any(spec.type in READERS_OF_FACTS for spec in kinds.values()):
            what = "`facts` are read by none of the tasks."
            yield ("knowledge", "use"), what, f"They are for {', '.join(READERS_OF_FACTS)}."


def _reptile_faults(recipe: Recipe) -> Iterator[tuple[yaml.Path, str, str]]:
    """Small problems that cannot be made, or a method that must see every step."""
    if recipe.train.reptile is None:
        return
    where = ("train", "reptile")
    if recipe.method.name == "adalora":  # type: ignore[attr-defined]
        yield where, "cannot go with `adalora`, which deals out its ranks by the steps of one training.", "Say `lora`."
    if not getattr(recipe.method, "trains_encoder", True):
        what = f"moves the encoder, which `{recipe.method.name}` leaves as it is."  # type: ignore[attr-defined]
        yield where, what, "Choose `full` or `lora`."
    if not any(getattr(block.head, "by_pairs", False) for block in recipe.tasks.values()):
        what = "needs batches that are small problems: several rows of each of their labels."
        yield where, what, "Give a task `classify` the head `prototypes` or `logistic`."


def _interpolation_faults(recipe: Recipe) -> Iterator[tuple[yaml.Path, str, str]]:
    """Weights that did not come, are not trained, or that a head was trained for as they are."""
    if recipe.train.interpolation in (None, 1):
        return
    where = ("train", "interpolation")
    method: Any = recipe.method
    if not (recipe.reads_text and isinstance(recipe.model, str)):
        what = "lies between a text encoder's weights as they came and as they were trained, and none came here."
        yield where, what, "Leave it out."
    elif not getattr(method, "trains_own", False):
        allowed = ", ".join(name for name in METHODS if getattr(METHODS[name].spec, "trains_own", False))
        what = f"moves the model's own weights, which `{method.name}` leaves as they are."
        yield where, what, f"Choose one of {allowed}, or leave it out."
    for name, block in recipe.tasks.items():
        if not getattr(block.head, "fits", False):
            what = (
                f"needs heads that are fitted behind it; that of {name} is trained with the weights as they are then."
            )
            yield where, what, "Give it the head `logistic`, `prototypes` or `neighbours`, or leave it out."


def _head_faults(name: str, block: TaskBlock) -> Iterator[tuple[yaml.Path, str, str]]:
    """A head of the room where the task has none of it, or not what the task asks for."""
    head: Any = block.head
    other = [key for key in ("written", "entailed", "cloze") if getattr(block.task, key, None) is not None]
    if getattr(block.task, "mixup", 0) and (other or head.name != "linear"):
        given = f"`{(other or [head.name])[0]}`"
        yield ("tasks", name, "mixup"), f"is for the head `linear`, given {given}.", "Leave one of the two out."
    if head.name == "linear":
        return
    where = ("tasks", name, "head")
    if block.task.type != "classify":  # type: ignore[attr-defined]
        yield where, "is for `classify`; other tasks have heads of their own.", "Leave it out."
    elif getattr(block.task, "writes", False):
        yield where, "has no part in a task that writes its answers.", "Leave out `head` or `written`."
    elif getattr(block.task, "borrows", False):
        yield where, "has no part where the head of the model's bundle answers.", "Leave out `head` or `entailed`."
    elif getattr(block.task, "fills", False):
        yield where, "has no part where a blank is filled in.", "Leave out `head` or `cloze`."


def _undivided_faults(recipe: Recipe) -> Iterator[tuple[yaml.Path, str, str]]:
    """A task that trains on all rows of a file from which another holds some out."""
    blocks = {name: block.data for name, block in recipe.tasks.items() if block.data.train is not None}
    for name, data in blocks.items():
        if data.dev_share or not data.undivided or data.shots is not None:
            continue
        for other, its in blocks.items():
            if its.train == data.train and its.dev is None and not its.undivided:
                what = f"is 0: {name} would train on the rows of the same file that {other} holds out as dev."
                mend = f"Say `dev_share: 0` for {other} too, or leave it out here."
                yield ("tasks", name, "data", "dev_share"), what, mend
                break


def _untaught(name: str, block: TaskBlock, recipe: Recipe) -> Iterator[tuple[yaml.Path, str, str]]:
    """A task without training data, which asks for nothing that needs it."""
    if block.data.train is not None:
        return
    where, head, task = ("tasks", name, "data", "train"), block.head, block.task
    ways = ("writes", "borrows", "fills", "compares_words")
    ready = any(getattr(task, kind, False) for kind in ways) or getattr(head, "starts", False)
    if recipe.train.trains:
        mend = "Add it; or say `train.epochs: 0` where nothing is to be learned."
        yield where, "is missing.", mend
    elif not ready:
        mend = "Add it; or say `head: labels`, which begins from the labels' names."
        yield where, "is missing: without it the head would stay random.", mend
    elif hasattr(task, "labels") and not (task.labels or getattr(task, "descriptions", None)):
        yield where, "is missing, and the labels are not given.", "Give `labels` or `descriptions` in the task."
    elif getattr(head, "starts", False) and getattr(task, "multi_label", None):
        what = f"is missing: how near a text must be to a label so that {name} gives it is learned from rows."
        yield where, what, "Add it; leave out `multi_label`; or say `entailed`, which weighs each label by itself."
    for key in ("shots", "augment", "rules"):
        if getattr(block.data, key):
            yield ("tasks", name, "data", key), "needs training data.", "Leave it out, or give `train`."
