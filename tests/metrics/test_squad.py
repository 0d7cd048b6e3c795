"""Answers are compared as the scripts of SQuAD and CMRC 2018 compare them."""

import re
import string
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sibu.metrics.bootstrap import bootstrap, values
from sibu.metrics.squad import Answers, score


@pytest.mark.parametrize(
    ("gold", "predicted", "exact", "f1"),
    [
        ("Denver Broncos", "denver broncos", 1, 1),
        ("The Denver Broncos", "Denver Broncos.", 1, 1),
        ("Denver Broncos", "the  Denver\tBroncos", 1, 1),
        ("U.S.", "US", 1, 1),
        ("well-known", "wellknown", 1, 1),
        ("well-known", "well known", 0, 0),
        ("another", "other", 0, 0),  # articles are whole words
        ("soothe", "soo", 0, 0),
        ("1,000", "1000", 1, 1),
        ("Denver Broncos", "Broncos", 0, 2 / 3),
        ("in the year 1990", "1990", 0, 0.5),
        ("one one two", "one two two", 0, 2 / 3),  # a bag, not a set
        ("Paris", "London", 0, 0),
        ("Paris", "", 0, 0),
        ("Paris", None, 0, 0),
        ("Paris", "the", 0, 0),
        ("“Paris”", "Paris", 0, 0),  # only ASCII marks are dropped
    ],
)
def test_english(gold, predicted, exact, f1):
    assert score([gold], predicted, "en") == (exact, pytest.approx(f1))


def test_best_true_answer_counts():
    assert score(["Santa Clara, California", "Levi's Stadium", "Santa Clara"], "Santa Clara", "en") == (1, 1)
    assert score(["x y", "p q x"], "w x y", "en") == (0, pytest.approx(2 * 2 / 5))


@pytest.mark.parametrize(
    ("gold", "predicted", "exact", "f1"),
    [
        ("北京大学", "北京大学", 1, 1),
        ("《北京大学》", "北京大学。", 1, 1),
        ("北京大学", "北京", 0, 2 * 2 / 6),
        ("北京大学", "大学北京", 0, 2 * 2 / 8),  # the longest run, not a bag
        ("一二三四五", "一二九四五", 0, 2 * 2 / 10),  # a run, not a subsequence
        ("Windows系统", "windows系统", 1, 1),
        ("Windows系统", "Window系统", 0, 2 * 2 / 6),  # Latin letters go by the word
        ("3.5%的人", "3.5%", 0, 2 * 2 / 6),
        ("46,600平方米", "46,600", 0, 2 * 1 / 5),
        ("AT-X电视台", "ATX", 0, 2 * 1 / 5),  # marks vanish before words are cut
        ("1982年——1990年", "1982年", 0, 2 * 2 / 8),
        ("the 王先生", "王先生", 0, 2 * 3 / 7),  # articles count
        ("北京", "上海", 0, 0),
        ("北京", None, 0, 0),
        ("北京", " ，", 0, 0),
        ("Arc Hound。", "arc hound", 1, 1),
        ('"Yes, man."', "yes", 0, 2 * 1 / 7),
    ],
)
def test_chinese(gold, predicted, exact, f1):
    assert score([gold], predicted, "zh") == (exact, pytest.approx(f1))


def longest_run(one, other):
    """Length of the longest common run by the table of the script."""
    table = np.zeros((len(one) + 1, len(other) + 1), dtype=int)
    for i, left in enumerate(one):
        for j, right in enumerate(other):
            table[i + 1, j + 1] = table[i, j] + 1 if left == right else 0
    return int(table.max())


@settings(deadline=None)
@given(st.text("京沪人山水", min_size=1, max_size=12), st.text("京沪人山水", min_size=1, max_size=12))
def test_chinese_f1_is_by_the_longest_run(gold, predicted):
    exact, f1 = score([gold], predicted, "zh")
    assert exact == (gold == predicted)
    assert f1 == pytest.approx(2 * longest_run(gold, predicted) / (len(gold) + len(predicted)))


@settings(deadline=None)
@given(st.text(max_size=20), st.text(max_size=20), st.sampled_from(["en", "zh"]))
def test_scores_are_in_range_and_an_answer_matches_itself(gold, predicted, language):
    assert score([gold], gold, language) == (1, pytest.approx(1))
    exact, f1 = score([gold], predicted, language)
    assert exact in (0, 1)
    assert exact <= f1 + 1e-12 <= 1 + 2e-12
    assert score([gold], predicted, language)[1] == pytest.approx(score([predicted], gold, language)[1])


def test_questions_without_an_answer():
    golds = [["Paris"], [], [], ["London", "the city of London"]]
    found = values(Answers(golds, ["Paris", None, "Rome", "city London"]))
    f1 = 2 * 2 / (3 + 2)  # "city of london" against "city london"
    assert found == {
        "exact_match": 0.5,
        "f1": pytest.approx((1 + 1 + 0 + f1) / 4),
        "has_answer_f1": pytest.approx((1 + f1) / 2),
        "no_answer_accuracy": 0.5,
    }


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_answer_may_be_said_in_several_ways(language):
    for nothing in (None, "", "  "):
        assert score([], nothing, language) == (1, 1)
        assert score(["  "], nothing, language) == (1, 1)
    assert score([], "北京", language) == (0, 0)


