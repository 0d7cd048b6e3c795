"""Rules made ready: terms as numbers, and each condition with what it needs and what it gives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sibu.core.errors import Fault, RuleError
from sibu.core.logic import Aggregate, Arithmetic, Atom, Comparison, Condition, Expression, Not, Rule, Variable
from sibu.logic.closure.terms import Terms


class Unsafe(Exception):
    """A rule has a variable that nothing binds: it would hold of everything."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """An atom: numbers of terms, and names of variables."""

    predicate: int | str
    terms: tuple[int | str, ...]
    place: int = -1
    """Among the rule's positive atoms; -1: it is no premise."""

    @property
    def variables(self) -> frozenset[str]:
        """Names of what is open, the predicate among it."""
        return frozenset(each for each in (self.predicate, *self.terms) if isinstance(each, str))


@dataclass(frozen=True, slots=True)
class Deny:
    """There is no such fact."""

    pattern: Pattern
    needs: frozenset[str]
    """What is bound elsewhere; other variables of the atom may be anything."""


@dataclass(frozen=True, slots=True)
class Compare:
    """Two expressions compared."""

    operator: str
    left: Expression
    right: Expression
    needs: frozenset[str]


@dataclass(frozen=True, slots=True)
class Assign:
    """A variable gets what an expression is worth."""

    gives: str
    expression: Expression
    needs: frozenset[str]


@dataclass(frozen=True, slots=True)
class Total:
    """What an aggregate comes to, for each binding of what it needs."""

    gives: str
    bound: bool
    """Whether the result is bound elsewhere; then it is compared."""
    operator: str
    items: tuple[Expression, ...]
    body: Body
    needs: frozenset[str]


Test = Deny | Compare | Assign | Total


@dataclass(frozen=True, slots=True)
class Body:
    """Positive atoms, and the other conditions in an order in which each finds its variables bound."""

    atoms: tuple[Pattern, ...]
    tests: tuple[Test, ...]
    conditions: tuple[Condition, ...] = ()
    """What the tests are in the rule, one for each."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A rule made ready."""

    number: int
    rule: Rule
    head: Pattern | None
    body: Body
    wanted: frozenset[str]
    """Variables of the head."""

    @property
    def lower(self) -> bool:
        """Whether it reads something that must be complete before: a negation or an aggregate."""
        return any(isinstance(test, Deny | Total) for test in self.body.tests)

    def denied(self) -> tuple[Pattern, ...]:
        """The atoms that it denies or counts, those within aggregates among them."""
        return tuple(denied(self.body))


def denied(body: Body) -> list[Pattern]:
    """The atoms that a body denies or counts."""
    found = []
    for test in body.tests:
        if isinstance(test, Deny):
            found.append(test.pattern)
        elif isinstance(test, Total):
            found += [*test.body.atoms, *denied(test.body)]
    return found


def ready(rules: Iterable[Rule], terms: Terms) -> list[Ready]:
    """Rules made ready.

    Raises:
        RuleError: When nothing binds a variable of a rule, or a rule has no id of its own; all such rules are named.
    """
    found, faults, ids = [], [], set[str]()
    for number, rule in enumerate(rules):
        if not rule.id or rule.id in ids:
            what = f"A rule has the id {rule.id!r}, but each needs one of its own: proofs name rules by it."
            faults.append(Fault(rule.where, what, "Give it another @id."))
        ids.add(rule.id)
        head = None if rule.head is None else pattern(rule.head, terms)
        wanted = head.variables if head else frozenset()
        try:
            body = _body(rule.body, wanted, frozenset(), terms, premises=True)
        except Unsafe as fault:
            what = f"Nothing binds {fault} in rule {rule.id!r}."
            faults.append(Fault(rule.where, what, "Name it in a positive atom of the body, or leave it out."))
        else:
            found.append(Ready(number, rule, head, body, wanted))
    if faults:
        raise RuleError(faults)
    return found


def pattern(atom: Atom, terms: Terms, place: int = -1) -> Pattern:
    """An atom made ready; its terms get numbers."""
    predicate, *others = (
        each.name if isinstance(each, Variable) else terms.id(each) for each in (atom.predicate, *atom.terms)
    )
    return Pattern(predicate, tuple(others), place)


