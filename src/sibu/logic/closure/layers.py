"""In which order rules run: what one denies or counts must be complete before.

Rules without negation and aggregates run from the start, and go on running in every layer after it: then no fact of a
later layer passes them by. The others join them layer by layer. That nothing is added to what was denied or counted is
watched (``Frozen``), since rules over open predicates may conclude what nobody foresaw. What those conclude from the
facts at hand their guards tell, the atoms that name a predicate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sibu.core.logic import TYPE, Aggregate, Atom, Entity, Not, Rule, Term, Variable
from sibu.core.names import SIBU, Names
from sibu.logic.closure.compiled import Pattern, Ready
from sibu.logic.closure.solve import Pick, Solver, Table
from sibu.logic.closure.store import Store
from sibu.logic.closure.terms import Ids
from sibu.logic.strata import Key, key_of, strata

Edge = tuple[Key, Key]
"""What rests on what: facts of the first make facts of the second."""


class Late(Exception):
    """A fact came that was denied or counted before."""

    def __init__(self, number: int, second: int, rule: int, reader: Ready) -> None:
        self.number, self.second, self.rule, self.reader = number, second, rule, reader
        """Relation, class or -1, the rule that concludes it, the rule that denied or counted it."""


class Frozen:
    """What was denied or counted, and by which rule: it must not change any more.

    Args:
        store: The facts.
        kind: Number of ``rdf:type``.
    """

    def __init__(self, store: Store, kind: int) -> None:
        self._store, self._kind = store, kind
        self.relations: dict[int, Ready] = {}
        self.classes: dict[int, Ready] = {}

    def freeze(self, reader: Ready, pattern: Pattern, table: Table | None = None) -> None:
        """What a rule denies or counts by one atom.

        Args:
            reader: The rule.
            pattern: The atom.
            table: What its open predicate or class stands for; one that it does not tell may be anything.
        """
        predicate = pattern.predicate
        if isinstance(predicate, str):
            names = table.columns.get(predicate) if table else None
            if names is None:
                numbers = self._store.pairs()
            else:
                numbers = [self._store.number(name, 2) for name in np.unique(names).tolist()]
            for number in numbers:
                self.relations.setdefault(number, reader)
        elif predicate != self._kind or len(pattern.terms) != 2:
            self.relations.setdefault(self._store.number(predicate, len(pattern.terms)), reader)
        else:
            self._freeze_class(reader, pattern.terms[1], table)

    def _freeze_class(self, reader: Ready, term: int | str, table: Table | None) -> None:
        if isinstance(term, int):
            self.classes.setdefault(term, reader)
        elif table and term in table.columns:
            for number in np.unique(table.columns[term]).tolist():
                self.classes.setdefault(number, reader)
        else:
            self.relations.setdefault(self._store.number(self._kind, 2), reader)

    def check(self, number: int, seconds: Ids | None, rule: int) -> None:
        """Whether rows may be added to a relation, or leave it.

        Args:
            number: The relation's.
            seconds: Second terms of the rows.
            rule: The rule by which they come.

        Raises:
            Late: When they may not.
        """
        if number in self.relations:
            raise Late(number, -1, rule, self.relations[number])
        if seconds is None or not self.classes or self._store.relations[number].predicate != self._kind:
            return
        hit = np.isin(seconds, np.fromiter(self.classes, np.int32))
        if hit.any():
            second = int(seconds[np.argmax(hit)])
            raise Late(number, second, rule, self.classes[second])


@dataclass(frozen=True, slots=True)
class Layer:
    """Rules that start together, and all that run with them: those of earlier layers too."""

    own: tuple[Ready, ...]
    all: tuple[Ready, ...]


def arranged(rules: Sequence[Ready], edges: Iterable[Edge], names: Names | None) -> list[Layer]:
    """Rules that conclude something, in layers; the first may be empty.

    Args:
        rules: The rules.
        edges: What rests on what by open rules, as ``edges_of`` finds it.
        names: How messages write names.

    Raises:
        RuleError: When what a rule denies or counts rests on the rule itself.
    """
    heads = [rule for rule in rules if rule.head is not None]
    levels = dict.fromkeys((rule.number for rule in heads), 0)
    if any(rule.lower for rule in heads):
        order = strata([rule.rule for rule in heads], sorted(edges, key=str), names=names)
        for rule in heads:
            if rule.lower:
                assert rule.rule.head is not None
                key = key_of(rule.rule.head)
                levels[rule.number] = order.since.get(rule.rule.id, 1) if key is None else order.levels[key]
    found: list[Layer] = []
    for number in sorted({0, *levels.values()}):
        own = tuple(rule for rule in heads if levels[rule.number] == number)
        found.append(Layer(own, (*(found[-1].all if found else ()), *own)))
    return found


def edges_of(rules: Sequence[Ready], solver: Solver) -> set[Edge]:
    """What rests on what by the rules whose predicates or classes are open, and the facts at hand.

    What such rules deny or count is not looked at: ``strata`` takes it for anything.
    """
    keys = {key for rule in rules for atom in _atoms(rule.rule) if (key := key_of(atom)) is not None}
    found: set[Edge] = set()
    told: list[tuple[int, list[Key | str], Key | str]] = []
    for rule in rules:
        head = rule.rule.head
        if head is None or all(key_of(atom) for atom in (head, *rule.rule.atoms)):
            continue
        for meaning in _meanings(rule, solver):
            if not all(isinstance(meaning.get(name, TYPE), Entity) for name in _predicates(rule.rule)):
                continue  # a value is no predicate
            reads = [_meant(atom, meaning) for atom in rule.rule.atoms]
            makes = _meant(head, meaning)
            keys |= {key for key in (*reads, makes) if not isinstance(key, str)}
            told.append((rule.number, reads, makes))
    for number, reads, makes in told:
        found.update(_edges(number, reads, makes, keys))
    return found


def _atoms(rule: Rule) -> Iterator[Atom]:
    """All atoms of a rule, those that it denies or counts among them."""
    if rule.head is not None:
        yield rule.head
    for each in rule.body:
        for inner in each.body if isinstance(each, Aggregate) else (each,):
            if isinstance(inner, Atom | Not):
                yield inner.atom if isinstance(inner, Not) else inner


def _predicates(rule: Rule) -> Iterator[str]:
    """The variables that stand for predicates."""
    for atom in _atoms(rule):
        if isinstance(atom.predicate, Variable):
            yield atom.predicate.name


def _meanings(rule: Ready, solver: Solver) -> Iterator[Mapping[str, Term]]:
    """What the open predicates and classes of a rule may be, as far as the atoms that name a predicate tell."""
    head = rule.rule.head
    assert head is not None
    atoms = (head, *rule.rule.atoms)
    open_ = frozenset(
        part.name
        for atom in atoms
        if key_of(atom) is None
        for part in (atom.predicate, *(atom.terms[1:] if len(atom.terms) == 2 else ()))
        if isinstance(part, Variable)
    )
    guards = [
        pattern for pattern, atom in zip(rule.body.atoms, rule.rule.atoms, strict=True) if key_of(atom) is not None
    ]
    wanted = open_ & frozenset[str]().union(*(pattern.variables for pattern in guards))
    seen: set[tuple[int, ...]] = set()
    names = sorted(wanted)
    for table in solver.solve(Table(1), [Pick(pattern) for pattern in guards], (), wanted):
        seen.update(zip(*(table.columns[name].tolist() for name in names), strict=True) if names else [()])
    for each in seen:
        yield {name: solver.terms[number] for name, number in zip(names, each, strict=True)}


def _meant(atom: Atom, meaning: Mapping[str, Term]) -> Key | str:
    """The key of an atom; where it is open the variable that leaves it so, behind ``class`` where that is a class."""
    predicate = meaning.get(atom.predicate.name) if isinstance(atom.predicate, Variable) else atom.predicate
    if predicate is None:
        assert isinstance(atom.predicate, Variable)
        return atom.predicate.name
    assert isinstance(predicate, Entity)
    terms = tuple(meaning.get(term.name, term) if isinstance(term, Variable) else term for term in atom.terms)
    return key_of(Atom(predicate, terms)) or f"class {terms[1]}"


def _edges(number: int, reads: Sequence[Key | str], makes: Key | str, keys: set[Key]) -> Iterator[Edge]:
    """From what a rule reads to what it makes; what stays open stands for every key there is."""
    for read in dict.fromkeys(reads):
        if isinstance(read, str) and read == makes:
            continue  # whatever it is, it makes more of the same
        middle = Entity(f"{SIBU}any:{number}")
        if not isinstance(read, str) and not isinstance(makes, str):
            yield read, makes
            continue
        for key in _spread(read, keys):
            yield key, middle
        for key in _spread(makes, keys):
            yield middle, key


def _spread(key: Key | str, keys: set[Key]) -> Iterable[Key]:
    if not isinstance(key, str):
        return (key,)
    return [each for each in keys if isinstance(each, tuple)] if key.startswith("class ") else keys
