"""Noise on the modalities of training rows: anew at each step, a function of seed, step and record alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from sibu.core.tensors import HIDDEN, Batch
from sibu.core.text import Pieces
from sibu.train.batches import Beside, Stream
from sibu.train.seed import generator

if TYPE_CHECKING:
    from sibu.core.protocols import Features
    from sibu.core.values import ValueModality

OTHERS = 0.5
"""Share of a text's pieces that noise puts others in the place of."""


@dataclass(frozen=True, slots=True)
class Noisy(Beside):
    """A modality's arrays, some with noise."""

    noised: Callable[[Any, np.random.Generator], Any] = lambda arrays, _: arrays
    chance: float = 0.0
    key: tuple[Any, ...] = ()

    def of(self, records: np.ndarray) -> list[dict[str, np.ndarray]]:
        """The arrays of some records' values, those of some under noise."""
        found = []
        for record, arrays in zip(records, Beside.of(self, records), strict=True):
            draw = generator(*self.key, int(record))
            noisy = draw.random() < self.chance and any(len(part) for part in arrays.values())
            found.append(dict(self.noised(arrays, draw)) if noisy else arrays)
        return found


class Noiser:
    """Makes batches in which some rows' modalities have noise.

    Args:
        values: The modalities beside texts.
        pieces: What the text's vocabulary has; None: texts get none.
        chance: How likely each modality of a row gets noise.
        seed: The run's seed.
        make: Makes a batch as it is.
    """

    def __init__(
        self,
        values: Mapping[str, ValueModality],
        pieces: Pieces | None,
        *,
        chance: float,
        seed: int,
        make: Callable[[Stream, np.ndarray, int], Batch],
    ) -> None:
        self._values, self._pieces, self._chance, self._seed, self._make = values, pieces, chance, seed, make

    def __call__(self, stream: Stream, records: np.ndarray, step: int) -> Batch:
        """The batch of some records of a stream at a step."""
        if not self._chance or not stream.beside:
            return self._make(stream, records, step)
        noisy: dict[str, Beside] = {}
        for name, each in stream.beside.items():
            key = (self._seed, "noise", name, step)
            add = _with_vectors(self._values[name])
            noisy[name] = Noisy(each.arrays, each.numbers, each.features, add, self._chance, key)
        batch = self._make(replace(stream, beside=noisy), records, step)
        return self._texts(batch, records, step) if "text" in batch.inputs and self._pieces is not None else batch

    def _texts(self, batch: Batch, records: np.ndarray, step: int) -> Batch:
        """The batch with other pieces in the place of half of some texts'."""
        inputs = dict(batch.inputs["text"])
        if "input_ids" not in inputs or self._pieces is None:  # vectors that were computed before
            return batch
        ids = inputs["input_ids"].numpy().copy()
        plain = self._pieces.plain
        for row, record in enumerate(records):
            draw = generator(self._seed, "noise", "text", step, int(record))
            if draw.random() < self._chance:
                changed = np.isin(ids[row], plain) & inputs["mask"][row].numpy() & (draw.random(ids.shape[1]) < OTHERS)
                ids[row, changed] = draw.choice(plain, int(changed.sum()))
        inputs["input_ids"] = torch.from_numpy(ids)
        return replace(batch, inputs={**batch.inputs, "text": inputs})


def _with_vectors(modality: ValueModality) -> Callable[[Features, np.random.Generator], Features]:
    """A modality's noise; of vectors that were computed before as strong as they are."""

    def noised(arrays: Features, draw: np.random.Generator) -> Features:
        if HIDDEN not in arrays:
            return modality.noised(arrays, draw)
        vectors = arrays[HIDDEN]
        return {**arrays, HIDDEN: vectors + draw.standard_normal(vectors.shape, np.float32) * vectors.std()}

    return noised
