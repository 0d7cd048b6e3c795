import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TEXT = st.text(max_size=6) | st.sampled_from(["天气", "😀", "\u2028", "a\nb"])
ANSWER = st.tuples(TEXT, st.integers(-1, 99))
QUESTION = st.tuples(TEXT, TEXT, st.lists(ANSWER, max_size=2), st.booleans())
DATA = st.lists(st.lists(st.tuples(TEXT, st.lists(QUESTION, max_size=2)), max_size=2), min_size=1, max_size=3)


def question(name="q", **other):
    return {"id": name, "question": f"{name}?", "answers": [{"text": "x", "answer_start": 0}]} | other


def document(*questions):
    return {"data": [{"title": "t", "paragraphs": [{"context": "x y", "qas": list(questions)}]}]}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=DATA, ascii_only=st.booleans(), indent=st.sampled_from([None, 1]))
def test_round_trip(data, ascii_only, indent, reading, write):
    expected, articles = [], []
    for article in data:
        paragraphs = []
        for context, questions in article:
            qas = []
            for name, text, answers, impossible in questions:
                given_answers = [{"text": t, "answer_start": s} for t, s in answers]
                qas.append({"id": name, "question": text, "answers": given_answers, "is_impossible": impossible})
                renamed = [{"text": t, "start": s} for t, s in answers]
                expected.append(
                    {"id": name, "question": text, "context": context, "answers": renamed, "is_impossible": impossible}
                )
            paragraphs.append({"context": context, "qas": qas})
        articles.append({"paragraphs": paragraphs})
    content = json.dumps({"version": "v2.0", "data": articles}, ensure_ascii=ascii_only, indent=indent)
    result = reading("squad", write("a.json", content))
    assert result.records == list(enumerate(expected, 1))
    assert result.found == ([] if expected else [("no records", None)])


def test_questions_without_answers(reading, write):
    impossible = question("b", is_impossible=True, plausible_answers=[{"text": "y", "answer_start": 2}])
    del impossible["answers"]
    unknown = {"id": "c", "question": "c?"}
    rows = reading("squad", write("a.json", json.dumps(document(question("a"), impossible, unknown)))).rows
    assert [row["answers"] for row in rows] == [[{"text": "x", "start": 0}], [], None]
    assert [row["is_impossible"] for row in rows] == [False, True, False]
    assert rows[1].keys() == {"id", "question", "context", "answers", "is_impossible"}


PLACE = "data[0].paragraphs[0].qas[1]"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("text", f"{PLACE} must be an object, given 'text'"),
        ({"id": "x"}, f"{PLACE} lacks 'question' (a text); it has ['id']"),
        (question(question=None), f"{PLACE}.question must be a text, given None"),
        (question(answers={}), f"{PLACE}.answers must be a list, given {{}}"),
        (question(answers=[1]), f"{PLACE}.answers[0] must be an object, given 1"),
        (
            question(answers=[{"text": "x"}]),
            f"{PLACE}.answers[0] lacks 'answer_start' (a whole number); it has ['text']",
        ),
        (question(answers=[{"text": 1, "answer_start": 0}]), f"{PLACE}.answers[0].text must be a text, given 1"),
        (question(answers=[{"text": "x", "answer_start": True}]), "answer_start must be a whole number, given True"),
        (question(answers=[{"text": "x", "answer_start": 1.5}]), "answer_start must be a whole number, given 1.5"),
    ],
)
def test_malformed_question(wrong, message, reading, write):
    result = reading("squad", write("a.json", json.dumps(document(question("a"), wrong, question("c")))))
    assert [(number, row["id"]) for number, row in result.records] == [(1, "a"), (3, "c")]
    assert result.found == [("malformed", 2)]
    assert message in result.fault.message
    assert 'The form is {"data": [{"paragraphs": [{"context", "qas"' in result.fault.mend
    assert result.skipped == 1


@pytest.mark.parametrize(
    ("paragraph", "message", "row", "lost"),
    [
        (1, "data[1].paragraphs[0] must be an object, given 1", None, 1),
        ({"context": "x"}, "data[1].paragraphs[0] lacks 'qas' (a list)", None, 1),
        ({"qas": [question("x"), question("y")]}, "data[1].paragraphs[0] lacks 'context' (a text)", 2, 2),
    ],
)
def test_malformed_paragraph(paragraph, message, row, lost, reading, write):
    good = document(question("a"))["data"]
    result = reading("squad", write("a.json", json.dumps({"data": [*good, {"paragraphs": [paragraph]}, *good]})))
    assert [row["id"] for row in result.rows] == ["a", "a"]
    assert result.numbers[-1] == 2 + (lost if row else 0)
    assert result.found == [("malformed", row)]
    assert message in result.fault.message
    assert result.skipped == lost


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        ("[]", "malformed", "The document must be an object, given []"),
        ('{"version": 1}', "malformed", "The document lacks 'data' (a list); it has ['version']"),
        ('{"data": [1]}', "malformed", "data[0] must be an object, given 1"),
        ('{"data": [{"title": "t"}]}', "malformed", "data[0] lacks 'paragraphs' (a list)"),
        ('{"data": [\n{"a": 1}, x]}', "bad json", "expecting value at line 2, character 11"),
        ('{"data": [], "data": []}', "duplicate key", "has the key 'data' twice"),
        ("", "bad json", "expecting value at character 1"),
        ('{"data": []}', "no records", "the document holds no question"),
    ],
)
def test_malformed_document(content, kind, message, reading, write):
    result = reading("squad", write("a.json", content))
    assert result.records == []
    assert result.found == [(kind, None)]
    assert message in result.fault.message
