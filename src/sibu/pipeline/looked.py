"""Each split is looked at once, and what was seen is kept by content: survey, faults, fingerprints, encoded windows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from sibu.catalog import Spec
from sibu.core.example import Faults, Row
from sibu.core.protocols import Modality, Task
from sibu.core.text import AnyInput, Window
from sibu.pipeline.data import Rows
from sibu.pipeline.gate import SplitSurvey, compare_splits, survey
from sibu.pipeline.progress import Progress
from sibu.pipeline.twins import Keys
from sibu.store.cache import cached
from sibu.store.hashes import hash_code, hash_json
from sibu.store.ragged import RaggedArrays, RaggedWriter


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen of a split."""

    survey: SplitSurvey
    keys: Keys
    faults: Faults
    key: str
    """Equal for equal rows, looked at by an equal task through an equal modality."""
    inputs: RaggedArrays | None = None
    """The modality's arrays of each window, where they were asked for and no row has an error."""
    targets: RaggedArrays | None = None
    rows: np.ndarray | None = None
    """The place in the split of the row that each window is of. Shape ``(windows,)``."""
    windows: str = ""
    """Equal for two tasks that encode the same windows in the same order."""


def look(task: Task, spec: Spec, rows: Rows, text: Modality, progress: Progress, *, what: str, encode: bool) -> Looked:
    """Look at every row of a split, or find what was seen the last time.

    Args:
        task: The task, which has learned its labels.
        spec: Its options.
        rows: The split.
        text: The text modality's preparer.
        progress: Where to tell how far it is.
        what: What the bar says.
        encode: Whether windows and targets are wanted as arrays: for the training split.
    """
    own = [spec.model_dump(mode="json"), task.state, hash_code(type(task).__module__), text.key]
    key = hash_json([hash_code(), rows.key(), own, encode])
    folder = cached("looked", key, lambda folder: _look(task, rows, text, progress, what, folder, encode=encode))
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    found = SplitSurvey.from_json(about["survey"])
    keys = Keys.load(folder / "keys.npz")
    faults = Faults.from_json(about["faults"])
    if not about["encoded"]:
        return Looked(found, keys, faults, key)
    inputs, targets = RaggedArrays(folder / "inputs"), RaggedArrays(folder / "targets")
    return Looked(found, keys, faults, key, inputs, targets, np.load(folder / "rows.npy"), about["windows"])


def _look(task: Task, rows: Rows, text: Modality, progress: Progress, what: str, folder: Path, *, encode: bool) -> None:
    faults = Faults()
    if encode:
        found, keys, digest = _encode(task, rows, text, faults, progress, what, folder)
    else:
        found, keys = survey(task, rows, text, faults, progress, what=what, each=lambda *_: None)
        digest = ""
    keys.save(folder / "keys.npz")
    about = {
        "survey": {each.name: getattr(found, each.name) for each in fields(found)},
        "faults": faults.as_json(),
        "encoded": encode and not faults.number("error"),
        "windows": digest,
    }
    (folder / "about.json").write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")


def _encode(
    task: Task, rows: Rows, text: Modality, faults: Faults, progress: Progress, what: str, folder: Path
) -> tuple[SplitSurvey, Keys, str]:
    """Look at the rows and write their windows and targets on the way; a hash of the windows is the last answer."""
    inputs, targets = folder / "inputs", folder / "targets"
    for part in (inputs, targets):
        part.mkdir()
    digest, numbers, count = sha256(), list[int](), 0
    with RaggedWriter(inputs, text.features) as first, RaggedWriter(targets, task.features) as second:

        def each(row: Row, sources: Sequence[AnyInput], windows: Sequence[Sequence[Window]]) -> None:
            nonlocal count
            place, count = count, count + 1
            if faults.number("error"):
                return  # nothing will be trained; a faulty row may have no targets
            for number, (source, group) in enumerate(zip(sources, windows, strict=True)):
                for window in group:
                    arrays = text.arrays(window, source)
                    first.append(arrays)
                    numbers.append(place)
                    second.append(task.targets(row, number, window, gold=True))
                    for name in sorted(arrays):
                        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
                    digest.update(b"|")

        found, keys = survey(task, rows, text, faults, progress, what=what, each=each)
    np.save(folder / "rows.npy", np.array(numbers, np.int64))
    return found, keys, digest.hexdigest()


def twins(task: str, splits: dict[str, tuple[Rows, Looked]], progress: Progress) -> Faults:
    """Duplicates, conflicts and leaks within and between the splits of a task, or those found the last time."""

    def make(folder: Path) -> None:
        faults = Faults()
        compare_splits(task, {name: (rows, seen.keys) for name, (rows, seen) in splits.items()}, faults, progress)
        (folder / "faults.json").write_text(json.dumps(faults.as_json(), ensure_ascii=False), encoding="utf-8")

    key = hash_json([hash_code(), task, {name: seen.key for name, (_, seen) in splits.items()}])
    found: dict[str, Any] = json.loads((cached("twins", key, make) / "faults.json").read_text(encoding="utf-8"))
    return Faults.from_json(found)
