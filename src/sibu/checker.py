"""The checker of proofs: whether a proof is one, whoever made it.

It trusts the rules, the asserted facts and what stands in this file, which shares no code with the engine
(``sibu.logic``) and is short so that a person can read the whole of it. A step stands where

- it names no rule, and its fact is asserted; or
- it names a rule, and an earlier step for each positive atom of the rule's body, in order. These premises say what the
  atoms' variables stand for; from there the checker works out all else (comparisons, arithmetic, negated atoms,
  aggregates, the head) and compares it with what the step says.

That an atom is *not* a fact, and what an aggregate comes to, no premise can show. There the checker derives for itself,
bottom up, all that follows by the rules on which those atoms rest. Where that is too much, or has no meaning, the proof
is not accepted: nothing is taken on trust.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any, Protocol

from sibu.core.errors import ProofRejected, SibuError
from sibu.core.logic import (
    Aggregate,
    Arithmetic,
    Atom,
    Comparison,
    Condition,
    Entity,
    Expression,
    Not,
    Proof,
    Rule,
    Step,
    Term,
    Value,
    Variable,
)

LIMIT = 1_000_000
"""How many facts are looked at for the negations and aggregates of one rule, each time counted; about ten seconds."""
TURNS = 100
"""How often what follows is derived anew until it stays the same; n strata above the first take at most 2 n + 3."""
Binding = dict[str, Term]
Test = Comparison | Not | Aggregate
OPERATIONS: dict[str, Any] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul,
    "/": operator.truediv, "//": operator.floordiv, "%": operator.mod,
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
NUMBER = "number"


class Facts(Protocol):
    """The asserted facts: in memory (``Known``), or in a store."""

    def __contains__(self, fact: Atom, /) -> bool:
        """Whether it is asserted."""

    def matching(self, pattern: Atom, /) -> Iterable[Atom]:
        """All asserted facts that are as the pattern is where it is not open; more asserted ones do no harm."""


class Known:
    """Facts in memory."""

    def __init__(self, facts: Iterable[Atom] = ()) -> None:
        self.facts: dict[Atom, None] = {}
        self._at: dict[tuple[int, Any], list[Atom]] = {}
        for fact in facts:
            self.add(fact)

    def add(self, fact: Atom) -> None:
        """One more."""
        if fact not in self.facts:
            self.facts[fact] = None
            for place in enumerate(_parts(fact)):
                self._at.setdefault(place, []).append(fact)

    def __contains__(self, fact: object) -> bool:
        return fact in self.facts

    def matching(self, pattern: Atom) -> Iterable[Atom]:
        """Those that have the pattern's rarest term in its place."""
        told = (place for place in enumerate(_parts(pattern)) if not isinstance(place[1], Variable))
        lists = sorted((self._at.get(place, []) for place in told), key=len)
        return lists[0] if lists else self.facts


@dataclass(frozen=True, slots=True)
class _Derived:
    """Derived facts as atoms see them (``now``), and as negations and aggregates do: the last time, and before that."""

    now: Known
    last: Known
    before: Known


class Undecided(SibuError):
    """The checker cannot say; the text tells why."""


