"""Files that a user gives, as facts."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sibu.core.errors import DataError, counted
from sibu.core.logic import Triple

if TYPE_CHECKING:
    from sibu.core.example import Faults
    from sibu.core.names import Names
    from sibu.graph.formats import Format
    from sibu.graph.mapping import TableMapping


def table_facts(
    file: Path, names: Names, format_: str | None, mapping: TableMapping | None, name: str
) -> Iterator[tuple[Triple, int]] | None:
    """The facts of a table with their rows, numbered from 1; None: the file is RDF.

    Args:
        file: The file.
        names: How its names are read.
        format_: Its format; None: by its name.
        mapping: How its rows are facts; None: it has three columns, head, relation and tail.
        name: Of the document that it is.

    Raises:
        DataError: When it is not what it is said to be; when it is read, for what is wrong in it.
    """
    from sibu.core.example import Faults
    from sibu.graph import tables
    from sibu.graph.formats import format_of, opened

    form = format_of(file, format_)
    if form.rdf:
        if mapping is not None:
            raise DataError(f"{file} is {form.name}, which needs no mapping.")
        return None
    with opened(file) if form.name != "parquet" else _there(file):
        pass
    faults = Faults()
    if mapping is not None:
        rows = _reader(form, mapping.reader)(str(file), faults)
        uniform = form.name != "jsonl"
        return _sound(tables.facts(rows, mapping, names, name, faults, uniform=uniform), faults)
    if form.name in ("jsonl", "parquet"):
        raise DataError(f"{file} is a table; say by a mapping how its rows are facts (`--mapping FILE`).")
    columns, rows = _three(file, form, faults)
    return _sound(tables.triples(rows, columns, names, name, faults), faults)


def _there(file: Path) -> Any:
    """A context that holds nothing.

    Raises:
        DataError: When there is no such file.
    """
    from contextlib import nullcontext

    if not file.is_file():
        raise DataError(f"There is no file {file}.")
    return nullcontext()


def _sound(facts: Iterable[tuple[Triple, int]], faults: Faults) -> Iterator[tuple[Triple, int]]:
    """The facts; at the end what was wrong, which stops the change they are part of."""
    yield from facts
    if number := faults.number("error"):
        listed = faults.first_errors(where="")
        raise DataError(f"{listed}\n{counted(number, 'fault')}; nothing was loaded.")


def _reader(form: Format, given: Any) -> Callable[[str, Faults], Iterator[tuple[int, dict[str, Any]]]]:
    from sibu.readers import READERS

    spec = READERS.spec(given or form.name)
    found: Callable[[str, Faults], Iterator[tuple[int, dict[str, Any]]]] = READERS.of(spec).build(spec)
    return found


def _three(file: Path, form: Format, faults: Faults) -> tuple[list[str], Iterator[tuple[int, dict[str, Any]]]]:
    """The columns of a table of triples, head, relation and tail, and its rows; its first line may name them."""
    from sibu.graph.formats import opened
    from sibu.graph.tables import HEADERS, is_header, named

    with opened(file) as content:
        first = content.readline().decode("utf-8-sig", "replace").strip("\r\n")
    plain = form.name == "tsv"  # quotation marks are signs like others
    kind: dict[str, Any] = {"delimiter": "\t", "quoting": csv.QUOTE_NONE} if plain else {}
    cells = next(csv.reader([first], **kind), [])
    ends = plain or first.count('"') % 2 == 0  # no cell goes on in the next line
    if first and len(cells) != 3 and ends:
        said = f"{file}:1: a triple has 3 cells, this line has {len(cells)} ({first[:80]!r})"
        raise DataError(f"{said}. Where it is a table of things, say by a mapping how its rows are facts.")
    quote = {"quote": "none"} if plain else {}
    if not is_header(cells):
        header = ["head", "relation", "tail"]
        return header, _reader(form, {"name": form.name, "header": header, **quote})(str(file), faults)
    known = {named(cell): cell for cell in cells}
    columns = next([known[name] for name in own] for own in HEADERS if set(own) == set(known))
    return columns, _reader(form, {"name": form.name, **quote})(str(file), faults)


def mapping_file(file: str | Path, names: Names) -> TableMapping:
    """How a table's rows are facts.

    Raises:
        DataError: When the file cannot be read.
        SibuError: For what is wrong in it.
    """
    from sibu.graph.formats import opened
    from sibu.graph.mapping import mapping_of
    from sibu.recipe.yaml import parse

    with opened(Path(file)) as content:
        try:
            text = content.read().decode()
        except UnicodeDecodeError as fault:
            raise DataError(f"{file} is not UTF-8, from byte {fault.start + 1} on. Convert it.") from fault
    value, lines = parse(text, str(file))
    return mapping_of(value, lines, str(file), names)
