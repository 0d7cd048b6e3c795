"""What extractors saw in a text, as facts that might be stated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sibu.core.extraction import Spot, Text, Tie
from sibu.core.linking import Link, Mention
from sibu.core.logic import TYPE, Entity, Term, Triple
from sibu.core.passages import Place, passages
from sibu.curation.extracting.looking import Eye, Look
from sibu.curation.extracting.ontology import Ontology
from sibu.curation.extracting.things import Things


@dataclass(frozen=True, slots=True)
class Witness:
    """One passage in which one extractor sees a fact."""

    eye: str
    version: str
    start: int
    end: int
    score: float


@dataclass(slots=True)
class Proposal:
    """A fact that might be stated, with all that speaks for it in a document."""

    fact: Triple
    witnesses: dict[Witness, None] = field(default_factory=dict)

    def score(self, combine: str) -> float:
        """How sure it is: of each extractor its surest passage, then the surest of them, or as if they erred alone."""
        best: dict[str, float] = {}
        for each in self.witnesses:
            best[each.eye] = max(best.get(each.eye, 0.0), each.score)
        if combine == "max":
            return max(best.values())
        wrong = 1.0
        for score in best.values():
            wrong *= 1 - score
        return 1 - wrong


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is not stated, and why."""

    reason: str
    said: str
    """What it was, in words."""


@dataclass(slots=True)
class Proposals:
    """What might be stated of a document."""

    classes: dict[Triple, Proposal] = field(default_factory=dict)
    relations: dict[Triple, Proposal] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    new: dict[Entity, list[Witness]] = field(default_factory=dict)
    """New things, with where they are named."""
    linked: dict[Entity, list[Witness]] = field(default_factory=dict)
    """Things that are known, with where they are named."""
    labels: dict[Entity, str] = field(default_factory=dict)
    """Of new things: as they are named."""


@dataclass(slots=True)
class Named:
    """A passage that names something, by all who saw it."""

    place: Place
    seen: list[tuple[Eye, Spot]] = field(default_factory=list)
    inner: bool = False
    """Whether it stands inside a longer name, and is no more than an end of a relation."""

    @property
    def kinds(self) -> tuple[Entity, ...]:
        """Classes that are expected: those that extractors say, else those of what is known by this name."""
        said = {kind for _, spot in self.seen if spot.label for kind in spot.kinds}
        return tuple(sorted(said or {kind for _, spot in self.seen for kind in spot.kinds}))

    @property
    def told(self) -> Entity | None:
        """What it names, where an extractor was told."""
        return next((spot.entity for _, spot in self.seen if spot.entity is not None), None)

    @property
    def best(self) -> tuple[Eye, Spot]:
        """Who is surest of it; of those who say what it is, if there are some."""
        return max(self.seen, key=lambda each: (bool(each[1].label and each[1].kinds), each[1].score))


def named_in(looks: Sequence[Look]) -> list[Named]:
    """The passages of a text that name something, in order."""
    places: dict[Place, Named] = {}
    ends: set[Place] = set()
    for look in looks:
        tied = [each for tie in look.ties for each in (tie.head, tie.tail)]
        ends.update((each.start, each.end) for each in tied)
        for spot in dict.fromkeys((*look.spots, *tied)):
            if spot.value is None:
                place = (spot.start, spot.end)
                own = places.setdefault(place, Named(place)).seen
                if not any(other == spot for _, other in own):
                    own.append((look.eye, spot))
    taken: list[Place] = []
    for each in sorted(places.values(), key=lambda one: (one.place[0] - one.place[1], -one.best[1].score, one.place)):
        each.inner = any(start < each.place[1] and each.place[0] < end for start, end in taken)
        if not each.inner:
            taken.append(each.place)
    kept = [each for each in places.values() if not each.inner or each.place in ends]
    return sorted(kept, key=lambda one: one.place)


def mentions_of(text: Text, named: Sequence[Named]) -> list[Mention]:
    """What is asked of the linker: each name with its sentence."""
    sentences = passages(text.text, "sentence")
    found, place = [], 0
    for each in named:
        start, end = each.place
        while place + 1 < len(sentences) and sentences[place][1] <= start:
            place += 1
        around = text.text[slice(*sentences[place])] if sentences else ""
        found.append(Mention(text.text[start:end], start, end, each.kinds, around, text.language))
    return found


@dataclass(frozen=True, slots=True)
class Settled:
    """What a name stands for."""

    entity: Entity
    score: float
    """How sure that is."""
    is_new: bool


EXACT = 0.85
"""What the linker gives a name that fits exactly where nothing else speaks for it."""
_SHARP = 16


def sureness(link: Link) -> float:
    """How sure it is that a name means the best candidate, from 0 to 1.

    The linker's scores are for ranking: an exact name has 0.85 or more, and so may have several. Here an exact name
    counts as 1, a worse one as less, and the whole is shared among the candidates by the 16th powers of their scores:
    of two that are alike each has a half, and one that is a tenth better than the other has four fifths.
    """
    if not link.candidates or not link.score:
        return 0.0
    rivals = sum((score / link.score) ** _SHARP for _, score in link.candidates)
    return min(1.0, link.score / EXACT) / max(rivals, 1.0)


