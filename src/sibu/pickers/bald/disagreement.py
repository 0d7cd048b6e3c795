"""What variants of a model disagree about."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sibu.pickers._doubt import entropy


def disagreement(draws: Sequence[np.ndarray]) -> np.ndarray:
    """The entropy of the variants' mean less the mean of their entropies, by row (the mean over what is asked of it).

    Args:
        draws: Of each row the probabilities by each variant. Shape ``(passes, n, C)``.
    """
    found = [entropy(own.mean(0)) - entropy(own).mean(0) for own in draws]
    return np.array([float(own.mean()) if own.size else 0.0 for own in found])
