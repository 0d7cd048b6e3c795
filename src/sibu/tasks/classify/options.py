"""What a classifier may answer where rules decide some of its labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sibu.core.result import Prediction


class OneLabel:
    """One label holds.

    Args:
        labels: In order.
        chances: Their log probabilities. Shape ``(C,)``.
        plain: The answer without any rule.
    """

    def __init__(self, labels: Sequence[str], chances: np.ndarray, plain: Prediction) -> None:
        self.labels, self.chances, self.plain = labels, chances, plain

    def best(self, decided: Mapping[str, bool]) -> tuple[float, frozenset[str]] | None:
        """The likeliest label that is not refused; the one that must hold, where one must."""
        must = [label for label, value in decided.items() if value]
        allowed = must or [label for label in self.labels if decided.get(label, True)]
        if len(must) > 1 or not allowed:
            return None
        own = {label: float(self.chances[self.labels.index(label)]) for label in allowed}
        label = max(own, key=own.__getitem__)
        return own[label], frozenset({label})

    def prediction(self, decided: Mapping[str, bool]) -> Prediction:
        """The label, with the model's own probabilities."""
        found = self.best(decided)
        if found is None:
            return self.plain
        (label,) = found[1]
        scores = self.plain.scores or {}
        return Prediction(label, scores.get(label), self.plain.scores)


class SeveralLabels:
    """Any labels hold, each by itself.

    Args:
        labels: In order.
        logits: How much likelier than its threshold each is. Shape ``(C,)``.
        plain: The answer without any rule.
    """

    def __init__(self, labels: Sequence[str], logits: np.ndarray, plain: Prediction) -> None:
        self.labels, self.logits, self.plain = labels, logits, plain

    def best(self, decided: Mapping[str, bool]) -> tuple[float, frozenset[str]] | None:
        """Each label as it is decided, else as it is likelier."""
        given = np.array(
            [decided.get(label, logit >= 0) for label, logit in zip(self.labels, self.logits, strict=True)]
        )
        score = -np.logaddexp(0, np.where(given, -self.logits, self.logits)).sum()
        return float(score), frozenset(label for label, held in zip(self.labels, given, strict=True) if held)

    def prediction(self, decided: Mapping[str, bool]) -> Prediction:
        """These labels, with the model's own probabilities."""
        found = self.best(decided)
        held = frozenset() if found is None else found[1]
        return Prediction([label for label in self.labels if label in held], None, self.plain.scores)
