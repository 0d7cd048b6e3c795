"""What knowledge and models say to each other: of pieces of a text, beside a text, over labels."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sibu.core.example import Row
from sibu.core.protocols import Task, WindowOutput
from sibu.core.result import Prediction
from sibu.core.text import Feature, Match, Window

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn

    from sibu.core.tensors import Output


@dataclass(frozen=True, slots=True)
class Told:
    """A fact in words."""

    words: str
    fact: Mapping[str, Any]
    """What it is and whence, as evidence: ``fact``, ``sources``."""


@dataclass(frozen=True, slots=True)
class Obeyed:
    """What rules made of the answers to a row."""

    decided: Mapping[str, Mapping[str, bool]]
    """By task, which labels must hold in its answer and which must not."""
    broken: Sequence[str]
    """The rules that the answers of each task alone break."""


class PieceKnowledge(Protocol):
    """What is known of the pieces of a text."""

    feature: Feature
    """The array that ``numbers`` gives for each window."""

    def numbers(self, window: Window, found: Sequence[Sequence[Match]]) -> np.ndarray:
        """What is known of each piece of a window, as numbers.

        Args:
            window: A stretch of an encoded text.
            found: Places of known names in the text, and in its pair.
        """
        ...

    def module(self, width: int) -> nn.Module:
        """What makes vectors ``(B, T, width)`` of the numbers."""
        ...


class ContextKnowledge(Protocol):
    """Facts in words, to be read beside a text."""

    budget: int
    """Most pieces that they may take."""

    def about(self, found: Sequence[Match], text: str) -> Sequence[Told]:
        """The facts of what is named in a text, those first that matter most.

        Args:
            found: Places of known names.
            text: What is read, or asked.
        """
        ...


class LabelKnowledge(Protocol):
    """Rules over the labels of tasks."""

    @property
    def texts(self) -> Sequence[str]:
        """As they are written."""
        ...

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks that they speak of."""
        ...

    def penalty(self, chances: Mapping[str, Tensor]) -> Tensor | None:
        """How far the answers to a batch break them, a scalar; None: no rule can be told of what is given.

        Args:
            chances: By task, its ``RuledTask.log_chances``.
        """
        ...

    def obeyed(self, options: Mapping[str, Ways]) -> Obeyed | None:
        """The likeliest answers of the tasks together that break no rule; None where those of each alone break none."""
        ...

    def broken(self, held: Mapping[str, Collection[str]]) -> Sequence[str]:
        """The rules that speak of these tasks alone and that the labels of these break."""
        ...

    def with_task(self, name: str) -> Collection[str]:
        """The tasks whose answers may bear on this one's, itself among them; none where no rule speaks of it."""
        ...


class Ways(Protocol):
    """Which labels of a task may hold together, and how likely that is."""

    def best(self, decided: Mapping[str, bool]) -> tuple[float, frozenset[str]] | None:
        """The best answer in which some labels hold and others do not: its log probability, and all labels that hold.

        None where there is no such answer.
        """
        ...


class Options(Ways, Protocol):
    """What a task may answer to one row."""

    def prediction(self, decided: Mapping[str, bool]) -> Prediction:
        """That answer."""
        ...


class RuledTask(Task, Protocol):
    """A task whose labels rules can speak of."""

    exclusive: bool
    """Whether exactly one label holds."""

    @property
    def ruled(self) -> Sequence[str]:
        """The labels, in order."""
        ...

    def held(self, row: Row) -> frozenset[str]:
        """The labels that hold by the row's own target."""
        ...

    def log_chances(self, output: Output, targets: Mapping[str, Tensor]) -> Tensor | None:
        """Log probabilities of the labels, ``(B, C)``; where several may hold, of each not holding and holding.

        The latter is of shape ``(B, C, 2)``.

        None where they cannot be told of this batch.
        """
        ...

    def options(self, row: Row, answers: Sequence[Sequence[WindowOutput]]) -> Options:
        """What may be answered."""
        ...