class Checker:
    """Checks proofs against rules and asserted facts.

    Args:
        rules: The program.
        facts: What is asserted; it must not change while the checker is used. Single facts are asked for, and those
            that match a pattern only where a rule with a negation or an aggregate was used.
        limit: How many facts may be looked at for the negations and aggregates of one rule.

    Raises:
        SibuError: When two rules have one id, or a rule has none.
    """

    def __init__(self, rules: Iterable[Rule], facts: Facts, limit: int = LIMIT) -> None:
        self._facts, self._limit, self._looked = facts, limit, 0
        self._rules: dict[str, Rule] = {}
        for rule in rules:
            if not rule.id or rule.id in self._rules:
                raise SibuError(f"A rule has the id {rule.id!r}, but each needs one of its own. Give it another @id.")
            self._rules[rule.id] = rule
        self._below: dict[str, frozenset[str]] = {}
        self._derived: dict[frozenset[str], Known | str] = {}

    def check(self, proof: Proof, fact: Atom) -> None:
        """Come back where it is a proof of this very fact.

        Raises:
            ProofRejected: Where it is not; it holds every fault.
        """
        faults = self.faults(proof)
        if proof.conclusion != fact:
            faults.append(f"it concludes {_text(proof.conclusion)}, but {_text(fact)} was to be proved")
        if faults:
            raise ProofRejected(faults)

    def faults(self, proof: Proof) -> list[str]:
        """What is wrong, by step (counted from 0, as in ``Step.premises``); empty: it proves its conclusion."""
        odd = [place for place, step in enumerate(proof) if not _is_fact(step.fact)]
        if odd:
            return [f"step {place}: it is no fact of names and values" for place in odd]
        told = ((place, self._fault(proof, place)) for place in range(len(proof.steps)))
        return [f"step {place}: {fault}" for place, fault in told if fault]

    def _fault(self, proof: Proof, place: int) -> str:
        """Why a step does not stand; empty: it does, if the earlier ones do."""
        step = proof.steps[place]
        if not step.rule:
            if step.binding or step.premises:
                return "it names no rule, so it can have neither binding nor premises"
            return "" if step.fact in self._facts else f"{_text(step.fact)} is not asserted"
        rule = self._rules.get(step.rule)
        if rule is None:
            return f"the program has no rule {step.rule!r}"
        if rule.head is None:
            return f"rule {rule.id!r} is a constraint, which concludes nothing"
        if step.sources:
            return "it names a rule, so it can have no sources: they are of asserted facts"
        if len(step.premises) != len(rule.atoms):
            return f"it has {len(step.premises)} premises, rule {rule.id!r} {len(rule.atoms)} positive atoms"
        bound: Binding = {}
        for atom, premise in zip(rule.atoms, step.premises, strict=True):
            if type(premise) is not int or not 0 <= premise < place:
                return f"its premise {premise!r} is no earlier step"
            matched = _match(atom, proof.steps[premise].fact, bound)
            if matched is None:
                return f"its premise {premise} is not {_text(atom)} of rule {rule.id!r}, as the premises before bind it"
            bound = matched
        try:
            return self._difference(step, rule, rule.head, bound)
        except Undecided as reason:
            return f"rule {rule.id!r}: {reason}"

    def _difference(self, step: Step, rule: Rule, head: Atom, bound: Binding) -> str:
        """Where a step is not what its rule gives with what its premises bind."""
        known = self._follows(rule)
        self._looked = 0
        order = _order(rule.body, _names(head), frozenset())
        bound, broken = self._settle(order, bound, _Derived(known, known, known))
        if broken is not None:
            return f"condition {rule.body.index(broken) + 1} of rule {rule.id!r} does not hold"
        if dict(step.binding) != bound:
            told = ", ".join(f"{name} = {_text(term)}" for name, term in bound.items())
            return f"its binding is not what its premises and rule {rule.id!r} give: {told or 'nothing'}"
        return "" if _fill(head, bound) == step.fact else f"rule {rule.id!r} does not conclude {_text(step.fact)} of it"

    # What a body gives, with asserted facts and those derived here.

    def _settle(self, rest: Iterable[Test], bound: Binding, derived: _Derived) -> tuple[Binding, Test | None]:
        """Go through what is no positive atom: the binding with what it adds, and the first that does not hold."""
        bound = dict(bound)
        for each in rest:
            match each:
                case Comparison(sign, left, right):
                    holds = _agree(sign, left, right, bound)
                case Aggregate(result):
                    holds = _agree("=", result, self._total(each, bound, derived), bound)
                case Not(atom):
                    found = self._look(_fill(atom, bound), derived.last)
                    holds = all(_match(atom, fact, bound) is None for fact in found)
            if not holds:
                return bound, each
        return bound, None

    def _total(self, of: Aggregate, bound: Binding, derived: _Derived) -> Term | None:
        """What an aggregate comes to; None: nothing, or what it counts has just changed."""
        rows = self._rows(of, bound, derived.last)
        if derived.before is not derived.last and self._rows(of, bound, derived.before) != rows:
            return None
        return Value.of(len(rows)) if of.operator == "count" else _reckon(of.operator, [row[0] for row in rows])

    def _rows(self, of: Aggregate, bound: Binding, known: Known) -> set[tuple[Term, ...]]:
        """The different tuples of an aggregate's items."""
        rows: set[tuple[Term, ...]] = set()
        for inner in self._solve(of.body, _names(*of.items), bound, _Derived(known, known, known)):
            row = [worth for item in of.items if (worth := _worth(item, inner)) is not None]
            if len(row) == len(of.items):
                rows.add(tuple(row))
        return rows

    def _solve(
        self, body: tuple[Condition, ...], needed: frozenset[str], bound: Binding, derived: _Derived
    ) -> Iterator[Binding]:
        """Every binding with which a body holds."""
        rest = _order(body, needed, frozenset(bound))
        for joined in self._join([each for each in body if isinstance(each, Atom)], bound, derived.now):
            settled, broken = self._settle(rest, joined, derived)
            if broken is None:
                yield settled

    def _join(self, atoms: Sequence[Atom], bound: Binding, known: Known) -> Iterator[Binding]:
        """Every binding with which all atoms are facts; the atom of which most is known goes first."""
        if not atoms:
            yield bound
            return
        patterns = [_fill(atom, bound) for atom in atoms]
        place = min(range(len(atoms)), key=lambda number: len(patterns[number].variables))
        for fact in self._look(patterns[place], known):
            matched = _match(atoms[place], fact, bound)
            if matched is not None:
                yield from self._join([*atoms[:place], *atoms[place + 1 :]], matched, known)

    def _look(self, pattern: Atom, known: Known) -> Iterator[Atom]:
        """The facts that may be as a pattern is."""
        if isinstance(pattern.predicate, Value):  # what a variable stands for need not be a predicate
            return
        if pattern.ground:
            found: Iterable[Atom] = [pattern] if pattern in self._facts or pattern in known else []
        else:
            found = chain(self._facts.matching(pattern), known.matching(pattern))
        for fact in found:
            self._count()
            yield fact

    def _count(self) -> None:
        self._looked += 1
        if self._looked > self._limit:
            raise Undecided(
                f"to see to its negations and aggregates takes more than {self._limit:,} looks at facts, "
                "so it is not accepted; give the checker a higher limit"
            )

    # What follows by the rules on which negations and aggregates rest.

    def following(self, pattern: Atom) -> Iterable[Atom]:
        """All facts that follow by the rules and may be as a pattern is, by the checker's own derivation.

        With the asserted ones they may be the ``Facts`` of another checker, whose rules go further.

        Raises:
            Undecided: When that is too much, or has no meaning.
        """
        return self._all(self._rests_on([pattern])).matching(pattern)

    def _follows(self, rule: Rule) -> Known:
        """Every derived fact that may be an atom that the rule denies or counts."""
        if rule.id not in self._below:
            self._below[rule.id] = self._rests_on(_lower(rule))
        return self._all(self._below[rule.id])

    def _all(self, below: frozenset[str]) -> Known:
        """Every derived fact by some rules and those that they rest on."""
        if below not in self._derived:
            try:
                self._derived[below] = self._derive([self._rules[name] for name in sorted(below)])
            except Undecided as reason:
                self._derived[below] = str(reason)
        found = self._derived[below]
        if isinstance(found, str):
            raise Undecided(found)
        return found

    def _rests_on(self, atoms: list[Atom]) -> frozenset[str]:
        """Ids of the rules that may conclude one of these atoms, or what those rules need."""
        found: set[str] = set()
        while atoms:
            atom = atoms.pop()
            more = [each for each in self._rules.values() if each.id not in found and _may_be(atom, each.head)]
            found.update(rule.id for rule in more)
            atoms += [lower for rule in more for lower in (*rule.atoms, *_lower(rule))]
        return frozenset(found)

    def _derive(self, rules: Sequence[Rule]) -> Known:
        """All that follows, derived again and again until it stays the same.

        Each time, what is denied is looked up in what followed the last time: at first in nothing, so that too much
        follows, then in too much, so that too little does, and so on. What stays is the well-founded model (Van Gelder,
        The alternating fixpoint of logic programs with negation, 1989): for rules in strata just what they say, however
        rules over open predicates tie these to each other. Where something rests on its own denial nothing stays. An
        aggregate holds only while what it counts was the same twice, so that none rests on itself.
        """
        self._looked = 0
        new, last, before = (Known() for _ in range(3))
        for _ in range(TURNS):
            new, last, before = self._close(rules, new, last), new, last
            if not any(map(_lower, rules)) or new.facts == last.facts == before.facts:
                return new
        raise Undecided("what it denies or counts rests on itself, so that no order of the rules says what holds")

    def _close(self, rules: Sequence[Rule], last: Known, before: Known) -> Known:
        """What follows with negations and aggregates fixed: each new fact is tried at every place of every rule."""
        derived = _Derived(Known(), last, before)
        waiting = [fact for rule in rules for fact in self._conclude(rule, {}, derived)]
        while waiting:
            fact = waiting.pop()
            self._count()
            if fact not in self._facts and fact not in derived.now:
                derived.now.add(fact)
                for rule in rules:
                    for start in (_match(atom, fact, {}) for atom in rule.atoms):
                        waiting += self._conclude(rule, start, derived) if start is not None else []
        return derived.now

    def _conclude(self, rule: Rule, bound: Binding, derived: _Derived) -> Iterator[Atom]:
        """The facts that a rule gives with a binding and what more it needs."""
        if rule.head is not None:
            for found in self._solve(rule.body, _names(rule.head), bound, derived):
                fact = _fill(rule.head, found)
                if _is_fact(fact):
                    yield fact


