"""Patterns, found in texts."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from sibu.core.errors import DataError
from sibu.core.extraction import Seen, Spot, Surroundings, Text, Tie
from sibu.core.logic import Value
from sibu.core.names import XSD
from sibu.extractors._files import lines_of, refuse
from sibu.extractors.patterns.language import Pattern, PatternFault, Slot, pattern_of
from sibu.store.hashes import hash_json

FAR = 200
"""Most characters between two slots."""
_VALUES: Mapping[str, re.Pattern[str]] = {
    "integer": re.compile(r"(?<![\w.,])[-+]?\d+(?![.,]?\d)"),
    "decimal": re.compile(r"(?<![\w.,])[-+]?\d+(?:\.\d+)?(?![.,]?\d)"),
    "date": re.compile(r"(?<!\d)(\d{4})(?:-|/|年)(\d{1,2})(?:-|/|月)(\d{1,2})日?(?!\d)"),
    "text": re.compile(r'"([^"\n]+)"|“([^”\n]+)”|「([^」\n]+)」'),
}


def values(text: str, kind: str) -> Iterator[Spot]:
    """The values of a kind in a text."""
    for found in _VALUES[kind].finditer(text):
        if kind == "date":
            try:
                said = Value(date(*map(int, found.groups())).isoformat(), XSD + "date")
            except ValueError:
                continue
        elif kind == "text":
            said = Value(next(each for each in found.groups() if each))
        else:
            said = Value(found[0].lstrip("+"), XSD + kind)
        yield Spot(found.start(), found.end(), value=said)


class Patterns:
    """Finds patterns.

    Args:
        patterns: The patterns.
        surroundings: Tells what is of which class.
        version: Of these patterns.
        score: Of a pattern that does not tell its own.
    """

    def __init__(self, patterns: Sequence[Pattern], surroundings: Surroundings, version: str, *, score: float) -> None:
        self.version = version
        self.follows = False
        self._patterns, self._surroundings, self._score = patterns, surroundings, score

    def extract(self, texts: Sequence[Text], so_far: Sequence[Seen]) -> list[Seen]:
        """What the patterns say of each text."""
        return [self._of(text.text, seen.spots) for text, seen in zip(texts, so_far, strict=True)]

    def _of(self, text: str, known: Sequence[Spot]) -> Seen:
        spots: dict[Spot, None] = {}
        ties: dict[tuple[Spot, Spot, str], Tie] = {}
        given = _Places(text, known)
        for pattern in self._patterns:
            score = self._score if pattern.score is None else pattern.score
            for bound, start, end in self._matches(pattern, text, given):
                ends = [bound[name] for name in pattern.terms]
                if len(ends) == 1:
                    spots[Spot(ends[0].start, ends[0].end, pattern.relation, score=score)] = None
                elif ends[0] != ends[1]:
                    key = ends[0], ends[1], pattern.relation
                    if key not in ties or ties[key].score < score:
                        ties[key] = Tie(*key, start, end, score)
                spots.update(dict.fromkeys(each for each in ends if each.label and each not in given.known))
        return Seen(tuple(spots), tuple(ties.values()))

    def _matches(self, pattern: Pattern, text: str, given: _Places) -> Iterator[tuple[dict[str, Spot], int, int]]:
        """What each slot is, with the passage that says so."""
        if pattern.regex is not None:
            yield from self._expressed(pattern, text, given)
            return
        own = {each.name: self._fitting(each, given) for each in pattern.slots}
        first = pattern.slots[0]
        for spot in own[first.name]:
            before = pattern.gaps[0].search(text, max(spot.start - FAR, 0), spot.start)
            if before is None:
                continue
            for bound in self._rest(pattern, text, own, {first.name: spot}, 1):
                last = bound[pattern.slots[-1].name]
                behind = pattern.gaps[-1].match(text, last.end)
                if behind is not None:
                    start = before.start() if before[0] else spot.start
                    yield bound, start, behind.end()

    def _rest(
        self, pattern: Pattern, text: str, own: Mapping[str, list[Spot]], bound: dict[str, Spot], number: int
    ) -> Iterator[dict[str, Spot]]:
        if number == len(pattern.slots):
            yield bound
            return
        end = bound[pattern.slots[number - 1].name].end
        name, gap = pattern.slots[number].name, pattern.gaps[number]
        listed = own[name]
        for spot in listed[bisect_left(listed, end, key=lambda each: each.start) :]:
            if spot.start > end + FAR:
                return
            if gap.fullmatch(text, end, spot.start):
                yield from self._rest(pattern, text, own, bound | {name: spot}, number + 1)

    def _fitting(self, slot: Slot, given: _Places) -> list[Spot]:
        if slot.is_value:
            return given.values(slot.label)
        found: dict[tuple[int, int], Spot] = {}
        for each in given.things:  # one that says what it is comes before others at its place
            if not slot.label or self._surroundings.fits(each, slot.label):
                found.setdefault((each.start, each.end), each)
        return list(found.values())

    def _expressed(self, pattern: Pattern, text: str, given: _Places) -> Iterator[tuple[dict[str, Spot], int, int]]:
        assert pattern.regex is not None
        for found in pattern.regex.finditer(text):
            bound = {}
            for slot in pattern.slots:
                start, end = found.span(slot.name)
                spot = given.at(start, end, slot) if start < end else None
                if spot is not None:
                    bound[slot.name] = spot
            if all(name in bound for name in pattern.terms):
                yield bound, found.start(), found.end()


class _Places:
    """The passages of a text, by where they are."""

    def __init__(self, text: str, known: Sequence[Spot]) -> None:
        self._text = text
        self.known = frozenset(known)
        best: dict[tuple[int, int, str], Spot] = {}
        for each in sorted(known, key=lambda spot: -spot.score):
            best.setdefault((each.start, each.end, each.label), each)
        self.things = sorted(
            (each for each in best.values() if each.value is None),
            key=lambda each: (each.start, -each.end, not each.label, -each.score),
        )
        self._values: dict[str, list[Spot]] = {}

    def values(self, kind: str) -> list[Spot]:
        """The values of a kind, in order."""
        if kind not in self._values:
            self._values[kind] = list(values(self._text, kind))
        return self._values[kind]

    def at(self, start: int, end: int, slot: Slot) -> Spot | None:
        """The passage of a group: the one that is known there, or a new one; of a value its value, if it is one."""
        if slot.is_value:
            if slot.label == "text":
                return Spot(start, end, value=Value(self._text[start:end]))
            found = next(values(self._text[start:end], slot.label), None)
            return None if found is None else Spot(start, end, value=found.value)
        here = [each for each in self.things if (each.start, each.end) == (start, end)]
        return here[0] if here and not slot.label else Spot(start, end, slot.label)


def from_file(file: Path, surroundings: Surroundings, *, score: float) -> Patterns:
    """The patterns of a file.

    Raises:
        DataError: When it cannot be read, with every line at fault.
    """
    found, faults = [], []
    lines = lines_of(file)
    for number, line in lines:
        try:
            found.append(pattern_of(line, number))
        except PatternFault as fault:
            faults.append(f"{file}:{number} {fault}.")
    refuse(faults)
    if not found:
        raise DataError(
            f'{file} has no pattern. Write one a line: "{{drug:Drug}} treats {{what}}" -> treats(drug, what)'
        )
    return Patterns(found, surroundings, hash_json(lines)[:16], score=score)
