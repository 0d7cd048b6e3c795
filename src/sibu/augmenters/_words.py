"""Rows whose words are changed one by one: spans stay where they were, and what they hold is never touched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any
from unicodedata import category

from sibu.core.example import Row, join_tokens, nearest
from sibu.core.units import Place, units

Edit = Callable[[Sequence[str], Sequence[bool], Random], Mapping[int, str]]
"""Words, which of them may be changed, and draws, to what some of them become; an empty text takes a word away."""
Cut = Callable[[str], Sequence[Place]]
"""A text to the places of its words."""
TEXTS = {"text": "entities", "text_pair": "", "question": "", "context": "answers"}
"""The columns that are changed, each with the column of the spans in it."""
SHORTEST = 3
"""Letters below which an English word is left alone: `a` is a unit of length to WordNet."""
FUNCTION = frozenset(
    """
    all and any are but can could did does for from had has have her his how its may might more most must not one our
    out over she should some than that the their them then there these they this those thus was were what when where
    which who why will with would you your ain aren couldn didn doesn don hadn hasn haven isn shouldn wasn weren won
    wouldn
    的 地 得 了 着 过 吗 呢 吧 啊 不 没 无 未 非 别 是 有 在 我 你 您 他 她 它 们 这 那
    哪 谁 和 与 或 但 而 也 都 就 才 又 还 很 最 把 被 给 对 从 到 为 因 所 以 如 果 会
    能 可 要 没有 不是 不要 不能 不会 我们 你们 他们 这个 那个 什么 怎么 为什么 但是 因为 所以 如果 可以 已经 还是 或者
    """.split()  # noqa: SIM905
)
"""Words that are there for the grammar, among them those that turn a sentence: English and Chinese."""


@dataclass(frozen=True, slots=True)
class Part:
    """A text of a row, or its tokens, as words."""

    column: str
    text: str
    """Tokens are joined to one."""
    places: Sequence[Place]
    """Where each word stands."""
    words: Sequence[str]
    free: Sequence[bool]
    """Which words may be changed: those that no span or tag marks."""
    kept: Sequence[Place] = ()
    """Where spans lie."""


def parts_of(row: Row, cut: Cut = units) -> list[Part]:
    """What of a row can be changed word by word; tokens are words as they are."""
    if row.get("tokens") is not None:
        tokens, tags = list(row["tokens"]), row.get("tags")
        free = [tags is None or tags[number] == "O" for number in range(len(tokens))]
        return [Part("tokens", *join_tokens(tokens), tokens, free)]
    found = []
    for column, spans in TEXTS.items():
        text = row.get(column)
        if isinstance(text, str):
            kept = [_place(text, span) for span in row.get(spans) or ()]
            places = cut(text)
            free = [all(end <= low or start >= high for low, high in kept) for start, end in places]
            found.append(Part(column, text, places, [text[start:end] for start, end in places], free, kept))
    return found


def rewritten(row: Row, parts: Sequence[Part], said: Sequence[Mapping[int, str]]) -> Row | None:
    """A copy of a row with other words; None where it is the same.

    Args:
        row: The row.
        parts: What can be changed of it.
        said: For each part what some of its words become.
    """
    changed: dict[str, Any] = dict(row)
    for part, words in zip(parts, said, strict=True):
        own = {number: word for number, word in sorted(words.items()) if part.free[number]}
        changed |= _tokens(row, own) if part.column == "tokens" else _text(row, part, own)
    return changed if changed != dict(row) else None


def _text(row: Row, part: Part, said: Mapping[int, str]) -> dict[str, Any]:
    if not said:
        return {}
    new, moved = edited(part.text, [(*part.places[number], word) for number, word in said.items()], part.kept)
    name = TEXTS[part.column]
    spans = row.get(name) or ()
    if not spans:
        return {part.column: new}
    return {part.column: new, name: [dict(span) | _moved(part.text, span, moved) for span in spans]}


def _moved(text: str, span: Mapping[str, Any], moved: Callable[[int], int]) -> dict[str, int]:
    """Where a span lies in the changed text; of an answer that its text does not hold, nothing."""
    if span.get("end") is not None:
        return {key: moved(span[key]) for key in ("start", "end") if (span.get(key) or -1) >= 0}
    first, last = _place(text, span)
    return {"start": moved(first)} if last > first else {}


def _tokens(row: Row, said: Mapping[int, str]) -> dict[str, Any]:
    words, tags = [said.get(number, token) for number, token in enumerate(row["tokens"])], row.get("tags")
    kept = [number for number, word in enumerate(words) if word.strip()]
    if not kept or words == list(row["tokens"]):
        return {}
    found = {"tokens": [words[number] for number in kept]}
    return found if tags is None else found | {"tags": [tags[number] for number in kept]}


class ByWords:
    """Changes the words of a row's texts, or its tokens.

    Args:
        edit: Says what becomes of them.
        cut: Finds the words of a text.
    """

    def __init__(self, edit: Edit, cut: Cut = units) -> None:
        self._edit = edit
        self._cut = cut

    def learn(self, rows: Iterable[Row]) -> None:
        """Nothing is learned from the rows."""

    def __call__(self, row: Row, draw: Random) -> Row | None:
        """A changed copy of a row; None where nothing could be changed."""
        parts = parts_of(row, self._cut)
        return rewritten(row, parts, [self._edit(part.words, part.free, draw) for part in parts])


def content(word: str) -> bool:
    """Whether a word stands for something: letters, no numeral, and not there for the grammar."""
    if not all(each.isalpha() or category(each).startswith("M") for each in word) or any(map(str.isnumeric, word)):
        return False
    short = word.isascii() and len(word) < SHORTEST
    return bool(word) and not short and word.casefold() not in FUNCTION


def marked_words(rows: Iterable[Row]) -> set[str]:
    """The words, case-folded, that spans or tags of any row mark: put where nothing is marked, they would be wrong."""
    found: set[str] = set()
    for row in rows:
        for part in parts_of(row):
            found |= {word.casefold() for word, free in zip(part.words, part.free, strict=True) if not free}
    return found


def like(word: str, other: str) -> str:
    """A word with the capitals of another."""
    if other.isupper() and len(other) > 1:
        return word.upper()
    return word[:1].upper() + word[1:] if other[:1].isupper() else word


def _place(text: str, span: Mapping[str, Any]) -> tuple[int, int]:
    """Where a span lies; an answer says its text instead of its end, and is learned where that stands, if anywhere."""
    start, end, said = int(span.get("start") or 0), span.get("end"), span.get("text") or ""
    if end is not None:
        return start, int(end)
    place = nearest(text, said, start) if said else None
    return (0, 0) if place is None else (place, place + len(said))


def edited(
    text: str, edits: Sequence[tuple[int, int, str]], kept: Sequence[tuple[int, int]] = ()
) -> tuple[str, Callable[[int], int]]:
    """A text with some stretches replaced, and where each of its characters went.

    Args:
        text: The text.
        edits: First character, last (exclusive), what comes in its place; in order, none over another. Where nothing
            does, the space behind (or before) goes too.
        kept: Stretches that no space is taken from.
    """
    parts, behind, moves = [], 0, []
    shift = 0
    for start, end, word in edits:
        first, last = start, end
        if not word:
            if last < len(text) and text[last] == " " and _free(last, kept):
                last += 1
            elif first > behind and text[first - 1] == " " and _free(first - 1, kept):
                first -= 1
        parts += [text[behind:first], word]
        shift += len(word) - (last - first)
        moves.append((last, shift))
        behind = last

    def moved(place: int) -> int:
        return place + next((by for end, by in reversed(moves) if end <= place), 0)

    new = "".join((*parts, text[behind:]))
    if not text.endswith(" "):  # several words went from the end, each with one blank of those around it
        new = new[: max(len(new.rstrip(" ")), *(moved(high) for _, high in kept), 0)]
    return new, moved


def _free(place: int, kept: Sequence[tuple[int, int]]) -> bool:
    return all(not low <= place < high for low, high in kept)


def spelled(words: Sequence[str], free: Sequence[bool], least: int) -> list[int]:
    """The words that may be changed and are of Latin letters, at least so many."""
    return [
        n for n, own in enumerate(free) if own and len(words[n]) >= least and words[n].isascii() and words[n].isalpha()
    ]


def some(count: int, share: float, among: Sequence[int], draw: Random) -> list[int]:
    """A share of ``count`` things, at least one, drawn from those that may be taken; in order."""
    wanted = max(1, round(share * count))
    return sorted(draw.sample(list(among), min(wanted, len(among))))
