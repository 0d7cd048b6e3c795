"""The data gate: what is wrong with the data is found before training, with file, row and mend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from sibu.core.columns import Column
from sibu.core.errors import DataError, counted
from sibu.core.example import DataFault, Faults, Row, as_names, join_tokens
from sibu.core.protocols import Modality, Task, as_fault
from sibu.core.text import AnyInput, Window
from sibu.metrics.spans import as_bioes, decode_tags
from sibu.pipeline.data import Rows
from sibu.pipeline.progress import Progress
from sibu.pipeline.twins import Keys, NearIndex, fingerprint, normal
from sibu.store.hashes import hash_json

if TYPE_CHECKING:
    from sibu.recipe.schema import Recipe, TaskBlock

Each = Callable[[Row, Sequence[AnyInput], Sequence[Sequence[Window]]], None]


@dataclass(slots=True)
class SplitSurvey:
    """What one split of one task holds."""

    rows: int = 0
    inputs: int = 0
    windows: int = 0
    longer: int = 0
    """Inputs longer than the model."""
    pieces_cut: int = 0
    lengths: Counter[int] = field(default_factory=Counter)
    """How many inputs have how many pieces; of an input read in windows, those of all its windows."""
    labels: Counter[str] = field(default_factory=Counter)

    def quantile(self, share: float) -> int:
        """The length that this share of the inputs does not exceed."""
        total, seen = sum(self.lengths.values()), 0
        for length in sorted(self.lengths):
            seen += self.lengths[length]
            if seen >= share * total:
                return length
        return 0

    def tokens(self, limit: int) -> int:
        """Pieces that a model of this longest input is given."""
        return sum(min(length, limit) * count for length, count in self.lengths.items())

    def batches(self, limit: int, tokens: int, examples: int | None, *, packed: bool = False) -> int:
        """About how many batches an epoch has: as they are cut, texts of like length together, padded to the longest.

        Args:
            limit: The model's longest input; longer ones are read in several windows.
            tokens: Pieces of a batch with their padding.
            examples: Most windows of a batch.
            packed: Whether texts are computed side by side, without padding; a batch lacks half a text then.
        """
        if packed:
            whole = sum(length * count for length, count in self.lengths.items()) - self.pieces_cut
            by_tokens = -(-whole // max(tokens - whole // max(2 * self.windows, 1), 1))
            return max(by_tokens, 0 if examples is None else -(-self.windows // examples))
        left = Counter[int]()
        for length, count in self.lengths.items():
            whole, rest = divmod(length, limit)
            left[limit] += whole * count
            left[rest] += count if rest else 0
        number = free = 0
        for length in sorted((each for each in left if left[each]), reverse=True):
            count = left[length] - min(free, left[length])
            free -= min(free, left[length])
            size = max(tokens // max(length, 1), 1)
            size = size if examples is None else min(size, examples)
            number += -(-count // size)
            free += -count % size
        return number

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> SplitSurvey:
        """From its fields as JSON, where numbers that were keys are texts."""
        lengths = Counter({int(length): count for length, count in value["lengths"].items()})
        return cls(**{**value, "lengths": lengths, "labels": Counter(value["labels"])})

    def as_json(self) -> dict[str, Any]:
        """For ``--json`` and the report."""
        tokens = sum(length * count for length, count in self.lengths.items())
        return {
            "rows": self.rows,
            "inputs": self.inputs,
            "windows": self.windows,
            "longer_than_model": self.longer,
            "tokens": tokens,
            "tokens_cut": self.pieces_cut,
            "length": {name: self.quantile(share) for name, share in (("p50", 0.5), ("p95", 0.95), ("max", 1.0))},
            "lengths": {str(length): self.lengths[length] for length in sorted(self.lengths)},
            "labels": dict(self.labels.most_common()),
        }


def survey(
    task: Task, rows: Rows, text: Modality, faults: Faults, progress: Progress, *, what: str, each: Each
) -> tuple[SplitSurvey, Keys]:
    """Look at every row of a split once: its faults, lengths and labels; ``each`` takes what was prepared."""
    found, keys = SplitSurvey(rows=len(rows)), Keys()
    targets = [column for column in task.columns if column.role == "target"]
    inputs = inputs_read(task, text)
    cost = text.cost if hasattr(text, "cost") else None
    with progress.bar(what, len(rows)) as advance:
        for chunk in rows.chunks():
            marks: list[tuple[str, int, int, int]] = []
            for (file, line, row), group, windows in _prepared(task, chunk, text, faults):
                for fault in task.check(row, windows):
                    faults.add(as_fault(fault, file, line))
                if said := _unread(windows, text.unknown):
                    mend = "Take a model that knows the language: `me5` for Chinese and many others."
                    faults.add(DataFault("unknown characters", "warning", file, line, said, mend))
                _measure(found, row, windows, targets, beside=0 if cost is None else cost(row))
                target = fingerprint(hash_json([row.get(column.name) for column in targets]))
                marks.append((file, line, input_key(row, inputs), target))
                each(row, group, windows)
            for file in dict.fromkeys(mark[0] for mark in marks):
                keys.add([mark for mark in marks if mark[0] == file])
            advance(len(chunk))
    return found, keys


Placed: TypeAlias = tuple[str, int, Row]
"""A row with its file and line."""


def _prepared(
    task: Task, chunk: Sequence[Placed], text: Modality, faults: Faults
) -> Iterator[tuple[Placed, Sequence[AnyInput], list[list[Window]]]]:
    """Rows with their inputs and the windows of these; a row that the model's chat template refuses is a fault."""
    asked = [task.inputs(row) for _, _, row in chunk]
    try:
        found = iter(text.prepare([each for group in asked for each in group]))
    except DataError:
        for place, group in zip(chunk, asked, strict=True):
            try:
                yield place, group, text.prepare(list(group))
            except DataError as wrong:
                mend = "Remove the row, or take another `template`."
                faults.add(DataFault("refused by the template", "error", *place[:2], str(wrong), mend))
        return
    for place, group in zip(chunk, asked, strict=True):
        yield place, group, [next(found) for _ in group]


