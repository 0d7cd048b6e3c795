"""Recursion that makes new numbers without end, as ``n(M) :- n(N), M = N + 1.`` does.

Each place of each relation is a node. A rule of a circle carries what it reads at one place to another, as it is or
reckoned with. Where a circle of places goes through arithmetic, and nothing on it bounds the numbers, new ones are made
for ever. What is carried is held in bounds by an atom outside of the circle, by ``=`` with what is, or by a comparison;
of ``N + 1`` only from above, of ``N - 1`` only from below.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sibu.core.logic import Aggregate, Arithmetic, Atom, Comparison, Expression, Rule, Value, Variable
from sibu.logic.order import mentioned
from sibu.logic.strata import components, key_of

Way = Literal["up", "down", "any"]
Place = tuple[object, int]
"""A term's place in a relation: its key, and its number."""


@dataclass(frozen=True, slots=True)
class Endless:
    """A rule that makes new numbers for ever."""

    rule: int
    """Its place."""
    variable: str
    """What it makes, in the head."""
    sources: tuple[str, ...]
    """Of what it makes them."""
    made: Comparison
    """How."""
    way: Way
    """Whether they grow, shrink, or do what the facts say."""


@dataclass(frozen=True, slots=True)
class _Source:
    """How a variable comes from one of the circle."""

    way: Way | None
    """None: as it is."""
    through: frozenset[str]
    """The variables through which it goes in any case: a bound of one of them bounds it."""


@dataclass(frozen=True, slots=True)
class _Carried:
    """What a rule takes from a place of its circle to a place of its head."""

    source: Place
    target: Place
    way: Way | None
    through: frozenset[str]
    found: Endless | None
    """What is to be told of it, where it is reckoned with."""


@dataclass(frozen=True, slots=True)
class _Step:
    """A rule of a circle, as far as variables are concerned."""

    rule: Rule
    fixed: set[str]
    """Variables that take values from outside of the circle alone."""
    places: dict[str, list[Place]]
    """Where the circle's atoms have the others."""
    made: dict[str, Comparison]
    """The comparisons that give variables a value."""
    sources: dict[str, dict[str, _Source]] = field(default_factory=dict)
    """By variable: the variables of the circle of which it is made."""
    carried: list[_Carried] = field(default_factory=list)


def endless(rules: Sequence[Rule]) -> list[Endless]:
    """The rules that make new numbers for ever, in order."""
    steps = list(_steps(rules))
    growing, _ = _turning([each for step in steps for each in step.carried])
    bounded = {id(step): _bounded(step, growing) for step in steps}
    found: dict[int, Endless] = {}
    for way in ("up", "down", "any"):
        left = []
        for step in steps:
            above, below = bounded[id(step)]
            held = above if way == "up" else below if way == "down" else above | below
            left += [each for each in step.carried if not each.through & held]
        for each in _turning(left)[1]:
            if each.way == way and each.found:
                found.setdefault(each.found.rule, each.found)
    return [found[rule] for rule in sorted(found)]


def _turning(carried: Sequence[_Carried]) -> tuple[set[Place], list[_Carried]]:
    """Places that take numbers from a circle through arithmetic, and what is reckoned with on such circles."""
    number: dict[Place, int] = {}
    for each in carried:
        number.setdefault(each.source, len(number))
        number.setdefault(each.target, len(number))
    targets: list[list[int]] = [[] for _ in number]
    for each in carried:
        targets[number[each.source]].append(number[each.target])
    group = {node: place for place, nodes in enumerate(components(targets)) for node in nodes}
    turning = [each for each in carried if each.way and group[number[each.source]] == group[number[each.target]]]
    reached = {number[each.target] for each in turning}
    waiting = list(reached)
    while waiting:
        new = set(targets[waiting.pop()]) - reached
        reached |= new
        waiting += new
    return {place for place, node in number.items() if node in reached}, turning


def _steps(rules: Sequence[Rule]) -> Iterator[_Step]:
    """The rules that lie on a circle, each with what it carries."""
    number: dict[object, int] = {}
    heads, targets = [], list[list[int]]()
    for rule in rules:
        keys = [_key(atom) for atom in ([rule.head, *rule.atoms] if rule.head else [])]
        for key in keys:
            if number.setdefault(key, len(number)) == len(targets):
                targets.append([])
        heads.append(number[keys[0]] if keys else -1)
        for key in keys[1:]:
            targets[heads[-1]].append(number[key])
    group = {node: place for place, nodes in enumerate(components(targets)) for node in nodes}
    for place, (rule, head) in enumerate(zip(rules, heads, strict=True)):
        inner = [atom for atom in rule.atoms if head >= 0 and group[number[_key(atom)]] == group[head]]
        if inner and rule.head:
            step = _step(rule, inner)
            step.carried.extend(_carried(step, place, rule.head))
            yield step


