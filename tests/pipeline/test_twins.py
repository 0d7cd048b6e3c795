"""Equal and nearly equal texts, against comparing every two of them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sibu.core.example import is_cjk
from sibu.pipeline.twins import NEAR, SHORTEST, Keys, NearIndex, fingerprint, normal
from tests.conftest import CHARACTERS, WORDS

SURE = 0.95
"""Similarity from which a text must be found. A band of 4 least hashes is equal with probability s^4, and one of 16
bands is enough: at s = 0.95 a pair is missed with probability (1 - 0.95^4)^16 = 2e-12 (at NEAR = 0.8: 2e-4)."""
BLANKS = st.text(" \t\n\u3000\xa0", min_size=1, max_size=3)
ENGLISH = st.lists(st.sampled_from(WORDS), min_size=15, max_size=60).map(" ".join)
CHINESE = st.text(CHARACTERS, min_size=40, max_size=120)
MIXED = st.lists(st.sampled_from([*WORDS, *CHARACTERS, "😀", "ＡＢ"]), min_size=30, max_size=60).map("".join)


@st.composite
def written_otherwise(draw):
    text = draw(st.text(max_size=30) | ENGLISH | CHINESE)
    parts = []
    for character in text:
        if character.isspace():
            parts.append(draw(BLANKS))
        else:
            same = [
                c for c in {character, character.upper(), character.lower()} if c.casefold() == character.casefold()
            ]
            parts.append(draw(st.sampled_from(sorted(same))))
    return text, draw(BLANKS | st.just("")) + "".join(parts) + draw(BLANKS | st.just(""))


@settings(deadline=None, max_examples=150)
@given(written_otherwise())
def test_case_and_blanks_do_not_count(pair):
    text, other = pair
    assert normal(text) == normal(other)
    assert fingerprint(text) == fingerprint(other)
    assert 0 <= fingerprint(text) < 2**63


@settings(deadline=None, max_examples=150)
@given(st.text(max_size=20), st.text(max_size=20))
def test_other_texts_have_other_fingerprints(one, two):
    def plain(text):
        return " ".join(text.split()).casefold()

    assert (fingerprint(one) == fingerprint(two)) == (plain(one) == plain(two))


def grams(text):
    text = " ".join(text.split()).casefold()
    begin = text[:64]
    width = 3 if 2 * sum(map(is_cjk, begin)) > len(begin) else 5
    return {text[place : place + width] for place in range(len(text) - width + 1)}


def jaccard(one, two):
    both = grams(one) & grams(two)
    return len(both) / len(grams(one) | grams(two))


@st.composite
def changed(draw):
    """A text, and others that grow less like it."""
    text = draw(ENGLISH | CHINESE | MIXED)
    others, other = [], text
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(other)))
        gone = draw(st.integers(0, 2))
        put = draw(st.sampled_from(["", "x", "不", " ", "the"]))
        other = other[:place] + put + other[place + gone :]
        others.append(other)
    return text, others


@settings(deadline=None, max_examples=200)
@given(changed(), st.lists(ENGLISH | CHINESE, max_size=4))
def test_finds_what_is_nearly_equal_and_nothing_else(case, strangers):
    text, others = case
    known = [other for other in [*others, *strangers, text] if len(normal(other)) >= SHORTEST]
    index = NearIndex()
    for number, other in enumerate(known):
        index.add(number, other)
    assert len(index) == len(known)
    found = index.near(text)
    assert found == sorted(set(found))
    likeness = [jaccard(text, other) for other in known]
    assert {number for number, like in enumerate(likeness) if like >= SURE} <= set(found)
    assert all(likeness[number] >= NEAR for number in found)


@pytest.mark.parametrize("text", ["the pain is bad", "头痛发烧咳嗽"])
def test_short_texts_are_not_compared(text):
    index = NearIndex()
    index.add(0, text)
    assert len(index) == 0
    assert index.near(text) == []


ROWS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), max_size=20)


def keys_of(rows, files=("a",)):
    keys = Keys()
    for part, file in enumerate(files):
        own = rows[part :: len(files)]
        if own:
            keys.add([(file, line, row, target) for line, (row, target) in enumerate(own, 1)])
    return keys, [row for part in range(len(files)) for row in rows[part :: len(files)]]


@settings(deadline=None, max_examples=150)
@given(ROWS, ROWS, st.sampled_from([("a",), ("a", "b", "c")]))
def test_twins_and_shared_rows_equal_comparing_all(rows, others, files):
    keys, rows = keys_of(rows, files)
    other, others = keys_of(others)
    first = {row: number for number, (row, _) in reversed(list(enumerate(rows)))}
    expected = [
        (number, first[row], target != rows[first[row]][1])
        for number, (row, target) in enumerate(rows)
        if number != first[row]
    ]
    assert list(keys.twins()) == expected
    theirs = {row: number for number, (row, _) in reversed(list(enumerate(others)))}
    assert list(keys.shared(other)) == [(n, theirs[row]) for n, (row, _) in enumerate(rows) if row in theirs]


@settings(deadline=None, max_examples=50)
@given(ROWS.filter(bool))
def test_rows_are_found_by_file_and_line_again(tmp_path_factory, rows):
    keys, rows = keys_of(rows, ("a", "b"))
    places = [keys.place(number) for number in range(len(rows))]
    half = (len(rows) + 1) // 2
    assert places == [("a", n + 1) for n in range(half)] + [("b", n + 1) for n in range(len(rows) - half)]
    with pytest.raises(IndexError):
        keys.place(len(rows))
    file = tmp_path_factory.mktemp("keys") / "keys.npz"
    keys.save(file)
    again = Keys.load(file)
    assert [again.place(number) for number in range(len(rows))] == places
    assert list(again.twins()) == list(keys.twins())