@lru_cache(4096)
def _order(body: tuple[Condition, ...], needed: frozenset[str], given: frozenset[str]) -> tuple[Test, ...]:
    """The conditions that are no positive atoms, each behind those that bind its variables, else as they stand.

    A variable of one negated atom alone stays open: no fact may be as the atom is. Those of an aggregate alone are its
    own.
    """
    left = [each for each in body if not isinstance(each, Atom)]
    bound = given.union(_names(*(each for each in body if isinstance(each, Atom))))
    results = _names(*(each for each in left if isinstance(each, Aggregate)))
    ordered: list[Test] = []

    def ready(each: Test) -> bool:
        match each:
            case Comparison("=", Variable(name), other) if name not in results and _names(other) <= bound:
                return True  # it compares, or gives the variable its worth
            case Comparison("=", other, Variable(name)) if name not in results and _names(other) <= bound:
                return True
            case Aggregate(_, _, items, inner):
                return _names(*items, *inner) & needed.union(given, _names(*body)) <= bound
            case Not(atom):
                return _names(atom) & needed.union(given, _names(*(other for other in body if other != each))) <= bound
        return _names(each) <= bound

    while left:
        chosen = next((each for each in left if ready(each)), None)
        if chosen is None:
            raise Undecided("it is unsafe: not all its variables are bound")
        left.remove(chosen)
        ordered.append(chosen)
        bound = bound if isinstance(chosen, Not) else bound | _names(chosen)
    if not needed <= bound:
        raise Undecided(f"it is unsafe: nothing binds {', '.join(sorted(needed - bound))}")
    return tuple(ordered)


