"""Inputs from outside to predictions, faults in their place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sibu.core.errors import DataError, RecipeError, SibuError, counted, near_miss
from sibu.core.example import Faults, Row, as_names
from sibu.core.protocols import Task
from sibu.core.result import Evidence, Prediction, Report
from sibu.pipeline.data import Origin, alternatives, named_files, placed, raw_value, read_rows, require_files, wanted
from sibu.pipeline.gate import GateReport
from sibu.pipeline.knowing import KnowingText
from sibu.pipeline.mixed import Mixed, hold, origin_of, sensed
from sibu.pipeline.predict import CHUNK, answers, evaluate_rows
from sibu.pipeline.progress import Progress
from sibu.readers import READERS, reader_for

if TYPE_CHECKING:
    from sibu.pipeline.bundle import Opened
    from sibu.recipe.schema import TaskBlock


HELD = 256
"""Rows held at a time where they have pictures and the like."""
_WRITTEN = (str, int, float, list, dict)
"""What a file of inputs can hold; where a file's name is expected, all else is its bytes or arrays, given in memory."""
STDIN = "-"
"""The name of standard input among files."""


def clean_input(
    task: Task, given: Any, fields: Mapping[str, str], *, also: Sequence[str] = (), origin: Origin | None = None
) -> Row:
    """One input as a row by Sibu's names.

    Args:
        task: Whose columns it must have.
        given: A text, or a mapping by Sibu's names or by the file's. What a file would hold may stand in its place:
            bytes, pixels, samples.
        fields: Sibu's name to the file's column.
        also: Targets that are read too.
        origin: How the task's files are read, where that differs from its own columns; None: by them.

    Raises:
        DataError: What was given, what is allowed.
    """
    every, needs = (task.columns, task.needs) if origin is None else (origin.columns, origin.needs)
    columns = {column.name: column for column in every if column.role == "input" or column.name in also}
    if isinstance(given, SibuError):
        raise given
    if isinstance(given, str):
        if "text" not in columns:
            raise DataError(f"a text was given; this task needs {', '.join(columns)}.")
        given = {"text": given}
    if not isinstance(given, Mapping):
        raise DataError(f"an input is a text or a mapping with {', '.join(columns)}, given {type(given).__name__}.")
    row: dict[str, Any] = {}
    either = alternatives(every, needs)
    for name, column in columns.items():
        value = given.get(fields.get(name, name), given.get(name))
        value = raw_value(column, given, fields.get(name, name)) if value is None else value
        if value is None or (name in either and isinstance(value, str) and not value.strip()):
            continue
        try:
            row[name] = value if column.kind == "file" and not isinstance(value, _WRITTEN) else column.clean(value)
        except ValueError as fault:
            raise DataError(f"{name!r} {fault}.") from None
    for group in needs:
        if all(name in columns for name in group) and not any(name in row for name in group):
            names = wanted(group, every, fields)
            if any(name in given for name in (*(fields.get(name, name) for name in group), *group)):
                raise DataError(f"{names} has no value (null).")
            has = ", ".join(map(repr, given)) or "nothing"
            mend = ""
            if "tokens" in given and "text" in group:
                mend = " A `.txt` file is read as columns of words (CoNLL): give texts as JSON Lines or a CSV."
            raise DataError(f"there is no {names}; the input has {has}.{mend}")
    return row


def columns_of(opened: Opened, name: str) -> list[str]:
    """Names of an input's columns that are read for a task: Sibu's, the files' where these differ, parts of others."""
    task, block = opened.tasks[name], opened.recipe.tasks[name]
    every = origin_of(name, block, task, opened.text).columns if isinstance(opened.text, Mixed) else task.columns
    read = [each for each in every if each.role == "input" or each.name in _compared(block)]
    given = [said for each in read for said in (each.name, block.fields.get(each.name, each.name), *each.parts)]
    return list(dict.fromkeys(given))


