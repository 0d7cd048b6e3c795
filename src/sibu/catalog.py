"""A family of parts as one table: specs, entries, and how a recipe names them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from inspect import cleandoc
from itertools import pairwise
from pathlib import Path
from sys import modules
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
)

from sibu.core.errors import MissingExtra, RecipeError, near_miss


class Spec(BaseModel):
    """Options of a part. Frozen; unknown keys are errors; the text below each field is its help (``docs_of``)."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        protected_namespaces=(),
        allow_inf_nan=False,
        defer_build=True,
    )


def _as_labels(given: Any) -> Any:
    """Whole numbers and truth values are labels too, as they are in the data."""
    if not isinstance(given, tuple):
        return given
    plain = {True: "true", False: "false"}
    return tuple(plain[n] if isinstance(n, bool) else str(n) if isinstance(n, int) else n for n in given)


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"names {', '.join(map(repr, twice))} twice")
    if not names:
        raise ValueError("names no label")
    if "" in names:
        raise ValueError("names an empty label")
    return names


Labels = Annotated[tuple[str, ...], BeforeValidator(_as_labels), AfterValidator(_distinct)]
"""Names of labels, each once."""


def _with_place(template: str) -> str:
    """One place for the label, and nothing else in braces."""
    rest = template.replace("{}", "", 1)
    if "{}" not in template or "{" in rest or "}" in rest:
        raise ValueError("a template has one `{}` where the label's words go, and no other braces")
    return template


Template = Annotated[str, AfterValidator(_with_place)]
"""A sentence that says a label, ``{}`` being its words."""

Words = Annotated[str, Field(min_length=1)]
Descriptions = Annotated[dict[str, Words | Annotated[tuple[Words, ...], Field(min_length=1)]], Field(min_length=1)]
"""What labels mean: words, or several a label."""

