"""Which pieces of a window make up a word."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from sibu.core.example import is_cjk
from sibu.core.text import Window
from sibu.core.units import Place, units


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


@lru_cache(maxsize=4)
def chinese_words(text: str) -> list[Place]:
    """The words of a text, those of Chinese as jieba finds them; in order."""
    import jieba

    jieba.setLogLevel(60)  # it tells where its dictionary lies
    found: list[Place] = []
    run: list[Place] = []
    for start, end in [*_units(text), (len(text) + 1, len(text) + 1)]:
        if run and (run[-1][1] != start or not is_cjk(text[start])):
            first = run[0][0]
            found += [(first + begin, first + stop) for _, begin, stop in jieba.tokenize(text[first : run[-1][1]])]
            run = []
        if start > len(text):
            break
        if is_cjk(text[start]):
            run.append((start, end))
        else:
            found.append((start, end))
    return found
