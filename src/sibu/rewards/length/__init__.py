"""Length: 1 where an answer has as many words as it should, less the further it is from that.

A Chinese or Japanese character is a word. Outside the bounds the reward falls in proportion: half as many words as the
fewest, or half as many again as the most, is 0.5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from pydantic import NonNegativeInt, PositiveInt, model_validator

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Judge, Reward


class LengthSpec(Spec):
    """Options of `length`."""

    name: Literal["length"] = "length"
    weight: float = 1.0
    """Factor in the sum of several rewards; below 0 it punishes."""
    at_least: NonNegativeInt = 1
    """Fewest words."""
    at_most: PositiveInt | None = None
    """Most words; null: no bound."""

    @model_validator(mode="after")
    def _ordered(self) -> Any:
        if self.at_most is not None and self.at_least > self.at_most:
            raise ValueError("at_least lies above at_most: no length meets both")
        return self


def build(spec: LengthSpec, judge_of: Callable[[str], Judge] | None = None) -> Reward:  # noqa: ARG001
    """The reward."""
    import numpy as np

    from sibu.metrics.writing import words

    def fit(count: int) -> float:
        if count < spec.at_least:
            return count / spec.at_least
        if spec.at_most is not None and count > spec.at_most:
            return max(0.0, 1 - (count - spec.at_most) / spec.at_most)
        return 1.0

    return lambda rows, answers: np.array([fit(len(words(answer))) for answer in answers])  # noqa: ARG005


ENTRY = Entry(LengthSpec, build)
