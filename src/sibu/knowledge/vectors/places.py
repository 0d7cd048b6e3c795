"""Things named in a text to numbers of its pieces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sibu.core.text import Feature, Match, Window
from sibu.phrases import Lexicon, longest

if TYPE_CHECKING:
    from torch import nn


class Things:
    """See the door plate ``sibu.knowledge.vectors``.

    Args:
        lexicon: The names.
        entities: IRIs of the things that have a vector.
        table: Their vectors, in that order. Shape ``(E, V)``, float32.
        dropout: In [0, 1).
    """

    def __init__(self, lexicon: Lexicon, entities: Sequence[str], table: np.ndarray, *, dropout: float) -> None:
        self.dropout = dropout
        known = {iri: number for number, iri in enumerate(entities)}
        self._things = [known.get(name.entity, -1) for name in lexicon.names]
        self.feature = Feature("vectors", "int64", "token")
        several = {tuple(sorted({self._things[number] for number in own} - {-1})) for own in lexicon.groups()}
        ordered = sorted(each for each in several if each)
        self._rows = {each: number for number, each in enumerate(ordered, 1)}
        self.table = np.stack([table[list(each)].mean(0) for each in ordered]) if ordered else table[:1] * 0
        """A vector for each set of things that some name means. Shape ``(S, V)``."""

    def numbers(self, window: Window, found: Sequence[Sequence[Match]]) -> np.ndarray:
        """For each piece the number of what is named there, from 1, or 0. Args as ``Gazetteer.numbers`` has them."""
        table = np.zeros(len(window.input_ids), dtype=np.int64)
        for segment, matches in enumerate(found, 1):
            own = np.asarray(window.segments) == segment
            starts, ends = np.asarray(window.starts), np.asarray(window.ends)
            for match in longest(each for each in matches if self._row(each)):
                table[own & (starts < match.end) & (ends > match.start)] = self._row(match)
        return table

    def _row(self, match: Match) -> int:
        return self._rows.get(tuple(sorted({self._things[number] for number in match.names} - {-1})), 0)

    def module(self, width: int) -> nn.Module:
        """Numbers ``(B, T)`` to vectors ``(B, T, H)``; ``width`` is H."""
        import torch

        from sibu.nn.infusion import Entities

        return Entities(torch.from_numpy(self.table.astype(np.float32)), width=width, dropout=self.dropout)
