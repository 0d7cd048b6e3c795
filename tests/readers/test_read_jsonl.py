import json
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sibu.core.errors import DataError

TEXT = st.text() | st.sampled_from(["天气很好", "😀", '"', "a\nb", "\u2028", "\x0b\x85", "\\u", "\\", "\ufeff"])
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=st.lists(st.dictionaries(TEXT, VALUE, max_size=4), min_size=1, max_size=5), ascii_only=st.booleans())
def test_round_trip(rows, ascii_only, reading, write):
    content = "".join(json.dumps(row, ensure_ascii=ascii_only) + "\n" for row in rows)
    result = reading("jsonl", write("rows.jsonl", content))
    assert result.records == list(enumerate(rows, 1))
    assert result.faults.examples == []


def test_blank_lines_are_no_fault(reading, write):
    result = reading("jsonl", write("a.jsonl", '\n{"a": 1}\n \t\n\n  {"a": 2} \n\n'))
    assert result.records == [(2, {"a": 1}), (5, {"a": 2})]
    assert result.faults.examples == []


@pytest.mark.parametrize(
    ("line", "kind", "message", "mend"),
    [
        ('{"a": 1', "bad json", "expecting ',' delimiter at character 8, given '{\"a\": 1'", "json.dumps"),
        ("nope", "bad json", "expecting value at character 1, given 'nope'", "json.dumps"),
        ('{"a": "x', "bad json", "unterminated string starting at character 7", "Close the text"),
        ('{"a": "x\ty"}', "bad json", "invalid control character at character 9", r"a tab as \t"),
        ("{'a': 1}", "bad json", "enclosed in double quotes at character 2", "in double quotes"),
        ('{"a": 1,}', "bad json", "enclosed in double quotes at character 9", "no comma before"),
        ('{"a": 1} {"a": 2}', "bad json", "one value is followed by more at character 9", "one object on each line"),
        ('{"a": NaN}', "bad json", "The value NaN is not JSON", "Write null"),
        ('{"a": [-Infinity]}', "bad json", "The value -Infinity is not JSON", "Write null"),
        ('{"a": ' + "1" * 5000 + "}", "bad json", "more than 4,300 digits", "as a text"),
        ('{"a":' * 5000 + "1" + "}" * 5000, "bad json", "nested too deeply", "Flatten"),
        ('{"a": 1, "b": 2, "a": 3}', "duplicate key", "has the key 'a' twice", "Keep one"),
        ('{"x": {"a": 1, "a": 1}}', "duplicate key", "has the key 'a' twice", "Keep one"),
        (r'{"a": "\ud83d"}', "half a character", r"escape \ud83d stands alone", "both halves"),
        (r'{"\uDE00": 1}', "half a character", r"escape \ude00 stands alone", "both halves"),
        ("[1, 2]", "not an object", "must be a JSON object, given a list: [1, 2]", "an object such as"),
        ('"text"', "not an object", "given a text: 'text'", "an object such as"),
        ("null", "not an object", "given null: None", "an object such as"),
        ("true", "not an object", "given a truth value: True", "an object such as"),
        ("3.5", "not an object", "given a number: 3.5", "an object such as"),
        ('{"a": "' + "x" * 500 + '"', "bad json", "character 509", "json.dumps"),
    ],
)
def test_faulty_line(line, kind, message, mend, reading, write):
    result = reading("jsonl", write("a.jsonl", f'{{"a": 1}}\n{line}\n{{"a": 3}}\n'))
    assert result.records == [(1, {"a": 1}), (3, {"a": 3})]
    assert result.skipped == 1
    assert result.found == [(kind, 2)]
    assert message in result.fault.message
    assert mend in result.fault.mend
    assert len(str(result.fault)) < 500


def test_both_halves_make_a_character(reading, write):
    assert reading("jsonl", write("a.jsonl", r'{"a": "\ud83d\ude00"}')).rows == [{"a": "😀"}]


@pytest.mark.parametrize("document", ['[\n{"a": 1},\n{"a": 2}\n]\n', '[{"a": 1}, {"a": 2}]\n'])
def test_list_is_told_how_to_become_lines(document, reading, write):
    path = write("a.json", document)
    if "\n" in document.strip():
        with pytest.raises(DataError, match="one JSON document over several lines") as raised:
            reading("jsonl", path)
        message = str(raised.value)
    else:
        result = reading("jsonl", path)
        assert result.found == [("not an object", 1)]
        message = result.fault.mend
    if shutil.which("jq") is None:
        pytest.skip("no jq here")
    subprocess.run(["bash", "-c", message[message.index("jq -c") :]], check=True)
    assert reading("jsonl", path.with_name("a.lines.jsonl")).rows == [{"a": 1}, {"a": 2}]


def test_all_lines_faulty_is_no_empty_file(reading, write):
    result = reading("jsonl", write("a.jsonl", "x\ny\n"))
    assert result.found == [("bad json", 1), ("bad json", 2)]
    assert result.skipped == 2
