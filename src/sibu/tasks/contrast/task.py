"""Texts with their pairs to vectors, and how well vectors find their pairs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from sibu.core.columns import Column
from sibu.core.example import Row
from sibu.core.protocols import Features, Found, Judged, State, WindowOutput
from sibu.core.result import Evidence, Prediction
from sibu.core.text import Feature, TextInput, Window
from sibu.metrics.embeddings import Embedded, found_pairs
from sibu.tasks._pair import Pairs, check_pair
from sibu.tasks._vector import listed

if TYPE_CHECKING:
    from torch import Tensor, nn

    from sibu.core.tensors import Output

PAIR = "pair"
"""Kind of the evidence that holds a pair's own vector and its cosine: ``{"similarity", "vector"}``."""


class Contrast:
    """See the door plate ``sibu.tasks.contrast`` for the options."""

    writes = False
    columns = (
        Column("text", "text", "input", help="the text"),
        Column("text_pair", "text", "input", help="a text that means the same or belongs to it"),
    )
    needs = (("text",),)
    features = (Feature("number", "int64", "window"),)
    metrics = ("recall_at_1", "uniformity")
    group = 2
    """Records that belong together: a text and its pair, or the text once more."""

    def __init__(self, *, temperature: float, pooling: str, symmetric: bool, state: State | None) -> None:
        self.temperature = temperature
        self.pooling = pooling
        self.symmetric = symmetric
        self.state: State = state or {}

    @property
    def main_metric(self) -> str:
        """Of texts that were trained with pairs whether they find them, of others how evenly they lie."""
        return "uniformity" if self.state["pairs"] == "none" else "recall_at_1"

    @property
    def rate_share(self) -> float:
        """Of the method's rate what texts without pairs are read on at; measured in docs/log.md, 2026-11-27."""
        return 2 / 15 if self.state.get("pairs", "none") == "none" else 1.0

    def learn(self, rows: Iterable[Row]) -> None:
        """Nothing but how many there are, and how many have a pair."""
        pairs = Pairs()
        for row in rows:
            pairs.add(row)
        self.state = {"rows": pairs.rows, "pairs": pairs.share}

    def check(self, row: Row, windows: Sequence[Sequence[Window]]) -> Iterator[Found]:
        """Empty texts, pairs of one text, and where rows train or judge, pairs that are missing."""
        if not row["text"].strip():
            yield "empty input", "error", "the text is empty.", "Remove the row or fill in its text."
        pair = _pair_of(row)
        if pair is not None and _normal(pair) == _normal(row["text"]):
            yield "equal pair", "warning", "the text and its pair are the same.", "Leave such rows out."
        if windows and pair is None:
            yield from check_pair(row, self.state.get("pairs"))

    def inputs(self, row: Row) -> Sequence[TextInput]:
        """The text and its pair, two texts of their own; the text twice where it has none."""
        pair = _pair_of(row)
        return [TextInput(row["text"]), TextInput(row["text"] if pair is None else pair)]

    def asked(self, row: Row) -> Sequence[TextInput]:
        """What is to be encoded where nothing is learned: no text twice."""
        return self.inputs(row)[: 1 if _pair_of(row) is None else 2]

    def targets(self, row: Row, number: int, window: Window, *, gold: bool) -> Features:  # noqa: ARG002
        """A number that texts of the same pieces share."""
        return {"number": np.asarray(_number(window.input_ids), np.int64)} if gold else {}

    def head(self, width: int) -> nn.Module:  # noqa: ARG002
        """Pools; it has no weights."""
        from sibu.tasks.contrast.head import VectorHead

        return VectorHead(pooling=self.pooling)

    def loss(self, output: Output, targets: Mapping[str, Tensor]) -> Tensor:
        """How hard it is for the batch's texts to find their pairs."""
        from sibu.nn.contrastive import matching_loss

        return matching_loss(output.logits, targets["number"], temperature=self.temperature, symmetric=self.symmetric)

    def decode(self, row: Row, answers: Sequence[Sequence[WindowOutput]]) -> Prediction:  # noqa: ARG002
        """The text's unit vector; its pair's goes with it where it has one."""
        own, *others = (group[0].logits for group in answers)
        evidence = tuple(
            Evidence(PAIR, {"similarity": round(float(own @ other), 6), "vector": listed(other)}) for other in others
        )
        return Prediction(listed(own), evidence=evidence)

    def kept(self, prediction: Prediction) -> Prediction:
        """What ``judge`` reads: vectors as arrays, which take an eighth of the memory of lists."""
        pairs = tuple(Evidence(PAIR, _array(each.content["vector"])) for each in prediction.evidence)
        return replace(prediction, value=_array(prediction.value), evidence=pairs)

    def judge(self, rows: Iterable[Row], predictions: Sequence[Prediction]) -> Judged:
        """How many texts find their pair among all pairs of the rows, and how evenly the texts' vectors lie."""
        numbers: dict[str, int] = {}
        texts, others, places = [], [], []
        for place, row in enumerate(rows):
            texts.append(numbers.setdefault(_normal(row["text"]), len(numbers)))
            if (pair := _pair_of(row)) is not None:
                others.append(numbers.setdefault(_normal(pair), len(numbers)))
                places.append(place)
        vectors = np.stack([_array(each.value) for each in predictions])
        own, found = np.array(texts), None
        if places or self.main_metric == "recall_at_1":
            found = np.full(len(texts), np.nan)
        if found is not None and places:
            pairs = np.stack([_array(predictions[place].evidence[0].content) for place in places])
            found[places] = found_pairs(vectors[places], pairs, own[places], np.array(others))
        return Judged(Embedded(vectors, own, found))


def _pair_of(row: Row) -> str | None:
    pair = row.get("text_pair")
    return pair if isinstance(pair, str) and pair.strip() else None


def _normal(text: str) -> str:
    """A text without case and with single blanks: what counts as the same, as at the data gate."""
    return " ".join(text.split()).casefold()


def _number(pieces: Sequence[int]) -> int:
    """31 bits of a text's pieces. Two texts that share them by chance are not told apart where a batch holds both."""
    return int.from_bytes(blake2b(np.asarray(pieces, np.int64).tobytes(), digest_size=4).digest(), "big") >> 1


def _array(vector: Sequence[float]) -> np.ndarray:
    return np.asarray(vector, np.float32)
