"""Training rows with changed copies of them: marked, none of them equal to a row that is there or is judged on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np

from sibu.augmenters import AUGMENTERS
from sibu.core.columns import Column
from sibu.core.example import Row
from sibu.core.protocols import Augmenter
from sibu.pipeline.data import CHUNK, Rows, schema_of, stored
from sibu.pipeline.gate import input_key
from sibu.pipeline.progress import Progress
from sibu.store.cache import cached
from sibu.store.hashes import hash_code, hash_file, hash_json
from sibu.train.seed import derive

if TYPE_CHECKING:
    from pathlib import Path

    from sibu.recipe.schema import DataBlock

TRIES = 3
"""Draws for a copy before it is given up: the first may give a row that is there already."""


def augmented(
    rows: Rows,
    columns: Sequence[Column],
    data: DataBlock,
    known: Sequence[np.ndarray],
    *,
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
        seed: Of the draws.
        name: The task's name.
        progress: Where to tell how far it is.

    Returns:
        All rows, and how many copies were made by each way; ``none`` counts those that could not be.
    """
    specs = [spec.model_dump(mode="json") for spec in data.augment]
    there = np.unique(np.concatenate(known)) if known else np.zeros(0, np.int64)
    key = hash_json([hash_code(), rows.key(), specs, data.copies, seed, sha256(there.tobytes()).hexdigest()])

    def make(folder: Path) -> None:
        ways = [AUGMENTERS.of(spec).build(spec) for spec in data.augment]
        names = [str(spec["name"]) for spec in specs]
        for way in ways:
            way.learn(rows)
        _write(
            folder, rows, columns, ways, names, data.copies, set(there.tolist()), seed, f"{name}: new rows", progress
        )

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

    def copied() -> Iterator[dict[str, Any]]:
        with progress.bar(what, len(rows)) as advance:
            place = 0
            for chunk in rows.chunks():
                for file, line, row in chunk:
                    for copy in range(copies):
                        draw = Random(derive(seed, "augment", place, copy))
                        made = _one(row, ways, draw, inputs, there)
                        counts["none" if made is None else names[made[0]]] += 1
                        if made is not None:
                            yield stored_row(made[1], columns, numbers[file], line, names[made[0]])
                    place += 1
                advance(len(chunk))

    write_rows(folder, rows, rows, columns, copied(), lambda _: dict(counts))


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


def _one(
    row: Row, ways: Sequence[Augmenter], draw: Random, inputs: Sequence[str], there: set[int]
) -> tuple[int, Row] | None:
    """A changed copy that is not there yet, and which way made it; its key is noted."""
    for _ in range(TRIES):
        way = draw.randrange(len(ways))
        made = ways[way](row, draw)
        if made is not None and (key := input_key(made, inputs)) not in there:
            there.add(key)
            return way, made
    return None


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
