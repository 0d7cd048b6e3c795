"""A task's files as rows on disk: read once, cleaned, mapped to Sibu's names, found again by content."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from difflib import get_close_matches
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sibu.core.columns import Column
from sibu.core.errors import DataError, Fault, RecipeError, counted, near_miss
from sibu.core.example import DataFault, Faults, Held, Row, as_names
from sibu.core.protocols import Reader, Record
from sibu.pipeline.twins import normal
from sibu.readers import READERS, reader_for
from sibu.store.cache import cached
from sibu.store.hashes import hash_code, hash_file, hash_folder, hash_json
from sibu.store.ragged import RaggedArrays
from sibu.train.seed import derive, generator

if TYPE_CHECKING:
    import pyarrow as pa

    from sibu.catalog import Spec
    from sibu.pipeline.aligned import Fits
    from sibu.recipe.schema import Recipe, TaskBlock

_TAG = re.compile(r"O|[BIES]-\S+")
"""A tag of CoNLL columns."""
CHUNK = 2048
"""Rows held in memory at a time."""
_PLAIN = {"text", "number", "tokens", "tags", "file"}
"""Kinds that Arrow holds as they are; the others are JSON, since one column may hold labels and lists of them."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a modality made of the values of a file's rows, on disk."""

    arrays: RaggedArrays
    """Record for record beside the rows of the files; empty where a row has no value."""
    digests: np.ndarray
    """Equal for values of equal content; 0: there is none. Shape ``(rows,)``."""
    key: str
    source: Kept | None = None
    """The arrays, where these are vectors that were computed of them."""
    looks: np.ndarray | None = None
    """64 bits a value, near ones for pictures that show the same; 0: it cannot be told. None: of no such modality."""

    def held(self, number: int, said: Any) -> Held | None:
        """The value of a row; None where it has none that can be read."""
        if not self.digests[number]:
            return None
        source = None if self.source is None else partial(self.source.of, number)
        return Held(str(said), f"{self.digests[number]:016x}", partial(self.of, number), source)

    def of(self, number: int) -> dict[str, np.ndarray]:
        """The arrays of a row's value."""
        return self.arrays.record(number)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one or several files, mapped from disk; only ``CHUNK`` of them are in memory at a time."""

    folder: Path
    files: tuple[str, ...]
    chosen: np.ndarray | None = None
    """Numbers of the rows that belong to it, ascending; None: all."""
    kept: Mapping[str, Kept] = field(default_factory=dict)
    """What modalities made of the rows' values, by their column."""
    fits: tuple[Fits, ...] = ()
    """How values of a row were brought into line."""

    def __len__(self) -> int:
        return self.in_files if self.chosen is None else len(self.chosen)

    def bare(self) -> Rows:
        """The rows as their files have them, without what modalities made of their values."""
        return replace(self, kept={}, fits=())

    @property
    def in_files(self) -> int:
        """How many rows the files have."""
        return int(json.loads((self.folder / "about.json").read_text())["rows"])

    def key(self) -> str:
        """Equal for equal rows of equal files."""
        own = None if self.chosen is None else sha256(self.chosen.tobytes()).hexdigest()
        return hash_json(
            [self.folder.name, own, *([sorted(each.key for each in self.kept.values())] * bool(self.kept))]
        )

    @property
    def numbers(self) -> np.ndarray:
        """The number in the files of each row."""
        return np.arange(self.in_files) if self.chosen is None else self.chosen

    def columns(self) -> list[str]:
        """Sibu's names of the columns that the files have."""
        return list(json.loads((self.folder / "about.json").read_text())["columns"])

    def chunks(self) -> Iterator[list[tuple[str, int, Row]]]:
        """Each row with its file and line, in order, in lists of at most ``CHUNK``."""
        import pyarrow as pa

        first = 0
        with pa.memory_map(str(self.folder / "rows.arrow")) as source, pa.ipc.open_file(source) as reader:
            for number in range(reader.num_record_batches):
                batch = reader.get_batch(number)
                last = first + batch.num_rows
                own = np.arange(first, last)
                if self.chosen is not None:
                    low, high = np.searchsorted(self.chosen, (first, last))
                    own = self.chosen[low:high]
                    batch = batch.take(pa.array(own - first))
                if batch.num_rows:
                    yield [self._row(raw, int(place)) for raw, place in zip(batch.to_pylist(), own, strict=True)]
                first = last

    def _row(self, raw: dict[str, Any], number: int) -> tuple[str, int, Row]:
        file, line = self.files[raw.pop("#file")], raw.pop("#line")
        raw.pop("#made", None)  # how a changed copy was made
        row = {k.lstrip("{"): json.loads(v) if k[0] == "{" and v is not None else v for k, v in raw.items()}
        for name, kept in self.kept.items():
            row[name] = kept.held(number, row.get(name))
        return file, line, row

    def __iter__(self) -> Iterator[Row]:
        for chunk in self.chunks():
            for _, _, row in chunk:
                yield row

    def take(self, places: Sequence[int] | np.ndarray) -> list[Row]:
        """Some of the rows by their places, in the order asked for."""
        wanted = np.asarray(places)
        order = np.unique(wanted)
        found = list(replace(self, chosen=order if self.chosen is None else self.chosen[order]))
        return [found[place] for place in np.searchsorted(order, wanted)]

    def subset(self, numbers: np.ndarray) -> Rows:
        """Some of the rows, by their numbers in the files."""
        return replace(self, chosen=np.sort(numbers))


