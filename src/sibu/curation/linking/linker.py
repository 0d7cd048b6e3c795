"""Links mentions to the things of a knowledge base.

The score of a candidate, from 0 to 1, is

    name × class × (0.85 + 0.10 × context + 0.05 × prior)

``name``: how well one of its names fits, by letters (``aliases``, else 0.95 × likeness) or by meaning (0.9 ×
``meaning``), whichever is more. ``class``: 1 where a class that it has, or one above, is among those expected or none
is; 0.9 where it has no class; 0.5 where it has others. ``context``: 1 - 0.5 to the power of how many words of the
context are in the names of things beside it. ``prior``: how many facts it has, on a scale of logarithms that ends at
64. So the score never falls where one of these rises. A name that fits exactly scores 0.85 or more where no other class
is expected.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from math import log
from typing import TYPE_CHECKING

from sibu.core.linking import Link, Mention
from sibu.core.logic import TYPE, Entity, Triple
from sibu.core.names import RDFS
from sibu.curation.linking.aliases import Aliases, names_of
from sibu.curation.linking.near import Near
from sibu.curation.linking.spelling import name_key, words
from sibu.graph.labels import LABELS
from sibu.logic.standard import is_standard

if TYPE_CHECKING:
    from sibu.curation.linking.meaning import Encode
    from sibu.graph.reading import Reading

THRESHOLD = 0.6
"""Below it a mention means nothing that is known (NIL)."""
NEARLY, ALIKE = 0.95, 0.9
"""What a likeness of letters, and one of meaning, count at most."""
UNKNOWN_CLASS, OTHER_CLASS = 0.9, 0.5
MOST_FACTS = 64
"""Facts of a thing that are looked at, and the number at which the prior is 1."""
_ABOVE = Entity(RDFS + "subClassOf")


@dataclass(frozen=True, slots=True)
class _Around:
    """What stands around a thing."""

    facts: int
    words: frozenset[str]
    """Of the names of things beside it."""


class KnowledgeLinker:
    """Links by the names of a knowledge base.

    Args:
        kb: The knowledge base, open; it must not change while this is used.
        encode: Makes vectors of names; None: names are compared by their letters alone.
        threshold: From 0 to 1; below it a link is NIL.
        most: Candidates that are told.
        leave_out: What is no candidate; None: properties.
    """

    def __init__(
        self,
        kb: Reading,
        *,
        encode: Encode | None = None,
        threshold: float = THRESHOLD,
        most: int = 8,
        leave_out: frozenset[Entity] | None = None,
    ) -> None:
        if not 0 <= threshold <= 1 or most < 1:
            raise ValueError(f"a threshold is from 0 to 1 and there is at least one candidate: {threshold}, {most}")
        self._kb, self._threshold, self._most, self._encode = kb, threshold, most, encode
        self.aliases = Aliases(names_of(kb, kb.relations()[0] if leave_out is None else leave_out))
        self._near: Near | None = None
        self._alike = None
        if encode is not None:
            from sibu.curation.linking.meaning import Alike

            self._alike = Alike(self.aliases.keys, encode)
        self._above: dict[Entity, list[Entity]] = {}
        for triple in kb.triples(predicate=_ABOVE):
            if isinstance(triple.object, Entity):
                self._above.setdefault(triple.subject, []).append(triple.object)
        self._around: dict[Entity, _Around] = {}
        self._classes: dict[Entity, frozenset[Entity]] = {}

    @property
    def near(self) -> Near:
        """Names that are written nearly so; made on first use."""
        if self._near is None:
            self._near = Near(self.aliases.keys)
        return self._near

    # ---- linking -----------------------------------------------------------------------------------------------------

    def link(self, mentions: Sequence[Mention]) -> list[Link]:
        """One link a mention, in order."""
        keys = [name_key(each.text) for each in mentions]
        alike: list[list[tuple[str, float]]] = [[] for _ in mentions]
        if self._alike is not None:
            places = [place for place, key in enumerate(keys) if key]
            for place, found in zip(places, self._alike.find([keys[each] for each in places]), strict=True):
                alike[place] = found
        return [self._link(*each) for each in zip(mentions, keys, alike, strict=True)]

    def find(self, text: str, language: str = "", around: int = 80) -> list[Mention]:
        """The knowledge base's own names in a text, the longest from left to right.

        Args:
            text: The text.
            language: Of the text.
            around: Characters on each side that are the context.
        """
        found = []
        listed = words(text)
        for each in self.aliases.within(listed):
            start, end = listed[each.first].start, listed[each.last - 1].end
            context = text[max(start - around, 0) : end + around]
            found.append(Mention(text[start:end], start, end, (), context, language))
        return found

    def _link(self, mention: Mention, key: str, alike: list[tuple[str, float]]) -> Link:
        fits = self._fits(mention, key, alike)
        context = frozenset(word.key for word in words(mention.context)) - set(key.split()) if mention.context else None
        scored = [(entity, self._score(entity, fit, mention, context)) for entity, fit in fits.items()]
        scored.sort(key=lambda pair: (-pair[1], pair[0].iri))
        best = scored[0] if scored else None
        entity = best[0] if best is not None and best[1] >= self._threshold else None
        return Link(entity, best[1] if best is not None else 0.0, tuple(scored[: self._most]))

    def _fits(self, mention: Mention, key: str, alike: list[tuple[str, float]]) -> dict[Entity, float]:
        """How well the names of candidates fit."""
        found: dict[Entity, float] = {}
        if not key:
            return found
        for each in self.aliases.of(key):
            found[each.entity] = max(found.get(each.entity, 0.0), each.fit(mention.text))
        if not any(self._agrees(each, mention.kinds) for each in found):
            near = ((other, NEARLY * likeness) for other, likeness in self.near.find(key))
            for other, fit in chain(near, ((other, ALIKE * likeness) for other, likeness in alike)):
                for each in self.aliases.of(other):
                    found[each.entity] = max(found.get(each.entity, 0.0), fit)
        return found

    # ---- what is known of a candidate --------------------------------------------------------------------------------

    def _score(self, entity: Entity, fit: float, mention: Mention, context: frozenset[str] | None) -> float:
        around = self._beside(entity)
        shared = len(context & around.words) if context else 0
        prior = min(log(1 + around.facts) / log(1 + MOST_FACTS), 1.0)
        return fit * self._class_fit(entity, mention.kinds) * (0.85 + 0.10 * (1 - 0.5**shared) + 0.05 * prior)

    def _class_fit(self, entity: Entity, kinds: tuple[Entity, ...]) -> float:
        if not kinds:
            return 1.0
        own = self.classes(entity)
        if not own:
            return UNKNOWN_CLASS
        return 1.0 if own.intersection(kinds) else OTHER_CLASS

    def _agrees(self, entity: Entity, kinds: tuple[Entity, ...]) -> bool:
        return self._class_fit(entity, kinds) > OTHER_CLASS

    def classes(self, entity: Entity) -> frozenset[Entity]:
        """The classes that a thing has, and those above them."""
        if entity not in self._classes:
            own = (triple.object for triple in self._kb.triples(entity, TYPE))
            self._classes[entity] = self._upwards(
                each for each in own if isinstance(each, Entity) and not is_standard(each.iri)
            )
        return self._classes[entity]

    def above(self, kind: Entity) -> frozenset[Entity]:
        """The classes above a class, and itself."""
        return self._upwards([kind])

    def _upwards(self, kinds: Iterable[Entity]) -> frozenset[Entity]:
        waiting, found = list(kinds), set[Entity]()
        while waiting:
            each = waiting.pop()
            if each not in found:
                found.add(each)
                waiting += self._above.get(each, ())
        return frozenset(found)

    def _beside(self, entity: Entity) -> _Around:
        if entity not in self._around:
            facts = list(islice(self._facts(entity), MOST_FACTS))
            others = {each.object if each.subject == entity else each.subject for each in facts}
            beside = [other for other in others if isinstance(other, Entity)]
            names = chain.from_iterable((self._kb.label(each), *self._texts(each)) for each in beside)
            self._around[entity] = _Around(
                len(facts), frozenset(word.key for name in names for word in words(name) if len(name) < 80)
            )
        return self._around[entity]

    def _facts(self, entity: Entity) -> Iterator[Triple]:
        named = frozenset(LABELS)
        for triple in chain(self._kb.triples(entity), self._kb.triples(None, None, entity)):
            if triple.predicate not in named and triple.predicate != TYPE:
                yield triple

    def _texts(self, entity: Entity) -> Iterator[str]:
        return (value.text for value in self._kb.labels(entity))
