"""Names in texts, against a search that looks at every stretch of every text."""

from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sibu.core.text import Match
from sibu.core.units import units
from sibu.phrases import Lexicon, Name, longest, normal_unit


def found(names: list[str], text: str) -> list[str]:
    return [
        text[match.start : match.end] for match in longest(Lexicon([Name(each, ("x",)) for each in names]).every(text))
    ]


def test_the_longest_name_counts() -> None:
    assert found(["lung", "lung cancer", "cancer of the lung"], "Lung cancer, no cancer of the lung") == [
        "Lung cancer",
        "cancer of the lung",
    ]


def test_case_width_and_plural_do_not_count() -> None:
    assert found(["lung tumor", "allergy"], "Ｌung TUMORS and allergies") == ["Ｌung TUMORS", "allergies"]
    assert found(["ＨＩＶ infection"], "hiv infections") == ["hiv infections"]


def test_capitals_are_found_in_capitals_alone() -> None:
    assert found(["ALL", "AIDS"], "all have ALL; it aids AIDS") == ["ALL", "AIDS"]


def test_a_name_stands_within_words_of_chinese_but_not_of_english() -> None:
    assert found(["头痛", "偏头痛", "pain"], "他有偏头痛和头痛") == ["偏头痛", "头痛"]
    assert found(["pain"], "painful pain") == ["pain"]


def test_names_of_signs_alone_are_none() -> None:
    assert found(["", "   "], "a  b") == []


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    lexicon = Lexicon([Name("头痛", ("symptom",), "https://x.org/1"), Name("a\u2028b", ("x", "y"))])
    lexicon.save(tmp_path / "names.jsonl")
    again = Lexicon.load(tmp_path / "names.jsonl")
    assert again.names == lexicon.names
    assert again.classes == ("symptom", "x", "y")


WORD = st.sampled_from(["aa", "bb", "aab", "头", "痛", "-", "B"])
TEXT = st.lists(WORD, max_size=9).map(" ".join)


@given(st.lists(TEXT, max_size=6), TEXT)
def test_every_place_is_found(names: list[str], text: str) -> None:
    def key(part: str) -> tuple[str, ...]:
        return tuple(normal_unit(part[start:end]) for start, end in units(part))

    lexicon = Lexicon([Name(name, ("x",)) for name in names])
    places = units(text)
    wanted = []
    for first in range(len(places)):
        for last in range(len(places) - 1, first - 1, -1):
            start, end = places[first][0], places[last][1]
            same = tuple(
                number
                for number, name in enumerate(names)
                if key(name) == key(text[start:end]) and (name != "B" or text[start:end] == "B")
            )
            if same:
                wanted.append(Match(start, end, same))
    assert list(lexicon.every(text)) == wanted
    kept = longest(wanted)
    assert all(one.end <= two.start for one, two in pairwise(kept))
