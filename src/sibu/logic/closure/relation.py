"""One relation: columns of terms, what is known of each row, and indexes over them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from sibu.logic.closure.growing import Growing
from sibu.logic.closure.runs import LOW, Keys, Places, Rows, Run, ordered, pack, sorted_run, tidied
from sibu.logic.closure.terms import Ids

Window = Literal["old", "new", "all"]
"""Rows from before a round, those that the round before brought, or both."""
Mask = npt.NDArray[np.bool_]
Span = tuple[Run, Places, Places]
CHUNK = 2_000_000
"""So many rows, or few more, are joined at a time."""


@dataclass(slots=True)
class Found:
    """Rows that fit: who asked for each, and what it holds."""

    left: Places
    """Who asked, by place."""
    columns: dict[int, Ids]
    """Terms of the columns that were not given."""
    rows: Rows | None
    """Their rows; None: they were not asked for."""


class Relation:
    """Rows of terms, added at the end and never moved; a row's number is its identity.

    A row that goes stays as a dead one until the closure is made compact. What is joined is told by a window: rows up
    to ``first`` are old, those from there on are new.

    Args:
        predicate: Number of its name.
        arity: How many terms a fact has.
        proofs: Whether each row's number is kept in all indexes, and how it was derived.
    """

    def __init__(self, predicate: int, arity: int, proofs: bool) -> None:
        self.predicate, self.arity, self.proofs = predicate, arity, proofs
        self.columns = [Growing(np.int32) for _ in range(arity)]
        self.asserted, self.dead = Growing(np.bool_), Growing(np.bool_)
        self.rule, self.place = Growing(np.int32), Growing(np.int32)
        """By which rule a row was derived (-1: by none), and where its premises stand among that rule's."""
        self.count = 0
        self.first = 0
        self.closed = 0
        """How many rows there were when all was closed last."""
        self.died: list[Rows] = []
        """Rows of then that have gone since."""
        self.dead_count = 0
        self._orders: dict[tuple[tuple[int, ...], bool], Order] = {}

    @property
    def narrow(self) -> bool:
        """Whether a key of 64 bits holds a whole row."""
        return self.arity <= 2

    def window(self, window: Window) -> tuple[int, int]:
        """The rows of a window: the first, and the one behind the last."""
        if window == "old":
            return 0, self.first
        return (self.first, self.count) if window == "new" else (0, self.count)

    def order(self, columns: tuple[int, ...], rows: bool = False) -> Order:
        """The index over some columns; ``rows``: with the numbers of the rows, whatever it has else."""
        rows = rows or self.proofs or not self.narrow
        found = self._orders.get((columns, rows))
        if found is None:
            found = self._orders[columns, rows] = Order(self, columns, rows)
        return found

    def keys(self, columns: Sequence[Ids], size: int) -> Keys:
        """A key for each row of some columns: of at most two exact, of more a hash."""
        if not columns:
            return np.zeros(size, np.int64)
        if len(columns) == 1:
            return columns[0].astype(np.int64)
        return pack(columns[0], columns[1]) if len(columns) == 2 else hashed(columns)

    def alive(self, rows: Rows) -> Rows:
        """Those of these rows that are not dead."""
        return rows[~self.dead.view[rows]] if self.dead_count else rows

    def living(self) -> Rows:
        """All rows that are not dead."""
        if self.dead_count:
            return np.flatnonzero(~self.dead.view).astype(np.int32)
        return np.arange(self.count, dtype=np.int32)

    def facts(self) -> tuple[Ids, ...]:
        """The columns of all rows that are not dead."""
        if not self.dead_count:
            return tuple(column.view for column in self.columns)
        rows = self.living()
        return tuple(column.view[rows] for column in self.columns)

    def append(self, columns: Sequence[Ids], size: int, asserted: bool) -> None:
        """Add rows that are not there, at the end; how they were derived is for the caller to tell."""
        for own, new in zip(self.columns, columns, strict=True):
            own.extend(new)
        self.asserted.fill(asserted, size)
        self.dead.fill(False, size)
        if asserted and self.proofs:
            self.rule.fill(-1, size)
            self.place.fill(-1, size)
        self.count += size

    def kill(self, rows: Rows) -> None:
        """Rows, each alive and named once, go."""
        self.dead.view[rows] = True
        self.asserted.view[rows] = False
        self.dead_count += len(rows)
        went = rows[rows < self.closed]
        if len(went):
            self.died.append(went)

    def compacted(self, rows: Rows) -> Relation:
        """Some of its rows, all alive, as a relation of their own."""
        made = Relation(self.predicate, self.arity, self.proofs)
        made.append([column.view[rows] for column in self.columns], len(rows), asserted=False)
        made.asserted.replace(self.asserted.view[rows])
        if self.proofs:
            made.rule.extend(self.rule.view[rows])
            made.place.extend(self.place.view[rows])
        return made

    # What is there.

    def find(self, columns: Sequence[Ids], keys: Keys) -> Rows:
        """The row of each fact that is there, -1 of others. Whose keys are in order are found quicker."""
        found = np.full(len(keys), -1, np.int32)
        for run in self.order(tuple(range(self.arity)), rows=True).runs("all"):
            assert run.rows is not None
            left, right = run.exact(keys, self.narrow and not self.dead_count)
            who, place = expanded(left, right)
            rows = run.rows[place]
            fits = self._true(rows, columns, who)
            found[who[fits]] = rows[fits]
        return found

    def _true(self, rows: Rows, columns: Sequence[Ids], who: Places) -> Places:
        """Places of the rows that are alive and hold what was asked for."""
        fits = ~self.dead.view[rows] if self.dead_count else np.ones(len(rows), bool)
        if not self.narrow:
            for own, asked in zip(self.columns, columns, strict=True):
                fits &= own.view[rows] == asked[who]
        return np.flatnonzero(fits)

    def known(self, columns: Sequence[Ids], keys: Keys) -> Mask:
        """Whether each fact is there; their keys are in order."""
        if not self.narrow or self.dead_count:
            return np.asarray(self.find(columns, keys) >= 0)
        found = np.zeros(len(keys), bool)
        for run in self.order(tuple(range(self.arity))).runs("all"):
            found |= run.holds(keys)
        return found

    def size(self, window: Window, given: Mapping[int, int]) -> int:
        """How many rows a window has with these terms, or few more: dead ones, and those of like hash, count too."""
        first, end = self.window(window)
        return self.counted(given, 1, window) if given and end > first else end - first

    def counted(self, given: Mapping[int, Ids | int], size: int, window: Window) -> int:
        """How many rows ``look`` would find, or few more."""
        columns = tuple(sorted(given))
        needles = [_array(given[column], size) for column in columns]
        spans = self._spans(self.order(self._sorted_by(columns)), window, needles)
        return sum(int((right - left).sum()) for _, left, right in spans)

    # Joins.

    def look(self, given: Mapping[int, Ids | int], size: int, window: Window, once: bool = False) -> Iterator[Found]:
        """The rows of a window that have these terms in these columns, for each of ``size`` that ask.

        Args:
            given: Terms by column: one for all, or one for each that asks.
            size: How many ask.
            window: Where to look.
            once: Whether one row is enough for each that asks.
        """
        if not given or not size:
            yield from self._cross(size, window, once)
            return
        columns = tuple(sorted(given))
        order = self.order(self._sorted_by(columns))
        alone = all(isinstance(terms, int) for terms in given.values())
        needles = [_array(given[column], 1 if alone else size) for column in columns]
        spans = self._spans(order, window, needles)
        if alone and size > 1:
            spans = [(run, np.repeat(left, size), np.repeat(right, size)) for run, left, right in spans]
            needles = [np.repeat(each, size) for each in needles]
        if once and not self.dead_count and self._exact(columns):
            yield self._held(given, _first_of_each(spans, size))
            return
        for parts in _chunks(spans, size):
            found = self._checked(columns, needles, self._held(given, parts))
            yield _once(found) if once else found

    def _sorted_by(self, columns: tuple[int, ...]) -> tuple[int, ...]:
        """The index in which rows with these columns given stand together."""
        return (1, 0) if self.arity == 2 and columns == (1,) else (0, 1) if self.arity == 2 else columns

    def _exact(self, columns: tuple[int, ...]) -> bool:
        return self.narrow or len(columns) <= 2

    def _spans(self, order: Order, window: Window, needles: list[Ids]) -> list[Span]:
        if self.first == self.count and window == "new":
            return []
        runs = order.runs(window)
        if self.arity == 2 and len(needles) == 1:
            return [(run, *run.under(needles[0])) for run in runs]
        keys = self.keys(needles, len(needles[0]))
        return [(run, *run.exact(keys, self.narrow and not self.dead_count)) for run in runs]

    def _held(self, given: Mapping[int, Ids | int], parts: list[tuple[Run, Places, Places]]) -> Found:
        """What stands at places of runs: parts of run, who asked and place."""
        left = _joined([who for _, who, _ in parts], np.intp)
        kept = [run.rows[place] for run, _, place in parts if run.rows is not None]
        rows = _joined(kept, np.int32) if self.proofs or not self.narrow else None
        columns: dict[int, Ids] = {}
        for column in range(self.arity):
            if column in given:
                continue
            if self.narrow:  # the other half of the key
                columns[column] = _joined([run.keys[place] & LOW for run, _, place in parts], np.int32)
            else:
                assert rows is not None
                columns[column] = self.columns[column].view[rows]
        return Found(left, columns, rows)

    def _checked(self, columns: tuple[int, ...], needles: list[Ids], found: Found) -> Found:
        """Without dead rows, and those that only have the hash of what was asked for."""
        rows, fits = found.rows, None
        if self.dead_count and rows is not None:
            fits = ~self.dead.view[rows]
        if not self._exact(columns):
            assert rows is not None
            for column, asked in zip(columns, needles, strict=True):
                same = self.columns[column].view[rows] == asked[found.left]
                fits = same if fits is None else fits & same
        return found if fits is None else picked(found, np.flatnonzero(fits))

    def _cross(self, size: int, window: Window, once: bool) -> Iterator[Found]:
        """All rows of a window for each that asks, or the first."""
        first, end = self.window(window)
        rows = np.arange(first, end, dtype=np.int32)
        rows = self.alive(rows)[: 1 if once else None]
        for begin in range(0, len(rows), CHUNK):
            part = rows[begin : begin + CHUNK]
            step = max(1, CHUNK // len(part))
            for start in range(0, size, step):
                asking = min(step, size - start)
                left = np.repeat(np.arange(start, start + asking), len(part))
                here = part if asking == 1 else np.tile(part, asking)
                whole = slice(int(here[0]), int(here[0]) + len(here)) if asking == 1 and not self.dead_count else here
                columns = {place: column.view[whole] for place, column in enumerate(self.columns)}
                yield Found(left, columns, here)


class Order:
    """The rows of a relation in the order of some of its columns, as sorted runs.

    Args:
        relation: Whose.
        columns: Which, in order. Of a relation of at most two all are in the key; of wider ones those that are given.
        rows: Whether the numbers of the rows are kept.
    """

    def __init__(self, relation: Relation, columns: tuple[int, ...], rows: bool) -> None:
        self._relation, self._columns, self._rows = relation, columns, rows
        self._runs: list[Run] = []
        self._alone: Run | None = None

    def runs(self, window: Window) -> list[Run]:
        """Runs that cover a window. ``old`` may hold some new rows as well: then some joins are done twice."""
        relation = self._relation
        if window == "new":
            return self._new()
        if window == "old" and not relation.first:
            return []
        if self._end < relation.count:
            self._read_on()
        aligned = window == "old" and relation.first < relation.count and self._runs[-1].first == relation.first
        return self._runs[:-1] if aligned else self._runs

    @property
    def _end(self) -> int:
        return self._runs[-1].end if self._runs else 0

    def _new(self) -> list[Run]:
        """The new rows in a run of their own, which need not be one of those of all rows."""
        first, end = self._relation.first, self._relation.count
        if not first:
            return self.runs("all")
        for run in (*self._runs[-1:], *([self._alone] if self._alone else ())):
            if (run.first, run.end) == (first, end):
                return [run]
        self._alone = self._made(first, end)
        return [self._alone]

    def _read_on(self) -> None:
        """Take in the rows that came since; the new ones stay a run of their own while they are new."""
        first, end = self._relation.first, self._relation.count
        if self._end < first:
            self._runs.append(self._made(self._end, first))
        self._runs = tidied(self._runs)
        alone, self._alone = self._alone, None
        fits = alone is not None and (alone.first, alone.end) == (self._end, end)
        if self._end < end:
            self._runs.append(alone if alone is not None and fits else self._made(self._end, end))

    def _made(self, first: int, end: int) -> Run:
        relation = self._relation
        columns = [relation.columns[column].view[first:end] for column in self._columns]
        return sorted_run(relation.keys(columns, end - first), first, self._rows)


def hashed(columns: Sequence[Ids]) -> Keys:
    """A number of 63 bits for each row of three columns or more; different rows may have the same.

    Mixed as in SplitMix64 (Steele, Lea and Flood, 2014).
    """
    found = np.zeros(len(columns[0]), np.uint64)
    with np.errstate(over="ignore"):
        for column in columns:
            found += column.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
            found ^= found >> np.uint64(30)
            found *= np.uint64(0xBF58476D1CE4E5B9)
            found ^= found >> np.uint64(27)
            found *= np.uint64(0x94D049BB133111EB)
            found ^= found >> np.uint64(31)
    return (found >> np.uint64(1)).astype(np.int64)


def distinct(keys: Keys, columns: Sequence[Ids]) -> Places:
    """The first place of each different row, in the order of the keys.

    Args:
        keys: As ``Relation.keys`` gives them.
        columns: The rows' columns.
    """
    if len(keys) < 2:
        return np.arange(len(keys))
    order = ordered(keys)
    differs = np.ones(len(keys), bool)
    inorder = keys[order]
    np.not_equal(inorder[1:], inorder[:-1], out=differs[1:])
    if len(columns) > 2:
        differs, order = _told_apart(differs, order, columns)
    begins = np.flatnonzero(differs)
    return order if len(begins) == len(keys) else order[begins]


def _told_apart(differs: Mask, order: Places, columns: Sequence[Ids]) -> tuple[Mask, Places]:
    """Rows that differ, where some may have one hash."""

    def changes(order: Places) -> Mask:
        found = np.zeros(len(order), bool)
        found[0] = True
        for column in columns:
            ordered = column[order]
            found[1:] |= ordered[1:] != ordered[:-1]
        return found

    truly = changes(order)
    if np.array_equal(truly, differs):
        return differs, order
    order = np.lexsort(tuple(columns))
    return changes(order), order


def expanded(left: Places, right: Places) -> tuple[Places, Places]:
    """For each stretch from left to right all its places, and whose they are."""
    counts = right - left
    who = np.flatnonzero(counts)
    if not len(who):
        return who, who
    if len(who) < len(counts):
        left, counts = left[who], counts[who]
    total = int(counts.sum())
    if total == len(who):
        return who, left
    ends = np.cumsum(counts)
    places = np.arange(total)
    places += np.repeat(left - ends + counts, counts)
    return np.repeat(who, counts), places


def picked(found: Found, places: Places) -> Found:
    """Some of what was found."""
    columns = {column: terms[places] for column, terms in found.columns.items()}
    return Found(found.left[places], columns, None if found.rows is None else found.rows[places])


def _once(found: Found) -> Found:
    """The first row for each that asks."""
    return picked(found, np.unique(found.left, return_index=True)[1])


def _array(terms: Ids | int, size: int) -> Ids:
    return np.full(size, terms, np.int32) if isinstance(terms, int) else terms


def _joined(parts: Sequence[npt.NDArray[Any]], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    found = parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else np.zeros(0, dtype)
    return found.astype(dtype, copy=False)


def _first_of_each(spans: list[Span], size: int) -> list[Span]:
    parts, left_over = [], np.ones(size, bool)
    for run, left, right in spans:
        who = np.flatnonzero((right > left) & left_over)
        left_over[who] = False
        parts.append((run, who, left[who]))
    return parts


def _chunks(spans: list[Span], size: int) -> Iterator[list[Span]]:
    """All places of the spans, for a part of those that ask at a time."""
    if not spans:
        return
    counts = sum((right - left for _, left, right in spans), np.zeros(size, np.intp))
    ends = np.cumsum(counts)
    total = int(ends[-1])
    cuts = [0, size]
    if total > CHUNK:
        cuts = np.unique(np.concatenate(([0, size], np.searchsorted(ends, np.arange(CHUNK, total, CHUNK))))).tolist()
    for begin, end in pairwise(cuts):
        parts = []
        for run, left, right in spans:
            who, place = expanded(left[begin:end], right[begin:end])
            parts.append((run, who + begin if begin else who, place))
        if any(len(who) for _, who, _ in parts):
            yield parts
