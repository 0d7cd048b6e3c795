"""The rows of a Hugging Face data set, in Arrow batches."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from datasets import ClassLabel, DatasetDict, LargeList, List, disable_progress_bars, load_dataset, load_from_disk

from sibu.core.errors import DataError, near_miss
from sibu.core.example import Faults
from sibu.core.protocols import Record
from sibu.readers._arrow import rows
from sibu.readers._files import no_records
from sibu.readers.datasets import HUB, MARKS

_ROWS = 4096
_NAME = re.compile(r"(?P<name>[^/:]+(?:/[^/:]+)?)(?:/(?P<config>[^/:]+))?(?::(?P<split>.+))?")
Convert = Callable[[Any], Any]


def read(path: str, faults: Faults, *, split: str | None, config: str | None) -> Iterator[Record]:
    """Yield each row with its number from 1.

    Args:
        path: A folder that ``save_to_disk`` wrote, or ``datasets:owner/name[/config][:split]``.
        faults: Collects what is wrong.
        split: The split where the path names none.
        config: The Hub data set's configuration where the path names none.

    Raises:
        DataError: When the folder is missing or of another kind, the Hub name is unknown or cannot be reached, or the
            split is not there.
    """
    data = _from_hub(path, split, config) if path.startswith(HUB) else _from_folder(path, split)
    converts = {name: convert for name, feature in data.features.items() if (convert := _convert(feature))}
    start = 1
    # Arrow tables hold images and sound as they were saved; rows would decode them.
    for table in data.with_format("arrow").iter(batch_size=_ROWS):
        for number, row in rows(table, start, path, faults):
            for name, convert in converts.items():
                row[name] = convert(row[name])
            yield number, row
        start += table.num_rows
    if start == 1:
        faults.add(no_records(path, "the split has no rows"))


def _from_folder(path: str, split: str | None) -> Any:
    place = Path(path).absolute()
    if not place.is_dir():
        hub = f"A data set on the Hub is named {HUB}owner/name:split."
        raise DataError(f"No folder at {place}; given {path!r}, looked in {place.parent}. {hub}")
    if not any((place / mark).is_file() for mark in MARKS):
        mend = "Save it with `datasets`: Dataset.save_to_disk(...)."
        raise DataError(f"{place} is no folder that `datasets` saved: it has none of {', '.join(MARKS)}. {mend}")
    try:
        data = load_from_disk(str(place))
    except Exception as fault:  # a foreign library's own kinds, pyarrow's among them; each means a damaged folder
        raise DataError(f"{place} cannot be read as a folder of `datasets`: {fault}. Save it again.") from fault
    if isinstance(data, DatasetDict):
        return _only(data, split, path, f"Name the folder of one, such as {path}/{next(iter(data), 'train')}")
    if split is not None:
        mend = f"Leave the option `split: {split}` out, or name the folder above it."
        raise DataError(f"{path} is a single split, given split {split!r}. {mend}")
    return data


def _from_hub(path: str, split: str | None, config: str | None) -> Any:
    match = _NAME.fullmatch(path.removeprefix(HUB))
    if match is None:
        allowed = f"{HUB}owner/name:split or {HUB}owner/name/config:split"
        raise DataError(f"{path!r} is no name of a data set on the Hub. Allowed: {allowed}.")
    split = match["split"] or split
    if not sys.stderr.isatty():
        disable_progress_bars()
    try:
        data = load_dataset(match["name"], match["config"] or config, split=split)
    except Exception as fault:  # network libraries, huggingface_hub and datasets each raise their own kinds
        mend = (
            "Check its name, configuration and split; where the Hub cannot be reached, save it where it can "
            f"(load_dataset({match['name']!r}).save_to_disk('folder')), copy the folder here and name that."
        )
        raise DataError(f"{path!r} cannot be had from the Hub or its cache: {fault}. {mend}") from fault
    return _only(data, split, path, f"Name one, such as {path}:{next(iter(data))}") if split is None else data


def _only(data: Any, split: str | None, path: str, mend: str) -> Any:
    """The split that is asked for, or the only one."""
    if split is None and len(data) == 1:
        return next(iter(data.values()))
    if split in data:
        return data[split]
    given, near = ("none", "") if split is None else (repr(split), near_miss(split, data))
    has = f"{path} has the splits {', '.join(data)}, given {given}. {near}"
    raise DataError(f"{has}{mend}, or set the reader's option `split`.")


def _convert(feature: Any) -> Convert | None:
    """What turns a column's class numbers into their names; None where it holds none."""
    if isinstance(feature, ClassLabel):
        return _named(feature.names)
    if isinstance(feature, List | LargeList):
        inner = _convert(feature.feature)
        return inner and (lambda values: None if values is None else [inner(value) for value in values])
    if isinstance(feature, dict):
        parts = {key: convert for key, part in feature.items() if (convert := _convert(part))}
        return (lambda value: value and value | {key: parts[key](value[key]) for key in parts}) if parts else None
    return None


def _named(names: list[str]) -> Convert:
    """Class number to name. -1 is how ``datasets`` marks a row without a label; a number beyond stays for the gate."""

    def name(number: int | None) -> str | int | None:
        if number is None or number == -1:
            return None
        return names[number] if 0 <= number < len(names) else number

    return name
