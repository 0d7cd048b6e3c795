"""Spans and tags are read and counted as seqeval does."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics import classification_report, f1_score, precision_score, recall_score
from seqeval.metrics.sequence_labeling import get_entities

from sibu.metrics.bootstrap import bootstrap, values
from sibu.metrics.spans import SpanMatch, decode_tags, encode_tags, illegal

LABELS = ["PER", "LOC", "A-B", "人"]


def tag_strategy(prefixes):
    return st.sampled_from(["O", *(f"{prefix}-{label}" for prefix in prefixes for label in LABELS)])


BIO = st.lists(tag_strategy("BI"), max_size=12)
BIOES = st.lists(tag_strategy("BIES"), max_size=12)
BARE = st.lists(st.one_of(tag_strategy("BIES"), st.sampled_from(["B", "I", "E", "S", "B-", "I-"])), max_size=12)


def seqeval_spans(tags):
    return [(label, start, last + 1) for label, start, last in get_entities(tags)]


@settings(deadline=None, max_examples=300)
@given(BIO)
def test_bio_is_read_as_seqeval_reads_it(tags):
    assert decode_tags(tags, "BIO") == seqeval_spans(tags)


@settings(deadline=None, max_examples=300)
@given(BIOES)
def test_bioes_is_read_as_seqeval_reads_it(tags):
    assert decode_tags(tags, "BIOES") == seqeval_spans(tags)


@settings(deadline=None, max_examples=300)
@given(BARE)
def test_tags_without_a_label_are_read_as_seqeval_reads_them(tags):
    assert decode_tags(tags, "BIOES") == seqeval_spans(tags)


def test_io_joins_equal_neighbours():
    tags = ["I-PER", "I-PER", "I-LOC", "O", "LOC", "LOC", "B-PER", "E-PER", "O-PER", ""]
    assert decode_tags(tags, "IO") == [("PER", 0, 2), ("LOC", 2, 3), ("LOC", 4, 6), ("PER", 6, 8)]


def test_a_tag_without_a_known_prefix_is_inside():
    assert decode_tags(["B-PER", "PER", "O"], "BIO") == [("PER", 0, 2)]


@st.composite
def span_sets(draw):
    """Sorted spans that do not overlap, in a text of 15 tokens."""
    edges = sorted(draw(st.sets(st.integers(0, 15), max_size=10)))
    return [(draw(st.sampled_from(LABELS)), start, end) for start, end in zip(edges[::2], edges[1::2], strict=False)]


@settings(deadline=None)
@given(span_sets(), st.sampled_from(["BIO", "BIOES"]), st.randoms())
def test_encode_then_decode_is_the_same_and_legal(spans, scheme, random):
    shuffled = random.sample(spans, len(spans))
    tags = encode_tags(shuffled, 15, scheme)
    assert len(tags) == 15
    assert decode_tags(tags, scheme) == spans
    assert illegal(tags, scheme) == []


@settings(deadline=None)
@given(span_sets())
def test_io_round_trip_covers_the_same_tokens(spans):
    tags = encode_tags(spans, 15, "IO")
    assert illegal(tags, "IO") == []
    covered = {(label, place) for label, start, end in spans for place in range(start, end)}
    assert {(label, p) for label, start, end in decode_tags(tags, "IO") for p in range(start, end)} == covered
    assert encode_tags(decode_tags(tags, "IO"), 15, "IO") == tags


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(["BIO", "BIOES"]).flatmap(lambda s: st.tuples(st.just(s), BIO if s == "BIO" else BIOES)))
def test_what_is_legal_is_what_encoding_gives(case):
    scheme, tags = case
    same = encode_tags(decode_tags(tags, scheme), len(tags), scheme) == tags
    assert (illegal(tags, scheme) == []) == same


def test_encode_writes_each_scheme():
    spans = [("LOC", 3, 4), ("PER", 0, 3)]
    assert encode_tags(spans, 5, "IO") == ["I-PER", "I-PER", "I-PER", "I-LOC", "O"]
    assert encode_tags(spans, 5, "BIO") == ["B-PER", "I-PER", "I-PER", "B-LOC", "O"]
    assert encode_tags(spans, 5, "BIOES") == ["B-PER", "I-PER", "E-PER", "S-LOC", "O"]


@pytest.mark.parametrize(
    "spans", [[("PER", 2, 2)], [("PER", -1, 1)], [("PER", 0, 6)], [("", 0, 1)], [("PER", 0, 2), ("LOC", 1, 3)]]
)
def test_encode_refuses_what_tags_cannot_say(spans):
    with pytest.raises(ValueError, match="span"):
        encode_tags(spans, 5, "BIO")


@pytest.mark.parametrize(
    ("scheme", "tags", "places"),
    [
        ("BIO", "O I-X I-X O", [1]),
        ("BIO", "B-X I-Y I-Y", [1]),
        ("BIO", "B-X I-X B-X O I-X", [4]),
        ("BIO", "B-X E-X S-X X B", [1, 2, 3, 4]),
        ("BIOES", "B-X I-X E-X S-X O B-X E-X", []),
        ("BIOES", "B-X O", [0]),
        ("BIOES", "O B-X", [1]),
        ("BIOES", "B-X I-X B-X E-X", [1]),
        ("BIOES", "B-X E-Y", [0, 1]),
        ("BIOES", "S-X I-X E-X", [1]),
        ("BIOES", "E-X I-X", [0, 1]),
        ("BIOES", "B-X X O-X", [1, 2]),
        ("IO", "I-X X O B-X E-X S-X I I-", [3, 4, 5, 6, 7]),
    ],
)
def test_illegal_places(scheme, tags, places):
    assert illegal(tags.split(), scheme) == places


def test_an_empty_tag_is_illegal_everywhere():
    assert [illegal(["O", ""], scheme) for scheme in ("IO", "BIO", "BIOES")] == [[1], [1], [1]]


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(BIOES, BIOES), min_size=1, max_size=5))
def test_scores_equal_seqeval(pairs):
    gold = [one[: min(len(one), len(other))] for one, other in pairs]
    predicted = [other[: min(len(one), len(other))] for one, other in pairs]
    measure = SpanMatch(
        [decode_tags(tags, "BIOES") for tags in gold], [decode_tags(tags, "BIOES") for tags in predicted]
    )
    found = values(measure)
    if not any(tag != "O" for tags in [*gold, *predicted] for tag in tags):
        assert np.isnan(measure(np.arange(measure.n))["f1"])
        assert set(found.values()) == {0.0}
        return
    settled = {"zero_division": 0}
    assert found["precision"] == pytest.approx(precision_score(gold, predicted, **settled))
    assert found["recall"] == pytest.approx(recall_score(gold, predicted, **settled))
    assert found["f1"] == pytest.approx(f1_score(gold, predicted, **settled))
    assert found["macro_f1"] == pytest.approx(f1_score(gold, predicted, average="macro", **settled))
    expected = classification_report(gold, predicted, output_dict=True, **settled)
    for label, row in measure.by_label().items():
        wanted = expected[label]
        assert [row["precision"], row["recall"], row["f1"], row["support"]] == pytest.approx(
            [wanted["precision"], wanted["recall"], wanted["f1-score"], wanted["support"]]
        )


def test_a_resample_equals_the_measure_of_its_examples():
    gold = [[("A", 0, 1)], [], [("B", 0, 2), ("A", 3, 4)], [("B", 1, 2)]]
    predicted = [[("A", 0, 1)], [("A", 0, 1)], [("B", 0, 1)], [("B", 1, 2)]]
    for rows in ([0, 0, 3], [2, 1, 2, 2], [1]):
        again = SpanMatch([gold[row] for row in rows], [predicted[row] for row in rows])
        assert SpanMatch(gold, predicted)(np.array(rows)) == pytest.approx(again(np.arange(len(rows))))


def test_duplicates_count_once_and_tables_are_json():
    measure = SpanMatch([[("A", 0, 1), ("A", 0, 1)]], [[("A", 0, 1)]])
    assert measure.by_label() == {"A": {"precision": 1, "recall": 1, "f1": 1, "support": 1, "predicted": 1}}
    json.dumps(measure.by_label())
    assert bootstrap(measure)["f1"].low == 1


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="one length, given 1 and 2"):
        SpanMatch([[]], [[], []])
