"""What a modality beside texts owes: a row's own value to arrays, and arrays to vectors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from sibu.core.columns import Column
from sibu.core.example import Row
from sibu.core.protocols import Features, Found, State
from sibu.core.text import Feature

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from torch import nn


class ValueModality(Protocol):
    """What makes arrays of a row's own value: a picture, a recording, a table's row, a stream of readings.

    Tasks know nothing of it. It is told of the training rows once (``learn``), and what it learned is kept in the
    bundle (``state``). It may also have, and is asked for where it has it:

    - ``places`` (an int), ``stride`` (places in time that its encoder makes one), or ``cost(arrays)``: how many places
      a value takes, by which batches are planned;
    - ``remarks()``: faults of the training values as a whole, such as a column that never changes;
    - ``strays(values)``: columns that a few values keep from what all others are, with the first row of them;
    - ``readable(value)``: the value without its parts that cannot be read, with which a gate goes on and of which
      ``check`` tells; ``arrays`` of the whole value refuses it;
    - ``suspects(values, targets)``: columns that alone tell the targets, with how well;
    - ``looks(arrays)``: 64 bits that are near for values that show the same;
    - ``raw(value)``: what is in a value before arrays are made of it (a recording, a stream, pixels), whole. Alignments
      work on that, and ``arrays`` takes it as it takes the value itself.
    """

    field: str
    """Its column, and its name among the encoders."""
    column: Column
    """What it reads of a file."""
    features: tuple[Feature, ...]
    """The arrays that ``arrays`` gives. A feature by token has one entry a place in time; the first by token says how
    many places a value has. Those by window have the same length for each value."""
    key: str
    """Equal for two that give the same arrays."""
    state: State
    """What it learned of its training values; JSON only."""

    def learn(self, values: Iterable[Any]) -> None:
        """Look at the training rows' values (those that are there) before any array is made.

        Raises:
            DataError: When nothing can be learned of them: what is wrong with the first.
        """
        ...

    def arrays(self, value: Any) -> Features:
        """Decode one value.

        Raises:
            DataError: When it cannot be read: what was given, what is allowed.
        """
        ...

    def check(self, value: Any, arrays: Features) -> Iterator[Found]:
        """Faults of a value that can be read, such as a recording that is silent."""
        ...

    def noised(self, arrays: Features, draw: np.random.Generator) -> Features:
        """The arrays with noise as strong as what they hold (0 dB)."""
        ...

    def encoder(self) -> nn.Module:
        """A module: the batch's tensors of this modality to ``Encoded``; a ``ValueEncoder``."""
        ...


class Alignment(Protocol):
    """What brings values of one row into line with each other, before arrays are made of them.

    A row may lack any of them, and what cannot be aligned is left out of it: ``fit`` says why.
    """

    reads: tuple[str, ...]
    """The modalities that it looks at."""
    moves: tuple[str, ...]
    """Those that it changes."""
    columns: tuple[Column, ...]
    """What else it reads of a row."""
    features: tuple[Feature, ...]
    """What ``fit`` finds, as numbers."""
    warn: float
    """The quality below which the gate warns."""
    key: str
    """Equal for two that find the same."""

    def fit(self, row: Row, raw: Mapping[str, Any]) -> tuple[Features, Mapping[str, str]]:
        """How the values of a row lie to each other; and of those that cannot be aligned why.

        Args:
            row: The row, with its ``columns``.
            raw: What is in those of its values that can be read.
        """
        ...

    def laid(self, name: str, raw: Any, found: Features) -> Any:
        """A value as the fit has it; None where it is left out."""
        ...

    def told(self, found: Features) -> list[dict[str, Any]]:
        """What was found, for people: a mapping a value that was aligned.

        Its keys: ``of``, ``with``, ``quality`` (0 to 1), and the figures of its kind.
        """
        ...

    def doubt(self, told: Mapping[str, Any]) -> tuple[str, str]:
        """Of a value of low quality what the figures mean, or nothing, and what to do."""
        ...

    def remarks(self, found: Features) -> list[tuple[str, str, str]]:
        """What the gate warns of beside a low quality: the kind, what is so, and what to do."""
        ...


class ValueEncoder(Protocol):
    """A module of torch: a batch's tensors of one modality to ``Encoded``.

    It is called with ``{feature: tensor}``: by window ``(B, K)``, by token ``(B, T, width)`` (of width 1 ``(B, T)``),
    padded; and with ``mask``, (B, T) or, where no feature is by token, ``(B, 1)``. A feature by token whose length is
    not the first one's has a mask of its own, ``<feature>_mask``. Every row has a value: rows without one are left out
    before. Where ``hidden`` (B, T, D) stands among the tensors, it was computed before and is handed on.
    """

    width: int
    """D, of its vectors."""
    pretrained: bool
    """Whether ``model`` is saved as a model folder of its own (``save``); else all its weights are with the heads."""
    model: Any
    """What adaptation methods change."""

    def layers(self) -> Sequence[nn.Module]:
        """Its layers, lowest first."""
        ...

    def stem(self) -> list[nn.Parameter]:
        """Weights below the lowest layer."""
        ...

    def added(self) -> list[nn.Parameter]:
        """Weights that are not the pretrained model's; they train with every method."""
        ...

    def save(self, folder: Path) -> None:
        """Write a pretrained model's folder (``config.json``, ``model.safetensors``, how values are prepared)."""
        ...
