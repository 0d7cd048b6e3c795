"""Texts without labels that teach by consistency: a text and a changed copy of it are to get the same answer."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np

from sibu.augmenters import AUGMENTERS
from sibu.core.errors import DataError, Fault, RecipeError, counted, placed_at
from sibu.core.example import Row
from sibu.core.protocols import Modality, Task
from sibu.core.text import Feature
from sibu.pipeline.augment import at_once, by_way, copies_of, models_behind, stored_row, write_rows
from sibu.pipeline.data import Origin, Rows, named_files, read_unlabelled
from sibu.pipeline.gate import input_key
from sibu.pipeline.looked import look
from sibu.pipeline.progress import Progress
from sibu.recipe.schema import Consistency, TaskBlock
from sibu.store.cache import cached
from sibu.store.hashes import hash_code, hash_json
from sibu.store.ragged import RaggedArrays
from sibu.train.seed import derive

if TYPE_CHECKING:
    from torch import Tensor

    from sibu.pipeline.plan import Plan
    from sibu.train.batches import Stream

PAIRED = Feature("paired", "int64", "window")
"""Marks the records of a stream of pairs: a text, then its copy."""


@dataclass(frozen=True, slots=True)
class Doubled:
    """Unlabelled texts, each followed by its copy, encoded."""

    inputs: RaggedArrays
    targets: RaggedArrays
    made: Mapping[str, int]
    """Pairs by the way in which the copy was made, and what was left out: ``none`` could not be changed, ``judged``
    stands in dev or test."""


def doubled(
    name: str,
    block: TaskBlock,
    task: Task,
    origin: Origin,
    text: Modality,
    judged: Sequence[np.ndarray],
    *,
    seed: int,
    progress: Progress,
    encode: bool,
) -> Doubled | None:
    """The pairs of a task's unlabelled texts; None where they were only to be looked at.

    Args:
        name: The task's name.
        block: Its part of the recipe, which asks for consistency.
        task: The task; it knows its labels.
        origin: How its files are read.
        text: The text modality's preparer.
        judged: Keys of the inputs of dev and test: what stands there is not learned from.
        seed: Of the draws.
        progress: Where to tell how far it is.
        encode: Whether they are wanted as arrays.

    Raises:
        RecipeError: When no pair is left.
        DataError: When a text is empty.
    """
    options, files = block.consistency, block.data.unlabelled
    if options is None or files is None:
        raise ValueError("nothing asks for pairs")
    inputs = [column.name for column in task.columns if column.role == "input"]
    rows, _ = read_unlabelled(named_files(files), origin)
    there = np.unique(np.concatenate([np.zeros(0, np.int64), *judged]))
    specs = [[spec.model_dump(mode="json") for spec in options.augment], models_behind(options.augment)]
    label = task.state["labels"][0]  # a row must have one to be encoded; it is never looked at
    key = hash_json([hash_code(), "pairs", rows.key(), specs, seed, label, sha256(there.tobytes()).hexdigest()])

    def make(folder: Path) -> None:
        with placed_at(f"tasks.{name}.consistency.augment"):  # what only shows when a model is read
            _write(folder, rows, options, task, inputs, set(there.tolist()), label, seed, f"{name}: pairs", progress)

    folder = cached("pairs", key, make)
    made: dict[str, int] = json.loads((folder / "about.json").read_text(encoding="utf-8"))["made"]
    ways = {way: count for way, count in made.items() if way not in ("none", "judged")}
    if not any(ways.values()):
        mend = "Give other texts or other ways, or leave `consistency` out."
        judged_on = f" (in dev or test: {made['judged']})" if made.get("judged") else ""
        what = f"of {counted(len(rows), 'text')} without labels none gives a pair{judged_on}."
        raise RecipeError(Fault(f"tasks.{name}.consistency", what, mend))
    if options.augment:
        progress.say(f"{name}: copies of texts without labels: {by_way(ways)}")
    both = Rows(folder, rows.files)
    found = look(task, block.task, both, text, progress, what=f"{name}: looking at the pairs", encode=encode)
    if found.faults.number("error"):
        raise DataError(f"The texts of {name} without labels cannot be learned from:\n{found.faults.first_errors()}")
    if found.inputs is None or found.targets is None:
        return None
    marked = found.targets.with_numbers(PAIRED, np.zeros(len(found.targets), np.int64))
    targets = copy(marked)
    targets.present = (PAIRED,)
    return Doubled(found.inputs, targets, made)


def _write(
    folder: Path,
    rows: Rows,
    options: Consistency,
    task: Task,
    inputs: Sequence[str],
    judged: set[int],
    label: str,
    seed: int,
    what: str,
    progress: Progress,
) -> None:
    ways = [AUGMENTERS.of(spec).build(spec) for spec in options.augment]
    names: list[str] = [spec.name for spec in options.augment] or ["same"]  # type: ignore[attr-defined]
    for way in ways:
        way.learn(rows)
    counts: Counter[str] = Counter(dict.fromkeys((*names, "none", "judged"), 0))
    numbers = {file: number for number, file in enumerate(rows.files)}

    def texts() -> Iterator[tuple[str, int, Row, Random]]:
        place = 0
        with progress.bar(what, len(rows)) as advance:
            for chunk in rows.chunks():
                for file, line, row in chunk:
                    own = {key: row[key] for key in (*inputs, "id") if row.get(key) is not None}
                    if input_key(own, inputs) in judged:
                        counts["judged"] += 1
                    else:
                        yield file, line, own, Random(derive(seed, "consistency", place))
                    place += 1
                advance(len(chunk))

    def pairs() -> Iterator[dict[str, Any]]:
        source, there = texts(), set(judged)
        while block := list(islice(source, at_once(ways))):
            plain = [own for _, _, own, _ in block]
            made: Sequence[tuple[int, Row] | None] = [(0, own) for own in plain]  # dropout alone tells the two apart
            if ways:
                made = copies_of(plain, [draw for *_, draw in block], ways, inputs, there)
            for (file, line, own, _), copied in zip(block, made, strict=True):
                how = "none" if copied is None else names[copied[0]]
                counts[how] += 1
                for one, mark in () if copied is None else ((own, None), (copied[1], how)):
                    yield stored_row(dict(one) | {"label": label}, task.columns, numbers[file], line, mark)

    write_rows(folder, None, rows, task.columns, pairs(), lambda _: dict(counts))


def pair_streams(plan: Plan) -> list[Stream]:
    """A stream of pairs for each task that asks for consistency."""
    from sibu.train.batches import Stream

    found = []
    for name, each in plan.tasks.items():
        if (pairs := each.pairs) is not None:
            lengths = pairs.inputs.lengths("input_ids")
            found.append(Stream(f"{name}, pairs", pairs.inputs, {name: pairs.targets}, lengths, group=2))
    return found


def consistency_loss(logits: Tensor, options: Consistency) -> Tensor:
    """How far the answers to copies are from those to their texts (Xie et al., 2020, arXiv:1904.12848), a scalar.

    Args:
        logits: Scores of labels, of a text and its copy in turn. Shape ``(2 N, C)``.
        options: From which probability on a text teaches, and how sharp its answer is made.
    """
    import torch.nn.functional as F

    plain, changed = logits[0::2].detach(), logits[1::2]
    sure = (plain.softmax(-1).max(-1).values >= options.threshold).to(logits.dtype)
    sharp = (plain / options.temperature).softmax(-1)
    apart = F.kl_div(changed.log_softmax(-1), sharp, reduction="none").sum(-1)
    return (apart * sure).mean() * options.weight
