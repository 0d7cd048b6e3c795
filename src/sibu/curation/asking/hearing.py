"""What is in a question: marks of what it asks, things, relations, classes, numbers; each with the words it is in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING

from sibu.core.logic import Entity
from sibu.curation.asking.figures import Figure, figures
from sibu.curation.asking.vocabulary import Saying, Vocabulary
from sibu.curation.asking.wording import Mark, is_chinese, longest_mark, marks, stem, stems
from sibu.curation.linking.linker import NEARLY, KnowledgeLinker
from sibu.curation.linking.spelling import Word, likeness, words

if TYPE_CHECKING:
    from sibu.curation.linking.meaning import Encode

MOST = 12
"""Things that one name may mean which are looked at."""
NEAR_NAME, NEAR_CHINESE = 0.82, 0.88
"""Likeness from which a word that is no name is read as one; of Chinese, where a character is much, it is more."""
IMPLIED, SLIP, PART = 0.9, 0.9, 0.85
"""How well a relation fits that a question word means (`how old`: age), one whose name has a slip of the pen, and one
of whose name a part alone is said (times that part)."""
MEANT, CLEARLY = 0.3, 0.05
"""How alike in meaning words and a relation's name must be where an encoder says it (0 as any two names are, 1 the
same), and how much more alike than the next relation's name."""
MOST_BETWEEN = 2
"""Words that may stand between two words of a relation's name."""


@dataclass(frozen=True, slots=True)
class Span:
    """Words of the question that mean something."""

    first: int
    last: int
    """The place behind its last word."""
    entity: Entity
    fit: float
    """How well, from 0 to 1."""
    text: str
    """The name that it was recognised by."""

    @property
    def places(self) -> frozenset[int]:
        """Its words."""
        return frozenset(range(self.first, self.last))


@dataclass(frozen=True, slots=True)
class Marked:
    """Words that say what is asked."""

    first: int
    last: int
    mark: Mark


@dataclass(frozen=True, slots=True)
class Bound:
    """A comparison with a number."""

    sign: str
    number: int | float
    meant: tuple[str, ...]
    """Words of the relation that is meant; empty: not told."""
    places: frozenset[int]


@dataclass(slots=True)
class Heard:
    """A question, as far as its words are known."""

    text: str
    words: list[Word]
    marked: list[Marked] = field(default_factory=list)
    things: list[Span] = field(default_factory=list)
    relations: list[Span] = field(default_factory=list)
    classes: list[Span] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    bounds: list[Bound] = field(default_factory=list)

    def kinds(self, kind: str) -> list[Marked]:
        """The marks of a kind."""
        return [each for each in self.marked if each.mark.kind == kind]

    @property
    def shape(self) -> str:
        """What is asked: ``count``, ``whether`` or ``which``."""
        if self.kinds("count"):
            return "count"
        if self.kinds("whether"):
            return "whether"
        first = min((each.first for each in self.kinds("opening")), default=1)
        return "whether" if first == 0 and not self.kinds("which") else "which"

    @property
    def content(self) -> frozenset[int]:
        """The words that a plan has to account for."""
        silent = ("which", "count", "opening", "whether", "joining", "passive", "owning", "having", "idle")
        said = frozenset(place for each in self.marked if each.mark.kind in silent
                         for place in range(each.first, each.last))  # fmt: skip
        return frozenset(range(len(self.words))) - said

    def said(self, places: Iterable[int]) -> list[str]:
        """Runs of words as they stand in the question."""
        found: list[str] = []
        run: list[int] = []
        for place in [*sorted(places), -2]:
            if run and place != run[-1] + 1:
                found.append(self.text[self.words[run[0]].start : self.words[run[-1]].end])
                run = []
            run.append(place)
        return found


