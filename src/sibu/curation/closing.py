"""What follows from a knowledge base's facts, brought up to date: from what has changed alone, where that is known."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sibu.core.errors import DataError
from sibu.core.logic import Atom, Entity, Source, Term, Triple, Variable
from sibu.curation import saved
from sibu.curation.plan import Plan
from sibu.curation.saved import Conclusions, NoClosure
from sibu.logic.closure import Changes, Closure, OutOfTime

if TYPE_CHECKING:
    from sibu.graph.columns import Columns
    from sibu.graph.reading import Reading
    from sibu.graph.statements import Statements

EXTRACTOR = "sibu infer"
"""By it the statements are known that inference wrote."""
DOCUMENT = "reasoning"
"""What stands for a document in them."""
Pairs = npt.NDArray[np.int64]
"""Facts of one predicate: subject and object of each as one number, in order."""
_LOW = np.int64(0xFFFFFFFF)


@dataclass(slots=True)
class Brought:
    """Conclusions that are up to date, and what of them the knowledge base has already."""

    conclusions: Conclusions
    anew: str
    """Why all was derived from the beginning, in words; empty: only what had changed was looked at."""
    written: dict[Entity, Pairs]
    """Derived facts that it states by these very rules."""
    others: bool
    """Whether it may state some by other rules."""
    seconds: dict[str, float] = field(default_factory=dict)
    """How long each part took."""


class Clock:
    """Measures, and says how much time is left."""

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds
        self._limit, self._last = seconds, time.monotonic()
        self.seconds: dict[str, float] = {}

    def done(self, what: str) -> None:
        """So much time went into this since the last."""
        now = time.monotonic()
        self.seconds[what] = self.seconds.get(what, 0.0) + now - self._last
        self._last = now

    def left(self) -> float | None:
        """Seconds; None: as long as it takes.

        Raises:
            OutOfTime: When none is left.
        """
        if self._end is None:
            return None
        left = self._end - time.monotonic()
        if left <= 0:
            said = f"After {self._limit:g} seconds not all facts were read, so nothing was derived."
            raise OutOfTime(f"{said} Give it more time.")
        return left


def derived_by(digest: str) -> Source:
    """The source of what follows by a plan."""
    return Source(DOCUMENT, extractor=EXTRACTOR, version=digest[:16], status="derived")


def brought_up(kb: Reading, plan: Plan, *, seconds: float | None = None, force: bool = False) -> Brought:
    """What follows from the facts of the version that is open.

    Args:
        kb: The knowledge base.
        plan: By which rules.
        seconds: How long it may take, about.
        force: Whether to derive all from the beginning.

    Raises:
        RuleError: When the rules cannot be put in order by the facts there are.
        OutOfTime: When it takes longer.
    """
    clock = Clock(seconds)
    kept = _kept(kb, plan) if not force else "that was asked for"
    if isinstance(kept, str):
        return _anew(kb, plan, clock, kept)
    clock.done("load")
    return _renewed(kb, *kept, clock)


def _kept(kb: Reading, plan: Plan) -> tuple[Conclusions, bool] | str:
    """The conclusions that are kept, and whether they are by these very rules; or why there are none."""
    try:
        told = saved.mark(kb.folder, {each.number: each for each in kb.versions()})
        if _makers(told.options) != _makers(plan.options):
            return "it was inferred with other reasoners, or other options of them"
        return saved.load(kb.folder, plan, told.version), told.digest == plan.digest
    except NoClosure as why:
        return f"what was kept cannot be used: {why}" if str(why) else "nothing was inferred before"


def _makers(options: Sequence[Mapping[str, object]]) -> list[Mapping[str, object]]:
    """Reasoners that may make facts without a rule: all but that of rule files."""
    return [each for each in options if each.get("name") != "rules"]


def _anew(kb: Reading, plan: Plan, clock: Clock, why: str) -> Brought:
    """From the beginning."""
    stated = kb.statements()
    certain = Closure(plan.certain)
    facts, _ = stated.net(is_asserted)
    own = derived_by(plan.digest)
    ids = certain.terms.ids(stated.terms)
    for predicate, subjects, objects in by_predicate(facts, ids):
        certain.add_columns(predicate, subjects, objects)
    written = pairs_of(stated.net(lambda source: is_ours(source) and source.version == own.version)[0], ids)
    others = bool(len(stated.net(lambda source: is_ours(source) and source.version != own.version)[0]))
    clock.done("read")
    certain.add(plan.facts(certain.terms))
    certain.close(clock.left())
    clock.done("close")
    supposed = _suppose(plan, certain, None, None, clock)
    found = Conclusions(plan, certain, supposed, kb.version.number)
    return Brought(found, why, written, others, clock.seconds)


def _renewed(kb: Reading, found: Conclusions, same: bool, clock: Clock) -> Brought:
    """From what changed since it was kept; ``same``: by the same rules."""
    certain, plan = found.certain, found.plan
    written = derived_pairs(certain) if same else {}
    stated = kb.statements(found.version)
    ids = certain.terms.ids(stated.terms)
    facts, more = stated.net(is_asserted)
    for predicate, subjects, objects in by_predicate(facts.picked(more > 0), ids):
        certain.add_columns(predicate, subjects, objects)
    fewer = facts.picked(more < 0)
    gone = np.array([not _is_asserted(kb, fact) for fact in fewer.triples()], bool)
    for predicate, subjects, objects in by_predicate(fewer.picked(gone), ids):
        certain.retract_columns(predicate, subjects, objects)
    if same:
        _adjust(written, stated, ids, derived_by(plan.digest))
    clock.done("read")
    certain.add(plan.facts(certain.terms))
    changes = certain.close(clock.left())
    clock.done("close")
    supposed = _suppose(plan, certain, found.supposed, changes, clock)
    renewed = Conclusions(plan, certain, supposed, kb.version.number)
    return Brought(renewed, "", written, not same, clock.seconds)


def _adjust(written: dict[Entity, Pairs], stated: Statements, ids: npt.NDArray[np.int32], own: Source) -> None:
    """Take in what became of statements that inference wrote, such as by going back to an earlier version."""
    facts, more = stated.net(lambda source: is_ours(source) and source.version == own.version)
    for predicate, pairs in pairs_of(facts.picked(more > 0), ids).items():
        written[predicate] = np.union1d(written.get(predicate, pairs[:0]), pairs)
    for predicate, pairs in pairs_of(facts.picked(more < 0), ids).items():
        written[predicate] = np.setdiff1d(written.get(predicate, pairs[:0]), pairs, assume_unique=True)


def _suppose(
    plan: Plan, certain: Closure, supposed: Closure | None, changes: Changes | None, clock: Clock
) -> Closure | None:
    """What follows where uncertain rules are believed too; certain facts are asserted there, and stay as they are."""
    if not plan.supposed:
        return None
    if supposed is None or changes is None:
        supposed = Closure(plan.supposed)
        ids = supposed.terms.ids(certain.terms)
        arities = {2, *(len(rule.head.terms) for rule in plan.certain if rule.head is not None)}
        for predicate in certain.counts():
            for arity in arities:
                columns = certain.columns(predicate, arity)
                if columns and len(columns[0]):
                    supposed.add_columns(predicate, *(ids[column] for column in columns))
    else:
        for parts, take in ((changes.came, supposed.add), (changes.went, supposed.retract)):
            for part in parts:
                take(part)
    supposed.close(clock.left())
    clock.done("suppose")
    return supposed


# Facts as columns.


def is_asserted(source: Source) -> bool:
    """Whether a source asserts what it states."""
    return source.status == "asserted"


def is_ours(source: Source) -> bool:
    """Whether inference wrote it, as a fact."""
    return source.extractor == EXTRACTOR and source.status == "derived"


def _is_asserted(kb: Reading, fact: Triple) -> bool:
    return bool(kb.sources(fact, "asserted"))


def by_predicate(
    facts: Columns, ids: npt.NDArray[np.int32]
) -> Iterator[tuple[Entity, npt.NDArray[np.int32], npt.NDArray[np.int32]]]:
    """Facts by predicate, as numbers of a closure's terms."""
    order = np.argsort(facts.predicates, kind="stable")
    numbers, starts = np.unique(facts.predicates[order], return_index=True)
    for number, places in zip(numbers.tolist(), np.split(order, starts[1:]), strict=False):  # of nothing a part too
        predicate = facts.terms[number]
        if not isinstance(predicate, Entity):
            raise DataError(f"{predicate} stands as a predicate, but it is no name.")
        yield predicate, ids[facts.subjects[places]], ids[facts.objects[places]]