def _body(
    conditions: Sequence[Condition], wanted: frozenset[str], given: frozenset[str], terms: Terms, premises: bool
) -> Body:
    """A body made ready.

    Args:
        conditions: As they are written.
        wanted: What must be bound in the end.
        given: What is bound from the start.
        terms: The terms' numbers.
        premises: Whether its atoms are premises of what is concluded.
    """
    atoms = [each for each in conditions if isinstance(each, Atom)]
    ordered = _ordered(conditions, wanted, given)
    patterns = tuple(pattern(atom, terms, place if premises else -1) for place, atom in enumerate(atoms))
    bound = given.union(*(each.variables for each in patterns))
    outside = wanted | given | _names(*conditions)
    tests = []
    for each in ordered:
        made = _test(each, bound, outside, terms)
        bound |= {made.gives} if isinstance(made, Assign | Total) else frozenset()
        tests.append(made)
    return Body(patterns, tuple(tests), tuple(ordered))


def _test(each: Condition, bound: frozenset[str], outside: frozenset[str], terms: Terms) -> Test:
    if isinstance(each, Not):
        made = pattern(each.atom, terms)
        return Deny(made, made.variables & bound)
    if isinstance(each, Comparison):
        for side, other in ((each.left, each.right), (each.right, each.left)):
            if isinstance(side, Variable) and side.name not in bound:
                return Assign(side.name, other, _names(other))
        return Compare(each.operator, each.left, each.right, _names(each))
    assert isinstance(each, Aggregate)
    needs = _names(*each.items, *each.body) & outside
    body = _body(each.body, _names(*each.items), needs, terms, premises=False)
    return Total(each.result.name, each.result.name in bound, each.operator, each.items, body, needs)


def _ordered(conditions: Sequence[Condition], wanted: frozenset[str], given: frozenset[str]) -> list[Condition]:
    """The conditions that are no positive atoms, each behind those that bind its variables, else as they stand.

    A variable of a negated atom alone stays open: no fact may be as the atom is. One of an aggregate alone is its own.
    """
    left = [each for each in conditions if not isinstance(each, Atom)]
    bound = given | _names(*(each for each in conditions if isinstance(each, Atom)))
    results = frozenset(each.result.name for each in left if isinstance(each, Aggregate))
    ordered: list[Condition] = []
    while left:
        chosen = next((each for each in left if not _lacks(each, conditions, wanted | given, bound, results)), None)
        if chosen is None:
            lacking = frozenset[str]().union(
                *(_lacks(each, conditions, wanted | given, bound, results) for each in left)
            )
            raise Unsafe(", ".join(sorted(lacking)))
        left.remove(chosen)
        ordered.append(chosen)
        bound |= frozenset() if isinstance(chosen, Not) else _names(chosen)
    if not wanted <= bound:
        raise Unsafe(", ".join(sorted(wanted - bound)))
    return ordered


def _lacks(
    each: Condition,
    conditions: Sequence[Condition],
    outside: frozenset[str],
    bound: frozenset[str],
    results: frozenset[str],
) -> frozenset[str]:
    """The variables that must be bound before a condition can be looked at."""
    if isinstance(each, Aggregate):
        return (_names(*each.items, *each.body) & (outside | _names(*conditions))) - bound
    if isinstance(each, Not):
        others = _names(*(other for other in conditions if other != each))
        return (_names(each) & (outside | others)) - bound
    lacking = _names(each) - bound
    if isinstance(each, Comparison) and each.operator == "=" and len(lacking) == 1 and lacking.isdisjoint(results):
        for side, other in ((each.left, each.right), (each.right, each.left)):
            if isinstance(side, Variable) and side.name in lacking and side.name not in _names(other):
                return frozenset()
    return lacking


def _names(*parts: Condition | Expression) -> frozenset[str]:
    """The variables of expressions and conditions; of an aggregate its result alone."""
    found: set[str] = set()
    for part in parts:
        if isinstance(part, Variable):
            found.add(part.name)
        elif isinstance(part, Aggregate):
            found.add(part.result.name)
        elif isinstance(part, Atom):
            found.update(part.variables)
        elif isinstance(part, Not):
            found.update(part.atom.variables)
        elif isinstance(part, Comparison | Arithmetic):
            found |= _names(part.left, part.right)
    return frozenset(found)


def names(expression: Expression) -> frozenset[str]:
    """The variables of an expression."""
    return _names(expression)
