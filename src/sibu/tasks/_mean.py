"""What several models say of one window as one answer: the mean of their probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sibu.core.protocols import WindowOutput


def stacked(said: Sequence[WindowOutput]) -> np.ndarray:
    """The scores of all models, ``(models, ...)``."""
    return np.stack([each.logits for each in said]).astype(np.float64)


def mean_of_logs(logs: np.ndarray) -> np.ndarray:
    """The log of the mean over the first axis of what logs are given of."""
    return np.asarray(np.logaddexp.reduce(logs, axis=0) - np.log(len(logs)))


def mean_chances(said: Sequence[WindowOutput]) -> WindowOutput:
    """Of scores by class (the last axis): the log of the mean probability of each."""
    logits = stacked(said)
    logs = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
    return replace(said[0], logits=mean_of_logs(logs))


def mean_odds(said: Sequence[WindowOutput]) -> WindowOutput:
    """Of scores of which each stands for itself: the log odds of the mean probability."""
    logits = stacked(said)
    yes, no = -np.logaddexp(0, -logits), -np.logaddexp(0, logits)
    return replace(said[0], logits=mean_of_logs(yes) - mean_of_logs(no))
