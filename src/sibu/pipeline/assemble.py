"""Encoders, fusion and heads as one model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from sibu.catalog import Spec
from sibu.core.knowing import LabelKnowledge, PieceKnowledge, RuledTask
from sibu.core.protocols import HeadPlace, State, Task
from sibu.core.tensors import Batch, Encoded, Output
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
    ) -> None:
        super().__init__()
        self.encoders = nn.ModuleDict(dict(encoders))
        self.fusion = fusion
        self.heads = nn.ModuleDict(dict(heads))
        self.knowledge = knowledge
        self.ruled = tuple(ruled)
        self.fixed = weights
        self.log_variances = nn.ParameterDict(
            {} if weights is not None else {task: nn.Parameter(torch.zeros(())) for task in heads}
        )

    def encode(self, inputs: Mapping[str, Mapping[str, Tensor]]) -> Encoded:
        """The fused vectors of a batch's inputs."""
        fused: Encoded = self.fusion({name: self.encoders[name](part) for name, part in inputs.items()})
        if self.knowledge is None:
            return fused
        return self.knowledge(fused, inputs["text"])  # type: ignore[no-any-return]

    def forward(self, batch: Batch) -> dict[str, Output]:
        """The answer of each task that the batch has targets or features for."""
        encoded = self.encode(batch.inputs)
        found = {task: self.heads[task](encoded, features) for task, features in batch.targets.items()}
        if self.training and any(task in found for task in self.ruled):
            found |= {task: self.heads[task](encoded, {}) for task in self.ruled if task not in found}
        return found

    def total(self, losses: Mapping[str, Tensor]) -> Tensor:
        """The sum over tasks of weight times loss; learned weights pay for being small."""
        if self.fixed is not None:
            return torch.stack([self.fixed[task] * loss for task, loss in losses.items()]).sum()
        terms = [torch.exp(-self.log_variances[t]) * loss + 0.5 * self.log_variances[t] for t, loss in losses.items()]
        return torch.stack(terms).sum()


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
            found = getattr(model.heads[task], "loss", tasks[task].loss)(output, targets)
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
        if rules is not None and (broken := _broken(rules[0], tasks, outputs, batch)) is not None:
            total = total + rules[1] * broken
        return total if penalty is None else total + penalty(), by_task

    return loss


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


def build_heads(tasks: Mapping[str, Task], recipe: Recipe, encoder: Any) -> dict[str, nn.Module]:
    """A fresh head a task: its own, or the one that the recipe names; where a task writes, the language head."""
    return {name: _head(task, recipe.tasks[name].head, encoder) for name, task in tasks.items()}


def _head(task: Task, spec: Spec, encoder: Any) -> nn.Module:
    own: nn.Module
    if task.writes:
        own = encoder.language_head()
        return own
    if getattr(task, "fills", False):
        blanks = getattr(task, "blanks", None)
        own = encoder.filling_head() if blanks is None else encoder.cloze_head(blanks())
        return own
    made = task.head(int(encoder.width))
    if isinstance(made, HeadPlace):
        built: nn.Module = HEADS.of(spec).build(spec, made)
        return built
    tied: Any = made
    if hasattr(made, "tie"):
        tied.tie(encoder.embeddings())
    return made


def text_encoder(
    folder: Path, *, shapes: bool, dropout: float | None, allow_pickle: bool, writes: bool = False, fills: bool = False
) -> nn.Module:
    """The text modality's encoder for a model folder; with its language head where a task ``writes`` or ``fills``."""
    from sibu.modalities.text.encoder import TextEncoder

    return TextEncoder(folder, shapes=shapes, dropout=dropout, allow_pickle=allow_pickle, writes=writes, fills=fills)
