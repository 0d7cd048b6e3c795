"""How often bodies and heads hold together, counted exactly.

Each head is looked at from the side on which it is more of a function, its key (AMIE's rewriting): with ``r(K, V)`` the
PCA confidence takes a pair as false only where the graph knows some other ``r(K, V')``. So everything here goes from
the key to the other end, and what is X and what Y is settled when the rule is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sibu.logic.mining.columns import NONE, Ints, Lists, Pairs, Relations, changes, found, once, only, pieces, spread

MOST = 1 << 21
"""Joined rows in memory at a time."""
Flags = NDArray[np.bool_]


class Late(Exception):
    """The time is over."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a rule must reach."""

    support: int
    head_coverage: float
    confidence: float

    def enough(self, support: Ints, sizes: Ints | int) -> Flags:
        """Whether rules whose heads hold so often have the support."""
        return (support >= self.support) & (support / np.maximum(sizes, 1) >= self.head_coverage)

    def sure(self, support: Ints, body: Ints) -> Flags:
        """Whether they have the confidence."""
        shares: Flags = support / np.maximum(body, 1) >= self.confidence
        return shares


@dataclass(frozen=True, slots=True)
class Units:
    """Atoms with one constant: ``label(V, constant)``; those that hold of enough things."""

    labels: Ints
    constants: Ints
    members: Lists
    """Things by unit."""
    of: Lists
    """Units by thing."""

    def __len__(self) -> int:
        return len(self.labels)

    def only(self, wanted: Ints) -> Units:
        """Some of them."""
        ends = np.cumsum(self.members.lengths(wanted))
        members = Lists(np.concatenate([[0], ends]), self.members.take(wanted)[1])
        return Units(self.labels[wanted], self.constants[wanted], members, only(self.of, wanted, len(self)))

    @property
    def sizes(self) -> Ints:
        """Of how many things each holds."""
        return np.diff(self.members.starts)


class Index:
    """A graph seen from its things and its pairs.

    Args:
        relations: The graph.
        bounds: What a rule must reach; a unit holds of at least as many things as a rule needs support.
        constants: Whether any constant makes a unit, or a class alone.
    """

    def __init__(self, relations: Relations, bounds: Bounds, *, constants: bool) -> None:
        self.relations, self.bounds = relations, bounds
        self.labels = 2 * relations.binary
        self.properties = relations.binary
        pairs, size = relations.pairs, relations.size
        self.sizes: Ints = np.array([len(first) for first, _ in pairs[: self.labels : 2]], np.int64)
        keys = [once(first) for first, _ in pairs]
        ways = np.array([len(each) for each in keys], np.int64)
        own = np.arange(self.properties)
        self.heads: Ints = 2 * own + (ways[2 * own] < ways[2 * own + 1])
        """The label of each property that goes out from its key."""
        self.outgoing = _lists(list(enumerate(keys)), size)
        """Labels that go out from each thing, with that of ``rdf:type``."""
        self.keyed = _lists([(p, keys[label]) for p, label in enumerate(self.heads)], size)
        """Properties that each thing is a key of."""
        self.strict: Flags = np.array([not (first == second).any() for first, second in pairs[: self.labels : 2]], bool)
        """Properties that join no thing with itself: of these no body's pair of a thing with itself counts."""
        self.around = _around(pairs[: self.labels], size)
        self.pair_keys, self.pair_labels = _by_pair(pairs[: self.labels], size)
        self.pair_heads = only(self.pair_labels, self.heads, self.labels)
        """Properties by pair of a key and the other end."""
        self.units = _units(relations, bounds.support, constants=constants)

    def head_pairs(self, number: int) -> Pairs:
        """Keys and other ends of a property."""
        return self.relations.pairs[int(self.heads[number])]


@dataclass(frozen=True, slots=True)
class Around:
    """Where one comes to from each thing: label and thing."""

    starts: Ints
    labels: Ints
    others: Ints

    def lengths(self, things: Ints) -> Ints:
        """Number of ways from each."""
        return self.starts[things + 1] - self.starts[things]

    def only(self, wanted: Flags) -> Around:
        """The ways with some labels."""
        kept = wanted[self.labels]
        starts = np.concatenate([[0], np.cumsum(kept)])[self.starts]
        return Around(starts, self.labels[kept], self.others[kept])


