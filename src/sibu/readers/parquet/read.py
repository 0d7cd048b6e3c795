"""The rows of a Parquet file, batch by batch."""

from collections.abc import Iterator

import pyarrow as pa
from pyarrow.parquet import ParquetFile

from sibu.core.errors import DataError
from sibu.core.example import Faults, as_names
from sibu.core.protocols import Record
from sibu.readers._arrow import rows
from sibu.readers._files import file_at, no_records

_ROWS = 4096


def read(path: str, faults: Faults) -> Iterator[Record]:
    """Yield each row with its number from 1; rows with a value that Python cannot hold are counted and skipped.

    Raises:
        DataError: When the file is missing, is not Parquet, is damaged, or has two columns of one name.
    """
    place = file_at(path)
    start = 1
    try:
        with ParquetFile(place) as file:
            _refuse_twins(path, file.schema_arrow.names)
            for batch in file.iter_batches(batch_size=_ROWS):
                yield from rows(batch, start, path, faults)
                start += batch.num_rows
    except (pa.ArrowException, OSError) as fault:
        if start > 1:
            raise DataError(f"{path} is damaged after row {start - 1}: {fault} Copy or write it again.") from fault
        mend = "Write it with pandas' to_parquet or pyarrow, or name its format with `reader:`."
        raise DataError(f"{path} is not a Parquet file that can be read: {fault} {mend}") from fault
    if start == 1:
        faults.add(no_records(path))


def _refuse_twins(path: str, names: list[str]) -> None:
    if twice := sorted({name for name in names if names.count(name) > 1}):
        mend = "Rename one of each before writing."
        raise DataError(f"{path} has more than one column named {as_names(twice)}; names are distinct. {mend}")
