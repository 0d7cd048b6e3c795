"""Which pieces of a window make up a word."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from sibu.core.text import Window
from sibu.core.units import Place, chinese_words, units


def words_of(text: str, window: Window, how: str) -> np.ndarray:
    """The number of each piece's word, -1 for special pieces. Shape ``(T,)``.

    Args:
        text: The text that the window is of.
        window: The window.
        how: ``whole``, ``chinese`` or ``pieces``, as the option says.
    """
    own = np.array([segment > 0 for segment in window.segments])
    if how == "pieces":
        return np.where(own, np.arange(len(own)), -1)
    starts = np.array([start for start, _ in (chinese_words(text) if how == "chinese" else _units(text))] or [0])
    places = np.searchsorted(starts, np.asarray(window.starts), side="right") - 1
    return np.where(own, np.maximum(places, 0), -1).astype(np.int64)


@lru_cache(maxsize=4)  # the windows of one text ask one after the other
def _units(text: str) -> list[Place]:
    return units(text)
