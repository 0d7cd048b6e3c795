"""Mappings: how a table's rows are facts.

In YAML::

    id: patient_no                       # column whose cell names the row's thing; or {column: ..., as: "patient/{}"}
    class: Patient                       # or {column: kind}
    label: {column: name, language: zh}  # or just: name
    properties:
      age: {column: age, type: integer}
      born: {column: birth, type: date}
      takes: {column: drugs, type: entity, split: ";", as: "drug/{}"}
      remark: notes                      # a text

A property, a class and a thing are named as on the command line. An empty cell says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sibu.core.errors import DataError, Fault, near_miss
from sibu.core.logic import Entity
from sibu.core.names import XSD, Names
from sibu.graph.cells import entity_of
from sibu.graph.folder import is_language
from sibu.graph.values import CHECKS
from sibu.store.hashes import hash_json

Lines = Mapping[tuple[str | int, ...], int]
"""Line of each key, by its path."""
_KEYS = ("id", "class", "label", "properties", "reader")
_TYPES = (*CHECKS, "text", "entity")


@dataclass(frozen=True, slots=True)
class Column:
    """What a column's cells are."""

    name: str
    type: str = "text"
    """``text``, ``entity``, or a type of ``values.CHECKS``; else an IRI of a type, whose values are not checked."""
    language: str = ""
    split: str = ""
    """What stands between several values in a cell; empty: a cell is one."""
    within: str = ""
    """What stands before an entity's name."""
    where: str = field(default="", repr=False, compare=False)
    """File, line and path."""


@dataclass(frozen=True, slots=True)
class TableMapping:
    """How a table's rows are facts."""

    id: Column
    classes: tuple[Entity | Column, ...]
    labels: tuple[Column, ...]
    properties: tuple[tuple[Entity, Column], ...]
    reader: Any = None
    """The reader of the table, as a recipe names it; None: by the file's name."""

    @property
    def version(self) -> str:
        """Changes where it says something else of a table."""
        return hash_json(repr(self))[:16]

    @property
    def columns(self) -> tuple[Column, ...]:
        """Every column that is used."""
        return (
            self.id,
            *(each for each in self.classes if isinstance(each, Column)),
            *self.labels,
            *(column for _, column in self.properties),
        )


