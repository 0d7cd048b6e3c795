"""A task that is answered in another way than by a head of its own: what stays as it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sibu.core.example import Row
from sibu.core.protocols import Judged
from sibu.core.result import Prediction


class Answered:
    """Around a task: its metrics and how it judges.

    Args:
        inner: The task as a head of its own would answer it.
    """

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    @property
    def metrics(self) -> tuple[str, ...]:
        """The task's own."""
        found: tuple[str, ...] = self.inner.metrics
        return found

    @property
    def main_metric(self) -> str:
        """The task's own."""
        return str(self.inner.main_metric)

    def judge(self, rows: Iterable[Row], predictions: Sequence[Prediction]) -> Judged:
        """By the task's own metrics."""
        found: Judged = self.inner.judge(rows, predictions)
        return found
