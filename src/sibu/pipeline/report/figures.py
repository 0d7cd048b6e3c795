"""Values as the pages show them: numbers, durations, sizes, file names, languages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from math import isfinite
from pathlib import PurePath

from sibu.core.example import is_cjk

NOTHING = "–"
"""What stands where there is no value."""


def fixed(value: object, digits: int = 3) -> str:
    """A figure with so many decimals and a true minus sign; a dash for None, NaN and what is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return NOTHING
    text = f"{value:,.{digits}f}"
    negative = text.startswith("-") and any(digit in text for digit in "123456789")
    return "−" + text[1:] if negative else text.removeprefix("-")


def signed(value: object, digits: int = 3) -> str:
    """A difference: as ``fixed`` with its sign, also where it is positive."""
    text = fixed(value, digits)
    return text if text[0] in "−–" or not any(digit in text for digit in "123456789") else "+" + text


def count(value: object) -> str:
    """A whole number with commas."""
    return fixed(value, 0)


def percent(value: object, digits: int = 1) -> str:
    """A share as percent."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return NOTHING
    return fixed(value * 100, digits) + " %"


def plain(value: float) -> str:
    """A setting such as a learning rate, in as few characters as it takes: ``0.0003``, ``1e-05``, ``2,048``."""
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def several(number: int, one: str, many: str = "") -> str:
    """``1 row``, ``2 rows``."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def duration(value: object) -> str:
    """Seconds in the units that people say: ``8.2 s``, ``3 min 20 s``, ``2 h 05 min``."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return NOTHING
    if value < 59.95:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600:,} h {whole % 3600 // 60:02d} min"


def size(value: object) -> str:
    """Bytes in decimal units."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return NOTHING
    for unit, step in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= step:
            return f"{value / step:.1f} {unit}"
    return f"{value:.0f} bytes"


def large(value: object) -> str:
    """How many weights: ``22.7 M``."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return NOTHING
    for unit, step in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= step:
            return f"{value / step:.1f} {unit}"
    return count(value)


def short_names(files: Iterable[str]) -> dict[str, str]:
    """Each path to its last parts, as few as tell it from the others: the page names no home directory."""
    listed = list(dict.fromkeys(files))
    found = {}
    for file in listed:
        parts = PurePath(file).parts
        others = [PurePath(other).parts for other in listed if other != file]
        for kept in range(1, len(parts) + 1):
            tail = parts[-kept:]
            if all(other[-kept:] != tail for other in others):
                break
        found[file] = "/".join(parts[-kept:]) if parts else file
    return found


def clip(text: str, most: int) -> str:
    """At most so many characters, the cut marked."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


# words that English texts are full of and its neighbours hardly have
_ENGLISH = frozenset(
    (
        "the",
        "of",
        "and",
        "to",
        "is",
        "for",
        "my",
        "what",
        "how",
        "with",
        "you",
        "that",
        "this",
        "are",
        "was",
        "it",
        "not",
    )
)
_WORD = re.compile(r"[a-zA-ZÀ-ɏ]+")


def languages(texts: Sequence[str]) -> list[str]:
    """Codes of the languages that a sample of texts is surely in: ``zh`` by its script, ``en`` by its commonest words.

    Other languages are not told apart, and none is named for them.
    """
    chinese = [text for text in texts if is_chinese(text)]
    words = [word.lower() for text in texts if not is_chinese(text) for word in _WORD.findall(text)]
    found = []
    if len(words) >= 20 and sum(word in _ENGLISH for word in words) >= 0.12 * len(words):
        found.append("en")
    if len(chinese) >= 0.2 * len(texts) and chinese:
        found.append("zh")
    return found


def is_chinese(text: str) -> bool:
    """Whether most letters are Han characters and none is kana."""
    letters = [character for character in text if character.isalpha()]
    han = sum(is_cjk(character) for character in letters)
    kana = any(0x3040 <= ord(character) <= 0x30FF for character in letters)
    return not kana and han > 0 and han >= 0.3 * len(letters)