@dataclass(frozen=True, slots=True)
class Origin:
    """How a task's files are to be read."""

    fields: Mapping[str, str]
    """Sibu's name to the file's column."""
    reader: Spec | None
    columns: tuple[Column, ...]
    needs: tuple[tuple[str, ...], ...]
    where: str
    """Where the recipe speaks of it, such as ``tasks.intent``."""


def read_rows(
    files: Sequence[str],
    origin: Origin,
    faults: Faults,
    *,
    targets: bool = True,
    reader_of: Callable[[str], Spec] | None = None,
) -> Rows:
    """Read files to rows on disk; rows that are not clean are counted in ``faults``.

    Args:
        files: The files, read as one.
        origin: How.
        faults: Takes what is wrong with lines and values.
        targets: Whether the rows must have what is to be learned.
        reader_of: The reader of each file; None: as ``origin`` says.

    Raises:
        RecipeError: When a column that the task needs is in no file, or `fields` names one that is not there.
        DataError: When a file is missing or holds no row.
    """
    readers = [_reader(file, origin) if reader_of is None else reader_of(file) for file in files]
    contents = [[file, content_of(file), spec.model_dump()] for file, spec in zip(files, readers, strict=True)]
    columns = [asdict(column) for column in origin.columns]
    key = hash_json([hash_code(), contents, dict(origin.fields), columns, origin.needs, targets])
    folder = cached("rows", key, lambda folder: _write(folder, files, readers, origin, targets=targets))
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    found = Faults.from_json(about["faults"])
    for lines, content in zip(about["lines"], contents, strict=True):
        own = Faults.from_json(lines)
        found.join(own)
        faults.join_once(own, hash_json(content))
    faults.join(Faults.from_json(about["faults"]))
    _check_columns(about, origin, targets=targets)
    if not about["rows"]:  # nothing to learn labels from: say why before anything else stumbles over it
        why = "\n".join(map(str, found.examples)) or "The files hold no record."
        raise DataError(f"{', '.join(files)}: no row can be used ({origin.where}).\n{why}")
    return Rows(folder, tuple(files))


def _reader(file: str, origin: Origin) -> Spec:
    if origin.reader is not None:
        return origin.reader
    return READERS[reader_for(file)].spec()


