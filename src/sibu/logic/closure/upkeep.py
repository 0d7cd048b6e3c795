"""A closure brought up to date: from what is asserted alone, or from what came and went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sibu.core.errors import Fault, RuleError
from sibu.core.logic import TYPE, Rule
from sibu.core.names import Names
from sibu.logic.closure.changes import Changes, Former, changes, former
from sibu.logic.closure.compiled import ready
from sibu.logic.closure.derivations import Derivations
from sibu.logic.closure.layers import Edge, Frozen, Late, Layer, arranged, edges_of
from sibu.logic.closure.pending import Pending
from sibu.logic.closure.relation import Relation
from sibu.logic.closure.removal import Removal, columns_of
from sibu.logic.closure.rounds import Rounds
from sibu.logic.closure.runs import Rows
from sibu.logic.closure.solve import Solver, Watch
from sibu.logic.closure.store import Name, Store
from sibu.logic.closure.terms import Terms
from sibu.logic.written import write

_DEAD = 100_000
"""From so many dead rows on, if they are half of all, the closure is made compact."""
_MANY, _SHARE = 1_000, 16
"""Where more are withdrawn than the first, and than one in so many of those asserted, all is derived anew: seeking what
rested on each costs more. Of 53,000 facts of university data: .33 s either way for 1,000; .71 s, or .29, for 10,000."""


class Upkeep:
    """Facts, rules, and what follows.

    Args:
        rules: The program.
        terms: The terms' numbers.
        proofs: Whether how each fact was derived is kept.
        names: How messages write names.
        relations: Relations that get the first numbers, in this order.

    Raises:
        RuleError: When nothing binds a variable of a rule.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        terms: Terms,
        proofs: bool,
        names: Names | None = None,
        relations: Sequence[Name] = (),
    ) -> None:
        self.terms, self.proofs, self.names = terms, proofs, names
        self.rules = ready(rules, terms)
        self.kind = terms.id(TYPE)
        self.store = Store(terms, proofs)
        for predicate, arity in relations:
            self.store.number(predicate, arity)
        self.derivations = self._no_derivations()
        self.whole = False
        """Whether all that follows from what was asserted when it was closed last is there."""
        self.before: Former = {}
        """What held when all was closed last; where it is not whole."""
        self._edges: set[Edge] = set()
        self._lower = any(rule.lower for rule in self.rules if rule.head is not None)

    def _no_derivations(self) -> list[Derivations | None]:
        kept = self.proofs
        return [Derivations(rule, self.store) if kept and rule.head is not None else None for rule in self.rules]

    def close(self, withdrawn: Mapping[int, Rows], watch: Watch) -> Changes:
        """Derive what follows, and let go what does not any more.

        Args:
            withdrawn: Rows that are asserted no more, and have no derivation.
            watch: When to stop.

        Raises:
            RuleError: When the rules cannot be put in order, by the facts there are.
            OutOfTime: When the time is up. All is derived from the beginning then when it is closed again.
        """
        before = None if self.whole else self.before
        if self.whole:
            self.whole = False
            try:
                done = self._renew(withdrawn, watch)
            except BaseException:
                self.before = former(self.store)
                raise
            if not done:
                before = self.before = former(self.store)
        if before is not None:
            self._afresh(watch)
        found = changes(self.store, before)
        self.whole, self.before = True, {}
        self._tidy()
        return found

    # From the beginning.

    def _afresh(self, watch: Watch) -> None:
        """Derive all from what is asserted; anew where a fact came too late, with what was learned from it."""
        self._edges = set()
        while True:
            self._restart()
            layers = self._arranged(watch)
            frozen = Frozen(self.store, self.kind)
            rounds = self._rounds(frozen, watch)
            try:
                for layer in layers:
                    self._freeze(frozen, layer)
                    rounds.first(layer.own, ())
                    rounds.rest(layer.all)
                return
            except Late as late:
                if not self._learned(watch):
                    raise RuleError(self._too_late(late)) from None

    def _restart(self) -> None:
        """Keep what is asserted alone."""
        for number, relation in enumerate(self.store.relations):
            rows = relation.living()
            rows = rows[relation.asserted.view[rows]]
            if len(rows) == relation.count and not np.any(relation.rule.view >= 0):
                relation.first = relation.closed = 0
                continue
            self.store.relations[number] = made = Relation(relation.predicate, relation.arity, self.proofs)
            made.append(columns_of(relation, rows), len(rows), asserted=True)
        self.derivations = self._no_derivations()

    def _arranged(self, watch: Watch) -> list[Layer]:
        if self._lower:
            self._learned(watch)
        return arranged(self.rules, self._edges, self.names)

    def _learned(self, watch: Watch) -> bool:
        """Look at what open rules conclude from the facts at hand; whether that is news."""
        known = len(self._edges)
        self._edges |= edges_of(self.rules, Solver(self.store, watch))
        return len(self._edges) > known

    def _rounds(self, frozen: Frozen, watch: Watch) -> Rounds:
        pending = Pending(self.store, self.derivations, frozen)
        return Rounds(self.store, Solver(self.store, watch), pending, frozen, self.kind)

    def _freeze(self, frozen: Frozen, layer: Layer) -> None:
        """What a layer denies or counts is complete; of open atoms only running the rules tells what they read."""
        for rule in layer.own:
            for pattern in rule.denied():
                if isinstance(pattern.predicate, int) and not self._open_class(pattern.predicate, pattern.terms):
                    frozen.freeze(rule, pattern)

    def _open_class(self, predicate: int, terms: tuple[int | str, ...]) -> bool:
        return predicate == self.kind and len(terms) == 2 and isinstance(terms[1], str)

    def _too_late(self, late: Late) -> Fault:
        relation = self.store.relations[late.number]
        what = self.terms[late.second] if late.second >= 0 else self.store.predicate(relation)
        by = f"by rule {self.rules[late.rule].rule.id!r}" if late.rule >= 0 else "since what it leaned on went"
        reader = late.reader.rule
        told = write(what, self.names) if self.names else getattr(what, "iri", str(what))
        return Fault(
            reader.where,
            f"Rule {reader.id!r} denies or counts {told}, of which facts came or went only "
            f"afterwards, {by}. With this ontology there is no order in which the rules could be run.",
            "Let one of the two rules rest on something else.",
        )

    # From what came and went.

    def _renew(self, withdrawn: Mapping[int, Rows], watch: Watch) -> bool:
        """Bring what follows up to date; False: it must be derived from the beginning."""
        if withdrawn and (not self.proofs or self._are_many(withdrawn)):
            return False
        self._edges = set()
        try:
            layers = self._arranged(watch)
        except RuleError:  # perhaps only by facts that are about to go
            return False
        frozen = Frozen(self.store, self.kind)
        rounds = self._rounds(frozen, watch)
        removal = Removal(self.store, self.derivations, rounds, frozen)
        try:
            removal.go(withdrawn)
            for layer in layers:
                self._freeze(frozen, layer)
                if not self.proofs and any(removal.changed(rule) for rule in layer.own):
                    return False
                removal.layer(layer, [relation.closed for relation in self.store.relations])
        except Late:
            return False
        return True

    def _are_many(self, withdrawn: Mapping[int, Rows]) -> bool:
        count = sum(map(len, withdrawn.values()))
        if count <= _MANY:
            return False
        return count * _SHARE > sum(int(np.count_nonzero(each.asserted.view)) for each in self.store.relations)

    def _tidy(self) -> None:
        """Make compact where much is dead, and note what there is."""
        dead = sum(relation.dead_count for relation in self.store.relations)
        if dead >= _DEAD and dead * 2 >= sum(relation.count for relation in self.store.relations):
            self.compact()
        for relation in self.store.relations:
            relation.closed, relation.died = relation.count, []
        self.store.settle()

    def compact(self) -> None:
        """Leave out dead rows and give new numbers to the others, in proofs too."""
        counting = [None if each is None else each.counted() for each in self.derivations]
        new: dict[int, Rows] = {}
        for number, relation in enumerate(self.store.relations):
            rows = relation.living()
            new[number] = np.full(relation.count, -1, np.int32)
            new[number][rows] = np.arange(len(rows), dtype=np.int32)
            self.store.relations[number] = relation.compacted(rows)
        for each, places in zip(self.derivations, counting, strict=True):
            if each is not None and places is not None:
                each.renumber(places, new)