class Ear:
    """Hears what is in questions.

    Args:
        linker: Knows the names of things.
        vocabulary: Knows the names of relations and classes.
        encode: Makes vectors of texts; None: names are compared by their letters alone.
    """

    def __init__(self, linker: KnowledgeLinker, vocabulary: Vocabulary, encode: Encode | None = None) -> None:
        self._linker, self._vocabulary = linker, vocabulary
        self._alike = None
        self._names: dict[str, list[Entity]] = {}
        if encode is not None:
            from sibu.curation.linking.meaning import Alike

            for each in vocabulary.relations:
                for text in vocabulary.texts(each):
                    self._names.setdefault(text, []).append(each)
            self._alike = Alike(list(self._names), encode)

    def hear(self, text: str) -> Heard:
        """Find what is in a question."""
        heard = Heard(text, words(text))
        heard.figures = list(figures(text, heard.words))
        keys = [word.key for word in heard.words]
        heard.things = list(self._things(heard))
        named = _longest(heard.things)
        heard.marked = list(_marked(keys, named))
        said = [stem(key) for key in keys]
        self._mend(said, heard)
        heard.relations = _own_first(_best(self._matches(said, self._vocabulary.relation_sayings)))
        heard.relations += self._implied(heard)
        heard.classes = _best(self._matches(said, self._vocabulary.class_sayings))
        heard.marked = [_weighed(heard, each) for each in heard.marked]
        heard.bounds = list(_bounds(heard))
        self._near_things(heard)
        self._meant(heard)
        return heard

    # ---- things ------------------------------------------------------------------------------------------------------

    def _things(self, heard: Heard) -> Iterator[Span]:
        for found in self._linker.aliases.all_within(heard.words):
            written = heard.text[heard.words[found.first].start : heard.words[found.last - 1].end]
            keys = tuple(word.key for word in heard.words[found.first : found.last])
            if keys in marks() and len(keys) == 1:  # a thing that is named "of"
                continue
            for each in found.named[:MOST]:
                yield Span(found.first, found.last, each.entity, each.fit(written), each.text)

    def _near_things(self, heard: Heard) -> None:
        """Read words that mean nothing else as a name with a slip of the pen."""
        known = [*heard.things, *heard.relations, *heard.classes]
        left = heard.content - frozenset(place for each in known for place in each.places)
        left -= frozenset(place for each in heard.bounds for place in each.places)
        for first, last in _runs(sorted(left)):
            for begin, end in ((a, b) for a in range(first, last) for b in range(last, a, -1)):
                key = " ".join(word.key for word in heard.words[begin:end])
                letters = len(key.replace(" ", ""))
                least = NEAR_CHINESE if is_chinese(key) else NEAR_NAME
                if letters < 1 / (1 - least):  # one slip would be too much
                    continue
                for other, near in self._linker.near.find(key, most=3, least=least):
                    for each in self._linker.aliases.of(other):
                        heard.things.append(Span(begin, end, each.entity, NEARLY * near, each.text))

    # ---- relations and classes ---------------------------------------------------------------------------------------

    def _matches(self, said: list[str], sayings: dict[Entity, list[Saying]]) -> Iterator[Span]:
        for entity, listed in sayings.items():
            for saying in listed:
                for first, last, fit in _within(said, saying):
                    yield Span(first, last, entity, fit * saying.fit, saying.text)

    def _implied(self, heard: Heard) -> Iterator[Span]:
        """Relations that question words mean, such as `how old`."""
        for each in heard.marked:
            if each.mark.kind in ("implied", "extreme"):
                for entity in self.relations_named(each.mark.meant):
                    yield Span(each.first, each.last, entity, IMPLIED, self._vocabulary.texts(entity)[0])

    def relations_named(self, meant: Iterable[str]) -> list[Entity]:
        """Relations whose name is, or has, one of these words."""
        wanted = [stems(each) for each in meant]
        found = []
        for entity, sayings in self._vocabulary.relation_sayings.items():
            if any(_has(saying.whole, each) for saying in sayings for each in wanted):
                found.append(entity)
        return found

    def _mend(self, said: list[str], heard: Heard) -> None:
        """Read a long word that is no word of any name as the nearest that is."""
        taken = {place for each in heard.things for place in each.places}
        marked = {place for each in heard.marked for place in range(each.first, each.last)}
        known = sorted(each for each in self._vocabulary.stems if each.isascii() and len(each) > 3)
        for place, word in enumerate(said):
            if place in taken | marked or len(word) < 5 or not word.isascii() or word in self._vocabulary.stems:
                continue
            close = get_close_matches(word, known, n=1, cutoff=0.75)
            if close and likeness(word, close[0]) >= 0.8:
                said[place] = close[0]

    def _meant(self, heard: Heard) -> None:
        """Words that mean nothing else, as relations whose names mean the like, where an encoder says so."""
        if self._alike is None:
            return
        known = [*heard.things, *heard.relations, *heard.classes]
        left = heard.content - frozenset(place for each in known for place in each.places)
        runs = list(_runs(sorted(left)))
        texts = [heard.text[heard.words[first].start : heard.words[last - 1].end] for first, last in runs]
        for (first, last), found in zip(runs, self._alike.find(texts, most=3), strict=True):
            best = {each: (worth, name) for name, worth in reversed(found) for each in self._names[name]}
            order = sorted(best, key=lambda each: -best[each][0])
            (worth, name), *rest = [best[each] for each in order] or [(0.0, "")]
            if worth >= MEANT and (not rest or worth - rest[0][0] >= CLEARLY):
                heard.relations.append(Span(first, last, order[0], 0.6 + 0.4 * worth, name))