def test_without_such_questions_there_are_two_metrics():
    assert list(values(Answers([["a b"], ["c"]], ["b", "c"]))) == ["exact_match", "f1"]


def test_resamples_without_a_kind_of_question_are_undefined_for_it():
    measure = Answers([["x"], []], ["x", None])
    assert np.isnan(measure(np.array([0, 0]))["no_answer_accuracy"])
    assert np.isnan(measure(np.array([1, 1]))["has_answer_f1"])
    assert bootstrap(measure)["no_answer_accuracy"].low == 1.0


def test_auto_reads_each_question_by_its_true_answers():
    # to SQuAD "北京大学" is one word, and "cat" would not match "the cat" in the Chinese way
    mixed = Answers([["北京大学"], ["the cat"], ["dog"]], ["北京", "cat", "dog"])
    assert mixed.f1.tolist() == pytest.approx([2 / 3, 1, 1])
    assert mixed.exact_match.tolist() == [0, 1, 1]


def test_auto_takes_a_mostly_chinese_set_as_chinese_throughout():
    golds = [["北京"], ["上海"], ["广州"], ["3.5%"], []]
    assert Answers(golds, ["北京", "上海", "广州", "35", None]).exact_match.tolist() == [1, 1, 1, 0, 1]
    assert Answers(golds, ["北京", "上海", "广州", "35", None], "en").exact_match.tolist() == [1, 1, 1, 1, 1]
    fewer = [["北京"], ["Rome"], ["3.5%"]]
    assert Answers(fewer, ["北京", "Rome", "35"]).exact_match.tolist() == [1, 1, 1]


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="one length, given 1 and 2"):
        Answers([["a"]], ["a", "b"])


def squad_words(text):
    """``get_tokens`` of SQuAD's ``evaluate-v2.0.py``."""
    plain = "".join(character for character in text.lower() if character not in set(string.punctuation))
    return re.sub(r"\b(a|an|the)\b", " ", plain).split()


def squad_score(golds, predicted):
    """``compute_exact`` and ``compute_f1`` of the same, the best over the answers."""
    best = [0, 0]
    for gold in [gold for gold in golds if squad_words(gold)] or [""]:
        true, said = squad_words(gold), squad_words(predicted)
        common = sum((Counter(true) & Counter(said)).values())
        if not true or not said:
            f1 = int(true == said)
        elif not common:
            f1 = 0
        else:
            precision, recall = common / len(said), common / len(true)
            f1 = 2 * precision * recall / (precision + recall)
        best = [max(best[0], int(true == said)), max(best[1], f1)]
    return best


SQUAD_WORDS = ["the", "The", "a", "an", "cat", "Cat's", "dogs,", "1,000", "-", "…", "北京", "É", "  ", "\t", "theory"]
SQUAD_TEXT = st.lists(st.sampled_from(SQUAD_WORDS), max_size=6).map(" ".join)


@settings(deadline=None, max_examples=200)
@given(st.lists(SQUAD_TEXT | st.text(max_size=8), max_size=3), SQUAD_TEXT | st.text(max_size=8))
def test_english_equals_the_squad_script(golds, predicted):
    assert score(golds, predicted, "en") == pytest.approx(squad_score(golds, predicted))


CMRC_MARKS = {*"-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』", "……"}


def cmrc_pieces(text):
    """``mixed_segmentation`` of ``cmrc2018_evaluate.py``; words of letters alone, so that NLTK cuts at blanks only."""
    pieces, word = [], ""
    for character in text.lower().strip():
        if character in CMRC_MARKS:
            continue
        if re.search("[\u4e00-\u9fa5]", character):
            pieces += [*word.split(), character]
            word = ""
        else:
            word += character
    return pieces + word.split()


def cmrc_score(golds, predicted):
    """``calc_em_score`` and ``calc_f1_score`` of the same."""
    best = [0, 0]
    for gold in golds:
        plain = ["".join(c for c in text.lower().strip() if c not in CMRC_MARKS) for text in (gold, predicted)]
        true, said = cmrc_pieces(gold), cmrc_pieces(predicted)
        run = longest_run(true, said)
        precision, recall = run / len(said), run / len(true)
        f1 = 2 * precision * recall / (precision + recall) if run else 0
        best = [max(best[0], int(plain[0] == plain[1])), max(best[1], f1)]
    return best


CMRC_WORDS = [*"京沪人山水在年的 ，。《》-、", "北京大学", "windows", "GDP", "1990", "3"]
CMRC_TEXT = st.lists(st.sampled_from(CMRC_WORDS), min_size=1, max_size=10).map("".join)


@settings(deadline=None, max_examples=200)
@given(st.lists(CMRC_TEXT.filter(cmrc_pieces), min_size=1, max_size=3), CMRC_TEXT.filter(cmrc_pieces))
def test_chinese_equals_the_cmrc_script(golds, predicted):
    assert score(golds, predicted, "zh") == pytest.approx(cmrc_score(golds, predicted))
