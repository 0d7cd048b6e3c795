"""Pairs of values to vectors of one space, and how often partners find each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sibu.core.columns import Column
from sibu.core.example import Row
from sibu.core.protocols import Features, Found, Judged, State, WindowOutput
from sibu.core.result import Prediction
from sibu.core.text import Feature, TextInput, Window
from sibu.metrics.retrieval import AT, Recalls

if TYPE_CHECKING:
    from torch import Tensor

    from sibu.core.tensors import Output
    from sibu.nn.matching import MatchHead

TEXT = "text"


class Match:
    """See the door plate ``sibu.tasks.match`` for the options."""

    writes = False
    any_modality = False
    main_metric = "mrr"
    metrics = ("mrr", *(f"recall_at_{k}" for k in AT))
    quality = "recall_at_10"
    """The metric that says how well the two are aligned; the gate warns where it is below ``warn``."""

    def __init__(
        self,
        *,
        of: tuple[str, str],
        loss: Literal["infonce", "siglip"],
        width: int,
        hard: float,
        dropout: float,
        warn: float,
        state: State | None,
    ) -> None:
        self.of = of
        self.kind, self.width, self.hard, self.dropout = loss, width, hard, dropout
        self.warn = warn
        self.state: State = state or {}
        self.columns = (Column(TEXT, "text", "input", help="the text"),) if TEXT in of else ()
        self.needs = tuple((name,) for name in of)
        self.features = tuple(Feature(f"same_{name}", "int64", "window") for name in of)

    def learn(self, rows: Iterable[Row]) -> None:
        """Count the pairs."""
        self.state = {"pairs": "all", "rows": sum(1 for _ in rows)}

    def check(self, row: Row, windows: Sequence[Sequence[Window]]) -> Iterator[Found]:  # noqa: ARG002
        """Empty texts."""
        if TEXT in self.of and row.get(TEXT) is not None and not row[TEXT].strip():
            yield "empty input", "error", "the text is empty.", "Remove the row or fill in its text."

    def inputs(self, row: Row) -> Sequence[TextInput]:
        """The text, where there is one."""
        return [TextInput((row.get(TEXT) or "") if TEXT in self.of else "")]

    def targets(self, row: Row, number: int, window: Window, *, gold: bool) -> Features:  # noqa: ARG002
        """A number for each value, equal for equal ones: they are no wrong partners of each other."""
        return {f"same_{name}": np.asarray(same(row[name]), np.int64) for name in self.of} if gold else {}

    def head(self, width: int | Mapping[str, int]) -> MatchHead:
        """Both modalities' vectors, of one width or of widths of their own, to the space."""
        from sibu.nn.matching import MatchHead

        sigmoid = self.kind == "siglip"
        return MatchHead(self.of, widths=width, width=self.width, dropout=self.dropout, sigmoid=sigmoid)

    def loss(self, output: Output, targets: Mapping[str, Tensor]) -> Tensor:
        """InfoNCE or the sigmoid loss over the pairs of a batch."""
        from sibu.nn.matching import infonce, siglip

        one, two = output.logits[:, : self.width], output.logits[:, self.width : -2]
        scale, bias = output.logits[0, -2:]
        numbers = [targets[f"same_{name}"] for name in self.of]
        if self.kind == "siglip":
            return siglip(one, two, numbers, scale=scale, bias=bias)
        return infonce(one, two, numbers, scale=scale, hard=self.hard)

    def decode(self, row: Row, answers: Sequence[Sequence[WindowOutput]]) -> Prediction:
        """The vector of each value that the row has; of both also how near they are (the cosine)."""
        vectors = answers[0][0].logits[: 2 * self.width].reshape(2, -1).astype(np.float64)
        there = {name: vectors[place] for place, name in enumerate(self.of) if row.get(name) not in (None, "")}
        value: dict[str, Any] = {name: [round(float(n), 6) for n in own] for name, own in there.items()}
        if len(there) == 2:
            value["cosine"] = round(float(vectors[0] @ vectors[1]), 6)
        return Prediction(value)

    def judge(self, rows: Iterable[Row], predictions: Sequence[Prediction]) -> Judged:
        """How often partners find each other among all rows, both ways."""
        one, two = (np.array([each.value[name] for each in predictions]) for name in self.of)
        numbers = np.array([[same(row[name]) for name in self.of] for row in rows])
        measure = Recalls(one, two, numbers[:, 0], numbers[:, 1])
        details = {"ways": {f"{a} to {b}": found for (a, b), found in zip(self._ways(), measure.by_way(), strict=True)}}
        return Judged(measure, details, [bool(rank > 1) for rank in measure.ranks.max(0)])

    def _ways(self) -> list[tuple[str, str]]:
        return [self.of, self.of[::-1]]


def same(value: Any) -> int:
    """63 bits of a value, equal for equal ones."""
    return int.from_bytes(sha256(str(value).strip().encode()).digest()[:8], "big") >> 33