def _within(said: list[str], saying: Saying) -> Iterator[tuple[int, int, float]]:
    """Where a name stands in a question: whole, with a few words between, or a good part of it."""
    core, count = saying.words, len(saying.words)
    whole = False
    for first in range(len(said) - count + 1):
        if tuple(said[first : first + count]) == core:
            whole = True
            yield *_widened(said, saying, first, first + count), 1.0
    if whole or count < 2:
        return
    if is_chinese("".join(core)):
        for length in range(count - 1, max(2, (count + 1) // 2) - 1, -1):
            for start in range(count - length + 1):
                part = core[start : start + length]
                for first in range(len(said) - length + 1):
                    if tuple(said[first : first + length]) == part:
                        yield first, first + length, PART * length / count
        return
    places = _in_order(said, core)
    if places:
        yield places[0], places[-1] + 1, 0.95


def _widened(said: list[str], saying: Saying, first: int, last: int) -> tuple[int, int]:
    """A match with the words around it that the name has too and that say nothing by themselves."""
    if len(saying.whole) <= len(saying.words):
        return first, last
    start = next((place for place in range(len(saying.whole) - len(saying.words) + 1)
                  if saying.whole[place : place + len(saying.words)] == saying.words), 0)  # fmt: skip
    before, behind = saying.whole[:start], saying.whole[start + len(saying.words) :]
    if before and tuple(said[max(first - len(before), 0) : first]) == before:
        first -= len(before)
    if behind and tuple(said[last : last + len(behind)]) == behind:
        last += len(behind)
    return first, last


def _in_order(said: list[str], core: tuple[str, ...]) -> list[int]:
    """Places of a name's words one behind the other, with few between; empty where they are not all there."""
    for first, word in enumerate(said):
        if word != core[0]:
            continue
        places = [first]
        for wanted in core[1:]:
            window = range(places[-1] + 1, min(places[-1] + 2 + MOST_BETWEEN, len(said)))
            following = next((place for place in window if said[place] == wanted), None)
            if following is None:
                break
            places.append(following)
        if len(places) == len(core):
            return places
    return []


def _has(whole: tuple[str, ...], part: tuple[str, ...]) -> bool:
    return any(whole[first : first + len(part)] == part for first in range(len(whole) - len(part) + 1))


def _best(spans: Iterable[Span]) -> list[Span]:
    """Of one thing at one place the best, and none within a better one of the same thing."""
    found: dict[tuple[int, int, Entity], Span] = {}
    for each in spans:
        key = each.first, each.last, each.entity
        if key not in found or found[key].fit < each.fit:
            found[key] = each
    kept = []
    for each in found.values():
        wider = (other for other in found.values() if other is not each and other.entity == each.entity)
        if not any(each.places <= other.places and other.fit >= each.fit for other in wider):
            kept.append(each)
    return sorted(kept, key=lambda each: (each.first, -each.last, -each.fit, each.entity))


def _own_first(spans: list[Span]) -> list[Span]:
    """No relation by other words where these are a name of another relation."""
    own = [each for each in spans if each.fit == 1]
    return [each for each in spans
            if each.fit == 1 or not any(each.places <= other.places for other in own)]  # fmt: skip


def _longest(spans: Iterable[Span]) -> list[Span]:
    """The longest from left to right, none within another."""
    found: list[Span] = []
    for each in sorted(spans, key=lambda span: (span.first, -span.last)):
        if not found or each.first >= found[-1].last:
            found.append(each)
    return found


def _marked(keys: list[str], named: list[Span]) -> Iterator[Marked]:
    """Marks from left to right, the longest first, none that begins or ends within a name."""
    inner = {place for each in named for place in each.places}
    place = 0
    while place < len(keys):
        for length in range(min(longest_mark(), len(keys) - place), 0, -1):
            mark = marks().get(tuple(keys[place : place + length]))
            if mark is not None and not inner.intersection(range(place, place + length)):
                yield Marked(place, place + length, mark)
                place += length
                break
        else:
            place += 1


def _weighed(heard: Heard, each: Marked) -> Marked:
    """A mark as it is meant here: `all` beside what is asked for says nothing; `都` of one name alone says `all`."""
    if each.mark.kind == "whole" and _beside_asked(heard, each):
        return Marked(each.first, each.last, Mark("idle"))
    alone = heard.shape == "whether" and len(_longest(heard.things)) < 2
    if alone and [word.key for word in heard.words[each.first : each.last]] == ["都"]:
        return Marked(each.first, each.last, Mark("whole"))
    return each


def _beside_asked(heard: Heard, each: Marked) -> bool:
    """Whether `all` stands beside what is asked for (`all drugs that ...`), and not in what is said of it."""
    if heard.shape == "whether":
        return False
    asking = [mark for mark in heard.marked if mark.mark.kind in ("which", "count")]
    content = heard.content - frozenset(range(each.first, each.last))
    if any(mark.last <= each.first and content.isdisjoint(range(mark.last, each.first)) for mark in asking):
        return True
    said = content | frozenset(place for kind in heard.classes for place in kind.places)
    kinds = [kind for kind in heard.classes if kind.first >= each.last
             and content.isdisjoint(range(each.last, kind.first))]  # fmt: skip
    return any(said.isdisjoint(range(kind.last, mark.first)) for kind in kinds for mark in asking
               if mark.first >= kind.last)  # fmt: skip


def _bounds(heard: Heard) -> Iterator[Bound]:
    """Comparisons, each with the number that is nearest to it."""
    for each in heard.kinds("compare"):
        near = min(heard.figures, key=lambda figure: _between(each, figure), default=None)
        if near is not None and _between(each, near) <= 3:
            places = frozenset({*range(each.first, each.last), *range(near.first, near.last)})
            yield Bound(each.mark.sign, near.number, each.mark.meant, places)


def _between(mark: Marked, figure: Figure) -> int:
    """How far a number stands from a comparison."""
    return figure.first - mark.last if figure.first >= mark.last else mark.first - figure.last + 1


def _runs(places: list[int]) -> Iterator[tuple[int, int]]:
    """Runs of places, each as its first and the place behind its last."""
    run: list[int] = []
    for place in places:
        if run and place != run[-1] + 1:
            yield run[0], run[-1] + 1
            run = []
        run.append(place)
    if run:
        yield run[0], run[-1] + 1
