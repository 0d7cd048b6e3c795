"""The closure of facts under rules: what holds, why, and what changes when facts come or go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sibu.core.logic import Atom, Entity, Proof, Rule, Term, Variable
from sibu.core.names import Names
from sibu.logic.closure import disk
from sibu.logic.closure.changes import Changes
from sibu.logic.closure.compiled import Assign, Pattern, Ready, Total
from sibu.logic.closure.proofs import proof
from sibu.logic.closure.relation import Relation, distinct
from sibu.logic.closure.removal import columns_of
from sibu.logic.closure.runs import Rows
from sibu.logic.closure.solve import Pick, Solver, Table, Watch
from sibu.logic.closure.terms import Ids, Terms
from sibu.logic.closure.upkeep import Upkeep


@dataclass(frozen=True, slots=True)
class Count:
    """How many facts hold, and how many of them are asserted."""

    facts: int
    asserted: int

    @property
    def derived(self) -> int:
        """Those that hold by rules alone."""
        return self.facts - self.asserted


@dataclass(frozen=True, slots=True)
class Violation:
    """A constraint that is met: its body holds."""

    rule: Rule
    binding: Mapping[str, Term]
    """What its variables stand for; those inside an aggregate, or a negated atom, alone are not told."""
    premises: tuple[Atom, ...]
    """The fact that each positive atom of its body is, in order."""


class Closure:
    """Facts, rules, and all that follows from them.

    Facts are asserted and withdrawn; ``close`` brings up to date what follows, from what has changed alone. Until then
    nothing can be asked but what is asserted. Semi-naive evaluation bottom up over columns of numbers (Ullman,
    Principles of Database and Knowledge-Base Systems, 1988), an index a join; negation and aggregates by layers.

    Args:
        rules: The program. Constraints are looked at by ``violations`` alone.
        proofs: Whether how each fact was derived is kept, which about doubles the memory. Without it ``proof`` has no
            answer, and where facts are withdrawn, or come where rules deny or count, all is derived anew.
        names: How messages write names; None: by the namespace of the first relation.

    Raises:
        RuleError: When nothing binds a variable of a rule.
    """

    def __init__(self, rules: Sequence[Rule], *, proofs: bool = True, names: Names | None = None) -> None:
        self._begin(tuple(rules), Upkeep(rules, Terms(), proofs, names))

    def _begin(self, rules: tuple[Rule, ...], upkeep: Upkeep) -> None:
        self.rules, self._upkeep = rules, upkeep
        self._withdrawn: dict[int, list[Rows]] = {}
        self._changed = not upkeep.whole

    @property
    def terms(self) -> Terms:
        """The terms' numbers; they stay for life."""
        return self._upkeep.terms

    @property
    def stale(self) -> bool:
        """Whether facts came or went since all was closed last; then ``close`` is due."""
        return self._changed

    # What is asserted.

    def add(self, facts: Iterable[Atom]) -> int:
        """Assert facts; how many were not asserted before.

        Raises:
            ValueError: When one has a variable.
        """
        return sum(self._assert(number, columns, size) for number, columns, size in self._grouped(facts))

    def add_columns(self, predicate: Entity, *columns: Ids) -> int:
        """Assert many facts of one predicate; how many were not asserted before.

        Args:
            predicate: Of all of them; ``TYPE`` for classes, which are then the second column.
            columns: A number of a term (see ``terms``) for each fact, a column each.

        Raises:
            ValueError: When the columns have different lengths, or a number is none of a term.
        """
        checked = self._checked(columns)
        number = self._upkeep.store.number(self.terms.id(predicate), len(checked))
        return self._assert(number, checked, len(checked[0]))

    def retract(self, facts: Iterable[Atom]) -> int:
        """Withdraw facts; how many were asserted. One that also follows from others stays, derived.

        Raises:
            ValueError: When one has a variable.
        """
        return sum(self._withdraw(number, columns, size) for number, columns, size in self._grouped(facts))

    def retract_columns(self, predicate: Entity, *columns: Ids) -> int:
        """Withdraw many facts of one predicate, given as to ``add_columns``; how many were asserted.

        Raises:
            ValueError: When the columns have different lengths, or a number is none of a term.
        """
        checked = self._checked(columns)
        number = self._upkeep.store.number(self.terms.id(predicate), len(checked))
        return self._withdraw(number, checked, len(checked[0]))

    def _checked(self, columns: Sequence[Ids]) -> list[Ids]:
        found = [np.asarray(column) for column in columns]
        if not found or len({column.shape for column in found}) > 1 or found[0].ndim != 1:
            raise ValueError(f"give one column or more, all of one length, not {[each.shape for each in found]}")
        for column in found:
            if column.dtype.kind not in "iu" or (
                len(column) and not 0 <= int(column.min()) <= int(column.max()) < len(self.terms)
            ):
                raise ValueError(
                    f"a column holds numbers of terms, from 0 to {len(self.terms) - 1}, as `terms` gives them"
                )
        return [column.astype(np.int32) for column in found]

    def _grouped(self, facts: Iterable[Atom]) -> Iterator[tuple[int, list[Ids], int]]:
        """Facts by relation: its number, their columns, how many."""
        found: dict[tuple[int, int], list[int]] = {}
        number = self.terms.id
        for fact in facts:
            if isinstance(fact.predicate, Variable) or not fact.ground:
                raise ValueError(f"a fact has no variables, but {fact} has")
            rows = found.setdefault((number(fact.predicate), len(fact.terms)), [])
            rows += [number(term) for term in fact.terms if not isinstance(term, Variable)] or [0]
        for (predicate, arity), terms in found.items():
            table = np.array(terms, np.int32).reshape(-1, max(arity, 1))
            columns = [np.ascontiguousarray(table[:, column]) for column in range(arity)]
            yield self._upkeep.store.number(predicate, arity), columns, len(table)

    def _rows(self, relation: Relation, columns: list[Ids], size: int) -> tuple[list[Ids], Rows]:
        """Different facts and their rows, -1 of those that do not hold."""
        keys = relation.keys(columns, size)
        places = distinct(keys, columns)
        keys, columns = keys[places], [column[places] for column in columns]
        rows = np.full(len(keys), -1, np.int32)
        known = np.flatnonzero(relation.known(columns, keys))
        if len(known):
            rows[known] = relation.find([column[known] for column in columns], keys[known])
        return columns, rows

    def _assert(self, number: int, columns: list[Ids], size: int) -> int:
        relation = self._upkeep.store.relations[number]
        columns, rows = self._rows(relation, columns, size)
        known = rows[rows >= 0]
        again = known[~relation.asserted.view[known]]
        relation.asserted.view[again] = True
        fresh = np.flatnonzero(rows < 0)
        relation.append([column[fresh] for column in columns], len(fresh), asserted=True)
        self._changed |= bool(len(fresh) + len(again))
        return len(fresh) + len(again)

    def _withdraw(self, number: int, columns: list[Ids], size: int) -> int:
        relation = self._upkeep.store.relations[number]
        rows = self._rows(relation, columns, size)[1]
        rows = rows[rows >= 0]
        rows = rows[relation.asserted.view[rows]]
        relation.asserted.view[rows] = False
        if len(rows):
            self._withdrawn.setdefault(number, []).append(rows)
            self._changed = True
        return len(rows)

    def asserted(self, fact: Atom) -> bool:
        """Whether a fact is asserted."""
        relation, row = self._find(fact)
        return row >= 0 and bool(self._upkeep.store.relations[relation].asserted.view[row])

    # What follows.

    def close(self, seconds: float | None = None) -> Changes:
        """Bring up to date what follows; what holds now that did not before, and the other way round.

        Args:
            seconds: How long it may take, about; None: as long as it takes.

        Raises:
            RuleError: When the rules cannot be put in order by the facts there are.
            OutOfTime: When it takes longer. It stays stale, and all is derived from the beginning when it is closed
                again.
        """
        gone = {number: self._unsupported(number, rows) for number, rows in self._withdrawn.items()}
        self._withdrawn = {}
        self._changed = True
        found = self._upkeep.close({number: rows for number, rows in gone.items() if len(rows)}, Watch(seconds))
        self._changed = False
        return found

    def _unsupported(self, number: int, parts: list[Rows]) -> Rows:
        """Those of the withdrawn rows that were not asserted again, and are not known to follow from others."""
        relation = self._upkeep.store.relations[number]
        rows = np.unique(np.concatenate(parts))
        lone = ~relation.asserted.view[rows]
        if self._upkeep.proofs:
            lone &= relation.rule.view[rows] < 0
        return rows[np.flatnonzero(lone)]

    def _fresh(self) -> Upkeep:
        if self._changed:
            raise RuntimeError("facts came or went since the closure was closed: call close() before asking what holds")
        return self._upkeep

    def _solver(self) -> Solver:
        return Solver(self._fresh().store, Watch())

    def ready(self, seconds: float | None = None) -> tuple[Sequence[Ready], Solver]:
        """Its rules and a solver over its facts, for others of this package, who may ask for so long."""
        return self._fresh().rules, Solver(self._fresh().store, Watch(seconds))

    def _find(self, fact: Atom) -> tuple[int, int]:
        """The relation and the row of a fact, -1 where there is none."""
        if not fact.ground:
            raise ValueError(f"a fact has no variables, but {fact} has")
        pattern = self._sought(fact)
        number = -1 if pattern is None else self._upkeep.store.find(int(pattern.predicate), len(pattern.terms))
        if pattern is None or number < 0:
            return -1, -1
        relation = self._upkeep.store.relations[number]
        columns = [np.array([term], np.int32) for term in pattern.terms]
        return number, int(relation.find(columns, relation.keys(columns, 1))[0])

    def _sought(self, atom: Atom) -> Pattern | None:
        """An atom with numbers; None where one of its terms was never seen."""
        found = [
            part.name if isinstance(part, Variable) else self.terms.find(part) for part in (atom.predicate, *atom.terms)
        ]
        return None if -1 in found else Pattern(found[0], tuple(found[1:]))

    def holds(self, fact: Atom) -> bool:
        """Whether a fact is asserted, or follows."""
        self._fresh()
        return self._find(fact)[1] >= 0

    def match(self, pattern: Atom) -> Iterator[Atom]:
        """The facts that an atom may be; its predicate may be open."""
        sought = self._sought(pattern)
        solver = self._solver()
        if sought is None:
            return
        for table in solver.solve(Table(1), [Pick(sought)], (), sought.variables):
            yield from self._filled(pattern, table)

    def _filled(self, pattern: Atom, table: Table) -> Iterator[Atom]:
        parts = [
            self.terms.of(table.columns[part.name]) if isinstance(part, Variable) else [part] * table.size
            for part in (pattern.predicate, *pattern.terms)
        ]
        for predicate, *terms in zip(*parts, strict=True):
            assert isinstance(predicate, Entity)
            yield Atom(predicate, tuple(terms))

    def columns(self, predicate: Entity, arity: int = 2, *, derived: bool = False) -> tuple[Ids, ...]:
        """All facts of a predicate as columns of numbers; they must not be written to.

        Args:
            predicate: Its name; ``TYPE`` for classes, which are the second column.
            arity: How many terms the facts have.
            derived: Those alone that hold by rules and are not asserted.
        """
        number = self._fresh().store.find(self.terms.find(predicate), arity)
        if number < 0:
            return tuple(np.zeros(0, np.int32) for _ in range(arity))
        relation = self._upkeep.store.relations[number]
        if not derived:
            return relation.facts()
        rows = relation.living()
        return tuple(columns_of(relation, rows[~relation.asserted.view[rows]]))

    def count(self) -> int:
        """How many facts hold."""
        return sum(each.facts for each in self.counts().values())

    def counts(self) -> Mapping[Entity, Count]:
        """How many facts of each predicate hold."""
        found: dict[Entity, Count] = {}
        for relation in self._fresh().store.relations:
            facts = relation.count - relation.dead_count
            asserted = int(np.count_nonzero(relation.asserted.view))
            if facts:
                name = self._upkeep.store.predicate(relation)
                known = found.get(name, Count(0, 0))
                found[name] = Count(known.facts + facts, known.asserted + asserted)
        return found

    # Why.

    def proof(self, fact: Atom) -> Proof | None:
        """How a fact follows from asserted ones, each step once; None where it does not hold.

        Raises:
            RuntimeError: When the closure keeps no proofs.
        """
        solver = self._solver()
        if not self._upkeep.proofs:
            raise RuntimeError("this closure keeps no proofs: make it with proofs=True")
        found = self._find(fact)
        return None if found[1] < 0 else proof(found, self._upkeep.derivations, solver)

    def violations(self) -> Iterator[Violation]:
        """Each way in which the body of a constraint holds."""
        solver = self._solver()
        for rule in self._upkeep.rules:
            if rule.head is None:
                yield from self._violations(rule, solver)

    def _violations(self, rule: Ready, solver: Solver) -> Iterator[Violation]:
        given = [test.gives for test in rule.body.tests if isinstance(test, Assign | Total)]
        wanted = frozenset(given).union(*(pattern.variables for pattern in rule.body.atoms))
        for table in solver.body(rule.body, wanted, each=True):
            columns = {name: self.terms.of(table.columns[name]) for name in sorted(wanted)}
            atoms = [list(self._filled(atom, table)) for atom in rule.rule.atoms]
            for row in range(table.size):
                binding = {name: terms[row] for name, terms in columns.items()}
                yield Violation(rule.rule, binding, tuple(facts[row] for facts in atoms))

    # On disk.

    def save(self, folder: Path) -> None:
        """Write it to a folder, which is replaced where it stands there: safetensors and JSON.

        Raises:
            RunStopped: When it cannot be written.
        """
        disk.save(self._fresh(), self.rules, folder)

    @classmethod
    def load(cls, folder: Path, rules: Sequence[Rule], *, names: Names | None = None) -> Closure:
        """Read what ``save`` wrote.

        Args:
            folder: Where it is.
            rules: The program. Where it says something else than the one that was saved, the closure is stale, and all
                is derived anew from the asserted facts when it is closed.
            names: How messages write names; None: by the namespace of the first relation.

        Raises:
            DataError: When there is none, it is damaged, or another version of Sibu wrote it.
            RuleError: When nothing binds a variable of a rule.
        """
        found = cls.__new__(cls)
        found._begin(tuple(rules), disk.load(folder, rules, names))
        return found
