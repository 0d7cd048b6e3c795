"""Rows without labels: choose some, send them to a desk, take their labels back."""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from sibu.catalog import Spec
from sibu.core.errors import DataError, RecipeError, Unsupported, counted
from sibu.core.example import Faults, Row, as_names, as_one, join_tokens
from sibu.core.protocols import Picker, Pool, Returned, Sent, WindowOutput
from sibu.core.tensors import Encoded
from sibu.desks import DESKS
from sibu.metrics.spans import encode_tags
from sibu.pickers import PICKERS
from sibu.pipeline.answer import reader_of
from sibu.pipeline.bundle import Opened
from sibu.pipeline.data import Origin, Rows, named_files, read_rows, require_files
from sibu.pipeline.mixed import Mixed, origin_of, sensed
from sibu.pipeline.progress import Progress
from sibu.readers import READERS
from sibu.store.atomic import new_file, write_json
from sibu.store.hashes import hash_json
from sibu.train.seed import generator, seed_torch

CHUNK = 1024
TARGETS = {"classify": "label", "tag": "entities"}
"""Task types that can be labelled, with what is asked for."""
LEDGER = ".sent.json"
"""What is put behind a file's name for the list of the rows that went out in it."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Rows that were chosen, and what became of the others."""

    rows: list[Sent]
    """In the order in which they were chosen."""
    told: dict[str, int]
    """How many rows the file has, how many were left out and why."""


def target_of(opened: Opened, name: str) -> str:
    """What is asked for to label a task.

    Raises:
        Unsupported: When its answers are no labels, or it writes them.
    """
    kind = opened.recipe.tasks[name].task.type  # type: ignore[attr-defined]
    if kind not in TARGETS or not hasattr(opened.tasks[name], "chances"):
        why = "writes its answers" if opened.tasks[name].writes else f"is of the type `{kind}`"
        raise Unsupported(f"The task {name!r} {why}; rows are chosen for `classify` and `tag` with a head.")
    return TARGETS[kind]


def identity(row: Row) -> str:
    """The same for rows of the same inputs."""
    names = ("text", "text_pair", "tokens")
    return hash_json([row.get(name) for name in names])[:16]


def choose(
    opened: Opened,
    name: str,
    file: str,
    picker: Spec,
    count: int,
    *,
    known: Sequence[str] | None,
    seed: int,
    progress: Progress,
) -> Chosen:
    """Choose rows of an unlabelled file.

    Args:
        opened: The bundle that knows something of the task.
        name: The task.
        file: The file.
        picker: By what.
        count: How many rows.
        known: Files of rows that have a label: none of them is chosen; None: what the bundle was trained on, where it
            is still there.
        seed: Of what is drawn.
        progress: Where to tell how far it is.

    Raises:
        Unsupported: When the task cannot be labelled so.
        RecipeError: When a file is not there.
        DataError: When no row can be used, or the model has no dropout that a picker asks for.
    """
    target = target_of(opened, name)
    if isinstance(opened.text, Mixed):
        what = f"{as_names(opened.text.values)} beside texts" if opened.text.inner else as_names(opened.text.values)
        raise Unsupported(f"The bundle reads {what}; rows to label are chosen among texts alone.")
    way: Picker = PICKERS.of(picker).build(picker)
    block, task = opened.recipe.tasks[name], opened.tasks[name]
    rows = inputs_of(opened, name, [file], progress)
    labelled = _with_labels(opened, name, [file], rows)
    trained = [] if block.data.train is None else named_files(block.data.train)
    there = [each for each in trained if Path(each).exists()]
    if known is None and len(there) < len(trained):
        progress.say("What the bundle was trained on is not all there: rows of it may be chosen again (--known).")
    labels = inputs_of(opened, name, there if known is None else known, progress) if (known or there) else None
    if labels is not None and known is None:  # rows whose labels rules gave wait for one
        places = sorted(_with_labels(opened, name, there, labels))
        labels = labels.subset(labels.numbers[np.array(places, np.int64)])
    before = set() if labels is None else {identity(row) for row in labels}
    numbers: list[int] = []
    taken: set[str] = set()
    told = {"rows": len(rows), "have a label": 0, "are known": 0, "come twice": 0, "cannot be used": 0}
    for number, row in enumerate(rows):
        own = identity(row)
        if number in labelled:
            told["have a label"] += 1
        elif own in before or own in taken:
            told["are known" if own in before else "come twice"] += 1
        elif any(severity == "error" for _, severity, _, _ in task.check(row, ())):
            told["cannot be used"] += 1
        else:
            numbers.append(number)
            taken.add(own)
    if not numbers:
        raise DataError(f"{file} has no row that could be chosen: {_said(told)}.")
    free = rows.subset(np.array(numbers))
    pool = look_at(opened, name, free, way, labels, seed=seed, progress=progress)
    picked = way.choose(pool, min(count, len(numbers)), generator(seed, "label"))
    found = free.take(picked)
    from sibu.pipeline.predict import answers

    guesses = answers(opened.model, name, task, opened.text, found)
    columns = {column.name for column in task.columns if column.role == "input"}
    sent = [
        Sent(identity(row), _to_show(row, columns), target, guess.value)
        for row, guess in zip(found, guesses, strict=True)
    ]
    return Chosen(sent, told)


