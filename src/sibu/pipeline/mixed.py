"""Modalities beside texts: their values read, made arrays of once, and handed on with the texts of the same rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import partial
from hashlib import sha256
from itertools import tee
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sibu.core.columns import Column
from sibu.core.errors import DataError, Fault, MissingExtra, RecipeError, SibuError
from sibu.core.example import DataFault, Faults, Held, Row, as_names
from sibu.core.protocols import Features, Task, as_fault
from sibu.core.result import Evidence
from sibu.core.tensors import HIDDEN
from sibu.core.text import AnyInput, Feature, Pieces, TextInput, Window
from sibu.core.values import Alignment, ValueModality
from sibu.media.decoding import decoded
from sibu.modalities import MODALITIES
from sibu.pipeline.aligned import Fits, fitted, line_up, raw_of
from sibu.pipeline.data import Kept, Origin, Rows
from sibu.pipeline.progress import Progress, Silent
from sibu.pipeline.weak import training_rows
from sibu.store.cache import cached
from sibu.store.hashes import hash_code, hash_file, hash_json
from sibu.store.ragged import RaggedArrays, RaggedWriter

if TYPE_CHECKING:
    from sibu.core.protocols import State
    from sibu.recipe.schema import Recipe, TaskBlock

NOTHING = Window([], [], [], [], [])
"""The window of a row without a text."""
ENDLESS = 1 << 20
"""The longest input where there are no texts."""


class Mixed:
    """What prepares the inputs of a run with other modalities: texts as ever, and each row's values beside them.

    Args:
        inner: The preparer of texts; None: there are none.
        values: The other modalities, by their columns.
        alignments: What brings values of a row into line.
    """

    def __init__(self, inner: Any, values: Mapping[str, ValueModality], alignments: Sequence[Alignment] = ()) -> None:
        self.inner = inner
        self.values = dict(values)
        self.alignments = tuple(alignments)
        self.features: tuple[Feature, ...] = () if inner is None else inner.features
        self.max_length: int = ENDLESS if inner is None else inner.max_length
        self.unknown: int | None = None if inner is None else inner.unknown
        keys = [each.key for each in self.alignments]
        self.key = hash_json([None if inner is None else inner.key, {f: m.key for f, m in self.values.items()}, keys])

    def __getattr__(self, name: str) -> Any:
        if name == "inner":  # not there yet
            raise AttributeError(name)
        return getattr(self.inner, name)

    @property
    def columns(self) -> tuple[Column, ...]:
        """What is read of a file beside a task's own columns."""
        own = [modality.column for modality in self.values.values()]
        more = [column for alignment in self.alignments for column in alignment.columns]
        return (*own, *dict.fromkeys(more))

    @property
    def pieces(self) -> Pieces | None:
        """As the preparer of texts has them."""
        found: Pieces | None = None if self.inner is None else self.inner.pieces
        return found

    def prepare(self, inputs: Sequence[AnyInput]) -> list[list[Window]]:
        """The windows of each text; one that holds nothing where there is none."""
        there = [each for each in inputs if self._there(each)]
        found = iter(self.inner.prepare(there) if there else ())
        return [next(found) if self._there(each) else [NOTHING] for each in inputs]

    def _there(self, source: AnyInput) -> bool:
        return self.inner is not None and (not isinstance(source, TextInput) or bool(source.text.strip()))

    def arrays(self, window: Window, source: AnyInput) -> Features:
        """The text's own arrays; none where there is no text."""
        if window is NOTHING:
            return {}
        found: Features = self.inner.arrays(window, source)
        return found

    def values_of(self, row: Row) -> dict[str, Features]:
        """The arrays of each value that a row has."""
        return {name: held.arrays() for name in self.values if isinstance(held := row.get(name), Held)}

    def cost(self, row: Row) -> int:
        """About how many places a row's values take."""
        return sum(places(self.values[name], arrays) for name, arrays in self.values_of(row).items())