def content_of(file: str) -> str:
    """Equal for files, or folders, of equal content; what is no local file is known by its name."""
    path = Path(file)
    return hash_folder(path) if path.is_dir() else hash_file(path) if path.is_file() else file


def _write(folder: Path, files: Sequence[str], readers: Sequence[Spec], origin: Origin, *, targets: bool) -> None:
    """Read, clean and write; what is wrong is kept beside the rows, so that the cache tells it again."""
    import pyarrow as pa

    faults = Faults()
    lines = [Faults() for _ in files]
    present: set[str] = set()
    schema = schema_of(origin.columns)
    count = 0
    with pa.OSFile(str(folder / "rows.arrow"), "wb") as sink, pa.ipc.new_file(sink, schema) as out:
        for number, (file, spec) in enumerate(zip(files, readers, strict=True)):
            read: Reader = READERS.of(spec).build(spec)
            chunk: list[dict[str, Any]] = []
            for record in read(file, lines[number]):
                present |= record[1].keys()
                cell = hasattr(spec, "quote")  # a table of texts: CSV, TSV
                row = _cleaned(record, number, file, origin, faults, targets=targets, cell=cell)
                if row is not None:
                    chunk.append(row)
                if len(chunk) == CHUNK:
                    count += _flush(out, chunk, schema)
            count += _flush(out, chunk, schema)
    wanted = {column.name: origin.fields.get(column.name, column.name) for column in origin.columns}
    about = {
        "rows": count,
        "columns": [name for name, column in wanted.items() if column in present],
        "in_files": sorted(present),
        "faults": faults.as_json(),
        "lines": [each.as_json() for each in lines],
    }
    (folder / "about.json").write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")


def schema_of(columns: Sequence[Column]) -> pa.Schema:
    """How Arrow holds rows of these columns."""
    import pyarrow as pa

    types = {
        "text": pa.string(),
        "file": pa.string(),
        "number": pa.float64(),
        "tokens": pa.list_(pa.string()),
        "tags": pa.list_(pa.string()),
    }
    own = [(stored(column), types.get(column.kind, pa.string())) for column in columns]
    return pa.schema([("#file", pa.int32()), ("#line", pa.int64()), ("{id", pa.string()), *own])


def stored(column: Column) -> str:
    """A column's name in Arrow: behind a brace where its values are JSON."""
    return column.name if column.kind in _PLAIN else "{" + column.name


def _flush(out: Any, chunk: list[dict[str, Any]], schema: pa.Schema) -> int:
    import pyarrow as pa

    if chunk:
        out.write_batch(pa.RecordBatch.from_pylist(chunk, schema=schema))
    size = len(chunk)
    chunk.clear()
    return size


def alternatives(columns: Sequence[Column], needs: Sequence[tuple[str, ...]]) -> set[str]:
    """Columns of several modalities of which a row needs one: an empty text is none there."""
    valued = {column.name for column in columns if column.kind in ("file", "series", "record")}
    return {name for group in needs if len(group) > 1 and valued.intersection(group) for name in group}


_FORMS = {
    "file": "Name a file by its path, from the folder of the file that it stands in; leave it out where there is none.",
    "series": "Name a file, or give readings as a list; leave it out where there are none.",
}
"""How values that a task's guide does not describe are given."""


def read_unlabelled(files: Sequence[str], origin: Origin) -> tuple[Rows, Faults]:
    """Rows of which only the inputs are wanted, and what is wrong with those that are left out."""
    inputs = {column.name for column in origin.columns if column.role == "input"}
    bare = replace(origin, needs=tuple(group for group in origin.needs if group[0] in inputs))
    faults = Faults()
    return read_rows(files, bare, faults, targets=False), faults


