"""Answers beside what they should, or should not, be like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sibu.core.errors import DataError
from sibu.core.example import Row, answers_of
from sibu.metrics.writing import rouge, words

if TYPE_CHECKING:
    from sibu.core.protocols import Reward

PLACES = {"rouge1": 0, "rouge2": 1, "rougeL": 2}


def comparing(metric: str, against: str) -> Reward:
    """The reward of one metric against the target or the text."""
    place = PLACES[metric]

    def reward(rows: Sequence[Row], answers: Sequence[str]) -> np.ndarray:
        found = np.zeros(len(answers))
        for number, (row, answer) in enumerate(zip(rows, answers, strict=True)):
            own = words(answer)
            found[number] = max(rouge(own, words(text))[place] for text in _texts(row, against))
        return found

    return reward


def _texts(row: Row, against: str) -> list[str]:
    if against == "text":
        turns = row.get("messages")
        return [str(row["text"])] if turns is None else ["\n".join(turn["content"] for turn in turns)]
    found = answers_of(row)
    if not found:
        raise DataError("the reward `overlap` compares with the target, and a row has none. Say `against: text`.")
    return found
