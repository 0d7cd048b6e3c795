"""The names of a knowledge base's things, and where they stand in a text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sibu.core.logic import Entity, Value
from sibu.curation.linking.spelling import Word, name_key, spaced
from sibu.graph.cells import local_part
from sibu.graph.labels import LABELS, normal
from sibu.logic.standard import is_standard

if TYPE_CHECKING:
    from sibu.graph.reading import Reading

EXACT, LIKE, ALIAS, OWN = 1.0, 0.97, 0.96, 0.95
"""How well a label fits that is written so but for case, width and blanks; one that differs in accents, punctuation or
plural; an alias is worth this share of it; and the name at the end of a thing's IRI."""
MOST_WORDS = 40
"""Of a name; longer labels are texts, which nobody names a thing by."""


@dataclass(frozen=True, slots=True)
class Named:
    """A thing by one of its names."""

    entity: Entity
    text: str
    """The name as the knowledge base writes it."""
    own: bool = False
    """Whether it is the end of the thing's IRI, not a label."""
    alias: bool = False
    """Whether it is another name than its label."""

    def fit(self, written: str) -> float:
        """How well it is what was written, where the keys are the same."""
        if self.own:
            return OWN
        fit = EXACT if self.text == written or normal(self.text) == normal(written) else LIKE
        return fit * ALIAS if self.alias else fit

    @property
    def rank(self) -> tuple[bool, bool]:
        """Labels before aliases before the ends of IRIs."""
        return self.own, self.alias


@dataclass(frozen=True, slots=True)
class Found:
    """Words of a text that are a name."""

    first: int
    """Place of its first word."""
    last: int
    """The place behind its last."""
    named: tuple[Named, ...]


class Aliases:
    """Things by their names.

    Args:
        names: Things with their names.
    """

    def __init__(self, names: Iterable[Named]) -> None:
        self._by_key: dict[str, list[Named]] = {}
        self._longest: dict[str, int] = {}
        for each in names:
            key = name_key(each.text)
            if not key:
                continue
            first, length = key.split(" ", 1)[0], key.count(" ") + 1
            if length > MOST_WORDS:
                continue
            known = self._by_key.setdefault(key, [])
            if all(other.entity != each.entity or other.text != each.text for other in known):
                known.append(each)
            if length > self._longest.get(first, 0):
                self._longest[first] = length

    @property
    def keys(self) -> list[str]:
        """Every name's key, in order of coming."""
        return list(self._by_key)

    def of(self, key: str) -> tuple[Named, ...]:
        """What has a name of this key, each thing once, a label before the end of an IRI."""
        found: dict[Entity, Named] = {}
        for each in self._by_key.get(key, ()):
            if each.entity not in found or each.rank < found[each.entity].rank:
                found[each.entity] = each
        return tuple(found.values())

    def all_within(self, text: list[Word]) -> Iterator[Found]:
        """Every run of words that is a name, be they within each other."""
        for first, word in enumerate(text):
            for length in range(min(self._longest.get(word.key, 0), len(text) - first), 0, -1):
                named = self.of(" ".join(each.key for each in text[first : first + length]))
                if named:
                    yield Found(first, first + length, named)

    def within(self, text: list[Word]) -> list[Found]:
        """The longest names from left to right, none within another."""
        found: list[Found] = []
        for each in self.all_within(text):
            if not found or each.first >= found[-1].last:
                found.append(each)
        return found


def names_of(kb: Reading, leave_out: frozenset[Entity] = frozenset()) -> Iterator[Named]:
    """All labels and aliases of things, and the ends of the IRIs of those in the base namespace or without a label.

    Args:
        kb: The knowledge base.
        leave_out: Things that are not to be found, such as properties.
    """
    labelled: set[Entity] = set()
    for place, named in enumerate(LABELS):
        for triple in kb.triples(None, named):
            entity = triple.subject
            if isinstance(triple.object, Value) and entity not in leave_out and not is_standard(entity.iri):
                labelled.add(entity)
                yield Named(entity, triple.object.text, alias=place == len(LABELS) - 1)
    base = kb.names.base
    for entity in kb.labelled.things():
        own = entity.iri.startswith(base)
        if (own or entity not in labelled) and entity not in leave_out and not is_standard(entity.iri):
            yield Named(entity, spaced(local_part(entity.iri)), own=True)