def _cleaned(
    record: Record, number: int, file: str, origin: Origin, faults: Faults, *, targets: bool, cell: bool
) -> dict[str, Any] | None:
    """A row in stored form; None, with a fault, where a value cannot be used."""
    line, raw = record
    row: dict[str, Any] = {"#file": number, "#line": line}
    if (name := raw.get(origin.fields.get("id", "id"))) is not None:
        row["{id"] = json.dumps(name, ensure_ascii=False, default=str)
    sound = True
    either = alternatives(origin.columns, origin.needs)
    for column in origin.columns:
        source = origin.fields.get(column.name, column.name)
        value = raw_value(column, raw, source) if targets or column.role == "input" else None
        if value is None:
            continue
        if column.role == "input":
            spared = column.name in either or (cell and (column.name,) not in origin.needs)
        else:  # such as a label that rules may give
            spared = cell and not any(column.name in group for group in origin.needs)
        if spared and isinstance(value, str) and not value.strip():
            continue  # an empty cell is all that a CSV can say of what a row lacks
        try:
            value = placed(column.clean(value, cell=cell), column, Path(file).parent)
        except ValueError as fault:
            mend = _FORMS.get(column.kind, f"See the form of `{column.name}` in the data guide.")
            faults.add(DataFault("bad value", "error", file, line, f"{source!r} {fault}.", mend), skips_row=sound)
            sound = False
            continue
        row[stored(column)] = value if column.kind in _PLAIN else json.dumps(value, ensure_ascii=False)
    if not sound:
        return None
    roles = {column.name: column.role for column in origin.columns}
    needs = [group for group in origin.needs if targets or roles[group[0]] == "input"]
    return row if _has_needs(needs, row, raw, (file, line), origin, faults) else None


def raw_value(column: Column, raw: Mapping[str, Any], source: str) -> Any:
    """What a record has for a column; of one that is gathered from several an object, None where all are empty."""
    if not column.parts or raw.get(source) is not None:
        return raw.get(source)
    found = {name: raw.get(name) for name in column.parts}
    return None if all(part in (None, "") for part in found.values()) else found


def placed(value: Any, column: Column, home: Path) -> Any:
    """A value that names a file, found from anywhere."""
    if column.kind == "file" or (column.kind == "series" and isinstance(value, str)):
        if "://" in value:  # an address, which is refused with a word when it is read
            return str(value)
        try:
            return str((home / Path(value).expanduser()).absolute())
        except RuntimeError:
            user = value.partition("/")[0]
            raise ValueError(f"begins with {user!r}, and there is no such user; given {value!r}") from None
    return value


def wanted(group: Sequence[str], columns: Sequence[Column], fields: Mapping[str, str]) -> str:
    """A group of columns of which a row needs one, as messages name it: of one that is gathered its parts beside it."""
    parts = {column.name: f" ({', '.join(column.parts)})" for column in columns if column.parts}
    return " or ".join(f"{fields.get(name, name)!r}{parts.get(name, '')}" for name in group)


def _has_needs(
    needs: Sequence[tuple[str, ...]],
    row: Mapping[str, Any],
    raw: Mapping[str, Any],
    place: tuple[str, int],
    origin: Origin,
    faults: Faults,
) -> bool:
    """Whether the row has one of each group."""
    names_there = {column.name: stored(column) for column in origin.columns}
    for group in needs:
        sources = [origin.fields.get(name, name) for name in group]
        given = [source for source in sources if source in raw]
        if all(row.get(names_there[name]) is None for name in group):
            names = wanted(group, origin.columns, origin.fields)
            message, mend = f"there is no {names}.", "Fill it in, or remove the row."
            if len(given) > 1:
                message, mend = f"{as_names(given)}: none has a value.", "Fill one in, or remove the row."
            elif given:
                message = f"{given[0]!r} has no value (null)."
            fault = DataFault("missing value", "error", *place, message, mend)
            faults.add(fault, skips_row=True)
            return False
    return True


