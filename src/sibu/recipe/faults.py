"""What is wrong with a recipe, in the user's words: with file, line, key, what was given and what is allowed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from sibu.aligners import ALIGNERS
from sibu.augmenters import AUGMENTERS
from sibu.constraints import CONSTRAINTS
from sibu.core.errors import Fault, near_miss
from sibu.decoders import DECODERS
from sibu.fusions import FUSIONS
from sibu.heads import HEADS
from sibu.knowledge import KNOWLEDGE
from sibu.methods import METHODS
from sibu.modalities import MODALITIES
from sibu.models.spec import NewModel
from sibu.readers import READERS
from sibu.recipe import yaml
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


def faults_of(fault: ValidationError, value: Any, file: str, lines: Mapping[yaml.Path, int]) -> list[Fault]:
    """Every fault that pydantic found in a recipe's mapping, each once."""
    found = [(_as_written(error, value), error) for error in fault.errors(include_url=False)]
    told = [_fault(path, error, value, file, lines) for path, error in _told_once(found)]
    return _joined(told)


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


def at(path: yaml.Path, message: str, mend: str, file: str, lines: Mapping[yaml.Path, int]) -> Fault:
    """A fault of a key, with the file and the line of it, or of the nearest key above that stands there."""
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
        close = _elsewhere(path, value) or near_miss(str(path[-1]), allowed)
        return at(path, "no such key.", f"{close}Allowed: {', '.join(allowed)}.", file, lines)
    if kind == "missing":
        return at(path, "is missing.", "Add it.", file, lines)
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return _tag_fault(path, given, value, file, lines)
    if _of_key(error) and _of_type(error):
        return at(path, f"a key {_SAID[kind]}, given {_short(given)}.", f'Quote it: "{given}".', file, lines)
    if kind in _SAID:
        said = _SAID[kind].format(**error.get("ctx", {}))
    else:
        said = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if ", given " not in said:
        said += f", given {_short(given)}"
    return at(path, f"{said}.", "", file, lines)


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
    catalog = _catalogat(path)
    allowed = ", ".join(catalog)
    name = given.get(catalog.key) if isinstance(given, Mapping) else given
    if name is None:
        return at((*path, catalog.key), f"is missing: which {catalog.kind}?", f"Allowed: {allowed}.", file, lines)
    close = near_miss(str(name), catalog)
    message = f"no {catalog.kind} is named {name!r}."
    block = _standing(path, value)
    place = (*path, catalog.key) if isinstance(block, Mapping) and catalog.key in block else path
    return at(place, message, f"{close}Allowed: {allowed}.", file, lines)


def _catalogat(path: yaml.Path) -> Any:
    head = path[0]
    if head == "tasks":
        if "augment" in path:
            return AUGMENTERS
        rooms = {"reader": READERS, "head": HEADS, "decoding": DECODERS, "constrain": CONSTRAINTS, "reward": REWARDS}
        return rooms.get(str(path[2]), TASKS) if len(path) > 2 else TASKS
    rooms = {"method": METHODS, "fusion": FUSIONS, "modalities": MODALITIES, "track": TRACKERS, "knowledge": KNOWLEDGE}
    rooms["align"] = ALIGNERS
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
        if isinstance(place, list):
            place = place[int(part)]
        else:
            place = place.get(part, {}) if isinstance(place, Mapping) else {}
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
    catalog = _catalogat(path)
    name = place if isinstance(place, str) else place.get(catalog.key)
    return [catalog.key, *(option.name for option in catalog.options(name))] if name in catalog else [catalog.key]


def _elsewhere(path: yaml.Path, value: Any) -> str:
    """Where a key that has no place here has one: further up, or in a block beside it."""
    tasks = value.get("tasks")
    named = path[1:2] if path[0] == "tasks" else list(tasks)[:1] if isinstance(tasks, dict) else []
    places: list[yaml.Path] = [("tasks", *named), ("tasks", *named, "data")] if named else []
    for place in (*places, ("train",), ()):
        if place == path[:-1] or (place[:1] == ("tasks",) and not isinstance(tasks[place[1]], dict)):
            continue
        if path[-1] in _keys_allowed(place, value):
            whole = ".".join(map(str, (*place, path[-1])))
            return f"Did you mean {whole!r}{'' if place else ', at the top of the recipe'}? "
    return ""


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
