"""What must not be: constraints of rules and ontology that are met, values that cannot be, shapes that are broken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from sibu.core.logic import Atom, Entity, Triple, Value
from sibu.core.names import SHACL
from sibu.curation import shape_files
from sibu.curation.closing import brought_up
from sibu.curation.plan import Plan, plan_of
from sibu.curation.proving import Proved, Prover
from sibu.curation.saved import Conclusions

if TYPE_CHECKING:
    from sibu.graph.reading import Reading
    from sibu.graph.shapes import Breach
    from sibu.logic.closure import Violation

LIGHT = frozenset({Entity(SHACL + "Warning"), Entity(SHACL + "Info"), Entity(SHACL + "Debug"), Entity(SHACL + "Trace")})
"""Severities that are told, but do not make a knowledge base faulty."""


@dataclass(frozen=True, slots=True)
class Met:
    """A constraint that is met."""

    violation: Violation
    proved: Proved
    """That it is; where this has faults, the checker does not accept that it is."""


@dataclass(frozen=True, slots=True)
class IllTyped:
    """A value whose text its datatype does not allow."""

    value: Value
    facts: tuple[Triple, ...]
    """Facts that have it."""


@dataclass(slots=True)
class Checked:
    """What is wrong with a knowledge base."""

    plan: Plan
    met: list[Met] = field(default_factory=list)
    more: dict[str, int] = field(default_factory=dict)
    """By id of a constraint: that it is met at least so often more."""
    ill_typed: list[IllTyped] = field(default_factory=list)
    breaches: list[Breach] = field(default_factory=list)
    constraints: int = 0
    """How many were looked at."""
    shapes: tuple[str, ...] = ()
    """Files of shapes that were judged by."""
    notes: list[str] = field(default_factory=list)

    @property
    def faulty(self) -> bool:
        """Whether something must not be; a breach that is a warning or an information alone does not count."""
        heavy = any(each.severity not in LIGHT for each in self.breaches)
        return bool(self.met or self.ill_typed or heavy)


def check(kb: Reading, shapes: Sequence[Path] = (), *, limit: int = 20, seconds: float | None = None) -> Checked:
    """Look for what must not be, in the facts as they are now; nothing is written.

    Args:
        kb: The knowledge base.
        shapes: Files of shapes, beside those that it keeps.
        limit: Most cases of one constraint, and most facts of one value.
        seconds: How long deriving may take, where facts came since the last inference.

    Raises:
        SibuError: For every fault that the user can mend, other than those that are looked for.
    """
    plan = plan_of(kb)
    found = Checked(plan, constraints=sum(rule.head is None for rule in plan.rules))
    if plan.rules:
        conclusions = _conclusions(kb, plan, found, seconds)
        _constraints(kb, conclusions, found, limit)
        _values(kb, conclusions, found, limit)
    files = [*shape_files.kept(kb), *shapes]
    if files:
        _shapes(kb, files, found)
    return found


def _conclusions(kb: Reading, plan: Plan, found: Checked, seconds: float | None) -> Conclusions:
    brought = brought_up(kb, plan, seconds=seconds)
    if brought.conclusions.version != _inferred(kb) or brought.others or brought.anew:
        note = "Facts or rules changed since facts were inferred last; it was looked at what follows now."
        found.notes.append(f"{note} To write it: sibu kb infer {kb.folder}")
    return brought.conclusions


def _inferred(kb: Reading) -> int:
    """Number of the version of which facts were inferred last; -1: none."""
    from sibu.curation import saved

    try:
        return saved.mark(kb.folder, {each.number: each for each in kb.versions()}).version
    except saved.NoClosure:
        return -1


def _constraints(kb: Reading, conclusions: Conclusions, found: Checked, limit: int) -> None:
    prover = Prover(kb, conclusions)
    counts: dict[str, int] = {}
    for violation in _distinct(conclusions.certain.violations()):
        number = counts[violation.rule.id] = counts.get(violation.rule.id, 0) + 1
        if number <= limit:
            found.met.append(Met(violation, prover.violation(violation.rule, violation.premises, violation.binding)))
    found.more = {rule: count - limit for rule, count in counts.items() if count > limit}


def _distinct(violations: Iterator[Violation]) -> Iterator[Violation]:
    """Each set of facts once for a rule: where two of them may change places, it is met twice by the same."""
    seen: set[tuple[str, frozenset[Atom]]] = set()
    for each in violations:
        key = each.rule.id, frozenset(each.premises)
        if key not in seen:
            seen.add(key)
            yield each


def _values(kb: Reading, conclusions: Conclusions, found: Checked, limit: int) -> None:
    """Values that cannot be, where a reasoner asks for datatypes."""
    closure = conclusions.certain
    for value in found.plan.ill_typed(closure.terms):
        facts = tuple(islice(kb.triples(object=value), limit))
        if facts:  # else it stands in rules alone, or was retracted
            found.ill_typed.append(IllTyped(value, facts))


def _shapes(kb: Reading, files: Sequence[Path], found: Checked) -> None:
    from sibu.graph.shapes import validate

    shapes = [triple for file in files for triple in shape_files.read(kb, file)]
    judged = validate(kb.triples(), shapes)
    found.breaches = list(judged.results)
    found.notes += judged.notes
    found.shapes = tuple(file.name for file in files)