class MappingError(DataError):
    """A mapping that is none. Holds every fault found."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = tuple(faults)
        head = [] if len(faults) == 1 else [f"The mapping has {len(faults)} faults:"]
        super().__init__("\n".join(head + [str(fault) for fault in faults]))


def mapping_of(given: Any, lines: Lines, file: str, names: Names) -> TableMapping:
    """The mapping that a YAML file holds.

    Args:
        given: Its value.
        lines: Line of each key.
        file: Its name, for messages.
        names: What names in it stand for.

    Raises:
        MappingError: All that is wrong, each with line and key.
    """
    reading = _Reading(lines, file, names)
    found = reading.mapping(given)
    if reading.faults or found is None:
        raise MappingError(reading.faults)
    return found


class _Reading:
    def __init__(self, lines: Lines, file: str, names: Names) -> None:
        self.faults: list[Fault] = []
        self._lines, self._file, self._names = lines, file, names

    def mapping(self, given: Any) -> TableMapping | None:
        if not isinstance(given, Mapping):
            self._fault((), f"a mapping is keys with values ({', '.join(_KEYS)}), given {given!r}.")
            return None
        self._unknown(given, (), _KEYS)
        id_ = Column("")
        if given.get("id") is None:
            said = "`id` is missing: the column whose cell names the row's thing."
            self._fault((), said, "Add a line `id: <column>`.")
        else:
            id_ = self._column(given["id"], ("id",), ("column", "as"))
        classes = [self._class(each, path) for each, path in self._several(given, "class")]
        keys = ("column", "language", "split")
        labels = [self._column(each, path, keys) for each, path in self._several(given, "label")]
        properties = self._properties(given.get("properties") or {})
        if not (classes or labels or properties) and not self.faults:
            self._fault((), "it says nothing of a row's thing.", "Add `class`, `label` or `properties`.")
        return TableMapping(id_, tuple(filter(None, classes)), tuple(labels), tuple(properties), given.get("reader"))

    def _several(self, given: Mapping[str, Any], key: str) -> Iterator[tuple[Any, tuple[str | int, ...]]]:
        value = given.get(key)
        if isinstance(value, list):
            yield from ((each, (key, place)) for place, each in enumerate(value))
        elif value is not None:
            yield value, (key,)

    def _class(self, given: Any, path: tuple[str | int, ...]) -> Entity | Column | None:
        if isinstance(given, Mapping):
            return self._column(given, path, ("column", "split", "as"))
        return self._named(given, path, "a class")

    def _properties(self, given: Any) -> list[tuple[Entity, Column]]:
        if not isinstance(given, Mapping):
            self._fault(("properties",), f"properties are names with columns, given {given!r}.")
            return []
        found = []
        for name, value in given.items():
            path = ("properties", str(name))
            named = self._named(name, path, "a property")
            for each, own in self._listed(value, path):
                column = self._column(each, own, ("column", "type", "language", "split", "as"))
                if named is not None:
                    found.append((named, column))
        return found

    @staticmethod
    def _listed(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[Any, tuple[str | int, ...]]]:
        if isinstance(value, list):
            yield from ((each, (*path, place)) for place, each in enumerate(value))
        else:
            yield value, path

    def _column(self, given: Any, path: tuple[str | int, ...], allowed: tuple[str, ...]) -> Column:
        where = self._where(path)
        if not isinstance(given, Mapping):
            if not isinstance(given, str | int) or given == "":
                self._fault(path, f"name a column, given {given!r}.")
            return Column(str(given), where=where)
        self._unknown(given, path, allowed)
        if not given.get("column"):
            self._fault(path, "`column` is missing.", "Name the table's column.")
        texts = {}
        for key in ("type", "language", "split", "as"):
            value = given.get(key, "")
            if not isinstance(value, str):
                self._fault((*path, key), f"must be a text, given {value!r}.")
                value = ""
            texts[key] = value
        type_ = self._type(texts["type"] or "text", (*path, "type"))
        if texts["language"] and type_ != "text":
            said = f"only texts have a language; the type is {type_!r}."
            self._fault((*path, "language"), said, "Remove one of both.")
        if texts["language"] and not is_language(texts["language"]):
            said = f"{texts['language']!r} is no language tag."
            self._fault((*path, "language"), said, "Give one such as en, zh-hans.")
        within = self._within(texts["as"], path, type_)
        return Column(str(given.get("column", "")), type_, texts["language"].lower(), texts["split"], within, where)

    def _type(self, given: str, path: tuple[str | int, ...]) -> str:
        if given in _TYPES:
            return given
        short = given.removeprefix("xsd:")
        if short in CHECKS:
            return short
        if ":" in given:
            found = self._named(given, path, "a type")
            return found.iri if found else "text"
        self._fault(path, f"{given!r} is no type. {near_miss(given, _TYPES)}Allowed: {', '.join(_TYPES)}, or an IRI.")
        return "text"

    def _within(self, given: str, path: tuple[str | int, ...], type_: str) -> str:
        if not given:
            return ""
        if "type" in path or (path[0] == "properties" and type_ != "entity"):
            self._fault((*path, "as"), "only things are named; the type is not `entity`.", "Add `type: entity`.")
        if not given.endswith("{}") or given.count("{}") != 1:
            said = f"{given!r} must end in {{}}, where the cell goes."
            self._fault((*path, "as"), said, 'Give one such as "drug/{}".')
        return given.removesuffix("{}")

    def _named(self, given: Any, path: tuple[str | int, ...], what: str) -> Entity | None:
        try:
            return entity_of(str(given), self._names)[0]
        except DataError as fault:
            self._fault(path, f"{given!r} names {what}, but {fault}.")
            return None

    def _unknown(self, given: Mapping[Any, Any], path: tuple[str | int, ...], allowed: tuple[str, ...]) -> None:
        for key in given:
            if key not in allowed:
                hint = near_miss(str(key), allowed)
                self._fault((*path, str(key)), f"no key {key!r} is known here. {hint}Allowed: {', '.join(allowed)}.")

    def _fault(self, path: tuple[str | int, ...], message: str, mend: str = "") -> None:
        self.faults.append(Fault(self._where(path), message, mend))

    def _where(self, path: tuple[str | int, ...]) -> str:
        near = path
        while near and near not in self._lines:
            near = near[:-1]
        line = self._lines.get(near)
        return f"{self._file}{'' if line is None else f':{line}'} {'.'.join(map(str, path))}".rstrip()


def datatype_of(type_: str) -> str:
    """The IRI of a column's type."""
    if type_ == "text":
        return XSD + "string"
    return XSD + type_ if type_ in CHECKS else type_
