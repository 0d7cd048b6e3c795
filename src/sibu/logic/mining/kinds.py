"""The kinds of rules that are looked for, each in tasks that can be done by themselves.

What is counted goes from the key of a head to the other end; a rule that is found is turned to go from X to Y.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from sibu.core.logic import Atom, Rule, Term, Value, Variable
from sibu.logic.mining.columns import Ints, distinct
from sibu.logic.mining.counting import (
    Counts,
    Flags,
    Index,
    Units,
    chained,
    closed,
    narrowed,
    of_things,
    possible,
    single,
)

VARIABLES = tuple(Variable(name) for name in "XYZW")
CELLS = 1 << 22
"""Counts in memory at a time where every unit meets every other."""
Plan = tuple[int, int, int]
"""An atom: number of its property, place of its subject and of its object; a constant's place is ``-1 - its rank``."""
Check = Callable[[], None]
"""Called now and then while one counts; raises ``Late`` when the time is over."""


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """A rule before it is written; sorts best first, and equal ones in one order whatever the order of the facts."""

    doubt: float
    """Minus the PCA confidence."""
    against: int
    """Minus the support."""
    atoms: int
    head: Plan
    body: tuple[Plan, ...]
    size: int
    """Of how much the body holds."""
    known: int
    """Of how much of that the head knows the key."""
    whole: int
    """Of how much the head holds."""
    loops: int = 0
    """How often the body joins a thing with itself, where that does not count."""


Task = Callable[[Check], list[Found]]


