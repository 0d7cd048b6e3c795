"""Regular expression: 1 where an answer holds a match, 0 elsewhere.

For what must be said, or (with a weight below 0) must not be. Python's syntax. What every answer must look like from
beginning to end is better bound by `constrain`, which needs no training.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from pydantic import field_validator

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Judge, Reward


class RegexSpec(Spec):
    """Options of `regex`."""

    name: Literal["regex"] = "regex"
    weight: float = 1.0
    """Factor in the sum of several rewards; below 0 it punishes."""
    pattern: str
    r"""The expression, such as `\b(please|thank)`, or `(?i)sorry`."""

    @field_validator("pattern")
    @classmethod
    def _readable(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as fault:
            raise ValueError(f"is no regular expression ({fault})") from None
        return pattern


def build(spec: RegexSpec, judge_of: Callable[[str], Judge] | None = None) -> Reward:  # noqa: ARG001
    """The reward."""
    import numpy as np

    pattern = re.compile(spec.pattern)
    return lambda rows, answers: np.array([float(bool(pattern.search(answer))) for answer in answers])  # noqa: ARG005


ENTRY = Entry(RegexSpec, build)
