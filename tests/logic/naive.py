"""A naive evaluator of rules, with proofs: what the engine and the checker are tested against.

Facts are a set; every rule is tried on all of it, again and again, until nothing is new, stratum by stratum; the first
derivation of each fact is kept. It is slow and meant to be plainly right. It shares no code with ``sibu.checker``.

Where the docstrings of ``sibu.core.logic`` leave something open, this is what is meant:

- A variable that stands in one negated atom and nowhere else is not bound: *no* fact may be as the atom is.
- Facts match by identity (``1`` is not ``1.0``, nor ``01``), comparisons go by worth.
- ``=`` gives a variable the other side's value where neither a positive atom nor an aggregate binds it; a single term
  is given as it is written, what was reckoned as ``Value.of`` writes it. Of several ``=`` the first that can goes first
  once the atoms are joined.
- An aggregate whose result is bound elsewhere compares by worth.
- What has no value (by zero, arithmetic with a text, too large for a float or to be written) makes its condition fail,
  and a tuple of an aggregate's items with such a part is none.
- ``sum`` is a whole number where all are, else ``math.fsum``; ``mean`` is always a float. Both have no value where one
  of the tuples does not begin with a number.
- ``min`` and ``max`` give a term as it is written: of numbers, or of values of one type by their text; of a mixture
  they have no value. Of several terms of one worth it is the first by text and type.
- ``<`` and its kin compare two numbers, or two values of one type that are no numbers.
- A rule over an open predicate or class has part in each stratum. A program in which such a rule adds to what was
  denied or counted before has no meaning (``Unstratified``).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sibu.core.logic import (
    TYPE,
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

Bound = Mapping[str, Term]
Instance = tuple[str, frozenset[tuple[str, Term]], Atom, tuple[Atom, ...]]
"""Rule, binding, conclusion, premises."""


class Unstratified(Exception):
    """The program has no meaning: something rests on its own denial."""


class TooMuch(Exception):
    """More facts follow than were allowed."""


@dataclass
class Model:
    """What follows from rules and asserted facts."""

    rules: tuple[Rule, ...]
    asserted: frozenset[Atom]
    why: dict[Atom, Instance]
    """The first derivation of each derived fact, in order."""

    @property
    def facts(self) -> set[Atom]:
        """Asserted and derived."""
        return {*self.asserted, *self.why}

    def proof(self, fact: Atom) -> Proof:
        """The first derivation of a fact, with those of its premises."""
        places: dict[Atom, int] = {}
        steps: list[Step] = []
        waiting = [fact]
        while waiting:
            each = waiting[-1]
            premises = () if each in self.asserted else self.why[each][3]
            missing = [premise for premise in premises if premise not in places]
            if missing:
                waiting += missing
                continue
            waiting.pop()
            if each not in places:
                places[each] = len(steps)
                steps.append(self._step(each, tuple(places[premise] for premise in premises)))
        return Proof(tuple(steps))

    def _step(self, fact: Atom, premises: tuple[int, ...]) -> Step:
        if fact in self.asserted:
            return Step(fact)
        rule, binding, _, _ = self.why[fact]
        return Step(fact, rule, dict(sorted(binding)), premises)

    @cached_property
    def instances(self) -> frozenset[Instance]:
        """Every application of every rule to the facts."""
        known = _Facts(self.facts)
        return frozenset(each for rule in self.rules for each in _instances(rule, known))

    def stands(self, proof: Proof) -> bool:
        """Whether each step is an asserted fact, or one of all the applications of rules to all that follows."""
        for place, step in enumerate(proof):
            if not step.rule:
                if step.binding or step.premises or step.fact not in self.asserted:
                    return False
                continue
            if step.sources or any(isinstance(each, bool) or not 0 <= each < place for each in step.premises):
                return False
            premises = tuple(proof.steps[each].fact for each in step.premises)
            if (step.rule, frozenset(step.binding.items()), step.fact, premises) not in self.instances:
                return False
        return True

    def almost(self, rule: Rule, condition: Condition) -> list[Instance]:
        """Applications of the rule in which this one condition does not hold, and all else does."""
        without = Rule(rule.id, rule.head, tuple(each for each in rule.body if each is not condition))
        own = {(binding, premises) for name, binding, _, premises in self.instances if name == rule.id}
        try:
            found = list(_instances(without, _Facts(self.facts)))
        except Unsafe:
            return []
        return [each for each in found if (each[1], each[3]) not in own]


def depth(proof: Proof) -> int:
    """Applications of rules on the longest way down."""
    depths: list[int] = []
    for step in proof:
        depths.append(max((depths[place] for place in step.premises), default=0) + bool(step.rule))
    return depths[-1]


def evaluate(rules: Iterable[Rule], facts: Iterable[Atom], limit: int = 20_000, rounds: int = 1000) -> Model:
    """All that follows.

    Raises:
        Unstratified: When something rests on its own denial.
        TooMuch: When more than ``limit`` facts follow, or a stratum takes more than so many rounds.
    """
    facts = tuple(facts)
    model = Model(tuple(rules), frozenset(facts), {})
    known = _Facts(facts)
    strata, generic = _strata(model.rules)
    for number in sorted(set(strata.values())):
        active = [rule for rule in model.rules if strata[rule.id] == number or (generic and strata[rule.id] < number)]
        turn, left = active, rounds
        while turn:
            # A round sees what stood before it, so that each fact's first derivation is one of the shallowest.
            found = [each for rule in turn for each in _instances(rule, known)]
            new = set()
            for each in found:
                if known.add(each[2]):
                    model.why[each[2]] = each
                    new.add(_relation(each[2]))
            # What has nothing new in its body gives what it gave before.
            turn = [rule for rule in active if any(_same(_relation(atom), one) for atom in rule.atoms for one in new)]
            left -= 1
            if len(model.why) > limit or not left:
                raise TooMuch
    if not set(model.why.values()) <= model.instances:
        raise Unstratified("a fact followed from what was denied or counted before")
    return model


class Unsafe(Exception):
    """A rule leaves a variable open."""


@dataclass
class _Facts:
    """Facts by predicate and number of terms, in the order in which they came, so that proofs are always the same."""

    first: Iterable[Atom]
    by: dict[tuple[Entity | Variable, int], dict[Atom, None]] = field(default_factory=lambda: defaultdict(dict))

    def __post_init__(self) -> None:
        for fact in self.first:
            self.add(fact)

    def add(self, fact: Atom) -> bool:
        """Whether it was new."""
        own = self.by[fact.predicate, len(fact.terms)]
        before = len(own)
        own[fact] = None
        return len(own) > before

    def like(self, atom: Atom, bound: Bound) -> Iterator[Atom]:
        predicate = (
            bound.get(atom.predicate.name, atom.predicate) if isinstance(atom.predicate, Variable) else atom.predicate
        )
        if not isinstance(predicate, Variable):
            yield from tuple(self.by.get((predicate, len(atom.terms)), ()))  # type: ignore[arg-type]
            return
        for (_, count), facts in tuple(self.by.items()):
            if count == len(atom.terms):
                yield from tuple(facts)


# Strata.


def _strata(rules: tuple[Rule, ...]) -> tuple[dict[str, int], set[str]]:
    """Number of each rule's stratum, and the positive rules with an open head: they have the first, and act in all."""
    heads = {rule.id: _relation(rule.head) for rule in rules if rule.head is not None}
    generic = {
        rule.id for rule in rules if None in heads.get(rule.id, ()) and not any(denied for _, denied in _leans(rule))
    }
    pairs = [
        (rule.id, other, denied)
        for rule in rules if rule.id not in generic
        for relation, denied in dict.fromkeys(_leans(rule))
        for other, head in heads.items() if _same(relation, head)
    ]  # fmt: skip
    strata = {rule.id: 0 for rule in rules}
    for _ in range(len(rules) + 2):
        before = dict(strata)
        for rule, other, denied in pairs:
            strata[rule] = max(strata[rule], strata[other] + denied)
        if strata == before:
            return strata, generic
    raise Unstratified("a rule rests on its own denial")


