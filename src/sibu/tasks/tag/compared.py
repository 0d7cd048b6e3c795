"""Kinds of words by their meaning alone: each word takes the nearest description. Needs no labelled row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from sibu.core.errors import MissingExtra
from sibu.core.example import Row, is_cjk, join_tokens
from sibu.core.protocols import Features, Found, HeadPlace, State, WindowOutput
from sibu.core.result import Prediction
from sibu.core.text import TextInput, Window
from sibu.core.units import chinese_words, units
from sibu.tasks._inner import Answered

if TYPE_CHECKING:
    from torch import Tensor

    from sibu.core.tensors import Output
    from sibu.nn.labels import LabelVectors
    from sibu.tasks.tag import ComparedSpec
    from sibu.tasks.tag.task import Tag

SCALE = 20.0
"""Similarities times this are the scores."""
NOTHING = (
    "a verb", "an adjective", "a number", "a common word", "a date", "a function word", "punctuation", "a thing",
)  # fmt: skip
NOTHING_CHINESE = ("动词", "形容词", "数字", "常用词", "日期", "虚词", "标点符号", "物品")
"""What words are that have no label."""


class Compared(Answered):
    """A tagger that reads each word alone.

    Args:
        inner: The task as a head of its own would answer it: its columns, checks and metrics hold.
        spec: The options.
        descriptions: What the labels mean.
    """

    writes = False
    features = ()

    def __init__(self, inner: Tag, spec: ComparedSpec, descriptions: Mapping[str, str | Sequence[str]]) -> None:
        super().__init__(inner)
        self.inner: Tag = inner
        self.spec = spec
        self.descriptions = descriptions
        self.columns, self.needs = inner.columns, inner.needs

    @property
    def state(self) -> State:
        """The labels."""
        return self.inner.state

    def learn(self, rows: Iterable[Row]) -> None:
        """The labels, as the task itself does."""
        self.inner.learn(rows)

    def check(self, row: Row, windows: Sequence[Sequence[Window]]) -> Iterator[Found]:  # noqa: ARG002
        """As the task itself does, but for places in a window."""
        yield from self.inner.check(row, ())

    def said(self) -> list[tuple[int, str]]:
        """The number of a label (-1: none) and what is said of it, for each description."""
        names = [self.descriptions.get(name, name) for name in self.inner.labels]
        own = [(number, word) for number, words in enumerate(names) for word in _several(words)]
        chinese = any(is_cjk(letter) for _, word in own for letter in word)
        nothing = self.spec.nothing or (NOTHING_CHINESE if chinese else NOTHING)
        return own + [(-1, word) for word in nothing]

    @property
    def words(self) -> list[tuple[str]]:
        """Each description on its own."""
        return [(word,) for _, word in self.said()]

    def inputs(self, row: Row) -> Sequence[TextInput]:
        """Each word as a text."""
        text, places = _words(row)
        return [TextInput(text[start:end]) for start, end in places]

    def targets(self, row: Row, number: int, window: Window, *, gold: bool) -> Features:  # noqa: ARG002
        """None: nothing is learned."""
        return {}

    def head(self, width: int) -> LabelVectors:
        """The vector of each description."""
        from sibu.nn.labels import LabelVectors

        place = HeadPlace(width, len(self.said()), "mean", 0.0, False)
        return LabelVectors(place, templates=("{}",), scale=SCALE)

    def loss(self, output: Output, targets: Mapping[str, Tensor]) -> Tensor:  # noqa: ARG002
        """None: nothing is learned."""
        raise TypeError("a task that compares words learns nothing")

    def chances(self, answers: Sequence[Sequence[WindowOutput]]) -> np.ndarray:
        """Probabilities of no label and of each, for every word, ``(words, 1 + L)``."""
        of = np.array([number for number, _ in self.said()])
        scores = np.zeros((len(answers), 1 + len(self.inner.labels)))
        for place, windows in enumerate(answers):
            own = windows[0].logits.astype(np.float64)
            scores[place] = [own[of == number].max() for number in range(-1, len(self.inner.labels))]
        scores[:, 0] += self.spec.margin * SCALE
        found = np.exp(scores - scores.max(1, keepdims=True, initial=0))
        return np.asarray(found / found.sum(1, keepdims=True))

    def decode(self, row: Row, answers: Sequence[Sequence[WindowOutput]]) -> Prediction:
        """Runs of words with one label."""
        text, places = _words(row)
        tokens = None if row.get("tokens") is None else join_tokens(row["tokens"])[1]
        chances = self.chances(answers)
        best = chances.argmax(1) - 1
        found: list[dict[str, Any]] = []
        for label, group in groupby(range(len(places)), key=lambda place: int(best[place])):
            run = list(group)
            if label < 0:
                continue
            start, end = places[run[0]][0], places[run[-1]][1]
            item: dict[str, Any] = {"start": start, "end": end, "label": self.inner.labels.names[label]}
            if tokens is not None:
                touched = [n for n, (first, last) in enumerate(tokens) if first < end and last > start]
                item |= {"start": tokens[touched[0]][0], "end": tokens[touched[-1]][1]}
                item |= {"token_start": touched[0], "token_end": touched[-1] + 1}
            item["text"] = text[item["start"] : item["end"]]
            found.append(item | {"score": round(float(chances[run, label + 1].mean()), 6)})
        return Prediction(found, min((item["score"] for item in found), default=None))


def _several(words: str | Sequence[str]) -> Sequence[str]:
    return (words,) if isinstance(words, str) else words


def _words(row: Row) -> tuple[str, Sequence[tuple[int, int]]]:
    """A row's text and its words; of data in tokens these, where they are not single Chinese characters."""
    text, tokens = (row["text"], None) if row.get("tokens") is None else join_tokens(row["tokens"])
    if not any(map(is_cjk, text)):
        return text, units(text) if tokens is None else tuple(tokens)
    if find_spec("jieba") is None:
        raise MissingExtra("`compared` for Chinese", "jieba", "chinese")
    return text, chinese_words(text)
