"""Reading a recipe: overrides, every fault at once with its place, near misses."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from sibu.augmenters import AUGMENTERS
from sibu.constraints import CONSTRAINTS
from sibu.core.errors import Fault, RecipeError, near_miss
from sibu.decoders import DECODERS
from sibu.fusions import FUSIONS
from sibu.heads import HEADS
from sibu.knowledge import KNOWLEDGE
from sibu.methods import METHODS
from sibu.modalities import MODALITIES
from sibu.models.spec import NewModel
from sibu.readers import READERS
from sibu.recipe import yaml
from sibu.recipe.checks import cross_checks
from sibu.recipe.fill import as_written
from sibu.recipe.schema import (
    OWN,
    Condition,
    Consistency,
    DataBlock,
    KnowledgeBlock,
    Range,
    Recipe,
    Rule,
    Search,
    SelfTraining,
    TaskBlock,
    Teacher,
)
from sibu.rewards import REWARDS
from sibu.tasks import TASKS
from sibu.trackers import TRACKERS
from sibu.train.spec import ReptileSpec, TrainSpec


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
    block = value["tasks"][task]
    written = block.get("written") or ()
    known = {*OWN, *block, *written}
    for override in sorted(overrides, key=lambda each: not _of_name(each)):  # a part's name goes before its options
        key, _, text = override.partition("=")
        within = key.removeprefix("written.").split(".")[0]
        allowed = [name for name in ANSWERING if name in known]
        if within not in allowed:
            close = near_miss(within, allowed)
            raise RecipeError(
                f"{key!r} cannot be changed in a bundle: its training settled it, or there is no such key. "
                f"{close}Allowed: {', '.join(allowed)}."
            )
        if _of_name(override):
            _forget_another(block, within, text)
        _apply(block, f"written.{override}" if key == within and key in written else override, {})
    return validate(value, "the bundle's recipe", {})


def _of_name(override: str) -> bool:
    """Whether an override names a part, as `decoding.name=beam` does."""
    return override.partition("=")[0].endswith(".name")


def _forget_another(block: dict[str, Any], key: str, name: str) -> None:
    """Take the options of a part away where another one is named in its place: they are not the other's."""
    held = block.get(key)
    one = held[0] if isinstance(held, list) and len(held) == 1 else held
    if isinstance(one, dict) and one.get("name") != name.strip("'\" "):
        block[key] = {}


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
        if name == "use" and isinstance(inner, list) and len(inner) == 1 and not names[depth + 1].isdigit():
            inner = place[name] = inner[0]
        if isinstance(inner, str) and name in ("method", "fusion", "decoding", "constrain", "reward", "use"):
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
        found = [(_as_written(error, value), error) for error in fault.errors(include_url=False)]
        told = [_fault(path, error, value, file, lines) for path, error in _told_once(found)]
        raise RecipeError(_joined(told)) from None
    faults = [_at(path, message, mend, file, lines) for path, message, mend in cross_checks(recipe)]
    if faults:
        raise RecipeError(faults)
    return recipe


def _told_once(found: Sequence[tuple[yaml.Path, Any]]) -> list[tuple[yaml.Path, Any]]:
    """Pydantic's errors without those that only echo others.

    A list is counted as too short once its items were refused. And where a value may be of several types, those that it
    is not of refuse it too, although the one that it is of says what is wrong with it.
    """
    kept = []
    for path, error in found:
        if error["type"] == "too_short" and len(error["input"]) >= error["ctx"]["min_length"]:
            continue
        rest = (each for each in found if each[0][: len(path)] == path)
        echo = any(len(other) > len(path) or not (_of_type(each) or _of_key(each)) for other, each in rest)
        if echo and _of_type(error) and not _of_key(error):
            continue
        kept.append((path, error))
    return kept


def _of_type(error: Any) -> bool:
    """Whether an error says that a value is of another type than was asked for."""
    kind: str = error["type"]
    return kind.endswith("_type") or kind == "literal_error"


