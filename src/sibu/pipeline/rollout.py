"""Answers that a model in training writes itself, with their rewards: what a policy gradient learns from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor

from sibu.core.example import Row
from sibu.core.grammar import Grammar
from sibu.core.protocols import WritingTask
from sibu.core.tensors import Batch
from sibu.core.text import LEARNED, Window
from sibu.decoders.best_of import BestOfSpec
from sibu.pipeline.plan import Plan, TaskPlan
from sibu.pipeline.require import constraint_of
from sibu.pipeline.reward import Rewards, rewards_of
from sibu.pipeline.written import prompt_batch
from sibu.train.batches import Stream, collate
from sibu.train.seed import derive

if TYPE_CHECKING:
    from sibu.pipeline.assemble import Model
    from sibu.recipe.schema import TaskBlock


@dataclass(frozen=True, slots=True)
class _Explored:
    """One task that learns from answers of its own."""

    plan: TaskPlan
    task: WritingTask
    rewards: Rewards
    constraint: Grammar | None


class Explorer:
    """Makes batches; those of a task that learns from the model's own answers are written when they are asked for.

    Args:
        plan: The run.
        model: As it is before training: what answers cost is counted from here.
    """

    def __init__(self, plan: Plan, model: Model) -> None:
        self._model = model
        self._text: Any = plan.text
        self._seed = plan.recipe.train.seed
        self._explored = {
            name: _explored(each, plan.recipe.tasks[name]) for name, each in plan.tasks.items() if explores(each.task)
        }
        compares = any(getattr(each.task, "kl", 0) for each in self._explored.values())
        own = [weight for weight in model.parameters() if weight.requires_grad] if compares else []
        self._before = [(weight, weight.detach().clone()) for weight in own]

    def __call__(self, stream: Stream, records: np.ndarray, step: int) -> Batch:
        """The batch of some records of a stream at a step."""
        name = next((name for name in stream.targets if name in self._explored), None)
        return collate(stream, records) if name is None else self._written(name, stream, records, step)

    def _written(self, name: str, stream: Stream, records: np.ndarray, step: int) -> Batch:
        from sibu.decoders import DECODERS
        from sibu.modalities.text.writer import write

        own, model = self._explored[name], self._model
        task: Any = own.task
        rows = own.plan.learned.take(records)  # type: ignore[union-attr]
        prompts = [stream.inputs.get("input_ids", record).tolist() for record in records]
        seed = derive(self._seed, "explore", name, step)
        spec = BestOfSpec(n=task.candidates, temperature=task.temperature, top_p=1.0, seed=seed)
        encoder: Any = model.encoders["text"]
        model.eval()
        answers = write(
            encoder,
            self._text.vocabulary,
            prompts,
            decoder=DECODERS.of(spec).build(spec),
            limit=task.room,
            ends=self._text.prompts.ends(task.template),
            stops=task.stops,
            bounds=None if own.constraint is None else self._text.bounds(task.template),
            grammars=[own.constraint or ""] * len(prompts),
        )
        asked: list[Row] = [row for row in rows for _ in range(task.candidates)]
        windows = [
            _window(prompt, one.ids if one.end is None else [*one.ids, one.end], apart=encoder.writes != "causal")
            for prompt, each in zip(prompts, answers, strict=True)
            for one in each
        ]
        total, _ = own.rewards(asked, [one.text for each in answers for one in each])
        batch = prompt_batch(self._text, name, task, windows, [task.written(window) for window in windows])
        more = {"reward": _column(total)}
        if task.kl:
            more["reference"] = self._reference(batch, name)
        targets = {name: dict(batch.targets[name]) | more}
        tokens = sum(len(window.input_ids) for window in windows) if stream.packed else batch.tokens
        return Batch(batch.inputs, targets, size=len(windows), tokens=tokens)

    def _reference(self, batch: Batch, name: str) -> Tensor:
        """How likely each answer was before training, ``(B, 1)``."""
        from sibu.nn.likelihood import answer_losses

        device = next(self._model.parameters()).device
        there = batch.to(device)
        with torch.no_grad(), self._as_before():
            logits = self._model(there)[name].logits
            targets = there.targets[name]
            found = -answer_losses(logits, targets["answer"] if "answer" in targets else targets["labels"])[:, :1]
        return found.cpu()

    @contextmanager
    def _as_before(self) -> Iterator[None]:
        """Within it the model has the weights that it had before training."""
        now = [weight.data for weight, _ in self._before]
        for weight, known in self._before:
            weight.data = known
        try:
            yield
        finally:
            for (weight, _), own in zip(self._before, now, strict=True):
                weight.data = own


def explores(task: Any) -> bool:
    """Whether a task learns from answers that the model writes in training."""
    return bool(getattr(task, "candidates", 0))


def _explored(plan: TaskPlan, block: TaskBlock) -> _Explored:
    rewards = rewards_of(block)
    if rewards is None:
        raise ValueError(f"{plan.name} has no reward")
    return _Explored(plan, cast(WritingTask, plan.task), rewards, constraint_of(block))


def _window(prompt: Sequence[int], answer: Sequence[int], *, apart: bool) -> Window:
    """A prompt and what was written to it, as one of the text modality's windows."""
    ids, behind = (list(prompt), tuple(answer)) if apart else ([*prompt, *answer], ())
    segments = [1] * len(prompt) + [LEARNED] * (len(ids) - len(prompt))
    blank = [0] * len(ids)
    return Window(ids, segments, blank, blank, [], answer=behind)


def _column(numbers: np.ndarray) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float32).unsqueeze(1)
