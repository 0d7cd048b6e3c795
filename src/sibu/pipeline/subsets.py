"""What each modality does for the answers: shares by Shapley, and figures for every subset and under noise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from math import factorial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from sibu.core.example import Row
from sibu.core.protocols import Features, Task
from sibu.core.result import Evidence, Prediction
from sibu.core.text import AnyInput, Window
from sibu.pipeline.assemble import without
from sibu.pipeline.mixed import NOTHING, Mixed
from sibu.train.seed import generator

if TYPE_CHECKING:
    from torch import Tensor

    from sibu.core.tensors import Batch, Encoded
    from sibu.pipeline.assemble import Model

KIND = "modality"
"""Kind of the evidence that says what a modality did for an answer."""
MOST = 2000
"""Rows by which figures of subsets are told; of more the first."""
NOISED = 0.5
"""Share of a text's pieces that noise puts others in the place of."""


def joins(model: Any, task: Task) -> bool:
    """Whether a task's answers come of several modalities, any of which may be missing."""
    return len(getattr(model, "encoders", ())) > 1 and bool(getattr(task, "any_modality", False))


def subsets(names: Sequence[str]) -> list[frozenset[str]]:
    """Every subset, the smallest first."""
    return [frozenset(each) for size in range(len(names) + 1) for each in combinations(names, size)]


def logits_of_subsets(
    model: Model, name: str, parts: Mapping[str, Encoded], batch: Batch, features: Mapping[str, Tensor]
) -> dict[frozenset[str], np.ndarray]:
    """What the head says of each subset of a batch's modalities, ``(B, C)``."""
    found = {}
    for kept in subsets(list(parts)):
        gone = torch.ones(batch.size, dtype=torch.bool, device=next(iter(parts.values())).mask.device)
        own = {field: part if field in kept else without(part, gone) for field, part in parts.items()}
        found[kept] = model.answer(own, batch.inputs, name, features).logits.float().cpu().numpy()
    return found


@dataclass(slots=True)
class Shares:
    """What each modality adds to each answer: its Shapley value over all subsets of the others.

    Of a label its probability counts, of several labels the mean probability of what is said of each, of a number the
    number. The shares of an answer sum up to its value less that of an answer to nothing. Source: Shapley, 1953;
    Štrumbelj and Kononenko, 2014, doi:10.1007/s10115-013-0679-x.
    """

    task: Task
    found: dict[int, dict[str, float]] = field(default_factory=dict)
    """By row."""

    def __call__(self, rows: Sequence[int], said: Mapping[frozenset[str], np.ndarray]) -> None:
        """Take what the head says of each subset of some rows' modalities."""
        names = sorted(set().union(*said))
        whole = said[frozenset(names)]
        values = {kept: self._value(logits, whole) for kept, logits in said.items()}
        for place, row in enumerate(rows):
            own = {kept: float(value[place]) for kept, value in values.items()}
            self.found[row] = shapley(names, own)

    def _value(self, logits: np.ndarray, whole: np.ndarray) -> np.ndarray:
        """What counts of each row, ``(B,)``."""
        several = self.task.state.get("multi_label")
        if several is None:
            return logits[:, 0] * float(self.task.state.get("deviation", 1.0))
        if several:
            chances = 1 / (1 + np.exp(-logits.astype(np.float64)))
            given = whole > 0
            return np.asarray(np.where(given, chances, 1 - chances).mean(1))
        shifted = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
        chances = shifted / shifted.sum(1, keepdims=True)
        return np.asarray(chances[np.arange(len(logits)), whole.argmax(1)])

    def told(self, answers: Sequence[Prediction]) -> list[Prediction]:
        """The answers with their shares as evidence."""
        return [
            replace(
                answer,
                evidence=(
                    *answer.evidence,
                    *(Evidence(KIND, name, round(own, 6)) for name, own in self.found.get(row, {}).items()),
                ),
            )
            for row, answer in enumerate(answers)
        ]


def shapley(names: Sequence[str], values: Mapping[frozenset[str], float]) -> dict[str, float]:
    """The Shapley value of each name, given the value of every subset."""
    count, found = len(names), {}
    orders = [factorial(size) * factorial(count - size - 1) / factorial(count) for size in range(count)]
    for name in names:
        others = subsets([each for each in names if each != name])
        found[name] = sum(orders[len(kept)] * (values[kept | {name}] - values[kept]) for kept in others)
    return found


class Partly(Mixed):
    """A run's inputs of which only some modalities are read, or some under noise.

    Args:
        whole: What prepares all of them.
        keep: The modalities that are read.
        noise: Those that get noise as strong as what they hold (of texts half the pieces are others).
    """

    def __init__(self, whole: Mixed, *, keep: frozenset[str], noise: frozenset[str] = frozenset()) -> None:
        super().__init__(whole.inner, whole.values, whole.alignments)
        self.keep, self.noise = keep, noise

    def _there(self, source: AnyInput) -> bool:
        return "text" in self.keep and super()._there(source)

    def arrays(self, window: Window, source: AnyInput) -> Features:
        """The text's arrays; under noise half of its pieces are others."""
        found = super().arrays(window, source)
        if "text" not in self.noise or window is NOTHING or self.pieces is None:
            return found
        ids = np.array(found["input_ids"])
        draw = generator(0, "noise", *window.input_ids[:8], len(ids))
        changed = (np.array(window.segments) > 0) & (draw.random(len(ids)) < NOISED)
        ids[changed] = draw.choice(self.pieces.plain, changed.sum())
        return {**found, "input_ids": ids}

    def values_of(self, row: Row) -> dict[str, Features]:
        """The arrays of the values that are read."""
        own = {name: arrays for name, arrays in super().values_of(row).items() if name in self.keep}
        for name in self.noise & set(own):
            draw = generator(0, "noise", name, str(row[name]))
            held = row[name]
            own[name] = self.values[name].noised(own[name] if held.source is None else held.source(), draw)
        return own


def variants(text: Mixed) -> Iterator[tuple[str, dict[str, Any], Partly]]:
    """Every subset of the modalities, and noise on each: ``of`` or ``noise``, what it is, and the inputs."""
    names = [*(["text"] if text.inner is not None else []), *text.values]
    for kept in subsets(names)[1:]:
        yield "of", {"of": [name for name in names if name in kept]}, Partly(text, keep=kept)
    for name in names:
        noised = Partly(text, keep=frozenset(names), noise=frozenset({name}))
        yield "noise", {"noise": name}, noised
