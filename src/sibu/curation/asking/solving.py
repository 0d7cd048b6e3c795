"""What matches a pattern, among the facts that hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from operator import eq, ge, gt, le, lt
from typing import TYPE_CHECKING

from sibu.core.logic import TYPE, Atom, Comparison, Entity, Term, Triple, Value, Variable
from sibu.core.names import RDFS
from sibu.curation.asking.plans import Plan

if TYPE_CHECKING:
    from sibu.curation.asking.vocabulary import Vocabulary
    from sibu.curation.linking.linker import KnowledgeLinker
    from sibu.graph.reading import Reading

Binding = Mapping[str, Term]
MOST = 100_000
"""Matches that are looked at."""
_SIGNS = {">": gt, "<": lt, ">=": ge, "<=": le, "=": eq}
_ABOVE = Entity(RDFS + "subClassOf")


class Solver:
    """Finds what matches patterns.

    Args:
        kb: The knowledge base.
        linker: Knows the classes of things.
        vocabulary: Knows the classes.
    """

    def __init__(self, kb: Reading, linker: KnowledgeLinker, vocabulary: Vocabulary) -> None:
        self._kb, self._linker, self._vocabulary = kb, linker, vocabulary

    def solve(self, plan: Plan) -> list[Binding]:
        """The matches of a plan: one for each different answer, in order of their names."""
        found: dict[Term | None, Binding] = {}
        for binding in islice(self._matches(plan), MOST):
            found.setdefault(binding.get(plan.answer.name), binding)
        if plan.extreme is not None and found:
            sign, variable = plan.extreme
            worth = {key: _number(binding[variable.name]) for key, binding in found.items()}
            known = [each for each in worth.values() if each is not None]
            best = (max if sign == "max" else min)(known, default=None)
            found = {key: binding for key, binding in found.items() if best is not None and worth[key] == best}
        return [found[key] for key in sorted(found, key=_order)]

    def _matches(self, plan: Plan) -> Iterator[Binding]:
        kinds = [(term, kind) for term, kind in plan.kinds if isinstance(term, Variable)]
        if any(not self._is(term, kind) for term, kind in plan.kinds if isinstance(term, Entity)):
            return
        starts: Iterator[Binding] = iter([{}])
        bound = {name for atom in plan.atoms for name in atom.variables}
        named = any(isinstance(term, Entity) for atom in plan.atoms for term in atom.terms)
        begin = next(((term, kind) for term, kind in kinds if term.name not in bound or not named), None)
        if begin is not None:
            term, kind = begin
            starts = ({term.name: each} for each in sorted(self.members(kind)))
        for start in starts:
            for binding in self._joined(list(plan.atoms), start):
                if self._holds(plan, kinds, binding):
                    yield binding

    def _joined(self, atoms: Sequence[Atom], bound: Binding) -> Iterator[Binding]:
        if not atoms:
            yield bound
            return
        filled = [filled_in(atom, bound) for atom in atoms]
        place = min(range(len(atoms)), key=lambda each: len(filled[each].variables))
        rest = [*atoms[:place], *atoms[place + 1 :]]
        subject, thing = filled[place].terms
        if isinstance(subject, Value):
            return
        predicate = filled[place].predicate
        assert isinstance(predicate, Entity)
        pattern = [None if isinstance(each, Variable) else each for each in (subject, thing)]
        for triple in self._kb.triples(pattern[0], predicate, pattern[1]):  # type: ignore[arg-type]
            own = dict(bound)
            pairs = ((subject, triple.subject), (thing, triple.object))
            if all(own.setdefault(term.name, worth) == worth for term, worth in pairs if isinstance(term, Variable)):
                yield from self._joined(rest, own)

    def _holds(self, plan: Plan, kinds: list[tuple[Variable, Entity]], bound: Binding) -> bool:
        for term, kind in kinds:
            own = bound.get(term.name)
            if not isinstance(own, Entity) or not self._is(own, kind):
                return False
        if not all(compared(test, bound) for test in plan.tests):
            return False
        return not any(self._kb.holds(triple_of(filled_in(atom, bound))) for atom in plan.denied)

    def _is(self, thing: Entity, kind: Entity) -> bool:
        return kind in self._linker.classes(thing)

    def members(self, kind: Entity) -> set[Entity]:
        """Things of a class, and of those below it."""
        below = {each for each in self._vocabulary.classes if kind in self._linker.above(each)} | {kind}
        return {triple.subject for each in below for triple in self._kb.triples(None, TYPE, each)}

    # ---- premises ----------------------------------------------------------------------------------------------------

    def kind_atoms(self, thing: Entity, kind: Entity) -> list[Atom]:
        """Facts that show that a thing is of a class: that it is; else of which it is, and what stands between."""
        if self._kb.holds(Triple(thing, TYPE, kind)):
            return [Atom(TYPE, (thing, kind))]
        waiting: list[tuple[Entity, list[Atom]]] = [
            (triple.object, [Atom(TYPE, (thing, triple.object))])
            for triple in self._kb.triples(thing, TYPE)
            if isinstance(triple.object, Entity)
        ]
        seen: set[Entity] = set()
        while waiting:
            own, way = waiting.pop(0)
            if own == kind:
                return way
            if own not in seen:
                seen.add(own)
                for triple in self._kb.triples(own, _ABOVE):
                    if isinstance(triple.object, Entity):
                        waiting.append((triple.object, [*way, Atom(_ABOVE, (own, triple.object))]))
        return []


def filled_in(atom: Atom, bound: Binding) -> Atom:
    """An atom with what its variables stand for."""
    return Atom(atom.predicate, tuple(bound.get(each.name, each) if isinstance(each, Variable) else each
                                      for each in atom.terms))  # fmt: skip


def triple_of(atom: Atom) -> Triple:
    """A fact as a triple."""
    subject, thing = atom.terms
    assert isinstance(subject, Entity) and isinstance(atom.predicate, Entity) and not isinstance(thing, Variable)
    return Triple(subject, atom.predicate, thing)


def compared(test: Comparison, bound: Binding) -> bool:
    """Whether a comparison of a variable with a number holds."""
    assert isinstance(test.left, Variable) and isinstance(test.right, Value)
    own, other = _number(bound[test.left.name]), test.right.number
    return own is not None and other is not None and bool(_SIGNS[test.operator](own, other))


def _number(term: Term) -> int | float | None:
    return term.number if isinstance(term, Value) else None


def _order(term: Term | None) -> tuple[bool, str, str]:
    if isinstance(term, Value):
        return True, term.text, term.datatype
    return False, term.iri if term is not None else "", ""
