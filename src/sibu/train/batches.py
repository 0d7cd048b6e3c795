"""Batches by token budget: texts of like length together, padded to the longest of the batch alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from sibu.core.tensors import HIDDEN, Batch
from sibu.core.text import Feature
from sibu.store.ragged import RaggedArrays
from sibu.train.seed import generator
from sibu.train.spec import WHOLE


@dataclass(frozen=True, slots=True)
class Beside:
    """A modality's arrays of the values that go along with windows."""

    arrays: RaggedArrays
    numbers: np.ndarray
    """Which of them belongs to each record. Shape ``(records,)``."""
    features: Sequence[Feature]
    """Those that a value has."""

    def of(self, records: np.ndarray) -> list[dict[str, np.ndarray]]:
        """The arrays of some records' values; empty where there is none."""
        return [self.arrays.record(int(number)) for number in self.numbers[records]]


@dataclass(frozen=True, slots=True)
class Stream:
    """Windows that are encoded once for one or several tasks."""

    name: str
    inputs: RaggedArrays
    """The modality's arrays, ``input_ids`` among them."""
    targets: Mapping[str, RaggedArrays]
    """The arrays of each task, record for record beside ``inputs``."""
    lengths: np.ndarray
    """Pieces of each record, which batches are planned by. Shape ``(records,)``."""
    modality: str = "text"
    beside: Mapping[str, Beside] = field(default_factory=dict)
    """The other modalities' arrays."""
    packed: bool = False
    """Whether the encoder computes texts side by side, without their padding: it does not count then."""
    group: int = 1
    """Records that stay together, in order: a batch holds whole groups."""
    kinds: np.ndarray | None = None
    """A number for the label of each record, where batches are to hold several of each that they hold; None: they are
    drawn without regard to it. Shape ``(records,)``."""

    def __len__(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True, slots=True)
class Budget:
    """How large a batch may be."""

    tokens: int
    """Pieces with their padding; of packed texts without, and of up to ``WHOLE`` records that are drawn by kinds."""
    examples: int | None = None
    """Windows; None: no bound of its own."""


def forward_budget(device: torch.device) -> Budget:
    """The batch size of passes without gradients.

    A processor is fastest while a layer's vectors stay in its cache: on CPU 1,024 pieces took two thirds of the time of
    8,192 (22.7 M weights, short texts; 512 was no better). A GPU wants many at once.
    """
    return Budget(1024 if device.type == "cpu" else 8192)


def plan_epoch(
    lengths: np.ndarray, budget: Budget, *, seed: int, epoch: int, stream: str = "", packed: bool = False
) -> list[np.ndarray]:
    """The batches of one epoch, as record numbers, in the order they are drawn.

    Records are shuffled, sorted by length within chunks of about fifty batches (so that batches differ between epochs),
    cut where the budget is reached, and the batches shuffled again. Packed ones need no like length: they are cut as
    they were shuffled.

    Args:
        lengths: Length of each record. Shape ``(records,)``.
        budget: Size of a batch; a record longer than the budget gets a batch of its own.
        seed: The run's seed.
        epoch: Number of the epoch, from 0.
        stream: Name of the stream, so that two streams differ.
        packed: Whether padding costs nothing.
    """
    draw = generator(seed, "epoch", epoch, stream)
    order = draw.permutation(len(lengths))
    if packed:
        return fill_by_budget(order, lengths, budget)
    average = max(float(lengths.mean()) if len(lengths) else 1.0, 1.0)
    chunk = max(int(50 * budget.tokens / average), 1)
    batches: list[np.ndarray] = []
    for start in range(0, len(order), chunk):
        part = order[start : start + chunk]
        part = part[np.argsort(lengths[part], kind="stable")[::-1]]
        batches += split_by_budget(part, lengths, budget)
    return [batches[place] for place in draw.permutation(len(batches))]


TOGETHER = 4
"""Records of one kind that go into a batch together."""


