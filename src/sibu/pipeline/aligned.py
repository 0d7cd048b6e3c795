"""The alignments of a run: found once a row, kept on disk, and applied before arrays are made of values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import tee
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sibu.aligners import ALIGNERS
from sibu.core.errors import DataError, MissingExtra, SibuError
from sibu.core.example import DataFault, Faults, Row
from sibu.core.protocols import Features
from sibu.core.result import Evidence
from sibu.core.values import Alignment, ValueModality
from sibu.media.decoding import decoded
from sibu.pipeline.progress import Progress
from sibu.store.cache import cached
from sibu.store.hashes import hash_code, hash_json
from sibu.store.ragged import RaggedArrays, RaggedWriter

if TYPE_CHECKING:
    from sibu.core.result import Report
    from sibu.pipeline.data import Rows
    from sibu.pipeline.plan import Plan
    from sibu.recipe.schema import Recipe

KIND = "alignment"
"""Kind of the evidence that says how values of a row were brought into line."""
Found = tuple[Features, Mapping[str, str]]


def build_alignments(recipe: Recipe) -> tuple[Alignment, ...]:
    """The alignments that the recipe names."""
    return tuple(ALIGNERS.of(spec).build(spec) for spec in recipe.align)


@dataclass(frozen=True, slots=True)
class Fits:
    """What an alignment found of the rows of some files, on disk."""

    alignment: Alignment
    arrays: RaggedArrays
    gone: Mapping[str, Mapping[int, str]]
    """By modality the rows whose value cannot be aligned and is left out, and why."""

    def laid(self, name: str, number: int, raw: Any) -> Any:
        """A row's value as the fit has it; None: it is left out."""
        return self.alignment.laid(name, raw, self.arrays.record(number))


def raw_of(modality: ValueModality, value: Any) -> Any:
    """What is in a value, whole; None where there is none or it cannot be read, which is told with its arrays."""
    if value is None:
        return None
    try:
        return modality.raw(value)  # type: ignore[attr-defined]
    except MissingExtra:
        raise
    except SibuError:
        return None


def fitted(
    rows: Rows,
    alignment: Alignment,
    values: Mapping[str, ValueModality],
    digests: Mapping[str, np.ndarray],
    faults: Faults,
    progress: Progress,
    *,
    what: str,
) -> Fits:
    """What an alignment finds of each row, or found the last time."""
    about = [digests[name].tolist() for name in alignment.reads]
    key = hash_json([hash_code(), rows.key(), alignment.key, [values[n].key for n in alignment.reads], about])
    folder = cached("aligned", key, lambda folder: _fit(rows, alignment, values, progress, what, folder))
    told = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    arrays = RaggedArrays(folder)
    found = Faults.from_json(told["faults"])
    poor = json.loads((folder / "poor.json").read_text(encoding="utf-8"))
    for file, line, each in poor:
        if each["quality"] < alignment.warn:
            found.add(_poor(file, line, each, alignment))
    faults.join_once(found, f"{key} {alignment.warn}")
    gone = {name: {int(number): why for number, why in own.items()} for name, own in told["gone"].items()}
    return Fits(alignment, arrays, gone)


UNSAID = ("of", "with", "quality", "correlation", "by_chance", "boxes")
"""Of what was found: what the message says in words, or is no figure."""


def _poor(file: str, line: int | None, each: Mapping[str, Any], alignment: Alignment) -> DataFault:
    figures = ", ".join(
        f"{key.replace('_', ' ')} {value:g}" for key, value in each.items() if key not in UNSAID and value is not None
    )
    message = (
        f"{each['of']!r} lies on {each['with']!r} with a quality of {each['quality']:.2f} (below `warn`, "
        f"{alignment.warn:g})"
    )
    said, mend = alignment.doubt(each)
    message = f"{message}: {said}; {figures}." if said else f"{message}: {figures}."
    return DataFault("poor alignment", "warning", file, line, message, mend)


