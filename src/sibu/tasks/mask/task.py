"""Texts to words that can be hidden, and how well they were told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from sibu.core.columns import Column
from sibu.core.example import Row
from sibu.core.protocols import Features, Found, Judged, State, WindowOutput
from sibu.core.result import Prediction
from sibu.core.text import Feature, Pieces, TextInput, Window
from sibu.metrics.filling import Filling
from sibu.tasks._told import counts_of, told
from sibu.tasks._words import words_of

if TYPE_CHECKING:
    from numpy.random import Generator
    from torch import Tensor, nn

    from sibu.core.tensors import Output

IGNORED = -100
MASKED, CHANGED = 0.8, 0.9
"""Below the first share a word becomes the mask, below the second other pieces; the others stay."""


class Mask:
    """See the door plate ``sibu.tasks.mask`` for the options."""

    writes = False
    fills = True
    columns = (Column("text", "text", "input", help="the text"),)
    needs = (("text",),)
    features = (Feature("words", "int64", "token", -1),)
    metrics = ("perplexity", "accuracy")
    main_metric = "perplexity"
    rate_share = 1 / 3
    """Of the method's rate what texts are read on at; measured in docs/log.md, 2026-11-27."""

    def __init__(self, *, share: float, words: str, state: State | None) -> None:
        self.share = share
        self.words = words
        self.state: State = state or {}
        self.pieces: Pieces | None = None
        """What the model's vocabulary has; told before anything is encoded."""

    def learn(self, rows: Iterable[Row]) -> None:
        """Nothing but how many there are."""
        self.state = {"rows": sum(1 for _ in rows)}

    def check(self, row: Row, windows: Sequence[Sequence[Window]]) -> Iterator[Found]:
        """Empty texts; where a text is to be filled, one without a mask."""
        if not row["text"].strip():
            yield "empty input", "error", "the text is empty.", "Remove the row or fill in its text."
        elif not windows and self.pieces is not None and self.pieces.mask_text not in row["text"]:
            mend = f"Write {self.pieces.mask_text} where a word is to be filled in."
            yield "nothing to fill in", "error", "the text has no mask.", mend

    def inputs(self, row: Row) -> Sequence[TextInput]:
        """The whole text, window by window."""
        return [TextInput(row["text"], fit="slide")]

    def targets(self, row: Row, number: int, window: Window, *, gold: bool) -> Features:  # noqa: ARG002
        """Which word each piece belongs to, -1 where to none."""
        return {"words": words_of(row["text"], window, self.words)} if gold else {}

    def corrupt(self, ids: np.ndarray, words: np.ndarray, draw: Generator) -> tuple[np.ndarray, np.ndarray]:
        """Hide some of a window's words.

        Args:
            ids: Its pieces. Shape ``(T,)``.
            words: The word of each, -1: never hidden. Shape ``(T,)``.
            draw: Chooses.

        Returns:
            The pieces as the model sees them; those to be told, -100 elsewhere.
        """
        if self.pieces is None:
            raise ValueError("the task does not know the model's pieces")
        shown, labels = ids.copy(), np.full(len(ids), IGNORED, np.int64)
        wanted = max(round(self.share * int((words >= 0).sum())), 1)
        hidden = 0
        for word in draw.permutation(np.unique(words[words >= 0])):
            places = np.flatnonzero(words == word)
            if hidden and hidden + len(places) > wanted:
                continue
            labels[places] = ids[places]
            kind = draw.random()
            if kind < MASKED:
                shown[places] = self.pieces.mask
            elif kind < CHANGED:
                shown[places] = draw.choice(self.pieces.plain, len(places))
            hidden += len(places)
            if hidden >= wanted:
                break
        return shown, labels

    def head(self, width: int) -> nn.Module:  # noqa: ARG002
        """None of its own: the model's masked-language head answers."""
        raise TypeError("a task that fills in has no head of its own")

    def loss(self, output: Output, targets: Mapping[str, Tensor]) -> Tensor:
        """Cross entropy of the hidden pieces, mean over the batch's."""
        import torch.nn.functional as F

        labels = targets["labels"]
        return F.cross_entropy(output.logits.float(), labels[labels != IGNORED])

    def decode(self, row: Row, answers: Sequence[Sequence[WindowOutput]]) -> Prediction:
        """How well hidden pieces were told; or the text with its masks filled in."""
        if answers[0][0].logits.ndim == 1:
            return Prediction(None, evidence=(told(answers[0]),))
        return self._filled(row["text"], answers[0])

    def _filled(self, text: str, outputs: Sequence[WindowOutput]) -> Prediction:
        if self.pieces is None:
            raise ValueError("the task does not know the model's pieces")
        best: dict[int, tuple[int, int, float]] = {}
        for each in outputs:
            window = each.window
            for place, piece in enumerate(window.input_ids):
                if piece == self.pieces.mask:
                    number, chance = each.logits[place]
                    known = best.get(window.starts[place])
                    if known is None or chance > known[2]:  # of two windows that share it the surer
                        best[window.starts[place]] = window.ends[place], int(number), float(chance)
        parts, end, chances = [], 0, []
        for start, (stop, number, chance) in sorted(best.items()):
            parts += [text[end:start], self.pieces.decode([number])]
            chances.append(chance)
            end = stop
        return Prediction("".join([*parts, text[end:]]), round(float(np.prod(chances)), 6) if chances else None)

    def judge(self, rows: Iterable[Row], predictions: Sequence[Prediction]) -> Judged:  # noqa: ARG002
        """Perplexity and accuracy of the hidden pieces."""
        return Judged(Filling(counts_of(predictions)))