def _check_columns(about: Mapping[str, Any], origin: Origin, *, targets: bool) -> None:
    """Every group of columns that the task needs, and every column that `fields` names, is in the files."""
    if not about["in_files"]:
        return
    gathered = {column.name: column.parts for column in origin.columns if column.parts}
    there = {*about["columns"], *(name for name, parts in gathered.items() if set(parts) & set(about["in_files"]))}
    roles = {column.name: column.role for column in origin.columns}
    has = f"The files have: {', '.join(about['in_files'])}."
    found: list[Fault] = []
    for name, parts in gathered.items():
        lacking = [part for part in parts if part not in about["in_files"]]
        alone = not any(set(group) & there for group in origin.needs if name in group)
        if lacking and name not in about["in_files"] and (alone or len(lacking) < len(parts)):
            close = near_miss(lacking[0], about["in_files"])
            what = f"there is no column {', '.join(map(repr, lacking))}, which `columns` of `{name}` names."
            found.append(Fault("modalities", what, close + has))
    for name, source in origin.fields.items():
        if name not in roles and name != "id":
            close = near_miss(name, roles)
            mend = f"{close}Allowed: {', '.join(roles)}."
            found.append(Fault(f"{origin.where}.fields.{name}", f"{name!r} is no field of this task.", mend))
        if source not in about["in_files"] and (targets or roles.get(name) == "input"):
            close = near_miss(source, about["in_files"])
            found.append(Fault(f"{origin.where}.fields.{name}", f"there is no column {source!r}.", close + has))
    for group in origin.needs:
        wanted = targets or all(roles[name] == "input" for name in group)
        named = [name for name in group if name in origin.fields]  # told above, if the column is not there
        if wanted and not named and not set(group) & {*there, *gathered}:
            names = " or ".join(map(repr, group))
            by_case = {column.casefold(): column for column in about["in_files"]}
            alike = get_close_matches(group[0], list(by_case), n=1, cutoff=0.5)
            such = f", such as `{group[0]}: {by_case[alike[0]]}`" if alike else f": `{group[0]}: <column>`"
            mend = f"Name the column under {origin.where}.fields{such}."
            found.append(
                Fault(origin.where, f"there is no column {names}.", f"{has} {_another_form(about, group) or mend}")
            )
    if found:
        raise RecipeError(found)


def _another_form(about: Mapping[str, Any], group: Sequence[str]) -> str:
    """What to do where the names of the columns are another form's, or no names; or an empty text."""
    names = about["in_files"]
    for reader, keys in (("alpaca", {"instruction", "output"}), ("sharegpt", {"conversations"})):
        if keys <= set(names) and "messages" in group:
            return f"They look like those of another form: say `reader: {reader}` in the task."
    if len(names) > 1 and any(_TAG.fullmatch(name) for name in names):
        return "They look like a token and its tag: say `reader: conll` in the task."
    mark = next((mark for mark in ";\t|," if mark in names[0]), None) if len(names) == 1 else None
    if mark is not None:
        return f"The one column looks as if {mark!r} stood between cells: set the reader's option `delimiter`."
    if any(len(name) > 40 or name.replace(".", "", 1).isdigit() for name in names):
        return "If the first line is a row and names no columns, name them in the reader's option `header`."
    return ""


