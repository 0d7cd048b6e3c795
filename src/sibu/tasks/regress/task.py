"""Rows to numbers and back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sibu.core.columns import Column
from sibu.core.errors import DataError
from sibu.core.example import Row
from sibu.core.protocols import Features, Found, Judged, State, WindowOutput
from sibu.core.result import Prediction
from sibu.core.text import Feature, TextInput, Window
from sibu.metrics.correlation import Numbers
from sibu.tasks._pair import Pairs, check_pair

if TYPE_CHECKING:
    from torch import Tensor

    from sibu.core.tensors import Output
    from sibu.nn.heads import PooledHead


class Regress:
    """See the door plate ``sibu.tasks.regress`` for the options."""

    writes = False
    any_modality = True
    """Whether a row may have other modalities in place of a text."""
    columns = (
        Column("text", "text", "input", help="the text"),
        Column("text_pair", "text", "input", help="its pair"),
        Column("number", "number", "target", help="the number"),
    )
    needs = (("text",), ("number",))
    features = (Feature("number", "float32", "window"),)
    metrics = ("pearson", "spearman", "mse", "mae")
    main_metric = "pearson"

    def __init__(
        self, *, pooling: str, dropout: float, bounds: tuple[float, float] | None, state: State | None
    ) -> None:
        self.pooling = pooling
        self.dropout = dropout
        self.bounds = bounds
        self.state: State = state or {}

    def learn(self, rows: Iterable[Row]) -> None:
        """Mean and deviation of the targets (Welford, 1962: one pass, no large sums)."""
        count, mean, spread = 0, 0.0, 0.0
        pairs = Pairs()
        for row in rows:
            pairs.add(row)
            count += 1
            step = row["number"] - mean
            mean += step / count
            spread += step * (row["number"] - mean)
        deviation = math.sqrt(spread / count) if count else 0.0
        if deviation == 0:
            raise DataError(
                f"All {count} training numbers are {mean:g}; there is nothing to learn. Add rows that differ."
            )
        self.state = {"mean": mean, "deviation": deviation, "pairs": pairs.share}

    def check(self, row: Row, windows: Sequence[Sequence[Window]]) -> Iterator[Found]:  # noqa: ARG002
        """Empty texts; numbers beyond the bounds."""
        if row.get("text") is not None and not row["text"].strip():
            yield "empty input", "error", "the text is empty.", "Remove the row or fill in its text."
        yield from check_pair(row, self.state.get("pairs"))
        number = row.get("number")
        if number is not None and self.bounds and not self.bounds[0] <= number <= self.bounds[1]:
            message = f"{number:g} lies beyond the bounds {self.bounds[0]:g} to {self.bounds[1]:g}."
            yield "beyond bounds", "error", message, "Mend the number, or the task's `bounds`."

    def inputs(self, row: Row) -> Sequence[TextInput]:
        """The text with its pair; an empty one where a row has other modalities alone."""
        return [TextInput(row.get("text") or "", pair=row.get("text_pair"))]

    def targets(self, row: Row, number: int, window: Window, *, gold: bool) -> Features:  # noqa: ARG002
        """The number in deviations from the mean."""
        if not gold:
            return {}
        return {"number": np.asarray([(row["number"] - self.state["mean"]) / self.state["deviation"]], np.float32)}

    def head(self, width: int) -> PooledHead:
        """A linear layer on the pooled vector."""
        from sibu.nn.heads import PooledHead

        return PooledHead(width=width, outputs=1, pooling=self.pooling, dropout=self.dropout)

    def loss(self, output: Output, targets: Mapping[str, Tensor]) -> Tensor:
        """Mean squared error, in squared deviations."""
        import torch.nn.functional as F

        return F.mse_loss(output.logits, targets["number"])

    def decode(self, row: Row, answers: Sequence[Sequence[WindowOutput]]) -> Prediction:  # noqa: ARG002
        """The number in its own units."""
        return Prediction(round(self._number(answers[0][0].logits[0]), 6))

    def _number(self, logit: float) -> float:
        value = float(logit * self.state["deviation"] + self.state["mean"])
        return min(max(value, self.bounds[0]), self.bounds[1]) if self.bounds else value

    def adopt(self, said: WindowOutput, state: State) -> WindowOutput:
        """The same number in this task's deviations from its mean."""
        numbers = said.logits.astype(np.float64) * state["deviation"] + state["mean"]
        return replace(said, logits=(numbers - self.state["mean"]) / self.state["deviation"])

    def combine(self, said: Sequence[WindowOutput]) -> WindowOutput:
        """The mean of the numbers, each within the bounds."""
        mean = np.mean([self._number(each.logits[0]) for each in said])
        return replace(said[0], logits=np.array([(mean - self.state["mean"]) / self.state["deviation"]]))

    def judge(self, rows: Iterable[Row], predictions: Sequence[Prediction]) -> Judged:
        """Pearson, Spearman, mean squared and absolute error; an error is off by more than a deviation."""
        gold = np.array([row["number"] for row in rows])
        guess = np.array([prediction.value for prediction in predictions])
        far = np.abs(gold - guess) > self.state["deviation"]
        return Judged(Numbers(gold, guess), {}, [bool(each) for each in far])
