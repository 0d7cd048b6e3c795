"""Sentences and paragraphs."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sibu.core.passages import passages


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        (
            "Dr. Who of St. Albans saw J. Smith. Then e.g. this vs. that.",
            ["Dr. Who of St. Albans saw J. Smith.", "Then e.g. this vs. that."],
        ),
        ("It costs 3.5 mg. and more", ["It costs 3.5 mg. and more"]),
        ("他说：“好。”然后走了！完", ["他说：“好。”", "然后走了！", "完"]),
        ("a line\n\nanother", ["a line", "another"]),
        (" \n ", []),
    ],
)
def test_sentences(text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in passages(text, "sentence")] == found


def test_wider() -> None:
    text = " One. Two.\nThree. "
    assert [text[start:end] for start, end in passages(text, "paragraph")] == ["One. Two.", "Three."]
    assert passages(text, "document") == [(1, len(text) - 1)]


@given(st.text("aB. !?。\n”", max_size=40), st.sampled_from(["sentence", "paragraph", "document"]))
def test_nothing_is_lost(text: str, within: str) -> None:
    found = passages(text, within)  # type: ignore[arg-type]
    shown = "".join(text[start:end] for start, end in found)
    assert "".join(shown.split()) == "".join(text.split())
    assert all(before[1] <= after[0] for before, after in pairwise(found))
