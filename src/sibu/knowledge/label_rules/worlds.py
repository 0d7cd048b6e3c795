"""Which labels may stand together: all ways in which a few rules hold, written out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from sibu.knowledge.label_rules.text import Formula, Says, atoms, holds

MOST = 4096
"""Ways of answering that are written out; with more, rules are learned one by one."""


@dataclass(frozen=True, slots=True)
class Variable:
    """What one of the labels, or the one label of a task, is."""

    task: str
    labels: tuple[str, ...]
    """Of a task with one label those that rules speak of; of another the one that may hold or not."""
    exclusive: bool
    rest: bool = False
    """Of a task with one label: whether there are others than these."""

    @property
    def values(self) -> int:
        """How many it has: a label each and the rest; or not holding and holding."""
        return len(self.labels) + self.rest if self.exclusive else 2

    def says(self, value: int, label: str) -> bool:
        """Whether a label holds by a value."""
        if self.exclusive:
            return value < len(self.labels) and self.labels[value] == label
        return bool(value)


@dataclass(frozen=True, slots=True)
class Worlds:
    """The ways in which rules hold."""

    variables: Sequence[Variable]
    chosen: np.ndarray
    """The values of each way. Shape ``(W, V)``."""
    all: int
    """How many ways there are with those in which a rule is broken."""


def variables_of(
    formulas: Sequence[Formula], labels: Mapping[str, Sequence[str]], exclusive: Mapping[str, bool]
) -> list[Variable]:
    """What rules speak of."""
    spoken: dict[str, dict[str, None]] = {}
    for formula in formulas:
        for atom in atoms(formula):
            spoken.setdefault(atom.task, {})[atom.label] = None
    found = []
    for task, own in spoken.items():
        if exclusive[task]:
            found.append(Variable(task, tuple(own), exclusive=True, rest=len(own) < len(labels[task])))
        else:
            found += [Variable(task, (label,), exclusive=False) for label in own]
    return found


def worlds_of(formulas: Sequence[Formula], variables: Sequence[Variable]) -> Worlds | None:
    """All ways in which rules hold together; None where there are too many to write out."""
    total = prod(variable.values for variable in variables)
    if total > MOST:
        return None
    places = {(variable.task, label): place for place, variable in enumerate(variables) for label in variable.labels}
    chosen = []
    for values in product(*(range(variable.values) for variable in variables)):

        def said(atom: Says, values: tuple[int, ...] = values) -> bool:
            place = places[atom.task, atom.label]
            return variables[place].says(values[place], atom.label)

        if all(holds(formula, said) for formula in formulas):
            chosen.append(values)
    return Worlds(variables, np.array(chosen, dtype=np.int64).reshape(len(chosen), len(variables)), total)


def joined(formulas: Sequence[Formula], exclusive: Mapping[str, bool]) -> list[list[int]]:
    """The rules by number, in groups that have nothing in common of what a model holds to be independent.

    That is the tasks, and of a task whose labels hold each by itself also its labels.
    """
    groups: list[tuple[set[tuple[str, str]], list[int]]] = []
    for number, formula in enumerate(formulas):
        own = {(atom.task, "" if exclusive[atom.task] else atom.label) for atom in atoms(formula)}
        numbers, apart = [number], []
        for known, others in groups:
            if known & own:
                own |= known
                numbers += others
            else:
                apart.append((known, others))
        groups = [*apart, (own, sorted(numbers))]
    return [numbers for _, numbers in groups]
