"""Texts to what is left of them, and how well the whole was told from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from sibu.core.columns import Column
from sibu.core.example import Row
from sibu.core.protocols import Features, Found, Judged, State, WindowOutput
from sibu.core.result import Prediction
from sibu.core.text import Feature, TextInput, Window
from sibu.metrics.filling import Filling
from sibu.tasks._told import counts_of, told
from sibu.tasks._vector import listed, unit
from sibu.tasks._words import words_of

if TYPE_CHECKING:
    from numpy.random import Generator
    from torch import Tensor, nn

    from sibu.core.tensors import Output

GONE = -1
"""Stands where a piece is taken out."""


class Denoise:
    """See the door plate ``sibu.tasks.denoise`` for the options."""

    writes = False
    columns = (Column("text", "text", "input", help="the text"),)
    needs = (("text",),)
    features = (Feature("words", "int64", "token", -1),)
    metrics = ("perplexity", "accuracy")
    main_metric = "perplexity"
    rate_share = 2 / 15
    """Of the method's rate what texts are read on at; measured in docs/log.md, 2026-11-27."""

    def __init__(
        self, *, share: float, words: str, pooling: str, layers: int, dropout: float, state: State | None
    ) -> None:
        self.share = share
        self.words = words
        self.pooling = pooling
        self.layers = layers
        self.dropout = dropout
        self.state: State = state or {}

    def learn(self, rows: Iterable[Row]) -> None:
        """Nothing but how many there are."""
        self.state = {"rows": sum(1 for _ in rows)}

    def check(self, row: Row, windows: Sequence[Sequence[Window]]) -> Iterator[Found]:  # noqa: ARG002
        """Empty texts."""
        if not row["text"].strip():
            yield "empty input", "error", "the text is empty.", "Remove the row or fill in its text."

    def inputs(self, row: Row) -> Sequence[TextInput]:
        """The whole text, window by window."""
        return [TextInput(row["text"], fit="slide")]

    def targets(self, row: Row, number: int, window: Window, *, gold: bool) -> Features:  # noqa: ARG002
        """Which word each piece belongs to, -1 where to none."""
        return {"words": words_of(row["text"], window, self.words)} if gold else {}

    def corrupt(self, ids: np.ndarray, words: np.ndarray, draw: Generator) -> tuple[np.ndarray, np.ndarray]:
        """Take out some of a window's words.

        Args:
            ids: Its pieces. Shape ``(T,)``.
            words: The word of each, -1: never taken out. Shape ``(T,)``.
            draw: Chooses.

        Returns:
            The pieces, ``GONE`` where one is taken out; those to be written: all.
        """
        numbers = np.unique(words[words >= 0])
        out = draw.random(len(numbers)) < self.share
        if len(numbers) and out.all():
            out[draw.integers(len(numbers))] = False
        return np.where(np.isin(words, numbers[out]), GONE, ids), ids.copy()

    def head(self, width: int) -> nn.Module:
        """Pools, and writes from the vector; it reads and writes by the encoder's own table of pieces."""
        from sibu.tasks.denoise.decoder import DenoisingHead

        return DenoisingHead(width=width, layers=self.layers, pooling=self.pooling, dropout=self.dropout)

    def loss(self, output: Output, targets: Mapping[str, Tensor]) -> Tensor:  # noqa: ARG002
        """None of its own: the head's, which never has all scores at once."""
        raise TypeError("the head has the loss")

    def decode(self, row: Row, answers: Sequence[Sequence[WindowOutput]]) -> Prediction:  # noqa: ARG002
        """How well the text was told from what was left; or its unit vector, over all windows."""
        found = answers[0]
        if found[0].logits.ndim == 1:
            return Prediction(None, evidence=(told(found),))
        return Prediction(listed(unit([each.logits[0] for each in found])))

    def judge(self, rows: Iterable[Row], predictions: Sequence[Prediction]) -> Judged:  # noqa: ARG002
        """Perplexity and accuracy of the pieces of the whole texts."""
        return Judged(Filling(counts_of(predictions)))