def _lists(columns: list[tuple[int, Ints]], size: int) -> Lists:
    """Numbers by thing, from things by number."""
    if not columns:
        return Lists(np.zeros(size + 1, np.int64), NONE)
    things = np.concatenate([column for _, column in columns])
    numbers = np.repeat([number for number, _ in columns], [len(column) for _, column in columns])
    order = np.argsort(things, kind="stable")
    return Lists.of(things[order], numbers[order], size)


def _around(pairs: list[Pairs], size: int) -> Around:
    if not pairs:
        return Around(np.zeros(size + 1, np.int64), NONE, NONE)
    things = np.concatenate([first for first, _ in pairs])
    others = np.concatenate([second for _, second in pairs])
    labels = np.repeat(np.arange(len(pairs)), [len(first) for first, _ in pairs])
    order = np.argsort(things, kind="stable")
    return Around(np.searchsorted(things[order], np.arange(size + 1)), labels[order], others[order])


def _by_pair(pairs: list[Pairs], size: int) -> tuple[Ints, Lists]:
    """Each pair that some label joins as one number, and the labels that do."""
    if not pairs:
        return NONE, Lists(np.zeros(1, np.int64), NONE)
    keys = np.concatenate([first * size + second for first, second in pairs])
    labels = np.repeat(np.arange(len(pairs)), [len(first) for first, _ in pairs])
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    starts = changes(keys)
    return keys[starts], Lists(np.append(starts, len(keys)), labels[order])


def _units(relations: Relations, least: int, *, constants: bool) -> Units:
    columns: list[tuple[int, int, Ints]] = []
    for label in range(0 if constants else 2 * relations.binary, 2 * relations.binary):
        columns += _unit_columns(relations, label, least)
    if len(relations.properties) > relations.binary:
        columns += _unit_columns(relations, 2 * relations.binary, least)
    labels, where = (np.array([column[place] for column in columns], np.int64) for place in (0, 1))
    sizes = np.array([len(things) for _, _, things in columns], np.int64)
    members = np.concatenate([things for _, _, things in columns]) if columns else NONE
    own = Lists(np.concatenate([[0], np.cumsum(sizes)]), members)
    return Units(labels, where, own, _lists([(n, column[2]) for n, column in enumerate(columns)], relations.size))


def _unit_columns(relations: Relations, label: int, least: int) -> Iterator[tuple[int, int, Ints]]:
    constants, things = relations.pairs[label ^ 1]
    starts = changes(constants)
    ends = np.append(starts[1:], len(constants))
    for start, end in zip(starts, ends, strict=True):
        if end - start >= least:
            yield label, int(constants[start]), things[start:end]


def tally(items: Ints, rows: Ints, lists: Lists, height: int, width: int) -> Ints:
    """How often an item meets a number in the list of its row. Shape ``(height, width)``."""
    met = np.zeros(height * width, np.int64)
    for piece in pieces(lists.lengths(rows), MOST):
        own, others = lists.take(rows[piece])
        met += np.bincount(items[piece][own] * width + others, minlength=height * width)
    return met.reshape(height, width)


@dataclass(frozen=True, slots=True)
class Counts:
    """Of bodies (rows) with heads (columns)."""

    support: Ints
    """Pairs of which both say so. Shape ``(bodies, heads)``."""
    known: Ints
    """The body's pairs whose key the head knows. Shape ``(bodies, heads)``."""
    size: Ints
    """The body's pairs. Shape ``(bodies,)``."""
    loops: Ints
    """Of those, pairs of a thing with itself; they are left out of ``known`` where the head joins no thing with itself.
    Shape ``(bodies,)``."""


def _not_looped(index: Index, bodies: Ints, things: Ints, height: int, heads: Ints | slice = slice(None)) -> Ints:
    """How often bodies join a thing with itself that is a key of a head that does not. Shape ``(height, heads)``."""
    met = tally(bodies, things, index.keyed, height, index.properties)
    met[:, ~index.strict] = 0
    return met[:, heads]


