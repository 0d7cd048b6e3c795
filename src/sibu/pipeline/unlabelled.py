"""Rows without a label: what is wrong with them, which of them are new, and how they come behind the training rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sibu.core.example import DataFault, Faults
from sibu.core.protocols import Task
from sibu.pipeline.augment import joined
from sibu.pipeline.data import Origin, Rows, read_unlabelled
from sibu.pipeline.gate import input_key, inputs_read
from sibu.pipeline.mixed import Mixed, columns_of, sensed
from sibu.pipeline.progress import Progress
from sibu.store.atomic import new_file


def look_unlabelled(files: Sequence[str], origin: Origin, task: Any, faults: Faults, *, texts: bool) -> None:
    """Note what is wrong with rows that only teach without a label.

    Args:
        files: Where they stand.
        origin: How a task's rows are read.
        task: The task, which knows what its inputs must be.
        faults: Takes what is found.
        texts: Whether they have texts alone: what another modality lacks shows when it is read.
    """
    rows, own = read_unlabelled(files, origin)
    faults.join(own)
    for chunk in rows.chunks() if texts else ():
        for file, line, row in chunk:
            for kind, severity, message, mend in task.check(row, ()):
                if severity == "error":
                    faults.add(DataFault(kind, severity, file, line, message, mend))


def keep_known(folder: Path, task: str, keys: Sequence[np.ndarray]) -> None:
    """Write the keys of the inputs of all of a task's splits, for ``known_in``."""
    folder.mkdir(parents=True, exist_ok=True)
    with new_file(folder / f"{task}.npy") as temporary, temporary.open("wb") as out:
        np.save(out, np.unique(np.concatenate(keys)))


def known_in(folder: Path, task: str) -> set[int]:
    """The keys that ``keep_known`` wrote."""
    return set(np.load(folder / f"{task}.npy").tolist())


def new_rows(rows: Rows, names: Sequence[str], there: set[int]) -> Rows:
    """The rows whose inputs are not among those that are there, each once.

    Args:
        rows: With their values read, which count by what is in them.
        names: The inputs (``inputs_read``).
        there: Keys of inputs (``input_key``); takes those of the rows.
    """
    taken = []
    for number, row in zip(rows.numbers.tolist(), rows, strict=True):
        if (key := input_key(row, names)) not in there:
            there.add(key)
            taken.append(number)
    return rows.subset(np.array(taken, np.int64))


def behind(
    rows: Rows, task: Task, text: Any, file: Path, known: Sequence[np.ndarray], made: str, progress: Progress
) -> tuple[Rows, int]:
    """The rows, and behind them those of a file whose inputs no split has, with how many these are."""
    columns = columns_of(task, text)
    if not isinstance(text, Mixed):
        return joined(rows, columns, file, known, made=made)
    # Values are the same by what is in them, which is known when their arrays are made.
    whole, _ = joined(rows.bare(), columns, file, (), made=made)
    whole = sensed(whole, text, Faults(), progress, what=made)
    numbers = whole.numbers
    there = set(np.concatenate(known).tolist()) if known else set()
    added = new_rows(whole.subset(numbers[numbers >= len(rows)]), inputs_read(task, text), there)
    return whole.subset(np.concatenate([numbers[numbers < len(rows)], added.numbers])), len(added)
