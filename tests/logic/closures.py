"""What the tests of the closure share: rules and facts from text, and a closure's facts as a set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest

from sibu.checker import Checker, Known
from sibu.core.logic import Atom, Entity, Rule, Variable
from sibu.core.names import Names
from sibu.logic.closure import Changes, Closure, pending, relation, runs, upkeep
from sibu.logic.text import parse, parse_atom

NAMES = Names("https://example.org/")


def entity(name: str) -> Entity:
    return Entity(NAMES.long(name))


def fact(text: str) -> Atom:
    return parse_atom(text, NAMES)


def program(text: str) -> tuple[tuple[Rule, ...], list[Atom]]:
    """Rules, and the facts among them, which are to be asserted."""
    found = parse(text, NAMES).rules
    return tuple(rule for rule in found if rule.body or not rule.head), [
        rule.head for rule in found if rule.head and not rule.body
    ]


def closed(text: str, *, proofs: bool = True) -> Closure:
    """The closure of a text's facts under its rules."""
    rules, facts = program(text)
    closure = Closure(rules, proofs=proofs)
    closure.add(facts)
    closure.close()
    return closure


def found(closure: Closure, text: str) -> set[Atom]:
    """The facts that an atom may be."""
    return set(closure.match(fact(text)))


def everything(closure: Closure, rules: Iterable[Rule], facts: Iterable[Atom]) -> set[Atom]:
    """All that holds: of every relation that rules or facts name, and all facts of two terms."""
    atoms = [*facts, *(atom for rule in rules for atom in (rule.head, *rule.atoms) if atom is not None)]
    names = {(atom.predicate, len(atom.terms)) for atom in atoms if isinstance(atom.predicate, Entity)}
    patterns = [Atom(name, tuple(Variable(f"v{place}") for place in range(size))) for name, size in names]
    patterns.append(Atom(Variable("p"), (Variable("a"), Variable("b"))))
    return {each for pattern in patterns for each in closure.match(pattern)}


def of(changes: Changes) -> tuple[set[Atom], set[Atom]]:
    """What came and what went."""
    came, went = ([each for part in parts for each in part] for parts in (changes.came, changes.went))
    assert len(came) == len(set(came))
    assert len(went) == len(set(went))
    return set(came), set(went)


def assert_proved(closure: Closure, holds: Iterable[Atom], asserted: Iterable[Atom]) -> None:
    """The checker accepts the proof of each fact."""
    checker = Checker(closure.rules, Known(asserted))
    for each in holds:
        proof = closure.proof(each)
        assert proof is not None
        assert len({step.fact for step in proof}) == len(proof.steps), "a step stands there twice"
        checker.check(proof, each)


@contextmanager
def cramped(chunk: int, room: int, dead: int, alike: int, hashes: bool) -> Iterator[None]:
    """Bounds so low that what only large closures do is done by small ones.

    Args:
        chunk: So many rows are joined at a time.
        room: From so many on what waits is freed of what comes twice.
        dead: From so many dead rows on the closure is made compact.
        alike: Runs are merged where one is less than this many times as long.
        hashes: Whether different rows of wide relations often have one hash.
    """
    real = relation.hashed
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(relation, "CHUNK", chunk)
        patch.setattr(pending, "_ROOM", room)
        patch.setattr(upkeep, "_DEAD", dead)
        patch.setattr(runs, "_ALIKE", alike)
        patch.setattr(runs, "_SORT", 2)
        if hashes:
            patch.setattr(relation, "hashed", lambda columns: real(columns) & 3)
        yield
