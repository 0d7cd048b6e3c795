"""Names in a text to numbers of its pieces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sibu.core.text import Feature, Match, Window
from sibu.phrases import Lexicon, longest

if TYPE_CHECKING:
    from torch import nn


class Gazetteer:
    """See the door plate ``sibu.knowledge.gazetteer``.

    Args:
        lexicon: The names.
        dropout: In [0, 1).
    """

    def __init__(self, lexicon: Lexicon, *, dropout: float) -> None:
        self.lexicon, self.dropout = lexicon, dropout
        self.classes = lexicon.classes
        self._numbers = {name: number for number, name in enumerate(self.classes)}
        self.feature = Feature("gazetteer", "int64", "token", width=len(self.classes))

    def numbers(self, window: Window, found: Sequence[Sequence[Match]]) -> np.ndarray:
        """For each piece and class 0 (nothing stands there), 1 (a name begins) or 2 (it goes on), in one row.

        Args:
            window: A stretch of an encoded text.
            found: Places of names in the text, and in its pair.
        """
        table = np.zeros((len(window.input_ids), len(self.classes)), dtype=np.int64)
        for segment, matches in enumerate(found, 1):
            own = np.asarray(window.segments) == segment
            starts, ends = np.asarray(window.starts), np.asarray(window.ends)
            for number, name in enumerate(self.classes):
                for match in longest(each for each in matches if self._names(each, name)):
                    inside = own & (starts < match.end) & (ends > match.start)
                    table[inside, number] = 2
                    table[inside & (starts <= match.start), number] = 1
        return table.reshape(-1)

    def _names(self, match: Match, name: str) -> bool:
        return any(name in self.lexicon.names[number].classes for number in match.names)

    def module(self, width: int) -> nn.Module:
        """Numbers ``(B, T, C)`` to vectors ``(B, T, H)``; ``width`` is H."""
        from sibu.nn.infusion import Marks

        return Marks(classes=len(self.classes), width=width, dropout=self.dropout)