def _lower(rule: Rule) -> list[Atom]:
    """The atoms that a rule denies or counts."""
    inner = chain.from_iterable(each.body if isinstance(each, Aggregate) else [each] for each in rule.body
                                if isinstance(each, Not | Aggregate))  # fmt: skip
    return [part.atom if isinstance(part, Not) else part for part in inner if isinstance(part, Not | Atom)]


def _names(*parts: object) -> frozenset[str]:
    """The variables of terms, expressions, atoms and conditions; of an aggregate its result alone."""
    found: set[str] = set()
    for part in parts:
        match part:
            case Variable(name) | Aggregate(Variable(name)):
                found.add(name)
            case Atom():
                found.update(part.variables)
            case Not(atom):
                found.update(atom.variables)
            case Comparison(_, left, right) | Arithmetic(_, left, right):
                found |= _names(left, right)
    return frozenset(found)


def _parts(atom: Atom) -> tuple[Term | Variable, ...]:
    return (atom.predicate, *atom.terms)


def _match(pattern: Atom, fact: Atom, bound: Binding) -> Binding | None:
    """The binding and what more makes the pattern the fact; None: nothing does."""
    if len(pattern.terms) != len(fact.terms):
        return None
    found: dict[str, Any] = dict(bound)
    for own, term in zip(_parts(pattern), _parts(fact), strict=True):
        if (found.setdefault(own.name, term) if isinstance(own, Variable) else own) != term:
            return None
    return found


