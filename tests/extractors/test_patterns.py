"""Patterns: the language, and what is found by it."""

from pathlib import Path

import pytest

from sibu.core.errors import DataError
from sibu.core.extraction import Seen, Spot, Text
from sibu.extractors.patterns.find import from_file
from tests.extractors.told import Told

WORDS = {
    "aspirin": "Drug",
    "warfarin": "Drug",
    "阿司匹林": "Drug",
    "布洛芬": "Drug",
    "Anna": "Patient",
    "fever": "Disease",
}


def seen(lines: str, text: str, home: Path) -> list[tuple[str, ...]]:
    """What the patterns say of a text in which some words are names."""
    file = home / "patterns.txt"
    file.write_text(lines, encoding="utf-8")
    spots = [
        Spot(start, start + len(word), kind)
        for word, kind in WORDS.items()
        for start in range(len(text))
        if text.startswith(word, start)
    ]
    (found,) = from_file(file, Told(home), score=0.9).extract([Text("d", text)], [Seen(tuple(spots))])

    def said(spot: Spot) -> str:
        return text[spot.start : spot.end] if spot.value is None else spot.value.text

    ties = [(each.label, said(each.head), said(each.tail), text[each.start : each.end]) for each in found.ties]
    return ties + [(each.label, said(each)) for each in found.spots if each.label not in WORDS.values()]


def test_names_with_words_between(tmp_path: Path) -> None:
    lines = '"{a:Drug} (interacts|interact) with {b:Drug}" -> interacts(a, b)'
    found = seen(lines, "Aspirin? aspirin  INTERACTS\nwith warfarin; aspirin interacting with warfarin", tmp_path)
    assert found == [("interacts", "aspirin", "warfarin", "aspirin  INTERACTS\nwith warfarin")]


def test_chinese(tmp_path: Path) -> None:
    lines = '"{药:Drug}与{另:Drug}[会]相互作用" -> 相互作用(另, 药) @ 0.5'
    found = seen(lines, "布洛芬与阿司匹林会相互作用，布洛芬与阿司匹林相互作用。", tmp_path)
    assert found == [("相互作用", "阿司匹林", "布洛芬", "布洛芬与阿司匹林会相互作用"),
                     ("相互作用", "阿司匹林", "布洛芬", "布洛芬与阿司匹林相互作用")]  # fmt: skip


def test_words_before_and_behind(tmp_path: Path) -> None:
    lines = '"take {d:Drug} against {w:Disease} daily" -> against(d, w)'
    assert seen(lines, "take aspirin against fever daily", tmp_path)[0][3] == "take aspirin against fever daily"
    assert seen(lines, "retake aspirin against fever daily", tmp_path) == []
    assert seen(lines, "take aspirin against fever dailyx", tmp_path) == []


def test_what_may_be_left_out_and_gaps(tmp_path: Path) -> None:
    lines = '"{d:Drug} ... against [high] {w:Disease}" -> against(d, w)'
    for text in ("aspirin helps against fever", "aspirin does work against high fever"):
        assert [each[:3] for each in seen(lines, text, tmp_path)] == [("against", "aspirin", "fever")]
    assert seen(lines, "aspirin is white.\nOthers are against fever", tmp_path) == []


def test_values(tmp_path: Path) -> None:
    lines = '"{p:Patient} is {n:integer} years old" -> age(p, n)\n"{p:Patient}, born {d:date}" -> born(p, d)'
    assert seen(lines, "Anna is 70 years old", tmp_path) == [("age", "Anna", "70", "Anna is 70 years old")]
    assert seen(lines, "Anna is 70.5 years old", tmp_path) == []
    assert seen(lines, "Anna, born 1950年3月7日", tmp_path)[0][2] == "1950-03-07"
    assert seen(lines, "Anna, born 1950-13-07", tmp_path) == []


def test_a_class_by_a_pattern(tmp_path: Path) -> None:
    assert seen('"{d} is an antibiotic" -> Antibiotic(d)', "aspirin is an antibiotic", tmp_path) == [
        ("Antibiotic", "aspirin")
    ]


def test_regular_expressions(tmp_path: Path) -> None:
    lines = r"/(?P<gene>[A-Z]{2,}\d) causes (?P<what>\w+)/ -> causes(gene: Gene, what)"
    found = seen(lines, "BRCA1 causes fever", tmp_path)
    assert found == [("causes", "BRCA1", "fever", "BRCA1 causes fever"), ("Gene", "BRCA1")]


def test_values_of_regular_expressions(tmp_path: Path) -> None:
    lines = r"/(?P<who>Anna)[ ,:]+(?P<what>\w+)/ -> age(who, what: integer)"
    assert [each[:3] for each in seen(lines, "Anna: 70, Anna sleeps", tmp_path)] == [("age", "Anna", "70")]
    lines = r"/(?P<who>Anna) says (?P<what>[^.]+)/ -> said(who, what: text)"
    assert [each[:3] for each in seen(lines, "Anna says no way.", tmp_path)] == [("said", "Anna", "no way")]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("aspirin treats", 'a line is `"pattern" -> relation(slot, slot)`'),
        ('"{a} x {b}" -> r(a, c)', "the pattern has no slot 'c'. It has: a, b"),
        ('"{a} x {b}" -> r(a, b, a)', "a fact has one slot (a class) or two"),
        ('"{a} x {b}" -> r', "behind the arrow stands a relation with slots"),
        ('"{a} x {a}" -> r(a, a)', "the slot 'a' stands twice"),
        ('"{a}{b}" -> r(a, b)', "two slots follow each other"),
        ('"{a} (x {b}" -> r(a, b)', "'(' is not closed"),
        ('"{a} x] {b}" -> r(a, b)', "']' closes nothing"),
        ('"{a} x|y {b}" -> r(a, b)', "`|` stands outside of round brackets"),
        ('"{a} x {b}" -> r(a, b) @ 2', "behind `@` stands a number"),
        ('"{a} x {n:integer}" -> r(n, a)', "'n' is a value"),
        ("/(?P<a>x/ -> r(a)", "the regular expression cannot be read"),
        ("/x/ -> r(a)", "the regular expression has no named group"),
        ("/(?P<a>x)?/ -> r(a)", "the regular expression fits nothing at all too"),
        ('"word" -> r(a)', "the pattern has no slot"),
    ],
)
def test_faults(line: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as fault:
        seen(f"# first\n{line}\n", "", tmp_path)
    assert f"patterns.txt:2 {said}" in str(fault.value)


def test_all_faults_at_once(tmp_path: Path) -> None:
    with pytest.raises(DataError) as fault:
        seen('x\n"{a} b" -> C(a)\ny\n', "", tmp_path)
    assert [line.split()[0][-2:] for line in str(fault.value).splitlines()] == [":1", ":3"]
    with pytest.raises(DataError, match="has no pattern"):
        seen("# none\n", "", tmp_path)


def test_many_patterns_of_one_relation_are_told_once(tmp_path: Path) -> None:
    lines = '"{a:Drug} hits {b:Disease}" -> t(a, b) @ 0.3\n"{a:Drug} hits {b}" -> t(a, b) @ 0.6'
    file = tmp_path / "patterns.txt"
    file.write_text(lines, encoding="utf-8")
    spots = (Spot(0, 7, "Drug"), Spot(13, 18, "Disease"))
    (found,) = from_file(file, Told(tmp_path), score=0.9).extract([Text("d", "aspirin hits fever")], [Seen(spots)])
    assert [each.score for each in found.ties] == [0.6]