def inputs_read(task: Task, text: Modality) -> list[str]:
    """The columns by which rows are the same: a task's inputs, and the other modalities' values."""
    return [*(column.name for column in task.columns if column.role == "input"), *getattr(text, "values", ())]


def input_key(row: Row, inputs: Sequence[str]) -> int:
    """63 bits of a row's inputs, equal for texts that count as the same."""
    return fingerprint(hash_json([normal(str(row.get(name))) for name in inputs]))


def _unread(windows: Sequence[Sequence[Window]], unknown: int | None) -> str:
    """What to say where half of a row's pieces are unknown to the model."""
    pieces = [piece for group in windows for window in group for piece in window.input_ids]
    lost = 0 if unknown is None else pieces.count(unknown)
    return f"{lost} of {len(pieces)} pieces are unknown to the model." if lost * 2 >= len(pieces) > 0 else ""


def _measure(
    found: SplitSurvey, row: Row, windows: Sequence[Sequence[Window]], targets: Sequence[Column], *, beside: int
) -> None:
    for group in windows:
        found.inputs += 1
        found.windows += len(group)
        cut = group[0].cut
        length = cut + beside + sum(len(window.input_ids) + len(window.answer) for window in group)
        found.lengths[length] += 1
        found.pieces_cut += cut
        found.longer += cut > 0 or len(group) > 1
    for column in targets:
        value = row.get(column.name)
        if column.kind in ("text", "texts"):
            continue  # no label: every one may differ
        if column.kind == "tags":
            found.labels.update(label for label, _, _ in decode_tags(as_bioes(value or ()), "BIO"))
        elif isinstance(value, str):
            found.labels[value] += 1
        elif isinstance(value, list):
            names = (part["label"] if isinstance(part, dict) and "label" in part else part for part in value)
            found.labels.update(name for name in names if isinstance(name, str))


def row_text(row: Row) -> str:
    """The text that a person would compare two rows by."""
    if row.get("tokens") is not None:
        return join_tokens(row["tokens"])[0]
    if row.get("messages") is not None:
        return "\n".join(turn["content"] for turn in row["messages"])
    parts = (row.get(name) for name in ("text", "text_pair", "question", "context"))
    return "\n".join(part for part in parts if isinstance(part, str))


