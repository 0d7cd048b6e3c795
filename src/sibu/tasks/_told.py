"""How well pieces that were hidden were told: on its way from the head to the figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sibu.core.protocols import WindowOutput
from sibu.core.result import Evidence, Prediction

TOLD = "told"
"""Kind of the evidence that holds how well hidden pieces were told: ``{"loss", "pieces", "right"}``."""


def told(outputs: Sequence[WindowOutput]) -> Evidence:
    """The sums over the windows of a text, whose heads give three numbers each."""
    loss, pieces, right = np.sum([each.logits for each in outputs], 0).tolist()
    return Evidence(TOLD, {"loss": loss, "pieces": int(pieces), "right": int(right)})


def counts_of(predictions: Sequence[Prediction]) -> np.ndarray:
    """What ``sibu.metrics.filling`` asks for. Shape ``(n, 3)``."""
    found = [each.content for one in predictions for each in one.evidence if each.kind == TOLD]
    return np.array([[each["loss"], each["pieces"], each["right"]] for each in found], np.float64).reshape(-1, 3)
