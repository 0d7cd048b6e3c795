"""What comes out: predictions, evidence, scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

REWARD = "reward"
"""Kind of the evidence that holds what an answer was given: ``{"total", <each reward>: ...}``."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why: a stretch of the input or a source that speaks for (or against) a prediction."""

    kind: str
    """What gave it: ``span``, ``neighbour``, ``rule``, ..."""
    content: Any
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class Prediction:
    """One answer to one input."""

    value: Any
    """The answer; its form is the task type's (a label, a list of spans, a number, ...)."""
    score: float | None = None
    """Probability of ``value`` where the task has one, in [0, 1]."""
    scores: Mapping[str, float] | None = None
    """Probability by label where the task has labels."""
    evidence: tuple[Evidence, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The keys of a prediction line: ``value``, ``score``, ``scores``, ``evidence``; what is absent is left out."""
        line: dict[str, Any] = {"value": self.value}
        if self.score is not None:
            line["score"] = self.score
        if self.scores is not None:
            line["scores"] = dict(self.scores)
        if self.evidence:
            line["evidence"] = [{"kind": e.kind, "content": e.content, "weight": e.weight} for e in self.evidence]
        return line


@dataclass(frozen=True, slots=True)
class Score:
    """A metric's value with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float
    n: int
    """How many examples it was counted over."""

    def as_json(self) -> dict[str, float | int]:
        """The form in ``metrics.json``."""
        return {"value": self.value, "low": self.low, "high": self.high, "n": self.n}


Scores = Mapping[str, Score]
"""Score by metric."""


@dataclass(frozen=True, slots=True)
class Report:
    """What an evaluation found on one split of one task."""

    task: str
    split: str
    scores: Scores
    details: Mapping[str, Any] = field(default_factory=dict)
    """What the report page draws: confusion, scores by label, worst errors, ..."""