def answer_inputs(
    opened: Opened, name: str, inputs: Iterable[Any], *, progress: Progress, total: int | None
) -> Iterator[Prediction | SibuError]:
    """Predictions in input order; an input that cannot be read gives its fault in its place."""
    task = opened.tasks[name]
    block = opened.recipe.tasks[name]
    also = _compared(block)
    text = opened.text
    origin = origin_of(name, block, task, text) if isinstance(text, Mixed) else None
    if origin is not None and hasattr(task, "of"):  # one of the two is compared with others
        origin = replace(origin, needs=(task.of,))
    size = CHUNK if origin is None else HELD
    source = iter(inputs)
    cuts: list[int] = []
    begun = 0
    with progress.bar("predicting", total) as advance:
        while chunk := list(islice(source, size)):
            cleaned: list[Row | SibuError] = []
            beside: list[tuple[Evidence, ...]] = []
            for given in chunk:
                try:
                    row = clean_input(task, given, block.fields, also=also, origin=origin)
                    if also and not task.answers(row):  # type: ignore[attr-defined]
                        raise DataError("there is no target, which the reward compares with. Give it with the input.")
                    row = _sound(task, row)
                    row, told = hold(row, text) if isinstance(text, Mixed) else (row, ())
                    cleaned.append(row)
                    beside.append(told)
                except SibuError as fault:
                    cleaned.append(fault)
            sound = [place for place, row in enumerate(cleaned) if not isinstance(row, SibuError)]
            rows = [row for row in cleaned if not isinstance(row, SibuError)]
            cut: set[int] = set()
            answers = _answered(opened, name, rows, cut.update) if rows else []
            found = iter(_with(answer, told) for answer, told in zip(answers, beside, strict=True))
            yield from (row if isinstance(row, SibuError) else next(found) for row in cleaned)
            cuts += [begun + sound[row] for row in sorted(cut)]
            begun += len(chunk)
            advance(len(chunk))
    if cuts:
        limit = opened.text.max_length
        rest = "what was left out stands in their evidence as `cut`" if task.writes else "the rest was not read"
        said = f"{counted(len(cuts), 'input')} longer than the model's {limit} pieces: {rest}."
        listed = ", ".join(map(str, cuts[:10])) + (", ..." if len(cuts) > 10 else "")
        progress.say(f"{said} Counted from 0: {listed}.")


def _with(answer: Prediction | SibuError, told: tuple[Evidence, ...]) -> Prediction | SibuError:
    """An answer with what is told of its row's values."""
    if not told or isinstance(answer, SibuError):
        return answer
    return replace(answer, evidence=(*answer.evidence, *told))


def _compared(block: TaskBlock) -> tuple[str, ...]:
    """The targets that the answers' rewards compare with, where rewards choose."""
    chooses = block.decoding.name == "best_of"  # type: ignore[attr-defined]
    return ("target",) if chooses and any(getattr(spec, "needs_target", False) for spec in block.reward) else ()


def tell_input(opened: Opened, name: str, given: Any, heard: Callable[[str], None]) -> Prediction:
    """Answer one input, and tell the answer bit by bit.

    Raises:
        RecipeError: When the task, or its way of writing, cannot tell it so.
        DataError: When the input cannot be read, or the answer did not end.
    """
    task, block = opened.tasks[name], opened.recipe.tasks[name]
    if not task.writes:
        raise RecipeError(f"The task {name!r} does not write; only what is written can be told bit by bit.")
    if task.choices:  # type: ignore[attr-defined]
        raise RecipeError(f"The task {name!r} weighs its labels and writes none; there is nothing to hear.")
    decoding: str = block.decoding.name  # type: ignore[attr-defined]
    if decoding in ("beam", "best_of"):
        raise RecipeError(
            f"`{decoding}` knows its answer only at the end. Choose another decoding to hear it bit by bit."
        )
    row = _sound(task, clean_input(task, given, block.fields))
    (found,) = opened.writer(name).valid([row], heard=heard)
    if isinstance(found, SibuError):
        raise found
    return opened.text.with_facts(found, [task.prompt(row)]) if isinstance(opened.text, KnowingText) else found  # type: ignore[attr-defined]


