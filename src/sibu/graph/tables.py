"""Rows of a table as facts, each with its row: by a mapping, or as heads, relations and tails."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from functools import lru_cache, partial
from typing import Any

from sibu.core.errors import DataError, near_miss
from sibu.core.example import DataFault, Faults
from sibu.core.logic import TYPE, Entity, Term, Triple, Value
from sibu.core.names import RDF, RDFS, Names
from sibu.graph._rdf import to_rdf
from sibu.graph.cells import entity_of, term_of
from sibu.graph.folder import said_value
from sibu.graph.mapping import Column, TableMapping, datatype_of
from sibu.graph.values import CHECKS, texts_of

LABEL = Entity(RDFS + "label")
Row = tuple[int, dict[str, Any]]
Fact = tuple[Triple, int]
"""A fact, and the row that states it."""
HEADERS = (
    ("head", "relation", "tail"),
    ("subject", "predicate", "object"),
    ("h", "r", "t"),
    ("s", "p", "o"),
    ("source", "relation", "target"),
)
"""Names of the three columns by which a table of triples is known, in whatever order and case they stand."""


def is_header(cells: list[str]) -> bool:
    """Whether a line of three cells names its columns."""
    return len(cells) == 3 and any(sorted(map(named, cells)) == sorted(own) for own in HEADERS)


def named(cell: str) -> str:
    """A column's name without blanks, case and quotation marks."""
    return cell.strip().strip('"').strip().lower()


def triples(rows: Iterable[Row], columns: list[str], names: Names, file: str, faults: Faults) -> Iterator[Fact]:
    """The facts of rows of three cells, in the order of ``columns``: head, relation, tail.

    A cell is a name, or a value in N-Triples' form; what cannot be read is a fault.
    """
    thing_of = lru_cache(1 << 16)(partial(entity_of, names=names))
    any_of = lru_cache(1 << 16)(partial(term_of, names=names))
    for number, row in rows:
        try:
            head, label = thing_of(row[columns[0]])
            relation, name = thing_of(row[columns[1]])
            tail, other = any_of(row[columns[2]])
            if relation.iri.startswith("_:"):
                raise DataError("has a relation without a name of its own")
        except DataError as fault:
            told = "A cell " + str(fault).rstrip(".") + f": {said_value([row[each] for each in columns])}."
            faults.add(DataFault("no fact", "error", file, number, told, "Mend or remove it."), skips_row=True)
            continue
        yield Triple(head, relation, tail), number
        for thing, said in ((head, label), (relation, name), (tail, other)):
            if said and isinstance(thing, Entity):
                yield Triple(thing, LABEL, Value(said)), number


def facts(
    rows: Iterable[Row], mapping: TableMapping, names: Names, file: str, faults: Faults, *, uniform: bool
) -> Iterator[Fact]:
    """The facts of a table's rows; a cell that is not of its type is a fault, and so is a column that is not there.

    Args:
        rows: Number and cells of each.
        mapping: What they are.
        names: What names stand for.
        file: The table, for messages.
        faults: Takes what is wrong.
        uniform: Whether every row has the same columns, so that the first tells what is missing.
    """
    seen: dict[str, None] = {}
    for number, row in rows:
        if uniform and not seen:
            seen.update(dict.fromkeys(row))
            _missing(mapping, seen, file)
        seen.update(dict.fromkeys(row))
        found: list[Triple] = []
        for problem in _of_row(row, mapping, names, found):
            faults.add(DataFault("no value", "error", file, number, problem, "Mend the cell."), skips_row=True)
        for triple in found:
            yield triple, number
    if seen:
        _missing(mapping, seen, file)


def _missing(mapping: TableMapping, seen: Iterable[str], file: str) -> None:
    known = list(seen)
    said = [
        f"{each.where}: {file} has no column {each.name!r}. {near_miss(each.name, known)}It has: {', '.join(known)}."
        for each in mapping.columns
        if each.name not in known
    ]
    if said:
        raise DataError("\n".join([*said, "Nothing was loaded."]))


def _of_row(row: dict[str, Any], mapping: TableMapping, names: Names, found: list[Triple]) -> Iterator[str]:
    """What is wrong with a row's cells; what is right goes into ``found``."""
    things = yield from _terms(row, mapping.id, "entity", names, found)
    if not things:
        yield f"The column {mapping.id.name!r} is empty, which names the row's thing."
        return
    if len(things) > 1 or not isinstance(things[0], Entity):
        yield f"The column {mapping.id.name!r} must name one thing, given {said_value(row[mapping.id.name])}."
        return
    thing = things[0]
    for kind in mapping.classes:
        if isinstance(kind, Entity):
            found.append(Triple(thing, TYPE, kind))
            continue
        classes = yield from _terms(row, kind, "entity", names, found)
        found += [Triple(thing, TYPE, each) for each in classes]
    for column in mapping.labels:
        labels = yield from _terms(row, column, "text", names, found)
        found += [Triple(thing, LABEL, each) for each in labels]
    for named, column in mapping.properties:
        values = yield from _terms(row, column, column.type, names, found)
        found += [Triple(thing, named, each) for each in values]


def _terms(
    row: dict[str, Any], column: Column, type_: str, names: Names, found: list[Triple]
) -> Generator[str, None, list[Term]]:
    """The terms in a cell; yields what is wrong with it, and returns those that are right."""
    terms: list[Term] = []
    try:
        texts = texts_of(row.get(column.name), column.split)
    except DataError as fault:
        yield f"The column {column.name!r} {fault}."
        return terms
    for text in texts:
        try:
            if type_ == "entity":
                thing, label = entity_of(text, names, column.within)
                terms.append(thing)
                if label:
                    found.append(Triple(thing, LABEL, Value(label)))
            else:
                terms.append(_value(text, column))
        except ValueError as fault:
            yield f"The column {column.name!r} must hold {fault}, given {said_value(text)}."
        except DataError as fault:
            yield f"The column {column.name!r} {str(fault).rstrip('.')}: {said_value(text)}."
    return terms


def _value(text: str, column: Column) -> Value:
    if column.language:
        value = Value(text, RDF + "langString", column.language)
    else:
        check = CHECKS.get(column.type)
        value = Value(check(text.strip()) if check else text, datatype_of(column.type))
    to_rdf(value)
    return value