def compare_splits(task: str, splits: Mapping[str, tuple[Rows, Keys]], faults: Faults, progress: Progress) -> None:
    """Duplicates and conflicting labels within each split, leaks from train to the others, exact and near."""
    for split, (_, keys) in splits.items():
        for later, earlier, conflict in keys.twins():
            (file, line), (other, first) = keys.place(later), keys.place(earlier)
            where = f"line {first}" if file == other else f"{other}:{first}"
            if conflict:
                message = f"the same input as {where}, with another target ({task})."
                fault = DataFault(
                    "conflicting labels", "warning", file, line, message, "Decide which is right, mend both."
                )
            else:
                message = f"the same row as {where} ({task}, {split})."
                fault = DataFault(
                    "duplicate", "warning", file, line, message, "Remove one, unless it should count twice."
                )
            faults.add(fault)
    if "train" not in splits:
        return
    _, train = splits["train"]
    exact: dict[str, set[int]] = {}
    for split, (_, keys) in splits.items():
        if split == "train":
            continue
        leaked = dict(keys.shared(train))
        exact[split] = set(leaked)
        for row, twin in leaked.items():
            (file, line), (other, first) = keys.place(row), train.place(twin)
            message = f"this input is in the training data too ({other}:{first}; {task}, {split})."
            faults.add(
                DataFault("leak", "warning", file, line, message, "Remove it from one of the two; it flatters figures.")
            )
    _near_leaks(task, splits, exact, faults, progress)
    if "dev" in splits:
        _leaks_from_dev(task, splits, exact, faults)


def _leaks_from_dev(
    task: str, splits: Mapping[str, tuple[Rows, Keys]], told: Mapping[str, set[int]], faults: Faults
) -> None:
    """Test inputs that dev has too: dev chooses the weights, so that they are not unseen either."""
    _, dev = splits["dev"]
    for split, (_, keys) in splits.items():
        if split in ("train", "dev"):
            continue
        for row, twin in keys.shared(dev):
            if row not in told[split]:
                (file, line), (other, first) = keys.place(row), dev.place(twin)
                message = f"this input is in dev too ({other}:{first}; {task}, {split})."
                mend = "Remove it from one of the two; dev chooses the weights."
                faults.add(DataFault("leak", "warning", file, line, message, mend))


def _near_leaks(
    task: str,
    splits: Mapping[str, tuple[Rows, Keys]],
    exact: Mapping[str, set[int]],
    faults: Faults,
    progress: Progress,
) -> None:
    """Texts of the other splits that are nearly equal to a training text; those equal to one (``exact``) were told."""
    index = NearIndex()
    known: list[tuple[str, int]] = []
    for split, told in exact.items():
        for number, row in enumerate(splits[split][0]):
            if number not in told:
                index.add(len(known), row_text(row))
                known.append((split, number))
    if not len(index):
        return
    rows, train = splits["train"]
    found: set[int] = set()
    with progress.bar(f"{task}: near twins", len(rows)) as advance:
        for number, row in enumerate(rows):
            for near in index.near(row_text(row)):
                if near not in found:
                    found.add(near)
                    split, place = known[near]
                    (file, line), (other, first) = splits[split][1].place(place), train.place(number)
                    message = f"nearly the same text is in the training data ({other}:{first}; {task}, {split})."
                    faults.add(DataFault("near leak", "warning", file, line, message, "Look at both; keep one."))
            advance(1)


@dataclass(frozen=True, slots=True)
class GateReport:
    """What the gate found, for people, for ``--json`` and for the report page."""

    tasks: Mapping[str, Mapping[str, SplitSurvey]]
    faults: Faults

    def as_json(self) -> dict[str, Any]:
        """Everything, with at most the kept examples of each kind."""
        examples = [
            {"kind": f.kind, "severity": f.severity, "file": f.file, "row": f.row, "message": f.message, "mend": f.mend}
            for f in self.faults.examples
        ]
        counts = [
            {"kind": kind, "severity": severity, "file": file, "count": count}
            for (kind, severity, file), count in sorted(self.faults.counts.items())
        ]
        return {
            "tasks": {t: {s: found.as_json() for s, found in splits.items()} for t, splits in self.tasks.items()},
            "errors": self.faults.number("error"),
            "warnings": self.faults.number("warning"),
            "counts": counts,
            "skipped_rows": dict(self.faults.skipped),
            "faults": examples,
        }

    def require(self, *, trains: bool = True) -> None:
        """Stop where there are errors.

        Args:
            trains: Whether the rows were to be trained on, as `sibu check` sees them too.

        Raises:
            DataError: Naming file, row and mend of the first of each kind, and how many there are.
        """
        errors = self.faults.number("error")
        if not errors:
            return
        so = "nothing was trained" if trains else "nothing was evaluated"
        first = self.faults.first_errors() if trains else self.faults.first_errors(where="")
        raise DataError(f"The data gate found {counted(errors, 'error')}; {so}.\n{first}")


