"""Texts of which some words are hidden: anew at each step of training, always the same where they judge."""

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
from sibu.pipeline.progress import Progress, Silent
from sibu.train.batches import Stream, forward_budget, split_by_budget, stack
from sibu.train.seed import generator

if TYPE_CHECKING:
    from sibu.pipeline.assemble import Model

CHUNK = 512
"""Rows judged at a time."""
JUDGED = 0
"""The seed of what is hidden where texts judge: the same in every run, so that figures can be compared."""


def corrupts(task: Any) -> bool:
    """Whether a task hides words of its texts."""
    return hasattr(task, "corrupt")


class Corrupter:
    """Makes batches; in those of a task that hides words, other words are hidden at each step.

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
        return hidden(self._tasks[name], name, batch, batch.targets[name]["words"], draws)


def hidden(task: Any, name: str, batch: Batch, words: Tensor, draws: Sequence[np.random.Generator]) -> Batch:
    """The batch with some words hidden, each row by its own draws; what was hidden are the targets."""
    ids = batch.inputs["text"]["input_ids"].numpy()
    pairs = [task.corrupt(own, numbers, draw) for own, numbers, draw in zip(ids, words.numpy(), draws, strict=True)]
    shown, labels = (torch.from_numpy(np.stack(part)) for part in zip(*pairs, strict=True))
    inputs = {"text": dict(batch.inputs["text"]) | {"input_ids": shown}}
    return Batch(inputs, {name: {"labels": labels}}, size=batch.size, tokens=batch.tokens)


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
    """How well the hidden words of each row are told."""
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
                batch = hidden(task, name, Batch({"text": own}, {}, size=len(group)), words, draws).to(device)
                with torch.inference_mode():
                    found[group] = model(batch)[name].logits.float().cpu().numpy()
            for place, (owner, window) in enumerate(zip(owners, windows, strict=True)):
                outputs[owner].append(WindowOutput(window, found[place]))
            begun += len(windows)
            yield from (task.decode(row, [each]) for row, each in zip(chunk, outputs, strict=True))
            advance(len(chunk))