def split_dev(rows: Rows, *, share: float, seed: int, fold: tuple[int, int] | None = None) -> tuple[Rows, Rows]:
    """Train and dev parts of rows: seeded, stratified by label, equal inputs on one side.

    With ``fold`` (which, of how many) dev is that part of the rows: no row is in two of them, and each is in one.

    Raises:
        DataError: When there are too few rows.
    """
    total = len(rows)
    if total < 2:
        raise DataError(f"{', '.join(rows.files)} has {total} row, too few to split dev from. Give `data.dev`.")
    groups: dict[str, list[int]] = {}
    strata: dict[str, list[str]] = {}
    for number, row in enumerate(rows):
        names = ("text", "text_pair", "tokens", "question", "context", "messages", *rows.kept)
        key = hash_json([normal(str(row.get(name))) for name in names])
        if key not in groups:
            label = row.get("label")
            strata.setdefault(label if isinstance(label, str) else "", []).append(key)
        groups.setdefault(key, []).append(number)
    dev: list[int] = []
    filled: set[int] = set()
    for stratum, keys in sorted(strata.items()):
        draw = generator(seed, "dev", stratum)
        order = [keys[place] for place in draw.permutation(len(keys))]
        if fold is not None:
            shift = derive(seed, "fold", stratum) % fold[1]  # else the first parts would get all that is left over
            parts = [(place + shift) % fold[1] for place in range(len(order))]
            filled |= set(parts)
            dev += [row for part, key in zip(parts, order, strict=True) if part == fold[0] for row in groups[key]]
            continue
        wanted = share * sum(len(groups[key]) for key in keys)
        taken = 0
        for key in order:  # at least half a row's worth: a label with few rows keeps them for training
            if taken + len(groups[key]) / 2 > wanted:
                break
            dev += groups[key]
            taken += len(groups[key])
    if fold is not None and len(filled) < fold[1]:  # told by whichever comes first: the others need not train for it
        what = f"{counted(len(groups), 'different row')} are too few for {fold[1]} folds: one would have no dev"
        raise DataError(f"{', '.join(rows.files)}: {what}. Lower `folds`, or add rows.")
    if not dev:
        dev = groups[next(iter(groups))]
    held = np.zeros(total, dtype=bool)
    held[dev] = True
    if held.all():
        why = "all rows are alike" if len(groups) == 1 else f"a dev_share of {share:g} leaves no row to train on"
        raise DataError(f"{', '.join(rows.files)}: {why}; dev cannot be split from it. Give `data.dev`.")
    numbers = np.arange(total) if rows.chosen is None else rows.chosen
    return rows.subset(numbers[~held]), rows.subset(numbers[held])


def named_files(given: str | Sequence[str]) -> list[str]:
    """One file or several as a list."""
    return [given] if isinstance(given, str) else list(given)


def missing_files(files: Sequence[str], where: str) -> Iterator[Fault]:
    """A fault for each file that is not there, with a near miss from its folder."""
    for file in files:
        path = Path(file)
        if file.startswith("datasets:") or path.exists():
            continue
        near = near_miss(path.name, (p.name for p in path.parent.iterdir())) if path.parent.is_dir() else ""
        folder = "" if path.parent.is_dir() else f" The folder {path.parent} does not exist either."
        yield Fault(where, f"no file at {path}.{folder}", near.rstrip())


def require_files(files: Sequence[str], where: str) -> None:
    """Every file is there.

    Raises:
        RecipeError: Naming those that are not.
    """
    if found := list(missing_files(files, where)):
        raise RecipeError(found)


def files_by_split(block: TaskBlock) -> dict[str, list[str]]:
    """A task's files by what they are for: `train`, `unlabelled`, `dev`, `test` or `test.<name>`."""
    data = block.data
    found = {} if data.train is None else {"train": named_files(data.train)}
    if data.unlabelled is not None:
        found["unlabelled"] = named_files(data.unlabelled)
    if data.dev is not None:
        found["dev"] = named_files(data.dev)
    if isinstance(data.test, Mapping):
        return found | {f"test.{name}": [file] for name, file in data.test.items()}
    return found if data.test is None else found | {"test": named_files(data.test)}


def files_of(block: TaskBlock) -> list[str]:
    """Every file of a task."""
    return [file for files in files_by_split(block).values() for file in files]


def all_files(recipe: Recipe) -> list[str]:
    """Every file of a recipe's tasks, once each."""
    return list(dict.fromkeys(file for block in recipe.tasks.values() for file in files_of(block)))


def test_files(block: TaskBlock) -> dict[str, list[str]]:
    """Test files by the name of their split."""
    test = block.data.test
    if isinstance(test, Mapping):
        return {name: [file] for name, file in test.items()}
    return {} if test is None else {"test": named_files(test)}
