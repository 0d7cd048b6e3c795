"""Names that are one, and near ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sibu.curation.linking.spelling import edits, likeness, name_key, spaced, words


def slow_edits(one: str, other: str) -> int:
    """By the table of Damerau and Levenshtein."""
    table = [[max(i, j) if not i or not j else 0 for j in range(len(other) + 1)] for i in range(len(one) + 1)]
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            same = one[i - 1] == other[j - 1]
            table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + (not same))
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
    return table[-1][-1]


@given(st.text("abc病", max_size=12), st.text("abc病", max_size=12))
def test_edits_are_those_of_the_table(one: str, other: str) -> None:
    assert edits(one, other) == slow_edits(one, other)


@given(st.text(max_size=20), st.text(max_size=20))
def test_likeness_is_from_0_to_1_and_both_ways(one: str, other: str) -> None:
    first, second = name_key(one), name_key(other)
    assert 0 <= likeness(first, second) <= 1
    assert likeness(first, second) == pytest.approx(likeness(second, first))
    assert likeness(first, first) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ｌｕｎａｒｉｎ", "Lunarin"),
        ("Café au lait", "cafe AU LAIT"),
        ("heart-attack", "Heart attacks"),
        ("allergies", "Allergy"),
        ("boxes", "box"),
        ("乙 型　肝炎", "乙型肝炎"),
        ("Ёлка", "елка"),
        ("Cafe\u0301", "café"),
    ],
)
def test_names_that_are_one(one: str, other: str) -> None:
    assert name_key(one) == name_key(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("virus", "viru"),
        ("gas", "ga"),
        ("glass", "glas"),
        ("हिन्दी", "हन्दी"),
        ("C", "C++"),
        ("😀", "😁"),
    ],
)
def test_names_that_are_not(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


def test_words_know_where_they_stand() -> None:
    text = "安娜's Lunarin，3 片"
    assert [text[each.start : each.end] for each in words(text)] == ["安", "娜", "s", "Lunarin", "3", "片"]
    assert words("，。!?") == []
    assert spaced("hasSymptomOfHIVType") == "has Symptom Of HIV Type"


@given(st.text(st.sampled_from("abZs 09_-病症é"), max_size=15))
def test_the_quick_way_is_the_long_one(text: str) -> None:
    assert name_key(text) == " ".join(word.key for word in words(text))
