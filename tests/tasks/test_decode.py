"""The best legal tag sequence is the one that trying all of them finds."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sibu.metrics.spans import illegal
from sibu.tasks.tag.decode import best_legal, legal_moves, tag_names

LABELS = ("A", "A-b")
LENGTHS = {("BIO", 1): 6, ("BIO", 2): 4, ("BIOES", 1): 5, ("BIOES", 2): 3}
CASES = st.sampled_from(list(LENGTHS)).flatmap(
    lambda case: st.tuples(st.just(case), st.integers(1, LENGTHS[case]), st.integers(0, 2**32 - 1))
)


def log_chances(seed, shape):
    draw = np.random.default_rng(seed)
    logits = draw.normal(size=shape) * draw.choice([0.1, 1, 10])
    return logits - np.log(np.exp(logits).sum(1, keepdims=True))


@settings(deadline=None, max_examples=150)
@given(CASES)
def test_equals_trying_all_legal_sequences(case):
    (scheme, count), length, seed = case
    tags = tag_names(LABELS[:count], scheme)
    scores = log_chances(seed, (length, len(tags)))
    found = best_legal(scores, *legal_moves(tags, scheme))
    legal = [
        sequence
        for sequence in product(range(len(tags)), repeat=length)
        if not illegal([tags[number] for number in sequence], scheme)
    ]
    totals = scores[np.arange(length), np.array(legal)].sum(1)
    assert tuple(found) == legal[int(totals.argmax())]


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(["BIO", "BIOES"]), st.integers(1, 40), st.integers(0, 2**32 - 1), st.booleans())
def test_no_illegal_sequence_comes_out(scheme, length, seed, ties):
    tags = tag_names(LABELS, scheme)
    scores = log_chances(seed, (length, len(tags)))
    if ties:
        scores = np.round(scores)
    found = best_legal(scores, *legal_moves(tags, scheme))
    assert illegal([tags[number] for number in found], scheme) == []


@pytest.mark.parametrize("scheme", ["BIO", "BIOES"])
def test_moves_are_those_that_illegal_allows(scheme):
    tags = tag_names(LABELS, scheme)
    begin, follow, end = legal_moves(tags, scheme)
    for sequence in product(range(len(tags)), repeat=2):
        allowed = begin[sequence[0]] and follow[sequence] and end[sequence[1]]
        assert allowed == (illegal([tags[number] for number in sequence], scheme) == [])


def test_a_text_without_words_has_no_tags():
    tags = tag_names(LABELS, "BIO")
    assert best_legal(np.zeros((0, len(tags))), *legal_moves(tags, "BIO")).tolist() == []


def test_a_likely_illegal_sequence_gives_way_to_the_next_best():
    tags = tag_names(("A",), "BIOES")
    chances = np.log(np.full((3, 5), 0.01))
    for place, tag in enumerate(("B-A", "O", "E-A")):
        chances[place, tags.index(tag)] = np.log(0.9)
    chances[1, tags.index("I-A")] = np.log(0.05)
    found = best_legal(chances, *legal_moves(tags, "BIOES"))
    assert [tags[number] for number in found] == ["B-A", "I-A", "E-A"]
