"""Reading a recipe: overrides, every fault at once with its place, near misses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from sibu.augmenters import AUGMENTERS
from sibu.constraints import CONSTRAINTS
from sibu.core.errors import Fault, RecipeError, near_miss
from sibu.core.example import as_names
from sibu.decoders import DECODERS
from sibu.fusions import FUSIONS
from sibu.heads import HEADS
from sibu.methods import METHODS
from sibu.modalities import MODALITIES
from sibu.models.spec import NewModel
from sibu.readers import READERS
from sibu.recipe import yaml
from sibu.recipe.fill import as_written
from sibu.recipe.schema import OWN, Condition, DataBlock, Range, Recipe, Rule, Search, SelfTraining, TaskBlock
from sibu.rewards import REWARDS
from sibu.tasks import TASKS
from sibu.trackers import TRACKERS
from sibu.train.spec import TrainSpec


@dataclass(frozen=True, slots=True)
class Loaded:
    """A recipe with where it came from."""

    recipe: Recipe
    home: Path
    """Folder that its relative paths start from."""
    file: str
    """As shown in messages."""
    lines: Mapping[yaml.Path, int]
    """The line of each key; 0: an override set it."""
    chosen: tuple[int, ...] | None = None
    """Rows of the training data, by number, that alone are learned from; None: all."""
    more: Mapping[str, Path] | None = None
    """In a round of self-training, by task, a file of rows (JSON Lines by Sibu's names) that are learned from too."""
    fold: int | None = None
    """Which part of the training rows is dev, of as many as `folds` says; None: a share of them."""
    watch: Callable[[int, float], None] | None = None
    """Told the number and the score of each evaluation on dev; what it raises ends the run."""

    def placed(self, error: RecipeError) -> RecipeError:
        """Faults that name a dotted key get the file and the line of it too."""
        return RecipeError([self._placed(fault) for fault in error.faults])

    def _placed(self, fault: Fault) -> Fault:
        path = tuple(_names(fault.where))
        if path[0] not in Recipe.model_fields:
            return fault
        return _at(path, fault.message, fault.mend, self.file, self.lines)


ANSWERING = ("decoding", "constrain", "reward", "max_new_tokens", "stop", "instruction", "system", "template",
             "by", "calibrate", "threshold", "no_answer_margin", "longest_answer")  # fmt: skip
"""Keys of a task that say how it answers, not what it has learned: they may change afterwards."""


def with_answering(recipe: Recipe, task: str, overrides: Sequence[str]) -> Recipe:
    """A trained recipe of which a task answers otherwise.

    Args:
        recipe: As a bundle holds it.
        task: The task's name.
        overrides: ``KEY=VALUE`` with keys of the task, such as ``decoding=beam`` or ``decoding.beams=8``.

    Raises:
        RecipeError: When a key is settled by the training, or a value is not allowed.
    """
    value = as_written(recipe)
    for override in overrides:
        key = override.partition("=")[0]
        within = key.removeprefix("written.").split(".")[0]
        block = value["tasks"][task]
        known = {*OWN, *block, *(block.get("written") or ())}
        allowed = [name for name in ANSWERING if name in known]
        if within not in allowed:
            close = near_miss(within, allowed)
            raise RecipeError(
                f"{key!r} cannot be changed in a bundle: its training settled it, or there is no such key. "
                f"{close}Allowed: {', '.join(allowed)}."
            )
        _apply(value["tasks"][task], override, {})
    return validate(value, "the bundle's recipe", {})


def load_recipe(source: str | Path | Mapping[str, Any] | Recipe, overrides: Sequence[str] | str = ()) -> Loaded:
    """Read a recipe from a file or a mapping.

    Args:
        source: A YAML file, or the same as a mapping or a ``Recipe`` (paths in it are relative to the working folder).
        overrides: ``KEY=VALUE`` with dotted keys, such as ``train.epochs=1``; one or several.

    Raises:
        RecipeError: With every fault found.
    """
    if isinstance(source, Recipe):
        source = as_written(source)
    if not isinstance(source, str | Path | Mapping):
        raise RecipeError(f"A recipe is a file, a mapping or a `sibu.Recipe`, given {type(source).__name__}.")
    if isinstance(source, Mapping):
        file, home, value = "the recipe", Path.cwd(), json.loads(json.dumps(source, default=str))
        lines: dict[yaml.Path, int] = {}
    else:
        path = Path(source)
        file, home = str(source), path.resolve().parent
        value, lines = yaml.parse(_text(path), file)
    if not isinstance(value, dict):
        raise RecipeError(Fault(file, "a recipe is a mapping with the keys name, model and tasks."))
    for override in [overrides] if isinstance(overrides, str) else overrides:
        _apply(value, override, lines)
    return Loaded(validate(value, file, lines), home, file, lines)


def _text(path: Path) -> str:
    if path.is_dir():
        raise RecipeError(f"{path} is a folder; give the recipe's file.")
    if not path.is_file():
        near = near_miss(path.name, (p.name for p in path.parent.glob("*.y*ml"))) if path.parent.is_dir() else ""
        raise RecipeError(f"No recipe at {path}. {near}".rstrip())
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as fault:
        raise RecipeError(f"{path} is not UTF-8 (byte {fault.start}). Save it as UTF-8.") from None


def _apply(value: dict[str, Any], override: str, lines: dict[yaml.Path, int]) -> None:
    """Put one ``KEY=VALUE`` into a recipe's mapping; a part's short form (`method: lora`) is spelled out first."""
    key, sign, text = override.partition("=")
    names = _names(key)
    if not sign or not all(key.split(".")):
        raise RecipeError(f"{override!r} is no override; give KEY=VALUE with a dotted key, such as train.epochs=1.")
    place: Any = value
    for depth, name in enumerate(names[:-1]):
        if isinstance(place, list):
            place = _of_list(place, name, override)
            continue
        inner = place.get(name)
        if isinstance(inner, str) and name in ("method", "fusion", "decoding", "constrain", "reward"):
            inner = place[name] = {"name": inner}
        if name == "reward" and isinstance(inner, list) and len(inner) < 2:  # one may stand without its list
            inner = place[name] = inner[0] if inner else {}
        if inner is None:
            inner = place[name] = {}
        if isinstance(inner, list) and not names[depth + 1].isdigit():
            where = ".".join(names[: depth + 1])
            rest = ".".join(names[depth + 1 :])
            raise RecipeError(
                f"{override!r}: {where} is a list of {len(inner)}. Say which one, counted from 0 "
                f"({where}.0.{rest}=...), or give the whole list ({where}=[...])."
            )
        if not isinstance(inner, dict | list):
            raise RecipeError(f"{override!r}: {'.'.join(names[: depth + 1])} holds {inner!r}, which has no keys.")
        place = inner
    if isinstance(place, list):
        raise RecipeError(f"{override!r}: give one key of an item, or the whole list.")
    try:
        place[names[-1]] = yaml.parse_value(text)
    except RecipeError as fault:
        why = fault.faults[0].message.rstrip(".")
        mend = f"Quote the value once more, for the shell and for YAML: \"{key}='{text}'\"."
        raise RecipeError(Fault(f"the override {key}", f"its value is {why}.", mend)) from None
    lines[tuple(names)] = 0


def _of_list(items: list[Any], number: str, override: str) -> Any:
    """One item of a list in a recipe's mapping; the short form of a part is spelled out."""
    if not number.isdigit() or int(number) >= len(items):
        raise RecipeError(f"{override!r}: the list has {len(items)} items, counted from 0; there is no {number!r}.")
    if isinstance(items[int(number)], str):
        items[int(number)] = {"name": items[int(number)]}
    return items[int(number)]


def _names(key: str) -> list[str]:
    """The keys along a dotted path; a release condition's own key, ``task.metric``, has dots in it."""
    names = key.split(".")
    if names[0] != "release" or len(names) < 3:
        return names
    bound = names[-1:] if names[-1] in Condition.model_fields else []
    return ["release", ".".join(names[1 : len(names) - len(bound)]), *bound]


def validate(value: dict[str, Any], file: str, lines: Mapping[yaml.Path, int]) -> Recipe:
    """A mapping to a recipe, or every fault of it at once.

    Raises:
        RecipeError: With every fault, each with file, line, path, what was given, what is allowed.
    """
    try:
        recipe = Recipe.model_validate(_frozen(value), strict=True)
    except ValidationError as fault:
        found = [_fault(error, value, file, lines) for error in fault.errors(include_url=False)]
        raise RecipeError(_joined(found)) from None
    faults = [_at(path, message, mend, file, lines) for path, message, mend in _cross_checks(recipe)]
    if faults:
        raise RecipeError(faults)
    return recipe


def _joined(faults: Sequence[Fault]) -> list[Fault]:
    """Faults of one place as one: each member of a union of types has its own reason to refuse a value."""
    places: dict[str, list[Fault]] = {}
    for fault in dict.fromkeys(faults):
        places.setdefault(fault.where, []).append(fault)
    found = []
    for where, own in places.items():
        reasons, given = zip(*(fault.message.rpartition(", given ")[::2] for fault in own), strict=True)
        if len(own) > 1 and all(reasons):
            found.append(Fault(where, f"{', or '.join(dict.fromkeys(reasons))}, given {given[0]}"))
        else:
            found += own
    return found


def _frozen(value: Any) -> Any:
    """Lists as tuples, which the schema asks for: a recipe never changes."""
    if isinstance(value, dict):
        return {key: _frozen(part) for key, part in value.items()}
    return tuple(_frozen(part) for part in value) if isinstance(value, list) else value


def _at(path: yaml.Path, message: str, mend: str, file: str, lines: Mapping[yaml.Path, int]) -> Fault:
    known = path
    while known and known not in lines:
        known = known[:-1]
    line = lines.get(known)
    dotted = ".".join(map(str, path))
    if line == 0:
        where = f"{file}, the override {dotted}"
    else:
        where = f"{file}:{line} {dotted}" if line else f"{file} {dotted}"
    return Fault(where.rstrip(), message, mend)


def _fault(error: Any, value: Any, file: str, lines: Mapping[yaml.Path, int]) -> Fault:
    """One of pydantic's errors in our words."""
    path = _as_written(tuple(error["loc"]), value)
    kind, given = error["type"], error.get("input")
    if kind == "extra_forbidden":
        allowed = _keys_allowed(path[:-1], value)
        close = near_miss(str(path[-1]), allowed)
        return _at(path, "no such key.", f"{close}Allowed: {', '.join(allowed)}.", file, lines)
    if kind == "missing":
        return _at(path, "is missing.", "Add it.", file, lines)
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return _tag_fault(path, given, file, lines)
    said = _SAID.get(kind) or error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return _at(path, f"{said}, given {_short(given)}.", "", file, lines)


_SAID = {
    "string_pattern_mismatch": "may have letters, digits, '-', '_' and blanks (the name of the run also '.'), "
    "and begins with a letter or digit",
    "too_short": "must not be empty",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping (`key: value`)",
    "model_type": "must be a mapping (`key: value`)",
    "string_type": "must be a text",
    "bool_type": "must be true or false",
}
"""Pydantic's kinds of faults in the words of YAML."""


def _tag_fault(path: yaml.Path, given: Any, file: str, lines: Mapping[yaml.Path, int]) -> Fault:
    catalog = _catalog_at(path)
    allowed = ", ".join(catalog)
    name = given.get(catalog.key) if isinstance(given, Mapping) else given
    if name is None:
        return _at((*path, catalog.key), f"is missing: which {catalog.kind}?", f"Allowed: {allowed}.", file, lines)
    close = near_miss(str(name), catalog)
    message = f"no {catalog.kind} is named {name!r}."
    place = (*path, catalog.key) if (*path, catalog.key) in lines else path
    return _at(place, message, f"{close}Allowed: {allowed}.", file, lines)


def _catalog_at(path: yaml.Path) -> Any:
    head = path[0]
    if head == "tasks":
        if "augment" in path:
            return AUGMENTERS
        rooms = {"reader": READERS, "head": HEADS, "decoding": DECODERS, "constrain": CONSTRAINTS, "reward": REWARDS}
        return rooms.get(str(path[2]), TASKS) if len(path) > 2 else TASKS
    return {"method": METHODS, "fusion": FUSIONS, "modalities": MODALITIES, "track": TRACKERS}[str(head)]


def _as_written(loc: yaml.Path, value: Any) -> yaml.Path:
    """Pydantic's path without the tags of unions and without ``task``, which users do not write."""
    path: list[str | int] = []
    place: Any = value
    entered = False
    """Whether nothing has been said yet of what stands at ``place``: a union's tag comes first."""
    for part in loc:
        if entered and isinstance(place, Mapping) and part in (place.get("name"), place.get("type")):
            entered = False
            continue
        if isinstance(place, Mapping) and part in place:
            place = place[part]
        elif isinstance(place, list) and isinstance(part, int) and part < len(place):
            place = place[part]
        elif isinstance(part, int) and isinstance(place, Mapping | str):
            continue  # one part in place of a list of them
        elif part == "task" or (isinstance(part, str) and _is_tag(part, path, place)):
            continue
        else:
            place = None
        path.append(part)
        entered = True
    return tuple(path)


def _is_tag(part: str, path: Sequence[str | int], place: Any) -> bool:
    if not path or place is None:
        return False
    if part in {"str", "float", "int", "bool", "dict", "tuple", "list"} or "[" in part:
        return True  # a member of a union of plain types
    if isinstance(place, str):  # the short form of a part: `method: lora`
        return part == place
    return isinstance(place, Mapping) and part in (place.get("name"), place.get("type"))


def _keys_allowed(path: yaml.Path, value: Any) -> list[str]:
    """The keys that may stand at a path."""
    if not path:
        return list(Recipe.model_fields)
    place: Any = value
    for part in path:
        holder: Any = place if isinstance(place, list | Mapping) else {part: {}}
        place = holder[part]
    head, depth = path[0], len(path)
    model: type[BaseModel] | None = None
    if head == "tasks" and depth == 2:
        kind = place.get("type")
        own = [key for key in TaskBlock.model_fields if key in OWN]
        options = [option.name for option in TASKS.options(kind)] if kind in TASKS else []
        return ["type", *own, *options]
    if head == "tasks" and depth == 3 and path[2] == "data":
        model = DataBlock
    elif head == "tasks" and depth == 5 and path[3] == "rules":
        model = Rule
    elif head == "model":
        model = NewModel
    elif head == "train":
        model = TrainSpec
    elif head == "release":
        model = Condition
    elif head == "self_training":
        model = SelfTraining
    elif head == "search":
        model = Search if depth == 1 else Range
    if model is not None:
        return list(model.model_fields)
    catalog = _catalog_at(path)
    name = place if isinstance(place, str) else place.get(catalog.key)
    return [catalog.key, *(option.name for option in catalog.options(name))] if name in catalog else [catalog.key]


def _cross_checks(recipe: Recipe) -> list[tuple[yaml.Path, str, str]]:
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
        if block.data.unlabelled is not None and recipe.self_training is None:
            mend = "Say how: `self_training: {}` beside `train`; or leave it out."
            found.append((("tasks", name, "data", "unlabelled"), "is not used for anything.", mend))
        found += _untaught(name, block, recipe)
        if block.data.rules and block.task.type != "classify":  # type: ignore[attr-defined]
            found.append((("tasks", name, "data", "rules"), "are for `classify`.", "Leave them out."))
        elif block.data.rules and getattr(block.task, "multi_label", None):
            found.append((("tasks", name, "data", "rules"), "give a text one label.", "Leave out `multi_label`."))
    stop = recipe.train.stop_on
    if stop != "mean" and (stop.count(".") != 1 or stop.split(".")[0] not in tasks):
        allowed = "mean, " + ", ".join(f"{task}.<metric>" for task in tasks)
        found.append((("train", "stop_on"), f"{stop!r} names no task's metric.", f"Allowed: {allowed}."))
    for key, condition in recipe.release.items():
        if key.split(".")[0] not in tasks or key.count(".") not in (1, 2):
            allowed = ", ".join(f"{task}.<metric> or {task}.<split>.<metric>" for task in tasks)
            found.append((("release", key), "names no task's metric.", f"Allowed: {allowed}."))
        if condition.at_least is None and condition.at_most is None:
            found.append((("release", key), "sets no bound.", "Give at_least or at_most."))
        elif None not in (condition.at_least, condition.at_most) and condition.at_least > condition.at_most:  # type: ignore[operator]
            found.append((("release", key), "at_least lies above at_most: nothing meets both.", "Mend one of them."))
    if recipe.folds is not None:
        for name, block in recipe.tasks.items():
            if block.data.dev is not None or block.data.shots is not None or block.data.train is None:
                what = "has training data, without `dev` and `shots`" if block.data.train else "has training data"
                found.append((("folds",), f"is for tasks of which each {what}; {name} is another.", "Leave it out."))
        for key, other in (("repeats", recipe.repeats > 1), ("self_training", recipe.self_training is not None)):
            if other:
                found.append((("folds",), f"cannot go with `{key}`.", "Leave one of the two out."))
    found += _ensemble_faults(recipe)
    if recipe.self_training is not None and all(b.data.unlabelled is None for b in recipe.tasks.values()):
        mend = "Give texts without labels as `data.unlabelled` of a task."
        found.append((("self_training",), "has nothing to label.", mend))
    names = [getattr(spec, "name", "") for spec in recipe.modalities]
    if len(set(names)) < len(names):
        found.append((("modalities",), f"names one twice: {as_names(names)}.", "Keep one of each."))
    return found


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


def _head_faults(name: str, block: TaskBlock) -> Iterator[tuple[yaml.Path, str, str]]:
    """A head of the room where the task has none of it."""
    head: Any = block.head
    if head.name == "linear":
        return
    where = ("tasks", name, "head")
    if block.task.type != "classify":  # type: ignore[attr-defined]
        yield where, "is for `classify`; other tasks have heads of their own.", "Leave it out."
    elif getattr(block.task, "writes", False):
        yield where, "has no part in a task that writes its answers.", "Leave out `head` or `written`."
    elif getattr(block.task, "borrows", False):
        yield where, "has no part where the head of the model's bundle answers.", "Leave out `head` or `entailed`."


def _untaught(name: str, block: TaskBlock, recipe: Recipe) -> Iterator[tuple[yaml.Path, str, str]]:
    """A task without training data, which asks for nothing that needs it."""
    if block.data.train is not None:
        return
    where, head, task = ("tasks", name, "data", "train"), block.head, block.task
    ready = any(getattr(task, kind, False) for kind in ("writes", "borrows")) or getattr(head, "starts", False)
    if recipe.train.epochs:
        mend = "Add it; or say `train.epochs: 0` where nothing is to be learned."
        yield where, "is missing.", mend
    elif not ready:
        mend = "Add it; or say `head: labels`, which begins from the labels' names."
        yield where, "is missing: without it the head would stay random.", mend
    elif hasattr(task, "labels") and not (task.labels or getattr(task, "descriptions", None)):
        yield where, "is missing, and the labels are not given.", "Give `labels` or `descriptions` in the task."
    for key in ("shots", "augment", "rules"):
        if getattr(block.data, key):
            yield ("tasks", name, "data", key), "needs training data.", "Leave it out, or give `train`."


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
