"""Texts to pieces that each follow from those before, and how likely they were."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from sibu.core.columns import Column
from sibu.core.example import Row
from sibu.core.protocols import Features, Found, Judged, State, WindowOutput
from sibu.core.result import Evidence, Prediction
from sibu.core.text import RAW, AnyInput, Feature, Prompt, TextInput, Window
from sibu.metrics.writing import Written
from sibu.tasks._written import IGNORED, limits, token_loss

if TYPE_CHECKING:
    from torch import Tensor, nn

    from sibu.core.tensors import Output

LIKELIHOOD = "likelihood"
"""Kind of the evidence that holds how likely a text was: ``{"loss", "pieces"}``."""


class Language:
    """See the door plate ``sibu.tasks.language`` for the options."""

    writes = True
    group = 1
    compares = False
    candidates = 0
    choices: tuple[str, ...] = ()
    blank: Row | None = None
    template = RAW
    columns = (Column("text", "text", "input", help="the text"),)
    needs = (("text",),)
    features = (Feature("labels", "int64", "token", IGNORED),)
    metrics = ("perplexity",)
    main_metric = "perplexity"
    unwritten = ("perplexity",)

    def __init__(self, *, room: int, stops: tuple[str, ...], state: State | None) -> None:
        self.room, self.stops = room, stops
        self.state: State = state or {}
        self.end: int | None = None
        """The piece that ends a text; told before anything is encoded."""
        self._read: tuple[Row, int] | None = None

    def learn(self, rows: Iterable[Row]) -> None:
        """Nothing but how many there are."""
        self.state = {"rows": sum(1 for _ in rows)}

    def check(self, row: Row, windows: Sequence[Sequence[Window]]) -> Iterator[Found]:  # noqa: ARG002
        """Empty texts."""
        if not row["text"].strip():
            yield "empty input", "error", "the text is empty.", "Remove the row or fill in its text."

    def inputs(self, row: Row) -> Sequence[AnyInput]:
        """The whole text, window by window."""
        return [TextInput(row["text"], fit="slide")]

    def prompt(self, row: Row) -> Prompt:
        """The text, to be gone on with."""
        return Prompt((("user", row["text"]),), None, RAW, self.room)

    def targets(self, row: Row, number: int, window: Window, *, gold: bool) -> Features:  # noqa: ARG002
        """At each place the piece that follows; what the window before had stands there to be read only."""
        if not gold:
            return {}
        before = self._read[1] if window.first and self._read is not None and self._read[0] is row else 0
        ids, own = np.asarray(window.input_ids), np.asarray(window.segments) > 0
        numbers = window.first + np.cumsum(own) - 1
        new = own & (numbers >= before)
        labels = np.full(len(ids), IGNORED, np.int64)
        labels[:-1] = np.where(new[1:], ids[1:], IGNORED)
        if self.end is not None and own.any() and max(window.ends) >= len(row["text"].rstrip()):
            labels[np.flatnonzero(own)[-1]] = self.end
        self._read = row, int(numbers[-1]) + 1
        return {"labels": labels}

    def head(self, width: int) -> nn.Module:  # noqa: ARG002
        """None of its own: the model's language head answers."""
        raise TypeError("a task that writes has no head of its own")

    def loss(self, output: Output, targets: Mapping[str, Tensor]) -> Tensor:
        """Cross entropy of the pieces, mean over the batch's."""
        return token_loss(output, targets)

    def decode(self, row: Row, answers: Sequence[Sequence[WindowOutput]]) -> Prediction:  # noqa: ARG002
        """What was written behind the text; how likely the text itself was goes with it where that is known."""
        found = answers[0][0]
        evidence = () if found.text is None else limits(found, self.room)
        if found.logits.size:
            loss, pieces = found.logits.tolist()
            evidence = (Evidence(LIKELIHOOD, {"loss": loss, "pieces": int(pieces)}), *evidence)
        return Prediction(found.text, evidence=evidence)

    def grammar(self, row: Row) -> None:  # noqa: ARG002
        """None: a text may go on in any way."""
        return

    def judge(self, rows: Iterable[Row], predictions: Sequence[Prediction]) -> Judged:  # noqa: ARG002
        """Perplexity of the texts."""
        told = [each.content for one in predictions for each in one.evidence if each.kind == LIKELIHOOD]
        losses = np.array([(each["loss"], each["pieces"]) for each in told], np.float64).reshape(-1, 2)
        return Judged(Written([()] * len(losses), None, losses))
