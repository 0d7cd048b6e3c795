"""Tasks on a text or a pair of texts: which of the two the training data has, and rows that differ from it."""

from __future__ import annotations

from collections.abc import Iterator

from sibu.core.example import Row
from sibu.core.protocols import Found


class Pairs:
    """Counts rows with a second text while a task learns from them."""

    def __init__(self) -> None:
        self.rows = self.pairs = 0

    def add(self, row: Row) -> None:
        """Look at one row."""
        self.rows += 1
        self.pairs += _has_pair(row)

    @property
    def share(self) -> str:
        """How many rows have a second text: ``all``, ``some`` or ``none``."""
        if self.pairs == self.rows:
            return "all"
        return "some" if self.pairs else "none"


def check_pair(row: Row, share: str | None) -> Iterator[Found]:
    """A second text that is missing, or that no training row has; ``share`` as ``Pairs`` found it."""
    if share in ("all", "some") and not _has_pair(row):
        yield (
            "missing pair",
            "error" if share == "all" else "warning",
            f"there is no `text_pair`, which {share} training rows have.",
            "Give it, or name its column under the task's `fields`.",
        )
    elif share == "none" and _has_pair(row):
        message = "there is a `text_pair`, which no training row has."
        yield "pair not learned", "warning", message, "Train with pairs, or leave it out."


def _has_pair(row: Row) -> bool:
    return bool((row.get("text_pair") or "").strip())
