"""What the gate finds in values of all rows together: columns that tell the label, pictures that show the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from sibu.core.example import DataFault, Faults
from sibu.core.protocols import as_fault
from sibu.media.pictures import near_hashes
from sibu.pipeline.data import Rows
from sibu.pipeline.mixed import Mixed

NEAR = 4
"""Bits of 64 by which pictures differ that show the same."""


def remarks(text: Any, rows: Rows, faults: Faults) -> None:
    """What the training values of each modality have as a whole, such as a column that never changes: told once."""
    for field, modality in text.values.items() if isinstance(text, Mixed) else ():
        own = Faults()
        for found in getattr(modality, "remarks", tuple)():
            own.add(as_fault(found, rows.files[0], None))
        faults.join_once(own, f"{field} {modality.key}")
        if hasattr(modality, "strays"):
            _strays(field, modality, rows, faults)


def _strays(field: str, modality: Any, rows: Rows, faults: Faults) -> None:
    """Columns of a table that some cells keep from what the others are: told once, with the rows of these cells."""
    places: list[tuple[str, int]] = []

    def values() -> Iterator[tuple[str, Any]]:
        for file, line, row in (place for chunk in _whole(rows).chunks() for place in chunk):
            if row.get(field) is not None:
                places.append((file, line))
                yield (f"line {line:,}" if len(rows.files) == 1 else f"{file}:{line}"), row[field]

    for number, found in modality.strays(values()):
        fault, own = as_fault(found, *places[number]), Faults()
        own.add(fault)
        faults.join_once(own, str(fault))


def _whole(rows: Rows) -> Rows:
    """All rows of the files, as modalities learn from them: also those that are held out of them."""
    return replace(rows.bare(), chosen=None)


def telling_columns(task: str, text: Any, rows: Rows, target: str, faults: Faults) -> None:
    """Columns of a table that alone tell nearly every label: they may hold what is known only afterwards."""
    if not isinstance(text, Mixed):
        return
    for field, modality in text.values.items():
        if not hasattr(modality, "suspects"):
            continue
        plain = [row for row in replace(rows, kept={}) if row.get(field) is not None and row.get(target) is not None]
        targets = [row[target] for row in plain]
        if not all(isinstance(each, str | float) for each in targets):
            continue
        for column, score in modality.suspects([row[field] for row in plain], targets):
            message = f"the column {column!r} alone tells {score:.1%} of what is to be learned ({task})."
            mend = "Leave it out if it is known only once the answer is."
            faults.add(DataFault("telling column", "warning", rows.files[0], None, message, mend))


def near_pictures(task: str, text: Any, splits: Mapping[str, Rows], target: str, faults: Faults) -> None:
    """Pictures that show the same: in training with different labels, or in training and in another split.

    Of the very same file in training several rows may speak, each with a text of its own: that is told of other splits
    alone, and where the rows are the same as a whole it was told already.
    """
    for field in text.values if isinstance(text, Mixed) else ():
        owners: list[tuple[str, int]] = []
        hashes: list[int] = []
        digests: list[int] = []
        others: list[tuple[int, ...]] = []
        for split, rows in splits.items():
            kept = rows.kept[field]
            if kept.looks is None:
                continue
            there = [(place, number) for place, number in enumerate(rows.numbers) if kept.looks[number]]
            owners += [(split, place) for place, _ in there]
            hashes += [int(kept.looks[number]) for _, number in there]
            digests += [int(kept.digests[number]) for _, number in there]
            beside = [each for name, each in rows.kept.items() if name != field]
            others += [tuple(int(each.digests[number]) for each in beside) for _, number in there]
        if len(hashes) > 1:
            found = near_hashes(np.array(hashes, np.uint64), NEAR)
            near = [(owners[a], owners[b]) for a, b in found if digests[a] != digests[b]]
            _tell(task, field, splits, target, near, faults)
            if len(text.values) > 1 or text.inner is not None:
                same = {
                    (owners[a], owners[b]): others[a] == others[b]
                    for a, b in found
                    if digests[a] == digests[b] and owners[a][0] != owners[b][0]
                }
                _tell(task, field, splits, target, list(same), faults, whole=same)


def _tell(
    task: str,
    field: str,
    splits: Mapping[str, Rows],
    target: str,
    pairs: list[tuple[tuple[str, int], tuple[str, int]]],
    faults: Faults,
    whole: Mapping[tuple[tuple[str, int], tuple[str, int]], bool] | None = None,
) -> None:
    """A fault for each row whose picture another one's is like, once a row.

    Args:
        task: Whose rows they are.
        field: The picture's column.
        splits: All rows.
        target: The column that is to be told.
        pairs: Rows whose pictures are alike.
        faults: Where to tell it.
        whole: Of pictures that are the very same: whether all beside the texts is the same too; None: they are not.
    """
    how = "nearly the same" if whole is None else "the same"
    wanted = {place for pair in pairs for place in pair if "train" in (pair[0][0], pair[1][0])}
    rows = {
        (split, place): each
        for split, own in splits.items()
        for place, each in enumerate(entry for chunk in own.chunks() for entry in chunk)
        if (split, place) in wanted
    }
    told: set[tuple[str, int]] = set()
    for one, two in pairs:
        first, second = (one, two) if one[0] == "train" else (two, one)
        if first[0] != "train" or second in told:
            continue
        (file, line, row), (other, earlier, twin) = rows[second], rows[first]
        if whole is not None and whole[one, two] and row.get("text") == twin.get("text"):
            continue  # the row as a whole was told
        if second[0] != "train":
            message = f"{how} {field} is in the training data ({other}:{earlier}; {task}, {second[0]})."
            faults.add(DataFault("near leak", "warning", file, line, message, "Look at both; keep one."))
            told.add(second)
        elif row.get(target) != twin.get(target):
            message = f"{how} {field} as line {earlier} of {other}, with another target ({task})."
            mend = "Decide which is right, mend both."
            faults.add(DataFault("conflicting labels", "warning", file, line, message, mend))
            told.add(second)