def places(modality: ValueModality, arrays: Features) -> int:
    """About how many places the encoder makes of a value: what it costs."""
    if HIDDEN in arrays:
        return len(arrays[HIDDEN])
    if hasattr(modality, "cost"):
        return int(modality.cost(arrays))
    first = next((each for each in modality.features if each.per == "token"), None)
    if first is None:
        return int(getattr(modality, "places", 16))
    return max(np.asarray(arrays[first.name]).size // first.width // int(getattr(modality, "stride", 4)), 1)


def build_values(
    recipe: Recipe, folders: Mapping[str, Path | None], states: Mapping[str, State] | None = None
) -> dict[str, ValueModality]:
    """The modalities beside texts.

    Args:
        recipe: The recipe.
        folders: The folder of each one's pretrained model; None: it has none.
        states: What each learned, of a bundle; None: nothing yet.
    """
    return {
        name: MODALITIES.of(spec).build(spec, folder=folders.get(name), state=None if states is None else states[name])
        for name, spec in recipe.valued.items()
    }


def mixed(text: Any, values: Mapping[str, ValueModality], alignments: Sequence[Alignment] = ()) -> Any:
    """The preparer with other modalities; without any as it is."""
    return Mixed(text, values, alignments) if values else text


def origin_of(name: str, block: TaskBlock, task: Task, text: Any) -> Origin:
    """How a task's files are read: its own columns, and those of the modalities.

    Raises:
        RecipeError: When the task reads texts and there are none, or it cannot be joined with other modalities.
    """
    where = f"tasks.{name}"
    if not isinstance(text, Mixed):
        if hasattr(task, "of"):
            what = "`match` joins two modalities, and there are texts alone."
            raise RecipeError(Fault(f"{where}.type", what, "Name the other under `modalities`; or choose `contrast`."))
        return Origin(block.fields, block.reader, task.columns, task.needs, where)
    joins = bool(getattr(task, "any_modality", False))
    if (pair := getattr(task, "of", None)) is not None:
        return _pair_origin(block, task, text, pair, where)
    kind = block.task.type  # type: ignore[attr-defined]
    if text.inner is None and not joins:
        what = f"`{kind}` reads texts, and there are none among the modalities."
        raise RecipeError(
            Fault(f"{where}.type", what, "Add `text` to `modalities`, or choose `classify` or `regress`.")
        )
    if task.writes or getattr(task, "fills", False):
        what = f"`{kind}` answers by the language head of the text's model, which reads no other modality."
        raise RecipeError(Fault(f"{where}.type", what, "Choose a head of its own, or leave the other modalities out."))
    _require_untold(name, block, task, text)
    fields, own = tuple(text.values), text.columns
    columns, needs = (*task.columns, *own), task.needs
    if joins:
        inputs = {column.name for column in task.columns if column.role == "input"}
        first = (("text",) if text.inner is not None else ()) + fields
        needs = (first, *(group for group in task.needs if not inputs.intersection(group)))
        if text.inner is None:
            columns = (*(column for column in task.columns if column.role == "target"), *own)
    return Origin(block.fields, block.reader, columns, needs, where)


def _require_untold(name: str, block: TaskBlock, task: Task, text: Mixed) -> None:
    """No table has the column that is to be told among its own."""
    targets = {block.fields.get(each.name, each.name) for each in task.columns if each.role == "target"}
    faults = []
    for key, modality in text.values.items():
        if told := sorted(targets.intersection(getattr(modality, "columns", None) or ())):
            what = f"{as_names(told)} is what {name} is to tell, and stands among the table's columns."
            faults.append(Fault(f"modalities.{key}", what, "Leave it out of `columns`."))
    if faults:
        raise RecipeError(faults)


def _pair_origin(block: TaskBlock, task: Task, text: Mixed, pair: Sequence[str], where: str) -> Origin:
    """How pairs of two modalities are read."""
    there = [*(["text"] if text.inner is not None else []), *text.values]
    if wrong := [name for name in pair if name not in there]:
        what = f"{as_names(wrong)} is none of the modalities."
        raise RecipeError(Fault(f"{where}.of", what, f"Allowed: {', '.join(there)}."))
    own = text.columns[len(text.values) :]
    own = (*(text.values[name].column for name in pair if name in text.values), *own)
    return Origin(block.fields, block.reader, (*task.columns, *own), task.needs, where)


def learn_values(recipe: Recipe, values: Mapping[str, ValueModality], tasks: Mapping[str, Task], text: Any) -> None:
    """Let each modality look at the training rows' values."""
    for field, modality in values.items():
        own = [
            training_rows(name, block, origin_of(name, block, tasks[name], text), Faults(), Silent())[0]
            for name, block in recipe.tasks.items()
            if block.data.train is not None
        ]
        places = ((file, line) for file, line, _ in _valued(own, field))
        try:
            modality.learn(value for _, _, value in _valued(own, field))
        except DataError as fault:
            if (first := next(places, None)) is None:
                raise
            raise DataError(f"{first[0]}:{first[1]}: {field!r}: {fault}") from fault


def _valued(files: Sequence[Rows], field: str) -> Iterator[tuple[str, int, Any]]:
    """Each value of a column with its file and line."""
    for rows in files:
        for file, line, row in (place for chunk in rows.chunks() for place in chunk):
            if row.get(field) is not None:
                yield file, line, row[field]


# ---- values on disk ------------------------------------------------------------------------------------------------


def sensed(rows: Rows, text: Any, faults: Faults, progress: Progress, *, what: str) -> Rows:
    """Rows with arrays of their values; those of which nothing can be read are left out, counted and told.

    Args:
        rows: As they were read.
        text: What prepares the run's inputs.
        faults: Takes what is wrong with values.
        progress: Where to tell how far it is.
        what: What the bar says.
    """
    if not isinstance(text, Mixed):
        return rows
    whole = replace(rows, chosen=None, kept={})
    digests = {name: np.array([_digest(row.get(name)) for row in whole], np.uint64) for name in text.values}
    fits = [fitted(whole, each, text.values, digests, faults, progress, what=what) for each in text.alignments]
    kept = {}
    for name, modality in text.values.items():
        moved = next((each for each in fits if name in each.alignment.moves), None)
        own = digests[name] if moved is None else _in_line(whole, name, moved, digests)
        kept[name] = _kept(whole, name, modality, own, moved, faults, progress, what)
    for fault in _absent(rows, text, kept):
        faults.add(fault)
    there = np.any([each.digests != 0 for each in kept.values()], axis=0)
    if not there.all() and text.inner is not None:
        texts = {"text", "tokens", "context"} & set(rows.columns())
        with_text = [any(bool(row.get(name)) for name in texts) for row in whole] if texts else []
        there |= np.array(with_text, bool) if with_text else there
    gone = np.setdiff1d(rows.numbers, np.flatnonzero(there))
    if len(gone):
        for file, _, _ in (place for chunk in replace(whole, chosen=gone).chunks() for place in chunk):
            faults.skipped[file] += 1
    if len(gone) == len(rows):
        raise DataError(f"{', '.join(rows.files)}: no row has a value that can be read.\n{_first(faults, rows.files)}")
    chosen = np.setdiff1d(rows.numbers, gone) if len(gone) else rows.chosen
    return replace(rows, chosen=chosen, kept=kept, fits=tuple(fits))


def _absent(rows: Rows, text: Mixed, kept: Mapping[str, Kept]) -> Iterator[DataFault]:
    """Columns that an alignment reads and no file has, and modalities of which no row has a value."""
    files = ", ".join(rows.files)
    for column in dict.fromkeys(column for each in text.alignments for column in each.columns):
        if column.name not in rows.columns():
            said = f"there is no column {column.name!r}, which `align` reads ({column.help}): no row has it."
            mend = f"Add it; or name the file's column under the task's `fields`, as `{column.name}: <column>`."
            yield DataFault("missing column", "warning", files, None, said, mend)
    for name, each in kept.items():
        if not each.digests[rows.numbers].any():
            said = f"no row has a value of {name!r} that can be read: nothing is learned, or shown, of it."
            yield DataFault("empty modality", "warning", files, None, said, "See the column's name; or leave it out.")


def _first(faults: Faults, files: Sequence[str]) -> str:
    return "\n".join(str(fault) for fault in [each for each in faults.examples if each.file in files][:5])


def _in_line(rows: Rows, name: str, fits: Fits, digests: Mapping[str, np.ndarray]) -> np.ndarray:
    """Digests of values that an alignment changes, equal where all that it looks at is; 0: it is left out."""
    alignment = fits.alignment
    found = digests[name].copy()
    columns = [column.name for column in alignment.columns]
    for number, row in enumerate(rows):
        if number in fits.gone.get(name, ()):
            found[number] = 0
        elif found[number]:
            beside = [int(digests[each][number]) for each in alignment.reads]
            found[number] = _digest([name, alignment.key, beside, [row.get(column) for column in columns]])
    return found


def _kept(
    rows: Rows,
    name: str,
    modality: ValueModality,
    digests: np.ndarray,
    fits: Fits | None,
    faults: Faults,
    progress: Progress,
    what: str,
) -> Kept:
    """The arrays of a column's values: made, or found by the content of what the rows name."""
    key = hash_json([hash_code(), rows.key(), name, modality.key, hash_json(digests.tolist())])
    folder = cached("values", key, lambda folder: _make(rows, name, modality, digests, fits, progress, what, folder))
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    faults.join_once(Faults.from_json(about["faults"]), key)
    looks = np.load(folder / "looks.npy") if hasattr(modality, "looks") else None
    return Kept(RaggedArrays(folder), np.load(folder / "digests.npy"), key, looks=looks)


def _digest(value: Any) -> int:
    """63 bits of a value's content, of a file or a folder of what it holds; 0: there is no value."""
    if value is None:
        return 0
    held = _content(Path(value)) if isinstance(value, str) else None
    return int((held or hash_json(_as_json(value)))[:15], 16) or 1


def _content(path: Path) -> str | None:
    """Of a file what it holds, of a folder what its files hold; None: it cannot be read, as is told with its arrays."""
    try:
        if path.is_dir():
            files = sorted(file for file in path.iterdir() if file.is_file())
            return hash_json([[file.name, hash_file(file)] for file in files])
        return hash_file(path) if path.is_file() else None
    except (OSError, ValueError):  # as of a name that is too long
        return None


def _as_json(value: Any) -> Any:
    """What is in a value that was given in memory."""
    if isinstance(value, bytes):
        return sha256(value).hexdigest()
    if isinstance(value, np.ndarray):
        return [str(value.dtype), value.shape, sha256(np.ascontiguousarray(value).tobytes()).hexdigest()]
    if isinstance(value, tuple):
        return [_as_json(part) for part in value]
    if is_dataclass(value) and not isinstance(value, type):
        return [type(value).__name__, *(_as_json(getattr(value, each.name)) for each in fields(value))]
    return value


def _make(
    rows: Rows,
    name: str,
    modality: ValueModality,
    digests: np.ndarray,
    fits: Fits | None,
    progress: Progress,
    what: str,
    folder: Path,
) -> None:
    faults, found, place = Faults(), digests.copy(), 0
    looks = np.zeros(len(digests), np.uint64)
    with RaggedWriter(folder, modality.features) as writer, progress.bar(f"{what}: {name}", len(rows)) as advance:
        for file, line, value, arrays in _decoded(rows, name, modality, fits):
            if isinstance(arrays, MissingExtra):  # no fault of the row
                raise arrays
            if isinstance(arrays, SibuError):
                mend = f"The row goes without {name!r}."
                fault = DataFault("unreadable", "warning", file, line, f"{name!r}: {arrays}", mend)
                faults.add(fault)
                found[place] = 0
            elif arrays is not None:
                if hasattr(modality, "looks"):
                    looks[place] = modality.looks(arrays) or 0
                for each in modality.check(value, arrays):
                    faults.add(as_fault(each, file, line))
            writer.append(arrays if arrays is not None and not isinstance(arrays, SibuError) else {})
            place += 1
            advance(1)
    np.save(folder / "digests.npy", found)
    if hasattr(modality, "looks"):
        np.save(folder / "looks.npy", looks)
    (folder / "about.json").write_text(json.dumps({"faults": faults.as_json()}, ensure_ascii=False), encoding="utf-8")


def _decoded(
    rows: Rows, name: str, modality: ValueModality, fits: Fits | None
) -> Iterator[tuple[str, int, Any, Features | SibuError | None]]:
    """Each row's value as arrays, in order; workers read ahead."""
    one, two = tee((file, line, row.get(name)) for chunk in rows.chunks() for file, line, row in chunk)

    def arrays_of(numbered: tuple[int, Any]) -> Features | None:
        number, value = numbered
        raw = None if fits is None else raw_of(modality, value)
        if fits is not None and raw is not None:
            value = fits.laid(name, number, raw)
        if value is not None and hasattr(modality, "readable"):
            value = modality.readable(value)
        return None if value is None else modality.arrays(value)

    found = decoded(enumerate(value for _, _, value in one), arrays_of)
    for (file, line, value), arrays in zip(two, found, strict=True):
        yield file, line, value, arrays


def hold(row: Row, text: Mixed) -> tuple[Row, tuple[Evidence, ...]]:
    """A row from outside with arrays of its values, and how these were brought into line.

    Raises:
        DataError: When one cannot be read or aligned.
    """
    found, told = line_up(row, text.values, text.alignments)
    for name, modality in text.values.items():
        if found.get(name) is None:
            found.pop(name, None)
            continue
        value = row[name]
        said = str(value) if isinstance(value, str | dict | list) else f"{type(value).__name__} in memory"
        found[name] = Held(said, str(_digest(value)), partial(dict, modality.arrays(found[name])))
    return found, told


def columns_of(task: Task, text: Any) -> Sequence[Column]:
    """What a task's inputs and targets are, with those of the modalities."""
    if not isinstance(text, Mixed):
        return task.columns
    own = text.columns
    kept = [each for each in task.columns if text.inner is not None or each.role == "target"]
    return (*kept, *own)
