"""Why a fact holds, with a proof that the checker accepts; or why it does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from sibu.core.logic import TYPE, Atom, Entity, Rule, Triple, Value, Variable
from sibu.curation import saved
from sibu.curation.asked import asked, nearest
from sibu.curation.closing import EXTRACTOR
from sibu.curation.plan import Plan, plan_of
from sibu.curation.proving import Proved, Prover
from sibu.curation.saved import Conclusions, NoClosure
from sibu.logic.closure import Closure
from sibu.logic.missing import Attempt, attempts, could_conclude

if TYPE_CHECKING:
    from sibu.graph.reading import Reading
    from sibu.graph.records import Record

MOST = 10_000
"""Facts that are looked at where many are as what is asked for."""
MOST_RULES = 5
"""Rules that are told where a fact does not hold."""


@dataclass(frozen=True, slots=True)
class Lack:
    """How close a rule comes to what is asked for, and to what it lacks."""

    attempt: Attempt
    below: tuple[tuple[Atom, tuple[Lack, ...]], ...] = ()
    """Of premises that are missing: how close rules come to those."""


@dataclass(slots=True)
class Reasons:
    """The answer to why."""

    plan: Plan
    asked: Atom
    facts: list[Proved] = field(default_factory=list)
    """Facts that are as what is asked for, with their proofs."""
    more: int = 0
    """How many more there are."""
    unproved: list[Triple] = field(default_factory=list)
    """Facts that an inference wrote, but of which there is no proof any more."""
    lacks: list[Lack] = field(default_factory=list)
    """Where there is none: the rules that come closest."""
    retracted: list[tuple[Triple, Record]] = field(default_factory=list)
    """Who stated them, and why that was wrong."""
    supposed: list[tuple[Triple, Record]] = field(default_factory=list)
    """Who states them as a hypothesis, other than by rules."""
    notes: list[str] = field(default_factory=list)
    """What is to be known of the answer, such as that facts came since rules ran."""

    @property
    def rejected(self) -> bool:
        """Whether the checker rejected a proof."""
        return any(each.faults for each in self.facts)


def why(
    kb: Reading, given: str | Sequence[str], *, limit: int = 5, depth: int = 1, looks: int | None = None
) -> Reasons:
    """Why facts hold, or do not.

    Args:
        kb: The knowledge base.
        given: ``takes(anna, X)`` as rules have it; or subject, property and object, ``_`` for anything.
        limit: Most facts that are proved.
        depth: Where there is none: how far to go on with what is missing.
        looks: How many facts the checker may look at for the negations and aggregates of one rule; None: its own limit.

    Raises:
        SibuError: For every fault that the user can mend.
    """
    plan = plan_of(kb)
    found = Reasons(plan, asked(kb, given, plan.rules))
    kept = _kept(kb, plan, found)
    conclusions = kept or _nothing_inferred(plan, kb)
    matching = _matching(kb, found.asked, conclusions)
    prover = Prover(kb, conclusions) if looks is None else Prover(kb, conclusions, looks)
    for fact in matching[:limit]:
        proved = prover.proof(fact)
        if proved is not None:
            found.facts.append(proved)
        elif (triple := _triple(fact)) is not None:
            found.unproved.append(triple)
    found.more = max(len(matching) - limit, 0)
    if found.rejected and not found.notes:
        found.notes.append("A proof was rejected. `sibu kb infer --force` derives all from the beginning.")
    found.retracted = list(islice(_records(kb, found.asked, "retracted"), limit))
    found.supposed = list(islice(_records(kb, found.asked, "hypothesis"), limit))
    if not matching:
        _why_not(kb, found, kept, depth)
    return found


def _kept(kb: Reading, plan: Plan, found: Reasons) -> Conclusions | None:
    """What was inferred last; with a note where it is not of what is there now."""
    run = f"Run: sibu kb infer {kb.folder}"
    try:
        told = saved.mark(kb.folder, {each.number: each for each in kb.versions()})
        if told.digest != plan.digest:
            found.notes.append(f"Rules or reasoners changed since facts were inferred last. {run}")
            return None
        if told.version != kb.version.number:
            since = f"version {told.version}, this is version {kb.version.number}"
            found.notes.append(f"Facts came or went since facts were inferred last ({since}). {run}")
        return saved.load(kb.folder, plan, told.version)
    except NoClosure as why_not:
        if str(why_not):
            found.notes.append(f"What was inferred cannot be used: {why_not}. {run}")
        elif plan.rules:
            found.notes.append(f"Nothing was inferred yet. {run}")
        return None


def concluded(kb: Reading, plan: Plan, notes: list[str]) -> Conclusions:
    """What was inferred last, with a note where it is not of what is there now; nothing, where nothing was."""
    found = Reasons(plan, Atom(TYPE, ()))
    kept = _kept(kb, plan, found)
    notes += found.notes
    return kept or _nothing_inferred(plan, kb)


def _nothing_inferred(plan: Plan, kb: Reading) -> Conclusions:
    """No conclusions: only what is asserted can be told."""
    empty = Closure(())
    empty.close()
    return Conclusions(plan, empty, None, kb.version.number)


def _triple(fact: Atom) -> Triple | None:
    from sibu.curation.closing import as_triple

    return as_triple(fact)


# What is as what is asked for.


def _matching(kb: Reading, wanted: Atom, found: Conclusions) -> list[Atom]:
    """Facts that are asserted, derived or supposed, certain ones first."""
    facts = dict.fromkeys(islice(_asserted(kb, wanted), MOST))
    follows = (fact for fact in found.certain.match(wanted) if not found.certain.asserted(fact) or _is_made(fact))
    for each in (follows, _derived(kb, wanted)):  # what was asserted then may not be any more
        facts.update(dict.fromkeys(islice(each, MOST)))
    certain = sorted(facts, key=_order)
    supposed: set[Atom] = set()
    if found.supposed is not None:
        mere = (
            fact for fact in found.supposed.match(wanted) if not found.supposed.asserted(fact)
        )  # else it is certain
        supposed = set(islice(mere, MOST)) - facts.keys()
    return [*certain, *sorted(supposed, key=_order)]


def _is_made(fact: Atom) -> bool:
    """Whether it is a fact of a value, which no source asserts."""
    return isinstance(fact.terms[0], Value) if fact.terms else False


def _order(fact: Atom) -> list[tuple[bool, str]]:
    parts = (fact.predicate, *fact.terms)
    return [(isinstance(part, Value), part.iri if isinstance(part, Entity) else str(part)) for part in parts]


def _pattern(wanted: Atom) -> tuple[Entity | None, Entity | None, Entity | Value | None] | None:
    """Subject, predicate and object, None for anything; None where no triple can be it."""
    if len(wanted.terms) != 2:
        return None
    subject, thing = (None if isinstance(term, Variable) else term for term in wanted.terms)
    predicate = None if isinstance(wanted.predicate, Variable) else wanted.predicate
    return None if isinstance(subject, Value) else (subject, predicate, thing)


def _fits(wanted: Atom, triple: Triple) -> bool:
    """Whether a triple of the pattern is what is asked for: a variable that stands twice is one thing."""
    found: dict[str, object] = {}
    pairs = zip((wanted.predicate, *wanted.terms), (triple.predicate, triple.subject, triple.object), strict=True)
    return all(found.setdefault(own.name, its) == its for own, its in pairs if isinstance(own, Variable))


def _asserted(kb: Reading, wanted: Atom) -> Iterator[Atom]:
    pattern = _pattern(wanted)
    for triple in () if pattern is None else kb.stated_as("asserted", pattern):
        if _fits(wanted, triple):
            yield Atom(triple.predicate, (triple.subject, triple.object))


def _derived(kb: Reading, wanted: Atom) -> Iterator[Atom]:
    """What an inference wrote, be it by other rules or of other facts."""
    pattern = _pattern(wanted)
    for triple in () if pattern is None else kb.stated_as("derived", pattern):
        if _fits(wanted, triple):
            yield Atom(triple.predicate, (triple.subject, triple.object))


def _records(kb: Reading, wanted: Atom, status: str) -> Iterator[tuple[Triple, Record]]:
    """Who states, or stated, what is asked for, with this status; not by rules."""
    pattern = _pattern(wanted)
    seen: set[Triple] = set()
    for triple in () if pattern is None else kb.stated_as(status, pattern):  # type: ignore[arg-type]
        if triple not in seen and _fits(wanted, triple):
            seen.add(triple)
            for record in kb.records(triple):
                if record.source.status == status and record.source.extractor != EXTRACTOR:
                    yield triple, record


# What is missing.


def _why_not(kb: Reading, found: Reasons, kept: Conclusions | None, depth: int) -> None:
    """The rules that come closest to what is asked for; or that none could conclude it."""
    wanted, rules = found.asked, found.plan.rules
    fitting = could_conclude(wanted, rules)
    named = wanted.terms[1] if wanted.predicate == TYPE and len(wanted.terms) == 2 else wanted.predicate
    own = [rule for rule in fitting if rule.head is not None and not _is_open(rule.head)]
    if not own and isinstance(named, Entity):
        what = "class" if wanted.predicate == TYPE else "relation"
        used = _used(kb, classes=wanted.predicate == TYPE)
        hint = "" if named in used else nearest(kb, named, rules, used)
        unknown = "" if named in used else f" No fact has this {what} either."
        short = kb.names.short(named.iri)
        found.notes.append(f"No rule concludes the {what} {short}.{unknown} {hint}".rstrip())
        found.notes += _with_other_terms(wanted, named, kb, rules)
    if kept is not None and fitting:
        closure = kept.supposed or kept.certain
        found.lacks = _lacks(wanted, closure, depth, frozenset())


def _with_other_terms(wanted: Atom, named: Entity, kb: Reading, rules: Sequence[Rule]) -> list[str]:
    """That what is asked for has another number of terms elsewhere."""
    short = kb.names.short(named.iri)
    counts = {len(rule.head.terms) for rule in rules if rule.head is not None and rule.head.predicate == named}
    counts |= {2} if named in _used(kb, classes=False) else set()
    if wanted.predicate == TYPE:
        given = 1
    else:
        given = len(wanted.terms)
        ofs = {rule.head.terms[1] for rule in rules if rule.head is not None and rule.head.predicate == TYPE}
        counts |= {1} if named in _used(kb, classes=True) or named in ofs else set()
    ways = " or ".join(f"{short}({', '.join('XYZUVW'[:each])})" for each in sorted(counts - {given}) if 0 < each <= 6)
    return [f"It has another number of terms: ask {ways}."] if ways else []


def _lacks(wanted: Atom, closure: Closure, depth: int, above: frozenset[Atom]) -> list[Lack]:
    found = []
    for each in attempts(wanted, closure)[:MOST_RULES]:
        below = []
        for missing in each.missing if depth > 1 else ():
            if missing not in above:
                own = _lacks(missing, closure, depth - 1, above | {wanted})
                below += [(missing, tuple(own))] if own else []
        found.append(Lack(each, tuple(below)))
    return found


def _is_open(head: Atom) -> bool:
    return isinstance(head.predicate, Variable) or (
        head.predicate == TYPE and len(head.terms) == 2 and isinstance(head.terms[1], Variable)
    )


def _used(kb: Reading, *, classes: bool) -> frozenset[Entity]:
    """The properties, or the classes, of the facts that hold."""
    return kb.relations()[1 if classes else 0]
