"""CSV: one record a line, cells between commas, a cell in double quotes may hold anything.

The first line names the columns unless told. Every value is a text; an empty cell is an empty text. A record begins at
the line where its first cell begins. Source: RFC 4180; quotes are read strictly.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Reader


def _delimiter(given: str) -> str:
    if given in ('"', "\r", "\n"):
        raise ValueError(f"a delimiter is one character other than a quote or a line end, given {given!r}")
    return given


def distinct(given: tuple[str, ...]) -> tuple[str, ...]:
    """The names of columns, each given once and none of them empty."""
    if not given or not all(given) or len(set(given)) < len(given):
        raise ValueError(f"column names are distinct and not empty, given {list(given)}")
    return given


class CsvSpec(Spec):
    """Options of the CSV reader."""

    name: Literal["csv"] = "csv"
    delimiter: Annotated[str, Field(min_length=1, max_length=1), AfterValidator(_delimiter)] = ","
    """The character between two cells, such as `;`."""
    header: Annotated[tuple[str, ...], AfterValidator(distinct)] | None = None
    """The columns' names, for a file without a header line; null: the first line names them."""
    quote: Literal["double", "none"] = "double"
    """`double`: a cell in double quotes may hold delimiters, line breaks, and quotes written twice. `none`: a quote is
    a character like any other, and each line is a record."""


def build(spec: CsvSpec) -> Reader:
    """The reader of CSV files."""
    from sibu.readers.csv.read import read

    return partial(read, delimiter=spec.delimiter, header=spec.header, quote=spec.quote)


ENTRY = Entry(CsvSpec, build)
