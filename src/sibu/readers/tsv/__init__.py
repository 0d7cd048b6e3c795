"""TSV: one record a line, cells between tabs, quotes are characters like any other.

The first line names the columns unless told. Every value is a text; an empty cell is an empty text. Many data sets of
this form (MRPC, for one) hold quotes that open and never close, so quoting is off unless told.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator

from sibu.catalog import Entry, Spec
from sibu.readers.csv import distinct

if TYPE_CHECKING:
    from sibu.core.protocols import Reader


class TsvSpec(Spec):
    """Options of the TSV reader."""

    name: Literal["tsv"] = "tsv"
    header: Annotated[tuple[str, ...], AfterValidator(distinct)] | None = None
    """The columns' names, for a file without a header line; null: the first line names them."""
    quote: Literal["double", "none"] = "none"
    """`none`: a quote is a character like any other, and each line is a record. `double`: a cell in double quotes may
    hold tabs, line breaks, and quotes written twice, as spreadsheets and pandas write it."""


def build(spec: TsvSpec) -> Reader:
    """The reader of TSV files."""
    from sibu.readers.csv.read import read

    return partial(read, delimiter="\t", header=spec.header, quote=spec.quote)


ENTRY = Entry(TsvSpec, build)