def _relation(atom: Atom) -> tuple[object, ...]:
    """Predicate and number of terms, and the class of a membership; None where it is open."""
    predicate = None if isinstance(atom.predicate, Variable) else atom.predicate
    if predicate != TYPE or len(atom.terms) != 2:
        return predicate, len(atom.terms), ""
    return predicate, 2, None if isinstance(atom.terms[1], Variable) else atom.terms[1]


def _same(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    if one[0] is None or other[0] is None:
        return one[1] == other[1]
    return one[:2] == other[:2] and (one[2] is None or other[2] is None or one[2] == other[2])


def _leans(rule: Rule) -> list[tuple[tuple[object, ...], bool]]:
    """The relations of a body, and whether they must be complete."""
    found = []
    for each in rule.body:
        if isinstance(each, Atom):
            found.append((_relation(each), False))
        elif isinstance(each, Not):
            found.append((_relation(each.atom), True))
        elif isinstance(each, Aggregate):
            found += [(_relation(part), True) for part in each.body if isinstance(part, Atom)]
            found += [(_relation(part.atom), True) for part in each.body if isinstance(part, Not)]
    return found


# One rule.


def _instances(rule: Rule, known: _Facts) -> Iterator[Instance]:
    if rule.head is None:
        return
    for bound in _solutions(rule.body, set(rule.head.variables), {}, known):
        head = _put(rule.head, bound)
        if head is not None:
            premises = [_put(each, bound) for each in rule.atoms]
            yield rule.id, frozenset(bound.items()), head, tuple(each for each in premises if each is not None)


def _solutions(body: tuple[Condition, ...], wanted: set[str], bound: Bound, known: _Facts) -> Iterator[Bound]:
    """Every binding under which a body holds: conditions as soon as they can be decided, else the next atom."""
    mentions = [_variables(each) for each in body]
    atoms = {name for each, names in zip(body, mentions, strict=True) if isinstance(each, Atom) for name in names}
    results = {each.result.name for each in body if isinstance(each, Aggregate)}
    shared = set(wanted) | set(bound)
    local = {
        number: {name for name in names if name not in shared and not any(
            name in others for place, others in enumerate(mentions) if place != number and body[place] != body[number])}
        for number, names in enumerate(mentions) if isinstance(body[number], Not)
    }  # fmt: skip
    outside = shared.union(*mentions)

    def go(left: tuple[int, ...], bound: Bound) -> Iterator[Bound]:
        if not left:
            if not wanted <= set(bound):
                raise Unsafe
            yield bound
            return
        for number in left:
            each, rest = body[number], tuple(other for other in left if other != number)
            joined = not any(isinstance(body[other], Atom) for other in left)
            if isinstance(each, Comparison) and (sides := _decidable(each, bound, results, joined)):
                yield from _after(_compared(each.operator, *sides, bound), rest, go)
                return
            if isinstance(each, Not) and mentions[number] - local[number] <= set(bound):
                if not any(_fits(each.atom, fact, bound) is not None for fact in known.like(each.atom, bound)):
                    yield from go(rest, bound)
                return
            if isinstance(each, Aggregate) and _inner(each) & outside <= set(bound):
                worth = _aggregated(each, bound, known)
                if each.result.name in atoms and each.result.name not in bound:
                    continue  # an atom binds it; compare then
                if worth is not None:
                    yield from _after(_compared("=", each.result, worth, bound), rest, go)
                return
        number = next((number for number in left if isinstance(body[number], Atom)), None)
        if number is None:
            raise Unsafe
        atom, rest = body[number], tuple(other for other in left if other != number)
        assert isinstance(atom, Atom)
        for fact in known.like(atom, bound):
            fitting = _fits(atom, fact, bound)
            if fitting is not None:
                yield from go(rest, fitting)

    yield from go(tuple(range(len(body))), bound)


def _after(bound: Bound | None, rest: tuple[int, ...], go: object) -> Iterator[Bound]:
    if bound is not None:
        yield from go(rest, bound)  # type: ignore[operator]


def _decidable(each: Comparison, bound: Bound, results: set[str], joined: bool) -> tuple[Expression, Expression] | None:
    """Its sides, where both are bound, or one can be given the other's worth: then that one is first."""
    for one, other in ((each.left, each.right), (each.right, each.left)):
        if not _variables(other) <= set(bound):
            continue
        if _variables(one) <= set(bound):
            return each.left, each.right
        if joined and each.operator == "=" and isinstance(one, Variable) and one.name not in results:
            return one, other
    return None


def _compared(operator: str, left: Expression, right: Expression, bound: Bound) -> Bound | None:
    """The binding after a comparison; None where it does not hold."""
    other = _value(right, bound)
    if other is None:
        return None
    if isinstance(left, Variable) and left.name not in bound:
        return {**bound, left.name: other}
    one = _value(left, bound)
    return bound if one is not None and _holds(operator, one, other) else None


def _holds(operator: str, one: Term, other: Term) -> bool:
    first, second = _number(one), _number(other)
    if first is not None and second is not None:
        equal, less = first == second, first < second
        ordered = equal or less or first > second
    elif operator in ("=", "!="):
        equal, less, ordered = one == other, False, True
    else:
        if not isinstance(one, Value) or not isinstance(other, Value) or one.datatype != other.datatype:
            return False
        if first is not None or second is not None:
            return False
        keys = one.order, other.order
        if None in keys or keys[0][0] != keys[1][0]:
            return False
        equal, less, ordered = keys[0][1] == keys[1][1], keys[0][1] < keys[1][1], True
    told = {"=": equal, "<": less, "<=": less or equal, ">": not (less or equal), ">=": not less}
    return not equal if operator == "!=" else ordered and told[operator]


def _number(term: Term) -> int | float | None:
    return term.number if isinstance(term, Value) else None


def _value(expression: Expression, bound: Bound) -> Term | None:
    if isinstance(expression, Variable):
        return bound[expression.name]
    if isinstance(expression, Entity | Value):
        return expression
    left, right = _value(expression.left, bound), _value(expression.right, bound)
    one, other = (None if side is None else _number(side) for side in (left, right))
    if one is None or other is None:
        return None
    try:
        if expression.operator == "+":
            return Value.of(one + other)
        if expression.operator == "-":
            return Value.of(one - other)
        if expression.operator == "*":
            return Value.of(one * other)
        if expression.operator == "/":
            return Value.of(one / other)
        return Value.of(one // other if expression.operator == "//" else one % other)
    except (ZeroDivisionError, OverflowError, ValueError):
        return None


def _aggregated(each: Aggregate, bound: Bound, known: _Facts) -> Term | None:
    tuples = set()
    for found in _solutions(each.body, set().union(*map(_variables, each.items)), bound, known):
        values = tuple(_value(item, found) for item in each.items)
        if None not in values:
            tuples.add(values)
    if each.operator == "count":
        return Value.of(len(tuples))
    firsts = [values[0] for values in tuples]
    numbers = [number for number in map(_number, firsts) if number is not None]  # type: ignore[arg-type]
    if each.operator in ("min", "max"):
        return _extreme(each.operator, firsts)  # type: ignore[arg-type]
    if len(numbers) < len(firsts) or (each.operator == "mean" and not numbers):
        return None
    try:
        whole = not any(isinstance(number, float) for number in numbers)
        total = sum(numbers) if whole else math.fsum(numbers)
        return Value.of(total if each.operator == "sum" else total / len(numbers))
    except (OverflowError, ValueError):
        return None


def _extreme(operator: str, terms: list[Term]) -> Term | None:
    """The first or last by worth; None where two of them cannot be compared."""
    best: Term | None = None
    for term in sorted(
        terms, key=lambda term: tuple(getattr(term, name, "") for name in ("text", "datatype", "language"))
    ):
        if not _holds("<=", term, term) or (
            best is not None and not (_holds("<=", term, best) or _holds(">", term, best))
        ):
            return None
        if best is None or _holds("<" if operator == "min" else ">", term, best):
            best = term
    return best


# Terms.


def _variables(part: object) -> set[str]:
    """Names in a condition or an expression; of an aggregate its result alone."""
    if isinstance(part, Variable):
        return {part.name}
    if isinstance(part, Atom):
        return set(part.variables)
    if isinstance(part, Not):
        return set(part.atom.variables)
    if isinstance(part, Comparison | Arithmetic):
        return _variables(part.left) | _variables(part.right)
    return {part.result.name} if isinstance(part, Aggregate) else set()


def _inner(each: Aggregate) -> set[str]:
    return set().union(*map(_variables, each.items), *map(_variables, each.body))


def _fits(atom: Atom, fact: Atom, bound: Bound) -> Bound | None:
    if len(atom.terms) != len(fact.terms):
        return None
    found: Bound = bound
    for own, its in zip((atom.predicate, *atom.terms), (fact.predicate, *fact.terms), strict=True):
        told = found.get(own.name) if isinstance(own, Variable) else own
        if told is None and isinstance(own, Variable):
            found = {**found, own.name: its}  # type: ignore[dict-item]
        elif told != its:
            return None
    return found


def _put(atom: Atom, bound: Bound) -> Atom | None:
    """The fact; None where a value would be the predicate."""
    predicate = bound[atom.predicate.name] if isinstance(atom.predicate, Variable) else atom.predicate
    if not isinstance(predicate, Entity):
        return None
    return Atom(predicate, tuple(bound[term.name] if isinstance(term, Variable) else term for term in atom.terms))