def _answered(
    opened: Opened, name: str, rows: list[Row], cut: Callable[[set[int]], None]
) -> Sequence[Prediction | SibuError]:
    task = opened.tasks[name]
    if task.writes:
        found = _written(opened, name, rows, cut)
        if not isinstance(opened.text, KnowingText):
            return found
        return [
            opened.text.with_facts(each, [task.prompt(row)]) if isinstance(each, Prediction) else each  # type: ignore[attr-defined]
            for each, row in zip(found, rows, strict=True)
        ]
    return answers(opened.model, name, task, opened.text, rows, cut=cut, spread=True)


def _written(
    opened: Opened, name: str, rows: list[Row], cut: Callable[[set[int]], None]
) -> Sequence[Prediction | SibuError]:
    """What is written to each row; one that the chat template refuses gives its fault, and the others go on."""
    writer = opened.writer(name)
    try:
        return writer.valid(rows, cut=cut)
    except DataError:
        refused = [_refusal(opened, name, row) for row in rows]
    if all(each is None for each in refused):
        raise
    sound = [place for place, fault in enumerate(refused) if fault is None]
    own = [rows[place] for place in sound]
    found = iter(writer.valid(own, cut=lambda places: cut({sound[place] for place in places})) if own else ())
    return [next(found) if fault is None else fault for fault in refused]


def _refusal(opened: Opened, name: str, row: Row) -> DataError | None:
    """Why a row cannot be put into the chat template."""
    try:
        opened.text.prepare([opened.tasks[name].prompt(row)])  # type: ignore[attr-defined]
    except DataError as fault:
        return fault
    return None


def _sound(task: Task, row: Row) -> Row:
    """The row, where the task finds no error in its inputs."""
    for _, severity, message, mend in task.check(row, ()):
        if severity == "error":
            raise DataError(f"{message} {mend}")
    return row


def evaluate_files(opened: Opened, name: str, files: list[str], *, faults: Faults, progress: Progress) -> Report:
    """Metrics on labelled files; every row is looked at first as before a run.

    Raises:
        RecipeError: When a file or column is not there.
        DataError: When rows cannot be read.
    """
    task = opened.tasks[name]
    block = opened.recipe.tasks[name]
    require_files(files, "--data")
    origin = origin_of(name, block, task, opened.text)
    rows = read_rows(files, origin, faults, reader_of=lambda file: reader_of(file, block))
    rows = sensed(rows, opened.text, faults, progress, what=name)
    from sibu.pipeline.gate import survey

    found, _ = survey(task, rows, opened.text, faults, progress, what=f"looking at {name}", each=lambda *_: None)
    GateReport({name: {"test": found}}, faults).require(trains=False)
    for line in faults.warnings():
        progress.say(line)
    return evaluate_rows(
        opened.model,
        name,
        task,
        opened.text,
        rows,
        split="test",
        total=len(rows),
        progress=progress,
        block=block,
    )


def reader_of(file: str, block: TaskBlock) -> Any:
    """How a file is read: as the task's own files were, where it is of their kind or of none that is known.

    Of their kind is also what has the ending of one of them: texts by line may be called `.txt`, as CoNLL columns are.
    """
    trained: Any = block.reader
    tests = block.data.test.values() if isinstance(block.data.test, Mapping) else named_files(block.data.test or ())
    own = [*named_files(block.data.train or ()), *named_files(block.data.dev or ()), *tests]
    if trained is not None and Path(file).suffix in {Path(each).suffix for each in own}:
        return trained
    try:
        kind = reader_for(file)
    except RecipeError:
        if trained is None:
            raise
        return trained
    return trained if trained is not None and trained.name == kind else READERS[kind].spec()


def _beside(record: Mapping[str, Any], opened: Opened, name: str, file: str) -> dict[str, Any]:
    """A record of which files are named as its own file sees them, found from anywhere."""
    fields = opened.recipe.tasks[name].fields
    found = dict(record)
    for field, modality in opened.text.values.items():  # type: ignore[attr-defined]
        source = fields.get(field, field)
        said = found.get(source)
        if isinstance(said, str) and said.strip() and not said.lstrip().startswith(("{", "[")):
            found[source] = placed(found[source], modality.column, Path(file).parent)
    return found


