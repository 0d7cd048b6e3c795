"""A graph as sorted columns of whole numbers: what is counted and joined.

Things are counted from 0 in the order of their ids. Property number ``p`` read from subject to object is the label
``2p``, read from object to subject ``2p + 1``: a label is a direction, and ``label ^ 1`` is the way back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sibu.core.errors import DataError
from sibu.core.logic import TYPE, Entity, Term

Ints = NDArray[np.int64]
Pairs = tuple[Ints, Ints]
Graph = Mapping[Entity, tuple[NDArray[np.integer], NDArray[np.integer]]]
"""Ids of subjects and of objects by property, one pair a place."""
NONE: Ints = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Lists:
    """A list of numbers for each row, one behind the other."""

    starts: Ints
    """Where each row's list begins, and the end of the last. Shape ``(rows + 1,)``."""
    items: Ints

    @classmethod
    def of(cls, rows: Ints, items: Ints, count: int) -> Lists:
        """From pairs of a row and an item, each once, sorted by row."""
        return cls(np.searchsorted(rows, np.arange(count + 1)), items)

    def lengths(self, rows: Ints) -> Ints:
        """Length of each row's list."""
        return self.starts[rows + 1] - self.starts[rows]

    def take(self, rows: Ints) -> Pairs:
        """The items of some rows, and for each the place in ``rows`` that it belongs to."""
        lengths = self.lengths(rows)
        return np.repeat(np.arange(len(rows)), lengths), self.items[spread(self.starts[rows], lengths)]


def only(lists: Lists, wanted: Ints, width: int) -> Lists:
    """The wanted items of each list, by their place among the wanted."""
    places = np.full(width, -1)
    places[wanted] = np.arange(len(wanted))
    items = places[lists.items]
    starts = np.concatenate([[0], np.cumsum(items >= 0)])[lists.starts]
    return Lists(starts, items[items >= 0])


def spread(starts: Ints, lengths: Ints) -> Ints:
    """The numbers from each start, so many of each, one behind the other."""
    ends = np.cumsum(lengths)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - ends + lengths, lengths)


def distinct(first: Ints, second: Ints, size: int) -> Pairs:
    """Each pair once, sorted; ``size`` is above every second number."""
    keys = once(first * size + second)
    return keys // size, keys % size


def once(keys: Ints) -> Ints:
    """Each number once, sorted. ``numpy.unique`` hashes, which takes many times as long."""
    ordered = np.sort(keys)
    return ordered[changes(ordered)]


def changes(ordered: Ints) -> Ints:
    """Places where another number begins."""
    if not len(ordered):
        return NONE
    return np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))


def found(keys: Ints, wanted: Ints) -> tuple[Ints, Ints]:
    """Which of the wanted numbers are among the sorted keys: places in ``wanted``, and in ``keys``."""
    if not len(keys):
        return NONE, NONE
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    hits = np.flatnonzero(keys[places] == wanted)
    return hits, places[hits]


def pieces(work: Ints, most: int, edges: Ints | None = None) -> Iterator[slice]:
    """Slices of at most so much work each, at least one row (or what lies between two edges) in each."""
    ends = np.concatenate([[0], np.cumsum(work)])
    edges = np.arange(len(ends)) if edges is None else np.concatenate([edges, [len(work)]])
    before = ends[edges]
    start = 0
    while start < len(edges) - 1:
        end = max(start + 1, int(np.searchsorted(before, before[start] + most, "right")) - 1)
        yield slice(int(edges[start]), int(edges[end]))
        start = end


class Relations:
    """A graph's pairs by property, each once, sorted, in both directions.

    Args:
        graph: Ids of subjects and objects by property; ids are any whole numbers from 0 up.
        terms: What each id stands for; None: not needed.

    Raises:
        DataError: When the graph is none; tells all faults.
    """

    def __init__(self, graph: Graph, terms: Sequence[Term] | None = None) -> None:
        columns = _checked(graph, terms)
        every = [column for pair in columns.values() for column in pair]
        self.ids: Ints = once(np.concatenate(every)) if every else NONE
        self.size = len(self.ids)
        self.properties = sorted((each for each in columns if each != TYPE), key=lambda each: each.iri)
        self.binary = len(self.properties)
        """How many properties there are beside ``rdf:type``, which comes last."""
        self.properties += [TYPE] if TYPE in columns else []
        self.number = {each: number for number, each in enumerate(self.properties)}
        self.pairs: list[Pairs] = []
        """First and second of each pair by label, sorted by both."""
        for each in self.properties:
            first, second = (np.searchsorted(self.ids, column) for column in columns[each])
            self.pairs += [distinct(first, second, self.size), distinct(second, first, self.size)]

    def step(self, label: int, things: Ints) -> Pairs:
        """Where a label leads: places in ``things``, and the things reached."""
        first, second = self.pairs[label]
        starts = np.searchsorted(first, things)
        lengths = np.searchsorted(first, things, "right") - starts
        return np.repeat(np.arange(len(things)), lengths), second[spread(starts, lengths)]

    def lengths(self, label: int, things: Ints) -> Ints:
        """How many things a label leads to from each."""
        first, _ = self.pairs[label]
        return np.searchsorted(first, things, "right") - np.searchsorted(first, things)

    def holds(self, label: int, first: Ints, second: Ints) -> Ints:
        """Places of the pairs that a label joins."""
        own, other = self.pairs[label]
        return found(own * self.size + other, first * self.size + second)[0]


def _checked(graph: Graph, terms: Sequence[Term] | None) -> dict[Entity, Pairs]:
    """The columns as 64-bit numbers; those without a pair are left out."""
    columns: dict[Entity, Pairs] = {}
    faults: list[str] = []
    for name, pair in graph.items():
        first, second = (np.asarray(column) for column in pair)
        fault = _fault(first, second, None if terms is None else len(terms))
        if fault:
            faults.append(f"{name.iri}: {fault}")
        elif len(first):
            columns[name] = first.astype(np.int64), second.astype(np.int64)
    if faults:
        wanted = "Give two columns of ids, whole numbers from 0 up, of one length, by property."
        raise DataError("\n".join([*faults, wanted]))
    return columns


def _fault(first: NDArray[np.generic], second: NDArray[np.generic], count: int | None) -> str:
    """What is wrong with two columns; empty: nothing."""
    for column in (first, second):
        if column.ndim != 1 or (column.size and column.dtype.kind not in "iu"):
            return f"a column of {column.dtype} with the shape {column.shape}."
    if len(first) != len(second):
        return f"{len(first)} subjects, but {len(second)} objects."
    if not len(first):
        return ""
    both = np.concatenate([first, second]).astype(np.int64)
    least, most = int(both.min()), int(both.max())
    if least < 0 or (count is not None and most >= count):
        return f"ids from {least} to {most}" + ("." if count is None else f"; there are terms for 0 to {count - 1}.")
    return ""
