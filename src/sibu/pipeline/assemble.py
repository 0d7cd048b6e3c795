"""Encoders, fusion and heads as one model."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from sibu.catalog import Spec
from sibu.core.errors import Fault, RecipeError
from sibu.core.knowing import LabelKnowledge, PieceKnowledge, RuledTask
from sibu.core.protocols import HeadPlace, State, Task
from sibu.core.tensors import Batch, Encoded, Output
from sibu.fusions import FUSIONS
from sibu.heads import HEADS
from sibu.pipeline.consistent import consistency_loss
from sibu.pipeline.teach import taught_loss
from sibu.recipe.schema import Recipe, TaskBlock


class Model(nn.Module):
    """``encoders[modality] -> fusion -> heads[task]``.

    Args:
        encoders: An encoder a modality; each answers with ``Encoded``.
        fusion: Joins them.
        heads: A head a task.
        weights: Each task's fixed weight in the sum of losses; None: weights are learned from the tasks' uncertainty
            (Kendall et al., 2018, arXiv:1705.07115).
        knowledge: Joins what is known of a text's pieces with their vectors; None: nothing is.
        ruled: Tasks that rules over labels speak of, which answer to every batch while training.
        by_place: Tasks that read the text's places each, which a fusion of several modalities then keeps.
        balance: How strongly a modality that leads is slowed in training; 0: not at all.
        drop: How likely each modality of a row is left out in training, where the row has others, in [0, 1).
        alone: Weight of what each modality's answer without the others costs in training; 0: they learn together only.
    """

    def __init__(
        self,
        encoders: Mapping[str, nn.Module],
        fusion: nn.Module,
        heads: Mapping[str, nn.Module],
        *,
        weights: Mapping[str, float] | None,
        knowledge: nn.Module | None = None,
        ruled: Sequence[str] = (),
        by_place: Container[str] = (),
        drop: float = 0.0,
        balance: float = 0.0,
        alone: float = 0.0,
    ) -> None:
        super().__init__()
        self.encoders = nn.ModuleDict(dict(encoders))
        self.fusion = fusion
        self.heads = nn.ModuleDict(dict(heads))
        self.knowledge = knowledge
        self.ruled = tuple(ruled)
        self.by_place = by_place
        self.drop = drop
        self.balance = balance
        self.alone = alone
        self.seen: dict[str, Encoded] = {}
        """The modalities' vectors of the last batch in training, where their gradients are to be balanced."""
        self.fixed = weights
        self.log_variances = nn.ParameterDict(
            {} if weights is not None else {task: nn.Parameter(torch.zeros(())) for task in heads}
        )

    def encode(self, inputs: Mapping[str, Mapping[str, Tensor]], task: str | None = None) -> Encoded:
        """The fused vectors of a batch's inputs, for a task; None: for one that reads no places."""
        return self.fused(self.parts(inputs), inputs, task)

    def parts(self, inputs: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Encoded]:
        """The vectors of each modality."""
        if len(self.encoders) == 1:
            name, encoder = next(iter(self.encoders.items()))
            return {name: encoder(inputs[name])}
        # a task of which no row has a text brings none along
        none = {"mask": next(iter(inputs.values()))["mask"][:, :0]}
        return {name: _where_there(encoder, inputs.get(name, none)) for name, encoder in self.encoders.items()}

    def fused(
        self, parts: Mapping[str, Encoded], inputs: Mapping[str, Mapping[str, Tensor]], task: str | None = None
    ) -> Encoded:
        """The modalities' vectors as one, for a task."""
        fused: Encoded = self.fusion(parts, keep="text" if task is not None and task in self.by_place else None)
        if self.knowledge is None:
            return fused
        return self.knowledge(fused, inputs["text"])  # type: ignore[no-any-return]

    def answer(
        self,
        parts: Mapping[str, Encoded],
        inputs: Mapping[str, Mapping[str, Tensor]],
        task: str,
        features: Mapping[str, Tensor],
    ) -> Output:
        """What a task's head says of the modalities' vectors."""
        head = self.heads[task]
        found: Output = head(parts if reads_parts(head) else self.fused(parts, inputs, task), features)
        return found

    def forward(self, batch: Batch) -> dict[str, Output]:
        """The answer of each task that the batch has targets or features for."""
        whole = parts = self.parts(batch.inputs)
        if self.training and len(whole) > 1:
            parts = dropped(whole, self.drop) if self.drop else whole
            self.seen = parts if self.balance else {}
        known: dict[bool, Encoded] = {}

        def answer(task: str, features: Mapping[str, Tensor]) -> Output:
            if reads_parts(self.heads[task]):
                return self.answer(parts, batch.inputs, task, features)
            kept = task in self.by_place
            if kept not in known:
                known[kept] = self.fused(parts, batch.inputs, task)
            return self.heads[task](known[kept], features)  # type: ignore[no-any-return]

        found = {task: answer(task, features) for task, features in batch.targets.items()}
        if self.training and self.alone and len(whole) > 1:
            found = {
                task: self._with_lone(task, output, whole, batch) if self._answers_alone(task) else output
                for task, output in found.items()
            }
        if self.training and any(task in found for task in self.ruled):
            found |= {task: answer(task, {}) for task in self.ruled if task not in found}
        return found

    def _answers_alone(self, task: str) -> bool:
        """Whether each modality can answer a task by the head of all: no place of a text is asked for, no vote made."""
        head = self.heads[task]
        return task not in self.by_place and not reads_parts(head) and not getattr(head, "fits", False)

    def _with_lone(self, task: str, output: Output, parts: Mapping[str, Encoded], batch: Batch) -> Output:
        """An answer with what the same fusion and head say of each modality without the others."""
        votes = {}
        for name, part in parts.items():
            said = self.answer(lone(parts, name), batch.inputs, task, batch.targets[task])
            votes[name] = (said.logits, part.mask.any(1))
        return replace(output, votes=votes)

    def total(self, losses: Mapping[str, Tensor]) -> Tensor:
        """The sum over tasks of weight times loss; learned weights pay for being small."""
        if self.fixed is not None:
            return torch.stack([self.fixed[task] * loss for task, loss in losses.items()]).sum()
        terms = [torch.exp(-self.log_variances[t]) * loss + 0.5 * self.log_variances[t] for t, loss in losses.items()]
        return torch.stack(terms).sum()


