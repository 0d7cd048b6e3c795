"""Values are written as people read them."""

from math import nan

import pytest

from sibu.pipeline.report.figures import (
    clip,
    count,
    duration,
    fixed,
    is_chinese,
    languages,
    large,
    percent,
    plain,
    several,
    short_names,
    signed,
    size,
)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (fixed(0.93456), "0.935"),
        (fixed(-0.5, 1), "−0.5"),
        (fixed(-0.0001, 2), "0.00"),
        (fixed(None), "–"),
        (fixed(nan), "–"),
        (fixed(True), "–"),
        (fixed("0.5"), "–"),
        (signed(0.1), "+0.100"),
        (signed(-0.1), "−0.100"),
        (signed(0.0001), "0.000"),
        (signed(nan), "–"),
        (count(12345), "12,345"),
        (percent(0.1234), "12.3 %"),
        (percent(None), "–"),
        (plain(0.0003), "0.0003"),
        (plain(1e-5), "1e-05"),
        (plain(2048), "2,048"),
        (several(1, "row"), "1 row"),
        (several(2000, "row"), "2,000 rows"),
        (duration(8.2), "8.2 s"),
        (duration(200), "3 min 20 s"),
        (duration(7500), "2 h 05 min"),
        (duration(59.97), "1 min 00 s"),
        (duration(None), "–"),
        (size(1.25e9), "1.2 GB"),
        (size(12), "12 bytes"),
        (size(None), "–"),
        (large(22_700_000), "22.7 M"),
        (large(12), "12"),
        (clip("abcdef", 4), "abc…"),
        (clip("abc", 4), "abc"),
    ],
)
def test_values_are_said(said, expected):
    assert said == expected


def test_files_are_named_by_as_little_as_tells_them_apart():
    files = ["/home/ann/a/test.csv", "/home/ann/b/test.csv", "/home/ann/a/train.csv", "datasets:squad"]
    assert list(short_names(files).values()) == ["a/test.csv", "b/test.csv", "train.csv", "datasets:squad"]
    assert short_names(["x", "x"]) == {"x": "x"}
    assert short_names(["/d/x", "d/x"])["/d/x"] != short_names(["/d/x", "d/x"])["d/x"]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["What is the best way to get my card? It is not here and the app is of no use to me at all."] * 3, ["en"]),
        (["我的卡在哪里？", "还没有到。"], ["zh"]),
        (
            ["我的卡在哪里？", "What is the use of this card, and how do I get it from the bank to my house in time?"],
            ["en", "zh"],
        ),
        (["カードはどこですか"], []),
        (["Wo ist meine Karte? Ich habe sie noch nicht bekommen und warte seit zwei Wochen auf einen Brief."], []),
        ([], []),
        (["12345"], []),
    ],
)
def test_a_language_is_named_only_where_it_is_sure(texts, expected):
    assert languages(texts) == expected


def test_han_without_kana_is_chinese():
    assert is_chinese("iPhone 在哪里")
    assert not is_chinese("東京へ行く")
    assert not is_chinese("")
