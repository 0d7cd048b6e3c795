"""In which order a body can be evaluated: what binds its variables, and what needs them bound."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from sibu.core.errors import Fault, RuleError
from sibu.core.logic import Aggregate, Arithmetic, Atom, Comparison, Condition, Expression, Not, Rule, Variable


def mentioned(what: Condition | Expression) -> Iterator[str]:
    """Names of the variables in it, each as often as it stands there."""
    if isinstance(what, Variable):
        yield what.name
    elif isinstance(what, Atom):
        for term in (what.predicate, *what.terms):
            yield from mentioned(term)
    elif isinstance(what, Not):
        yield from mentioned(what.atom)
    elif isinstance(what, Arithmetic | Comparison):
        yield from mentioned(what.left)
        yield from mentioned(what.right)
    elif isinstance(what, Aggregate):
        for part in (what.result, *what.items, *what.body):
            yield from mentioned(part)


def within(aggregate: Aggregate) -> frozenset[str]:
    """The variables between its braces."""
    return frozenset(name for part in (*aggregate.items, *aggregate.body) for name in mentioned(part))


def outside(rule: Rule) -> frozenset[str]:
    """The variables that stand outside of aggregates, results among them; those of its aggregates alone are not."""
    found = {each.result.name for each in rule.body if isinstance(each, Aggregate)}
    plain = [each for each in rule.body if not isinstance(each, Aggregate)]
    return frozenset(found.union(*map(mentioned, [*plain, rule.head] if rule.head else plain)))


@dataclass(frozen=True, slots=True)
class Arranged:
    """A body in an order in which it can be evaluated, as far as that goes."""

    order: list[Condition]
    stuck: list[Condition]
    """What can be evaluated nowhere, because it needs variables that nothing binds."""
    bound: frozenset[str]
    """The variables that the order binds, and those that were bound before."""


def arrange(body: Sequence[Condition], shared: Collection[str], bound: Collection[str] = ()) -> Arranged:
    """Put each condition where what it needs is bound.

    What only looks (a comparison, a negation) comes as early as it can; atoms keep their order; an aggregate comes
    last. ``=`` gives a value only to a variable that no atom and no aggregate binds; of several that could, the first
    one does, as the checker of proofs has it. A variable that begins with ``_`` and stands in one negated atom alone
    is not bound: there no fact may be as the atom is.

    Args:
        body: A rule's, or an aggregate's.
        shared: The variables that stand outside of the aggregates of the body: those of them that an aggregate
            mentions have to be bound before it.
        bound: What is bound from outside.
    """
    fixed = {name for each in body if isinstance(each, Atom) for name in mentioned(each)}
    fixed |= {each.result.name for each in body if isinstance(each, Aggregate)}
    known, order = set(bound), list[Condition]()
    open_ = {place: anything(each, body) for place, each in enumerate(body)}
    places = list(open_)
    while True:
        ready = [place for place in places if _ready(body[place], known | open_[place], fixed, shared)]
        if not ready:
            return Arranged(order, [body[place] for place in places], frozenset(known))
        sooner = [place for place in ready if not _yields(place, places, body, known, fixed)]
        first = min(sooner or ready[:1], key=lambda place: _late(body[place]))
        places.remove(first)
        order.append(body[first])
        known |= _bound_by(body[first])


def _bound_by(each: Condition) -> set[str]:
    if isinstance(each, Not):
        return set()  # all of it is bound already, or may be anything
    return {each.result.name} if isinstance(each, Aggregate) else set(mentioned(each))


def _yields(place: int, places: Sequence[int], body: Sequence[Condition], known: set[str], fixed: set[str]) -> bool:
    """Whether ``=`` would give a value to a variable to which one that is written before it may give another form."""
    each = body[place]
    own = assigned(each, known, fixed) if isinstance(each, Comparison) else None
    if own is None or own.name in known:
        return False
    return any(other < place and own.name in _makes(body[other]) for other in places)


def anything(condition: Condition, body: Sequence[Condition]) -> frozenset[str]:
    """The variables of a negated atom that stand for anything: they begin with ``_``, and stand nowhere else."""
    if not isinstance(condition, Not):
        return frozenset()
    elsewhere = {name for other in body if other != condition for name in mentioned(other)}
    return frozenset(name for name in mentioned(condition) if name.startswith("_") and name not in elsewhere)


def loose(aggregate: Aggregate, bound: Collection[str]) -> list[str]:
    """The variables between an aggregate's braces that should be bound there, but are not, in order.

    Args:
        aggregate: Any.
        bound: The variables that are bound outside of it. They may stand in its body; what it reckons over has to be
            found there.
    """
    found = arrange(aggregate.body, (), bound)
    stuck = [name for each in found.stuck for name in mentioned(each) if name not in found.bound]
    plain = [each for each in aggregate.body if isinstance(each, Atom | Comparison)]
    inner = {name for each in plain for name in mentioned(each)} & found.bound
    items = [name for item in aggregate.items for name in mentioned(item) if name not in inner]
    return list(dict.fromkeys([*stuck, *items]))


def assigned(comparison: Comparison, known: Collection[str], fixed: Collection[str]) -> Variable | None:
    """The variable to which ``=`` gives the other side's value; None: it compares, or needs more to be bound.

    Args:
        comparison: Any.
        known: The variables that are bound.
        fixed: The variables that atoms or aggregates bind, sooner or later.
    """
    sides = (comparison.left, comparison.right), (comparison.right, comparison.left)
    for one, other in sides if comparison.operator == "=" else ():
        free = isinstance(one, Variable) and one.name not in known and one.name not in fixed
        if free and all(name in known for name in mentioned(other)):
            return one if isinstance(one, Variable) else None
    return None


def _ready(each: Condition, known: set[str], fixed: set[str], shared: Collection[str]) -> bool:
    if isinstance(each, Atom):
        return True
    if isinstance(each, Aggregate):
        return all(name in known for name in within(each) if name in shared)
    if all(name in known for name in mentioned(each)):
        return True
    return isinstance(each, Comparison) and assigned(each, known, fixed) is not None


def _late(each: Condition) -> int:
    return 2 if isinstance(each, Aggregate) else int(isinstance(each, Atom))


def unbound(rule: Rule) -> tuple[list[str], Arranged]:
    """The variables that should be bound, and are not; and the body as it were with them.

    Of those that get their value by ``=`` or an aggregate from others that are not bound, only the others are told.
    """
    shared, missing = outside(rule), list[str]()
    while True:
        found = arrange(rule.body, shared, missing)
        lacking = [name for name in (rule.head.variables if rule.head else ()) if name not in found.bound]
        for each in found.stuck:
            needs = shared & needed(each)
            lacking += [name for name in mentioned(each) if name in needs and name not in found.bound]
        if not lacking:
            return missing, found
        made = {name for each in found.stuck for name in _makes(each)}
        missing += dict.fromkeys([name for name in lacking if name not in made] or lacking[-1:])


def needed(condition: Condition) -> set[str]:
    """The variables that a condition mentions; of an aggregate those between its braces."""
    return set(within(condition)) if isinstance(condition, Aggregate) else set(mentioned(condition))


def _makes(condition: Condition) -> list[str]:
    """The variables to which a condition would give a value."""
    if isinstance(condition, Aggregate):
        return [condition.result.name]
    if not isinstance(condition, Comparison) or condition.operator != "=":
        return []
    sides = (condition.left, condition.right), (condition.right, condition.left)
    return [one.name for one, other in sides if isinstance(one, Variable) and one.name not in mentioned(other)]


def bound_order(rule: Rule) -> list[Condition]:
    """The body in an order in which it can be evaluated from left to right: what binds a variable, then what needs it.

    Atoms keep their order, comparisons and negations stand as early as they can. A variable of an aggregate that
    stands outside too is bound before it (``arrange`` gives the order between the braces).

    Raises:
        RuleError: When there is none, or the head has a variable that nothing binds; ``sound.faults`` says more.
    """
    found = arrange(rule.body, outside(rule))
    lacking = [name for name in (rule.head.variables if rule.head else ()) if name not in found.bound]
    lacking += [name for each in found.stuck for name in mentioned(each) if name not in found.bound]
    lacking += [name for each in found.order if isinstance(each, Aggregate) for name in loose(each, found.bound)]
    if lacking:
        message = f"Nothing in the rule {rule.id!r} binds {', '.join(dict.fromkeys(lacking))}."
        raise RuleError(Fault(rule.where, message, "Add a condition that does, such as an atom in which it stands."))
    return found.order
