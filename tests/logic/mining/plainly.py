"""The same mining, written plainly over sets of tuples: slow, and like no line of the package."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from sibu.core.logic import TYPE, Atom, Entity, Rule, Term, Variable

X, Y, Z, W = (Variable(name) for name in "XYZW")
Fact = tuple[Term, Entity, Term]
Body = frozenset[Atom]
Unit = Callable[[Variable], Atom]


@dataclass(frozen=True)
class Counts:
    """Of a rule."""

    support: int
    body: int
    known: int
    """Pairs of the body of which the head knows the key."""
    head: int


def columns(facts: Iterable[Fact]) -> tuple[dict[Entity, tuple[np.ndarray, np.ndarray]], list[Term]]:
    """A graph of ids, and what they stand for, in the order in which they come."""
    facts = list(facts)
    ids: dict[Term, int] = {}
    for subject, _, thing in facts:
        ids.setdefault(subject, len(ids))
        ids.setdefault(thing, len(ids))
    graph = {}
    for name in dict.fromkeys(name for _, name, _ in facts):
        own = [(ids[subject], ids[thing]) for subject, other, thing in facts if other == name]
        graph[name] = np.array([pair[0] for pair in own]), np.array([pair[1] for pair in own])
    return graph, list(ids)


def solutions(body: Iterable[Atom], facts: Iterable[Fact]) -> list[dict[Variable, Term]]:
    """All that the variables of a body can stand for."""
    found: list[dict[Variable, Term]] = [{}]
    for atom in body:
        longer = []
        for binding, (subject, name, thing) in product(found, facts):
            own = dict(binding)
            pairs = zip(atom.terms, (subject, thing), strict=True)
            if name == atom.predicate and all(bound(own, term, given) for term, given in pairs):
                longer.append(own)
        found = longer
    return found


def bound(binding: dict[Variable, Term], term: Term | Variable, given: Term) -> bool:
    """Whether a term can stand for what is given; from then on it does."""
    return (binding.setdefault(term, given) if isinstance(term, Variable) else term) == given


def ground(atom: Atom, binding: dict[Variable, Term]) -> tuple[Term, ...]:
    """The terms of an atom."""
    return tuple(binding[term] if isinstance(term, Variable) else term for term in atom.terms)


def counted(head: Atom, body: Body, facts: frozenset[Fact]) -> Counts:
    """The counts of a rule, by their definitions."""
    own = {(subject, thing) for subject, name, thing in facts if name == head.predicate}
    given = {ground(head, binding) for binding in solutions(body, facts)}
    if all(isinstance(term, Variable) for term in head.terms):
        # The key is the side on which the head is more of a function: each key has fewer others.
        key = 0 if len({pair[0] for pair in own}) >= len({pair[1] for pair in own}) else 1
        whole = len(own)
        if not any(subject == thing for subject, thing in own):
            given = {pair for pair in given if pair[0] != pair[1]}  # nobody is a sibling of their own
    else:
        key = 0 if isinstance(head.terms[0], Variable) else 1
        whole = sum(pair[1 - key] == head.terms[1 - key] for pair in own)
    keys = {pair[key] for pair in own}
    return Counts(len(given & own), len(given), sum(pair[key] in keys for pair in given), whole)


def units(facts: frozenset[Fact], least: int, *, constants: bool) -> list[Unit]:
    """What says something of one thing, of enough things."""
    found: list[Unit] = []
    for name in sorted({name for _, name, _ in facts}):
        own = [(subject, thing) for subject, other, thing in facts if other == name]
        if constants or name == TYPE:
            ends = [pair[1] for pair in own]
            found += [lambda v, n=name, c=c: Atom(n, (v, c)) for c in set(ends) if ends.count(c) >= least]
        if constants and name != TYPE:
            ends = [pair[0] for pair in own]
            found += [lambda v, n=name, c=c: Atom(n, (c, v)) for c in set(ends) if ends.count(c) >= least]
    return found


def language(facts: frozenset[Fact], longest: int, least: int, *, constants: bool) -> list[tuple[Atom, Body]]:
    """Every rule that there could be."""
    names = sorted({name for _, name, _ in facts if name != TYPE})
    every = units(facts, least, constants=constants)
    classes = [unit for unit in every if unit(X).predicate == TYPE]

    def ways(one: Variable, other: Variable) -> list[Atom]:
        return [Atom(name, pair) for name in names for pair in ((one, other), (other, one))]

    bodies = [{one} for one in ways(X, Y)]
    if longest > 2:
        bodies += [{one, two} for one, two in product(ways(X, Z), ways(Z, Y))]
        bodies += [{one, two} for one, two in product(ways(X, Y), ways(X, Y)) if one != two]
        bodies += [{one, unit(place)} for one in ways(X, Y) for unit in every for place in (X, Y)]
    if longest > 3:
        bodies += [{*three} for three in product(ways(X, Z), ways(Z, W), ways(W, Y))]
    heads = [Atom(name, (X, Y)) for name in names]
    rules = [(head, frozenset(body)) for head, body in product(heads, bodies) if head not in body]
    rules += [(u(X), frozenset({v(X)})) for u, v in product(every, every) if u(X) != v(X)]
    if longest > 2:
        rules += [(u(X), frozenset({way, v(Z)})) for u, v in product(classes, classes) for way in ways(X, Z)]
    return [rule for rule in dict.fromkeys(rules) if not gives_back(*rule)]


def gives_back(head: Atom, body: Body) -> bool:
    """Whether a chain becomes its own head and one more atom, where Z is Y or W is X."""
    for one, other in ((Z, Y), (W, X)):
        merged = {Atom(atom.predicate, tuple(other if term == one else term for term in atom.terms)) for atom in body}
        if len(body) == 3 and head in merged and len(merged) == 2:
            return True
    return False


def parts(head: Atom, body: Body) -> list[tuple[Atom, Body]]:
    """Rules that say more: with a condition less, or with a variable for a constant."""
    if len(body) > 1:
        return [(head, frozenset({atom})) for atom in body]
    (atom,) = body
    same = [term for term in head.terms if not isinstance(term, Variable) and term in atom.terms]
    if not same or TYPE in (head.predicate, atom.predicate):
        return []
    order = {X: X, same[0]: Y} if head.terms[0] == X else {X: Y, same[0]: X}
    one, two = (Atom(each.predicate, tuple(order[term] for term in each.terms)) for each in (head, atom))
    return [(one, frozenset({two}))]


def mined(
    facts: frozenset[Fact],
    *,
    support: int,
    head_coverage: float,
    confidence: float,
    longest: int,
    constants: bool,
) -> dict[tuple[Atom, Body], Counts]:
    """The rules that reach the bounds and are surer than their parts, with their counts."""
    every = {
        rule: counted(*rule, facts) for rule in language(facts, longest=longest, least=support, constants=constants)
    }
    return {
        rule: own
        for rule, own in every.items()
        if own.support >= support
        and own.support / own.head >= head_coverage
        and own.support / own.known >= confidence
        and all(
            every[part].support * own.known < own.support * every[part].known for part in parts(*rule) if part in every
        )
    }


def key(rule: Rule) -> tuple[Atom, Body]:
    """Head and body; the atoms of a body have no order."""
    assert rule.head is not None
    return rule.head, frozenset(rule.atoms)


def given(rules: Sequence[Rule], facts: frozenset[Fact]) -> dict[Fact, list[int]]:
    """All that rules give that is no fact, with the numbers of the rules that give it."""
    found: dict[Fact, list[int]] = {}
    for number, rule in enumerate(rules):
        assert rule.head is not None and isinstance(rule.head.predicate, Entity)
        for subject, thing in {ground(rule.head, binding) for binding in solutions(rule.atoms, facts)}:
            if (subject, rule.head.predicate, thing) not in facts:
                found.setdefault((subject, rule.head.predicate, thing), []).append(number)
    return found
