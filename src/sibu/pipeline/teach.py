"""Answers of another run's model that are learned beside the labels, or in their place (knowledge distillation)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sibu.core.errors import DataError, Fault, RecipeError, counted
from sibu.core.example import Faults, Row, as_names
from sibu.core.protocols import Task
from sibu.core.text import Feature
from sibu.pipeline.data import Origin, Rows, named_files, read_unlabelled
from sibu.pipeline.mixed import Mixed, sensed
from sibu.pipeline.progress import Progress
from sibu.recipe.schema import DataBlock, Teacher
from sibu.store.cache import cached
from sibu.store.hashes import hash_code, hash_json

if TYPE_CHECKING:
    from torch import Tensor

    from sibu.pipeline.bundle import Opened
    from sibu.pipeline.plan import Plan
    from sibu.train.batches import Stream

TAUGHT = Feature("taught", "float32", "window")
"""What the teacher says of a record: probabilities by label, or a number."""


class Taught:
    """A teacher made ready for one task.

    Args:
        options: The recipe's block, its bundle found from anywhere.
        name: The task's name in the recipe.
        task: The task that learns; it knows its labels.

    Raises:
        RecipeError: When the bundle has no such task, or its labels are others.
        BundleError: When it is damaged.
    """

    def __init__(self, options: Teacher, name: str, task: Task) -> None:
        from sibu.pipeline.bundle import read_manifest
        from sibu.pipeline.reward import opened_bundle

        where = f"tasks.{name}.teacher"
        folder = Path(options.bundle)
        if not folder.is_dir():
            raise RecipeError(Fault(where, f"there is no bundle at {folder}.", "Mend `bundle`."))
        self.sha = str(read_manifest(folder)["sha256"])
        self.opened: Opened = opened_bundle(folder, self.sha)
        names = list(self.opened.tasks)
        if options.task not in names and not (options.task is None and len(names) == 1):
            given = "none was named" if options.task is None else f"given {options.task!r}"
            what = f"which task of {folder} teaches, {given}."
            raise RecipeError(Fault(where, what, f"Name one as `task`: {', '.join(names)}."))
        self.name = options.task or names[0]
        self.task = task
        kind, own = (type_of(each) for each in (self.opened.tasks[self.name], task))
        if kind != own:
            what = f"{self.name!r} of {folder} {kind}, and {name} {own}."
            raise RecipeError(Fault(where, what, "Take a teacher of the same kind."))
        if "labels" in task.state and not hasattr(self.opened.tasks[self.name], "chances"):
            what = (
                f"{self.name!r} of {folder} writes its answers, and how likely each label is cannot be learned of it."
            )
            raise RecipeError(Fault(where, what, "Take a teacher that answers by a head."))
        theirs, mine = (list(each.state.get("labels", ())) for each in (self.opened.tasks[self.name], task))
        if set(theirs) != set(mine):
            what = f"its labels are {as_names(theirs)}, and {name}'s {as_names(mine)}."
            raise RecipeError(Fault(where, what, "Give the same in `labels`, or take another teacher."))
        self._order = [theirs.index(label) for label in mine]
        state = task.state
        self._scale = (0.0, 1.0) if mine else (float(state["mean"]), float(state["deviation"]))
        """Mean and deviation of the numbers that the pupil learns from: its head tells deviations from the mean."""
        self._bounds: tuple[float, float] | None = getattr(task, "bounds", None)

    def answers(self, rows: Rows, progress: Progress) -> Iterator[tuple[Row, np.ndarray, Any]]:
        """Each row that the teacher can read with what is learned of it, and with the teacher's own answer."""
        from sibu.pipeline.labelling import look_over

        theirs: Any = self.opened.tasks[self.name]
        own = self._read(rows, progress)
        for (row, outputs), given in zip(look_over(self.opened, self.name, own, progress), own.bare(), strict=True):
            value = theirs.decode(row, outputs).value
            if not self._order:
                if self._bounds is not None:
                    value = min(max(value, self._bounds[0]), self._bounds[1])
                mean, deviation = self._scale
                yield given, np.array([(value - mean) / deviation], np.float32), value
                continue
            chances = theirs.chances(outputs)
            found = chances[:, 1] if theirs.state.get("multi_label") else chances[0]
            yield given, found[self._order].astype(np.float32), value

    def _read(self, rows: Rows, progress: Progress) -> Rows:
        """The rows as the teacher has them, with arrays of its own; less those of which it can read nothing."""
        rows, text = rows.bare(), self.opened.text
        if isinstance(text, Mixed):
            return sensed(rows, text, Faults(), progress, what="teacher")
        task = self.opened.tasks[self.name]
        inputs = {column.name for column in task.columns if column.role == "input"}
        needs = [group for group in task.needs if inputs.issuperset(group)]
        there = [all(any(row.get(name) for name in group) for group in needs) for row in rows]
        return rows if all(there) else rows.subset(rows.numbers[np.array(there)])

    def told(self, rows: Rows, progress: Progress) -> np.ndarray:
        """What the teacher says of each row, ``(rows, C)``, or ``(rows, 1)`` of numbers; kept by content.

        Raises:
            DataError: When there are rows of which it can read nothing.
        """
        key = hash_json(
            [hash_code(), "taught", self.sha, self.name, self._order, self._scale, self._bounds, rows.key()]
        )

        def make(folder: Path) -> None:
            found = [found for _, found, _ in self.answers(rows, progress)]
            if len(found) < len(rows):
                lost = f"{len(rows) - len(found)} of {counted(len(rows), 'training row')}"
                mend = "Leave them out, or take another teacher."
                raise DataError(f"The teacher can read nothing of {lost}: they have not what it reads. {mend}")
            np.save(folder / "told.npy", np.stack(found))

        return np.asarray(np.load(cached("taught", key, make) / "told.npy"))

    def labelled(self, data: DataBlock, origin: Origin, progress: Progress) -> Path | None:
        """The unlabelled rows with the teacher's answers as their labels, a JSON Lines file; None: there are none."""
        if data.unlabelled is None:
            return None
        inputs = [column.name for column in origin.columns if column.role == "input"]
        target = next(column.name for column in self.task.columns if column.role == "target")
        rows, _ = read_unlabelled(named_files(data.unlabelled), origin)
        key = hash_json([hash_code(), "labelled", self.sha, self.name, self._bounds, rows.key()])

        def make(folder: Path) -> None:
            with (folder / "rows.jsonl").open("w", encoding="utf-8") as out:
                for row, _, value in self.answers(rows, progress):
                    own = {name: row[name] for name in inputs if row.get(name) is not None}
                    out.write(json.dumps(own | {target: value}, ensure_ascii=False) + "\n")

        return cached("taught", key, make) / "rows.jsonl"


