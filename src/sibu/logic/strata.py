"""Strata: what a rule denies or counts is known in full before the rule runs.

A key is a property or a class. It depends on the keys in the bodies of the rules that conclude it; where the body
denies or counts, it has to lie in a stratum above. Keys that depend on each other lie in one (Tarjan's strongly
connected components, in linear time), and a circle through ``not`` or an aggregate has no order that would be right.
Source: Apt, Blair and Walker, "Towards a theory of declarative knowledge", 1988.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sibu.core.errors import Fault, RuleError
from sibu.core.logic import TYPE, Aggregate, Atom, Entity, Not, Rule, Term, Variable
from sibu.core.names import Names, is_iri
from sibu.logic.written import write

LONGEST: Final = 12
"""How many rules of a circle are told."""
Key = Entity | tuple[Entity, Term]
"""A property, or ``(TYPE, class)``."""


@dataclass(frozen=True, slots=True)
class Strata:
    """Rules in the order in which they are to be run."""

    layers: tuple[tuple[Rule, ...], ...]
    """By stratum, lowest first; each is run until nothing new follows. One may be empty: what stands in the first
    place for keys that no rule concludes, but ``generic`` ones or a schema may."""
    generic: tuple[Rule, ...]
    """Rules with an open predicate or an open class: they belong to every stratum, from ``since`` on."""
    levels: Mapping[Key, int]
    """The stratum of each key that a rule or an edge names: behind it all its facts are known."""
    since: Mapping[str, int] = field(default_factory=dict)
    """By id of those generic rules that deny or count: the lowest stratum in which they may run."""

    def at(self, level: int) -> list[Rule]:
        """The rules that are run together in a stratum."""
        return [*self.layers[level], *(rule for rule in self.generic if self.since.get(rule.id, 0) <= level)]


def key_of(atom: Atom) -> Key | None:
    """What an atom depends on; None: its predicate, or its class, is open."""
    if isinstance(atom.predicate, Variable):
        return None
    if atom.predicate != TYPE or len(atom.terms) != 2:
        return atom.predicate
    kind = atom.terms[1]
    return None if isinstance(kind, Variable) else (TYPE, kind)


def strata(rules: Sequence[Rule], edges: Iterable[tuple[Key, Key]] = (), *, names: Names | None = None) -> Strata:
    """Put rules into strata.

    Args:
        rules: A program; constraints lie above what they deny.
        edges: Further dependencies ``(from, to)``: facts of ``from`` make facts of ``to``, as a schema's sub-properties
            do. What an open atom of a rule without negation reads or concludes is not looked at: where a schema says
            what that may be, tell it here.
        names: How messages write names; None: as in the namespace of the first rule.

    Raises:
        RuleError: When rules deny or count what they rest on. One fault a circle, which shows its rules.
    """
    graph = _Graph(rules)
    for source, target in edges:
        graph.add(graph.node(target), graph.node(source), _Why())
        graph.pairs |= {source: None, target: None}
    graph.join_open()
    groups = components([[on for on, _ in out] for out in graph.edges])
    group_of = {node: number for number, group in enumerate(groups) for node in group}
    faults = [
        _circle(graph, node, edge, group_of, rules, names or _guess(rules))
        for node, edge in _first_denied(graph, group_of)
    ]
    if faults:
        raise RuleError(faults)
    levels = _levels(graph, groups, group_of)
    return _laid_out(rules, graph, levels)


def components(targets: Sequence[Sequence[int]]) -> list[list[int]]:
    """Strongly connected components of a graph, each after those it depends on.

    Args:
        targets: By node, the nodes that it depends on.

    Source: Tarjan, "Depth-first search and linear graph algorithms", 1972; without recursion.
    """
    index, low = [-1] * len(targets), [0] * len(targets)
    on_stack, stack, groups, count = [False] * len(targets), list[int](), list[list[int]](), 0
    for root in range(len(targets)):
        work = [(root, 0)] if index[root] < 0 else []
        while work:
            node, place = work.pop()
            if place == 0:
                index[node] = low[node] = count
                count += 1
                stack.append(node)
                on_stack[node] = True
            for number in range(place, len(targets[node])):
                target = targets[node][number]
                if index[target] < 0:
                    work += [(node, number + 1), (target, 0)]
                    break
                if on_stack[target]:
                    low[node] = min(low[node], index[target])
            else:
                if low[node] == index[node]:
                    groups.append([])
                    while not groups[-1] or groups[-1][-1] != node:
                        groups[-1].append(stack.pop())
                        on_stack[groups[-1][-1]] = False
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
    return groups


@dataclass(frozen=True, slots=True)
class _Why:
    """Why a key depends on another."""

    rule: int | None = None
    """Place of the rule; None: it is a schema's, or goes without saying."""
    atom: Atom | None = None
    """Of the rule's body; None: the head is open, and may be the key."""
    how: str = ""
    """``not``, or the aggregate's operator; empty: it stands there as it is."""


