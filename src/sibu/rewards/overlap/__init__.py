"""Overlap: how much of an answer's words and runs of words are in the right answer, or in what was asked.

With `against: target` the rows need a target. With `against: text` and a weight below 0 it keeps a model from copying.
Source: ROUGE: Lin, 2004.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Judge, Reward


class OverlapSpec(Spec):
    """Options of `overlap`."""

    name: Literal["overlap"] = "overlap"
    weight: float = 1.0
    """Factor in the sum of several rewards; below 0 it punishes."""
    metric: Literal["rouge1", "rouge2", "rougeL"] = "rougeL"
    """F1 of words, of pairs of words, or of the longest common subsequence; in [0, 1]."""
    against: Literal["target", "text"] = "target"
    """What an answer is compared with; of several targets the best counts."""

    @property
    def needs_target(self) -> bool:
        """Whether every row must have a target."""
        return self.against == "target"


def build(spec: OverlapSpec, judge_of: Callable[[str], Judge] | None = None) -> Reward:  # noqa: ARG001
    """The reward."""
    from sibu.rewards.overlap.compare import comparing

    return comparing(spec.metric, spec.against)


ENTRY = Entry(OverlapSpec, build)
