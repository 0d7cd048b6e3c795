"""Rows whose words are changed one by one: spans stay where they were, and what they hold is never touched."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from sibu.core.example import Row
from sibu.core.units import units

Edit = Callable[[Sequence[str], Sequence[bool], Random], Mapping[int, str]]
"""Words, which of them may be changed, and draws, to what some of them become; an empty text takes a word away."""
TEXTS = {"text": "entities", "text_pair": "", "question": "", "context": "answers"}
"""The columns that are changed, each with the column of the spans in it."""


class ByWords:
    """Changes the words of a row's texts, or its tokens.

    Args:
        edit: Says what becomes of them.
    """

    def __init__(self, edit: Edit) -> None:
        self._edit = edit

    def learn(self, rows: Any) -> None:
        """Nothing is learned from the rows."""

    def __call__(self, row: Row, draw: Random) -> Row | None:
        """A changed copy of a row; None where nothing could be changed."""
        if row.get("tokens") is not None:
            return self._tokens(row, draw)
        changed: dict[str, Any] = dict(row)
        for column, spans in TEXTS.items():
            if isinstance(row.get(column), str):
                changed |= self._text(row, column, row.get(spans) or (), spans, draw)
        return changed if changed != dict(row) else None

    def _text(
        self, row: Row, column: str, spans: Sequence[Mapping[str, Any]], name: str, draw: Random
    ) -> dict[str, Any]:
        text: str = row[column]
        kept = [_place(span) for span in spans]
        places = units(text)
        free = [all(end <= low or start >= high for low, high in kept) for start, end in places]
        said = self._edit([text[start:end] for start, end in places], free, draw)
        edits = [(*places[number], word) for number, word in sorted(said.items()) if free[number]]
        if not edits:
            return {}
        new, moved = edited(text, edits, kept)
        found: dict[str, Any] = {column: new}
        if spans:
            found[name] = [
                dict(span) | {key: moved(span[key]) for key in ("start", "end") if (span.get(key) or -1) >= 0}
                for span in spans
            ]
        return found

    def _tokens(self, row: Row, draw: Random) -> Row | None:
        tokens, tags = list(row["tokens"]), row.get("tags")
        free = [tags is None or tags[number] == "O" for number in range(len(tokens))]
        said = {number: word for number, word in self._edit(tokens, free, draw).items() if free[number]}
        words = [said.get(number, token) for number, token in enumerate(tokens)]
        kept = [number for number, word in enumerate(words) if word.strip()]
        if not kept or words == tokens:
            return None
        changed = dict(row) | {"tokens": [words[number] for number in kept]}
        return changed if tags is None else changed | {"tags": [tags[number] for number in kept]}


def _place(span: Mapping[str, Any]) -> tuple[int, int]:
    """Where a span lies; an answer says its text instead of its end."""
    start = int(span.get("start") or 0)
    end = span.get("end")
    return start, int(end) if end is not None else start + len(span.get("text") or "")


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

    return "".join((*parts, text[behind:])), moved


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
