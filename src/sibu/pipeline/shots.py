"""A few rows of each label, drawn by the seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from sibu.core.errors import Fault, RecipeError, counted
from sibu.core.example import Row, as_names
from sibu.pipeline.data import Rows
from sibu.train.seed import generator


def kinds(row: Row) -> set[str]:
    """The labels that a row is an example of; none where its target is no label."""
    label = row.get("label")
    if isinstance(label, str | list):
        return {label} if isinstance(label, str) else set(label)
    if row.get("tags") is not None:
        return {tag.partition("-")[2] for tag in row["tags"] if tag != "O"}
    spans = row["relations"] if row.get("relations") is not None else row.get("entities") or ()
    return {str(span["label"]) for span in spans}


def draw_shots(rows: Rows, shots: int, *, seed: int, where: str) -> Rows:
    """Rows such that each label has so many; where rows have several labels, no more rows than that takes.

    Labels are served from the rarest on, each with rows in the order that the seed gives (Yang and Katiyar, 2020,
    arXiv:2010.02405). Of rows without labels so many are drawn in all.

    Args:
        rows: To draw from.
        shots: Rows of each label.
        seed: Of the draws.
        where: What the recipe calls it, for faults.

    Raises:
        RecipeError: When a label has fewer rows.
    """
    by_row = [kinds(row) for row in rows]
    there = Counter(label for own in by_row for label in own)
    order = generator(seed, "shots").permutation(len(by_row))
    if not there:
        _require({"": len(by_row)}, shots, where)
        return _subset(rows, order[:shots])
    _require(there, shots, where)
    chosen: set[int] = set()
    counts: Counter[str] = Counter()
    for label, _ in sorted(there.items(), key=lambda item: (item[1], item[0])):
        for place in order.tolist():
            if counts[label] >= shots:
                break
            if label in by_row[place] and place not in chosen:
                chosen.add(place)
                counts.update(by_row[place])
    return _subset(rows, np.array(sorted(chosen)))


def _require(there: dict[str, int], shots: int, where: str) -> None:
    few = {label: count for label, count in sorted(there.items()) if count < shots}
    if not few:
        return
    if "" in few:
        what = f"{shots} rows are asked for, and there are {few['']}."
    else:
        names = as_names(few)
        what = f"{counted(len(few), 'label')} of {len(there)} ({names}) have fewer than {shots} rows."
    mend = f"Lower it to {max(min(few.values()), 1)}, or give more rows."
    raise RecipeError(Fault(where, what, mend))


def _subset(rows: Rows, places: Iterable[int] | np.ndarray) -> Rows:
    numbers = np.asarray(places, dtype=np.int64)
    return rows.subset(numbers if rows.chosen is None else rows.chosen[numbers])
