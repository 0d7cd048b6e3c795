"""The words of the training rows, and which of them lie near each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from sibu.augmenters._words import ByWords, content, like, parts_of, some
from sibu.core.example import Row, is_cjk

if TYPE_CHECKING:
    from sibu.augmenters._words import Cut
    from sibu.models.sources import Source

MOST = 20_000
"""Words that are compared with each other, the most frequent ones."""
SAME = 1 - 1e-5
"""From this similarity on two words are one to the model: they have the same pieces."""
BLOCK = 1024

Vectors = Callable[[Sequence[str]], np.ndarray]
"""Words to their vectors ``(V, D)``; zeros for a word that the model does not know."""


class Neighbours(ByWords):
    """Puts words of the training rows in the place of others that are near.

    Args:
        vectors: Gives the vectors of words.
        share: Of a text's words; at least one.
        candidates: The nearest words, of which one is drawn.
        least: The least cosine similarity.
        cut: Finds the words of a text.
    """

    def __init__(self, vectors: Vectors, *, share: float, candidates: int, least: float, cut: Cut) -> None:
        super().__init__(self._changed, cut)
        self._vectors = vectors
        self._share, self._candidates, self._least = share, candidates, least
        self._near: Mapping[str, Sequence[str]] = {}

    def learn(self, rows: Iterable[Row]) -> None:
        """Note the words of all rows, but those that are marked anywhere, and which of them are near each other."""
        words = vocabulary(rows, self._cut)
        self._near = nearest(words, self._vectors(list(words.values())), self._candidates, self._least)

    def _changed(self, words: Sequence[str], free: Sequence[bool], draw: Random) -> Mapping[int, str]:
        may = [number for number, own in enumerate(free) if own and words[number].casefold() in self._near]
        return {
            number: like(draw.choice(self._near[words[number].casefold()]), words[number])
            for number in some(len(words), self._share, may, draw)
        }


def vocabulary(rows: Iterable[Row], cut: Cut) -> dict[str, str]:
    """The words of rows that stand for something, the most frequent first: case-folded, and as they are written.

    How a word is written at the beginning of a text tells nothing of it: it is small where no other place says else.
    """
    counts, forms = Counter[str](), dict[str, Counter[str]]()
    marked: set[str] = set()
    for row in rows:
        for part in parts_of(row, cut):
            for place, (word, free) in enumerate(zip(part.words, part.free, strict=True)):
                key = word.casefold()
                if not free:
                    marked.add(key)
                elif content(word):
                    counts[key] += 1
                    forms.setdefault(key, Counter())[word if place else word.lower()] += place > 0
    kept = sorted((key for key in counts if key not in marked), key=lambda key: (-counts[key], key))[:MOST]
    return {key: max(forms[key].items(), key=lambda item: _rank(*item))[0] for key in kept}


def _rank(form: str, count: int) -> tuple[bool, bool, int, str]:
    """What is seen within texts before what is not; small letters before others; then the most frequent."""
    return count > 0, form == form.lower(), count, form


def nearest(words: Mapping[str, str], vectors: np.ndarray, count: int, least: float) -> dict[str, tuple[str, ...]]:
    """Of each word the nearest others, nearest first; words that have none are left out.

    Args:
        words: Case-folded, and as they are written.
        vectors: Theirs. Shape ``(V, D)``.
        count: Most neighbours of a word.
        least: The least cosine similarity.
    """
    sizes = np.linalg.norm(vectors, axis=1)
    known = np.flatnonzero(sizes > 0)
    keys, written = [list(words)[n] for n in known], [list(words.values())[n] for n in known]
    unit = vectors[known] / sizes[known, None]
    chinese = np.array([is_cjk(key[0]) for key in keys])
    found: dict[str, tuple[str, ...]] = {}
    for begin in range(0, len(keys), BLOCK):
        alike = unit[begin : begin + BLOCK] @ unit.T
        alike[alike >= SAME] = -2  # the word itself is one of them
        alike[chinese[begin : begin + BLOCK, None] != chinese] = -2  # a model of many languages has both words of one
        best = np.argpartition(-alike, min(count, len(keys) - 1), axis=1)[:, :count]
        for own, places in enumerate(best):
            order = sorted(places, key=lambda place: (-alike[own, place], place))
            near = tuple(written[place] for place in order if alike[own, place] >= least)
            if near:
                found[keys[begin + own]] = near
    return found


def vectors_of(source: Source, words: Sequence[str]) -> np.ndarray:
    """The mean of the input vectors of each word's pieces, less the mean of all pieces' vectors.

    Args:
        source: The model.
        words: The words.

    Returns:
        Shape ``(V, D)``; zeros for a word of which a piece is unknown.
    """
    from sibu.augmenters._hf import SPACES, load

    loaded = load(source, "vectors")
    matrix = loaded.model.get_input_embeddings().weight.detach().float().cpu().numpy()
    centre = matrix.mean(0)
    found = np.zeros((len(words), matrix.shape[1]), np.float32)
    tokenizer = loaded.tokenizer
    empty = {tokenizer.convert_tokens_to_ids(piece) for piece in SPACES} - {None}
    unknown = tokenizer.unk_token_id
    empty.discard(unknown)
    for number, word in enumerate(words):
        said = word if is_cjk(word[0]) else f" {word}"  # within a text a blank stands before it
        pieces = [n for n in tokenizer(said, add_special_tokens=False)["input_ids"] if n not in empty]
        if pieces and unknown not in pieces:
            found[number] = matrix[pieces].mean(0) - centre
    return found
