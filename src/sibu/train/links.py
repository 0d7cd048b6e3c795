"""Training vectors of a knowledge graph: every triple and its inverse is a question for its object.

Two ways to learn: each right object against all entities, every question being asked once for all its objects, or each
against entities that are drawn for the batch. What a step draws depends on seed and step alone.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from sibu.core.protocols import Scorer
from sibu.metrics.ranking import Answers, Numbers
from sibu.nn.candidates import one_of_all, some_drawn
from sibu.train.fit import NotFinite
from sibu.train.seed import generator

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class Asked:
    """The questions of one step and their answers."""

    subjects: Tensor
    """Shape ``(Q,)``, as the relations."""
    relations: Tensor
    rows: Tensor
    """The question of each answer. Shape ``(N,)``, ascending."""
    objects: Tensor
    """The answers. Shape ``(N,)``."""

    @property
    def triples(self) -> tuple[Tensor, Tensor, Tensor]:
        """Subjects, relations and objects of the answers."""
        return self.subjects[self.rows], self.relations[self.rows], self.objects


Loss = Callable[[Scorer, Asked, np.random.Generator], Tensor]
"""How far a step's answers are from the right ones: a sum over them. Draws come from the generator."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one round over all triples did."""

    number: int
    """From 1."""
    loss: float
    """Mean over the triples, without the penalty."""
    seconds: float


def all_entities(*, smoothing: float = 0.0, precision: str = "float32") -> Loss:
    """Each right object against all entities (1-vs-all: Lacroix et al., 2018, arXiv:1806.07297).

    A question that has several objects is scored once for all of them, at a fraction of the work of asking it for each.

    Args:
        smoothing: Share of the probability that is to be spread over all entities, in [0, 1).
        precision: ``float32`` or ``bfloat16``: in which products of matrices are taken and their results kept. Vectors,
            sums and steps are of full precision.
    """
    half = precision == "bfloat16"

    def loss(scorer: Scorer, asked: Asked, draw: np.random.Generator) -> Tensor:  # noqa: ARG001
        with torch.autocast(asked.rows.device.type, torch.bfloat16, enabled=half):
            scores = scorer.against(asked.subjects, asked.relations)
        return one_of_all(scores, asked.rows, asked.objects, smoothing=smoothing)

    return loss


def drawn_entities(known: Answers, *, negatives: int, margin: float, temperature: float) -> Loss:
    """Each right object against entities that are drawn for the step; those that are right too do not count.

    Args:
        known: All questions of training with their answers.
        negatives: How many are drawn; no more than there are.
        margin: See ``some_drawn``.
        temperature: See ``some_drawn``.
    """

    def loss(scorer: Scorer, asked: Asked, draw: np.random.Generator) -> Tensor:
        entities = len(scorer.entities)
        drawn = draw.choice(entities, min(negatives, entities), replace=False, shuffle=False)
        wrong = _wrong(known, asked, drawn, entities).to(asked.rows.device)
        others = scorer.against(asked.subjects, asked.relations, torch.from_numpy(drawn).to(asked.rows.device))
        own = scorer.score(*asked.triples)
        return some_drawn(own, asked.rows, others, wrong, margin=margin, temperature=temperature)

    return loss


def _wrong(known: Answers, asked: Asked, drawn: Numbers, entities: int) -> Tensor:
    """Which of the drawn entities answer which question wrongly: ``(Q, K)``."""
    places = np.full(entities, -1)
    places[drawn] = np.arange(len(drawn))
    rows, objects = known.of(known.find(asked.subjects.cpu().numpy(), asked.relations.cpu().numpy()))
    there = places[objects] >= 0
    found = np.ones((len(asked.subjects), len(drawn)), bool)
    found[rows[there], places[objects[there]]] = False
    return torch.from_numpy(found)


def fit_links(
    scorer: Scorer,
    known: Answers,
    *,
    loss: Loss,
    optimizer: torch.optim.Optimizer,
    seed: int,
    batch: int,
    epochs: int,
    penalty: float = 0.0,
) -> Iterator[Epoch]:
    """Train, and yield after each epoch what it did.

    Args:
        scorer: What learns.
        known: The questions with their answers, inverses included.
        loss: ``all_entities`` or ``drawn_entities``.
        optimizer: Over the scorer's tables.
        seed: Order and draws of a step come from this, the epoch and the step alone.
        batch: Questions a step, at least 1.
        epochs: Number of the last.
        penalty: Weight of the scorer's penalty, at least 0.

    Raises:
        NotFinite: When the loss is no longer a finite number.
    """
    share = len(known) / max(len(known.objects), 1) / batch  # one over the answers of a usual step
    for epoch in range(1, epochs + 1):
        began, total = time.perf_counter(), 0.0
        order = generator(seed, "questions", epoch).permutation(len(known))
        for step, start in enumerate(range(0, len(order), batch)):
            asked = _asked(known, order[start : start + batch], scorer.entities.device)
            own = loss(scorer, asked, generator(seed, "entities", epoch, step))
            whole = own * share
            if penalty:
                whole = whole + scorer.penalty(*asked.triples) * (penalty * share)
            optimizer.zero_grad(set_to_none=True)
            whole.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            total += float(own.detach())
        if not math.isfinite(total):
            raise NotFinite(
                f"The loss of epoch {epoch} is not a finite number. Give a smaller learning_rate or a larger penalty."
            )
        yield Epoch(epoch, total / max(len(known.objects), 1), time.perf_counter() - began)


def _asked(known: Answers, questions: Numbers, device: torch.device) -> Asked:
    parts = (known.subjects[questions], known.relations[questions], *known.of(questions))
    return Asked(*(torch.from_numpy(part).to(device) for part in parts))


@dataclass(frozen=True, slots=True)
class Look:
    """How good the vectors were after an epoch."""

    epoch: int
    loss: float
    mrr: float
    seconds: float
    """Of training, from the beginning."""


def keep_best(
    scorer: nn.Module,
    epochs: Iterable[Epoch],
    judge: Callable[[], float],
    *,
    last: int,
    every: int,
    patience: int,
    tell: Callable[[Look], None] = lambda _: None,
) -> list[Look]:
    """Train until it is no longer of use, and leave the scorer with the vectors that were the best.

    Args:
        scorer: What trains while ``epochs`` are taken.
        epochs: From ``fit_links``.
        judge: How good the scorer is now, in evaluation mode; more is better.
        last: Number of the last epoch, after which it is asked too.
        every: It is asked after every so many epochs; at least 1.
        patience: So many looks without a better one end it; at least 1.
        tell: Told of each look.

    Returns:
        Every look, in order; the best of them is the first with the greatest MRR.
    """
    looks: list[Look] = []
    best: dict[str, Tensor] = {}
    seconds, top = 0.0, -1
    for epoch in epochs:
        seconds += epoch.seconds
        if epoch.number % every and epoch.number != last:
            continue
        scorer.eval()
        looks.append(Look(epoch.number, epoch.loss, judge(), seconds))
        scorer.train()
        tell(looks[-1])
        if top < 0 or looks[-1].mrr > looks[top].mrr:
            top, best = len(looks) - 1, {name: each.detach().clone() for name, each in scorer.state_dict().items()}
        elif len(looks) - 1 - top >= patience:
            break
    scorer.load_state_dict(best)
    scorer.eval()
    return looks
