"""Training rows with changed copies of them: marked, none of them equal to a row that is there or is judged on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import islice
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from sibu.augmenters import AUGMENTERS
from sibu.core.columns import Column
from sibu.core.errors import placed_at
from sibu.core.example import Row
from sibu.core.protocols import Augmenter, ManyAugmenter
from sibu.models.sources import find_model
from sibu.pipeline.data import CHUNK, Rows, schema_of, stored
from sibu.pipeline.gate import input_key
from sibu.pipeline.progress import Progress
from sibu.store.cache import cached
from sibu.store.hashes import hash_code, hash_file, hash_json
from sibu.train.seed import derive

if TYPE_CHECKING:
    from sibu.catalog import Spec
    from sibu.recipe.schema import DataBlock, TaskBlock

TRIES = 3
"""Draws for a copy before it is given up: the first may give a row that is there already."""
BLOCK = 64
"""Copies that are made together where a way changes several rows at once."""


def ways_of(block: TaskBlock) -> tuple[Spec, ...]:
    """Every way in which a task's rows are copied."""
    return block.data.augment + (() if block.consistency is None else block.consistency.augment)


def models_behind(ways: Sequence[Spec]) -> dict[str, str]:
    """The models and folders by which copies are made, each with a hash of its files.

    Raises:
        RecipeError: When one is not there.
    """
    named: dict[str, bool] = {}
    for spec in ways:
        for key in getattr(spec, "models", ()):
            name = str(getattr(spec, key))
            named[name] = named.get(name, False) or bool(getattr(spec, "allow_pickle", False))
    found = {}
    for name, allow_pickle in named.items():
        source = find_model(name, home=Path(), allow_pickle=allow_pickle)
        files = sorted(file for file in source.folder.iterdir() if file.is_file())
        files += [source.bundle / "bundle.json"] if source.bundle is not None else []  # what it asks counts too
        found[name] = hash_json([[file.name, hash_file(file)] for file in files])
    for folder in (Path(getattr(spec, key)) for spec in ways for key in getattr(spec, "folders", ())):
        files = sorted(file for file in folder.iterdir() if file.is_file()) if folder.is_dir() else []
        found[str(folder)] = hash_json([[file.name, hash_file(file)] for file in files])
    return found


def augmented(
    rows: Rows,
    columns: Sequence[Column],
    data: DataBlock,
    known: Sequence[np.ndarray],
    *,
    models: Mapping[str, str],
    seed: int,
    name: str,
    progress: Progress,
) -> tuple[Rows, dict[str, int]]:
    """The rows, and behind them changed copies.

    Args:
        rows: Training rows; each copy has the file and the line of the row that it was made of.
        columns: The task's columns.
        data: Says how copies are made, and how many.
        known: Keys of the inputs of every split (``gate.input_key``): a copy that is one of them is not taken.
        models: What ``models_behind`` tells of it: other weights make other copies.
        seed: Of the draws.
        name: The task's name.
        progress: Where to tell how far it is.

    Returns:
        All rows, and how many copies were made by each way; ``none`` counts those that could not be.
    """
    specs = [spec.model_dump(mode="json") for spec in data.augment]
    there = np.unique(np.concatenate(known)) if known else np.zeros(0, np.int64)
    made_by = [specs, data.copies, seed, dict(models)]
    key = hash_json([hash_code(), rows.key(), made_by, sha256(there.tobytes()).hexdigest()])
    what = f"{name}: new rows"

    def make(folder: Path) -> None:
        names = [str(spec["name"]) for spec in specs]
        with placed_at(f"tasks.{name}.data.augment"):  # what only shows when a model is read
            ways = [AUGMENTERS.of(spec).build(spec) for spec in data.augment]
            for way in ways:
                way.learn(rows)
            _write(folder, rows, columns, ways, names, data.copies, set(there.tolist()), seed, what, progress)

    folder = cached("augmented", key, make)
    counts: dict[str, int] = json.loads((folder / "about.json").read_text(encoding="utf-8"))["made"]
    return Rows(folder, rows.files), counts


def joined(
    rows: Rows, columns: Sequence[Column], file: Path, known: Sequence[np.ndarray], *, made: str
) -> tuple[Rows, int]:
    """The rows, and behind them those of a JSON Lines file by Sibu's names whose inputs no split has.

    Args:
        rows: Training rows.
        columns: The task's columns.
        file: The rows to come behind; each has the place of the first training row.
        known: Keys of the inputs of every split.
        made: What says how they were made.

    Returns:
        All rows, and how many came behind.
    """
    there = np.unique(np.concatenate(known)) if known else np.zeros(0, np.int64)
    key = hash_json([hash_code(), rows.key(), hash_file(file), made, sha256(there.tobytes()).hexdigest()])
    inputs = [column.name for column in columns if column.role == "input"]

    def more(seen: set[int]) -> Iterator[dict[str, Any]]:
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                if (own := input_key(row, inputs)) not in seen:
                    seen.add(own)
                    yield stored_row(row, columns, 0, 1, made)

    def make(folder: Path) -> None:
        write_rows(folder, rows, rows, columns, more(set(there.tolist())), lambda total: {made: total - len(rows)})

    folder = cached("joined", key, make)
    counts: dict[str, int] = json.loads((folder / "about.json").read_text(encoding="utf-8"))["made"]
    return Rows(folder, rows.files), counts[made]


