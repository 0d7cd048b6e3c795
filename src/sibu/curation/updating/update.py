"""Documents taken into a knowledge base, with all that comes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sibu.core.errors import counted
from sibu.core.extraction import Text
from sibu.core.logic import TYPE, Entity, Triple
from sibu.curation.extracting import run as reading
from sibu.curation.extracting.ontology import Ontology
from sibu.curation.extracting.plan import Planned
from sibu.curation.infer import infer
from sibu.curation.plan import plan_of
from sibu.curation.updating.advice import Advice, advice, trained, unseen
from sibu.curation.updating.conflicts import Conflict, conflicts
from sibu.curation.updating.distant import Distant
from sibu.graph.spoken import said_triple

if TYPE_CHECKING:
    from sibu.curation.infer import Inferred
    from sibu.graph.journal import Version
    from sibu.graph.knowledge_base import KnowledgeBase
    from sibu.graph.searching import Diff

OnConflict = Literal["hold", "tell", "refuse"]
ROUNDS = 3
"""Most times that facts are held back and all is looked at again."""
SHOWN = 50
"""Facts and conflicts that are told one by one."""
Found = dict[Hashable, Conflict]


@dataclass
class Updated:
    """What an update did."""

    before: Version
    after: Version
    read: reading.Report
    inferred: Inferred | None
    known: int
    """Conflicts that there were before."""
    new: list[Conflict]
    """Conflicts that came with the documents."""
    left: list[Conflict]
    """Those of them that are there yet."""
    held: list[Triple]
    """Facts that wait for a person, since they took part in a new conflict."""
    refused: bool
    """Whether all was taken back."""
    diff: Diff
    advice: list[Advice] = field(default_factory=list)
    unseen: Counter[Entity] = field(default_factory=Counter)

    def to_json(self, kb: KnowledgeBase) -> dict[str, Any]:
        """As JSON."""
        short = kb.names.short
        inferred = self.inferred
        return {
            "version": self.after.to_json(),
            "new": self.after.number > self.before.number,
            "before": self.before.to_json(),
            "refused": self.refused,
            "read": self.read.to_json(),
            "inferred": None if inferred is None else {"derived": inferred.derived, "came": inferred.came,
                                                       "went": inferred.went},
            "conflicts": {
                "known": self.known,
                "new": [_told(each, kb) for each in self.new[:SHOWN]],
                "new_count": len(self.new),
                "left": len(self.left),
                "held": [said_triple(each, kb.names) for each in self.held],
            },
            "diff": self._diff(kb),
            "retrain": [each.to_json() for each in self.advice],
            "unseen": {short(thing.iri): count for thing, count in self.unseen.most_common()},
        }  # fmt: skip

    def _diff(self, kb: KnowledgeBase) -> dict[str, Any]:
        sides = {"added": self.diff.added, "removed": self.diff.removed}
        by: dict[str, dict[str, int]] = {}
        for side, facts in sides.items():
            for each in facts:
                thing = each.object if each.predicate == TYPE and isinstance(each.object, Entity) else each.predicate
                own = by.setdefault(kb.names.short(thing.iri), {"added": 0, "removed": 0})
                own[side] += 1
        told: dict[str, Any] = {side: len(facts) for side, facts in sides.items()}
        told["by"] = dict(sorted(by.items()))
        told["facts"] = {side: [said_triple(each, kb.names) for each in facts[:SHOWN]] for side, facts in sides.items()}
        return told


def _told(conflict: Conflict, kb: KnowledgeBase) -> dict[str, Any]:
    facts = [
        {"said": said_triple(each, kb.names), "sources": [source.to_json() for source in kb.records(each)]}
        for each in conflict.facts
    ]
    return {"kind": conflict.kind, "said": conflict.said, "why": conflict.why, "facts": facts}


def update(
    kb: KnowledgeBase,
    planned: Planned,
    texts: Sequence[Text],
    *,
    remove: Sequence[str] = (),
    again: bool = False,
    on_conflict: OnConflict = "hold",
    bundles: Sequence[Path] = (),
    rows_to: Path | None = None,
    seconds: float | None = None,
    message: str = "",
    tell: Callable[[int], None] = lambda _: None,
) -> Updated:
    """Read documents, derive what follows, look for conflicts that came with them, and tell what should be retrained.

    Args:
        kb: The knowledge base, open for writing.
        planned: How documents are read.
        texts: The documents.
        remove: Documents that are no more.
        again: Whether documents that did not change are read too.
        on_conflict: ``hold``: facts of these documents that a new conflict rests on wait for a person; ``tell``: they
            stay asserted; ``refuse``: all is taken back.
        bundles: Bundles to judge beside those of the plan.
        rows_to: Where training rows go; None: they are counted alone.
        seconds: How long deriving may take, each time.
        message: What the change is, in words.
        tell: Told how many documents were read.

    Raises:
        SibuError: For every fault that the user can mend. Facts and documents are then as they were.
    """
    known_bundles = trained(planned, bundles, Ontology(kb, open_=False))
    before = kb.version
    known = conflicts(kb, seconds=seconds)
    with _whole(kb):
        report = reading.run(kb, planned, texts, remove=remove, again=again, message=message, tell=tell)
        stage = _Stage(kb, seconds, {each.document for each in texts}, kb.diff(before.number, kb.version.number).added)
        found = stage.looked_at(known)
        new, held, left = list(found.values()), list[Triple](), found
        refused = bool(new) and on_conflict == "refuse"
        if refused:
            kb.rollback(before.number, f"taken back: {counted(len(new), 'conflict')} with {message or 'new documents'}")
            left = {}
        elif new and on_conflict == "hold":
            held, left = stage.held_back(found, known)
        diff = kb.diff(before.number, kb.version.number)
        fresh = [each for each in diff.added if next(kb.stated_as("asserted", each), None) is not None]
        told: list[Advice] = []
        if known_bundles and not refused:
            distant = Distant(kb, Ontology(kb, open_=False), fresh)
            told = advice(known_bundles, distant, sorted(kb.documents()), rows_to)
        return Updated(
            before, kb.version, report, stage.inferred, len(known), new, list(left.values()), held, refused, diff, told,
            unseen(fresh, known_bundles) if known_bundles else Counter(),
        )  # fmt: skip


@contextmanager
def _whole(kb: KnowledgeBase) -> Iterator[None]:
    """All of what is done, or none of it: an update is several versions, of which a failure leaves none standing."""
    before = kb.version.number
    try:
        yield
    except BaseException:
        if kb.version.number > before:
            kb.rollback(before, "taken back: the update did not come to its end")
        raise


class _Stage:
    """A knowledge base into which documents were just read.

    Args:
        kb: The knowledge base.
        seconds: How long deriving may take.
        documents: The documents that were read.
        fresh: Facts that hold since.
    """

    def __init__(self, kb: KnowledgeBase, seconds: float | None, documents: set[str], fresh: Sequence[Triple]) -> None:
        self._kb, self._seconds, self._documents, self._fresh = kb, seconds, documents, frozenset(fresh)
        self.inferred: Inferred | None = None

    def looked_at(self, known: Mapping[Hashable, Conflict]) -> Found:
        """Derive what follows, and find the conflicts that were not known."""
        if plan_of(self._kb).rules:
            self.inferred = infer(self._kb, seconds=self._seconds)
        found = conflicts(self._kb, seconds=self._seconds)
        return {key: each for key, each in found.items() if key not in known}

    def held_back(self, found: Found, known: Mapping[Hashable, Conflict]) -> tuple[list[Triple], Found]:
        """Have what the conflicts rest on wait for a person, until there are none; what was held, and what is left."""
        held: dict[Triple, None] = {}
        for _ in range(ROUNDS):
            blamed = [each for each in self._blamed(found) if each not in held]
            if not blamed:
                break
            with self._kb.change(f"{counted(len(blamed), 'fact')} held back: in conflict with others") as change:
                for triple in blamed:
                    for record in list(self._kb.records(triple)):
                        if self._is_ours(record.source):
                            change.hold([triple], record.source)
            held.update(dict.fromkeys(blamed))
            found = self.looked_at(known)
        return list(held), found

    def _blamed(self, found: Found) -> list[Triple]:
        """Facts of these documents that a conflict rests on; a class only where nothing else is to blame."""
        blamed: dict[Triple, None] = {}
        for conflict in found.values():
            mine = [each for each in conflict.facts if each in self._fresh and self._only_ours(each)]
            relations = [each for each in mine if each.predicate != TYPE]
            blamed.update(dict.fromkeys(relations or mine))
        return list(blamed)

    def _only_ours(self, triple: Triple) -> bool:
        asserted = [each for each in self._kb.sources(triple) if each.status == "asserted"]
        return bool(asserted) and all(map(self._is_ours, asserted))

    def _is_ours(self, source: Any) -> bool:
        ours: bool = source.document in self._documents and reading.is_extracted(source) and source.status == "asserted"
        return ours
