"""From a score to a probability: a logistic curve fitted to what was held out.

Source: Platt, 1999, Probabilistic outputs for support vector machines (with his targets, which no curve meets exactly).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STEPS = 100
"""Of Newton's method; it needs some ten."""


@dataclass(frozen=True, slots=True)
class Odds:
    """What a score is worth, between facts and as many that are none."""

    slope: float
    """At least 0: a higher score is never less likely."""
    intercept: float
    facts: int
    """Held-out facts that it was fitted to."""
    others: int
    """Triples with one end replaced, that are no known facts."""

    def probability(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability of each score that its triple is a fact, were facts and others even; in (0, 1)."""
        found: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(self.slope * scores + self.intercept, -500, 500)))
        return found

    def score(self, probability: float) -> float:
        """The score that has this probability; -inf or inf where none has or all have more, or less."""
        wanted = float(np.log(probability / (1 - probability))) - self.intercept if 0 < probability < 1 else np.inf
        if probability <= 0:
            return -np.inf
        if self.slope == 0:
            return -np.inf if wanted <= 0 else np.inf
        return wanted / self.slope


def fit_odds(facts: NDArray[np.float64], others: NDArray[np.float64]) -> Odds:
    """Fit the curve; facts and others weigh alike, however many there are of each.

    Args:
        facts: Scores of facts, at least one.
        others: Scores of triples that are none, at least one.
    """
    scores = np.concatenate([facts, others]).astype(np.float64)
    middle, spread = float(scores.mean()), float(scores.std()) or 1.0
    design = np.stack([(scores - middle) / spread, np.ones(len(scores))], 1)
    high, low = (len(facts) + 1) / (len(facts) + 2), 1 / (len(others) + 2)
    wanted = np.repeat([high, low], [len(facts), len(others)])
    weights = np.repeat([0.5 / len(facts), 0.5 / len(others)], [len(facts), len(others)])
    slope, intercept = _solved(design, wanted, weights)
    if slope <= 0:  # the score says nothing
        return Odds(0.0, 0.0, len(facts), len(others))
    return Odds(slope / spread, intercept - slope * middle / spread, len(facts), len(others))


def _solved(
    design: NDArray[np.float64], wanted: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[float, float]:
    """Newton's method with steps halved until the loss falls."""

    def loss(at: NDArray[np.float64]) -> float:
        lines = design @ at
        return float(weights @ (np.logaddexp(0, lines) - wanted * lines))

    at = np.zeros(2)
    for _ in range(STEPS):
        said = 1 / (1 + np.exp(-np.clip(design @ at, -500, 500)))
        slope = design.T @ (weights * (said - wanted))
        bend = (design * (weights * said * (1 - said))[:, None]).T @ design + 1e-12 * np.eye(2)
        step = np.linalg.solve(bend, slope)
        share = 1.0
        while share > 1e-6 and loss(at - share * step) > loss(at):
            share /= 2
        at = at - share * step
        if np.abs(step).max() < 1e-9:
            break
    return float(at[0]), float(at[1])
