"""A text's vector as a prediction's value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def unit(parts: Sequence[np.ndarray]) -> np.ndarray:
    """The mean of the vectors of a text's windows, ``(D,)`` each, at length one; zeros stay zeros."""
    mean = np.mean(np.asarray(parts, np.float64), 0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12))


def listed(vector: np.ndarray) -> list[float]:
    """Six digits: more is noise in a file, and differs between machines."""
    return [round(float(number), 6) for number in vector]
