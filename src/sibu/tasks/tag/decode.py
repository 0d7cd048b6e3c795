"""The best legal tag sequence for a text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def tag_names(labels: Sequence[str], scheme: str) -> list[str]:
    """The tags of a scheme over some labels: ``O``, ``B-x``, ``I-x``, ...; a tag's place is its number."""
    return ["O", *(f"{prefix}-{label}" for label in labels for prefix in scheme.replace("O", ""))]


def legal_moves(tags: Sequence[str], scheme: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which tag may begin a text, follow another, and end a text.

    Returns:
        ``begin`` (C,), ``follow`` (C, C) from row to column, ``end`` (C,), all bool.
    """
    bioes = scheme == "BIOES"
    parts = [("O", "") if tag == "O" else tuple(tag.split("-", 1)) for tag in tags]
    starts = np.array([prefix in ("O", "B", "S") for prefix, _ in parts])
    open_ = np.array([bioes and prefix in ("B", "I") for prefix, _ in parts])
    follow = np.zeros((len(tags), len(tags)), dtype=bool)
    for i, (before, label) in enumerate(parts):
        for j, (prefix, own) in enumerate(parts):
            inside = own == label and before in ("B", "I")
            follow[i, j] = (inside and prefix in ("I", "E")) if open_[i] else (starts[j] or (not bioes and inside))
    return starts, follow, ~open_


def best_legal(scores: np.ndarray, begin: np.ndarray, follow: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The tag sequence of the highest total score among the legal ones (Viterbi, 1967).

    Args:
        scores: Log probabilities. Shape ``(T, C)``.
        begin: Tags that may come first. Shape ``(C,)``, bool.
        follow: Tags that may follow a tag. Shape ``(C, C)``, bool.
        end: Tags that may come last. Shape ``(C,)``, bool.

    Returns:
        Tag numbers. Shape ``(T,)``.
    """
    greedy: np.ndarray = scores.argmax(1)
    if not len(greedy) or (begin[greedy[0]] and end[greedy[-1]] and follow[greedy[:-1], greedy[1:]].all()):
        return greedy  # the best of all sequences is legal, hence the best of the legal ones
    closed = np.where(follow, 0.0, -np.inf)
    total = np.where(begin, scores[0], -np.inf)
    back = np.zeros(scores.shape, dtype=np.int64)
    for step in range(1, len(scores)):
        paths = total[:, None] + closed
        back[step] = paths.argmax(0)
        total = paths.max(0) + scores[step]
    best = np.empty(len(scores), dtype=np.int64)
    best[-1] = np.where(end, total, -np.inf).argmax()
    for step in range(len(scores) - 1, 0, -1):
        best[step - 1] = back[step, best[step]]
    return best
