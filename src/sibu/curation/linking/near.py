"""Names that are written nearly so: found by their rarest runs of letters, judged by edits."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sibu.core.example import is_cjk
from sibu.curation.linking.spelling import likeness

LOOKED_AT = 3_000
"""Entries of the index that one name may look at, those of its rarest runs first."""
JUDGED = 12
"""Names that are compared letter by letter: those that share most runs."""
LEAST = 0.6
"""Below this likeness a name is not near."""


class Near:
    """Finds names near another.

    Args:
        names: The names, as keys (``spelling.name_key``).
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        places: dict[str, array[int]] = {}
        for place, name in enumerate(names):
            for run in runs(name):
                places.setdefault(run, array("i")).append(place)
        self._places = {run: np.frombuffer(each, np.int32) for run, each in places.items()}
        self._counts = np.array([len(runs(name)) for name in names], np.int32)

    def find(self, name: str, most: int = 8, least: float = LEAST) -> list[tuple[str, float]]:
        """Names near a key with their likeness, the nearest first; the name itself too.

        Args:
            name: The key.
            most: How many.
            least: The least likeness, from 0 to 1.
        """
        own = runs(name)
        lists = sorted((self._places[run] for run in own if run in self._places), key=len)
        taken: list[npt.NDArray[np.int32]] = []
        looked = 0
        for each in lists:
            if taken and looked + len(each) > LOOKED_AT:
                break
            taken.append(each)
            looked += len(each)
        if not taken:
            return []
        found, shared = np.unique(np.concatenate(taken), return_counts=True)
        alike = 2 * shared / (len(own) + self._counts[found])
        best = np.argsort(-alike, kind="stable")[:JUDGED]
        judged = [(self._names[found[place]], likeness(name, self._names[found[place]])) for place in best]
        judged.sort(key=lambda pair: (-pair[1], pair[0]))
        return [(key, worth) for key, worth in judged[:most] if worth >= least]


def runs(name: str) -> frozenset[str]:
    """The runs of a name: pairs of characters where it has such of a script without blanks, else three letters."""
    if any(map(is_cjk, name)):
        packed = f"^{name.replace(' ', '')}$"
        return frozenset(packed[place : place + 2] for place in range(len(packed) - 1))
    packed = f"^{name}$"
    return frozenset(packed[place : place + 3] for place in range(max(len(packed) - 2, 1)))
