"""Answers to another bundle, its predictions to numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sibu.core.errors import RecipeError, near_miss
from sibu.core.example import Row

if TYPE_CHECKING:
    from sibu.core.protocols import Judge, Reward


def asking(judge: Judge, bundle: str, task: str | None, label: str | None) -> Reward:
    """The reward of a bundle's task.

    Raises:
        RecipeError: When the task cannot judge a text, or the label is none of its labels.
    """
    kind, paired, labels = judge.about(task)
    if kind not in ("classify", "regress"):
        raise RecipeError(f"The bundle {bundle!r} is of `{kind}`; a judge is of `classify` or `regress`.")
    if kind == "classify" and label not in labels:
        given = "no label was given" if label is None else f"given {label!r}"
        close = near_miss(label, labels) if label else ""
        raise RecipeError(f"Which label of {bundle!r} is good, {given}. {close}Allowed: {', '.join(labels)}.")
    if kind == "regress" and label is not None:
        raise RecipeError(f"The bundle {bundle!r} gives numbers and has no label {label!r}. Leave `label` out.")

    def reward(rows: Sequence[Row], answers: Sequence[str]) -> np.ndarray:
        if paired:
            asked = [
                {"text": _asked(row), "text_pair": answer or " "} for row, answer in zip(rows, answers, strict=True)
            ]
        else:
            asked = [{"text": answer} for answer in answers]
        empty = [not answer.strip() for answer in answers]  # nothing cannot be judged: it is worth nothing
        known = iter(judge(task, [one for one, none in zip(asked, empty, strict=True) if not none]))
        found = np.zeros(len(answers))
        for place, none in enumerate(empty):
            if not none:
                prediction = next(known)
                scores = prediction.scores or {}
                found[place] = scores[label] if label is not None else float(prediction.value)
        return found

    return reward


def _asked(row: Row) -> str:
    """What was asked in a row, as one text: a dialogue's last turn that is not the assistant's."""
    turns = [turn["content"] for turn in row.get("messages") or () if turn["role"] == "user"]
    return str(turns[-1] if turns else row.get("text") or "")
