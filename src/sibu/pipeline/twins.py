"""Rows that are equal or nearly equal, within a split and across splits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

import numpy as np

from sibu.core.example import is_cjk

SHORTEST = 20
"""Characters from which a text is compared for near equality; shorter ones are alike too easily."""
NEAR = 0.8
"""Jaccard similarity of character n-grams from which two texts count as nearly equal."""
_BANDS, _BAND = 16, 4
_SPACE = re.compile(r"\s+")
_DRAW = np.random.default_rng(20220101)
_FACTORS = _DRAW.integers(1, 2**32, (_BANDS * _BAND, 1), dtype=np.uint64) * np.uint64(2) + np.uint64(1)
_SHIFTS = _DRAW.integers(0, 2**63, (_BANDS * _BAND, 1), dtype=np.uint64)


def normal(text: str) -> str:
    """A text without case and with single blanks: what counts as the same."""
    return _SPACE.sub(" ", text).strip().casefold()


def fingerprint(text: str) -> int:
    """63 bits of a text's normal form."""
    return int.from_bytes(blake2b(normal(text).encode(), digest_size=8).digest(), "big") >> 1


@dataclass(slots=True)
class Keys:
    """Fingerprints of a split's rows, 20 bytes a row."""

    inputs: list[np.ndarray] = field(default_factory=list)
    targets: list[np.ndarray] = field(default_factory=list)
    lines: list[np.ndarray] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    def add(self, rows: list[tuple[str, int, int, int]]) -> None:
        """Rows as (file, line, fingerprint of the input, fingerprint of the target); one file a call."""
        self.inputs.append(np.array([row[2] for row in rows], dtype=np.int64))
        self.targets.append(np.array([row[3] for row in rows], dtype=np.int64))
        self.lines.append(np.array([row[1] for row in rows], dtype=np.int32))
        self.files.append(rows[0][0])

    def save(self, file: Path) -> None:
        """Write them to an ``.npz`` file."""
        sizes = np.array([len(part) for part in self.lines], dtype=np.int64)
        inputs, targets, lines = self.joined()
        names = np.frombuffer(json.dumps(self.files).encode(), dtype=np.uint8)
        np.savez(file, inputs=inputs, targets=targets, lines=lines, sizes=sizes, files=names)

    @classmethod
    def load(cls, file: Path) -> Keys:
        """What ``save`` wrote."""
        with np.load(file, allow_pickle=False) as stored:
            cuts = np.cumsum(stored["sizes"])[:-1]
            inputs, targets, lines = (list(np.split(stored[name], cuts)) for name in ("inputs", "targets", "lines"))
            return cls(inputs, targets, lines, json.loads(stored["files"].tobytes()))

    def joined(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Inputs, targets and lines of all rows."""
        parts = (self.inputs, self.targets, self.lines)
        types = (np.int64, np.int64, np.int32)
        empty = [np.zeros(0, dtype) for dtype in types]
        return tuple(np.concatenate(p) if p else e for p, e in zip(parts, empty, strict=True))  # type: ignore[return-value]

    def place(self, row: int) -> tuple[str, int]:
        """File and line of a row by its number."""
        for number, part in enumerate(self.lines):
            if row < len(part):
                return self.files[number], int(part[row])
            row -= len(part)
        raise IndexError(row)

    def twins(self) -> Iterator[tuple[int, int, bool]]:
        """Each row equal to an earlier one: its number, the earlier one's, whether their targets differ."""
        inputs, targets, _ = self.joined()
        order = np.argsort(inputs, kind="stable")
        ordered = inputs[order]
        begins = np.concatenate([[True], ordered[1:] != ordered[:-1]]) if len(ordered) else np.zeros(0, bool)
        first = order[np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))]
        repeats = np.flatnonzero(~begins)
        for place in repeats[np.argsort(order[repeats])]:
            later, earlier = int(order[place]), int(first[place])
            yield later, earlier, bool(targets[later] != targets[earlier])

    def shared(self, other: Keys) -> Iterator[tuple[int, int]]:
        """Each row whose input is in ``other`` too: its number and the other's first."""
        own, theirs = self.joined()[0], other.joined()[0]
        order = np.argsort(theirs, kind="stable")
        places = np.searchsorted(theirs[order], own)
        found = (
            (places < len(theirs)) & (theirs[order[np.minimum(places, len(theirs) - 1)]] == own) if len(theirs) else []
        )
        for row in np.flatnonzero(found):
            yield int(row), int(order[places[row]])


def grams(text: str) -> np.ndarray | None:
    """Hashes of a text's character n-grams (3 where most are Chinese, else 5), distinct; None for short texts."""
    text = normal(text)
    if len(text) < SHORTEST:
        return None
    width = 3 if sum(map(is_cjk, text[:64])) * 2 > len(text[:64]) else 5
    codes = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    mixed = np.zeros(len(codes) - width + 1, dtype=np.uint64)
    for step in range(width):
        mixed = mixed * np.uint64(0x100000001B3) + codes[step : len(codes) - width + 1 + step]
    return np.unique(mixed)


def _bands(hashed: np.ndarray) -> list[bytes]:
    """The keys under which nearly equal sets of n-grams meet (MinHash; Broder, 1997)."""
    least = (hashed[None, :] * _FACTORS + _SHIFTS).min(1).reshape(_BANDS, _BAND)
    return [bytes([band]) + values.tobytes() for band, values in enumerate(least)]


class NearIndex:
    """Finds texts nearly equal to known ones."""

    def __init__(self) -> None:
        self._grams: list[np.ndarray] = []
        self._rows: list[int] = []
        self._bands: dict[bytes, list[int]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: int, text: str) -> None:
        """Make a text known under its row's number."""
        hashed = grams(text)
        if hashed is None:
            return
        for band in _bands(hashed):
            self._bands.setdefault(band, []).append(len(self._rows))
        self._grams.append(hashed)
        self._rows.append(row)

    def near(self, text: str) -> list[int]:
        """The rows whose texts are nearly equal to this one (or equal)."""
        hashed = grams(text)
        if hashed is None:
            return []
        met = {place for band in _bands(hashed) for place in self._bands.get(band, ())}
        return [self._rows[place] for place in sorted(met) if _jaccard(hashed, self._grams[place]) >= NEAR]


def _jaccard(one: np.ndarray, two: np.ndarray) -> float:
    both = len(np.intersect1d(one, two, assume_unique=True))
    return both / (len(one) + len(two) - both)