def reads_parts(head: nn.Module) -> bool:
    """Whether a head reads the modalities' own vectors, before they are fused."""
    return bool(getattr(head, "reads_parts", False))


class Vote(nn.Module):
    """A head a modality, which vote: of a row those that it has.

    Args:
        heads: By modality.
        fusion: Makes each modality ready, and weighs the votes.
        kind: What is voted on: ``classes``, ``several`` (labels) or a ``number``.
    """

    reads_parts = True

    def __init__(self, heads: Mapping[str, nn.Module], fusion: nn.Module, *, kind: str) -> None:
        super().__init__()
        self.heads = nn.ModuleDict(dict(heads))
        self._fusion = [fusion]  # the model's own: not registered twice
        self.kind = kind

    def forward(self, parts: Mapping[str, Encoded], features: Mapping[str, Tensor]) -> Output:
        """The vote, and what each modality's head says."""
        fusion: Any = self._fusion[0]
        ready = fusion.parts(parts)
        logits = {name: head(ready[name], features).logits for name, head in self.heads.items()}
        there = {name: parts[name].mask.any(1) for name in logits}
        votes = {name: (own, there[name]) for name, own in logits.items()}
        return Output(fusion.vote(logits, there, self.kind), votes)


def _where_there(encoder: nn.Module, inputs: Mapping[str, Tensor]) -> Encoded:
    """A modality's vectors of the rows that have it; zeros, and a mask that is all False, for the others."""
    there = inputs["mask"].any(1)
    if bool(there.all()):
        return encoder(inputs)  # type: ignore[no-any-return]
    size = len(there)
    if not bool(there.any()):
        width = int(encoder.width)  # type: ignore[arg-type]
        mask = there.unsqueeze(1)
        return Encoded(torch.zeros(size, 1, width, device=mask.device), mask)
    own: Encoded = encoder({name: values[there] for name, values in inputs.items()})
    vectors = own.vectors.new_zeros(size, *own.vectors.shape[1:])
    mask = own.mask.new_zeros(size, own.mask.shape[1])
    vectors[there], mask[there] = own.vectors, own.mask
    return Encoded(vectors, mask)


def dropped(parts: Mapping[str, Encoded], chance: float) -> dict[str, Encoded]:
    """Vectors of which some rows' modalities are left out at random, never the last of a row.

    Source: Neverova et al., 2015, arXiv:1501.00102 (ModDrop).
    """
    there = torch.stack([part.mask.any(1) for part in parts.values()], 1)
    drawn = torch.rand(there.shape, device=there.device)
    keeps = there & (drawn >= chance)
    lost = there.any(1) & ~keeps.any(1)
    last = drawn.masked_fill(~there, -1.0).argmax(1)
    keeps[lost, last[lost]] = True
    return {name: without(part, ~keeps[:, place]) for place, (name, part) in enumerate(parts.items())}


