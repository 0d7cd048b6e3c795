"""Heads that begin from words, and heads that are fitted to the training rows' vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from sibu.core.text import TextInput
from sibu.pipeline.progress import Progress
from sibu.train.batches import Stream, collate, forward_budget, split_by_budget, stack

if TYPE_CHECKING:
    from sibu.pipeline.assemble import Model
    from sibu.pipeline.plan import Plan


def fitted(model: Model, streams: Sequence[Stream]) -> list[tuple[str, Stream]]:
    """The tasks whose head is fitted, each with the stream that it is fitted to."""
    return [
        (name, stream) for stream in streams for name in stream.targets if getattr(model.heads[name], "fits", False)
    ]


def kinds_of(stream: Stream, name: str) -> np.ndarray | None:
    """The label of each record as a number; None where records have several."""
    targets = stream.targets[name]
    feature = next(each for each in targets.present if each.name == "label")
    if feature.dtype != "int64":
        return None
    return np.array([targets.get("label", record)[0] for record in range(len(stream))], dtype=np.int64)


def start_heads(model: Model, plan: Plan) -> None:
    """Begin each head that asks for it from the encoder's vectors of its labels' words."""
    device = next(model.parameters()).device
    model.eval()
    for name, each in plan.tasks.items():
        head: Any = model.heads[name]
        if not hasattr(head, "wordings"):
            continue
        task: Any = each.task
        wordings = [head.wordings(words) for words in task.words]
        sources = [TextInput(text) for group in wordings for text in group]
        windows = [found[0] for found in plan.text.prepare(sources)]
        lengths = np.array([len(window.input_ids) for window in windows], dtype=np.int64)
        order = np.argsort(lengths, kind="stable")[::-1]
        vectors: list[Tensor | None] = [None] * len(windows)
        for group in split_by_budget(order, lengths, forward_budget(device)):
            width = int(lengths[group[0]])
            arrays = [plan.text.arrays(windows[place], sources[place]) for place in group]
            inputs = {
                feature.name: stack([own[feature.name] for own in arrays], feature, width).to(device)
                for feature in plan.text.features
                if feature.name in arrays[0]
            }
            own = torch.from_numpy(lengths[group])
            inputs["mask"] = (torch.arange(width).unsqueeze(0) < own.unsqueeze(1)).to(device)
            with torch.inference_mode():
                found = head.reduce(model.encode({"text": inputs}), {}).vectors[:, 0].clone()
            for place, vector in zip(group, found, strict=True):
                vectors[place] = vector
        ends = np.cumsum([len(group) for group in wordings])
        by_label = [vectors[end - len(group) : end] for group, end in zip(wordings, ends, strict=True)]
        head.start([torch.stack(own) for own in by_label])  # type: ignore[arg-type]


def fit_heads(model: Model, streams: Sequence[Stream], progress: Progress) -> None:
    """Fit each head that asks for it to the vectors that the encoder, as it is now, gives the training rows."""
    for name, stream in fitted(model, streams):
        if len(stream):
            vectors, targets = _vectors(model, name, stream, progress, f"{name}: fitting the head", len(stream))
            head: Any = model.heads[name]
            head.fit(vectors, targets)


def told_by_means(model: Model, name: str, stream: Stream, kinds: np.ndarray, progress: Progress) -> float:
    """How well the nearest mean tells the first rows of a stream, by the encoder as it is now.

    Args:
        model: The model.
        name: The task; its head is one that is fitted.
        stream: The rows.
        kinds: The label of each of so many of its first records, as a number. Shape ``(N,)``, N at least 1.
        progress: Where to tell how far it is.

    Returns:
        Of each label the share of its rows that are nearest to the mean of its other rows, in the mean over labels, in
        [0, 1]: a label of many rows counts no more than one of few. A label's only row has no other, and is not told.
    """
    vectors = normalize(
        _vectors(model, name, stream, progress, f"{name}: what the encoder knows", len(kinds))[0], dim=-1
    )
    numbers, places = np.unique(kinds, return_inverse=True)
    own = torch.from_numpy(places).to(vectors.device)
    counts = torch.bincount(own)
    sums = vectors.new_zeros((len(numbers), vectors.shape[1])).index_add_(0, own, vectors)
    scores = vectors @ normalize(sums, dim=-1).T
    others = (normalize(sums[own] - vectors, dim=-1) * vectors).sum(-1)
    scores[torch.arange(len(own), device=own.device), own] = others.masked_fill(counts[own] == 1, -torch.inf)
    right = torch.bincount(own[scores.argmax(-1) == own], minlength=len(numbers))
    return round(float((right / counts).mean()), 4)


def _vectors(
    model: Model, name: str, stream: Stream, progress: Progress, what: str, count: int
) -> tuple[Tensor, Tensor]:
    """The first training rows' vectors as the head reads them, and their targets, in their order; one at least."""
    device = next(model.parameters()).device
    head: Any = model.heads[name]
    model.eval()
    order = np.argsort(stream.lengths[:count], kind="stable")[::-1]
    found: list[Tensor] = []
    targets: list[Tensor] = []
    places: list[np.ndarray] = []
    with progress.bar(what, count) as advance, torch.inference_mode():
        for group in split_by_budget(order, stream.lengths, forward_budget(device)):
            batch = collate(stream, group).to(device)
            own = batch.targets[name]
            found.append(head.reduce(model.encode(batch.inputs), own).vectors[:, 0].float())
            targets.append(own["label"])
            places.append(group)
            advance(len(group))
        back = torch.from_numpy(np.argsort(np.concatenate(places))).to(device)
    return torch.cat(found)[back].clone(), torch.cat(targets)[back].clone()
