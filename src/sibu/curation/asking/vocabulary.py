"""By which words a knowledge base's relations and classes are named, and between what they stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from sibu.core.logic import TYPE, Entity, Rule, Value
from sibu.core.names import OWL, RDFS
from sibu.curation.asking.wording import Phrase, groups, idle, is_chinese, phrase_of, stem
from sibu.curation.linking.spelling import spaced
from sibu.graph.cells import local_part
from sibu.logic.standard import is_standard

if TYPE_CHECKING:
    from sibu.curation.linking.linker import KnowledgeLinker
    from sibu.graph.reading import Reading

SAMPLE = 60
"""Facts of a relation that are looked at for the classes of its ends."""
MOST_VARIANTS = 40
"""Ways to say one name, by words that say the same."""
AS_WRITTEN, OTHER_WORDS = 1.0, 0.95
"""How well a name fits in its own words, and in others that say the same."""
_DOMAIN, _RANGE, _SYMMETRIC = Entity(RDFS + "domain"), Entity(RDFS + "range"), Entity(OWL + "SymmetricProperty")


@dataclass(frozen=True, slots=True)
class Saying:
    """A way to name a relation or a class."""

    words: Phrase
    """Stems, those that say nothing left out at the ends."""
    whole: Phrase
    """Stems of the whole name."""
    fit: float
    text: str
    """The name as the knowledge base writes it."""


@dataclass(frozen=True, slots=True)
class End:
    """What stands at an end of a relation."""

    declared: frozenset[Entity]
    """By domain or range."""
    seen: frozenset[Entity]
    """Classes of what does stand there, and those above."""


class Vocabulary:
    """The relations and classes of a knowledge base.

    Args:
        kb: The knowledge base.
        rules: Its rules, whose heads are relations and classes too.
        linker: Knows the classes of things.
    """

    def __init__(self, kb: Reading, rules: Iterable[Rule], linker: KnowledgeLinker) -> None:
        self._kb, self._linker = kb, linker
        properties, classes = kb.relations()
        heads = [rule.head for rule in rules if rule.head is not None and len(rule.head.terms) == 2]
        named = {head.predicate for head in heads if isinstance(head.predicate, Entity)}
        kinds = {head.terms[1] for head in heads if head.predicate == TYPE and isinstance(head.terms[1], Entity)}
        self.relations = sorted(each for each in properties | named if not is_standard(each.iri))
        self.classes = sorted(each for each in classes | kinds if not is_standard(each.iri))
        self._ends: dict[tuple[Entity, bool], End] = {}
        self._numeric: dict[Entity, bool] = {}

    @cached_property
    def relation_sayings(self) -> dict[Entity, list[Saying]]:
        """The ways to name each relation."""
        return {each: list(self._sayings(each)) for each in self.relations}

    @cached_property
    def class_sayings(self) -> dict[Entity, list[Saying]]:
        """The ways to name each class."""
        return {each: list(self._sayings(each)) for each in self.classes}

    @cached_property
    def stems(self) -> frozenset[str]:
        """Every word of these names."""
        listed = (*self.relation_sayings.values(), *self.class_sayings.values())
        return frozenset(word for sayings in listed for saying in sayings for word in saying.whole)

    def texts(self, entity: Entity) -> list[str]:
        """Labels, aliases, and the end of its IRI."""
        return list(dict.fromkeys([*(value.text for value in self._kb.labels(entity)), local_part(entity.iri)]))

    def _sayings(self, entity: Entity) -> Iterator[Saying]:
        seen: set[Phrase] = set()
        for text in self.texts(entity):
            keys = phrase_of(spaced(text))
            whole = tuple(map(stem, keys))
            core = _core(keys)
            for words, fit in _variants(core):
                if words and words not in seen:
                    seen.add(words)
                    yield Saying(words, whole if words == core else words, fit, text)

    # ---- between what it stands ------------------------------------------------------------------------------------

    def end(self, relation: Entity, subject: bool) -> End:
        """The subjects of a relation, or its objects."""
        key = relation, subject
        if key not in self._ends:
            told = self._kb.triples(relation, _DOMAIN if subject else _RANGE)
            declared = frozenset(each.object for each in told if isinstance(each.object, Entity))
            facts = islice(self._kb.triples(None, relation), SAMPLE)
            ends = {each.subject if subject else each.object for each in facts}
            seen = frozenset[Entity]().union(
                *(self._linker.classes(each) for each in ends if isinstance(each, Entity)), declared
            )
            self._ends[key] = End(frozenset(each for each in declared if not is_standard(each.iri)), seen)
        return self._ends[key]

    def numeric(self, relation: Entity) -> bool:
        """Whether its objects are numbers."""
        if relation not in self._numeric:
            some = [each.object for each in islice(self._kb.triples(None, relation), 5)]
            numbers = [each for each in some if isinstance(each, Value) and each.number is not None]
            self._numeric[relation] = bool(some) and len(numbers) == len(some)
        return self._numeric[relation]

    def symmetric(self, relation: Entity) -> bool:
        """Whether it is declared to hold both ways."""
        return next(self._kb.triples(relation, TYPE, _SYMMETRIC), None) is not None

    def implied(self, relation: Entity, subject: bool, kind: Entity) -> bool:
        """Whether whatever stands at an end is of a class, by what is declared."""
        return any(kind == each or kind in self.above(each) for each in self.end(relation, subject).declared)

    def above(self, kind: Entity) -> frozenset[Entity]:
        """The classes above a class."""
        return self._linker.above(kind)


def _core(keys: Sequence[str]) -> Phrase:
    """The stems of a name without what says nothing at its ends; all where nothing else is left."""
    kept = list(keys)
    while kept and idle(kept[0]):
        kept.pop(0)
    while kept and idle(kept[-1]):
        kept.pop()
    return tuple(map(stem, kept or keys))


def _variants(core: Phrase) -> Iterator[tuple[Phrase, float]]:
    """A name's words, and with words in their places that say the same."""
    yield core, AS_WRITTEN
    count = 0
    for length in range(len(core), 0, -1):
        for first in range(len(core) - length + 1):
            part = core[first : first + length]
            # Within a longer Chinese name a single character is not a word by itself.
            if length == 1 and len(core) > 1 and is_chinese(part[0]):
                continue
            for other in sorted(groups().get(part, frozenset())):
                words = core[:first] + other + core[first + length :]
                if words != core and count < MOST_VARIANTS:
                    count += 1
                    yield words, OTHER_WORDS
