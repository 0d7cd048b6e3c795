"""The numbers in a question are read whole, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sibu.curation.asking.figures import figures
from sibu.curation.linking.spelling import words


def numbers_in(text: str) -> list[int | float]:
    return [each.number for each in figures(text, words(text))]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("older than 70", [70]),
        ("over 1,234.5", [1234.5]),
        ("大于1，000", [1000]),
        ("above -5 and −3.5", [-5, -3.5]),
        ("seventy-five, or forty five", [75, 45]),
        ("one hundred and twenty patients and Bob", [120]),
        ("two thousand and 2 million", [2_000, 2_000_000]),
        ("七十岁", [70]),
        ("一百零二和二十五", [102, 25]),
        ("5万", [50_000]),
        ("1.5万和三万五千", [15_000, 35_000]),
        ("七十点五", [70.5]),
        ("７０", [70]),
    ],
)
def test_a_number_is_read_whole(text: str, numbers: list[int | float]) -> None:
    assert numbers_in(text) == numbers


@pytest.mark.parametrize("text", ["12,34", "3.5.6", "七八", "1万2千", "seventy seventy", "five twenty", "百", "x-5"])
def test_half_a_number_is_none(text: str) -> None:
    assert numbers_in(text) == []


@given(st.integers(0, 10**9))
def test_digits_with_and_without_commas(number: int) -> None:
    assert numbers_in(f"over {number}") == numbers_in(f"over {number:,}") == [number]


@given(st.integers(1, 9_999))
def test_chinese_numbers(number: int) -> None:
    said, zero = "", False
    for place, sign in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // place % 10
        if digit:
            said += ("零" if zero and said else "") + "零一二三四五六七八九"[digit] + sign
        zero = not digit
    assert numbers_in(f"大于{said}") == [number]
