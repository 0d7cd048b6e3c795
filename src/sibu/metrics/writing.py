"""Written answers against right ones: BLEU, chrF (by sacreBLEU), ROUGE, exact match, perplexity, length, repetition."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sibu.core.example import is_cjk

MOSTLY = 0.5
"""From this share of Chinese or Japanese letters in the right answers on, BLEU splits characters."""
RUN = 4
"""Words of a run that counts as repeated where it comes twice."""
_WORD = re.compile(r"\w+")

Floats = NDArray[np.float64]


class Written:
    """Metrics of texts that a model wrote.

    All are in [0, 1] but ``perplexity`` (from 1) and ``length_ratio`` (from 0):

    * ``perplexity``: of the right answers, over all their pieces; of models with one tokenizer it may be compared.
    * ``bleu``, ``chrf``: of the whole set, as sacreBLEU counts them (13a; Chinese by characters), divided by 100.
      Sources: Papineni et al., 2002; Popović, 2015; Post, 2018, arXiv:1804.08771.
    * ``rouge1``, ``rouge2``, ``rougeL``: mean F1 over texts, without stemming; of several right answers the best one
      counts. A Chinese or Japanese character is a word. Source: Lin, 2004.
    * ``exact_match``: equal to a right answer but for blanks at its ends and runs of them.
    * ``length_ratio``: words written to words of the (first) right answers.
    * ``repetition``: share of the runs of four words that their text had before.
    * ``reward``: mean of what the recipe's reward gave; its bounds are the reward's.

    Args:
        golds: The right answers of each example, at least one. n of them; None: nobody knows any, and only the reward
            and the repetition of the texts are told.
        texts: What was written to each; None: nothing was to be, and only the perplexity is told.
        losses: Sum of the negative log probabilities of each (first) right answer, and its number of pieces. Shape
            ``(n, 2)``; None: not known, and no perplexity is told.
        rewards: What the recipe's reward gave each answer. Shape ``(n,)``; None: it has none.
    """

    def __init__(
        self,
        golds: Sequence[Sequence[str]] | None,
        texts: Sequence[str] | None,
        losses: Floats | None = None,
        rewards: Floats | None = None,
    ) -> None:
        self.n = len(texts or () if golds is None else golds)
        self._losses = losses
        self._rewards = rewards
        self._texts, self._golds = texts is not None, golds is not None
        if texts is None:
            return
        written = [words(text) for text in texts]
        self._runs = np.array([repeated(own) for own in written], np.float64).reshape(self.n, 2)
        if golds is None:
            return
        self._bleu, self._chrf = _sacrebleu(golds, texts)
        right = [[words(gold) for gold in each] for each in golds]
        self.rouge = np.array(
            [np.max([rouge(own, gold) for gold in each], 0) for own, each in zip(written, right, strict=True)]
        ).reshape(self.n, 3)
        """ROUGE-1, ROUGE-2 and ROUGE-L of each example. Shape (n, 3)."""
        spaced = [" ".join(text.split()) for text in texts]
        self.exact = np.array(
            [own in {" ".join(g.split()) for g in each} for own, each in zip(spaced, golds, strict=True)], np.float64
        )
        """1 where an answer is exactly right. Shape (n,)."""
        self._lengths = np.array([[len(w), len(r[0])] for w, r in zip(written, right, strict=True)], np.float64)

    def __call__(self, rows: NDArray[np.intp]) -> Mapping[str, float]:
        """Every metric over the examples ``rows`` (at least one)."""
        found: dict[str, float] = {}
        if self._losses is not None:
            total, pieces = self._losses[rows].sum(0)
            found["perplexity"] = float(np.exp(min(total / pieces, 700.0))) if pieces else float("nan")
        if self._rewards is not None:
            found["reward"] = float(self._rewards[rows].mean())
        if not self._texts:
            return found
        again, runs = self._runs[rows].sum(0)
        if self._golds:
            found |= {"bleu": self._bleu(rows), "chrf": self._chrf(rows)}
            found |= dict(zip(("rouge1", "rouge2", "rougeL"), self.rouge[rows].mean(0).tolist(), strict=True))
            written, right = self._lengths[rows].sum(0)
            found["exact_match"] = float(self.exact[rows].mean())
            found["length_ratio"] = float(written / right) if right else float("nan")
        found["repetition"] = float(again / runs) if runs else 0.0
        return found


class _Corpus:
    """A metric of sacreBLEU over any choice of examples: their counts are taken once, and added up."""

    def __init__(self, metric: Any, texts: Sequence[str], golds: Sequence[Sequence[str]]) -> None:
        most = max(len(each) for each in golds)
        streams = [[each[place] if place < len(each) else None for each in golds] for place in range(most)]
        self._metric = metric
        self._counts = np.array(metric._extract_corpus_statistics(list(texts), streams), np.float64)

    def __call__(self, rows: NDArray[np.intp]) -> float:
        """The metric over the examples ``rows``, in [0, 1]."""
        found = float(self._metric._compute_score_from_stats(self._counts[rows].sum(0).tolist()).score) / 100
        return min(found, 1.0)  # a sum of logarithms that should be 0 is not always


def _sacrebleu(golds: Sequence[Sequence[str]], texts: Sequence[str]) -> tuple[_Corpus, _Corpus]:
    from sacrebleu.metrics import BLEU, CHRF

    letters = [letter for each in golds for letter in each[0] if letter.isalpha()]
    chinese = sum(map(is_cjk, letters)) >= MOSTLY * max(len(letters), 1)
    return _Corpus(BLEU(tokenize="zh" if chinese else "13a"), texts, golds), _Corpus(CHRF(), texts, golds)


def words(text: str) -> list[str]:
    """Lower-case words; each Chinese or Japanese character is one."""
    spaced = "".join(f" {letter} " if is_cjk(letter) else letter for letter in text.lower())
    return [word for part in _WORD.findall(spaced) for word in part.split("_") if word]


def rouge(written: Sequence[str], gold: Sequence[str]) -> tuple[float, float, float]:
    """F1 of ROUGE-1, ROUGE-2 and ROUGE-L (longest common subsequence), each in [0, 1].

    Args:
        written: Words of a text.
        gold: Words of the right one.
    """
    pairs = [list(pairwise(words)) for words in (written, gold)]
    common = _common(written, gold)
    return (
        _f1(_shared(written, gold), len(written), len(gold)),
        _f1(_shared(*pairs), len(pairs[0]), len(pairs[1])),
        _f1(common, len(written), len(gold)),
    )


def _shared(one: Sequence[Any], other: Sequence[Any]) -> int:
    return (Counter(one) & Counter(other)).total()


def _f1(hits: int, written: int, gold: int) -> float:
    return 2 * hits / (written + gold) if hits else 0.0


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Length of the longest common subsequence, by the bits of whole numbers. Source: Hyyrö, 2004."""
    places: dict[str, int] = {}
    for place, word in enumerate(one):
        places[word] = places.get(word, 0) | 1 << place
    full = (1 << len(one)) - 1
    state = full
    for word in other:
        hits = state & places.get(word, 0)
        state = (state + hits | state - hits) & full
    return len(one) - state.bit_count()


def repeated(words: Sequence[str]) -> tuple[int, int]:
    """How many runs of words came before in their text, and how many there are."""
    runs = [tuple(words[place : place + RUN]) for place in range(len(words) - RUN + 1)]
    return len(runs) - len(set(runs)), len(runs)