def _write(
    folder: Path,
    rows: Rows,
    columns: Sequence[Column],
    ways: Sequence[Augmenter],
    names: Sequence[str],
    copies: int,
    there: set[int],
    seed: int,
    what: str,
    progress: Progress,
) -> None:
    inputs = [column.name for column in columns if column.role == "input"]
    counts: Counter[str] = Counter(dict.fromkeys((*names, "none"), 0))
    numbers = {file: number for number, file in enumerate(rows.files)}
    size = at_once(ways)

    def wanted() -> Iterator[tuple[str, int, Row, Random]]:
        place = 0
        with progress.bar(what, len(rows)) as advance:
            for chunk in rows.chunks():
                for file, line, row in chunk:
                    for copy in range(copies):
                        yield file, line, row, Random(derive(seed, "augment", place, copy))
                    place += 1
                    advance(1)

    def copied() -> Iterator[dict[str, Any]]:
        source = wanted()
        while block := list(islice(source, size)):
            found = copies_of([row for _, _, row, _ in block], [draw for *_, draw in block], ways, inputs, there)
            for (file, line, _, _), made in zip(block, found, strict=True):
                counts["none" if made is None else names[made[0]]] += 1
                if made is not None:
                    yield stored_row(made[1], columns, numbers[file], line, names[made[0]])

    write_rows(folder, rows, rows, columns, copied(), lambda _: dict(counts))


def by_way(made: Mapping[str, int]) -> str:
    """How many were made by each way, in words: a way that suits none of the rows is told too."""
    return ", ".join(f"{count or 'none'} by {way}" for way, count in made.items())


def write_rows(
    folder: Path,
    before: Rows | None,
    rows: Rows,
    columns: Sequence[Column],
    more: Iterator[dict[str, Any]],
    counts: Callable[[int], dict[str, Any]],
) -> None:
    """Write rows to a folder.

    Args:
        folder: Where they go.
        before: Rows that come first as they are; None: none do.
        rows: Whose files and columns these are.
        columns: The task's columns.
        more: What comes behind, as ``stored_row`` gives it.
        counts: Tells what was made, given how many there are in all.
    """
    import pyarrow as pa

    schema = schema_of(columns).append(pa.field("#made", pa.string()))
    numbers = {file: number for number, file in enumerate(rows.files)}
    total = 0
    with pa.OSFile(str(folder / "rows.arrow"), "wb") as sink, pa.ipc.new_file(sink, schema) as out:
        chunks = () if before is None else before.chunks()
        originals = (stored_row(row, columns, numbers[f], n, None) for chunk in chunks for f, n, row in chunk)
        for source in (originals, more):
            held: list[dict[str, Any]] = []
            for row in source:
                held.append(row)
                if len(held) == CHUNK:
                    out.write_batch(pa.RecordBatch.from_pylist(held, schema=schema))
                    total += len(held)
                    held = []
            if held:
                out.write_batch(pa.RecordBatch.from_pylist(held, schema=schema))
                total += len(held)
    about = {"rows": total, "columns": rows.columns(), "made": counts(total)}
    (folder / "about.json").write_text(json.dumps(about), encoding="utf-8")


def at_once(ways: Sequence[Augmenter]) -> int:
    """How many rows ``copies_of`` is to be handed: those by models change many together."""
    return BLOCK if any(hasattr(way, "many") for way in ways) else 1


def copies_of(
    rows: Sequence[Row], draws: Sequence[Random], ways: Sequence[Augmenter], inputs: Sequence[str], there: set[int]
) -> list[tuple[int, Row] | None]:
    """Of each row a changed copy that is not there yet, and which way made it; their keys are noted."""
    found: list[tuple[int, Row] | None] = [None] * len(rows)
    for _ in range(TRIES):
        left = [place for place, made in enumerate(found) if made is None]
        drawn = {place: draws[place].randrange(len(ways)) for place in left}
        changed: dict[int, Row | None] = {}
        for number, way in enumerate(ways):
            own = [place for place in left if drawn[place] == number]
            changed |= zip(own, _changed(way, [rows[n] for n in own], [draws[n] for n in own]), strict=True)
        for place in left:
            row = changed[place]
            if row is not None and (key := input_key(row, inputs)) not in there:
                there.add(key)
                found[place] = drawn[place], row
    return found


def _changed(way: Augmenter, rows: Sequence[Row], draws: Sequence[Random]) -> Sequence[Row | None]:
    if hasattr(way, "many"):
        return cast("ManyAugmenter", way).many(rows, draws) if rows else []
    return [way(row, draw) for row, draw in zip(rows, draws, strict=True)]


def stored_row(
    row: Mapping[str, Any], columns: Sequence[Column], file: int, line: int, made: str | None
) -> dict[str, Any]:
    """A row as Arrow holds it."""
    found: dict[str, Any] = {"#file": file, "#line": line, "#made": made}
    if "id" in row and row["id"] is not None:
        found["{id"] = json.dumps(row["id"], ensure_ascii=False)
    for column in columns:
        value = row.get(column.name)
        if value is not None:
            name = stored(column)
            found[name] = json.dumps(value, ensure_ascii=False) if name.startswith("{") else value
    return found