class Kinds:
    """What there is to look for in a graph.

    Args:
        index: The graph.
        terms: What its ids stand for; asked for the constants of units alone.
    """

    def __init__(self, index: Index, terms: Sequence[Term]) -> None:
        self.index, self.bounds = index, index.bounds
        self.single = single(index)
        units = index.units
        self.classes = units.only(np.flatnonzero(units.labels >= index.labels))
        names = {int(each): terms[int(index.relations.ids[each])] for each in set(units.constants.tolist())}
        ranked = sorted(names, key=lambda each: _order(names[each]))
        self.constants = [names[each] for each in ranked]
        self.rank = {each: place for place, each in enumerate(ranked)}
        self._atoms: dict[Plan, Atom] = {}

    def stages(self, longest: int) -> Iterator[tuple[str, list[Task]]]:
        """What is looked at, and the tasks of that; shorter rules first."""
        labels, count = range(self.index.labels), len(self.index.units)
        yield "properties", [_task(self.pairs, each) for each in labels]
        step = max(1, CELLS // max(count, 1))
        yield "groups of units", [_task(self.units, slice(at, at + step)) for at in range(0, count, step)]
        if longest < 3:
            return
        yield "properties with conditions", [_task(self.conditions, each) for each in labels]
        if len(self.classes):
            yield "properties with classes", [_task(self.members, each) for each in labels]
        alive = possible(self.index)
        yield "first steps of two", [self._task_of_path(alive(each), each) for each in labels]
        if longest > 3:
            firsts = [each for each in labels if alive(each).any()]
            yield "first steps of three", [self._task_of_path(alive(a), a, b) for a, b in product(firsts, labels)]

    def pairs(self, label: int) -> Iterator[Found]:
        """``r(X, Y) <- s(X, Y)``."""
        counts = self.single
        wanted = self._shared(label) & self.bounds.sure(counts.support[label], counts.known[label])
        for head in np.flatnonzero(wanted).tolist():
            yield self._rule(head, [_plan(label ^ self._turned(head), 0, 1)], counts, label, head)

    def _shared(self, label: int) -> Flags:
        """Heads that share enough pairs with a label and are not the same."""
        others: Flags = self.index.heads != label
        return others & self.bounds.enough(self.single.support[label], self.index.sizes)

    def conditions(self, label: int) -> Iterator[Found]:
        """``r(X, Y) <- s(X, Y), t(X, Y)`` and ``r(X, Y) <- s(X, Y), v(X)``, better than without the condition."""
        index, one = self.index, self.single
        heads = np.flatnonzero(self._shared(label) & (one.support[label] < one.known[label]))
        if not len(heads):
            return
        conditions, counts = narrowed(index, label, heads)
        good = self._good(counts, index.sizes[heads])
        good &= _better(counts.support, counts.known, one.support[label, heads], one.known[label, heads])
        labels = conditions[conditions < index.labels]
        also = slice(0, len(labels))  # the other part of the body is a rule of its own as well
        good[also] &= (labels[:, None] > label) & (labels[:, None] != index.heads[heads])
        parts = np.ix_(labels, heads)
        good[also] &= _better(counts.support[also], counts.known[also], one.support[parts], one.known[parts])
        for row, column in np.argwhere(good).tolist():
            head = int(heads[column])
            turned = self._turned(head)
            body = [_plan(label ^ turned, 0, 1), self._condition(int(conditions[row]), turned)]
            if conditions[row] < index.labels:
                body.sort()
            yield self._rule(head, body, counts, row, column)

    def _turned(self, head: int) -> int:
        """1 where the key of a head is Y."""
        return int(self.index.heads[head]) % 2

    def _condition(self, number: int, turned: int) -> Plan:
        """The atom of a condition that ``narrowed`` tells."""
        if number < self.index.labels:
            return _plan(number ^ turned, 0, 1)
        place, unit = divmod(number - self.index.labels, len(self.index.units))
        return self._unit(self.index.units, unit, place ^ turned)

    def _unit(self, units: Units, unit: int, place: int) -> Plan:
        return _plan(int(units.labels[unit]), place, -1 - self.rank[int(units.constants[unit])])

    def units(self, bodies: slice) -> Iterator[Found]:
        """``u(X) <- v(X)``, better than the rule with a variable where both constants are one."""
        units = self.index.units
        chosen = np.arange(len(units))[bodies]
        owner, things = units.members.take(chosen)
        counts = of_things(self.index, owner, things, len(chosen), units)
        good = self._good(counts, units.sizes) & (chosen[:, None] != np.arange(len(units)))
        for row, head in np.argwhere(good).tolist():
            body = int(chosen[row])
            if units.constants[body] != units.constants[head] or self._beyond(counts, row, head, body):
                yield self._of_unit(units, head, [self._unit(units, body, 0)], counts, row)

    def _beyond(self, counts: Counts, row: int, head: int, body: int) -> bool:
        """Whether a rule over one constant is better than the same over a variable."""
        label, own = (int(self.index.units.labels[each]) for each in (body, head))
        if max(label, own) >= self.index.labels:
            return True
        number = own >> 1
        label ^= int(self.index.heads[number] != own)
        one = self.single
        whole = one.support[label, number], one.known[label, number]
        return bool(_better(counts.support[row, head], counts.known[row, head], *whole))

    def members(self, label: int) -> Iterator[Found]:
        """``u(X) <- s(X, Z), v(Z)`` of classes."""
        keys, others = self.index.relations.pairs[label]
        owner, classes = self.classes.of.take(others)
        bodies, things = distinct(classes, keys[owner], max(1, self.index.relations.size))
        counts = of_things(self.index, bodies, things, len(self.classes), self.classes)
        for row, head in np.argwhere(self._good(counts, self.classes.sizes)).tolist():
            body = [_plan(label, 0, 2), self._unit(self.classes, row, 2)]
            yield self._of_unit(self.classes, head, body, counts, row)

    def _task_of_path(self, alive: Flags, *labels: int) -> Task:
        return lambda check: list(self.paths(alive, labels, check))

    def paths(self, alive: Flags, opened: Sequence[int], check: Check) -> Iterator[Found]:
        """``r(X, Y) <- s(X, Z), t(Z, Y)``, and the same with a step more, that begin with one label, or two."""
        if not alive.any():
            return
        index = self.index
        pairs = [index.relations.pairs[opened[0]]] if len(opened) == 1 else chained(index, *opened)
        counts = closed(index, pairs, alive, check)
        if counts is None:
            return
        for last, head in np.argwhere(self._good(counts, index.sizes)).tolist():
            steps = [*opened, last]
            if _gives_back(steps, int(index.heads[head])):
                continue
            if self._turned(head):
                steps = [each ^ 1 for each in reversed(steps)]
            ends = [0, *range(2, len(steps) + 1), 1]
            body = [_plan(*atom) for atom in zip(steps, ends, ends[1:], strict=False)]
            yield self._rule(head, body, counts, last, head)

    def _good(self, counts: Counts, sizes: Ints) -> Flags:
        return self.bounds.enough(counts.support, sizes) & self.bounds.sure(counts.support, counts.known)

    def _rule(self, head: int, body: list[Plan], counts: Counts, row: int, column: int) -> Found:
        """A rule with a property as its head; its counts stand in a row and a column."""
        found = _found((head, 0, 1), body, counts, row, column, int(self.index.sizes[head]))
        loops = int(counts.loops[row]) if self.index.strict[head] else 0
        return replace(found, size=found.size - loops, loops=loops) if loops else found

    def _of_unit(self, units: Units, head: int, body: list[Plan], counts: Counts, row: int) -> Found:
        """A rule with a unit as its head."""
        return _found(self._unit(units, head, 0), body, counts, row, head, int(units.sizes[head]))

    def rule(self, found: Found, name: str) -> Rule:
        """The rule in the words of ``core``."""
        sure = min(-found.doubt, found.known / (found.known + 1))
        return Rule(name, self._atom(found.head), tuple(self._atom(each) for each in found.body), confidence=sure)

    def _atom(self, plan: Plan) -> Atom:
        """Equal atoms are one object: there may be very many rules."""
        if plan not in self._atoms:
            terms = tuple(VARIABLES[place] if place >= 0 else self.constants[-1 - place] for place in plan[1:])
            self._atoms[plan] = Atom(self.index.relations.properties[plan[0]], terms)
        return self._atoms[plan]


def _task(look: Callable[..., Iterable[Found]], *given: object) -> Task:
    return lambda _: list(look(*given))


def _plan(label: int, first: int, second: int) -> Plan:
    """The atom in which a label leads from one place to another."""
    return (label >> 1, second, first) if label % 2 else (label >> 1, first, second)


def _found(head: Plan, body: list[Plan], counts: Counts, row: int, column: int, whole: int) -> Found:
    support, known, size = int(counts.support[row, column]), int(counts.known[row, column]), int(counts.size[row])
    return Found(-support / known, -support, len(body), head, tuple(body), size, known, whole)


def _better(support: Ints, known: Ints, other: Ints, others_known: Ints) -> Flags:
    """Whether one PCA confidence is above another, by whole numbers."""
    return support * others_known > other * known


def _gives_back(steps: Sequence[int], head: int) -> bool:
    """Whether a chain holds wherever its head does, two of its variables being one."""
    if len(steps) < 3:
        return False
    first, middle, last = steps
    return (first == head and last == middle ^ 1) or (last == head and middle == first ^ 1)


def _order(term: Term) -> tuple[bool, str, str, str]:
    return (True, term.text, term.datatype, term.language) if isinstance(term, Value) else (False, term.iri, "", "")