def _of_key(error: Any) -> bool:
    """Whether an error is of a key and not of what stands there."""
    return bool(error["loc"]) and error["loc"][-1] == "[key]"


def _joined(faults: Sequence[Fault]) -> list[Fault]:
    """Faults of one place as one: each type that a value may be of has its own reason to refuse it."""
    places: dict[tuple[str, str], list[Fault]] = {}
    for fault in dict.fromkeys(faults):
        places.setdefault((fault.where, fault.message.rpartition(", given ")[2]), []).append(fault)
    found = []
    for (where, given), own in places.items():
        reasons = [fault.message.rpartition(", given ")[0] for fault in own]
        if len(own) > 1 and all(reasons):
            found.append(Fault(where, f"{', or '.join(dict.fromkeys(reasons))}, given {given}"))
        else:
            found += own
    return found


def _frozen(value: Any) -> Any:
    """Lists as tuples, which the schema asks for: a recipe never changes."""
    if isinstance(value, dict):
        return {key: _frozen(part) for key, part in value.items()}
    return tuple(_frozen(part) for part in value) if isinstance(value, list) else value


def _at(path: yaml.Path, message: str, mend: str, file: str, lines: Mapping[yaml.Path, int]) -> Fault:
    named = {tuple(map(str, key)): line for key, line in lines.items()}  # an item's number is a word in an override
    known = tuple(map(str, path))
    while known and known not in named:
        known = known[:-1]
    line = named.get(known)
    dotted = ".".join(map(str, path))
    if line == 0:
        where = f"{file}, the override {dotted}"
    else:
        where = f"{file}:{line} {dotted}" if line else f"{file} {dotted}"
    return Fault(where.rstrip(), message, mend)


def _fault(path: yaml.Path, error: Any, value: Any, file: str, lines: Mapping[yaml.Path, int]) -> Fault:
    """One of pydantic's errors in our words."""
    kind, given = error["type"], error.get("input")
    if kind == "extra_forbidden":
        allowed = _keys_allowed(path[:-1], value)
        close = near_miss(str(path[-1]), allowed)
        return _at(path, "no such key.", f"{close}Allowed: {', '.join(allowed)}.", file, lines)
    if kind == "missing":
        return _at(path, "is missing.", "Add it.", file, lines)
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return _tag_fault(path, given, value, file, lines)
    if _of_key(error) and _of_type(error):
        return _at(path, f"a key {_SAID[kind]}, given {_short(given)}.", f'Quote it: "{given}".', file, lines)
    if kind in _SAID:
        said = _SAID[kind].format(**error.get("ctx", {}))
    else:
        said = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if ", given " not in said:
        said += f", given {_short(given)}"
    return _at(path, f"{said}.", "", file, lines)


_SAID = {
    "string_pattern_mismatch": "may have letters, digits, '-', '_' and blanks (the name of the run also '.'), "
    "and begins with a letter or digit",
    "too_short": "must not be empty",
    "too_long": "must not have more than {max_length} items",
    "string_too_short": "must not be empty",
    "string_too_long": "must not be longer than {max_length}",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping (`key: value`)",
    "model_type": "must be a mapping (`key: value`)",
    "string_type": "must be a text",
    "bool_type": "must be true or false",
}
"""Pydantic's kinds of faults in the words of YAML."""


def _tag_fault(path: yaml.Path, given: Any, value: Any, file: str, lines: Mapping[yaml.Path, int]) -> Fault:
    catalog = _catalog_at(path)
    allowed = ", ".join(catalog)
    name = given.get(catalog.key) if isinstance(given, Mapping) else given
    if name is None:
        return _at((*path, catalog.key), f"is missing: which {catalog.kind}?", f"Allowed: {allowed}.", file, lines)
    close = near_miss(str(name), catalog)
    message = f"no {catalog.kind} is named {name!r}."
    block = _standing(path, value)
    place = (*path, catalog.key) if isinstance(block, Mapping) and catalog.key in block else path
    return _at(place, message, f"{close}Allowed: {allowed}.", file, lines)


