"""Wrong answers show what was right and what was said, whatever the task and the text."""

import re

import pytest

from sibu.pipeline.report.marks import MOST_TEXT, Mark, marked, wrong_answers

from_html = re.compile(r"<[^>]*>")


def test_marks_stand_where_they_should():
    assert marked("Ann in Rome", [Mark(0, 3, "right", "PER")]) == '<mark class="right">Ann<i>PER</i></mark> in Rome'


def test_overlapping_marks_are_cut_at_every_edge():
    found = marked("abcdef", [Mark(0, 4, "missed", "g"), Mark(2, 6, "false", "p")])
    assert found == (
        '<mark class="missed">ab</mark><mark class="missed false">cd<i>g</i></mark>'
        '<mark class="false">ef<i>p</i></mark>'
    )


def test_marks_outside_the_text_are_cut_or_left_out():
    assert marked("abc", [Mark(-5, 2, "x"), Mark(7, 9, "y"), Mark(2, 2, "z")]) == '<mark class="x">ab</mark>c'
    assert marked("", []) == ""


def test_text_is_escaped_and_control_characters_are_replaced():
    assert marked("<b>\x00&", [Mark(0, 1, "x", "<i>")]) == '<mark class="x">&lt;<i>&lt;i&gt;</i></mark>b&gt;\ufffd&amp;'


def test_a_long_text_shows_the_surroundings_of_its_marks():
    text = "a" * 3000 + "HERE" + "b" * 3000 + "THERE" + "c" * 3000
    found = marked(text, [Mark(3000, 3004, "x"), Mark(6004, 6009, "y")])
    plain = from_html.sub("", found)
    assert "HERE" in found
    assert "THERE" in found
    assert len(plain) < MOST_TEXT + 10
    assert plain.count("…") == 3


def test_a_long_text_without_marks_shows_its_beginning():
    found = marked("ab" * 3000, [])
    assert found.startswith("abab")
    assert len(from_html.sub("", found)) == MOST_TEXT + 1


def test_many_marks_do_not_lengthen_a_text_without_end():
    text = "word " * 20_000
    found = marked(text, [Mark(place, place + 4, "x", "L") for place in range(0, 100_000, 5)])
    assert len(found) < 20_000


def chips(some):
    return [(chip.text, chip.kind) for chip in some]


def test_one_label():
    (wrong,) = wrong_answers(
        "classify", [{"row": {"text": "a", "label": "x"}, "prediction": {"value": "y", "score": 0.9}}]
    )
    assert chips(wrong.gold) == [("x", "missed")]
    assert chips(wrong.said) == [("y", "false")]
    assert wrong.score == 0.9
    assert [line.caption for line in wrong.lines] == [""]


def test_several_labels_and_a_pair():
    error = {"row": {"text": "a", "text_pair": "b", "label": ["x", "y"]}, "prediction": {"value": ["y", "z"]}}
    (wrong,) = wrong_answers("classify", [error])
    assert chips(wrong.gold) == [("x", "missed"), ("y", "right")]
    assert chips(wrong.said) == [("y", "right"), ("z", "false")]
    assert [line.caption for line in wrong.lines] == ["text", "pair"]
    none = {"row": {"text": "a", "label": []}, "prediction": {"value": ["z"]}}
    assert chips(wrong_answers("classify", [none])[0].gold) == [("no label", "plain")]


def test_tags_become_marked_spans():
    error = {
        "row": {"tokens": ["Ann", "在", "北", "京"], "tags": ["B-PER", "O", "B-LOC", "I-LOC"]},
        "prediction": {"value": [{"start": 0, "end": 3, "label": "PER"}, {"start": 4, "end": 5, "label": "LOC"}]},
    }
    (wrong,) = wrong_answers("tag", [error])
    gold, said = (str(line.text) for line in wrong.lines)
    assert gold == '<mark class="right">Ann<i>PER</i></mark>在<mark class="missed">北京<i>LOC</i></mark>'
    assert said == '<mark class="right">Ann<i>PER</i></mark>在<mark class="false">北<i>LOC</i></mark>京'
    assert wrong.note == "1 missed, 1 false, 1 right"


def test_an_answer_and_no_answer():
    errors = [
        {
            "row": {"question": "who?", "context": "Ann and Bob", "answers": [{"text": "Ann", "start": 0}]},
            "prediction": {"value": {"text": "Bob", "start": 8, "end": 11}},
        },
        {"row": {"question": "who?", "context": "Ann", "answers": []}, "prediction": {"value": None}},
    ]
    one, none = wrong_answers("extract", errors)
    assert str(one.lines[1].text) == (
        '<mark class="missed">Ann<i>gold</i></mark> and <mark class="false">Bob<i>predicted</i></mark>'
    )
    assert chips(none.gold) == chips(none.said) == [("no answer", "plain")]


def test_relations_name_their_ends():
    error = {
        "row": {
            "text": "Ann of Acme",
            "entities": [{"start": 0, "end": 3, "label": "PER"}, {"start": 7, "end": 11, "label": None}],
            "relations": [{"head": 0, "tail": 1, "label": "of"}],
        },
        "prediction": {"value": []},
    }
    (wrong,) = wrong_answers("relate", [error])
    assert chips(wrong.gold) == [("Ann → of → Acme", "missed")]
    assert chips(wrong.said) == [("no relation", "plain")]


def test_numbers_say_how_far_off():
    (wrong,) = wrong_answers("regress", [{"row": {"text": "a", "number": 2.0}, "prediction": {"value": 2.75}}])
    assert wrong.note == "off by +0.750"


@pytest.mark.parametrize("kind", ["classify", "regress", "tag", "extract", "relate", "what is this"])
@pytest.mark.parametrize("error", [{}, {"row": {"x": [1]}, "prediction": {"value": {"y": "</i>"}}}, {"row": None}])
def test_what_is_not_understood_is_shown_as_it_is(kind, error):
    (wrong,) = wrong_answers(kind, [error])
    assert all("</i>" not in str(line.text) for line in wrong.lines)


def test_what_was_written_stands_below_what_was_asked() -> None:
    row = {"messages": [{"role": "user", "content": "a <b>?"}, {"role": "assistant", "content": "right"}]}
    evidence = [
        {"kind": "reward", "content": {"total": 0.5, "length": 0.25}},
        {"kind": "limit", "content": 8},
    ]
    (found,) = wrong_answers("reinforce", [{"row": row, "prediction": {"value": "我", "evidence": evidence}}])
    assert [(line.caption, str(line.text)) for line in found.lines] == [
        ("user", "a &lt;b&gt;?"),
        ("right", "right"),
        ("written", "我"),
    ]
    assert found.lines[2].language == "zh"
    assert found.note == "total 0.500, length 0.250; cut at 8 pieces"
    row = {"text": "what", "target": ["one", "two"]}
    (found,) = wrong_answers("generate", [{"row": row, "prediction": {"value": "three"}}])
    assert [line.caption for line in found.lines] == ["text", "right", "right", "written"]


def test_a_pair_shows_both_answers() -> None:
    row = {"text": "what", "chosen": "good", "rejected": "bad"}
    (found,) = wrong_answers("prefer", [{"row": row, "prediction": {"value": None}}])
    assert [(line.caption, str(line.text)) for line in found.lines] == [
        ("text", "what"),
        ("chosen", "good"),
        ("rejected", "bad"),
    ]