def lone(parts: Mapping[str, Encoded], name: str) -> dict[str, Encoded]:
    """Vectors of one modality, without the others."""
    gone = torch.ones_like(parts[name].mask[:, 0])
    return {other: part if other == name else without(part, gone) for other, part in parts.items()}


def without(part: Encoded, rows: Tensor) -> Encoded:
    """A modality's vectors without those of some rows, ``(B,)`` bool."""
    return Encoded(part.vectors.masked_fill(rows[:, None, None], 0.0), part.mask & ~rows.unsqueeze(1))


class Ensemble(nn.Module):
    """Several models of the same tasks, which answer together.

    Args:
        members: The models; those of which nothing but the heads differs may share their encoders.
        states: What the tasks of each learned from their training data, by task.
    """

    def __init__(self, members: Sequence[Model], states: Sequence[Mapping[str, State]]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.states = states


def members_of(model: Model | Ensemble) -> list[Model]:
    """The models that answer: the members of an ensemble, or the model itself."""
    return [cast("Model", each) for each in model.members] if isinstance(model, Ensemble) else [model]


def objective(
    model: Any,
    tasks: Mapping[str, Task],
    *,
    penalty: Callable[[], Tensor] | None = None,
    blocks: Mapping[str, TaskBlock] | None = None,
    rules: tuple[LabelKnowledge, float] | None = None,
) -> Any:
    """The loss for ``fit``: outputs and batch to the sum that trains, and each task's own loss.

    Args:
        model: The bare ``Model`` (not its wrapper for several processes).
        tasks: The tasks by name.
        penalty: A term of the method's own that is added to the sum.
        blocks: What the recipe says of the tasks: whether a teacher's answers count, or those to a text for its copy.
        rules: Rules over labels, and the weight of answers that break them.
    """

    def own(task: str, output: Output, targets: Mapping[str, Tensor]) -> Tensor:
        block = None if blocks is None else blocks[task]
        if block is not None and block.consistency is not None and "paired" in targets:
            return consistency_loss(output.logits, block.consistency)
        options = None if block is None else block.teacher
        found: Tensor | None = None
        if options is None or options.weight < 1:
            judge = getattr(model.heads[task], "loss", tasks[task].loss)
            found = judge(output, targets)
            if output.votes is not None:
                weight = 1.0 if reads_parts(model.heads[task]) else model.alone
                found = found + weight * _votes_loss(judge, output, targets)
        if options is None:
            return found  # type: ignore[return-value]
        several = bool(tasks[task].state.get("multi_label"))
        soft = taught_loss(output.logits, targets["taught"], temperature=options.temperature, several=several)
        return soft if found is None else (1 - options.weight) * found + options.weight * soft

    def loss(outputs: Mapping[str, Output], batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        by_task = {
            task: own(task, output, batch.targets[task]) for task, output in outputs.items() if task in batch.targets
        }
        total = model.total(by_task)
        if model.seen:
            _slow_leaders(model, batch, own)
        if rules is not None and (broken := _broken(rules[0], tasks, outputs, batch)) is not None:
            total = total + rules[1] * broken
        return total if penalty is None else total + penalty(), by_task

    return loss


def _slow_leaders(model: Model, batch: Batch, judge: Callable[..., Tensor]) -> None:
    """Let the gradients of each modality shrink by its lead over the others, before they are computed."""
    parts, model.seen = model.seen, {}
    scores = {}
    with torch.no_grad():
        for name in parts:
            alone = lone(parts, name)
            losses = {
                task: judge(task, model.answer(alone, batch.inputs, task, features), features)
                for task, features in batch.targets.items()
            }
            scores[name] = float(torch.exp(-model.total(losses)))
    for name, part in parts.items():
        others = [score for other, score in scores.items() if other != name]
        lead = scores[name] / max(sum(others) / len(others), 1e-12) - 1
        if lead > 0 and part.vectors.requires_grad:
            part.vectors.register_hook(partial(_scaled, 1 - math.tanh(model.balance * lead)))  # type: ignore[no-untyped-call]


def _scaled(factor: float, gradient: Tensor) -> Tensor:
    return gradient * factor


def _votes_loss(judge: Callable[..., Tensor], output: Output, targets: Mapping[str, Tensor]) -> Tensor:
    """The mean over modalities of what each one's own head learns, of the rows that have it."""
    own = [
        judge(Output(logits[there]), {name: values[there] for name, values in targets.items()})
        for logits, there in (output.votes or {}).values()
        if bool(there.any())
    ]
    return torch.stack(own).mean() if own else output.logits.sum() * 0


def _broken(
    rules: LabelKnowledge, tasks: Mapping[str, Task], outputs: Mapping[str, Output], batch: Batch
) -> Tensor | None:
    """How far the answers to a batch break rules over labels."""
    chances = {}
    for name in rules.tasks if rules.tasks[0] in outputs else ():
        own = cast("RuledTask", tasks[name]).log_chances(outputs[name], batch.targets.get(name, {}))
        if own is not None:
            chances[name] = own
    return rules.penalty(chances)


def widths_of(encoders: Mapping[str, Any]) -> dict[str, int]:
    """D of each modality's vectors."""
    return {name: int(encoder.width) for name, encoder in encoders.items()}


def by_place(tasks: Mapping[str, Task]) -> frozenset[str]:
    """The tasks that read each place of a text."""
    return frozenset(
        name for name, task in tasks.items() if not getattr(task, "any_modality", False) and not hasattr(task, "of")
    )


def infusion(pieces: Mapping[str, PieceKnowledge], *, width: int, inner: int) -> nn.Module | None:
    """What joins knowledge of pieces with their vectors; None where there is none.

    Args:
        pieces: What is known of pieces, by the name of its part.
        width: D, of the encoder's vectors.
        inner: Numbers of the vectors that say what is known.
    """
    if not pieces:
        return None
    from sibu.nn.infusion import Infusion

    parts = {part.feature.name: part.module(inner) for part in pieces.values()}
    return Infusion(width=width, inner=inner, parts=parts)


def build_heads(
    tasks: Mapping[str, Task], recipe: Recipe, encoder: Any, width: int, widths: Mapping[str, int]
) -> dict[str, nn.Module]:
    """A fresh head a task: its own, or the one that the recipe names; where a task writes, the language head.

    Args:
        tasks: The tasks.
        recipe: The recipe.
        encoder: The text's, which has the language head; None where there is none.
        width: D, of the vectors that heads read.
        widths: D of each modality's vectors, which those read that look at them before they are fused.
    """
    return {name: _head(task, recipe.tasks[name].head, encoder, width, widths) for name, task in tasks.items()}


def voting(
    tasks: Mapping[str, Task], recipe: Recipe, heads: Mapping[str, nn.Module], fusion: nn.Module, names: Sequence[str]
) -> dict[str, nn.Module]:
    """The heads; where the fusion is a vote one a modality in place of each.

    Raises:
        RecipeError: When a task's head cannot vote.
    """
    if not getattr(fusion, "votes", False):
        return dict(heads)
    found: dict[str, nn.Module] = {}
    for name, task in tasks.items():
        if reads_parts(heads[name]):
            found[name] = heads[name]
            continue
        if not getattr(task, "any_modality", False) or getattr(heads[name], "fits", False):
            what = f"`{fusion_name(recipe)}` votes on labels and numbers, by heads that train with the encoder."
            others = ", ".join(f"`{each}`" for each in FUSIONS if each not in ("identity", fusion_name(recipe)))
            raise RecipeError(Fault(f"tasks.{name}", what, f"Choose another `fusion`: {others}."))
        kind = {None: "number", True: "several", False: "classes"}[task.state.get("multi_label")]
        width = int(fusion.width)  # type: ignore[arg-type]
        more = [_head(task, recipe.tasks[name].head, None, width, {}) for _ in names[1:]]
        found[name] = Vote(dict(zip(names, [heads[name], *more], strict=True)), fusion, kind=kind)
    return found


def fusion_name(recipe: Recipe) -> str:
    """What the recipe's fusion is called."""
    return str(recipe.fusion.name)  # type: ignore[attr-defined]


def _head(task: Any, spec: Spec, encoder: Any, width: int, widths: Mapping[str, int]) -> nn.Module:
    own: nn.Module
    if task.writes:
        own = encoder.language_head()
        return own
    if getattr(task, "fills", False):
        blanks = getattr(task, "blanks", None)
        own = encoder.filling_head() if blanks is None else encoder.cloze_head(blanks())
        return own
    made: Any = task.head(widths if hasattr(task, "of") else width)
    own = HEADS.of(spec).build(spec, made) if isinstance(made, HeadPlace) else made
    if hasattr(made, "tie"):
        made.tie(encoder.embeddings())
    return own


def text_encoder(
    folder: Path, *, shapes: bool, dropout: float | None, writes: bool = False, fills: bool = False
) -> nn.Module:
    """The text modality's encoder for a model folder; with its language head where a task ``writes`` or ``fills``."""
    from sibu.modalities.text.encoder import TextEncoder

    return TextEncoder(folder, shapes=shapes, dropout=dropout, writes=writes, fills=fills)
