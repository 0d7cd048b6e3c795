"""Documents read into a knowledge base: all of a run is one version, or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sibu.core.errors import DataError, counted, near_miss
from sibu.core.extraction import Text
from sibu.core.linking import Linker
from sibu.core.logic import Entity, Source, Triple
from sibu.curation.extracting import looking, proposing
from sibu.curation.extracting.deciding import Deciding, Outcome
from sibu.curation.extracting.looking import Eye
from sibu.curation.extracting.ontology import Ontology
from sibu.curation.extracting.plan import Planned
from sibu.curation.extracting.proposing import Proposing
from sibu.curation.extracting.things import EXTRACT, REVIEW, Things
from sibu.graph.change import Change
from sibu.graph.documents import hash_text
from sibu.graph.knowledge_base import KnowledgeBase

CHUNK = 64
"""Documents read at a time."""
SUCH_AS = 3
"""Examples of each reason that are told."""
Tell = Callable[[int], None]


@dataclass
class Report:
    """What a run did."""

    documents: Counter[str] = field(default_factory=Counter)
    """New, changed, skipped, removed."""
    facts: Counter[str] = field(default_factory=Counter)
    """Asserted, waiting for review, refused."""
    statements: Counter[str] = field(default_factory=Counter)
    """Came, kept, went."""
    refused: Counter[str] = field(default_factory=Counter)
    """How often each reason was met."""
    conflicts: list[proposing.Refusal] = field(default_factory=list)
    examples: dict[str, list[str]] = field(default_factory=dict)
    """By reason, what was refused first."""
    new: set[Entity] = field(default_factory=set)
    linked: set[Entity] = field(default_factory=set)
    seen: dict[str, Counter[str]] = field(default_factory=dict)
    """By extractor, names and relations."""
    extractors: dict[str, str] = field(default_factory=dict)
    """Version by name."""
    unmet: list[dict[str, str]] = field(default_factory=list)
    """Classes that an extractor looks for and nothing can be of."""

    def add(self, outcome: Outcome) -> None:
        """Count what became of a document."""
        self.new |= outcome.new
        self.linked |= outcome.linked - outcome.new
        self.conflicts += outcome.conflicts
        self.facts.update("asserted" if each.status == "asserted" else "review" for each in outcome.decided)
        self.facts["refused"] += len(outcome.refusals)
        for each in outcome.refusals:
            self.refused[each.reason] += 1
            examples = self.examples.setdefault(each.reason, [])
            if len(examples) < SUCH_AS and each.said not in examples:
                examples.append(each.said)

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        reasons = [
            {"reason": why, "count": count, "such_as": self.examples[why]} for why, count in self.refused.most_common()
        ]
        documents, facts, statements = self.documents, self.facts, self.statements
        return {
            "documents": {each: documents[each] for each in ("new", "changed", "skipped", "removed")},
            "facts": {each: facts[each] for each in ("asserted", "review", "refused")},
            "statements": {each: statements[each] for each in ("came", "kept", "went")},
            "things": {"new": len(self.new), "known": len(self.linked)},
            "refused": reasons,
            "conflicts": [{"fact": each.said, "reason": each.reason} for each in self.conflicts],
            "extractors": [
                {"name": name, "version": version, **self.seen.get(name, {})}
                for name, version in self.extractors.items()
            ],
            "unmet": self.unmet,
        }


def is_extracted(source: Source) -> bool:
    """Whether a fact is stated by an extractor."""
    return source.extractor.startswith(EXTRACT)


def run(
    kb: KnowledgeBase,
    planned: Planned,
    texts: Sequence[Text],
    *,
    remove: Sequence[str] = (),
    again: bool = False,
    message: str = "",
    tell: Tell = lambda _: None,
) -> Report:
    """Read documents into a knowledge base.

    Those whose text, extractors and thresholds are as they were when they were read last are skipped. One that changed
    states anew what is in it now; what only it stated and states no more is retracted.

    Args:
        kb: The knowledge base, open for writing.
        planned: How they are read.
        texts: The documents.
        remove: Documents that are no more: what extractors and reviewers stated by them is retracted.
        again: Whether those that did not change are read too.
        message: What the change is, in words.
        tell: Told how many documents were read.

    Raises:
        SibuError: For every fault that the user can mend. Nothing was changed then.
    """
    _require_known(kb, remove, texts)
    ontology = Ontology(kb, open_=planned.plan.outside == "allow")
    report = Report()
    eyes = looking.eyes(planned, kb, ontology) if texts else []
    report.extractors = {eye.name: eye.extractor.version for eye in eyes}
    mark = looking.digest(planned, eyes)
    wanted = [each for each in texts if again or kb.read_by(each.document) != (hash_text(each.text), mark)]
    report.documents["skipped"] = len(texts) - len(wanted)
    tell(len(texts) - len(wanted))
    said = message or f"{counted(len(wanted), 'document')} read" + (f", {len(remove)} removed" if remove else "")
    with kb.change(said) as change:
        for name in remove:
            gone = change.restate(name, (), _is_ours, "the document was removed")
            change.forget_document(name)
            report.documents["removed"] += 1
            report.statements["went"] += gone.went
        things = Things(kb, ontology, frozenset(each.document for each in wanted) | set(remove), planned.plan.language)
        reading = _Reading(kb, planned, ontology, things, eyes, _linker(kb, planned, ontology), report)
        for chunk in (wanted[start : start + CHUNK] for start in range(0, len(wanted), CHUNK)):
            reading.read(change, chunk, mark)
            tell(len(chunk))
    report.unmet = [_unmet(eye.name, label, ontology) for eye in eyes for label in eye.known.unmet()]
    return report


def _unmet(extractor: str, label: str, ontology: Ontology) -> dict[str, str]:
    near = near_miss(label, _names(ontology))
    why = f"no class of the knowledge base is called {label!r}, and no extractor before it found one. {near}".rstrip()
    return {"extractor": extractor, "class": label, "reason": why}


def _require_known(kb: KnowledgeBase, remove: Sequence[str], texts: Sequence[Text]) -> None:
    known = [name for name in kb.documents() if kb.read_by(name)[1]] if remove else []
    for name in remove:
        if name not in known:
            raise DataError(
                f"No document {name!r} was read here, so there is none to remove. {near_miss(name, known)}".rstrip()
            )
    if both := {each.document for each in texts} & set(remove):
        raise DataError(f"The document {min(both)!r} is to be read and removed at once. Leave one out.")


def _is_ours(source: Source) -> bool:
    return source.extractor.startswith((EXTRACT, REVIEW))


class _Reading:
    """Reads documents, some at a time."""

    def __init__(
        self, kb: KnowledgeBase, planned: Planned, ontology: Ontology, things: Things, eyes: Sequence[Eye],
        linker: Linker, report: Report,
    ) -> None:  # fmt: skip
        self._kb, self._eyes, self._linker, self._report = kb, eyes, linker, report
        self._proposing = Proposing(things, ontology, _new_classes(planned, ontology))
        self._deciding = Deciding(planned.plan, ontology, things)

    def read(self, change: Change, texts: Sequence[Text], mark: str) -> None:
        change.keep_texts(each.text for each in texts)
        looks = looking.look(self._eyes, texts)
        named = [proposing.named_in(own) for own in looks]
        asked = [proposing.mentions_of(text, own) for text, own in zip(texts, named, strict=True)]
        links = iter(self._linker.link([each for own in asked for each in own]))
        for text, own, names in zip(texts, looks, named, strict=True):
            for each in own:
                seen = self._report.seen.setdefault(each.eye.name, Counter())
                seen.update({"names": len(each.spots), "relations": len(each.ties)})
            mine = [next(links) for _ in names]
            proposals = self._proposing.proposals(text, own, names, mine)
            self._state(change, text, proposals, mark)

    def _state(self, change: Change, text: Text, proposals: proposing.Proposals, mark: str) -> None:
        document, digest = text.document, hash_text(text.text)
        before = self._kb.read_by(document)[0]
        self._report.documents["changed" if before else "new"] += 1
        confirmed, rejected = self._reviewed(document, digest) if before else ({}, {})
        outcome = self._deciding.decide(proposals, rejected)
        change.document(document, text.text, update=True)
        facts = [fact for each in outcome.decided for fact in each.stated(document)]
        done = change.restate(document, facts, is_extracted, f"no longer in {document}")
        stated = {triple for triple, _ in facts}
        for triple, source in confirmed.items() if before != digest else ():
            if triple not in stated:
                change.retract([triple], f"no longer in {document}", source)
                self._report.statements["went"] += 1
        change.mark_read(document, mark)
        self._report.add(outcome)
        self._report.statements.update(came=done.came, kept=done.kept, went=done.went)

    def _reviewed(self, document: str, digest: str) -> tuple[dict[Triple, Source], dict[Triple, str]]:
        """What a person confirmed of a document, and what was rejected of this very text."""
        confirmed: dict[Triple, Source] = {}
        rejected: dict[Triple, str] = {}
        for triple, record in self._kb.told_by(document):
            if record.source.status == "asserted" and record.source.extractor.startswith(REVIEW):
                confirmed[triple] = record.source
            elif record.source.status == "retracted" and record.why.startswith(REVIEW) and record.text == digest:
                rejected[triple] = "a person rejected it"
        return confirmed, rejected


def _linker(kb: KnowledgeBase, planned: Planned, ontology: Ontology) -> Linker:
    """What joins names to things; classes and properties are none."""
    from sibu.curation.linking.linker import KnowledgeLinker

    name, apart = planned.plan.encoder, ontology.classes | ontology.properties
    encode = None
    if name is not None:
        from sibu.curation.linking.meaning import encoder

        encode = encoder(name)
    return KnowledgeLinker(kb, encode=encode, threshold=planned.plan.link, leave_out=apart)


def _new_classes(planned: Planned, ontology: Ontology) -> frozenset[Entity] | None:
    given = planned.plan.new
    if isinstance(given, bool):
        return None if given else frozenset()
    found = {name: ontology.named(planned.plan.classes.get(name, name), is_class=True) for name in given}
    if wrong := [name for name, kind in found.items() if kind is None]:
        near = "".join(near_miss(name, (ontology_name for ontology_name in _names(ontology))) for name in wrong[:1])
        raise DataError(
            f"{planned.file} new: the knowledge base has no class {', '.join(map(repr, wrong))}. {near}".rstrip()
        )
    return frozenset(kind for kind in found.values() if kind is not None)


def _names(ontology: Ontology) -> Iterator[str]:
    from sibu.graph.cells import local_part

    return (local_part(each.iri) for each in ontology.classes)
