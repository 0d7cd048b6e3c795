"""Parquet: one row a record, read in batches of 4,096.

Lists and structs become lists and objects. Rows are counted from 1. Source: https://parquet.apache.org.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Reader


class ParquetSpec(Spec):
    """Options of the Parquet reader: none."""

    name: Literal["parquet"] = "parquet"


def build(spec: ParquetSpec) -> Reader:  # noqa: ARG001  (every part is built from its spec)
    """The reader of Parquet files."""
    from sibu.readers.parquet.read import read

    return read


ENTRY = Entry(ParquetSpec, build, needs=("pyarrow",))
