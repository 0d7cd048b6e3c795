"""Predictions for rows: sorted by length, batched, answered in input order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count, islice
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
import torch

from sibu.core.example import Row, join_tokens
from sibu.core.knowing import LabelKnowledge
from sibu.core.protocols import AveragedTask, Features, Modality, ScaledTask, State, Task, WindowOutput, WritingTask
from sibu.core.result import Evidence, Prediction, Report, Score
from sibu.core.tensors import Batch, Encoded
from sibu.core.text import AnyInput, Window
from sibu.metrics.bootstrap import bootstrap, values
from sibu.pipeline.aligned import summary
from sibu.pipeline.assemble import Ensemble, members_of
from sibu.pipeline.corrupt import corrupts, judged_texts
from sibu.pipeline.data import Rows
from sibu.pipeline.frozen import Memo, reduce
from sibu.pipeline.knowing import KnowingText
from sibu.pipeline.mixed import Mixed
from sibu.pipeline.plan import decoder_of, rows_of
from sibu.pipeline.progress import Progress, Silent
from sibu.pipeline.require import constraint_of
from sibu.pipeline.reward import rewards_of
from sibu.pipeline.spread import with_spread
from sibu.pipeline.subsets import MOST, Shares, joins, logits_of_subsets, variants
from sibu.pipeline.written import Writer, judged_rows
from sibu.train.batches import forward_budget, split_by_budget, stack, values_together

if TYPE_CHECKING:
    from sibu.pipeline.assemble import Model
    from sibu.recipe.schema import TaskBlock

CHUNK = 2048
"""Rows prepared at a time: enough to sort by length, few enough for any memory."""
Grouped: TypeAlias = list[list[list[WindowOutput]]]
"""Outputs of windows by row and input."""


@dataclass(frozen=True, slots=True)
class _Piece:
    row: int
    number: int
    source: AnyInput
    window: Window


def answers(
    model: Model | Ensemble,
    name: str,
    task: Task,
    text: Modality,
    rows: Sequence[Row],
    *,
    memo: Callable[[int, Batch], Encoded] | None = None,
    cut: Callable[[set[int]], None] | None = None,
    spread: bool = False,
) -> list[Prediction]:
    """Predictions for a chunk of rows, in order.

    Args:
        model: The model, or several that answer together.
        name: The task's name.
        task: The task.
        text: The text modality's preparer.
        rows: The chunk.
        memo: Gives the vectors of a batch by its number in the chunk; None: the encoder does.
        cut: Told the numbers of the rows that have an input of which not all is read.
        spread: Whether the answers of an ensemble tell how far its members agree, and those of a model of several
            modalities what each of them did, as evidence.
    """
    shares = Shares(task) if spread and joins(model, task) else None
    voices = voices_of(model, name, task, text, rows, memo=memo, cut=cut, each_subset=shares)
    said = _together(task, voices)
    found = [task.decode(row, group) for row, group in zip(rows, said, strict=True)]
    found = found if shares is None else shares.told(found)
    if isinstance(text, KnowingText):
        found = with_knowledge(model, name, task, text, rows, said, found)
    if not spread or len(voices) == 1:
        return found
    alone = [[task.decode(row, own).value for row, own in zip(rows, voice, strict=True)] for voice in voices]
    return [with_spread(answer, [own[place] for own in alone]) for place, answer in enumerate(found)]


def outputs_of(
    model: Model | Ensemble,
    name: str,
    task: Task,
    text: Modality,
    rows: Sequence[Row],
    *,
    lively: bool = False,
    seen: Callable[[Sequence[int], Encoded], None] | None = None,
) -> Grouped:
    """What the head says of each window of a chunk of rows, by row and input; of an ensemble the mean.

    Args as in ``voices_of``.
    """
    return _together(task, voices_of(model, name, task, text, rows, lively=lively, seen=seen))


def _together(task: Task, voices: Sequence[Grouped]) -> Grouped:
    """What all members say as one."""
    if len(voices) == 1:
        return voices[0]
    combine = cast("AveragedTask", task).combine
    return [
        [[combine(said) for said in zip(*windows, strict=True)] for windows in zip(*inputs, strict=True)]
        for inputs in zip(*voices, strict=True)
    ]


def voices_of(
    model: Model | Ensemble,
    name: str,
    task: Task,
    text: Modality,
    rows: Sequence[Row],
    *,
    memo: Callable[[int, Batch], Encoded] | None = None,
    cut: Callable[[set[int]], None] | None = None,
    lively: bool = False,
    seen: Callable[[Sequence[int], Encoded], None] | None = None,
    each_subset: Callable[[Sequence[int], Mapping[frozenset[str], np.ndarray]], None] | None = None,
) -> list[Grouped]:
    """What each member says of each window of a chunk of rows; of one model a list of one.

    The members answer one after the other to the same batches.

    Args:
        model: The model, or several that answer together.
        name: The task's name.
        task: The task.
        text: The text modality's preparer.
        rows: The chunk.
        memo: As in ``answers``.
        cut: As in ``answers``.
        lively: Whether dropout stays on, so that each pass asks another variant of the model.
        seen: Told the vectors of each batch (those of several encoders side by side), with the row of each window.
        each_subset: Of one model: told of each batch the rows, and what is said of each subset of their modalities.
    """
    ask = getattr(task, "asked", task.inputs)  # what is learned from twice is asked once
    asked = [ask(row) for row in rows]
    prepared = iter(text.prepare([source for group in asked for source in group]))
    pieces = [
        _Piece(place, number, source, window)
        for place, group in enumerate(asked)
        for number, source in enumerate(group)
        for window in next(prepared)
    ]
    if cut is not None:
        cut({piece.row for piece in pieces if piece.window.cut})
    lengths = np.array([len(piece.window.input_ids) for piece in pieces], dtype=np.int64)
    costs = lengths
    if isinstance(text, Mixed):
        beside = np.array([text.cost(row) for row in rows], dtype=np.int64)
        costs = lengths + beside[[piece.row for piece in pieces]]
    order = np.argsort(costs, kind="stable")[::-1]
    members = members_of(model)
    outputs: list[list[WindowOutput | None]] = [[None] * len(pieces) for _ in members]
    device = next(model.parameters()).device
    _set_mode(model, lively=lively)
    for number, group in enumerate(split_by_budget(order, costs, forward_budget(device))):
        chosen = [pieces[place] for place in group]
        width = int(lengths[group].max())
        batch = _batch(name, task, text, chosen, rows, width).to(device)
        encoded: list[Encoded] = []
        for member, own in zip(members, outputs, strict=True):
            with torch.inference_mode():
                if len(member.encoders) > 1:
                    parts, asked_for = member.parts(batch.inputs), batch.targets[name]
                    found = member.answer(parts, batch.inputs, name, asked_for).logits.float().cpu().numpy()
                    if seen is not None:
                        encoded.append(member.fused(parts, batch.inputs, name))
                    if each_subset is not None:
                        told = logits_of_subsets(member, name, parts, batch, asked_for)
                        each_subset([piece.row for piece in chosen], told)
                else:
                    if not encoded or member.knowledge is not None or _other_encoder(member, members[0]):
                        encoded.append(member.encode(batch.inputs, name) if memo is None else memo(number, batch))
                    found = member.heads[name](encoded[-1], batch.targets[name]).logits.float().cpu().numpy()
            for place, logits in zip(group, found, strict=True):
                by_token = logits.ndim >= 2 and logits.shape[0] == width
                own[place] = WindowOutput(pieces[place].window, logits[: lengths[place]] if by_token else logits)
        if seen is not None:
            with torch.inference_mode():
                vectors = torch.cat([each.vectors for each in encoded], -1)
            seen([piece.row for piece in chosen], Encoded(vectors, encoded[0].mask))
    voices = [_grouped(asked, pieces, own) for own in outputs]
    return _adopted(name, task, voices, model.states) if isinstance(model, Ensemble) else voices


def _other_encoder(one: Model, two: Model) -> bool:
    return any(one.encoders[name] is not two.encoders[name] for name in one.encoders)


def _set_mode(model: torch.nn.Module, *, lively: bool) -> None:
    model.eval()
    if lively:
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.train()


def _grouped(
    asked: Sequence[Sequence[AnyInput]], pieces: Sequence[_Piece], outputs: Sequence[WindowOutput | None]
) -> Grouped:
    """Outputs by row and input."""
    grouped: Grouped = [[[] for _ in group] for group in asked]
    for piece, output in zip(pieces, outputs, strict=True):
        if output is not None:
            grouped[piece.row][piece.number].append(output)
    return grouped


def _adopted(name: str, task: Task, voices: Sequence[Grouped], states: Sequence[Mapping[str, State]]) -> list[Grouped]:
    """What members say in units of their own, in those of the task."""
    if not hasattr(task, "adopt"):
        return list(voices)
    adopt = cast("ScaledTask", task).adopt
    return [
        [[[adopt(said, own[name]) for said in windows] for windows in inputs] for inputs in voice]
        if own[name] != task.state
        else voice
        for voice, own in zip(voices, states, strict=True)
    ]


def with_knowledge(
    model: Model | Ensemble,
    name: str,
    task: Task,
    text: KnowingText,
    rows: Sequence[Row],
    said: Grouped,
    found: Sequence[Prediction],
) -> list[Prediction]:
    """The predictions as rules over labels have them, with the facts that were read as evidence.

    Args:
        model: The model, or several that answer together.
        name: The task's name.
        task: The task.
        text: The preparer, which has the knowledge.
        rows: A chunk of rows.
        said: What the model says of each window, by row and input.
        found: The predictions without rules.
    """
    if text.enforced:
        others = [other for other in text.enforced.with_task(name) if other != name]
        heard = {name: (task, rows, said)}
        for other in others:
            own = text.tasks[other]
            lent = [_as_input(own, row) for row in rows]
            heard[other] = own, lent, outputs_of(model, other, own, text, lent)
        found = obeying(text.enforced, name, heard, found) if text.enforced.with_task(name) else found
    ask = getattr(task, "asked", task.inputs)
    return [text.with_facts(each, ask(row)) for each, row in zip(found, rows, strict=True)]


def obeying(
    rules: LabelKnowledge,
    name: str,
    heard: Mapping[str, tuple[Any, Sequence[Row], Grouped]],
    found: Sequence[Prediction],
) -> list[Prediction]:
    """The likeliest answers that break no rule; what a rule changed is evidence: before, after, which rules."""
    kept = []
    for place, plain in enumerate(found):
        options = {other: own.options(rows[place], said[place]) for other, (own, rows, said) in heard.items()}
        told = rules.obeyed(options)
        if told is None:
            kept.append(plain)
            continue
        own = options[name].prediction(told.decided[name])
        if own.value != plain.value:
            content = {"rules": list(told.broken), "before": plain.value, "after": own.value}
            own = replace(own, evidence=(*own.evidence, Evidence("rule", content)))
        kept.append(own)
    return kept


def _as_input(task: Task, row: Row) -> Row:
    """A row of one task as another reads it: what comes in words as a text, where it reads texts alone."""
    names = {column.name for column in task.columns if column.role == "input"}
    own = {key: value for key, value in row.items() if key in names}
    if "text" not in own and row.get("tokens") is not None and "tokens" not in names:
        own["text"] = join_tokens(row["tokens"])[0]
    return own


def _batch(name: str, task: Task, text: Modality, pieces: Sequence[_Piece], rows: Sequence[Row], width: int) -> Batch:
    own: list[Features] = [text.arrays(piece.window, piece.source) for piece in pieces]
    asked = [task.targets(rows[piece.row], piece.number, piece.window, gold=False) for piece in pieces]
    features = _stacked(task.features, asked, width)
    inputs: dict[str, dict[str, torch.Tensor]] = {}
    if not isinstance(text, Mixed) or text.inner is not None:
        lengths = torch.tensor([len(piece.window.input_ids) for piece in pieces])
        inputs["text"] = _stacked(text.features, own, width)
        inputs["text"]["mask"] = torch.arange(width).unsqueeze(0) < lengths.unsqueeze(1)
        if not width:  # no row of the batch has a text
            inputs["text"]["input_ids"] = torch.zeros(len(pieces), 0, dtype=torch.long)
    if isinstance(text, Mixed):
        values = [text.values_of(rows[piece.row]) for piece in pieces]
        for field, modality in text.values.items():
            inputs[field] = values_together([each.get(field, {}) for each in values], modality.features)
    return Batch(inputs, {name: features}, size=len(pieces), tokens=len(pieces) * width)


def _stacked(features: Sequence[Any], arrays: Sequence[Features], width: int) -> dict[str, torch.Tensor]:
    empty = np.zeros(0, dtype=np.int64)
    return {
        feature.name: stack([each.get(feature.name, empty) for each in arrays], feature, width)
        for feature in features
        if any(feature.name in each for each in arrays)
    }


def predict_rows(
    model: Model | Ensemble,
    name: str,
    task: Task,
    text: Modality,
    rows: Iterable[Row],
    *,
    progress: Progress | None = None,
    total: int | None = None,
    what: str = "predicting",
    memo: Memo | None = None,
) -> Iterator[Prediction]:
    """Predictions in input order; ``CHUNK`` rows are in memory at a time."""
    source = iter(rows)
    with (progress or Silent()).bar(what, total) as advance:
        for number in count():
            chunk = list(islice(source, CHUNK))
            if not chunk:
                return
            kept = None if memo is None else _remembered(memo, cast("Model", model), name, number)
            yield from answers(model, name, task, text, chunk, memo=kept)
            advance(len(chunk))


def _remembered(memo: Memo, model: Model, name: str, chunk: int) -> Callable[[int, Batch], Encoded]:
    """The vectors that a head reads, from the memo or (the first time) from the encoder."""

    def encode(number: int, batch: Batch) -> Encoded:
        found = memo.get(name, chunk, number)
        if found is None:
            found = reduce(model, name, model.encode(batch.inputs), batch.targets[name])
            memo.put(name, chunk, number, found)
        return found

    return encode


WORST = 20
"""Errors that the report shows."""


def evaluate_rows(
    model: Model | Ensemble,
    name: str,
    task: Task,
    text: Modality,
    rows: Iterable[Row],
    *,
    split: str,
    total: int,
    intervals: bool = True,
    progress: Progress | None = None,
    memo: Memo | None = None,
    block: TaskBlock | None = None,
) -> Report:
    """Metrics of a task on labelled rows; ``rows`` is gone through twice.

    Args:
        model: The model, or several that answer together.
        name: The task's name.
        task: The task.
        text: The text modality's preparer.
        rows: Labelled rows that can be iterated again.
        split: What the report calls them.
        total: How many there are.
        intervals: Whether each metric gets its bootstrap interval (for early stopping none is needed).
        progress: Where to tell how far it is.
        memo: Keeps the vectors of a frozen encoder from one evaluation to the next.
        block: A task that writes: what the recipe says of its answers; None: nothing is written, and only what can be
            told of the right answers is.
    """
    what = f"{name} on {split}"
    if task.writes:
        writer = Writer(cast("Model", model), name, cast(WritingTask, task), text, None)
        if block is not None and set(task.metrics) - set(writer.task.unwritten):
            writer = replace(
                writer,
                decoder=decoder_of(block),
                constraint=constraint_of(block),
                rewards=rewards_of(block),
                each=rows_of(block),
            )
        found = judged_rows(writer, rows, progress=progress, total=total, what=what)
    elif corrupts(task):
        found = judged_texts(cast("Model", model), name, task, text, rows, progress=progress, total=total, what=what)
    else:
        found = predict_rows(model, name, task, text, rows, progress=progress, total=total, what=what, memo=memo)
    keep = getattr(task, "kept", lambda prediction: replace(prediction, scores=None))
    predictions = [keep(prediction) for prediction in found]
    judged = task.judge(rows, predictions)
    if not intervals:
        scores = {metric: Score(v, v, v, judged.measure.n) for metric, v in values(judged.measure).items()}
        return Report(name, split, scores)
    details = dict(judged.details) | {"errors": _worst(rows, predictions, judged.wrong)}
    if isinstance(text, Mixed) and joins(model, task):
        details["modalities"] = _by_modality(cast("Model", model), name, task, text, rows)
    if isinstance(rows, Rows) and rows.fits:
        details["alignments"] = list(summary(rows, rows.fits))
    return Report(name, split, bootstrap(judged.measure), details)


def _by_modality(model: Model, name: str, task: Task, text: Mixed, rows: Iterable[Row]) -> dict[str, Any]:
    """The metrics of every subset of the modalities and under noise on each, and what each does for the answers."""
    some = list(islice(rows, MOST))
    found: dict[str, Any] = {"rows": len(some), "subsets": [], "noise": []}
    for kind, about, inputs in variants(text):
        said = list(predict_rows(model, name, task, inputs, some))
        scores = {metric: round(v, 6) for metric, v in values(task.judge(some, said).measure).items()}
        found["subsets" if kind == "of" else "noise"].append(about | {"scores": scores})
    shares = Shares(task)
    places: list[str] = [*(["text"] if text.inner is not None else []), *text.values]
    sums = dict.fromkeys(places, 0.0)
    for start in range(0, len(some), CHUNK):
        shares.found.clear()
        voices_of(model, name, task, text, some[start : start + CHUNK], each_subset=shares)
        for own in shares.found.values():
            for each in places:
                sums[each] += abs(own[each])
    found["shares"] = {each: round(total / max(len(some), 1), 6) for each, total in sums.items()}
    weights: Any = getattr(model.fusion, "weights", None)
    if weights is not None:
        found["weights"] = {each: round(float(weight), 6) for each, weight in weights().items()}
    return found


def _worst(rows: Iterable[Row], predictions: Sequence[Prediction], wrong: Sequence[bool]) -> list[dict[str, Any]]:
    """The errors that the model was surest of, with what was right."""
    places = [place for place, bad in enumerate(wrong) if bad]
    places.sort(key=lambda place: -(predictions[place].score or 0.0))
    chosen = set(places[:WORST])
    taken = {place: dict(row) for place, row in enumerate(rows) if place in chosen}
    return [
        {"row": taken[place], "prediction": predictions[place].as_json()} for place in places[:WORST] if place in taken
    ]