def nothing_to_join(recipe: Recipe, file: str, faults: Faults) -> None:
    """A fusion of one modality."""
    name = str(recipe.fusion.name)  # type: ignore[attr-defined]
    if len(recipe.modalities) > 1 or name == "identity":
        return
    only = recipe.modalities[0].name  # type: ignore[attr-defined]
    message = f"`fusion: {name}` joins several modalities, and there is one (`{only}`): it is left out."
    mend = "Name another under `modalities`, or take `fusion` out of the recipe."
    faults.add(DataFault("nothing to join", "warning", file, None, message, mend))


def nothing_to_choose_by(recipe: Recipe, file: str, faults: Faults) -> None:
    """What goes by dev, where no task has one."""
    taught = [block.data for block in recipe.tasks.values() if block.data.train is not None]
    keys = [f"train.{key}" for key in ("patience", "soup") if getattr(recipe.train, key) is not None]
    if keys and taught and all(data.undivided for data in taught):
        said = " and ".join(f"`{key}`" for key in keys)
        message = (
            f"{said} would choose by dev, and there is none: with `shots` or `dev_share: 0` all rows are trained on."
        )
        mend = "Give a task `data.dev`, or leave it out: the last weights are the run's."
        faults.add(DataFault("nothing to choose by", "warning", file, None, message, mend))


def unjudged(task: str, file: str, faults: Faults) -> None:
    """All rows are learned from."""
    message = f"All rows are learned from and there is no test file ({task}): no figure will be told."
    mend = f"Name one as `tasks.{task}.data.test`, or judge the bundle later with `sibu evaluate`."
    faults.add(DataFault("nothing to judge by", "warning", file, None, message, mend))


def _learned_from_rows(block: TaskBlock) -> Sequence[str]:
    """Labels named in the recipe that nothing but rows can teach: no words that are read, no teacher."""
    task = block.task
    reads = [getattr(task, way, None) for way in ("written", "entailed", "cloze", "compared")]
    if any(reads) or getattr(block.head, "starts", False) or block.teacher is not None:
        return ()
    return tuple(getattr(task, "labels", None) or getattr(task, "descriptions", None) or ())


def label_faults(task: str, block: TaskBlock, train: SplitSurvey, file: str, faults: Faults, *, texts: bool) -> None:
    """Labels that no row teaches, or so few that they can hardly be learned, and those alike but for blanks or case."""
    if missing := sorted(label for label in _learned_from_rows(block) if label not in train.labels):
        which = f"label{'s' * (len(missing) > 1)} {as_names(missing)}"
        message = f"no row to train on has the {which} of the recipe ({task})."
        mend = "Add rows, or leave them out of the recipe."
        if block.task.type == "classify" and texts and not block.task.mixup:  # type: ignore[attr-defined]
            mend += " The head `labels` begins from the words of each label, and needs no row of it."
        faults.add(DataFault("label without rows", "warning", file, None, message, mend))
    if len(train.labels) < 2:
        return
    alike: dict[str, list[str]] = {}
    for label in sorted(map(str, train.labels)):
        alike.setdefault(normal(label), []).append(label)
    for own in alike.values():
        if len(own) > 1:
            message = f"the labels {' and '.join(map(repr, own))} differ in blanks or capitals alone ({task})."
            faults.add(DataFault("labels alike", "warning", file, None, message, "Mend the rows of one of them."))
    counts = np.array(list(train.labels.values()))
    rare = [label for label, count in train.labels.items() if count < 3]
    if rare and counts.max() >= 30:
        message = f"{len(rare)} of {len(counts)} labels have fewer than 3 rows ({task}): {', '.join(sorted(rare)[:8])}."
        faults.add(DataFault("rare label", "warning", file, None, message, "Add rows, or join the label to another."))