class _Graph:
    """Keys and on what they depend; so do constraints, and open rules that deny or count."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.edges: list[list[tuple[int, _Why]]] = []
        self.nodes: dict[object, int] = {}
        self.heads: list[int | None] = []
        """By rule, the node that it concludes."""
        self.generic: list[bool] = []
        self.denies: list[bool] = []
        self.pairs: dict[Key, None] = {}
        """The keys that an open atom may be: those of facts with two terms."""
        for place, rule in enumerate(rules):
            self._read(place, rule)

    def node(self, key: object) -> int:
        found = self.nodes.setdefault(key, len(self.edges))
        if found == len(self.edges):
            self.edges.append([])
        return found

    def add(self, node: int, on: int, why: _Why) -> None:
        self.edges[node].append((on, why))

    def _read(self, place: int, rule: Rule) -> None:
        key = key_of(rule.head) if rule.head else None
        rests = [(atom, how, key_of(atom)) for atom, how in _rests_on(rule)]
        for atom, on in [(rule.head, key), *((atom, on) for atom, _, on in rests)]:
            if atom and on is not None and len(atom.terms) == 2:
                self.pairs[on] = None
        denies = any(how for _, how, _ in rests)
        is_open = rule.head is not None and key is None
        self.generic.append(is_open or any(on is None for _, _, on in rests))
        self.denies.append(denies)
        if is_open and not denies:
            self.heads.append(None)
            return
        head = self.node(place if key is None else key)
        self.heads.append(head)
        for atom, how, on in rests:
            if on is not None:
                self.add(head, self.node(on), _Why(place, atom, how))
            elif how:  # it denies or counts all that the open atom may be
                self.add(head, self.node(_Any(_any_class(atom), read=True)), _Why(place, atom, how))
        if is_open and rule.head:  # and it may conclude all that the open head may be
            self.add(self.node(_Any(_any_class(rule.head), read=False)), head, _Why(place))

    def join_open(self) -> None:
        """Join what is open, and denies or counts, with every key that it may be."""
        for any_key in [each for each in self.nodes if isinstance(each, _Any)]:
            for key in self.pairs:
                if isinstance(key, Entity) and any_key.classes:
                    continue
                pair = (any_key, key) if any_key.read else (key, any_key)
                self.add(self.node(pair[0]), self.node(pair[1]), _Why())


@dataclass(frozen=True, slots=True)
class _Any:
    """Stands for every key that an open atom may be."""

    classes: bool
    """Whether only its class is open."""
    read: bool
    """Whether it stands in a body; else it is a head."""


def _any_class(atom: Atom) -> bool:
    return not isinstance(atom.predicate, Variable)


def _rests_on(rule: Rule) -> Iterator[tuple[Atom, str]]:
    """The atoms of a body, each with what is done to it."""
    for each in rule.body:
        if isinstance(each, Atom):
            yield each, ""
        elif isinstance(each, Not):
            yield each.atom, "not"
        elif isinstance(each, Aggregate):
            for inner in each.body:
                if isinstance(inner, Atom | Not):
                    yield (inner if isinstance(inner, Atom) else inner.atom), each.operator


def _levels(graph: _Graph, groups: list[list[int]], group_of: Mapping[int, int]) -> list[int]:
    """The stratum of each node; what a group depends on comes before it."""
    of_group = [0] * len(groups)
    for number, group in enumerate(groups):
        for node in group:
            for on, why in graph.edges[node]:
                if group_of[on] != number:
                    of_group[number] = max(of_group[number], of_group[group_of[on]] + bool(why.how))
    return [of_group[group_of[node]] for node in range(len(graph.edges))]


def _laid_out(rules: Sequence[Rule], graph: _Graph, levels: list[int]) -> Strata:
    layers: list[list[Rule]] = [[] for _ in range(max(levels, default=0) + 1)]
    generic, since = [], {}
    for rule, head, is_generic, denies in zip(rules, graph.heads, graph.generic, graph.denies, strict=True):
        if is_generic:
            generic.append(rule)
            if denies and head is not None:
                since[rule.id] = levels[head]
        elif head is not None:
            layers[levels[head]].append(rule)
    keys = {key: levels[node] for key, node in graph.nodes.items() if isinstance(key, Entity | tuple)}
    return Strata(tuple(map(tuple, layers)), tuple(generic), keys, since)


# Circles through what is denied.


def _first_denied(graph: _Graph, group_of: Mapping[int, int]) -> list[tuple[int, tuple[int, _Why]]]:
    """Of each group in which something is denied or counted, the first edge that does."""
    found: dict[int, tuple[int, tuple[int, _Why]]] = {}
    for node, out in enumerate(graph.edges):
        for on, why in out:
            first = found.get(group_of[node])
            if why.how and group_of[on] == group_of[node] and (first is None or _before(why, first[1][1])):
                found[group_of[node]] = node, (on, why)
    return sorted(found.values(), key=lambda each: each[1][1].rule or 0)


def _before(why: _Why, other: _Why) -> bool:
    return (why.rule or 0) < (other.rule or 0)


def _circle(
    graph: _Graph,
    start: int,
    denied: tuple[int, _Why],
    group_of: Mapping[int, int],
    rules: Sequence[Rule],
    names: Names,
) -> Fault:
    """The shortest circle through an edge that denies."""
    came: dict[int, tuple[int, _Why]] = {}
    waiting = deque([denied[0]])
    while waiting and denied[0] != start and start not in came:
        node = waiting.popleft()
        for on, why in graph.edges[node]:
            if group_of[on] == group_of[start] and on not in came and on != denied[0]:
                came[on] = node, why
                waiting.append(on)
    back, node = list[tuple[int, int, _Why]](), start
    while node != denied[0]:
        before, why = came[node]
        back.append((before, node, why))
        node = before
    keys = {number: key for key, number in graph.nodes.items()}
    steps = [(start, denied[0], denied[1]), *reversed(back)]
    told = [text for one, on, why in steps if (text := _step(keys[one], keys[on], why, rules, names))]
    if len(told) > LONGEST:
        told[LONGEST // 2 : -LONGEST // 2] = [f"({len(told) - LONGEST} more rules)"]
    first = rules[denied[1].rule or 0]
    what = "denies" if denied[1].how == "not" else "counts"
    return Fault(
        first.where,
        f"A rule {what} what rests on it in turn, so the rules can be run in no order: {', '.join(told)}.",
        "Name the relations that are meant instead of leaving them open."
        if any(isinstance(keys[one], _Any) for one, _, _ in steps)
        else f"Let one of them rest on something else, or do without `{denied[1].how}`.",
    )


def _step(one: object, on: object, why: _Why, rules: Sequence[Rule], names: Names) -> str:
    """One edge of a circle in words; empty: it goes without saying."""
    if why.rule is None:
        is_schema = not isinstance(one, _Any) and not isinstance(on, _Any)
        return f"by the schema {_key_text(one, names)} depends on {_key_text(on, names)}" if is_schema else ""
    rule = rules[why.rule]
    head = _atom_text(rule.head, names) if rule.head else "the constraint"
    if why.atom is None:
        return (
            f"{_line(rule)}: {head} may conclude any {'class' if isinstance(one, _Any) and one.classes else 'relation'}"
        )
    how = {"": "", "not": "not "}.get(why.how, f"{why.how} over ")
    return f"{_line(rule)}: {head} depends on {how}{_atom_text(why.atom, names)}"


def _atom_text(atom: Atom, names: Names) -> str:
    """An atom as rule text has it; one that rule text has not, such as of one term and no class, all the same."""
    try:
        return write(atom, names)
    except ValueError:
        parts = [names.short(each.iri) if isinstance(each, Entity) else getattr(each, "name", str(each))
                 for each in (atom.predicate, *atom.terms)]  # fmt: skip
        return f"{parts[0]}({', '.join(parts[1:])})"


def _key_text(key: object, names: Names) -> str:
    entity = key[1] if isinstance(key, tuple) else key
    return write(entity, names) if isinstance(entity, Entity) else str(entity)


def _line(rule: Rule) -> str:
    """File and line of a rule, or its id where it has none."""
    found = re.fullmatch(r"(?:(.*):)?([0-9]+):[0-9]+", rule.where)
    if found is None:
        return rule.where or f"rule {rule.id}"
    return f"{found[1]}:{found[2]}" if found[1] else f"line {found[2]}"


def _guess(rules: Sequence[Rule]) -> Names:
    """The namespace of the first relation that has one."""
    for rule in rules:
        for atom in ([rule.head] if rule.head else []) + [atom for atom, _ in _rests_on(rule)]:
            key = key_of(atom)
            entity = key[1] if isinstance(key, tuple) else key
            namespace = re.sub(r"[^/#:]*$", "", entity.iri) if isinstance(entity, Entity) else ""
            if is_iri(namespace):
                return Names(namespace)
    return Names("urn:rule:")