def _to_show(row: Row, columns: Container[str]) -> Row:
    """The inputs of a row; words also as the text that they make, in which spans are marked."""
    own = {key: value for key, value in row.items() if key in columns and value is not None}
    return own | {"text": join_tokens(own["tokens"])[0]} if "tokens" in own else own


def _said(told: dict[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in told.items() if count)


def inputs_of(opened: Opened, name: str, files: Sequence[str], progress: Progress) -> Rows:
    """The inputs of files; what cannot be read is told and left out."""
    require_files(list(files), "--input")
    block, task = opened.recipe.tasks[name], opened.tasks[name]
    origin = asked_of(origin_of(name, block, task, opened.text))
    faults = Faults()
    rows = read_rows(list(files), origin, faults, targets=False, reader_of=lambda file: reader_of(file, block))
    if faults.number("error"):
        progress.say(f"{counted(faults.number('error'), 'row')} cannot be read and are left out:")
        progress.say(faults.first_errors(where=""))
    told = Faults()
    rows = sensed(rows, opened.text, told, progress, what=name)
    for line in told.warnings():
        progress.say(line)
    return rows


def asked_of(origin: Origin) -> Origin:
    """How the inputs alone are read."""
    inputs = tuple(column for column in origin.columns if column.role == "input")
    names = {column.name for column in inputs}
    needs = tuple(group for group in origin.needs if set(group) <= names)
    fields = {key: value for key, value in origin.fields.items() if key in names | {"id"}}
    return replace(origin, fields=fields, columns=inputs, needs=needs)


def _with_labels(opened: Opened, name: str, files: Sequence[str], rows: Rows) -> set[int]:
    """The places of the rows that have a label already."""
    block, task = opened.recipe.tasks[name], opened.tasks[name]
    columns = [block.fields.get(c.name, c.name) for c in task.columns if c.role == "target"]
    about = json.loads((rows.folder / "about.json").read_text(encoding="utf-8"))
    if not set(columns) & set(about["in_files"]):
        return set()
    specs = {file: reader_of(file, block) for file in files}
    lines = {
        (file, line)
        for file, spec in specs.items()
        for line, raw in READERS.of(spec).build(spec)(file, Faults())
        if any(raw.get(column) not in (None, "", []) for column in columns)
    }
    places = [(file, line) for chunk in rows.chunks() for file, line, _ in chunk]
    return {number for number, place in enumerate(places) if place in lines}


def look_at(
    opened: Opened, name: str, rows: Rows, way: Picker, labels: Rows | None, *, seed: int, progress: Progress
) -> Pool:
    """What a picker asks for of some rows. The variants of an ensemble are its members.

    Raises:
        DataError: When variants of a model without dropout are asked for.
    """
    chances: list[np.ndarray] = []
    vectors: Any = None
    if {"chances", "vectors"} & set(way.needs):
        chances, vectors = _pass(opened, name, rows, progress, "looking at rows")
    draws: list[np.ndarray] = []
    if "draws" in way.needs and opened.manifest.get("ensemble"):
        draws = _by_members(opened, name, rows, progress)
    elif "draws" in way.needs:
        _require_dropout(opened)
        passes = []
        for number in range(way.passes):
            seed_torch(seed, "variant", number)
            passes.append(_pass(opened, name, rows, progress, f"variant {number + 1}", lively=True)[0])
        draws = [np.stack(own) for own in zip(*passes, strict=True)]
    known = np.zeros((0, 0 if vectors is None else vectors.shape[1]))
    if "vectors" in way.needs and labels is not None:
        known = _pass(opened, name, labels, progress, "looking at known rows")[1]
    return Pool(len(rows), chances, draws, vectors, known)


def _pass(
    opened: Opened, name: str, rows: Iterable[Row], progress: Progress, what: str, *, lively: bool = False
) -> tuple[list[np.ndarray], np.ndarray]:
    """The probabilities and the vector of each row."""
    from sibu.pipeline.predict import outputs_of

    task: Any = opened.tasks[name]
    chances: list[np.ndarray] = []
    parts: list[np.ndarray] = []
    source = iter(rows)
    with progress.bar(what, None) as advance:
        while chunk := list(islice(source, CHUNK)):
            sums = _Sums(len(chunk))
            outputs: Sequence[Sequence[Sequence[WindowOutput]]] = outputs_of(
                opened.model, name, task, opened.text, chunk, lively=lively, seen=sums.add
            )
            chances += [task.chances(own) for own in outputs]
            parts.append(sums.units())
            advance(len(chunk))
    return chances, np.concatenate(parts) if parts else np.zeros((0, 0))


def _by_members(opened: Opened, name: str, rows: Iterable[Row], progress: Progress) -> list[np.ndarray]:
    """The probabilities of each row by each member of an ensemble."""
    from sibu.pipeline.predict import voices_of

    task: Any = opened.tasks[name]
    found: list[np.ndarray] = []
    source = iter(rows)
    with progress.bar("asking the members", None) as advance:
        while chunk := list(islice(source, CHUNK)):
            voices = voices_of(opened.model, name, task, opened.text, chunk)
            found += [np.stack([task.chances(own) for own in said]) for said in zip(*voices, strict=True)]
            advance(len(chunk))
    return found


def look_over(
    opened: Opened, name: str, rows: Iterable[Row], progress: Progress
) -> Iterator[tuple[Row, Sequence[Sequence[WindowOutput]]]]:
    """Each row with what the head says of it."""
    from sibu.pipeline.predict import outputs_of

    source = iter(rows)
    with progress.bar("looking at rows", None) as advance:
        while chunk := list(islice(source, CHUNK)):
            outputs = outputs_of(opened.model, name, opened.tasks[name], opened.text, chunk)
            yield from zip(chunk, outputs, strict=True)
            advance(len(chunk))


class _Sums:
    """The mean vector of each row over the pieces of all its windows, at length one."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._sums: np.ndarray | None = None

    def add(self, owners: Sequence[int], encoded: Encoded) -> None:
        """Take a batch's vectors."""
        found = (encoded.vectors * encoded.mask.unsqueeze(-1)).sum(1).float().cpu().numpy()
        if self._sums is None:
            self._sums = np.zeros((self._rows, found.shape[1]))
        np.add.at(self._sums, np.asarray(owners), found)

    def units(self) -> np.ndarray:
        """Shape ``(rows, D)``."""
        if self._sums is None:
            return np.zeros((self._rows, 0))
        return np.asarray(self._sums / np.maximum(np.linalg.norm(self._sums, axis=1, keepdims=True), 1e-12))


def _require_dropout(opened: Opened) -> None:
    from torch import nn

    if not any(isinstance(module, nn.Dropout) and module.p > 0 for module in opened.model.modules()):
        raise DataError("`bald` asks variants of the model made by dropout, and it has none. Choose `margin`.")


# ---- out and back ---------------------------------------------------------------------------------------------------


def send(chosen: Chosen, opened: Opened, name: str, desk: Spec, output: Path) -> None:
    """Write the chosen rows as a desk has them, and the list of what went out beside.

    Raises:
        RecipeError: When the file is there already.
    """
    if output.exists():
        raise RecipeError(f"{output} is there already. Choose another name with --output.")
    output.parent.mkdir(parents=True, exist_ok=True)
    with new_file(output) as temporary:
        DESKS.of(desk).build(desk).write(temporary, chosen.rows)
    about = _about(opened, name) | {"desk": desk.name}  # type: ignore[attr-defined]
    about["rows"] = {one.id: dict(one.row) for one in chosen.rows}
    write_json(output.with_name(output.name + LEDGER), about)


def _about(opened: Opened, name: str) -> dict[str, Any]:
    """What is to be known of a task to take labels back."""
    state = opened.tasks[name].state
    return {
        "task": name,
        "target": target_of(opened, name),
        "labels": list(state.get("labels", [])),
        "several": bool(state.get("multi_label")),
        "fields": dict(opened.recipe.tasks[name].fields),
    }


def ask(
    opened: Opened,
    name: str,
    file: str,
    picker: Spec,
    count: int,
    output: Path,
    asked: Callable[[str, str, list[str]], str | None],
    **named: Any,
) -> dict[str, Any]:
    """Choose rows, ask for the label of each, and write those that got one.

    Args as in ``choose`` and ``api.ask_labels``.

    Raises:
        Unsupported: When the task does not give a text one label.
        RecipeError: When ``output`` is there already.
        DataError: When no row got a label.
    """
    about = _about(opened, name)
    if about["target"] != "label" or about["several"]:
        raise Unsupported(
            f"Only one label a text can be asked for here, and {name} wants more. Write a file for a desk."
        )
    if output.exists():
        raise RecipeError(f"{output} is there already. Choose another name with --output.")
    chosen = choose(opened, name, file, picker, count, **named)
    found: list[Returned] = []
    for number, one in enumerate(chosen.rows, 1):
        text = "\n".join(str(one.row[key]) for key in ("text", "text_pair") if one.row.get(key))
        try:
            found.append(Returned(number, one.id, asked(text, one.guess, about["labels"])))
        except EOFError:
            break
    about["rows"] = {one.id: dict(one.row) for one in chosen.rows}
    return keep_labels(found, about, "what was asked", output)


def take_back(file: Path, ledger: Path, output: Path, *, desk: Spec | None = None) -> dict[str, Any]:
    """Labels that came back as rows to train on.

    Args:
        file: What the desk exported.
        ledger: The list that ``send`` wrote.
        output: JSON Lines that a recipe can name beside its other training files.
        desk: The file's form; None: that in which the rows were sent.

    Returns:
        How many rows have a label, how many have none yet, and the labels that the bundle did not know.

    Raises:
        DataError: With every row that was never sent, that has two labels, or whose label cannot be.
        RecipeError: When a file is not there, or ``output`` is.
    """
    require_files([str(file)], "--back")
    if not ledger.is_file():
        mend = f"Give the list that was written when the rows were sent (a name that ends in {LEDGER}) with --sent."
        raise RecipeError(f"There is no {ledger}. {mend}")
    if output.exists():
        raise RecipeError(f"{output} is there already. Choose another name with --output.")
    about = _ledger(ledger)
    spec = desk or DESKS[about["desk"]].spec()
    return keep_labels(DESKS.of(spec).build(spec).read(file, about["target"]), about, str(file), output)


def _ledger(file: Path) -> dict[str, Any]:
    """The list of what was sent.

    Raises:
        DataError: When the file is something else.
    """
    try:
        about = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        about = None
    if not isinstance(about, dict) or not {"task", "target", "labels", "desk", "fields", "rows"} <= set(about):
        what = f"{file} is no list of rows that were sent."
        raise DataError(f"{what} Give the one beside the file for the desk, with its name and {LEDGER} behind it.")
    return about


def keep_labels(found: Iterable[Returned], about: dict[str, Any], file: str, output: Path) -> dict[str, Any]:
    """Write the rows whose labels are sound. Args and faults as in ``take_back``."""
    known: dict[str, Any] = {}
    places: dict[str, int] = {}
    wrong: list[str] = []
    empty = 0
    strange: set[str] = set()
    for one in found:
        where = f"{file}:{one.line}"
        if one.id not in about["rows"]:
            wrong.append(f"{where}: this row ({one.id or 'without an id'}) was never sent out.")
        elif _is_empty(one.value):
            empty += 1
        elif one.text is not None and _is_other(one.text, about["rows"][one.id], about["target"]):
            mend = "Labels belong to what was sent: mend the text back, or label the new one as a row of its own."
            wrong.append(f"{where}: its text is not the one that was sent, given {one.text[:60]!r}. {mend}")
        elif fault := _fault(one.value, about, about["rows"][one.id]):
            wrong.append(f"{where}: {fault}")
        else:
            value = _form(one.value, about)
            if one.id in known and known[one.id] != value:
                wrong.append(f"{where}: this row has another label in row {places[one.id]}.")
            known[one.id], places[one.id] = value, one.line
            strange |= _names(value, about) - set(about["labels"])
    if wrong:
        more = "" if len(wrong) <= 20 else f"\n... and {len(wrong) - 20} more."
        raise DataError(f"{counted(len(wrong), 'row')} cannot be taken back:\n" + "\n".join(wrong[:20]) + more)
    if not known:
        raise DataError(f"{file}: no row has a label yet ({counted(empty, 'row')} without).")
    fields = about["fields"]
    with new_file(output) as temporary, temporary.open("w", encoding="utf-8") as out:
        for key, value in known.items():
            row = about["rows"][key]
            line = _as_tokens(row, value) if "tokens" in row else row | {about["target"]: value}
            named = {fields.get(name, name): own for name, own in line.items()}
            out.write(json.dumps(named, ensure_ascii=False) + "\n")
    return {"labelled": len(known), "without": len(about["rows"]) - len(known), "new labels": sorted(strange)}


def _is_other(text: str, row: Row, target: str) -> bool:
    """Whether a text was changed; blanks at its end, or anywhere where no span counts them, are a desk's own.

    Of a pair the first text alone is unchanged too: a program may leave out what it does not need.
    """
    sent = as_one(row), str(row.get("text"))
    if target != "entities":
        return all(text.split() != each.split() for each in sent)
    return all(text.replace("\r\n", "\n").rstrip() != each.replace("\r\n", "\n").rstrip() for each in sent)


def _is_empty(value: Any) -> bool:
    """Whether nobody has filled a label in."""
    return value is None or (isinstance(value, str) and not value.strip())


def _as_tokens(row: Row, spans: Sequence[dict[str, Any]]) -> Row:
    """Words with a tag for each, as they are learned from."""
    starts, ends = _borders(row)
    places = [(span["label"], starts.index(span["start"]), ends.index(span["end"]) + 1) for span in spans]
    return {"tokens": row["tokens"], "tags": encode_tags(places, len(row["tokens"]), "BIO")}


def _borders(row: Row) -> tuple[list[int], list[int]]:
    """Where words begin and end in the text that they make."""
    _, places = join_tokens(row["tokens"])
    return [start for start, _ in places], [end for _, end in places]


def _form(value: Any, about: dict[str, Any]) -> Any:
    """A label as the training data has them: alone, or in a list."""
    if about["target"] == "entities":
        return sorted(value, key=lambda span: (span["start"], span["end"]))
    listed = [_as_label(each, about["labels"]) for each in (value if isinstance(value, list) else [value])]
    return sorted(listed) if about["several"] else listed[0]


def _as_label(given: str | int, labels: Container[str]) -> str:
    """A label as text, as training reads it; blanks around it are a slip of the hand, unless the bundle's has them."""
    return str(given) if str(given) in labels else str(given).strip()


def _names(value: Any, about: dict[str, Any]) -> set[str]:
    if about["target"] == "entities":
        return {span["label"] for span in value}
    return set(value) if isinstance(value, list) else {value}


def _tokens_fault(spans: Sequence[dict[str, Any]], row: Row) -> str:
    starts, ends = _borders(row)
    for span in spans:
        if span["start"] not in starts or span["end"] not in ends:
            return f"the span {span['start']}..{span['end']} begins or ends inside a word: {as_names(row['tokens'])}."
    ordered = sorted((span["start"], span["end"]) for span in spans)
    for (start, end), (other, last) in pairwise(ordered):
        if other < end:
            return f"the spans {start}..{end} and {other}..{last} overlap, and each word has one tag."
    return ""


def _fault(value: Any, about: dict[str, Any], row: Row) -> str:
    """What is wrong with what came back; nothing where all is well."""
    if about["target"] == "entities":
        text = str(row.get("text") or "")
        if not isinstance(value, list) or not all(isinstance(span, dict) for span in value):
            given = json.dumps(value, ensure_ascii=False)[:60]
            return f"its spans must be a list of objects with `start`, `end` and `label`, given {given}."
        for span in value:
            start, end = span.get("start"), span.get("end")
            if not all(isinstance(each, int) and not isinstance(each, bool) for each in (start, end)):
                given = json.dumps([start, end], ensure_ascii=False)[:60]
                return f"`start` and `end` of a span must be whole numbers, given {given}."
            if not 0 <= start < end <= len(text):
                return f"the span {start}..{end} does not lie in the text of {len(text)} characters."
            if not isinstance(span.get("label"), str) or not span["label"]:
                return f"the span {start}..{end} has no label."
        return _tokens_fault(value, row) if "tokens" in row else ""
    listed = value if isinstance(value, list) else [value]
    if not about["several"] and len(listed) != 1:
        return f"it has {len(listed)} labels ({as_names(map(str, listed))}), and the task gives a text one."
    for each in listed:
        if isinstance(each, bool) or not isinstance(each, str | int) or not str(each).strip():
            given = json.dumps(each, ensure_ascii=False)[:60]
            known = as_names(sorted(about["labels"])) or "none yet"
            return f"its label must be a text or a whole number (the bundle's: {known}), given {given}."
    return ""
