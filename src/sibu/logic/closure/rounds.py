"""Rounds: rules are run on what the round before brought until nothing new comes (semi-naive evaluation)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import numpy as np

from sibu.logic.closure.compiled import Pattern, Ready
from sibu.logic.closure.layers import Frozen
from sibu.logic.closure.pending import Pending
from sibu.logic.closure.relation import Window
from sibu.logic.closure.solve import Pick, Solver, Table
from sibu.logic.closure.store import Store


class Triggers:
    """Which atoms of which rules new rows of a relation may meet.

    Args:
        rules: The rules.
        store: The facts.
        kind: Number of ``rdf:type``: its rows meet atoms of their class alone.
    """

    def __init__(self, rules: Iterable[Ready], store: Store, kind: int) -> None:
        self._store = store
        self._closed: dict[int, list[tuple[Ready, int, int]]] = {}
        self._open: list[tuple[Ready, int, list[Pattern]]] = []
        for rule in rules:
            for place, atom in enumerate(rule.body.atoms):
                if isinstance(atom.predicate, str):
                    guards = [each for each in rule.body.atoms if atom.predicate in each.terms]
                    self._open.append((rule, place, [each for each in guards if isinstance(each.predicate, int)]))
                    continue
                second = atom.terms[1] if atom.predicate == kind and len(atom.terms) == 2 else -1
                number = store.number(atom.predicate, len(atom.terms))
                self._closed.setdefault(number, []).append((rule, place, second if isinstance(second, int) else -1))

    def pulled(self) -> Iterator[tuple[Ready, int, int]]:
        """The rules, places of atoms, and predicates of atoms that are open (others: -1), that new rows meet."""
        fresh = [number for number, each in enumerate(self._store.relations) if each.count > each.first]
        for number in fresh:
            relation = self._store.relations[number]
            for rule, place, second in self._closed.get(number, ()):
                if second < 0 or relation.size("new", {1: second}):
                    yield rule, place, -1
        for rule, place, guards in self._open:
            name = rule.body.atoms[place].predicate
            for number in fresh:
                relation = self._store.relations[number]
                if relation.arity == 2 and all(self._guarded(each, name, relation.predicate) for each in guards):
                    yield rule, place, relation.predicate

    def _guarded(self, guard: Pattern, name: int | str, predicate: int) -> bool:
        """Whether some fact may be as a guard is where a variable stands for a predicate."""
        assert isinstance(guard.predicate, int)
        relation = self._store.relations[self._store.number(guard.predicate, len(guard.terms))]
        given = {place: term for place, term in enumerate(guard.terms) if isinstance(term, int)}
        given |= {place: predicate for place, term in enumerate(guard.terms) if term == name}
        return relation.size("all", given) > 0


class Rounds:
    """Runs rules.

    Args:
        store: The facts.
        solver: Finds what makes bodies hold.
        pending: Takes what is derived.
        frozen: Is told what is denied and counted.
        kind: Number of ``rdf:type``.
    """

    def __init__(self, store: Store, solver: Solver, pending: Pending, frozen: Frozen, kind: int) -> None:
        self.store, self.solver, self.pending, self.frozen, self.kind = store, solver, pending, frozen, kind

    def first(self, rules: Sequence[Ready], marks: Sequence[int]) -> None:
        """Run rules on all rows from marks on, and those without premises.

        Args:
            rules: The rules.
            marks: For each relation the first row that the rules have not met; of later relations they have met none.
        """
        for number, relation in enumerate(self.store.relations):
            relation.first = marks[number] if number < len(marks) else 0
        self._run(rules)
        for rule in rules:
            if not rule.body.atoms:
                self.whole(rule)

    def rest(self, rules: Sequence[Ready]) -> None:
        """Run rules on what is new until nothing new comes."""
        triggers = Triggers(rules, self.store, self.kind)
        while self.pending.commit():
            self._pull(triggers)

    def whole(self, rule: Ready, start: Table | None = None) -> None:
        """Run a rule on all rows, and take what it derives.

        Args:
            rule: The rule.
            start: What some of its variables are bound to.
        """
        self._solve(rule, start or Table(1), ["all"] * len(rule.body.atoms))

    def _run(self, rules: Sequence[Ready]) -> None:
        self._pull(Triggers(rules, self.store, self.kind))

    def _pull(self, triggers: Triggers) -> None:
        for rule, place, predicate in list(triggers.pulled()):
            # Atoms before it meet old rows alone: two new rows are joined once, not twice.
            windows: list[Window] = ["all"] * len(rule.body.atoms)
            for before in range(place):
                windows[before] = "old"
            windows[place] = "new"
            start = Table(1)
            name = rule.body.atoms[place].predicate
            if isinstance(name, str):
                start.columns[name] = np.array([predicate], np.int32)
            self._solve(rule, start, windows)

    def _solve(self, rule: Ready, start: Table, windows: Sequence[Window]) -> None:
        picks = [Pick(atom, window) for atom, window in zip(rule.body.atoms, windows, strict=True)]
        self.solver.reading = partial(self.frozen.freeze, rule) if rule.lower else None
        for table in self.solver.solve(start, picks, rule.body.tests, rule.wanted):
            self.pending.offer(rule, table)
        self.solver.reading = None
