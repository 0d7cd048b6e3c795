"""What a service is given: figures that are numbers, names that it takes, the recipe on one level."""

from __future__ import annotations

import json
import logging
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any


class Finite:
    """Lets finite figures through and counts the others, for one line at the end."""

    def __init__(self, tracker: str) -> None:
        self._tracker = tracker
        self._held: Counter[str] = Counter()

    def __call__(self, figures: Mapping[str, float]) -> dict[str, float]:
        """The figures that are finite numbers."""
        passed = {}
        for name, figure in figures.items():
            value = float(figure)
            if math.isfinite(value):
                passed[name] = value
            else:
                self._held[name] += 1
        return passed

    def tell(self) -> None:
        """Say which figures were held back, if any."""
        if self._held:
            listed = ", ".join(f"{name} ({count})" for name, count in self._held.most_common())
            warn(self._tracker, f"figures that were no finite numbers were not sent: {listed}.")


class Names:
    """Names as a service takes them. Two names stay two: the second gets ``_2``.

    Args:
        mended: A name to one that the service takes, or as near as it gets.
    """

    def __init__(self, mended: Callable[[str], str]) -> None:
        self._mended = mended
        self._known: dict[str, str] = {}
        self._taken: set[str] = set()

    def __call__(self, name: str) -> str:
        """The service's name for it, the same each time."""
        if name not in self._known:
            stem = chosen = self._mended(name)
            number = 1
            while chosen in self._taken:
                number += 1
                chosen = f"{stem}_{number}"
            self._known[name] = chosen
            self._taken.add(chosen)
        return self._known[name]


def flat(recipe: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """A recipe's values by dotted path; a list is one value."""
    for key, value in recipe.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def as_text(value: Any) -> str:
    """A recipe's value as one would write it: texts bare, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def in_one_line(fault: Exception) -> str:
    """What a fault says, as a sentence of a message."""
    return (" ".join(str(fault).split()) or type(fault).__name__).rstrip(".") + "."


def warn(tracker: str, message: str) -> None:
    """One line on stderr, unless the program that uses Sibu handles the logger ``sibu.trackers`` itself."""
    logging.getLogger("sibu.trackers").warning("%s: %s", tracker, message)