def _fill(pattern: Atom, bound: Binding) -> Atom:
    """The pattern with what its variables stand for."""
    filled: list[Any] = [bound.get(part.name, part) if isinstance(part, Variable) else part for part in _parts(pattern)]
    return Atom(filled[0], tuple(filled[1:]))


def _may_be(one: Atom, other: Atom | None) -> bool:
    """Whether there may be a fact that is as both are."""
    if other is None or len(one.terms) != len(other.terms):
        return False
    pairs = zip(_parts(one), _parts(other), strict=True)
    return all(isinstance(own, Variable) or isinstance(its, Variable) or own == its for own, its in pairs)


def _is_fact(atom: Atom) -> bool:
    return isinstance(atom.predicate, Entity) and all(isinstance(term, Entity | Value) for term in atom.terms)


# Numbers and texts, as sibu.core.logic has them.


def _worth(expression: Expression | None, bound: Binding) -> Term | None:
    """What an expression comes to; None: nothing."""
    if isinstance(expression, Variable):
        return bound.get(expression.name)
    if not isinstance(expression, Arithmetic):
        return expression
    left, right = _worth(expression.left, bound), _worth(expression.right, bound)
    if left is None or right is None:
        return None
    (kind, first), (other, second) = _key(left), _key(right)
    if not kind == other == NUMBER:
        return None
    try:
        return Value.of(OPERATIONS[expression.operator](first, second))
    except (ArithmeticError, ValueError):  # by zero; too large for a float, or to be written
        return None


def _agree(sign: str, left: Expression, right: Expression | None, bound: Binding) -> bool:
    """Whether a comparison holds; a side that is an open variable gets the other's worth."""
    one, two = _worth(left, bound), _worth(right, bound)
    for side, worth in ((left, two), (right, one)):
        if isinstance(side, Variable) and side.name not in bound and worth is not None:
            bound[side.name] = worth
            return True
    if one is None or two is None:
        return False
    (kind, first), (other, second) = _key(one), _key(two)
    if sign in ("=", "!=") and not kind == other == NUMBER:
        return bool(OPERATIONS[sign](one, two))
    return kind == other != "" and bool(OPERATIONS[sign](first, second))


def _key(term: Term) -> tuple[str, Any]:
    """Its kind, and what it is compared by with others of that kind; a thing is of none."""
    if isinstance(term, Entity):
        return "", term
    number = term.number
    return (term.order or ("", term)) if number is None else (NUMBER, number)


def _reckon(how: str, terms: list[Term]) -> Term | None:
    """``sum``, ``min``, ``max`` or ``mean``; None where there is none, or the terms are not of one kind."""
    values = [term for term in terms if isinstance(term, Value)]
    kinds, worths = {_key(term)[0] for term in terms}, [_key(value)[1] for value in values]
    if how in ("min", "max") and len(kinds) == 1 and "" not in kinds and all(worth == worth for worth in worths):
        best = min(worths) if how == "min" else max(worths)
        return min(value for value in values if _key(value)[1] == best)  # of 1 and 1.0 always the same one
    if how in ("min", "max") or not kinds <= {NUMBER} or (how == "mean" and not worths):
        return None
    try:
        total = sum(worths) if all(isinstance(worth, int) for worth in worths) else math.fsum(worths)
        return Value.of(total if how == "sum" else total / len(worths))
    except (ArithmeticError, ValueError):
        return None


def _text(part: object) -> str:
    """As a person reads it."""
    match part:
        case Entity(iri):
            return f"<{iri}>"
        case Value(text, datatype, language):
            behind = f"@{language}" if language else f"^^<{datatype}>"
            return text if _key(part)[0] == NUMBER else f'"{text}"{behind}'
        case Variable(name):
            return name
        case Atom(predicate, terms):
            return f"{_text(predicate)}({', '.join(map(_text, terms))})"
    return repr(part)
