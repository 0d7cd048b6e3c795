"""What frozen layers answer is computed once for each text and kept on disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from sibu.core.tensors import Encoded
from sibu.core.text import Feature
from sibu.pipeline.progress import Progress
from sibu.store.ragged import RaggedArrays, RaggedWriter
from sibu.train.batches import Stream, collate, forward_budget, split_by_budget

if TYPE_CHECKING:
    from sibu.pipeline.assemble import Model

CHUNK = 4096
"""Windows sorted by length at a time."""


def precompute(
    model: Model, streams: Sequence[Stream], frozen_layers: int, folder: Path, progress: Progress
) -> list[Stream]:
    """Streams that start from the vectors behind the frozen layers.

    Where every layer is frozen, each task's stream holds only what its head reads (the pooled vector, say).

    Args:
        model: Its text encoder is told where the vectors enter.
        streams: The streams of windows.
        frozen_layers: How many layers, from the bottom, never change.
        folder: Where the vectors are written.
        progress: Where to tell how far it is.
    """
    encoder: Any = model.encoders["text"]
    encoder.frozen_layers = frozen_layers
    whole = frozen_layers == len(encoder.layers())
    found: list[Stream] = []
    for number, stream in enumerate(streams):
        tasks: list[str | None] = list(stream.targets) if whole else [None]
        for task in tasks:
            place = folder / f"frozen-{number}-{len(found)}"
            place.mkdir(parents=True)
            arrays = _write(model, encoder, stream, task, place, progress)
            targets = stream.targets if task is None else {task: stream.targets[task]}
            name = stream.name if task is None else task
            found.append(replace(stream, name=name, inputs=arrays, targets=targets))
    return found


def _write(
    model: Model, encoder: Any, stream: Stream, task: str | None, folder: Path, progress: Progress
) -> RaggedArrays:
    feature = Feature("hidden", "float32", "token", width=encoder.width)
    with RaggedWriter(folder, [feature]) as writer, progress.bar("computing frozen layers", len(stream)) as advance:
        for start in range(0, len(stream), CHUNK):
            records = np.arange(start, min(start + CHUNK, len(stream)))
            for vectors in _in_order(model, encoder, stream, task, records):
                writer.append({"hidden": vectors})
            advance(len(records))
    return RaggedArrays(folder)


def _in_order(
    model: Model, encoder: Any, stream: Stream, task: str | None, records: np.ndarray
) -> Iterator[np.ndarray]:
    """The vectors of each record, computed in batches of like length, given in order."""
    order = records[np.argsort(stream.lengths[records], kind="stable")[::-1]]
    found: dict[int, np.ndarray] = {}
    device = next(model.parameters()).device
    for group in split_by_budget(order, stream.lengths, forward_budget(device)):
        batch = collate(stream, group).to(device)
        inputs = batch.inputs[stream.modality]
        vectors, lengths = encoder.lower(inputs), stream.lengths[group]
        if task is not None:
            reduced = reduce(model, task, Encoded(vectors, inputs["mask"]), batch.targets[task])
            vectors = reduced.vectors
            lengths = reduced.mask.sum(1).cpu().numpy()
        for record, own, length in zip(group, vectors.float().cpu().numpy(), lengths, strict=True):
            found[int(record)] = own[: int(length)].reshape(-1)
    for record in records:
        yield found.pop(int(record))


@torch.no_grad()
def reduce(model: Model, task: str, encoded: Encoded, features: Mapping[str, Any]) -> Encoded:
    """What a task's head reads of the vectors, before any of its weights."""
    head: Any = model.heads[task]
    reduced: Encoded = head.reduce(encoded, features)
    return reduced


class Memo:
    """Keeps what the heads read of each evaluation batch, while the whole encoder is frozen.

    Args:
        most: Bytes to keep; batches beyond are computed each time.
    """

    def __init__(self, most: int = 1 << 30) -> None:
        self._kept: dict[tuple[str, int, int], Encoded] = {}
        self._left = most

    def get(self, task: str, chunk: int, batch: int) -> Encoded | None:
        """The vectors of a batch, if they were kept."""
        return self._kept.get((task, chunk, batch))

    def put(self, task: str, chunk: int, batch: int, encoded: Encoded) -> None:
        """Keep the vectors of a batch, if there is room."""
        size = encoded.vectors.numel() * encoded.vectors.element_size()
        if size <= self._left:
            self._left -= size
            self._kept[task, chunk, batch] = encoded