def plan_pairs(
    lengths: np.ndarray, kinds: np.ndarray, budget: Budget, *, seed: int, epoch: int, stream: str = ""
) -> list[np.ndarray]:
    """As ``plan_epoch``, where records of one kind come in groups of up to ``TOGETHER``, also several in a batch.

    So every record meets others of its kind: a batch of B records has about ``2 x B`` pairs of one kind and some
    ``B x B / 2`` of different ones, and no list of pairs is ever made. Padding counts in batches of more than ``WHOLE``
    records alone.

    Args:
        lengths: Length of each record. Shape ``(records,)``.
        kinds: The kind of each. Shape ``(records,)``.
        budget: Size of a batch; one run of a kind is never cut.
        seed: The run's seed.
        epoch: Number of the epoch, from 0.
        stream: Name of the stream.
    """
    draw = generator(seed, "pairs", epoch, stream)
    runs: list[np.ndarray] = []
    for kind in np.unique(kinds):
        own = draw.permutation(np.flatnonzero(kinds == kind))
        runs += np.array_split(own, -(-len(own) // TOGETHER))
    batches: list[list[np.ndarray]] = [[]]
    count = longest = held = 0
    for place in draw.permutation(len(runs)):
        run = runs[place]
        longest, count, held = max(longest, int(lengths[run].max())), count + len(run), held + int(lengths[run].sum())
        size = held if count <= WHOLE else longest * count
        if batches[-1] and (size > budget.tokens or count > (budget.examples or count)):
            batches.append([])
            longest, count, held = int(lengths[run].max()), len(run), int(lengths[run].sum())
        batches[-1].append(run)
    return [np.concatenate(batch) for batch in batches if batch]


def split_by_budget(order: np.ndarray, lengths: np.ndarray, budget: Budget) -> list[np.ndarray]:
    """Cut records (longest first) into batches of at most the budget."""
    batches, start = [], 0
    while start < len(order):
        longest = max(int(lengths[order[start]]), 1)
        size = max(budget.tokens // longest, 1)
        if budget.examples is not None:
            size = min(size, budget.examples)
        batches.append(order[start : start + size])
        start += size
    return batches


def fill_by_budget(order: np.ndarray, lengths: np.ndarray, budget: Budget) -> list[np.ndarray]:
    """Cut records into batches of at most the budget, their padding not counted; one longer than it stands alone."""
    batches, start, held = [], 0, 0
    most = budget.examples or len(order)
    for place, length in enumerate(lengths[order].tolist()):
        if place > start and (held + length > budget.tokens or place - start == most):
            batches.append(order[start:place])
            start, held = place, 0
        held += length
    return [*batches, order[start:]] if start < len(order) else batches


def collate(stream: Stream, records: np.ndarray) -> Batch:
    """One batch of a stream's records, padded to the longest."""
    inputs: dict[str, dict[str, Tensor]] = {}
    lengths, width = [0] * len(records), 0
    if stream.inputs.present:
        first = stream.inputs.present[0]
        lengths = [len(stream.inputs.get(first.name, record)) // first.width for record in records]
        width = max(lengths)
        own = _stack(stream.inputs, records, width)
        own["mask"] = torch.arange(width).unsqueeze(0) < torch.tensor(lengths).unsqueeze(1)
        inputs[stream.modality] = own
    for name, beside in stream.beside.items():
        inputs[name] = values_together(beside.of(records), beside.features)
    targets = {task: _stack(arrays, records, width) for task, arrays in stream.targets.items()}
    tokens = sum(lengths) if stream.packed else len(records) * width
    if stream.beside:
        tokens += int((stream.lengths[records] - np.array(lengths)).sum())
    return Batch(inputs, targets, size=len(records), tokens=tokens)


def values_together(values: Sequence[Mapping[str, np.ndarray]], features: Sequence[Feature]) -> dict[str, Tensor]:
    """The values of some rows as one modality's tensors, zeros where a row has none.

    Returns:
        Each feature, by window ``(B, K)``, by token padded to its own longest, ``(B, T)`` or ``(B, T, width)``; and
        ``mask``: that of the first feature by token, or ``(B, 1)``. Other features by token have ``<name>_mask``.
    """
    if known := [own[HIDDEN] for own in values if HIDDEN in own]:
        features = [Feature(HIDDEN, "float32", "token", width=known[0].shape[-1])]
    there = torch.tensor([any(len(part) for part in own.values()) for own in values])
    found: dict[str, Tensor] = {}
    for feature in features:
        parts = [np.asarray(own.get(feature.name, np.zeros(0))).reshape(-1) for own in values]
        if feature.per == "window":
            size = max(len(part) for part in parts)
            parts = [part if len(part) else np.zeros(size) for part in parts]
            found[feature.name] = torch.from_numpy(np.stack([np.asarray(part, feature.dtype) for part in parts]))
            continue
        lengths = torch.tensor([len(part) // feature.width for part in parts])
        longest = int(lengths.max())
        found[feature.name] = stack(parts, feature, longest)
        mask = "mask" if "mask" not in found else f"{feature.name}_mask"
        found[mask] = torch.arange(longest).unsqueeze(0) < lengths.unsqueeze(1)
    return {"mask": there.unsqueeze(1), **found}


def _stack(arrays: RaggedArrays, records: np.ndarray, width: int) -> dict[str, Tensor]:
    return {
        feature.name: stack([arrays.get(feature.name, record) for record in records], feature, width)
        for feature in arrays.present
    }


def stack(parts: Sequence[np.ndarray], feature: Feature, width: int) -> Tensor:
    """One feature of several records as a tensor.

    Returns:
        ``(B, T)`` (or ``(B, T, width)``) padded for features by token, ``(B, A)`` for those by piece of the answer;
        ``(B,)`` or ``(B, K)`` for features by window.
    """
    if feature.per == "answer":
        width = max(len(part) for part in parts)
    if feature.per != "window":
        padded = np.full((len(parts), width * feature.width), feature.pad, dtype=feature.dtype)
        for row, part in zip(padded, parts, strict=True):
            row[: len(part)] = part
        return torch.from_numpy(padded if feature.width == 1 else padded.reshape(len(parts), width, feature.width))
    stacked = np.stack([np.asarray(part, dtype=feature.dtype).reshape(-1) for part in parts])
    return torch.from_numpy(stacked[:, 0] if stacked.shape[1] == 1 and feature.dtype == "int64" else stacked)


class Schedule:
    """Which batch each step of a run sees: a function of the seed and the step's number alone.

    Args:
        streams: The tasks' windows.
        budget: Size of a batch.
        sampling: ``proportional`` (every batch of every stream once an epoch), ``square_root`` or ``uniform`` (streams
            drawn by size to the power 0.5 or 0, each going through its own epochs).
        seed: The run's seed.
    """

    def __init__(self, streams: Sequence[Stream], *, budget: Budget, sampling: str, seed: int) -> None:
        self.streams = list(streams)
        self.budget = budget
        self.sampling = sampling
        self.seed = seed
        self.lengths = [stream.lengths for stream in streams]
        self.steps_per_epoch = sum(len(self._plan(number, 0)) for number in range(len(streams)))
        """Batches of the first epoch; the others may have some more or less."""

    def _plan(self, stream: int, epoch: int) -> list[np.ndarray]:
        own, lengths = self.streams[stream], self.lengths[stream]
        named = {"seed": self.seed, "epoch": epoch}
        if own.kinds is not None:
            return plan_pairs(lengths, own.kinds, self.budget, stream=own.name, **named)
        if own.group == 1:
            return plan_epoch(lengths, self.budget, stream=own.name, packed=own.packed, **named)
        together = lengths.reshape(-1, own.group)
        sizes = together.sum(1) if own.packed else together.max(1) * own.group
        most = self.budget.examples
        budget = Budget(self.budget.tokens, None if most is None else max(most // own.group, 1))
        batches = plan_epoch(sizes, budget, stream=own.name, packed=own.packed, **named)
        return [(batch[:, None] * own.group + np.arange(own.group)).reshape(-1) for batch in batches]

    def batches(self, epoch: int) -> int:
        """How many batches an epoch has."""
        if self.sampling == "proportional" or len(self.streams) == 1:
            return sum(len(self._plan(stream, epoch)) for stream in range(len(self.streams)))
        return self.steps_per_epoch

    def epoch(self, number: int) -> Iterator[tuple[Stream, np.ndarray]]:
        """The batches of one epoch, in order."""
        if self.sampling == "proportional" or len(self.streams) == 1:
            plans = [self._plan(stream, number) for stream in range(len(self.streams))]
            turns = np.repeat(np.arange(len(plans)), [len(plan) for plan in plans])
            turns = generator(self.seed, "turns", number).permutation(turns)
            taken = [iter(plan) for plan in plans]
            for turn in turns:
                yield self.streams[turn], next(taken[turn])
            return
        power = {"square_root": 0.5, "uniform": 0.0}[self.sampling]
        sizes = np.array([len(stream) for stream in self.streams], dtype=float) ** power
        turns = generator(self.seed, "turns", number).choice(
            len(self.streams), size=self.steps_per_epoch, p=sizes / sizes.sum()
        )
        endless = [self._endless(stream, number) for stream in range(len(self.streams))]
        for turn in turns:
            yield self.streams[turn], next(endless[turn])

    def _endless(self, stream: int, epoch: int) -> Iterator[np.ndarray]:
        """A stream's batches for one epoch of the run, begun anew (in another order) as often as needed."""
        round_ = 0
        while True:
            yield from self._plan(stream, epoch * 1000 + round_)
            round_ += 1
