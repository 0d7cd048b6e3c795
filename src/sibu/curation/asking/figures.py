"""The numbers in a question, whole: ``70``, ``1,000``, ``-3.5``, ``seventy-five``, ``七十``, ``1.5万``.

A number that is read by half would be another number, so what is no number as a whole is none at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile

from sibu.curation.asking.wording import numbers
from sibu.curation.linking.spelling import Word

_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_PLACES = {"十": 10, "百": 100, "千": 1_000}
_MYRIADS = {"万": 10_000, "亿": 100_000_000}
_CHINESE = frozenset({*_DIGITS, *_PLACES, *_MYRIADS, "点"})
_MANY = {"thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_MINUS = frozenset("-−－")


@dataclass(frozen=True, slots=True)
class Figure:
    """Words that are a number."""

    first: int
    last: int
    """The place behind its last word."""
    number: int | float


def figures(text: str, words: Sequence[Word]) -> Iterator[Figure]:
    """The numbers of a text, from left to right.

    Args:
        text: The text.
        words: Its words.
    """
    place = 0
    while place < len(words):
        last = max(place + 1, _end(text, words, place))
        number = _read(text, words, place, last)
        if number is not None:
            yield Figure(place - _has_sign(text, words, place), last, number)
        place = last


def _end(text: str, words: Sequence[Word], first: int) -> int:
    """The place behind the last word that belongs to what begins as a number; ``first`` where nothing does."""
    if not _numeral(words[first].key):
        return first
    last = first + 1
    while last < len(words) and _goes_on(text[words[last - 1].end : words[last].start], words, last):
        last += 1
    return last - (words[last - 1].key == "and")


def _goes_on(gap: str, words: Sequence[Word], place: int) -> bool:
    key, before = words[place].key, words[place - 1].key
    if key.isdecimal():
        return gap in ("", ",", "，", ".", "．") and (before.isdecimal() or (gap == "" and before in _CHINESE))
    if key in _CHINESE:
        return gap == "" and (before.isdecimal() or before in _CHINESE)
    if key == "and":
        return before in ("hundred", *_MANY) and place + 1 < len(words) and words[place + 1].key in _english()
    return key in _english() and gap.strip() in ("", "-")


def _numeral(key: str) -> bool:
    return key.isdecimal() or (key in _CHINESE and key != "点") or key in _english()


def _english() -> dict[str, int]:
    return {word: number for word, number in numbers().items() if word.isascii()} | _MANY


def _read(text: str, words: Sequence[Word], first: int, last: int) -> int | float | None:
    """What a run of words is as a number; None: none."""
    keys = [word.key for word in words[first:last]]
    if not _numeral(keys[0]):
        return None
    if keys[0].isdecimal():
        return _signed(text, words[first].start, _of_digits(text, words[first:last]))
    if keys[0] in _english():
        return _of_english([key for key in keys if key != "and"])
    return _of_chinese("".join(keys))


def _signed(text: str, start: int, number: int | float | None) -> int | float | None:
    if number is None or start == 0 or text[start - 1] not in _MINUS:
        return number
    before = text[start - 2] if start > 1 else " "
    return None if before.isascii() and before.isalnum() else -number


def _has_sign(text: str, words: Sequence[Word], place: int) -> bool:
    """Whether the word before is the number's minus, as some of them are words of their own."""
    before = words[place - 1] if place else None
    return before is not None and before.end == words[place].start and text[before.start : before.end] in _MINUS


def _of_digits(text: str, words: Sequence[Word]) -> int | float | None:
    """Digits with commas and a point, and what they count: ``1,234.5``, ``5万``, ``2 million``."""
    own = list(takewhile(lambda word: word.key.isdecimal(), words))
    written = own[0].key
    for before, word in pairwise(own):
        gap = text[before.end : word.start]
        if "." in written or (gap in (",", "，") and (len(word.key) != 3 or len(own[0].key) > 3)):
            return None
        written += word.key if gap in (",", "，") else f".{word.key}"
    number: int | float = float(written) if "." in written else int(written)
    for word in words[len(own) :]:
        many = {**_PLACES, **_MYRIADS, **_MANY, "hundred": 100}.get(word.key)
        if many is None:
            return None
        number = number * many
    return int(number) if isinstance(number, float) and number.is_integer() and len(words) > len(own) else number


def _of_english(keys: Sequence[str]) -> int | None:
    total = current = 0
    for key in keys:
        value = _english().get(key)
        if value is None:
            return None
        if value >= 1_000:
            if total and total % (value * 1_000):
                return None
            total, current = total + (current or 1) * value, 0
        elif value == 100:
            if current > 9:
                return None
            current = (current or 1) * 100
        elif current % (10 if value < 10 else 100) or (value < 10 and current % 100 == 10):
            return None
        else:
            current += value
    return total + current


def _of_chinese(text: str) -> int | float | None:
    whole, point, part = text.partition("点")
    number = _whole_chinese(whole)
    if number is None or not point:
        return number
    if not part or any(sign not in _DIGITS for sign in part):
        return None
    return float(f"{number}.{''.join(str(_DIGITS[sign]) for sign in part)}")


def _whole_chinese(text: str) -> int | None:
    """``七十五``, ``一百零二``, ``三万``; digits in a row, such as ``二零``, where they cannot mean `two or three`."""
    if len(text) > 1 and all(sign in _DIGITS for sign in text):
        return int("".join(str(_DIGITS[sign]) for sign in text)) if len(text) > 2 or "零" in text else None
    for sign, many in sorted(_MYRIADS.items(), key=lambda pair: -pair[1]):
        head, found, rest = text.rpartition(sign)
        if found:
            high = _whole_chinese(head) if head else None
            low = _whole_chinese(rest.lstrip("零")) if rest else 0
            return None if high is None or low is None or low >= many else high * many + low
    total, digit, least = 0, None, 10_000
    for sign in text:
        if sign in _PLACES:
            if _PLACES[sign] >= least or (digit is None and (total or sign != "十")):
                return None
            least = _PLACES[sign]
            total, digit = total + (1 if digit is None else digit) * least, None
        elif sign in _DIGITS and digit in (None, 0):
            digit = _DIGITS[sign]
        else:
            return None
    return total + (digit or 0)
