"""Answers within a grammar: before each piece, what the grammar does not allow next is ruled out. By llguidance."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from sibu.core.grammar import Grammar

if TYPE_CHECKING:
    from tokenizers import Tokenizer

HASTE = 24
"""Pieces before the limit from which on JSON is led to its end; a third of the limit, where that is more."""
SIGNS = "".join(map(chr, range(33, 127))) + "\n。！？）」』】》"
"""What may be the last sign of an answer that has a form."""


class Bounds:
    """Grammars over the pieces of one tokenizer.

    Args:
        tokenizer: Of the model.
        size: How many scores the model gives.
        ends: Pieces at which an answer ends.
    """

    def __init__(self, tokenizer: Tokenizer, *, size: int, ends: Sequence[int]) -> None:
        from llguidance import LLTokenizer

        self.size = size
        self.ends = list(ends)
        self.pieces = LLTokenizer(tokenizer.to_str(), n_vocab=size, eos_token=self.ends)
        self.quote, self.letter, *self.closing = (self.pieces.tokenize_str(sign)[-1] for sign in '"x]},')
        cut = (self.pieces.tokenize_str(sign) for sign in SIGNS)
        self.signs = [pieces[0] for pieces in cut if len(pieces) == 1]

    def fault(self, grammar: Grammar) -> str:
        """Why a grammar cannot be read or no answer fits it, in llguidance's words; empty where all is well."""
        from llguidance import LLMatcher

        wrong, messages = LLMatcher.validate_grammar_with_warnings(grammar, self.pieces)
        return " ".join(messages[0].split()) + "." if wrong else ""

    def keeps(self, grammar: Grammar, pieces: Sequence[int]) -> bool:
        """Whether a whole answer keeps to a grammar: asked again of what was written, from its beginning."""
        from llguidance import LLMatcher

        matcher = LLMatcher(self.pieces, grammar)
        return bool((not pieces or matcher.consume_tokens(list(pieces))) and matcher.is_accepting())

    def whole(self, grammar: Grammar, pieces: Sequence[int]) -> int:
        """How many of an answer's first pieces make a whole one, the most that do; 0: none."""
        from llguidance import LLMatcher

        matcher, most = LLMatcher(self.pieces, grammar), 0
        for count, piece in enumerate(pieces, 1):
            if matcher.is_stopped() or not matcher.consume_token(piece):
                break
            if matcher.is_accepting():
                most = count
        return most

    def last(self, matcher: Any, may: np.ndarray) -> int | None:
        """A sign, of those that may come, behind which the answer may end; None where there is none."""
        for sign in self.signs:
            if may[sign] and matcher.consume_token(sign):
                ends = matcher.is_accepting()
                matcher.rollback(1)
                if ends:
                    return sign
        return None

    def towards_end(self, may: np.ndarray) -> int | None:
        """The piece that closes what is open in JSON, of those that may come; None where nothing is to be closed.

        Inside a string, where letters may come too, its quote; elsewhere a bracket, or the comma before what must come.
        """
        order = [self.quote, *self.closing] if may[self.letter] else [*self.closing, self.quote]
        return next((piece for piece in order if may[piece]), None)

    def of(self, grammars: Sequence[Grammar], *, begun: int, limit: int) -> Bounded:
        """What keeps a batch within bounds.

        Args:
            grammars: One for each row.
            begun: Where the answers begin in what is decoded.
            limit: Most pieces of an answer.
        """
        return Bounded(self, grammars, begun=begun, limit=limit)


class Bounded:
    """Rules out scores, as transformers' processors do; rows may leave the batch, and beams change places."""

    def __init__(self, bounds: Bounds, grammars: Sequence[Grammar], *, begun: int, limit: int) -> None:
        self.rows: Tensor | None = None
        """The number of each row that is still written; None: rows in their order, with as many beams each."""
        self._bounds = bounds
        self._grammars = grammars
        self._begun = begun
        self._limit = limit
        self._known: dict[int, tuple[Any, list[int]]] = {}
        self._each: int | None = None
        """How many answers each grammar bounds."""
        haste = max(HASTE, limit // 3)
        self._haste = [haste if _of_json(grammar) else 1 for grammar in grammars]
        """Pieces before the limit from which on an answer to each grammar ends as soon as it may."""

    def __call__(self, ids: Tensor, scores: Tensor) -> Tensor:
        """Scores with minus infinity for what must not come next. Shapes ``(B, T)`` and ``(B, V)``."""
        written = ids[:, self._begun :].tolist()
        if self._each is None:  # at first all are there
            self._each = max(len(written) // len(self._grammars), 1)
        allowed = np.zeros((len(written), scores.shape[1]), dtype=bool)
        for place, own in enumerate(written):
            slot = place if self.rows is None else int(self.rows[place])
            allowed[place, : self._bounds.size] = self._next(slot, slot // self._each, own)
        return scores.masked_fill(torch.from_numpy(~allowed).to(scores.device), -torch.inf)

    def _next(self, slot: int, row: int, own: list[int]) -> np.ndarray:
        """Which pieces may follow what was written."""
        from llguidance import LLMatcher

        if slot not in self._known:
            self._known[slot] = (LLMatcher(self._bounds.pieces, self._grammars[row]), [])
        matcher, before = self._known[slot]
        same = next(
            (n for n, (a, b) in enumerate(zip(before, own, strict=False)) if a != b), min(len(before), len(own))
        )
        if len(before) > same:
            matcher.rollback(len(before) - same)
        ended = [n for n, piece in enumerate(own) if piece in self._bounds.ends]
        rest = own[same : ended[0]] if ended else own[same:]
        if rest:
            matcher.consume_tokens(rest)
        self._known[slot] = (matcher, own[: same + len(rest)])
        if ended or matcher.is_stopped():  # stopped by an error too: `keeps` tells such an answer from a whole one
            return self._only_ends()
        bits = np.unpackbits(np.frombuffer(matcher.compute_bitmask(), np.uint8), bitorder="little")
        may: np.ndarray = bits[: self._bounds.size].astype(bool)
        left, haste = self._limit - len(own), self._haste[row]
        if left > max(haste, 2):
            return may if may.any() else self._only_ends()
        if matcher.is_accepting():
            return self._only_ends() if left <= haste else may
        piece = self._bounds.towards_end(may) if haste > 1 else None
        if piece is None and left <= 2:
            piece = self._bounds.last(matcher, may)
        return self._only([piece]) if piece is not None else may if may.any() else self._only_ends()

    def _only_ends(self) -> np.ndarray:
        return self._only(self._bounds.ends)

    def _only(self, pieces: Sequence[int]) -> np.ndarray:
        found = np.zeros(self._bounds.size, dtype=bool)
        found[list(pieces)] = True
        return found


@lru_cache(maxsize=64)
def _of_json(grammar: Grammar) -> bool:
    """Whether a grammar is a JSON schema, where what is open is to be closed in time."""
    return grammar[:1] == "{" and any(each["json_schema"] is not None for each in json.loads(grammar)["grammars"])
