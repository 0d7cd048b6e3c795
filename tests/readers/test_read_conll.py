import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sibu.core.errors import DataError

TRICKY = ["天", "😀", "\u3000", "\xa0", "\u2028", "\x0b", "\x0c", "\x85", "\x1c", "#", "O", '"', "\ufeff"]
WORD = st.text(st.characters(codec="utf-8", exclude_characters=" \t\n\r"), min_size=1, max_size=4) | st.sampled_from(
    TRICKY
)
TAG = st.sampled_from(["O", "B-PER", "I-PER", "S-地点", "PER"])
SENTENCES = st.lists(st.lists(st.tuples(WORD, TAG), min_size=1, max_size=4), min_size=1, max_size=4)
QUIET = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
START = "-DOCSTART- -X- O O\n\n"


@QUIET
@given(sentences=SENTENCES, mark=st.sampled_from(["\t", " ", "  ", " \t "]), end=st.sampled_from(["\n", "\r\n"]))
def test_round_trip(sentences, mark, end, reading, write):
    text = START + "\n".join("".join(f"{token}{mark}{tag}\n" for token, tag in lines) for lines in sentences)
    separator = "auto" if mark in ("\t", " ") else "space"
    result = reading("conll", write("a.conll", text.replace("\n", end)), separator=separator)
    assert result.rows == [{"tokens": [t for t, _ in lines], "tags": [g for _, g in lines]} for lines in sentences]
    assert result.faults.examples == []
    starts = [3 + sum(len(lines) + 1 for lines in sentences[:place]) for place in range(len(sentences))]
    assert result.numbers == starts


@QUIET
@given(sentences=st.lists(st.lists(WORD, min_size=1, max_size=4), min_size=1, max_size=4))
def test_round_trip_of_tokens_alone(sentences, reading, write):
    text = START + "\n\n".join("\n".join(tokens) for tokens in sentences)
    result = reading("conll", write("a.txt", text))
    assert result.rows == [{"tokens": tokens} for tokens in sentences]
    assert result.faults.examples == []


def test_columns_are_chosen(reading, write):
    path = write("a.conll", "1 EU NNP B-ORG\n2 rejects VBZ O\n")
    assert reading("conll", path, token_column=1).rows == [{"tokens": ["EU", "rejects"], "tags": ["B-ORG", "O"]}]
    assert reading("conll", path, token_column=-3, tag_column=2).rows[0]["tags"] == ["NNP", "VBZ"]
    assert reading("conll", path, token_column=1, tag_column=None).rows == [{"tokens": ["EU", "rejects"]}]


def test_document_starts_and_comments(reading, write):
    text = "-DOCSTART- O\n\n# id 1\na O\n# text\nb O\n-DOCSTART- O\n#\nc O\n"
    result = reading("conll", write("a.conll", text), comments=True)
    assert result.records == [(4, {"tokens": ["a", "b"], "tags": ["O", "O"]}), (9, {"tokens": ["c"], "tags": ["O"]})]
    kept = reading("conll", write("b.conll", "# O\n#tag O\n"))
    assert kept.rows == [{"tokens": ["#", "#tag"], "tags": ["O", "O"]}]


def test_lines_of_blanks_end_a_sentence(reading, write):
    result = reading("conll", write("a.conll", "a O\n \t \nb O\n\r\n\n\nc O"))
    assert result.numbers == [1, 3, 7]


def test_token_of_a_space_between_tabs(reading, write):
    result = reading("conll", write("a.conll", "a\tO\n \tO\nNew York\tB-LOC \n"))
    assert result.rows == [{"tokens": ["a", " ", "New York"], "tags": ["O", "O", "B-LOC"]}]


@pytest.mark.parametrize(
    ("sentence", "kind", "line", "message"),
    [
        (
            "x O\ny z O\nw O",
            "ragged line",
            4,
            "3 columns where most lines of its sentence (from line 3) have 2: 'y z O'",
        ),
        ("x O\ny", "ragged line", 4, "1 column where most lines of its sentence (from line 3) have 2: 'y'"),
        ("y", "missing tag", 3, "A token and its tag are expected, given one column: 'y'"),
        ("x\tO\ny\t", "empty tag", 4, "The tag is empty: 'y'"),
        ("x\tO\n\tO", "empty token", 4, r"The token is empty: '\tO'"),
    ],
)
def test_faulty_sentence(sentence, kind, line, message, reading, write):
    result = reading("conll", write("a.conll", f"a O\n\n{sentence}\n\nb O\n"))
    assert [row["tokens"] for row in result.rows] == [["a"], ["b"]]
    assert result.skipped == 1
    assert result.found == [(kind, line)]
    assert message in result.fault.message


def test_column_that_is_not_there(reading, write):
    path = write("a.conll", "a O\n\nb X O\n")
    result = reading("conll", path, tag_column=2)
    assert result.numbers == [3]
    assert result.found == [("missing column", 1)]
    assert "There is no column 2 for the tags; the line has 2: 'a O'" in result.fault.message
    assert reading("conll", path, token_column=-3, tag_column=-1).found == [("missing column", 1)]


def test_wrong_byte_costs_its_sentence(reading, write):
    result = reading("conll", write("a.conll", b"a O\n\nb O\nc\xff O\nd\xfe O\n\ne O\n"))
    assert result.numbers == [1, 7]
    assert result.found == [("bad encoding", 4)]
    assert result.skipped == 1


def test_other_text_is_told_from_conll(reading, write):
    with pytest.raises(DataError, match="no blank line in the 10,000 lines from line 1"):
        reading("conll", write("a.txt", "text\tlabel\n" * 10_001))
