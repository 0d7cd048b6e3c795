"""Arrays of unequal length on disk: written once in order, read anywhere without loading."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import copy
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np

from sibu.core.text import Feature


class RaggedWriter:
    """Appends records of named arrays to a folder, one file of values a name and one of ends.

    Args:
        folder: An empty folder.
        features: The names with their number types. An absent one in a record is stored as empty.
    """

    def __init__(self, folder: Path, features: Sequence[Feature]) -> None:
        self.folder = folder
        self.features = tuple(features)
        self._values: dict[str, BinaryIO] = {f.name: (folder / f"{f.name}.values").open("wb") for f in features}
        self._ends: dict[str, list[int]] = {f.name: [] for f in features}
        self._totals = dict.fromkeys(self._values, 0)
        self._counted = 0
        self._end_files: dict[str, BinaryIO] = {f.name: (folder / f"{f.name}.ends").open("wb") for f in features}

    def append(self, record: Mapping[str, np.ndarray]) -> None:
        """Add one record."""
        for feature in self.features:
            array = record.get(feature.name)
            if array is not None:
                self._values[feature.name].write(np.ascontiguousarray(array, dtype=_stored(feature.dtype)).tobytes())
                self._totals[feature.name] += array.size
            self._ends[feature.name].append(self._totals[feature.name])
        self._counted += 1
        if self._counted % 65536 == 0:
            self._write_ends()

    def _write_ends(self) -> None:
        for name, ends in self._ends.items():
            self._end_files[name].write(np.asarray(ends, dtype=np.int64).tobytes())
            ends.clear()

    def __enter__(self) -> RaggedWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._write_ends()
        for file in (*self._values.values(), *self._end_files.values()):
            file.close()
        table = [[f.name, f.dtype, f.per, f.pad, f.width] for f in self.features]
        (self.folder / "features.json").write_text(json.dumps({"count": self._counted, "features": table}))


def _stored(dtype: str) -> str:
    """Whole numbers take 32 bits on disk: no vocabulary or label set needs more."""
    return "int32" if dtype == "int64" else dtype


class RaggedArrays:
    """The records that a ``RaggedWriter`` wrote, mapped from disk.

    Args:
        folder: The folder it wrote to.
    """

    def __init__(self, folder: Path) -> None:
        table = json.loads((folder / "features.json").read_text())
        self.count: int = table["count"]
        self.features = tuple(Feature(*fields) for fields in table["features"])
        self._values: dict[str, np.ndarray] = {}
        self._ends: dict[str, np.ndarray] = {}
        for feature in self.features:
            values, ends = folder / f"{feature.name}.values", folder / f"{feature.name}.ends"
            dtype = _stored(feature.dtype)
            empty = values.stat().st_size == 0
            self._values[feature.name] = np.zeros(0, dtype) if empty else np.memmap(values, dtype, mode="r")
            self._ends[feature.name] = np.fromfile(ends, np.int64)
        self.present = tuple(feature for feature in self.features if len(self._values[feature.name]))
        """The features that at least one record has."""

    def __len__(self) -> int:
        return self.count

    def lengths(self, name: str) -> np.ndarray:
        """Length of each record's array. Shape ``(records,)``."""
        return np.diff(self._ends[name], prepend=0)

    def with_numbers(self, feature: Feature, numbers: np.ndarray) -> RaggedArrays:
        """The same records with some numbers more each, which are held in memory.

        Args:
            feature: Its name and type; by window.
            numbers: One a record, or as many. Shape ``(records,)`` or ``(records, K)``.
        """
        found = copy(self)
        found._values = self._values | {feature.name: numbers.astype(_stored(feature.dtype)).reshape(-1)}
        found._ends = self._ends | {feature.name: np.arange(1, len(numbers) + 1) * (numbers[:1].size or 1)}
        found.present = (*(known for known in self.present if known.name != feature.name), feature)
        return found

    def get(self, name: str, record: int) -> np.ndarray:
        """One record's array."""
        ends = self._ends[name]
        return self._values[name][(ends[record - 1] if record else 0) : ends[record]]

    def record(self, number: int) -> dict[str, np.ndarray]:
        """All arrays of one record by name; of features with several numbers a place as ``(T, width)``."""
        found = {each.name: self.get(each.name, number) for each in self.present}
        wide = {each.name: each.width for each in self.present if each.width > 1 and each.per == "token"}
        return {name: own.reshape(-1, wide[name]) if name in wide else own for name, own in found.items()}
