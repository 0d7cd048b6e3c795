"""Training rows shown to a model before the question: those that are most like it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from sibu.core.example import is_cjk
from sibu.core.units import units

MOST = 5000
"""Rows that are kept to choose from; of more every n-th."""
Shown = tuple[str, str]
"""A question and its answer."""


class Examples:
    """Questions with their answers, found again by the words they share with another question.

    Likeness is the cosine of word counts, rare words weighing more (tf-idf); of Chinese and Japanese text also of
    each two neighbouring characters. Showing like examples: Liu et al., 2022, arXiv:2101.06804.

    Args:
        kept: The questions and answers.
    """

    def __init__(self, kept: Sequence[Shown]) -> None:
        self.kept = [(question, answer) for question, answer in kept]
        import numpy as np

        counts = [Counter(terms(question)) for question, _ in self.kept]
        found = Counter(term for own in counts for term in own)
        self._rarity = {term: math.log((1 + len(counts)) / (1 + number)) + 1 for term, number in found.items()}
        places: dict[str, list[tuple[int, float]]] = {}
        for place, own in enumerate(counts):
            for term, weight in self._weights(own).items():
                places.setdefault(term, []).append((place, weight))
        self._places = {
            term: (np.array([place for place, _ in own]), np.array([weight for _, weight in own]))
            for term, own in places.items()
        }

    def __len__(self) -> int:
        return len(self.kept)

    def _weights(self, counts: Counter[str]) -> dict[str, float]:
        own = {term: (1 + math.log(number)) * self._rarity.get(term, 0.0) for term, number in counts.items()}
        length = math.sqrt(sum(weight * weight for weight in own.values())) or 1.0
        return {term: weight / length for term, weight in own.items() if weight}

    def near(self, question: str, count: int) -> list[Shown]:
        """So many of them, the most alike last; never the question itself."""
        import numpy as np

        alike = np.zeros(len(self.kept))
        for term, weight in self._weights(Counter(terms(question))).items():
            if term in self._places:
                places, weights = self._places[term]
                alike[places] += weight * weights
        found: list[Shown] = []
        for place in np.argsort(-alike, kind="stable"):
            if len(found) == count:
                break
            if self.kept[place][0] != question:
                found.append(self.kept[place])
        return found[::-1]


def terms(text: str) -> Iterator[str]:
    """Words in small letters, and each two neighbouring Chinese or Japanese characters."""
    before, end = "", -1
    for start, stop in units(text):
        unit = text[start:stop].casefold()
        yield unit
        if before and start == end and is_cjk(unit[0]) and is_cjk(before[0]):
            yield before + unit
        before, end = unit, stop


def kept_of(pairs: Iterable[Shown]) -> list[Shown]:
    """Those that are kept of any number."""
    found = list(pairs)
    return found[:: -(-len(found) // MOST)] if found else []
