"""Reading a recipe: overrides, every fault at once with its place, near misses."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sibu.core.errors import Fault, RecipeError, near_miss
from sibu.recipe import yaml
from sibu.recipe.checks import MODEL_MISSING, cross_checks
from sibu.recipe.faults import at, faults_of
from sibu.recipe.fill import as_written
from sibu.recipe.schema import OWN, Condition, Recipe


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
    known: Path | None = None
    """A folder for the keys of what each task's splits hold, which self-training leaves out of the unlabelled texts."""
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
        return at(path, fault.message, fault.mend, self.file, self.lines)


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
    for each in [each for each in lines if tuple(map(str, each[: len(names)])) == tuple(names)]:
        del lines[each]  # what stood there in the file is gone
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
        wrong = faults_of(fault, value, file, lines)
        if "model" not in value and "modalities" not in value:  # told with the others
            path, message, mend = MODEL_MISSING
            wrong.append(at(path, message, mend, file, lines))
        raise RecipeError(wrong) from None
    faults = [at(path, message, mend, file, lines) for path, message, mend in cross_checks(recipe)]
    if faults:
        raise RecipeError(faults)
    return recipe


def _frozen(value: Any) -> Any:
    """Lists as tuples, which the schema asks for: a recipe never changes."""
    if isinstance(value, dict):
        return {key: _frozen(part) for key, part in value.items()}
    return tuple(_frozen(part) for part in value) if isinstance(value, list) else value
