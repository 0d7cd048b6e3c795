"""Each reward on answers whose worth can be counted by hand; what cannot be judged is told."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from sibu.core.errors import DataError, RecipeError
from sibu.core.result import Prediction
from sibu.rewards import REWARDS
from sibu.rewards.classifier import ClassifierSpec
from sibu.rewards.length import LengthSpec
from sibu.rewards.overlap import OverlapSpec
from sibu.rewards.regex import RegexSpec
from sibu.rewards.repetition import RepetitionSpec


class Judge:
    """Finds every text as good as it has letters `g`."""

    def __init__(self, kind: str = "classify", *, paired: bool = False) -> None:
        self.kind, self.paired = kind, paired
        self.asked: list[dict[str, Any]] = []

    def about(self, task: str | None) -> tuple[str, bool, Sequence[str]]:
        return self.kind, self.paired, ["bad", "good"] if self.kind == "classify" else []

    def __call__(self, task: str | None, rows: Sequence[dict[str, Any]]) -> list[Prediction]:
        self.asked += rows
        share = [row.get("text_pair", row["text"]).count("g") / 10 for row in rows]
        if self.kind == "regress":
            return [Prediction(10 * each) for each in share]
        return [Prediction("good", each, {"bad": 1 - each, "good": each}) for each in share]


def scores(spec: Any, answers: list[str], rows: list[dict] | None = None, judge: Judge | None = None) -> list[float]:
    reward = REWARDS.of(spec).build(spec, lambda _: judge)
    found = reward(rows or [{"text": "what"}] * len(answers), answers)
    assert found.shape == (len(answers),)
    return np.round(found, 4).tolist()


def test_a_match_is_worth_one() -> None:
    assert scores(RegexSpec(pattern=r"(?i)\bsorry"), ["Sorry!", "so sorry", "unsorry", ""]) == [1, 1, 0, 0]


def test_length_counts_words_and_chinese_characters() -> None:
    spec = LengthSpec(at_least=2, at_most=4)
    assert scores(spec, ["one two", "one", "", "a b c d e f", "一二三四", "一二三四五六七八九"]) == [
        1,
        0.5,
        0,
        0.5,
        1,
        0,
    ]
    with pytest.raises(ValidationError, match="at_least lies above at_most"):
        LengthSpec(at_least=5, at_most=4)


def test_overlap_with_the_best_target_or_the_text() -> None:
    rows = [
        {"text": "a b", "target": ["a b c d", "x"]},
        {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "我 头痛"}]},
    ]
    assert scores(OverlapSpec(metric="rouge1"), ["a b", "头痛"], rows) == [round(4 / 6, 4), 0.8]
    assert scores(OverlapSpec(against="text"), ["a b", "q"], [rows[0], {"messages": rows[1]["messages"][:1]}]) == [1, 1]
    with pytest.raises(DataError, match=r"a row has none\. Say `against: text`"):
        scores(OverlapSpec(), ["a"], [{"text": "a"}])


def test_repetition_costs_its_share() -> None:
    assert scores(RepetitionSpec(), ["a b c d e f", "a b c d a b c d", "short", ""]) == [1, 0.8, 1, 1]


def test_a_bundle_judges_the_answer_or_the_pair() -> None:
    spec = ClassifierSpec(bundle="b", label="good")
    assert scores(spec, ["gg", " ", "ggg"], judge=Judge()) == [0.2, 0, 0.3]
    judge = Judge(paired=True)
    rows = [{"text": "asked"}, {"messages": [{"role": "user", "content": "one"}, {"role": "user", "content": "two"}]}]
    assert scores(spec, ["g", "g"], rows, judge) == [0.1, 0.1]
    assert [row["text"] for row in judge.asked] == ["asked", "two"]
    assert scores(ClassifierSpec(bundle="b"), ["ggg"], judge=Judge("regress")) == [3]


@pytest.mark.parametrize(
    ("spec", "kind", "said"),
    [
        ({"label": "goood"}, "classify", r"given 'goood'. Did you mean 'good'\? Allowed: bad, good."),
        ({}, "classify", "no label was given. Allowed: bad, good."),
        ({"label": "good"}, "regress", "gives numbers and has no label 'good'. Leave `label` out."),
        ({"label": "good"}, "tag", "is of `tag`; a judge is of `classify` or `regress`."),
    ],
)
def test_a_bundle_that_cannot_judge_is_told(spec: dict, kind: str, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        scores(ClassifierSpec(bundle="b", **spec), ["x"], judge=Judge(kind))


def test_an_expression_that_cannot_be_read_is_told() -> None:
    with pytest.raises(ValidationError, match="is no regular expression"):
        RegexSpec(pattern="(")
