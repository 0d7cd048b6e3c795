"""When two names are one, whatever the case, width, accents, punctuation and plural; and how near they are otherwise.

How near: the restricted edit distance (two letters that changed places are one edit) by bit-parallel steps. Source:
Hyyrö, A bit-vector algorithm for computing Levenshtein and Damerau edit distances, 2003.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from sibu.core.example import is_cjk
from sibu.core.units import units
from sibu.graph.labels import normal

_MARKED = re.compile("[\u0300-\u036f]")
_PLURAL = re.compile(
    r"(?:(?<=[bcdfghjklmnpqrtvwxz])ies|(?<=ss|zz)es|(?<=x)es|(?<=[b-df-hj-np-tv-z]us)es|(?<=[cs]h)es|(?<=[^suiy\W\d])s|(?<=[aeo]y)s)\Z"
)
_PLURALS = {
    "fungi": "fungus", "nuclei": "nucleus", "stimuli": "stimulus", "bacteria": "bacterium", "algae": "alga",
    "children": "child", "people": "person", "women": "woman", "mice": "mouse", "feet": "foot", "teeth": "tooth",
    "analyses": "analysis", "diagnoses": "diagnosis", "crises": "crisis", "criteria": "criterion",
}  # fmt: skip
_HAN, _LATIN, _PARTS = re.compile("[\u4e00-\u9fff]+"), re.compile("[A-Za-z0-9 _-]+"), re.compile("[A-Za-z]+|[0-9]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text, or one character of a script without blanks, or a symbol."""

    key: str
    """By which it is compared: no case, no width, no accents of Latin, Greek and Cyrillic letters, no plural."""
    start: int
    end: int


def words(text: str) -> list[Word]:
    """The words of a text that count in a name: no punctuation."""
    found = []
    for start, end in units(text):
        key = word_key(text[start:end])
        if key:
            found.append(Word(key, start, end))
    return found


@lru_cache(1 << 16)
def word_key(word: str) -> str:
    """By what a word is compared; empty where it is punctuation."""
    plain = normal(word)
    if len(plain) == 1 and unicodedata.category(plain)[0] not in "LNS":
        return ""
    if not plain.isascii() and not is_cjk(plain[0]):
        plain = unicodedata.normalize("NFC", _MARKED.sub("", unicodedata.normalize("NFD", plain)))
    return singular(plain) if len(plain) > 3 and plain.isascii() else plain


def singular(word: str) -> str:
    """An English word without the ending of the plural, where it looks like one."""
    if word in _PLURALS:
        return _PLURALS[word]
    found = _PLURAL.search(word)
    if found is None:
        return word
    if found[0] == "ies":
        return word[:-1] if len(word) == 4 else f"{word[:-3]}y"  # lies, allergies
    return word[: found.start()]


def name_key(text: str) -> str:
    """By what a name is compared; empty where it is punctuation alone."""
    if _HAN.fullmatch(text):  # the quick way for most names
        return " ".join(text)
    if _LATIN.fullmatch(text):
        return " ".join(map(word_key, _PARTS.findall(text)))
    return " ".join([word.key for word in words(text)])


def spaced(name: str) -> str:
    """What the end of an IRI says: ``hasSymptom`` is ``has Symptom``."""
    return _CAMEL.sub(" ", name)


def likeness(one: str, other: str) -> float:
    """How near two keys are, from 0 to 1: 1 less the edits between them by the length of the longer.

    Whatever their order of words, then a little less.
    """
    if one == other:
        return 1.0
    longest = max(len(one), len(other))
    found = 1 - edits(one, other) / longest
    if " " in one or " " in other:
        turned = [" ".join(sorted(each.split())) for each in (one, other)]
        found = max(found, 0.95 * (1 - edits(*turned) / longest))
    return max(found, 0.0)


def edits(one: str, other: str) -> int:
    """The least number of letters put in, left out, changed, or swapped with the next, each place edited once."""
    if not one or not other:
        return len(one) + len(other)
    places: dict[str, int] = {}
    for place, letter in enumerate(one):
        places[letter] = places.get(letter, 0) | 1 << place
    whole, last = (1 << len(one)) - 1, 1 << (len(one) - 1)
    up, down, diagonal, before, distance = whole, 0, 0, 0, len(one)
    for letter in other:
        here = places.get(letter, 0)
        swapped = (((~diagonal & whole) & here) << 1) & before
        diagonal = ((((here & up) + up) ^ up) | here | down | swapped) & whole
        right = (down | ~(diagonal | up)) & whole
        left = diagonal & up
        distance += bool(right & last) - bool(left & last)
        right = (right << 1 | 1) & whole
        left = left << 1 & whole
        up = (left | ~(diagonal | right)) & whole
        down = right & diagonal
        before = here
    return distance