def _fit(
    rows: Rows,
    alignment: Alignment,
    values: Mapping[str, ValueModality],
    progress: Progress,
    what: str,
    folder: Path,
) -> None:
    """Fit every row, and write what was found and what could not be aligned."""
    faults, gone = Faults(), dict[str, dict[int, str]]()
    poor: list[tuple[str, int | None, Mapping[str, Any]]] = []
    one, two = tee((file, line, row) for chunk in rows.chunks() for file, line, row in chunk)

    def fit(row: Row) -> Found:
        raw = {name: raw_of(values[name], row.get(name)) for name in alignment.reads}
        return alignment.fit(row, {name: each for name, each in raw.items() if each is not None})

    with RaggedWriter(folder, alignment.features) as writer, progress.bar(f"{what}: aligning", len(rows)) as advance:
        for number, ((file, line, _), found) in enumerate(
            zip(two, decoded((row for _, _, row in one), fit), strict=True)
        ):
            if isinstance(found, SibuError):
                raise found
            arrays, left_out = found
            writer.append(arrays)
            for name, why in left_out.items():
                gone.setdefault(name, {})[number] = why
                message = f"{name!r} cannot be aligned: {why}"
                faults.add(DataFault("not aligned", "warning", file, line, message, "The row goes without it."))
            for kind, message, mend in alignment.remarks(arrays):
                faults.add(DataFault(kind, "warning", file, line, message, mend))
            poor += [(file, line, each) for each in alignment.told(arrays)]
            advance(1)
    (folder / "poor.json").write_text(json.dumps(poor, ensure_ascii=False), encoding="utf-8")
    about = {"faults": faults.as_json(), "gone": gone}
    (folder / "about.json").write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")


def line_up(
    row: Row, values: Mapping[str, ValueModality], alignments: Sequence[Alignment]
) -> tuple[dict[str, Any], tuple[Evidence, ...]]:
    """A row from outside with its values in line, and how they lay.

    Raises:
        DataError: When a value cannot be aligned: which, and why.
    """
    found, told = dict(row), list[Evidence]()
    for alignment in alignments:
        raw = {name: values[name].raw(row[name]) for name in alignment.reads if row.get(name) is not None}  # type: ignore[attr-defined]
        arrays, gone = alignment.fit(row, raw)
        if gone:
            raise DataError(" ".join(f"{name!r} cannot be aligned: {why}" for name, why in gone.items()))
        for name in alignment.moves:
            if name in raw:
                found[name] = alignment.laid(name, raw[name], arrays)
        told += [Evidence(KIND, each, each["quality"]) for each in alignment.told(arrays)]
    return found, tuple(told)


def lines_of(rows: Rows) -> Iterator[dict[str, Any]]:
    """How the values of each row lie: file, row, what was found of each pair, or why a value is left out."""
    places = ((file, line) for chunk in rows.chunks() for file, line, _ in chunk)
    for number, (file, line) in zip(rows.numbers.tolist(), places, strict=True):
        for each in rows.fits:
            about = {"file": file, "row": line}
            yield from (about | told for told in each.alignment.told(each.arrays.record(number)))
            why = {name: own[number] for name, own in each.gone.items() if number in own}
            yield from (about | {"of": name, "error": said} for name, said in why.items())


def warn_of_meaning(plan: Plan, reports: Sequence[Report], progress: Progress) -> None:
    """Let the gate warn of the splits on which a task that aligns by meaning does so badly."""
    for report in reports:
        task: Any = plan.tasks[report.task].task
        quality = getattr(task, "quality", None)
        if quality is None or quality not in report.scores:
            continue
        value = report.scores[quality].value
        if value < task.warn:
            rows = plan.tasks[report.task].splits.get(report.split)
            said = f"{report.task}: {quality.replace('_', ' ')} is {value:.3f} on {report.split} (below `warn`, "
            message = f"{said}{task.warn:g}): what belongs together is hardly nearer than what does not."
            mend = "Train longer, on more pairs or in larger batches (`train.batch_examples`); or look at the pairs."
            fault = DataFault("poor alignment", "warning", ", ".join(rows.files if rows else ()), None, message, mend)
            plan.gate.faults.add(fault)
            progress.say(f"warning: {message}")


def summary(rows: Rows, fits: Sequence[Fits]) -> Iterator[dict[str, Any]]:
    """Of each pair of modalities how well the rows of a split could be aligned, for the record."""
    for each in fits:
        told: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for number in rows.numbers:
            for one in each.alignment.told(each.arrays.record(int(number))):
                told.setdefault((one["of"], one["with"]), []).append(one)
        for (of, to), found in told.items():
            qualities = [one["quality"] for one in found]
            left_out = len(set(each.gone.get(of, ())) & set(rows.numbers.tolist()))
            about: dict[str, Any] = {"of": of, "with": to, "rows": len(found), "left_out": left_out}
            about |= {"quality": _figures(qualities), "below_warn": sum(q < each.alignment.warn for q in qualities)}
            names = [key for key in found[0] if key not in ("of", "with", "quality", "boxes")]
            about |= {key: _figures([one[key] for one in found if one[key] is not None]) for key in names}
            yield about


def _figures(values: Sequence[float]) -> dict[str, float] | None:
    """The least, the middle and the greatest; None where there are none."""
    if not values:
        return None
    return {
        name: round(float(np.quantile(values, share)), 6) for name, share in (("min", 0), ("median", 0.5), ("max", 1))
    }