def type_of(task: Task) -> str:
    """What a task gives a text, in words."""
    state = task.state
    if "labels" not in state:
        return "gives no label"
    return "gives several labels" if state.get("multi_label") else "gives one label"


def with_taught(plan: Plan, stream: Stream) -> Stream:
    """The stream with what the teachers say of its records."""
    targets = dict(stream.targets)
    for name in stream.targets:
        told = plan.tasks[name].told
        if told is not None:
            targets[name] = targets[name].with_numbers(TAUGHT, told)
    return replace(stream, targets=targets)


def taught_loss(logits: Tensor, told: Tensor, *, temperature: float, several: bool) -> Tensor:
    """How far answers are from the teacher's (Hinton et al., 2015, arXiv:1503.02531), mean over the batch.

    Args:
        logits: Scores of labels, or numbers. Shape ``(B, C)`` or ``(B, 1)``.
        told: The teacher's probabilities (of one label they sum to 1), or numbers. The same shape.
        temperature: Softens both sides; the loss is scaled by its square, so that gradients keep their size.
        several: Whether labels hold or not each on its own.
    """
    import torch
    import torch.nn.functional as F

    if logits.shape[-1] == 1 and not several:
        return F.mse_loss(logits, told)
    known = told.clamp(1e-7, 1 - 1e-7)
    scale = temperature**2
    if several:
        soft = torch.sigmoid(torch.logit(known) / temperature)
        return F.binary_cross_entropy_with_logits(logits / temperature, soft) * scale
    soft = torch.softmax(known.log() / temperature, -1)
    return F.kl_div((logits / temperature).log_softmax(-1), soft, reduction="batchmean") * scale
