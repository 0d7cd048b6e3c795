"""Counts, sums and extremes of groups, exact whatever the order of the rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sibu.core.logic import Term, Value
from sibu.logic.closure.numbers import EXACT, Amounts, interned, worth
from sibu.logic.closure.relation import distinct, hashed
from sibu.logic.closure.runs import Places, pack
from sibu.logic.closure.terms import Ids, Terms

Mask = npt.NDArray[np.bool_]
Outcome = tuple[Ids, Mask]


def groups(columns: Sequence[Ids], size: int) -> tuple[Places, Places]:
    """Rows that are alike: the place of one of each sort, and which sort each row is of.

    Args:
        columns: What must be alike; without any all rows are.
        size: How many rows there are.
    """
    if not columns:
        return np.zeros(min(size, 1), np.intp), np.zeros(size, np.intp)
    key = columns[0].astype(np.int64)
    for column in columns[1:]:
        key = (np.unique(key, return_inverse=True)[1].astype(np.int64) << 32) | column
    _, first, group = np.unique(key, return_index=True, return_inverse=True)
    return first, group


def reduced(operator: str, parts: Sequence[Sequence[Ids]], items: int, size: int, terms: Terms) -> Outcome:
    """What an aggregate comes to in each group, and where it comes to something.

    Args:
        operator: ``count``, ``sum``, ``min``, ``max`` or ``mean``.
        parts: Rows of a group and its items, a column each; the same may come twice.
        items: How many items a row has.
        size: How many groups there are.
        terms: The terms' numbers; what is reckoned gets one.
    """
    columns = [np.concatenate([part[place] for part in parts] or [np.zeros(0, np.int32)]) for place in range(items + 1)]
    keys = pack(columns[0], columns[1]) if items == 1 else hashed(columns)
    places = distinct(keys, columns)
    places = places[np.argsort(columns[0][places], kind="stable")]
    group, ids = columns[0][places], columns[1][places]
    counts = np.bincount(group, minlength=size)
    if operator == "count":
        return interned(_all(counts.astype(np.int64)), terms)
    if operator in ("min", "max"):
        return _extreme(operator, group, ids, counts, terms)
    return interned(_total(operator, group, worth(ids, terms), counts), terms)


def _all(values: npt.NDArray[np.int64] | npt.NDArray[np.float64]) -> Amounts:
    return Amounts(values, np.ones(len(values), bool))


def _total(operator: str, group: Ids, numbers: Amounts, counts: npt.NDArray[np.intp]) -> Amounts:
    """Sums or means; none where an item is no number, and no mean of nothing."""
    there = np.ones(len(counts), bool)
    there[group[~numbers.there]] = False
    if operator == "mean":
        there &= counts > 0
    if numbers.values.dtype == np.int64 and float(np.abs(numbers.values, dtype=np.float64).sum()) < EXACT:
        sums = np.zeros(len(counts), np.int64)
        np.add.at(sums, group, np.where(numbers.there, numbers.values, 0))
        return Amounts(sums if operator == "sum" else sums / np.maximum(counts, 1), there)
    found = np.empty(len(counts), object)
    for place, own in _by_group(numbers.values.tolist(), counts):
        found[place] = _added(operator, own) if there[place] else None
    return Amounts(found, there & np.array([each is not None for each in found], bool))


def _added(operator: str, numbers: list[int | float]) -> int | float | None:
    try:
        total = sum(numbers) if all(isinstance(number, int) for number in numbers) else math.fsum(numbers)
        return total if operator == "sum" else total / len(numbers)
    except (ArithmeticError, ValueError):  # too large for a float; infinities of both signs
        return None


def _extreme(operator: str, group: Ids, ids: Ids, counts: npt.NDArray[np.intp], terms: Terms) -> Outcome:
    """The least or the greatest term; of several of one worth, such as 1 and 1.0, the one whose text comes first."""
    found = np.full(len(counts), -1, np.int32)
    numbers = worth(ids, terms)
    if len(ids) and numbers.values.dtype == np.int64 and numbers.there.all():
        starts = (np.cumsum(counts) - counts)[counts > 0]
        top = np.zeros(len(counts), np.int64)
        top[counts > 0] = (np.minimum if operator == "min" else np.maximum).reduceat(numbers.values, starts)
        places = np.flatnonzero(numbers.values == top[group])
        group, ids = group[places], ids[places]
        found[group] = ids
        alike = np.bincount(group, minlength=len(counts)) > 1
        group, ids = group[alike[group]], ids[alike[group]]
        counts = np.bincount(group, minlength=len(counts))
    best: Callable[..., Any] = min if operator == "min" else max
    for place, own in _by_group(ids.tolist(), counts):
        chosen = _best([terms[number] for number in own], best)
        if own:
            found[place] = -1 if chosen is None else terms.id(chosen)
    return found, found >= 0


def _best(terms: Sequence[Term], best: Callable[..., Any]) -> Term | None:
    """The best of terms that can all be compared with each other and themselves; else None."""
    values = [term for term in terms if isinstance(term, Value)]
    numbers = [value.number for value in values]
    if len(values) < len(terms) or not values:
        return None
    worths: list[Any]
    if all(number is None for number in numbers):
        orders = [value.order for value in values]
        if None in orders or len({order[0] for order in orders if order is not None}) > 1:
            return None
        worths = [order[1] for order in orders if order is not None]
    else:
        known = [number for number in numbers if number is not None and number == number]
        if len(known) < len(values):
            return None
        worths = known
    top = best(worths)
    return min((value for value, own in zip(values, worths, strict=True) if own == top), key=str)


def _by_group(values: list[Any], counts: npt.NDArray[np.intp]) -> list[tuple[int, list[Any]]]:
    """The values of each group; they stand group by group."""
    ends = np.cumsum(counts).tolist()
    return [(place, values[begin:end]) for place, (begin, end) in enumerate(zip([0, *ends], ends, strict=False))]