def _catalog_at(path: yaml.Path) -> Any:
    head = path[0]
    if head == "tasks":
        if "augment" in path:
            return AUGMENTERS
        rooms = {"reader": READERS, "head": HEADS, "decoding": DECODERS, "constrain": CONSTRAINTS, "reward": REWARDS}
        return rooms.get(str(path[2]), TASKS) if len(path) > 2 else TASKS
    rooms = {"method": METHODS, "fusion": FUSIONS, "modalities": MODALITIES, "track": TRACKERS, "knowledge": KNOWLEDGE}
    return rooms[str(head)]


def _as_written(error: Any, value: Any) -> yaml.Path:
    """The path of one of pydantic's errors as a user writes it.

    In pydantic's own stand the tags and types of unions too, ``task``, and a number for one part in place of a list.
    What is a key or an item stands in the recipe, or is the key that is missing.
    """
    path: list[str | int] = []
    place: Any = value
    entered = False
    """Whether nothing has been said yet of what stands at ``place``: a union's tag comes first."""
    last = len(error["loc"]) - 1
    for number, part in enumerate(error["loc"]):
        if entered and isinstance(place, Mapping) and part in (place.get("name"), place.get("type")):
            entered = False
            continue
        if isinstance(place, Mapping) and part in place:
            place = place[part]
        elif isinstance(place, list) and isinstance(part, int) and part < len(place):
            place = place[part]
        elif error["type"] == "missing" and number == last:
            place = None
        else:
            continue
        path.append(part)
        entered = True
    return tuple(path)


BLOCKS: Mapping[str, type[BaseModel]] = {"data": DataBlock, "teacher": Teacher, "consistency": Consistency}
"""What stands in a task under keys that are no part of a room."""


def _option(task: Mapping[str, Any], key: str) -> type[BaseModel] | None:
    """What a block under an option of a task's own type may hold; None: it is no such block."""
    kind: Any = task.get("type")
    field = TASKS[kind].spec.model_fields.get(key) if kind in TASKS else None
    found = [] if field is None else [*get_args(field.annotation), field.annotation]
    return next((each for each in found if isinstance(each, type) and issubclass(each, BaseModel)), None)


def _standing(path: yaml.Path, value: Any) -> Any:
    """What a recipe says at a path; an empty block where it says nothing."""
    place = value
    for part in path:
        holder: Any = place if isinstance(place, list | Mapping) else {part: {}}
        place = holder[part]
    return place


def _keys_allowed(path: yaml.Path, value: Any) -> list[str]:
    """The keys that may stand at a path."""
    if not path:
        return list(Recipe.model_fields)
    place = _standing(path, value)
    head, depth = path[0], len(path)
    model: type[BaseModel] | None = None
    if head == "tasks" and depth == 2:
        kind = place.get("type")
        own = [key for key in TaskBlock.model_fields if key in OWN]
        options = [option.name for option in TASKS.options(kind)] if kind in TASKS else []
        return ["type", *own, *options]
    if head == "tasks" and depth == 3 and path[2] in BLOCKS:
        model = BLOCKS[str(path[2])]
    elif head == "tasks" and depth == 3 and (option := _option(value["tasks"][path[1]], str(path[2]))):
        model = option
    elif head == "tasks" and depth == 5 and path[3] == "rules":
        model = Rule
    elif head == "model":
        model = NewModel
    elif head == "train":
        model = TrainSpec if depth == 1 else ReptileSpec
    elif head == "release":
        model = Condition
    elif head == "self_training":
        model = SelfTraining
    elif head == "knowledge" and depth == 1:
        model = KnowledgeBlock
    elif head == "search":
        model = Search if depth == 1 else Range
    if model is not None:
        return list(model.model_fields)
    catalog = _catalog_at(path)
    name = place if isinstance(place, str) else place.get(catalog.key)
    return [catalog.key, *(option.name for option in catalog.options(name))] if name in catalog else [catalog.key]


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
