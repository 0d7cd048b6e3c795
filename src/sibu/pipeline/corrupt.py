"""Texts of which some words are hidden or gone: anew at each step of training, always the same where they judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from sibu.core.example import Row
from sibu.core.protocols import Modality, Task, WindowOutput
from sibu.core.result import Prediction
from sibu.core.tensors import Batch
from sibu.core.text import Feature
from sibu.nn.likelihood import IGNORED
from sibu.pipeline.progress import Progress, Silent
from sibu.train.batches import Stream, forward_budget, split_by_budget, stack
from sibu.train.seed import generator

if TYPE_CHECKING:
    from sibu.pipeline.assemble import Model

CHUNK = 512
"""Rows judged at a time."""
JUDGED = 0
"""The seed of what is hidden where texts judge: the same in every run, so that figures can be compared."""
GONE = -1
"""Stands where a piece was taken out; those behind it move up."""


def corrupts(task: Any) -> bool:
    """Whether a task hides words of its texts, or takes them out."""
    return hasattr(task, "corrupt")


class Corrupter:
    """Makes batches; in those of a task that hides words or takes them out, other words at each step.

    Args:
        tasks: The run's tasks.
        seed: The run's seed.
        make: Makes a batch as it is.
    """

    def __init__(self, tasks: Mapping[str, Task], seed: int, make: Callable[[Stream, np.ndarray, int], Batch]) -> None:
        self._tasks = {name: task for name, task in tasks.items() if corrupts(task)}
        self._seed = seed
        self._make = make

    def __call__(self, stream: Stream, records: np.ndarray, step: int) -> Batch:
        """The batch of some records of a stream at a step."""
        batch = self._make(stream, records, step)
        name = next((name for name in stream.targets if name in self._tasks), None)
        if name is None:
            return batch
        draws = [generator(self._seed, "corrupt", name, step, int(record)) for record in records]
        own = self._tasks[name], name, batch, batch.targets[name]["words"], draws
        return hidden(*own, features=stream.inputs.present)


def hidden(
    task: Any,
    name: str,
    batch: Batch,
    words: Tensor,
    draws: Sequence[np.random.Generator],
    *,
    features: Sequence[Feature],
) -> Batch:
    """The batch with some words hidden or taken out, each row by its own draws; what is to be told are the targets.

    Args:
        task: Hides them: pieces and words of a row to the pieces as the model sees them (``GONE`` where none is left)
            and those to be told, -100 elsewhere; of both what stands at padding does not count.
        name: Its name.
        batch: As it is.
        words: The word of each piece, -1: none. Shape ``(B, T)``.
        draws: One for each row.
        features: The modality's arrays, with what fills the places beyond a text.
    """
    whole = batch.inputs["text"]
    ids = whole["input_ids"].numpy()
    pairs = [task.corrupt(own, numbers, draw) for own, numbers, draw in zip(ids, words.numpy(), draws, strict=True)]
    shown, labels = (torch.from_numpy(np.stack(part)) for part in zip(*pairs, strict=True))
    inputs = dict(whole) | {"input_ids": shown}
    if bool((shown == GONE).any()):
        inputs = _moved_up(inputs, features)
    targets = {name: {"labels": labels.masked_fill(~whole["mask"], IGNORED)}}
    return Batch({"text": inputs}, targets, size=batch.size, tokens=batch.tokens)


def _moved_up(inputs: Mapping[str, Tensor], features: Sequence[Feature]) -> dict[str, Tensor]:
    """Texts without the pieces that are gone, padded to the longest that is left."""
    left = inputs["mask"] & (inputs["input_ids"] != GONE)
    lengths = left.sum(1)
    width = int(lengths.max())
    order = torch.argsort(~left, dim=1, stable=True)[:, :width]
    mask = torch.arange(width).unsqueeze(0) < lengths.unsqueeze(1)
    pads = {feature.name: feature.pad for feature in features}
    moved = {
        name: values.gather(1, order).masked_fill(~mask, pads[name])
        for name, values in inputs.items()
        if name != "mask"
    }
    return moved | {"mask": mask}


def judged_texts(
    model: Model,
    name: str,
    task: Task,
    text: Modality,
    rows: Iterable[Row],
    *,
    progress: Progress | None,
    total: int | None,
    what: str,
) -> Iterator[Prediction]:
    """How well each row's words that are hidden or gone are told."""
    source, begun = iter(rows), 0
    device = next(model.parameters()).device
    model.eval()
    with (progress or Silent()).bar(what, total) as advance:
        while chunk := list(islice(source, CHUNK)):
            inputs = [task.inputs(row)[0] for row in chunk]
            groups = text.prepare(inputs)
            owners = [place for place, group in enumerate(groups) for _ in group]
            windows = [window for group in groups for window in group]
            lengths = np.array([len(window.input_ids) for window in windows], dtype=np.int64)
            outputs: list[list[WindowOutput]] = [[] for _ in chunk]
            found = np.zeros((len(windows), 3))
            for group in split_by_budget(np.argsort(lengths, kind="stable")[::-1], lengths, forward_budget(device)):
                width = int(lengths[group[0]])
                arrays = [text.arrays(windows[place], inputs[owners[place]]) for place in group]
                own = {
                    feature.name: stack([each[feature.name] for each in arrays], feature, width)
                    for feature in text.features
                    if feature.name in arrays[0]
                }
                own["mask"] = torch.arange(width).unsqueeze(0) < torch.from_numpy(lengths[group]).unsqueeze(1)
                asked = [task.targets(chunk[owners[place]], 0, windows[place], gold=True)["words"] for place in group]
                words = stack(asked, task.features[0], width)
                draws = [generator(JUDGED, "judge", begun + int(place)) for place in group]
                plain = Batch({"text": own}, {}, size=len(group))
                batch = hidden(task, name, plain, words, draws, features=text.features).to(device)
                with torch.inference_mode():
                    found[group] = model(batch)[name].logits.float().cpu().numpy()
            for place, (owner, window) in enumerate(zip(owners, windows, strict=True)):
                outputs[owner].append(WindowOutput(window, found[place]))
            begun += len(windows)
            yield from (task.decode(row, [each]) for row, each in zip(chunk, outputs, strict=True))
            advance(len(chunk))
