"""What frozen layers answer is computed once for each text and kept on disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from sibu.core.tensors import HIDDEN, Encoded
from sibu.core.text import Feature
from sibu.models.sources import hash_model
from sibu.pipeline.data import Kept, Rows
from sibu.pipeline.progress import Progress
from sibu.store.cache import cached
from sibu.store.hashes import hash_code, hash_json
from sibu.store.ragged import RaggedArrays, RaggedWriter
from sibu.train.batches import Stream, collate, forward_budget, split_by_budget, values_together

if TYPE_CHECKING:
    from sibu.core.protocols import Adapted
    from sibu.core.values import ValueModality
    from sibu.pipeline.assemble import Model
    from sibu.pipeline.plan import Plan

TOGETHER = 32
"""Values encoded at a time."""
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


def precompute_values(
    plan: Plan, encoders: Mapping[str, Any], parts: Mapping[str, Adapted], device: torch.device, progress: Progress
) -> None:
    """Vectors in place of the values of each modality whose pretrained encoder stays as it is, of all rows of a run.

    They are kept by content, so that another run with the same model finds them.
    """
    for name, modality in plan.values.items():
        encoder = encoders[name]
        if not encoder.pretrained or encoder.added() or parts[name].frozen_layers < len(encoder.layers()):
            continue
        weights = hash_model(encoder.folder)

        def ready(rows: Rows, name: str = name, modality: ValueModality = modality, weights: str = weights) -> Rows:
            kept = rows.kept[name]
            key = hash_json([hash_code(), kept.key, modality.key, weights])
            encode = partial(_encoded_values, encoders[name].to(device), modality, kept, device, progress, name)
            arrays = RaggedArrays(cached("frozen", key, encode))
            return replace(rows, kept={**rows.kept, name: Kept(arrays, kept.digests, key, source=kept)})

        for each in plan.tasks.values():
            each.splits = {split: ready(rows) if name in rows.kept else rows for split, rows in each.splits.items()}
            if each.learned is not None and name in each.learned.kept:
                each.learned = ready(each.learned)


def _encoded_values(
    encoder: Any, modality: ValueModality, kept: Kept, device: torch.device, progress: Progress, name: str, folder: Path
) -> None:
    encoder.eval()
    feature = Feature(HIDDEN, "float32", "token", width=int(encoder.width))
    count = len(kept.digests)
    with RaggedWriter(folder, [feature]) as writer, progress.bar(f"{name}: computing vectors", count) as advance:
        for start in range(0, count, TOGETHER):
            numbers = range(start, min(start + TOGETHER, count))
            there = [number for number in numbers if kept.digests[number]]
            found: dict[int, np.ndarray] = {}
            if there:
                values = values_together([kept.of(number) for number in there], modality.features)
                with torch.inference_mode():
                    encoded = encoder({key: value.to(device) for key, value in values.items()})
                for number, own, mask in zip(there, encoded.vectors, encoded.mask, strict=True):
                    found[number] = own[mask].float().cpu().numpy()
            for number in numbers:
                writer.append({HIDDEN: found[number].reshape(-1)} if number in found else {})
            advance(len(numbers))


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
