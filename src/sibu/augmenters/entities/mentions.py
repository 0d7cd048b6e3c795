"""The mentions of training rows, and putting one in the place of another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from random import Random
from typing import Any

from sibu.augmenters._words import edited, some
from sibu.core.example import Row

Mention = tuple[tuple[str, ...], tuple[str, ...]]
"""Words of an entity and their tags; of a text its characters and nothing."""


class Mentions:
    """Puts other mentions of the same label where mentions are.

    Args:
        share: Of a row's entities; at least one.
    """

    def __init__(self, share: float) -> None:
        self._share = share
        self._known: dict[str, list[Mention]] = {}

    def learn(self, rows: Iterable[Row]) -> None:
        """Note every mention once."""
        seen: dict[str, dict[Mention, None]] = {}
        for row in rows:
            for label, mention in _mentions(row):
                seen.setdefault(label, {})[mention] = None
        self._known = {label: list(own) for label, own in seen.items()}

    def __call__(self, row: Row, draw: Random) -> Row | None:
        """A copy about other entities; None where the row has none, or no label has another."""
        return self._tokens(row, draw) if row.get("tokens") is not None else self._text(row, draw)

    def _other(self, label: str, own: tuple[str, ...], draw: Random) -> Mention | None:
        others = [mention for mention in self._known.get(label, ()) if mention[0] != own]
        return draw.choice(others) if others else None

    def _text(self, row: Row, draw: Random) -> Row | None:
        spans, text = row.get("entities") or [], row.get("text")
        if not spans or text is None or _overlap(spans):
            return None
        chosen = some(len(spans), self._share, range(len(spans)), draw)
        news = {n: self._other(spans[n]["label"], (text[spans[n]["start"] : spans[n]["end"]],), draw) for n in chosen}
        order = sorted(range(len(spans)), key=lambda n: spans[n]["start"])
        edits = [(spans[n]["start"], spans[n]["end"], new[0][0]) for n in order if (new := news.get(n)) is not None]
        if not edits:
            return None
        changed, moved = edited(text, edits)
        found = [dict(span) | {"start": _start(span, edits, moved), "end": moved(span["end"])} for span in spans]
        found = [span | {"text": changed[span["start"] : span["end"]]} if "text" in span else span for span in found]
        return dict(row) | {"text": changed, "entities": found}

    def _tokens(self, row: Row, draw: Random) -> Row | None:
        tokens, tags = list(row["tokens"]), list(row.get("tags") or ())
        places = list(_chunks(tags))
        if not places:
            return None
        changed = False
        for number in reversed(some(len(places), self._share, range(len(places)), draw)):
            label, start, end = places[number]
            new = self._other(label, tuple(tokens[start:end]), draw)
            if new is not None:
                tokens[start:end], tags[start:end] = new
                changed = True
        return dict(row) | {"tokens": tokens, "tags": tags} if changed else None


def _start(span: Any, edits: Sequence[tuple[int, int, str]], moved: Any) -> int:
    """Where a span begins after the edits before it: its own moves its end alone."""
    own = next(((start, end, word) for start, end, word in edits if start == span["start"]), None)
    return int(moved(span["start"])) if own is None else int(moved(span["end"])) - len(own[2])


def _overlap(spans: Sequence[Any]) -> bool:
    order = sorted((span["start"], span["end"]) for span in spans)
    return any(one[1] > other[0] for one, other in pairwise(order))


def _mentions(row: Row) -> Iterator[tuple[str, Mention]]:
    if row.get("tokens") is not None:
        tags = row.get("tags") or ()
        for label, start, end in _chunks(tags):
            yield label, (tuple(row["tokens"][start:end]), tuple(tags[start:end]))
        return
    for span in row.get("entities") or ():
        said = row["text"][span["start"] : span["end"]]
        if said.strip():
            yield span["label"], ((said,), ())


def _chunks(tags: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """Label, first and last token (exclusive) of each entity of BIO, BIOES or IO tags."""
    start = None
    for place, tag in enumerate([*tags, "O"]):
        kind, _, label = tag.partition("-")
        if start is not None and (kind in ("O", "B", "S") or label != tags[start].partition("-")[2]):
            yield tags[start].partition("-")[2], start, place
            start = None
        if kind != "O" and start is None:
            start = place
        if start is not None and kind in ("E", "S"):
            yield label, start, place + 1
            start = None
