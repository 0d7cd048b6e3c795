"""What is asserted, what waits for a person, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from sibu.core.logic import Entity, Source, Status, Triple, Value
from sibu.curation.extracting.ontology import Ontology
from sibu.curation.extracting.plan import Plan
from sibu.curation.extracting.proposing import Proposal, Proposals, Refusal, Witness
from sibu.curation.extracting.things import EXTRACT, LABEL, Things
from sibu.graph.spoken import said_triple


@dataclass(frozen=True, slots=True)
class Decided:
    """A fact that is stated."""

    fact: Triple
    status: Status
    score: float
    witnesses: tuple[Witness, ...]

    def stated(self, document: str) -> Iterator[tuple[Triple, Source]]:
        """The fact by each of its sources."""
        for each in self.witnesses:
            yield self.fact, Source(
                document, each.start, each.end, extractor=EXTRACT + each.eye, version=each.version,
                confidence=round(each.score, 4), status=self.status,
            )  # fmt: skip


@dataclass(slots=True)
class Outcome:
    """What became of the proposals of a document."""

    decided: list[Decided] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    conflicts: list[Refusal] = field(default_factory=list)
    """Facts that wait for a person because another one stands against them."""
    new: set[Entity] = field(default_factory=set)
    """New things of which something is stated."""
    linked: set[Entity] = field(default_factory=set)


class Deciding:
    """Decides, document by document.

    Args:
        plan: Thresholds.
        ontology: What may not be.
        things: What is known.
    """

    def __init__(self, plan: Plan, ontology: Ontology, things: Things) -> None:
        self._plan, self._ontology, self._things = plan, ontology, things
        self._only: dict[tuple[Entity, Entity], Triple] = {}
        """In this run, by thing and functional property, the one fact that is asserted."""

    def decide(self, given: Proposals, rejected: Mapping[Triple, str]) -> Outcome:
        """What becomes of the proposals.

        Args:
            given: The proposals.
            rejected: Facts that a person rejected of this very text, with what was said.
        """
        found = Outcome(refusals=list(dict.fromkeys(given.refusals)), linked=set(given.linked))
        kinds: dict[Entity, set[Entity]] = {}
        for each in self._sorted(given.classes):
            fault = rejected.get(each.fact, "") or self._class_fault(each.fact, kinds)
            if self._take(each, fault, found) and isinstance(each.fact.object, Entity):
                kinds.setdefault(each.fact.subject, set()).add(each.fact.object)
        for each in self._sorted(given.relations):
            fault = rejected.get(each.fact, "") or self._relation_fault(each.fact, kinds)
            conflict = "" if fault else self._conflict(each)
            self._take(each, fault, found, conflict)
        self._name(given, found)
        return found

    def _sorted(self, given: Mapping[Triple, Proposal]) -> list[Proposal]:
        return sorted(
            given.values(), key=lambda each: (-each.score(self._plan.combine), each.fact.subject, each.fact.predicate)
        )

    def _take(self, each: Proposal, fault: str, found: Outcome, conflict: str = "") -> bool:
        """Whether a proposal is stated, as a fact or as a hypothesis."""
        score = each.score(self._plan.combine)
        said = said_triple(each.fact, self._things.kb.names)
        if not fault and score < self._plan.review:
            fault = f"its score is below {self._plan.review:g}"
        if fault:
            found.refusals.append(Refusal(fault, said))
            return False
        if conflict:
            found.conflicts.append(Refusal(conflict, said))
        status: Literal["asserted", "hypothesis"] = (
            "hypothesis" if conflict or score < self._plan.assert_ else "asserted"
        )
        found.decided.append(Decided(each.fact, status, score, tuple(each.witnesses)))
        return True

    def _all_kinds(self, entity: Entity, kinds: Mapping[Entity, set[Entity]]) -> frozenset[Entity]:
        return self._things.kinds(entity) | kinds.get(entity, set())

    def _class_fault(self, fact: Triple, kinds: Mapping[Entity, set[Entity]]) -> str:
        assert isinstance(fact.object, Entity)
        return self._ontology.class_fault(fact.object, sorted(self._all_kinds(fact.subject, kinds)))

    def _relation_fault(self, fact: Triple, kinds: Mapping[Entity, set[Entity]]) -> str:
        prop, what = fact.predicate, fact.object
        fault = self._ontology.end_fault(prop, "domain", self._all_kinds(fact.subject, kinds))
        if not fault and isinstance(what, Value):
            fault = self._ontology.value_fault(prop, what)
        elif not fault and isinstance(what, Entity):
            fault = self._ontology.end_fault(prop, "range", self._all_kinds(what, kinds))
        return f"{self._things.kb.names.short(prop.iri)}: {fault}" if fault else ""

    def _conflict(self, each: Proposal) -> str:
        """Which other value of a property that has but one stands against it."""
        fact = each.fact
        if fact.predicate not in self._ontology.functional:
            return ""
        key = (fact.subject, fact.predicate)
        others = self._things.others(*key, fact.object) or [
            one for one in (self._only.get(key),) if one is not None and one != fact
        ]
        if others:
            return f"the property has one value, and there is {said_triple(others[0], self._things.kb.names)}"
        if each.score(self._plan.combine) >= self._plan.assert_:
            self._only[key] = fact
        return ""

    def _name(self, given: Proposals, found: Outcome) -> None:
        """Labels of new things, and of those that have their labels from extractors alone: as sure as what is said."""
        status: dict[Entity, Status] = {}
        for each in found.decided:
            for end in (each.fact.subject, each.fact.object):
                if isinstance(end, Entity) and status.get(end) != "asserted":
                    status[end] = each.status
        for entity, witnesses in (given.linked | given.new).items():
            said = status.get(entity) or self._alone(entity, given, witnesses)
            if not said:
                continue
            labels = self._things.labels_to_keep(entity)
            if entity in given.new:
                found.new.add(entity)
                labels = labels or (self._things.label(given.labels[entity]),)
            score = max(each.score for each in witnesses)
            for label in labels:
                found.decided.append(
                    Decided(Triple(entity, LABEL, label), said, score, tuple(dict.fromkeys(witnesses)))
                )

    def _alone(self, entity: Entity, given: Proposals, witnesses: list[Witness]) -> Status | None:
        """How a thing is stated of which nothing but its name is known: one without a class."""
        if entity not in given.new or any(each.subject == entity for each in given.classes):
            return None
        score = max(each.score for each in witnesses)
        if score < self._plan.review:
            return None
        return "asserted" if score >= self._plan.assert_ else "hypothesis"