def single(index: Index) -> Counts:
    """Of each label as a body with each property as a head."""
    support = np.zeros((index.labels, index.properties), np.int64)
    known, loops = support.copy(), np.zeros(index.labels, np.int64)
    for label, (first, second) in enumerate(index.relations.pairs[: index.labels]):
        _, rows = found(index.pair_keys, first * index.relations.size + second)
        support[label] = tally(np.zeros_like(rows), rows, index.pair_heads, 1, index.properties)[0]
        known[label] = tally(np.zeros_like(first), first, index.keyed, 1, index.properties)[0]
        looped = first[first == second]
        known[label] -= _not_looped(index, np.zeros_like(looped), looped, 1)[0]
        loops[label] = len(looped)
    size = np.array([len(first) for first, _ in index.relations.pairs[: index.labels]], np.int64)
    return Counts(support, known, size, loops)


def narrowed(index: Index, label: int, heads: Ints) -> tuple[Ints, Counts]:
    """Of a label's pairs that fulfil one more condition, for each condition.

    Args:
        index: The graph.
        label: The label.
        heads: Properties to conclude.

    Returns:
        Conditions: a label that joins the pair too, ``labels + u`` (unit u holds of the pair's first thing), or
        ``labels + units + u`` (of its second); and the counts of those that hold often enough.
    """
    first, second = index.relations.pairs[label]
    _, rows = found(index.pair_keys, first * index.relations.size + second)
    wide = index.labels + 2 * len(index.units)
    work = index.pair_labels.lengths(rows) + index.units.of.lengths(first) + index.units.of.lengths(second)
    size = np.zeros(wide, np.int64)
    for piece in pieces(work, MOST):
        size += np.bincount(_conditions(index, first[piece], second[piece], rows[piece])[0], minlength=wide)
    often = np.flatnonzero(size >= index.bounds.support)
    place = np.full(wide, -1)
    place[often] = np.arange(len(often))
    pair_heads, keyed = (only(lists, heads, index.properties) for lists in (index.pair_heads, index.keyed))
    support, known = (np.zeros((len(often), len(heads)), np.int64) for _ in range(2))
    loops = np.zeros(len(often), np.int64)
    for piece in pieces(work, MOST):
        holds, owner = _conditions(index, first[piece], second[piece], rows[piece])
        kept = place[holds] >= 0
        holds, owner = place[holds[kept]], owner[kept]
        support += tally(holds, rows[piece][owner], pair_heads, len(often), len(heads))
        known += tally(holds, first[piece][owner], keyed, len(often), len(heads))
        looped = (first == second)[piece][owner]
        holds, owner = holds[looped], owner[looped]
        known -= _not_looped(index, holds, first[piece][owner], len(often), heads)
        loops += np.bincount(holds, minlength=len(often))
    return often, Counts(support, known, size[often], loops)


def _conditions(index: Index, first: Ints, second: Ints, rows: Ints) -> Pairs:
    """What holds of each pair beside its own label: condition, and place of the pair."""
    columns = [index.pair_labels.take(rows), index.units.of.take(first), index.units.of.take(second)]
    shifts = (0, index.labels, index.labels + len(index.units))
    holds = np.concatenate([items + shift for (_, items), shift in zip(columns, shifts, strict=True)])
    return holds, np.concatenate([owner for owner, _ in columns])


def of_things(index: Index, bodies: Ints, things: Ints, count: int, heads: Units) -> Counts:
    """Of bodies that say something of things, with units as heads.

    Args:
        index: The graph.
        bodies: Number of a body, below ``count``, of which
        things: the thing at the same place is one; each pair once.
        count: How many bodies there are.
        heads: The units to conclude.
    """
    support = tally(bodies, things, heads.of, count, len(heads))
    known = tally(bodies, things, index.outgoing, count, len(index.relations.pairs))
    sizes = np.bincount(bodies, minlength=count)
    return Counts(support, known[:, heads.labels], sizes, np.zeros_like(sizes))


def possible(index: Index) -> Callable[[int], Flags]:
    """Which closings a first label can have: labels that end where, and heads that begin where enough of them do."""
    first, last = (np.zeros((index.properties, index.labels), np.int64) for _ in range(2))
    outgoing = only(index.outgoing, np.arange(index.labels), len(index.relations.pairs))
    for head in range(index.properties):
        for met, things in zip((first, last), index.head_pairs(head), strict=True):
            met[head] = tally(np.zeros_like(things), things, outgoing, 1, index.labels)[0]
    sizes = index.sizes[:, None]
    begins, ends = index.bounds.enough(first, sizes), index.bounds.enough(last, sizes)
    ends = ends[:, np.arange(index.labels) ^ 1]
    return lambda label: ends.T & begins[:, label]