def read_records(
    file: str, opened: Opened, name: str, *, tell: Callable[[str], None] = lambda _: None
) -> Iterator[tuple[Any, Any]]:
    """The records of a file of inputs with their ids (their own ``id``, else their number from 0).

    A line that cannot be read stands in its place as a fault; what is no record, such as a hidden file of a folder, is
    told. Where the task was trained from files of the same kind, read with options of its own (a delimiter, say), these
    hold here too. ``-`` is standard input, as JSON Lines.

    Args:
        file: The file, or folder.
        opened: Whose task is to be answered.
        name: The task.
        tell: Told what was left out, and which columns that the task reads are in no row, once all was read.
    """
    if file == STDIN:
        file, spec = "/dev/stdin", READERS["jsonl"].spec()
    else:
        require_files([file], "--input")
        spec = reader_of(file, opened.recipe.tasks[name])
        if spec.name == "folder" and spec.kind is None:
            spec = spec.model_copy(update={"kind": _kind_of(opened)})
    own = opened.recipe.tasks[name].fields.get("id", "id")
    faults, beside = Faults(keep=1 << 62), Faults()
    told = number = 0
    seen: dict[str, None] = {}

    def unread() -> Iterator[tuple[int, DataError]]:
        nonlocal told, number
        for fault in faults.examples[told:]:
            if fault.severity == "warning" and fault.row is None:
                beside.add(fault)
                continue
            yield number, DataError(str(fault))
            number += 1
        told = len(faults.examples)

    for _, record in READERS.of(spec).build(spec)(file, faults):
        yield from unread()
        given = record.get(own)
        if isinstance(opened.text, Mixed):
            if spec.name == "folder":  # type: ignore[attr-defined]
                record = _as_column(record, opened, name)
            seen |= dict.fromkeys(record)
            record = _beside(record, opened, name, file)
        yield number if given in (None, "") else given, record
        number += 1
    yield from unread()
    for line in [*beside.warnings(), *_nowhere(opened, name, list(seen), file)]:
        tell(line)


def _kind_of(opened: Opened) -> str | None:
    """Which files of a folder are read, where the bundle reads one kind alone."""
    from sibu.readers.folder import ENDINGS

    own = {spec.name for spec in opened.recipe.valued.values() if spec.name in ENDINGS}
    return own.pop() if len(own) == 1 else None


def _as_column(record: Mapping[str, Any], opened: Opened, name: str) -> Mapping[str, Any]:
    """A file of a folder under the column of the one modality of its kind, which may have another name."""
    from sibu.readers.folder import ENDINGS

    fields, valued = opened.recipe.tasks[name].fields, opened.recipe.valued
    for kind in ENDINGS:
        own = [fields.get(field, field) for field, spec in valued.items() if spec.name == kind]
        if kind in record and len(own) == 1 and own[0] not in record:
            return {own[0] if column == kind else column: value for column, value in record.items()}
    return record


def _nowhere(opened: Opened, name: str, seen: Sequence[str], file: str) -> Iterator[str]:
    """That no row of a file has some columns of the modalities, although it has others that are not read."""
    if not isinstance(opened.text, Mixed) or hasattr(opened.tasks[name], "of"):
        return
    fields = opened.recipe.tasks[name].fields
    columns = origin_of(name, opened.recipe.tasks[name], opened.tasks[name], opened.text).columns
    known = {said for each in columns for said in (each.name, fields.get(each.name, each.name), *each.parts)}
    strange = [each for each in seen if each not in {*known, "id", fields.get("id", "id")}]
    lacking: list[str] = []
    for column in columns:
        source = fields.get(column.name, column.name)
        if column.name in {"text", *opened.text.values} and not {column.name, source}.intersection(seen):
            lacking += [part for part in column.parts or (source,) if part not in seen]
    if lacking and strange:
        near = "".join(near_miss(each, strange) for each in lacking)
        yield f"warning: no row of {file} has {as_names(lacking)}; not read: {as_names(strange)}. {near}".rstrip()
