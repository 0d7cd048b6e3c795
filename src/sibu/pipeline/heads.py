"""Heads that begin from words, and heads that are fitted to the training rows' vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

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
    device = next(model.parameters()).device
    for name, stream in fitted(model, streams):
        head: Any = model.heads[name]
        model.eval()
        order = np.argsort(stream.lengths, kind="stable")[::-1]
        vectors: Tensor | None = None
        targets: Tensor | None = None
        with progress.bar(f"{name}: fitting the head", len(stream)) as advance, torch.inference_mode():
            for group in split_by_budget(order, stream.lengths, forward_budget(device)):
                batch = collate(stream, group).to(device)
                own = batch.targets[name]
                found = head.reduce(model.encode(batch.inputs), own).vectors[:, 0].float()
                if vectors is None or targets is None:
                    vectors = found.new_empty((len(stream), found.shape[1]))
                    targets = own["label"].new_empty((len(stream), *own["label"].shape[1:]))
                places = torch.from_numpy(group.copy()).to(device)
                vectors[places], targets[places] = found, own["label"]
                advance(len(group))
        if vectors is not None and targets is not None:
            head.fit(vectors.clone(), targets.clone())
