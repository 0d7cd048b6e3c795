"""Answers of tasks that write: how likely the right ones are, and what is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from sibu.core.errors import DataError, RecipeError, SibuError, counted
from sibu.core.example import Row
from sibu.core.grammar import Grammar
from sibu.core.protocols import Decoder, Features, WindowOutput, WritingTask
from sibu.core.result import REWARD, Evidence, Prediction
from sibu.core.tensors import Batch
from sibu.core.text import Prompt, Window
from sibu.pipeline.progress import Progress, Silent
from sibu.pipeline.reward import Rewards
from sibu.train.batches import Budget, Stream, collate, forward_budget, split_by_budget, stack

if TYPE_CHECKING:
    from sibu.pipeline.assemble import Model

CHUNK = 512
"""Rows written at a time: enough to sort by length, few enough to tell the first answers soon."""
TOGETHER = 16384, 32
"""Pieces and rows that are written together: a step costs hardly more for 32 answers than for one."""
CUT = "cut"
"""Kind of the evidence that says what of a prompt was left out."""
EMPTY = np.zeros(0)
NOWHERE = Window([], [], [], [], [])


@dataclass(frozen=True, slots=True)
class Writer:
    """All that writes the answers of one task."""

    model: Model
    name: str
    task: WritingTask
    text: Any
    """The text modality's preparer."""
    decoder: Decoder | None
    """How answers are chosen; None: nothing is to be written."""
    constraint: Grammar | None = None
    """What every answer must look like; None: what the task allows."""
    rewards: Rewards | None = None
    """What makes an answer good; of several to one row the best is given. None: the first is."""
    each: int = 1
    """Rows that the decoder needs for each prompt: its beams, or the answers that it draws."""

    def _encoder(self) -> Any:
        return self.model.encoders["text"]

    def losses(self, rows: Sequence[Row]) -> list[np.ndarray]:
        """How unlikely each row's right answers are.

        Returns:
            For each row, for each of its inputs, the sum of the negative log probabilities and the number of pieces:
            ``(inputs, 2)``.
        """
        asked = [self.task.inputs(row) for row in rows]
        owners = [row for row, group in zip(rows, asked, strict=True) for _ in group]
        found = self._unlikely([each for group in asked for each in group], owners)[0]
        ends = np.cumsum([len(group) for group in asked])
        return np.split(found, ends[:-1])

    def _unlikely(self, prompts: Sequence[Any], owners: Sequence[Row]) -> tuple[np.ndarray, list[Window]]:
        """The sum of the negative log probabilities and the number of pieces of each prompt's answer, ``(P, 2)``.

        Their (first) windows are the second answer. ``owners`` are the rows that the prompts are of.
        """
        from sibu.nn.likelihood import answer_losses

        groups = self.text.prepare(prompts)
        windows = [window for group in groups for window in group]
        of = np.array([place for place, group in enumerate(groups) for _ in group])
        lengths = np.array([max(len(window.input_ids), len(window.answer)) for window in windows])
        order = np.argsort(lengths, kind="stable")[::-1]
        device = next(self.model.parameters()).device
        found = np.zeros((len(windows), 2))
        wanted = [self.task.targets(owners[place], 0, each, gold=True) for place, each in zip(of, windows, strict=True)]
        self.model.eval()
        for group in split_by_budget(order, lengths, forward_budget(device)):
            own = [windows[place] for place in group]
            batch = prompt_batch(self.text, self.name, self.task, own, [wanted[place] for place in group]).to(device)
            with torch.inference_mode():
                logits = self.model(batch)[self.name].logits
                found[group] = answer_losses(logits, _labels(batch, self.name)).cpu().numpy()
        total = np.zeros((len(groups), 2))
        np.add.at(total, of, found)
        return total, [group[0] for group in groups]

    def weigh(self, rows: Sequence[Row], *, cut: Callable[[set[int]], None] | None = None) -> list[Prediction]:
        """The likeliest of the task's choices for each row, in order.

        Args:
            rows: A chunk of rows.
            cut: Told the numbers of the rows of which not all was read.
        """
        choices, blank = self.task.choices, self.task.blank
        asked = [*rows, *([] if blank is None else [blank])]
        scores, outputs = np.zeros((len(asked), len(choices))), []
        together = max(CHUNK // len(choices), 1)
        for start in range(0, len(asked), together):
            part = asked[start : start + together]
            prompts = [replace(self.task.prompt(row), answer=choice) for row in part for choice in choices]
            found, windows = self._unlikely(prompts, [row for row in part for _ in choices])
            if any(window.lost.endswith("of the answer") for window in windows):
                longer = f"A label has more than the {counted(self.task.room, 'piece')} that an answer may have: "
                raise RecipeError(f"{longer}labels cannot be weighed by their beginnings. Raise max_new_tokens.")
            scores[start : start + together] = -found[:, 0].reshape(len(part), len(choices))
            outputs += windows[:: len(choices)]
        if cut is not None:
            cut({place for place, window in enumerate(outputs[: len(rows)]) if window.cut})
        if blank is not None:
            scores = scores - scores[-1]
        return [
            _with_evidence(self.task.decode(row, [[WindowOutput(window, own)]]), *_left_out(window))
            for row, window, own in zip(rows, outputs, scores, strict=False)  # the blank row is left out
        ]

    def write(
        self,
        rows: Sequence[Row],
        *,
        losses: Sequence[np.ndarray] | None = None,
        cut: Callable[[set[int]], None] | None = None,
        heard: Callable[[str], None] | None = None,
    ) -> list[Prediction]:
        """An answer to each row, in order.

        Args:
            rows: A chunk of rows.
            losses: What ``losses`` gave for them, to go with the answers.
            cut: Told the numbers of the rows of which not all was read.
            heard: Told each bit of text as it is written; for one row.
        """
        from sibu.modalities.text.writer import write

        if self.task.choices:
            return self.weigh(rows, cut=cut)
        if self.decoder is None:
            raise ValueError("to write, a writer needs a decoder")
        windows = [group[0] for group in self.text.prepare([self.task.prompt(row) for row in rows])]
        if cut is not None:
            cut({place for place, window in enumerate(windows) if window.cut})
        lengths = np.array([len(window.input_ids) + self.task.room for window in windows])
        order = np.argsort(lengths, kind="stable")[::-1]
        found: list[Prediction | None] = [None] * len(rows)
        self.model.eval()
        pieces, rows_together = TOGETHER
        budget = Budget(pieces, max(rows_together // self.each, 1))
        for group in split_by_budget(order, lengths * self.each, budget):
            grammars = [self.constraint or self.task.grammar(rows[place]) for place in group]
            answers = write(
                self._encoder(),
                self.text.vocabulary,
                [windows[place].input_ids for place in group],
                decoder=self.decoder,
                limit=self.task.room,
                ends=self.text.prompts.ends(self.task.template),
                stops=self.task.stops,
                bounds=self.text.bounds(self.task.template) if any(grammars) else None,
                grammars=[grammar or "" for grammar in grammars],
                heard=heard,
            )
            chosen = self._best([rows[place] for place in group], answers)
            for place, (best, evidence) in zip(group, chosen, strict=True):
                known = [EMPTY] if losses is None else losses[place]
                outputs = [[WindowOutput(windows[place], own, best.text, best.finished)] for own in known]
                prediction = self.task.decode(rows[place], outputs)
                found[place] = _with_evidence(prediction, *_left_out(windows[place]), *evidence)
        return [each for each in found if each is not None]

    def _best(self, rows: Sequence[Row], answers: Sequence[Sequence[Any]]) -> list[tuple[Any, tuple[Evidence, ...]]]:
        """Of the answers to each row the best by reward, one that came to its end before one that did not."""
        if self.rewards is None:
            return [(first, ()) for first, *_ in answers]
        owners = [row for row, each in zip(rows, answers, strict=True) for _ in each]
        total, parts = self.rewards(owners, [one.text for each in answers for one in each])
        chosen: list[tuple[Any, tuple[Evidence, ...]]] = []
        begun = 0
        for each in answers:
            ends = [one.finished for one in each]
            best = max(range(len(each)), key=lambda n: (ends[n], total[begun + n]))
            told = {"total": float(total[begun + best]), **parts[begun + best]}
            if len(each) > 1:
                told |= {"of": len(each), "mean": float(total[begun : begun + len(each)].mean())}
            chosen.append((each[best], (Evidence(REWARD, told),)))
            begun += len(each)
        return chosen

    def valid(
        self,
        rows: Sequence[Row],
        *,
        cut: Callable[[set[int]], None] | None = None,
        heard: Callable[[str], None] | None = None,
    ) -> list[Prediction | SibuError]:
        """As ``write``; an answer that ends at its limit in the midst of what it must look like is a fault."""
        found = self.write(rows, cut=cut, heard=heard)
        bounded = [self.constraint is not None or self.task.grammar(row) is not None for row in rows]
        limit = counted(self.task.room, "piece")
        fault = DataError(f"the answer did not come to its end within {limit}. Raise max_new_tokens.")
        return [
            fault if own and any(each.kind == "limit" for each in prediction.evidence) else prediction
            for own, prediction in zip(bounded, found, strict=True)
        ]


def _left_out(window: Window) -> tuple[Evidence, ...]:
    """The evidence that not all of a prompt was read."""
    said = [part for part in window.lost.split(" and ") if part and not part.endswith("of the answer")]
    return (Evidence(CUT, " and ".join(said)),) if said else ()


def _with_evidence(prediction: Prediction, *more: Evidence) -> Prediction:
    return replace(prediction, evidence=(*prediction.evidence, *more)) if more else prediction


def prompt_batch(
    text: Any, name: str, task: WritingTask, windows: Sequence[Window], targets: Sequence[Features]
) -> Batch:
    """Windows of prompts with their answers as a batch of one task.

    Args:
        text: The text modality's preparer.
        name: The task's name.
        task: The task.
        windows: As many as there are answers.
        targets: What the task's loss asks for, of each.
    """
    width = max(len(window.input_ids) for window in windows)
    own: list[Features] = [text.arrays(window, Prompt(())) for window in windows]
    lengths = torch.tensor([len(window.input_ids) for window in windows])
    inputs = {"input_ids": stack([each["input_ids"] for each in own], text.features[0], width)}
    inputs["mask"] = torch.arange(width).unsqueeze(0) < lengths.unsqueeze(1)
    features = {
        feature.name: stack([each[feature.name] for each in targets], feature, width)
        for feature in task.features
        if feature.name in targets[0]
    }
    return Batch({"text": inputs}, {name: features}, size=len(windows), tokens=len(windows) * width)


def judged_rows(
    writer: Writer, rows: Iterable[Row], *, progress: Progress | None, total: int | None, what: str
) -> Iterator[Prediction]:
    """Predictions on labelled rows: how likely their right answers are, and (where there is a decoder) an answer."""
    source = iter(rows)
    with (progress or Silent()).bar(what, total) as advance:
        while chunk := list(islice(source, CHUNK)):
            if writer.task.candidates or writer.task.choices:  # the likelihood of the right answers is not asked for
                yield from writer.write(chunk)
                advance(len(chunk))
                continue
            losses = writer.losses(chunk)
            if writer.decoder is not None:
                yield from writer.write(chunk, losses=losses)
            else:
                for row, known in zip(chunk, losses, strict=True):
                    yield writer.task.decode(row, [[WindowOutput(NOWHERE, own)] for own in known])
            advance(len(chunk))


def _labels(batch: Batch, name: str) -> torch.Tensor:
    targets = batch.targets[name]
    return targets["answer"] if "answer" in targets else targets["labels"]


def log_probabilities(model: Model, name: str, stream: Stream, progress: Progress) -> np.ndarray:
    """The log probability of each record's answer under a model as it is. Shape ``(records,)``."""
    from sibu.nn.likelihood import answer_losses

    device = next(model.parameters()).device
    order = np.argsort(stream.lengths, kind="stable")[::-1]
    found = np.zeros(len(stream), np.float32)
    model.eval()
    with progress.bar(f"{name}: the model before training", len(stream)) as advance:
        for group in split_by_budget(order, stream.lengths, forward_budget(device)):
            batch = collate(stream, group).to(device)
            with torch.inference_mode():
                logits = model(batch)[name].logits
                found[group] = -answer_losses(logits, _labels(batch, name))[:, 0].cpu().numpy()
            advance(len(group))
    return found