def pairs_of(facts: Columns, ids: npt.NDArray[np.int32]) -> dict[Entity, Pairs]:
    """Facts by predicate, as one number each."""
    return {each: _packed(subjects, objects) for each, subjects, objects in by_predicate(facts, ids)}


def derived_pairs(closure: Closure) -> dict[Entity, Pairs]:
    """The derived facts of a closure that RDF can hold: of two terms, about a thing, by a property with a name."""
    things = np.array([isinstance(term, Entity) for term in closure.terms], bool)
    found: dict[Entity, Pairs] = {}
    for predicate in closure.counts():
        subjects, objects = closure.columns(predicate, 2, derived=True)
        if len(subjects) and not predicate.iri.startswith("_:"):
            kept = things[subjects]
            found[predicate] = _packed(subjects[kept], objects[kept])
    return found


def as_triple(fact: Atom) -> Triple | None:
    """A fact as RDF holds it; None: it cannot, as with three terms, or of a value."""
    if len(fact.terms) != 2 or not isinstance(fact.predicate, Entity) or fact.predicate.iri.startswith("_:"):
        return None
    subject, thing = fact.terms
    if not isinstance(subject, Entity) or isinstance(thing, Variable):
        return None
    return Triple(subject, fact.predicate, thing)


def _packed(subjects: npt.NDArray[np.int32], objects: npt.NDArray[np.int32]) -> Pairs:
    return np.sort(subjects.astype(np.int64) << 32 | objects.astype(np.int64))


def columns_of(pairs: Mapping[Entity, Pairs], terms: Sequence[Term], number: Callable[[Term], int]) -> Columns:
    """Facts as the store takes them."""
    from sibu.graph.columns import Columns

    empty = [np.zeros(0, np.int64)]
    subjects = np.concatenate(empty + [each >> 32 for each in pairs.values()])
    objects = np.concatenate(empty + [each & _LOW for each in pairs.values()])
    predicates = np.concatenate(empty + [np.full(len(each), number(name)) for name, each in pairs.items()])
    return Columns(terms, subjects, predicates, objects)
