"""Names found in one pass are those that a naive search finds."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sibu.core.errors import DataError
from sibu.core.extraction import Seen, Text
from sibu.core.logic import Entity
from sibu.extractors import EXTRACTORS
from sibu.extractors.gazetteer.find import Gazetteer, Meaning, from_file
from sibu.extractors.gazetteer.names import NameTable, pieces, within_word
from tests.extractors.told import Told

SIGNS = "abAB é12ｂß½-. 北京大学\n"
NAMES = st.lists(st.text(SIGNS, min_size=1, max_size=6), max_size=8)


def naive(names: list[str], text: str) -> list[tuple[int, int]]:
    """From the left the longest: every stretch that begins and ends at units is compared with every name."""

    def form(part: str) -> list[str]:
        found = [each.form for each in pieces(part)]
        return [found[0].strip(), *found[1:]] if found else []

    known = [form(name) for name in names if form(name)]
    edges = pieces(text)
    found, place = [], 0
    while place < len(text):
        ends = [
            each.end
            for each in edges
            if each.end > place and form(text[place : each.end]) in known and not within_word(text, each.end)
        ]
        if place in {each.start for each in edges} and ends and not within_word(text, place):
            found.append((place, max(ends)))
            place = max(ends)
        else:
            place += 1
    return found


@given(NAMES, st.text(SIGNS, max_size=30))
def test_it_finds_what_a_naive_search_finds(names: list[str], text: str) -> None:
    table = NameTable()
    for name in names:
        table.add(name)
    assert [(start, end) for start, end, _ in table.find(text)] == naive(names, text)


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("New York", "in new\n york!", ["new\n york"]),
        ("new york", "NewYork", []),
        ("mg", "5mg of mg", ["mg"]),
        ("B12", "vitamin b12, b123", ["b12"]),
        ("ＡＳＰＩＲＩＮ", "aspirin", ["aspirin"]),
        ("café", "CAFE\u0301", ["CAFE\u0301"]),
        ("北京大学", "我在北京 大学读书", ["北京 大学"]),
        ("北京", "我在北京大学", ["北京"]),
        ("COVID-19", "(covid-19)", ["covid-19"]),
        ("straße", "STRASSE", ["STRASSE"]),
        ("😀", "a😀b", ["😀"]),
    ],
)
def test_what_is_a_name(name: str, text: str, found: list[str]) -> None:
    table = NameTable()
    table.add(name)
    assert [text[start:end] for start, end, _ in table.find(text)] == found


def test_the_longest_name_wins() -> None:
    table = NameTable()
    for name in ("lung", "lung cancer", "cancer cell line"):
        table.add(name)
    text = "lung cancer cell line"
    assert [text[start:end] for start, end, _ in table.find(text)] == ["lung cancer"]


def test_case_of_short_names() -> None:
    options = {"least": 2, "case_up_to": 3, "score": 0.8}
    found = Gazetteer([Meaning("US", "Land"), Meaning("aspirin"), Meaning("a")], "1", **options)
    (seen,) = found.extract([Text("d", "US or us, Aspirin, a")], [Seen()])
    assert [(each.start, each.label, each.score) for each in seen.spots] == [(0, "Land", 0.8), (10, "", 0.8)]


def test_a_file_of_names(tmp_path: Path) -> None:
    file = tmp_path / "names.tsv"
    file.write_text("# drugs\naspirin\tDrug\taspirin\r\nASPIRIN\tBrand\tother\n布洛芬\n\n", encoding="utf-8-sig")
    found = from_file(file, Told(tmp_path), label="Drug", least=2, case_up_to=0, score=1.0)
    (seen,) = found.extract([Text("d", "aspirin 布洛芬")], [Seen()])
    assert [(each.label, each.entity) for each in seen.spots] == [("", None), ("Drug", None)]  # two things are named so
    file.write_text("aspirin\tDrug\taspirin\n", encoding="utf-8")
    found = from_file(file, Told(tmp_path), label="", least=2, case_up_to=0, score=1.0)
    (seen,) = found.extract([Text("d", "aspirin")], [Seen()])
    assert seen.spots[0].entity == Entity("https://example.org/aspirin")


def test_every_line_at_fault_is_told(tmp_path: Path) -> None:
    file = tmp_path / "names.tsv"
    file.write_text("aspirin\n\tDrug\na\tb\tc\td\n", encoding="utf-8")
    with pytest.raises(DataError) as fault:
        from_file(file, Told(tmp_path), label="", least=2, case_up_to=0, score=1.0)
    assert str(fault.value).splitlines() == [
        f"{file}:2 has no name.",
        f"{file}:3 has 4 cells; a line has a name, then perhaps a class and a thing.",
    ]
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="is not UTF-8, from byte 1 on"):
        from_file(file, Told(tmp_path), label="", least=2, case_up_to=0, score=1.0)
    with pytest.raises(DataError, match="cannot be read: No such file"):
        from_file(tmp_path / "none.tsv", Told(tmp_path), label="", least=2, case_up_to=0, score=1.0)
    file.write_text("# nothing\n", encoding="utf-8")
    with pytest.raises(DataError, match="has no name"):
        from_file(file, Told(tmp_path), label="", least=2, case_up_to=0, score=1.0)


def test_names_of_the_knowledge_base(tmp_path: Path) -> None:
    told = Told(tmp_path, {"Aspirin": "aspirin", "ASS": "aspirin"}, {"aspirin": "Drug"})
    spec = EXTRACTORS.spec("gazetteer")
    found = EXTRACTORS.of(spec).build(spec, told)
    assert found.follows
    (seen,) = found.extract([Text("d", "ass, aspirin")], [Seen()])
    assert [(each.label, each.kinds) for each in seen.spots] == [("", (Entity("https://example.org/Drug"),))] * 2


def test_time_does_not_grow_with_the_names() -> None:
    text = "the patient took name 17 and name 4711 of drug alpha . " * 500
    times = []
    for count in (2_000, 20_000):
        table = NameTable()
        for number in range(count):
            table.add(f"name {number} of drug")
        tries = []
        for _ in range(3):  # the least of them: one may have to collect what other tests left
            began = time.process_time()
            found = list(table.find(text))
            tries.append(time.process_time() - began)
        times.append(min(tries))
        assert len(found) == (500 if count > 4711 else 0)
    assert times[1] < 5 * times[0]
