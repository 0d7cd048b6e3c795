"""Sorted runs of keys: an index to which rows are added in rounds, large and small.

A relation's rows come in rounds, and one that has been derived a few thousand rows at a time must not be sorted anew
each time. So what a round brings is sorted by itself and stays a run of its own until runs before it are of like size;
then they are merged, as in a log-structured merge tree (O'Neil et al., 1996).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int32]
Places = npt.NDArray[np.intp]
LOW = 2**32 - 1
"""The lower half of a key of two columns."""
_ALIKE = 6
"""Runs are merged where one is less than this many times as long as all behind it."""
_SORT = 4096
"""From so many on what is looked for is sorted first: then the memory is read in order."""


def pack(high: npt.NDArray[np.int32], low: npt.NDArray[np.int32]) -> Keys:
    """One key of two columns; it sorts as the pair does."""
    keys = high.astype(np.int64)
    keys <<= 32
    keys |= low
    return keys


class Run:
    """Keys in order, each with its row.

    Args:
        keys: In ascending order, none negative.
        rows: The row of each; None: no row is asked for.
        first: The first row that it covers.
        end: The row behind the last.
    """

    __slots__ = ("_asked", "_starts", "end", "first", "keys", "rows")

    def __init__(self, keys: Keys, rows: Rows | None, first: int, end: int) -> None:
        self.keys, self.rows, self.first, self.end = keys, rows, first, end
        self._asked = 0
        self._starts: npt.NDArray[np.int32] | None = None

    def exact(self, keys: Keys, unique: bool) -> tuple[Places, Places]:
        """Where each key begins and ends. ``unique``: no key of the run stands there twice."""
        if len(keys) >= _SORT and len(self.keys) >= _SORT:
            order = ordered(keys)
            first, end = self._exact(keys[order], unique)
            left, right = np.empty_like(first), np.empty_like(end)
            left[order], right[order] = first, end
            return left, right
        return self._exact(keys, unique)

    def _exact(self, keys: Keys, unique: bool) -> tuple[Places, Places]:
        left = np.searchsorted(self.keys, keys)
        if unique:
            return left, left + (self.keys[np.minimum(left, len(self.keys) - 1)] == keys)
        return left, np.searchsorted(self.keys, keys, "right")

    def holds(self, keys: Keys) -> npt.NDArray[np.bool_]:
        """Whether each of these keys, which are in order, is there."""
        left = np.searchsorted(self.keys, keys)
        np.minimum(left, len(self.keys) - 1, out=left)
        return np.asarray(self.keys[left] == keys)

    def under(self, high: npt.NDArray[np.int32]) -> tuple[Places, Places]:
        """Where the keys of each upper half begin and end."""
        starts = self._table(len(high))
        if starts is not None:
            # Halves beyond the last have an empty stretch at the end.
            place = np.minimum(high, len(starts) - 2).astype(np.intp)
            return starts[place].astype(np.intp), starts[place + 1].astype(np.intp)
        low = high.astype(np.int64) << 32
        return np.searchsorted(self.keys, low), np.searchsorted(self.keys, low + (1 << 32))

    def _table(self, asked: int) -> npt.NDArray[np.int32] | None:
        """Where each upper half begins, by its number; made once enough has been looked for to be worth it."""
        self._asked += asked
        if self._starts is None:
            size = int(self.keys[-1] >> 32) + 1
            if self._asked * 32 < size + len(self.keys):
                return None
            counts = np.bincount(self.keys >> 32, minlength=size)
            self._starts = np.zeros(size + 2, np.int32)
            np.cumsum(counts, dtype=np.int32, out=self._starts[1 : size + 1])
            self._starts[size + 1] = self._starts[size]
        return self._starts


def ordered(keys: Keys) -> Places:
    """The places of keys in their order; of equal ones the first comes first.

    Where key and place together fit into 64 bits they are sorted as one number, which takes a third of the time.
    """
    if len(keys) < 64:
        return np.argsort(keys, kind="stable")
    low = keys & LOW
    bits = int(low.max()).bit_length()
    room = (len(keys) - 1).bit_length()
    if int(keys.max() >> 32).bit_length() + bits + room > 63:
        return np.argsort(keys, kind="stable")
    packed = keys >> 32
    packed <<= bits
    packed |= low
    packed <<= room
    packed |= np.arange(len(keys))
    packed.sort()
    packed &= (1 << room) - 1
    return packed


def sorted_run(keys: Keys, first: int, rows: bool) -> Run:
    """The run of rows from ``first`` on."""
    end = first + len(keys)
    if bool(np.all(keys[1:] >= keys[:-1])):  # what a round brings is in order
        return Run(keys, np.arange(first, end, dtype=np.int32) if rows else None, first, end)
    if not rows:
        return Run(np.sort(keys), None, first, end)
    order = ordered(keys)
    return Run(keys[order], (order + first).astype(np.int32), first, end)


def merged(runs: Sequence[Run]) -> Run:
    """One run of several."""
    keys = np.concatenate([run.keys for run in runs])
    first, end = runs[0].first, runs[-1].end
    if runs[0].rows is None:
        keys.sort()
        return Run(keys, None, first, end)
    order = np.argsort(keys, kind="stable")  # takes what is in order in parts as it is, and merges the parts
    rows = np.concatenate([run.rows for run in runs if run.rows is not None])
    return Run(keys[order], rows[order], first, end)


def tidied(runs: list[Run]) -> list[Run]:
    """The same with those at the end merged that are of like size."""
    size, place = 0, len(runs)
    for number in range(len(runs) - 1, -1, -1):
        length = len(runs[number].keys)
        if size and length < _ALIKE * size:
            place = number
        size += length
    return runs if place >= len(runs) - 1 else [*runs[:place], merged(runs[place:])]
