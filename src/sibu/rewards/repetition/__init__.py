"""Repetition: 1 where no run of four words comes twice in an answer, less by the share of runs that do.

Goes with every other reward that a model could please by saying the same again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Judge, Reward


class RepetitionSpec(Spec):
    """Options of `repetition`."""

    name: Literal["repetition"] = "repetition"
    weight: float = 1.0
    """Factor in the sum of several rewards."""


def build(spec: RepetitionSpec, judge_of: Callable[[str], Judge] | None = None) -> Reward:  # noqa: ARG001
    """The reward."""
    import numpy as np

    from sibu.metrics.writing import repeated, words

    def fresh(answer: str) -> float:
        again, runs = repeated(words(answer))
        return 1 - again / runs if runs else 1.0

    return lambda rows, answers: np.array([fresh(answer) for answer in answers])  # noqa: ARG005


ENTRY = Entry(RepetitionSpec, build)
