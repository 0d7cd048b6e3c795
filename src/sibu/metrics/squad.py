"""Answers cut from a text: exact match and F1 as the official scripts of SQuAD and CMRC 2018 count them."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sibu.core.example import is_cjk

Language = Literal["auto", "en", "zh"]
"""``en``: words between blanks, as SQuAD; ``zh``: characters, as CMRC 2018; ``auto``: told from the true answers."""

MOSTLY = 0.75
"""From this share of questions with a Chinese answer on, ``auto`` takes a data set as Chinese throughout."""

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_ASCII_MARKS = str.maketrans("", "", string.punctuation)
# the script's own list; "……" is in it too, but as two characters it never meets one, so ellipses stay
_CHINESE_MARKS = str.maketrans("", "", "-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』")
_HAN = re.compile("([\u4e00-\u9fa5])")


class Answers:
    """Metrics of extracted answers.

    ``exact_match`` and ``f1``: means over questions of the best match with any true answer. With questions that have
    no answer also ``no_answer_accuracy`` (of those, how many were left unanswered) and ``has_answer_f1`` (F1 of the
    others). All in [0, 1]; the last two are NaN where no such question is among the rows asked for.

    Sources: the SQuAD 2.0 script (Rajpurkar et al. 2018), which gives what the 1.1 script gives wherever a true answer
    is more than articles and punctuation; ``cmrc2018_evaluate.py`` (Cui et al. 2019), with SQuAD 2.0's rules for
    questions without an answer, which CMRC has not.

    Args:
        golds: The true answers of each question; none: it has no answer. n of them.
        predicted: The answer given to each, None (or a text of nothing but blanks and marks) for "no answer".
        language: How texts are compared. ``auto``: the Chinese way where a true answer has a Chinese or Japanese
            character, and throughout where ``MOSTLY`` of the answerable questions do; else as SQuAD.

    Raises:
        ValueError: When ``golds`` and ``predicted`` differ in length.
    """

    def __init__(
        self, golds: Sequence[Sequence[str]], predicted: Sequence[str | None], language: Language = "auto"
    ) -> None:
        if len(golds) != len(predicted):
            raise ValueError(f"golds and predicted must be of one length, given {len(golds)} and {len(predicted)}")
        self.n = len(golds)
        ways = _languages(golds, language)
        scores = [score(*each) for each in zip(golds, predicted, ways, strict=True)]
        self.exact_match = np.array([exact for exact, _ in scores], dtype=np.float64)
        """1 where a question's answer is exactly right, else 0. Shape (n,)."""
        self.f1 = np.array([f1 for _, f1 in scores], dtype=np.float64)
        """F1 of each question, in [0, 1]. Shape (n,)."""
        self._answerable = np.array([bool(answers) for answers in golds], dtype=bool)

    def __call__(self, rows: NDArray[np.intp]) -> Mapping[str, float]:
        """Every metric over the questions ``rows`` (at least one)."""
        exact, f1, answerable = self.exact_match[rows], self.f1[rows], self._answerable[rows]
        found = {"exact_match": float(exact.mean()), "f1": float(f1.mean())}
        if not self._answerable.all():
            found["has_answer_f1"] = float(f1[answerable].mean()) if answerable.any() else float("nan")
            found["no_answer_accuracy"] = float(exact[~answerable].mean()) if not answerable.all() else float("nan")
        return found


def score(golds: Sequence[str], predicted: str | None, language: Literal["en", "zh"]) -> tuple[float, float]:
    """Exact match (0 or 1) and F1 (in [0, 1]) of one answer: of each the best over the true answers.

    Args:
        golds: The true answers; those that hold nothing but blanks, marks and articles are passed over, and where none
            is left the right answer is no answer.
        predicted: The answer given; None: no answer.
        language: Which script's way of comparing.
    """
    normal, f1 = (_normal_chinese, _f1_chinese) if language == "zh" else (_normal_english, _f1_english)
    real = [answer for answer in golds if normal(answer).strip()]
    given = predicted or ""
    if not real or not normal(given).strip():
        agree = float(not real and not normal(given).strip())
        return agree, agree
    exact = float(normal(given) in {normal(answer) for answer in real})
    return exact, max(f1(answer, given) for answer in real)


def _languages(golds: Sequence[Sequence[str]], language: Language) -> list[Literal["en", "zh"]]:
    """The way of comparing for each question."""
    if language != "auto":
        return [language] * len(golds)
    chinese = [any(is_cjk(character) for answer in answers for character in answer) for answers in golds]
    # so that a year or a name in Latin letters among Chinese answers is scored as the Chinese script scores it
    if any(chinese) and sum(chinese) >= MOSTLY * sum(bool(answers) for answers in golds):
        return ["zh"] * len(golds)
    return ["zh" if each else "en" for each in chinese]


def _normal_english(text: str) -> str:
    """Lower case without ASCII punctuation, English articles and doubled blanks, in this order."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_ASCII_MARKS)).split())


def _f1_english(gold: str, predicted: str) -> float:
    """F1 of two answers as bags of words, none empty."""
    true, said = _normal_english(gold).split(), _normal_english(predicted).split()
    common = (Counter(true) & Counter(said)).total()
    return 2 * common / (len(true) + len(said))


def _normal_chinese(text: str) -> str:
    """Lower case without surrounding blanks and the marks of the CMRC script; blanks within stay."""
    return text.lower().strip().translate(_CHINESE_MARKS)


def _f1_chinese(gold: str, predicted: str) -> float:
    """F1 by the longest run of characters and words that two answers, none empty, share."""
    true, said = _pieces(gold), _pieces(predicted)
    run = SequenceMatcher(None, true, said, autojunk=False).find_longest_match().size
    return 2 * run / (len(true) + len(said))


def _pieces(text: str) -> list[str]:
    """Each Chinese character by itself, and the words of what stands between."""
    pieces: list[str] = []
    for number, part in enumerate(_HAN.split(_normal_chinese(text))):
        pieces.extend([part] if number % 2 else _words(part))
    return pieces


def _words(text: str) -> list[str]:
    """Words and marks of a stretch without Chinese, near enough to NLTK's ``word_tokenize``, which the script calls.

    Not followed: NLTK's split into sentences, and contractions such as ``gonna``.
    """
    text = re.sub(r"(?<!\.)\.(?=[\])}>\"' ]*$)", " . ", text)
    text = re.sub(r"(\.\.\.|[]\[!?;@#$%&(){}<>\"‘«»–—])", r" \1 ", text)
    text = re.sub(r",(?!\d)", " , ", text)
    text = re.sub(r"('(?:s|m|d|ll|re|ve)?|n't)(?=\s|$)", r" \1", text)
    return text.split()
