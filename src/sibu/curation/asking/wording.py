"""What the words of questions do, whatever they are about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache

from sibu.core.example import is_cjk
from sibu.curation.linking.spelling import words

Phrase = tuple[str, ...]
"""Keys of words (``spelling.words``); of scripts without blanks, characters."""


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of one language; each may be a phrase."""

    language: str
    which: tuple[str, ...]
    """Ask for things."""
    count: tuple[str, ...]
    """Ask how many."""
    opening: tuple[str, ...]
    """Ask whether, at the beginning of a question that has no word of the two above."""
    whether: tuple[str, ...]
    """Ask whether, wherever they stand."""
    negative: tuple[str, ...]
    joining: tuple[str, ...]
    """And."""
    choosing: tuple[str, ...]
    """Or."""
    whole: tuple[str, ...]
    """Say that it is so of everything, where they do not stand beside what is asked for."""
    sole: tuple[str, ...]
    """Say that it is so of nothing else."""
    passive: tuple[str, ...]
    """Stand before the one who does it."""
    having: tuple[str, ...]
    """Say that two things have to do with each other, and not how."""
    owning: tuple[str, ...]
    """Stand between a relation and whose it is."""
    compare: Mapping[str, tuple[str, str]]
    """Comparisons with a number: the sign, and words of the relation that is meant (empty: not told)."""
    extreme: Mapping[str, tuple[str, str]]
    """``max`` or ``min``, and words of the relation that is meant."""
    implied: Mapping[str, tuple[str, ...]]
    """Question words that mean a relation: words one of which its name has."""
    alike: tuple[tuple[str, ...], ...]
    """Words that say the same of a relation or a class."""
    idle: tuple[str, ...]
    """Words that say nothing that a plan could leave out."""
    numbers: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mark:
    """What a phrase does in a question."""

    kind: str
    """``which count opening whether negative joining choosing whole sole passive owning having compare extreme
    implied idle``."""
    sign: str = ""
    meant: tuple[str, ...] = ()
    """Words of the relation that is meant."""


@cache
def wordings() -> tuple[Wording, ...]:
    """All languages; a question may mix them."""
    from sibu.curation.asking import chinese, english

    return (english.WORDING, chinese.WORDING)


@cache
def marks() -> dict[Phrase, Mark]:
    """What each phrase does; where two languages or kinds have one, the first has it."""
    found: dict[Phrase, Mark] = {}
    for phrase, mark in _marks():
        key = phrase_of(phrase)
        if key:
            found.setdefault(key, mark)
    return found


def _marks() -> Iterator[tuple[str, Mark]]:
    plain = (
        "which",
        "count",
        "opening",
        "whether",
        "negative",
        "joining",
        "choosing",
        "whole",
        "sole",
        "passive",
        "owning",
        "having",
    )
    for each in wordings():
        for phrase, (sign, meant) in each.compare.items():
            yield phrase, Mark("compare", sign, (meant,) if meant else ())
        for phrase, (sign, meant) in each.extreme.items():
            yield phrase, Mark("extreme", sign, (meant,) if meant else ())
        for phrase, relations in each.implied.items():
            yield phrase, Mark("implied", "", relations)
        for kind in plain:
            for phrase in getattr(each, kind):
                yield phrase, Mark(kind)
    for each in wordings():
        for phrase in each.idle:
            yield phrase, Mark("idle")


@cache
def longest_mark() -> int:
    """Words of the longest phrase."""
    return max(map(len, marks()))


@cache
def numbers() -> dict[str, int]:
    """Numbers that are written in letters."""
    return {"".join(phrase_of(word)): number for each in wordings() for word, number in each.numbers.items()}


@cache
def groups() -> dict[Phrase, frozenset[Phrase]]:
    """What says the same as a phrase, by stems."""
    found: dict[Phrase, frozenset[Phrase]] = {}
    for each in wordings():
        for group in each.alike:
            own = frozenset(stems(phrase) for phrase in group)
            for phrase in own:
                found[phrase] = found.get(phrase, frozenset()) | own
    return found


@lru_cache(1 << 12)
def phrase_of(text: str) -> Phrase:
    """The keys of a text's words."""
    return tuple(word.key for word in words(text))


@lru_cache(1 << 12)
def stems(text: str) -> Phrase:
    """The stems of a text's words."""
    return tuple(stem(key) for key in phrase_of(text))


@lru_cache(1 << 14)
def stem(key: str) -> str:
    """A word without its ending: of English, the endings of verbs and of nouns made of them."""
    from sibu.curation.asking.english import IRREGULAR, stemmed

    if not key.isascii() or len(key) < 3 or not key.isalpha():
        return key
    return stemmed(IRREGULAR.get(key, key))


def idle(key: str) -> bool:
    """Whether a word says nothing by itself."""
    mark = marks().get((key,))
    return mark is not None and mark.kind in ("idle", "owning", "passive", "opening", "joining", "having")


def is_chinese(text: str) -> bool:
    """Whether a text has characters of Chinese or Japanese."""
    return any(map(is_cjk, text))
