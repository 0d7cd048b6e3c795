"""Columns that give the answer away: one alone tells the targets nearly perfectly, as no honest column does."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from sibu.modalities.table.cells import category, number
from sibu.train.seed import generator

SURE = 0.99
"""From this share of right answers on (of numbers: of their variance) a column is suspect."""
MOST = 20_000
"""Rows that are looked at."""
FEWEST = 20
"""Rows below which nothing can be said."""


def suspects(
    values: Sequence[Mapping[str, Any]],
    targets: Sequence[str | float],
    *,
    missing: Collection[str] = (),
    seed: int = 0,
) -> list[tuple[str, float]]:
    """Find columns that alone tell the targets of rows that they were not fitted to.

    Half of the rows is remembered: for each value of the column the most frequent label, or the mean of the numbers.
    The other half is answered by the nearest remembered value (of categories by the same one).

    Args:
        values: Rows of the table.
        targets: Their labels, or their numbers.
        missing: Texts that stand for a missing number.
        seed: Of the halves.

    Returns:
        Column and score, the highest first: the share of right labels where it is at least ``SURE`` and at most a
        fifth as far from 1 as always the most frequent label; of numbers the share of variance, at least ``SURE``.
    """
    rows = generator(seed, "suspects").permutation(len(values))[:MOST]
    if len(rows) < FEWEST:
        return []
    number_targets = all(isinstance(targets[row], int | float) and not isinstance(targets[row], bool) for row in rows)
    if number_targets:
        wanted = np.asarray([targets[row] for row in rows], float)
    else:
        wanted = np.unique([str(targets[row]) for row in rows], return_inverse=True)[1]
    least = SURE if number_targets else max(SURE, 1 - (1 - _most_frequent(wanted)) / 5)
    names = dict.fromkeys(name for row in rows for name in values[row])
    found = []
    for name in names:
        places = _places([values[row].get(name) for row in rows], missing)
        score = _score(places, wanted, number_targets=number_targets)
        if score >= least:
            found.append((name, score))
    return sorted(found, key=lambda each: (-each[1], each[0]))


def _most_frequent(labels: np.ndarray) -> float:
    return float(np.bincount(labels).max() / len(labels))


def _places(cells: Sequence[Any], missing: Collection[str]) -> tuple[np.ndarray, bool]:
    """The cells as numbers, and whether near ones are alike: numbers as they are, categories by name."""
    read = [number(cell, missing) for cell in cells]
    numbers = [found for found in read if found is not None]
    if len(numbers) == len(read) and not np.isnan(numbers).all():
        return np.asarray(numbers), True
    names = ["" if (name := category(cell)) is None else name for cell in cells]
    return np.unique(names, return_inverse=True)[1].astype(float), False


def _score(places: tuple[np.ndarray, bool], wanted: np.ndarray, *, number_targets: bool) -> float:
    """How well a column tells the second half from the first."""
    cells, near = places
    cells = np.where(np.isnan(cells), np.nanmin(cells) - 1e6 * (np.nanmax(cells) - np.nanmin(cells) + 1), cells)
    half = len(cells) // 2
    known, group = np.unique(cells[:half], return_inverse=True)
    rest = wanted[:half].mean() if number_targets else np.bincount(wanted[:half]).argmax()
    answers = _means(group, wanted[:half]) if number_targets else _majorities(group, wanted[:half])
    nearest = _nearest(known, cells[half:])
    said = answers[nearest]
    if not near:
        said = np.where(known[nearest] == cells[half:], said, rest)
    if not number_targets:
        return float((said == wanted[half:]).mean())
    spread = ((wanted[half:] - wanted[half:].mean()) ** 2).sum()
    return float(1 - ((said - wanted[half:]) ** 2).sum() / spread) if spread > 0 else 0.0


def _nearest(known: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """The place of the nearest of the known values, which ascend."""
    after = np.searchsorted(known, cells).clip(0, len(known) - 1)
    before = (after - 1).clip(0)
    return np.where(np.abs(cells - known[before]) <= np.abs(known[after] - cells), before, after)


def _majorities(group: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Of each group the most frequent label."""
    counts = np.zeros((group.max() + 1, labels.max() + 1), np.int64)
    np.add.at(counts, (group, labels), 1)
    found: np.ndarray = counts.argmax(1)
    return found


def _means(group: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Of each group the mean target."""
    found: np.ndarray = np.bincount(group, targets) / np.bincount(group)
    return found