Stops = tuple[Annotated[str, Field(min_length=1)], ...]
"""Texts at which an answer ends."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One part: its options, its builder, and the libraries it needs beyond Sibu's own."""

    spec: type[Spec]
    build: Callable[..., Any]
    needs: tuple[str, ...] = ()
    """Modules that must be importable, such as ``peft``."""
    extra: str | None = None
    """The pip extra that brings them; None where Sibu itself does."""

    @property
    def doc(self) -> str:
        """The door plate's docstring."""
        return cleandoc(modules[self.spec.__module__].__doc__ or "")

    @property
    def summary(self) -> str:
        """Its first line."""
        return self.doc.split("\n", 1)[0]

    def require(self, what: str) -> None:
        """Raise ``MissingExtra`` where a library is not installed."""
        for module in self.needs:
            if find_spec(module) is None:
                raise MissingExtra(what, module, self.extra)


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a part as help and reference show it."""

    name: str
    type: str
    default: Any
    help: str


def docs_of(spec: type[BaseModel]) -> dict[str, str]:
    """What stands below each option of a spec in its source.

    Read when it is asked for: pydantic would read it whenever a spec is imported, which takes longer than the import.
    """
    found: dict[str, str] = {}
    for kind in reversed(spec.__mro__):
        if issubclass(kind, BaseModel) and kind is not BaseModel:
            found |= _docs_in(kind.__module__).get(kind.__qualname__, {})
    return found


@cache
def _docs_in(module: str) -> dict[str, dict[str, str]]:
    """The texts below the attributes of each class of a module, by the class's name."""
    file = getattr(modules.get(module), "__file__", None)
    if file is None or not file.endswith(".py"):
        return {}
    found: dict[str, dict[str, str]] = {}
    for node in ast.walk(ast.parse(Path(file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef):
            pairs = pairwise(node.body)
            found[node.name] = {
                one.target.id: cleandoc(two.value.value)
                for one, two in pairs
                if isinstance(one, ast.AnnAssign)
                and isinstance(one.target, ast.Name)
                and isinstance(two, ast.Expr)
                and isinstance(two.value, ast.Constant)
                and isinstance(two.value.value, str)
            }
    return found


@cache
def _points() -> Any:
    """What installed packages offer; to look through all of them takes longer than to import a room."""
    return entry_points()


def offered(group: str) -> list[Any]:
    """The objects that installed packages offer by an entry point of a group."""
    return [point.load() for point in _points().select(group=group)]


class Catalog:
    """The table of a room: name to entry, with third-party parts from an entry point of the same name.

    Args:
        kind: What one part is called in messages, such as ``method``.
        entries: The room's own parts, in the order that ``sibu list`` shows.
        key: The key of a recipe block that names the part.
        group: The entry-point group whose objects are entries too; None: no third-party parts.

    Raises:
        ValueError: When two parts have one name. A clash is never a rename.
    """

    def __init__(self, kind: str, *entries: Entry, key: str = "name", group: str | None = None) -> None:
        self.kind = kind
        self.key = key
        self._table: dict[str, Entry] = {}
        foreign = offered(group) if group else []
        for entry in (*entries, *foreign):
            name = entry.spec.model_fields[key].default
            if name in self._table:
                raise ValueError(f"two parts are a {kind} named {name!r}; rename one")
            self._table[name] = entry

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __getitem__(self, name: str) -> Entry:
        if name not in self._table:
            allowed = ", ".join(self._table)
            close = near_miss(name, self)
            raise RecipeError(f"No {self.kind} is named {name!r}. {close}Allowed: {allowed}.")
        return self._table[name]

    def of(self, spec: Spec) -> Entry:
        """The entry that a spec belongs to, its libraries checked."""
        name = getattr(spec, self.key)
        entry = self[name]
        entry.require(f"The {self.kind} {name!r}")
        return entry

    def spec(self, given: str | Mapping[str, Any]) -> Spec:
        """The options of a part from its name, or a mapping with its name and options.

        Raises:
            RecipeError: When there is no such part, or an option is not allowed.
        """
        options = {self.key: given} if isinstance(given, str) else dict(given)
        name = str(options.get(self.key))
        try:
            return self[name].spec.model_validate(options)
        except ValidationError as fault:
            said = "; ".join(self._said(name, dict(each)) for each in fault.errors())
            raise RecipeError(f"The {self.kind} {name!r}: {said}.") from None

    def _said(self, name: str, error: Mapping[str, Any]) -> str:
        """A fault of an option in words; of one that there is not with the one that may be meant, or all there are."""
        option = ".".join(map(str, error["loc"]))
        if error["type"] != "extra_forbidden":
            return f"{option}: {error['msg']}"
        names = [each.name for each in self.options(name)]
        allowed = f"allowed: {', '.join(names)}" if names else "it has no options"
        return f"{option}: {error['msg']} ({near_miss(option, names).strip() or allowed})"

    def options(self, name: str) -> list[Option]:
        """The options of a part, without the key that names it."""
        spec = self[name].spec
        fields, docs = spec.model_fields, docs_of(spec)
        return [
            Option(
                option,
                type_name(field.annotation),
                "must be given" if field.is_required() else field.get_default(call_default_factory=True),
                docs.get(option) or field.description or "",
            )
            for option, field in fields.items()
            if option != self.key
        ]

    def union(self) -> Any:
        """The type of a recipe key that names one of these parts: ``lora``, or ``{name: lora, rank: 8}``."""
        choices: Any = None
        for name, entry in self._table.items():
            choice: Any = Annotated[entry.spec, Tag(name)]
            choices = choice if choices is None else choices | choice
        if choices is None:
            return Spec  # a room with no part: nothing can be named
        return Annotated[choices, Discriminator(self._name_of), BeforeValidator(self._spelled_out)]

    def _name_of(self, value: Any) -> str | None:
        return value.get(self.key) if isinstance(value, dict) else getattr(value, self.key, None)

    def _spelled_out(self, value: Any) -> Any:
        return {self.key: value} if isinstance(value, str) else value


def type_name(annotation: Any) -> str:
    """A type as help shows it: ``int``, ``float | None``, ``'linear' | 'cosine'``."""
    from types import NoneType, UnionType
    from typing import Literal, Union, get_args, get_origin

    if annotation is NoneType:
        return "null"
    origin = get_origin(annotation)
    if origin is Annotated:
        return type_name(get_args(annotation)[0])
    if origin is Literal:
        return " | ".join(str(choice) for choice in get_args(annotation))
    if origin in (Union, UnionType):
        return " | ".join(type_name(part) for part in get_args(annotation))
    if origin is not None:
        inner = ", ".join(type_name(part) for part in get_args(annotation) if part is not ...)
        return f"{origin.__name__}[{inner}]"
    return getattr(annotation, "__name__", str(annotation))