def closed(index: Index, opened: Iterable[Pairs], alive: Flags, check: Callable[[], None]) -> Counts | None:
    """Of what begins with some pairs (K, Z) and goes on with a label (Z, V), for each label and head (K, V).

    Args:
        index: The graph.
        opened: Pairs, each once, sorted by K; a K stands in one part alone.
        alive: Which labels (rows) and heads (columns) are of interest; others are not counted to the end.
        check: Called now and then; what it raises ends the count.

    Returns:
        The counts, right where a rule reaches the bounds; None where none does.
    """
    support, known = (np.zeros((index.labels, index.properties), np.int64) for _ in range(2))
    size, loops = (np.zeros(index.labels, np.int64) for _ in range(2))
    for keys, middle in opened:
        starts = changes(keys)
        for piece in pieces(index.around.lengths(middle), MOST, starts):
            check()
            own, z = keys[piece], middle[piece]
            _join(index, own, z, alive, Counts(support, known, size, loops))
            most = support + _ahead(index, int(own[-1]))
            alive = alive & index.bounds.enough(most, index.sizes) & index.bounds.sure(most, known)
            if not alive.any():
                return None
    return Counts(np.where(alive, support, 0), known, size, loops)


def _ahead(index: Index, key: int) -> Ints:
    """How many pairs of each head have a key above this one."""
    pairs = (index.head_pairs(head)[0] for head in range(index.properties))
    return np.array([len(first) - np.searchsorted(first, key, "right") for first in pairs], np.int64)


def _join(index: Index, keys: Ints, middle: Ints, alive: Flags, into: Counts) -> None:
    """Count the pairs that begin with some (K, Z), for each label that is alive with some head."""
    around = index.around
    wanted: Flags = np.any(alive, axis=1)
    if around.lengths(middle).sum() > len(around.labels):
        around = around.only(wanted)
    lengths = around.lengths(middle)
    ways = spread(around.starts[middle], lengths)
    labels = around.labels[ways]
    starts = changes(keys)
    own, local = keys[starts], np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(keys))))
    end, row = index.relations.size.bit_length(), len(own).bit_length()
    packed = (labels << (row + end)) | (np.repeat(local, lengths) << end) | around.others[ways]
    packed = once(packed[wanted[labels]])
    if not len(packed):
        return
    labels, rows = packed >> (row + end), own[(packed >> end) & ((1 << row) - 1)]
    into.size[:] += np.bincount(labels, minlength=index.labels)
    looped = rows == packed & ((1 << end) - 1)
    into.loops[:] += np.bincount(labels[looped], minlength=index.labels)
    into.known[:] -= _not_looped(index, labels[looped], rows[looped], index.labels)
    width = index.properties
    hits, places = found(index.pair_keys, rows * index.relations.size + (packed & ((1 << end) - 1)))
    into.support[:] += tally(labels[hits], places, index.pair_heads, index.labels, width)
    starts = changes(packed >> end)
    runs = np.diff(np.append(starts, len(packed)))
    labels, rows = labels[starts], rows[starts]
    for piece in pieces(index.keyed.lengths(rows), MOST):
        owner, heads = index.keyed.take(rows[piece])
        met = np.bincount(labels[piece][owner] * width + heads, runs[piece][owner], index.labels * width)
        into.known[:] += met.astype(np.int64).reshape(into.known.shape)


def chained(index: Index, first: int, second: int) -> Iterator[Pairs]:
    """The pairs that two labels join one behind the other, in parts as ``closed`` takes them."""
    keys, middle = index.relations.pairs[first]
    lengths = index.relations.lengths(second, middle)
    kept = lengths > 0
    keys, middle, lengths = keys[kept], middle[kept], lengths[kept]
    for piece in pieces(lengths, MOST, changes(keys)):
        owner, reached = index.relations.step(second, middle[piece])
        packed = once(keys[piece][owner] * index.relations.size + reached)
        yield packed // index.relations.size, packed % index.relations.size
