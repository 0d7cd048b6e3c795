"""What follows from a knowledge base's facts, written into it as one version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from sibu.core.errors import DataError, counted
from sibu.core.logic import Entity, Source, Triple
from sibu.curation import saved
from sibu.curation.closing import (
    DOCUMENT,
    EXTRACTOR,
    Brought,
    Clock,
    Pairs,
    as_triple,
    brought_up,
    columns_of,
    derived_by,
    derived_pairs,
    is_ours,
    pairs_of,
)
from sibu.curation.plan import Plan, plan_of, tell
from sibu.curation.supposing import scores

if TYPE_CHECKING:
    from sibu.graph import KnowledgeBase
    from sibu.graph.columns import Columns
    from sibu.logic.closure import Closure


@dataclass(frozen=True, slots=True)
class Inferred:
    """What an inference did."""

    version: int
    """Number of the version that has it."""
    new: bool
    """Whether that is a new one."""
    asserted: int
    derived: int
    """Facts that hold by rules alone."""
    came: int
    """Of the derived: those that the knowledge base did not have."""
    went: int
    """Derived facts that it had, and that follow no more (or are asserted now)."""
    hypotheses: int
    unwritten: int
    """Derived facts that RDF cannot hold, such as those of three terms: `why` knows them, queries do not."""
    anew: str
    """Why all was derived from the beginning; empty: only what had changed was looked at."""
    reasoners: tuple[str, ...]
    rules: int
    seconds: Mapping[str, float]


def infer(
    kb: KnowledgeBase,
    given: Sequence[Mapping[str, Any]] | None = None,
    *,
    seconds: float | None = None,
    force: bool = False,
) -> Inferred:
    """Derive what follows, and write it: all as one version, or nothing where it fails.

    Args:
        kb: The knowledge base, open for writing.
        given: Reasoners with their options, which are kept for the next time; None: those it was told last.
        seconds: How long deriving may take, about; None: as long as it takes.
        force: Whether to derive all from the beginning.

    Raises:
        SibuError: For every fault that the user can mend. Nothing was changed then.
    """
    saved.sweep(kb.folder)
    plan = plan_of(kb, given)
    if not plan.rules and not _was_inferred(kb):
        mend = "Add rules by `sibu kb rules`, or name a reasoner, such as `--with owl`."
        raise DataError(f"There is nothing to infer with: {kb.folder} has no rules. {mend}")
    before = kb.version.number
    brought = brought_up(kb, plan, seconds=seconds, force=force)
    clock = Clock(None)
    came, went, hypotheses = _write(kb, brought)
    clock.done("write")
    saved.save(kb.folder, brought.conclusions, kb.version)
    tell(kb.folder, plan)
    clock.done("save")
    counts = brought.conclusions.certain.counts().values()
    derived = sum(len(each) for each in derived_pairs(brought.conclusions.certain).values())
    return Inferred(
        version=kb.version.number,
        new=kb.version.number > before,
        asserted=sum(each.asserted for each in counts),
        derived=derived,
        came=came,
        went=went,
        hypotheses=hypotheses,
        unwritten=sum(each.derived for each in counts) - derived,
        anew=brought.anew,
        reasoners=tuple(str(each["name"]) for each in plan.options),
        rules=len(plan.rules),
        seconds={name: round(taken, 3) for name, taken in (brought.seconds | clock.seconds).items()},
    )


def _was_inferred(kb: KnowledgeBase) -> bool:
    return (kb.folder / saved.FOLDER).is_dir() or bool(len(kb.stated(is_ours)))


def _write(kb: KnowledgeBase, brought: Brought) -> tuple[int, int, int]:
    """Bring derived facts and hypotheses to what follows; how many facts came and went, and how many are supposed."""
    certain, plan = brought.conclusions.certain, brought.conclusions.plan
    own, wanted = derived_by(plan.digest), derived_pairs(certain)
    former = _former(kb, certain, own) if brought.others else {}
    known = _joined([brought.written, *former.values()])
    came, went = _less(wanted, known), _less(known, wanted)
    drops, moves = [(own, _less(brought.written, wanted))], []
    left = _less(wanted, brought.written)
    for source, pairs in former.items():
        moves.append((source, _less(pairs, _less(pairs, left))))
        drops.append((source, _less(pairs, left)))
        left = _less(left, pairs)
    supposed = set(_supposed(brought))
    stated = set(kb.said_by(lambda source: source.extractor == EXTRACTOR and source.status == "hypothesis"))
    alone = not any(each.status == "derived" and not is_ours(each) for each in kb.recorded())
    if any(map(_size, (came, *(each for _, each in (*drops, *moves))))) or supposed != stated:
        with kb.change(_message(plan, came, went)) as change:
            write = _Writer(certain)
            for source, pairs in drops:
                change.drop_all(write.columns(pairs), source)
            for triple, source in sorted(stated - supposed, key=repr):
                change.drop([triple], source)
            for source, pairs in moves:
                change.move_all(write.columns(pairs), source, own)
            change.state_all(write.columns(came), own, new=alone)
            change.state(sorted(supposed - stated, key=repr))
    return _size(came), _size(went), len(supposed)


class _Writer:
    """Facts of a closure as the store takes them."""

    def __init__(self, certain: Closure) -> None:
        self._terms, self._number = list(certain.terms), certain.terms.find

    def columns(self, pairs: Mapping[Entity, Pairs]) -> Columns:
        return columns_of(pairs, self._terms, self._number)


def _former(kb: KnowledgeBase, certain: Closure, own: Source) -> dict[Source, dict[Entity, Pairs]]:
    """What inference wrote by other rules."""
    sources = {replace(each, time="") for each in kb.recorded() if is_ours(each) and each.version != own.version}
    found = {}
    for source in sorted(sources, key=repr):
        facts = kb.stated(partial(_is_of, source))
        found[source] = pairs_of(facts, certain.terms.ids(facts.terms))
    return found


def _is_of(wanted: Source, source: Source) -> bool:
    return is_ours(source) and source.version == wanted.version


def _supposed(brought: Brought) -> Iterator[tuple[Triple, Source]]:
    """The hypotheses that RDF can hold, each with its score."""
    supposed, plan = brought.conclusions.supposed, brought.conclusions.plan
    if supposed is None:
        return
    for fact, score in scores(supposed, plan.rules).items():
        triple = as_triple(fact)
        if triple is not None:
            source = Source(DOCUMENT, extractor=EXTRACTOR, version=plan.digest[:16], confidence=score)
            yield triple, replace(source, status="hypothesis")


def _message(plan: Plan, came: Mapping[Entity, Pairs], went: Mapping[Entity, Pairs]) -> str:
    by = ", ".join(str(each["name"]) for each in plan.options)
    return f"inferred by {by}: {counted(_size(came), 'fact')} came, {_size(went):,} went"


# Sets of facts.

_NONE = np.zeros(0, np.int64)


def _less(some: Mapping[Entity, Pairs], others: Mapping[Entity, Pairs]) -> dict[Entity, Pairs]:
    """The facts of the first that are not among the second."""
    found = {name: np.setdiff1d(each, others.get(name, _NONE), assume_unique=True) for name, each in some.items()}
    return {name: each for name, each in found.items() if len(each)}


def _joined(parts: Sequence[Mapping[Entity, Pairs]]) -> dict[Entity, Pairs]:
    found: dict[Entity, Pairs] = {}
    for part in parts:
        for name, each in part.items():
            found[name] = np.union1d(found[name], each) if name in found else each
    return found


def _size(pairs: Mapping[Entity, Pairs]) -> int:
    return sum(map(len, pairs.values()))
