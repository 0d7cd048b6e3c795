"""Arrays to which rows are added at the end."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


class Growing:
    """One column that grows: room is doubled, so that adding costs the same for each row in the long run.

    Args:
        dtype: Type of its numbers.
        values: What it starts with.
    """

    __slots__ = ("_room", "view")

    def __init__(self, dtype: npt.DTypeLike, values: npt.NDArray[Any] | None = None) -> None:
        self._room = np.empty(0, dtype) if values is None else np.asarray(values, dtype)
        self.view: npt.NDArray[Any] = self._room
        """What is in it. A view taken earlier keeps its length, and its numbers unless they are written over."""

    def __len__(self) -> int:
        return len(self.view)

    def extend(self, values: npt.NDArray[Any]) -> None:
        """Add numbers at the end."""
        size = len(self.view)
        end = size + len(values)
        if end > len(self._room):
            room = np.empty(max(end, len(self._room) * 3 // 2, 16), self._room.dtype)
            room[:size] = self.view
            self._room = room
        self._room[size:end] = values
        self.view = self._room[:end]

    def fill(self, value: float, count: int) -> None:
        """Add one number many times."""
        self.extend(np.broadcast_to(np.asarray(value, self._room.dtype), (count,)))

    def replace(self, values: npt.NDArray[Any]) -> None:
        """Hold these numbers instead."""
        self._room = self.view = np.asarray(values, self._room.dtype)