class Proposing:
    """Makes proposals of what was seen.

    Args:
        things: Known things, and new ones.
        ontology: Names of classes and properties.
        new: Classes of which things may be new; None: all.
    """

    def __init__(self, things: Things, ontology: Ontology, new: frozenset[Entity] | None) -> None:
        self._things, self._ontology, self._new = things, ontology, new

    def proposals(self, text: Text, looks: Sequence[Look], named: Sequence[Named], links: Iterable[Link]) -> Proposals:
        """The facts that might be stated of a text.

        Args:
            text: The text.
            looks: What was seen in it.
            named: Its names.
            links: What each stands for, as the linker has it.
        """
        found = Proposals()
        settled: dict[Place, Settled] = {}
        for each, link in zip(named, links, strict=True):
            self._unknown_classes(text, each, found)
            own = self._settle(text, each, link, found)
            if own is not None:
                settled[each.place] = own
                self._classes(each, own, found)
        for look in looks:
            for tie in look.ties:
                self._relation(text, look.eye, tie, settled, found)
        return found

    def _settle(self, text: Text, named: Named, link: Link, found: Proposals) -> Settled | None:
        start, end = named.place
        said = text.text[start:end]
        eye, spot = named.best
        witness = Witness(eye.name, eye.extractor.version, start, end, spot.score)
        if named.told is not None:
            found.linked.setdefault(named.told, []).append(witness)
            if not self._things.kb.labelled.knows(named.told):
                found.new.setdefault(named.told, []).append(witness)
                found.labels.setdefault(named.told, said)
            return Settled(named.told, 1.0, is_new=False)
        if link.entity is not None or (link.candidates and self._things.is_named_so(said, named.kinds)):
            entity = link.entity or link.candidates[0][0]
            if not self._things.is_known(entity):
                return self._settle_new(named, said, witness, found, entity)
            found.linked.setdefault(entity, []).append(witness)
            return Settled(entity, sureness(link), is_new=False)
        return self._settle_new(named, said, witness, found)

    def _settle_new(
        self, named: Named, said: str, witness: Witness, found: Proposals, entity: Entity | None = None
    ) -> Settled | None:
        """A new thing, where it may be one; it may be what an earlier reading of the same documents made."""
        spot = named.best[1]
        kinds = spot.kinds if spot.label else ()
        if spot.label and not kinds:
            return None  # its class is outside the schema, as was told
        if not spot.label and spot.kinds:
            return None  # known by name, but not meant here
        if self._new is not None and not any(self._ontology.is_a(kind, one) for kind in kinds for one in self._new):
            what = self._short(kinds[0]) if kinds else "no class"
            found.refusals.append(Refusal(f"not known, and no new thing of {what} is allowed", said))
            return None
        entity = entity or self._things.new(said, kinds[0] if kinds else None)
        found.new.setdefault(entity, []).append(witness)
        found.labels.setdefault(entity, said)
        return Settled(entity, 1.0, is_new=True)

    def _classes(self, named: Named, own: Settled, found: Proposals) -> None:
        start, end = named.place
        for eye, spot in named.seen:
            if spot.label and spot.kinds and not named.inner:
                fact = Triple(own.entity, TYPE, spot.kinds[0])
                score = min(spot.score, own.score)
                witness = Witness(eye.name, eye.extractor.version, start, end, score)
                found.classes.setdefault(fact, Proposal(fact)).witnesses[witness] = None

    def _unknown_classes(self, text: Text, named: Named, found: Proposals) -> None:
        start, end = named.place
        for label in sorted({spot.label for _, spot in named.seen if spot.label and not spot.kinds}):
            found.refusals.append(Refusal(f"the class {label!r} is outside the schema", text.text[start:end]))

    def _relation(self, text: Text, eye: Eye, tie: Tie, settled: Mapping[Place, Settled], found: Proposals) -> None:
        said = f"{text.text[tie.head.start : tie.head.end]} - {tie.label} - {text.text[tie.tail.start : tie.tail.end]}"
        prop = self._ontology.named(eye.properties.get(tie.label, tie.label), is_class=False)
        if prop is None:
            found.refusals.append(Refusal(f"the relation {tie.label!r} is outside the schema", said))
            return
        head = settled.get((tie.head.start, tie.head.end))
        tail = settled.get((tie.tail.start, tie.tail.end))
        if head is None or (tail is None and tie.tail.value is None):
            found.refusals.append(Refusal("an end of the relation is no thing that is known or may be new", said))
            return
        what: Term | None = tie.tail.value if tail is None else tail.entity
        assert what is not None
        if what == head.entity:
            found.refusals.append(Refusal("both ends of the relation are one thing", said))
            return
        sure = min(tie.score, tie.head.score, tie.tail.score, head.score, 1.0 if tail is None else tail.score)
        fact = Triple(head.entity, prop, what)
        witness = Witness(eye.name, eye.extractor.version, tie.start, tie.end, sure)
        found.relations.setdefault(fact, Proposal(fact)).witnesses[witness] = None

    def _short(self, kind: Entity) -> str:
        return self._things.kb.names.short(kind.iri)
