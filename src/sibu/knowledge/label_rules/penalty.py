"""How likely a model thinks it that rules are broken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from sibu.knowledge.label_rules.worlds import Variable, Worlds

LEAST = -30.0
"""Log probabilities below are not told apart: their gradients would only be noise."""


def broken(worlds: Worlds, chances: Mapping[str, Tensor], labels: Mapping[str, Sequence[str]]) -> Tensor:
    """Minus the log probability that an answer drawn from the model keeps rules, the mean over a batch.

    Source: Xu et al., 2018, arXiv:1711.11157, definition 1.

    Args:
        worlds: The ways in which the rules hold.
        chances: By task, the log probabilities of its labels as ``RuledTask.log_chances`` gives them.
        labels: By task, its labels in order.
    """
    total: Tensor | None = None
    for place, variable in enumerate(worlds.variables):
        own = _values(variable, chances[variable.task], labels[variable.task])
        chosen = own[:, torch.from_numpy(worlds.chosen[:, place]).to(own.device)]
        total = chosen if total is None else total + chosen
    if total is None:
        raise ValueError("rules speak of at least one label")
    return -torch.logsumexp(total, 1).clamp(LEAST, 0).mean()


def _values(variable: Variable, chances: Tensor, labels: Sequence[str]) -> Tensor:
    """The log probability of each value of a variable. Shape ``(B, values)``."""
    numbers = [labels.index(label) for label in variable.labels]
    chances = chances.float()
    if not variable.exclusive:
        return chances[:, numbers[0]]
    own = chances[:, numbers]
    if not variable.rest:
        return own
    others = [number for number in range(len(labels)) if number not in set(numbers)]
    return torch.cat([own, torch.logsumexp(chances[:, others], 1, keepdim=True)], 1)
