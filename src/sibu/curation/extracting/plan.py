"""How facts are extracted: a YAML file that names extractors, thresholds, and what labels stand for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from sibu.core.errors import Fault, RecipeError, near_miss
from sibu.extractors import EXTRACTORS
from sibu.extractors.options import ExtractorSpec
from sibu.graph.folder import is_language
from sibu.recipe import yaml


class Plan(BaseModel):
    """The keys of the file but for ``extractors``."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False, populate_by_name=True
    )
    assert_: float = Field(default=0.9, ge=0, le=1, alias="assert")
    """From this score on a fact is asserted, where the ontology allows it."""
    review: float = Field(default=0.5, ge=0, le=1)
    """From this score on a fact waits for a person's decision; below it is refused."""
    combine: Literal["max", "noisy_or"] = "max"
    """How sure a fact is that several extractors see: as the surest of them, or as if they erred independently."""
    new: bool | tuple[str, ...] = True
    """Whether a name that is not known becomes a new thing: of every class, of none, or of these."""
    outside: Literal["refuse", "allow"] = "refuse"
    """What becomes of classes and properties that neither the ontology declares nor any fact has."""
    language: str = ""
    """Language of the texts and of the labels of new things, such as `en`; empty: not told."""
    link: float = Field(default=0.75, ge=0, le=1)
    """Lowest score of a known thing that a name is taken to mean, as `sibu kb link` tells it; an exact name of the
    expected class has 0.85 or more."""
    encoder: str | None = None
    """Model by which names are compared by meaning too, such as `minilm` or `me5`; null: by their letters alone."""
    classes: dict[str, str] = Field(default_factory=dict)
    """Class by label, for all extractors that do not say otherwise."""
    properties: dict[str, str] = Field(default_factory=dict)
    """Property by label, for all extractors that do not say otherwise."""

    @field_validator("language")
    @classmethod
    def _tag(cls, given: str) -> str:
        if given and not is_language(given):
            raise ValueError(f"{given!r} is no tag of a language such as `en` or `zh-hans`")
        return given.lower()


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan with its extractors, and where it came from."""

    plan: Plan
    extractors: tuple[ExtractorSpec, ...]
    home: Path
    """Folder that its relative paths start from."""
    file: str
    """As shown in messages."""

    @property
    def names(self) -> tuple[str, ...]:
        """What each extractor is called in the sources of facts."""
        return tuple(spec.called or str(spec.model_dump()["name"]) for spec in self.extractors)

    @property
    def options(self) -> dict[str, Any]:
        """All that it says."""
        own = [spec.model_dump(mode="json") for spec in self.extractors]
        return {**self.plan.model_dump(mode="json", by_alias=True), "extractors": own}


def plan_of(given: str | Path | Mapping[str, Any]) -> Planned:
    """The plan of a file, or of a mapping (relative paths in it start from the working folder).

    Raises:
        RecipeError: With every fault, each with its line.
    """
    if isinstance(given, Mapping):
        return _Reading("the plan", {}).planned(json.loads(json.dumps(given)), Path.cwd())
    file = Path(given)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as fault:
        raise RecipeError(f"{file} is not UTF-8 (byte {fault.start + 1}). Save it as UTF-8.") from None
    except OSError as fault:
        raise RecipeError(f"{file} cannot be read: {fault.strerror or fault}.") from None
    value, lines = yaml.parse(text, str(file))
    return _Reading(str(file), lines).planned(value, file.resolve().parent)


class _Reading:
    """Reads a plan, and keeps every fault with its line."""

    def __init__(self, file: str, lines: Mapping[yaml.Path, int]) -> None:
        self._file, self._lines = file, lines
        self._faults: list[Fault] = []

    def planned(self, given: Any, home: Path) -> Planned:
        if not isinstance(given, dict):
            raise RecipeError(Fault(self._file, "a plan is a mapping with the key `extractors`."))
        listed = given.get("extractors")
        specs = self._extractors(listed)
        rest = {key: value for key, value in given.items() if key != "extractors"}
        plan = self._validated(Plan, rest, (), ["extractors", *_keys(Plan)])
        if plan is not None and plan.assert_ < plan.review:
            said = f"{plan.review:g} is above `assert`, which is {plan.assert_:g}: nothing could wait for a review."
            self._fault(("review",), said, "Give `review` no more than `assert`.")
        self._check_names(specs)
        if self._faults or plan is None:
            raise RecipeError(self._faults)
        return Planned(plan, tuple(spec for _, spec in specs), home, self._file)

    def _extractors(self, given: Any) -> list[tuple[int, ExtractorSpec]]:
        if not isinstance(given, list) or not given:
            mend = f"Allowed: {', '.join(EXTRACTORS)}."
            self._fault(("extractors",), f"`extractors` is a list of at least one, given {_short(given)}.", mend)
            return []
        found = []
        for place, each in enumerate(given):
            path = ("extractors", place)
            options = {"name": each} if isinstance(each, str) else each
            if not isinstance(options, dict) or "name" not in options:
                said = f"an extractor is a name, or a mapping with `name`, given {_short(each)}."
                self._fault(path, said, f"Allowed: {', '.join(EXTRACTORS)}.")
                continue
            name = str(options["name"])
            if name not in EXTRACTORS:
                said = f"no extractor is named {name!r}."
                self._fault((*path, "name"), said, f"{near_miss(name, EXTRACTORS)}Allowed: {', '.join(EXTRACTORS)}.")
                continue
            spec = self._validated(EXTRACTORS[name].spec, options, path, _keys(EXTRACTORS[name].spec))
            if isinstance(spec, ExtractorSpec):
                found.append((place, spec))
        return found

    def _validated(self, model: Any, given: Any, path: yaml.Path, allowed: Sequence[str]) -> Any:
        try:
            return model.model_validate(given)
        except ValidationError as fault:
            for error in fault.errors(include_url=False):
                within = tuple(each for each in error["loc"] if each != "[key]")
                own = (*path, *within[: 1 if within[:1] and within[0] in ("new",) else None])
                if own[-1:] == ("new",):
                    self._fault(own, f"is true, false, or a list of classes, given {_short(given.get('new'))}.")
                elif error["type"] == "extra_forbidden":
                    close = near_miss(str(own[-1]), allowed)
                    self._fault(own, "no such key.", f"{close}Allowed: {', '.join(allowed)}.")
                elif error["type"] == "missing":
                    self._fault(own, "is missing.", "Add it.")
                else:
                    said = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
                    self._fault(own, f"{said[:1].lower()}{said[1:]}, given {_short(error.get('input'))}.")
            return None

    def _check_names(self, specs: Iterable[tuple[int, ExtractorSpec]]) -> None:
        first: dict[str, int] = {}
        for place, spec in specs:
            called = spec.called or str(spec.model_dump()["name"])
            if called in first:
                said = f"two extractors are called {called!r}, this one and the one in line {first[called]}."
                self._fault(("extractors", place), said, "Give one another name: `called: ...`.")
            first.setdefault(called, self._lines.get(("extractors", place), 0))

    def _fault(self, path: yaml.Path, message: str, mend: str = "") -> None:
        known = path
        while known and known not in self._lines:
            known = known[:-1]
        line = self._lines.get(known)
        dotted = ".".join(map(str, path))
        where = f"{self._file}:{line} {dotted}" if line else f"{self._file} {dotted}"
        fault = Fault(where.rstrip(), message, mend)
        if fault not in self._faults:
            self._faults.append(fault)


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