def _key(atom: Atom) -> object:
    """As a key, or what stands for all that an open atom may be: that is a circle of its own here."""
    return key_of(atom) or ("any relation" if isinstance(atom.predicate, Variable) else "any class")


def _step(rule: Rule, inner: Sequence[Atom]) -> _Step:
    outer = [atom for atom in rule.atoms if not any(atom is each for each in inner)]
    fixed = {name for atom in outer for name in mentioned(atom)}
    fixed |= {each.result.name for each in rule.body if isinstance(each, Aggregate)}
    places: dict[str, list[Place]] = {}
    for atom in inner:
        for number, term in enumerate(atom.terms):
            if isinstance(term, Variable):
                places.setdefault(term.name, []).append((_key(atom), number))
    compared = [each for each in rule.body if isinstance(each, Comparison) and each.operator == "="]
    sides = [(each.left, each.right, each) for each in compared] + [(each.right, each.left, each) for each in compared]
    equal = [(one, other, each) for one, other, each in sides if isinstance(one, Variable)]
    before = -1
    while before < len(fixed):
        before = len(fixed)
        fixed |= {one.name for one, other, _ in equal if _is_finite(other, fixed)}
    made: dict[str, Comparison] = {}
    for one, other, each in equal:
        if one.name not in fixed and one.name not in places and one.name not in mentioned(other):
            made.setdefault(one.name, each)
    return _Step(rule, fixed, {name: each for name, each in places.items() if name not in fixed}, made)


def _is_finite(what: Expression, fixed: Iterable[str]) -> bool:
    """Whether it takes values of a finite set: it is made of what does, or a remainder by it."""
    if isinstance(what, Arithmetic) and what.operator == "%" and _is_finite(what.right, fixed):
        return True
    return all(name in fixed for name in mentioned(what))


def _carried(step: _Step, place: int, head: Atom) -> Iterator[_Carried]:
    for number, term in enumerate(head.terms):
        if not isinstance(term, Variable) or term.name in step.fixed:
            continue
        sources = _sources(step, term.name)
        for name, source in sources.items():
            found = None
            if source.way:
                found = Endless(place, term.name, tuple(sources), step.made[term.name], source.way)
            for at in step.places[name]:
                yield _Carried(at, (_key(head), number), source.way, source.through, found)


def _sources(step: _Step, name: str) -> dict[str, _Source]:
    """The variables of the circle of which one is made."""
    if name in step.sources:
        return step.sources[name]
    found = step.sources[name] = {}  # kept at once, so that a circle of variables ends
    if name in step.places:
        found[name] = _Source(None, frozenset({name}))
    if name in step.made:
        comparison = step.made[name]
        is_left = isinstance(comparison.left, Variable) and comparison.left.name == name
        other = comparison.right if is_left else comparison.left
        for part in dict.fromkeys(mentioned(other)):
            way = _way(other, part)
            for source, before in _sources(step, part).items():
                joined = _Source(_then(before.way, way), before.through | {name})
                found[source] = _either(found[source], joined) if source in found else joined
    return found


def _then(first: Way | None, second: Way | None) -> Way | None:
    return first if second is None else second if first in (None, second) else "any"


def _either(one: _Source, other: _Source) -> _Source:
    return _Source(one.way if one.way == other.way else "any", one.through & other.through)


def _way(what: Expression, name: str) -> Way | None:
    """Where an expression goes from a variable; None: it stays, or goes towards 0."""
    if not isinstance(what, Arithmetic):
        return None
    is_left = isinstance(what.left, Variable) and what.left.name == name
    other = what.right if is_left else what.left
    number = other.number if isinstance(other, Value) else None
    if number is None or not (is_left or (isinstance(what.right, Variable) and what.operator == "+")):
        return "any"
    if what.operator in {"/", "//"}:
        return None if abs(number) >= 2 else "any"
    if what.operator in {"+", "-"}:
        up = number if what.operator == "+" else -number
        return "up" if up > 0 else "down" if up < 0 else None
    return "any"


def _bounded(step: _Step, growing: set[Place]) -> tuple[set[str], set[str]]:
    """The variables that a comparison bounds from above, and from below, by what does not grow in turn."""
    above, below = set[str](), set[str]()
    for each in step.rule.body:
        if not isinstance(each, Comparison) or each.operator in {"=", "!="}:
            continue
        less = "<" in each.operator
        for one, other, is_less in ((each.left, each.right, less), (each.right, each.left, not less)):
            if all(_is_steady(step, name, growing) for name in mentioned(other)):
                names = set(mentioned(one))
                above |= names if is_less or isinstance(one, Arithmetic) else set()
                below |= names if not is_less or isinstance(one, Arithmetic) else set()
    return above, below


def _is_steady(step: _Step, name: str, growing: set[Place]) -> bool:
    return all(any(place not in growing for place in step.places[source]) for source in _sources(step, name))
