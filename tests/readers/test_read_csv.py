import csv
import io
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sibu.readers.csv.read import LONGEST

TRICKY = [
    "天气很好",
    "😀",
    '"',
    '""',
    "a\nb",
    "\r\n",
    "\r",
    "\u2028",
    "\x0b\x85",
    ",",
    ";",
    "\t",
    "",
    " ",
    "\ufeff",
    "'",
]
CELL = st.text(max_size=8) | st.sampled_from(TRICKY) | st.lists(st.sampled_from(TRICKY), max_size=4).map("".join)
QUIET = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def written(rows, **options):
    buffer = io.StringIO(newline="")
    csv.writer(buffer, **options).writerows(rows)
    return buffer.getvalue()


@QUIET
@given(
    rows=st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=5),
    delimiter=st.sampled_from(",;\t|，"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_round_trip(rows, delimiter, quoting, reading, write):
    names = ("text", "标签", "c d")
    content = written([names, *rows], delimiter=delimiter, quoting=quoting)
    name, options = ("tsv", {"quote": "double"}) if delimiter == "\t" else ("csv", {"delimiter": delimiter})
    result = reading(name, write("a.csv", content), **options)
    assert result.rows == [dict(zip(names, row, strict=True)) for row in rows]
    assert result.faults.examples == []
    starts = [1 + written([names, *rows[:place]]).count("\n") for place in range(len(rows))]
    assert result.numbers == starts


@QUIET
@given(rows=st.lists(st.lists(CELL, min_size=1, max_size=1), min_size=1))
def test_round_trip_of_one_column(rows, reading, write):
    result = reading("csv", write("a.csv", "\ufeff" + written(rows)), header=["text"])
    assert result.rows == [{"text": row[0]} for row in rows]


PLAIN = st.text(st.characters(codec="utf-8", exclude_characters="\t\n\r"), max_size=8) | st.sampled_from(
    ['"', '"a', "\u2028"]
)


@QUIET
@given(rows=st.lists(st.tuples(PLAIN, PLAIN), min_size=1, max_size=5), end=st.sampled_from(["\n", "\r\n"]))
def test_round_trip_of_tsv(rows, end, reading, write):
    content = end.join("\t".join(row) for row in [("a", "b"), *rows]) + end
    result = reading("tsv", write("a.tsv", content))
    assert result.records == [(number, {"a": row[0], "b": row[1]}) for number, row in enumerate(rows, 2)]


def test_rows_start_where_their_first_cell_starts(reading, write):
    result = reading("csv", write("a.csv", 'a,b\n"1\n\n2",x\n\n3,"y\r\nz"\n5,6'))
    assert result.records == [(2, {"a": "1\n\n2", "b": "x"}), (6, {"a": "3", "b": "y\r\nz"}), (8, {"a": "5", "b": "6"})]
    assert result.faults.examples == []


def test_header_option_makes_the_first_line_a_record(reading, write):
    for name, mark in (("csv", ","), ("tsv", "\t")):
        result = reading(name, write("a", f"1{mark}2\n3{mark}\n"), header=["x", "y"])
        assert result.records == [(1, {"x": "1", "y": "2"}), (2, {"x": "3", "y": ""})]


def test_quotes_may_mean_nothing(reading, write):
    rows = [{"a": '"open', "b": '5" disk'}]
    assert reading("csv", write("a.csv", 'a,b\n"open,5" disk\n'), quote="none").rows == rows
    assert reading("tsv", write("a.tsv", 'a\tb\n"open\t5" disk\n')).rows == rows


@pytest.mark.parametrize(
    ("line", "kind", "message", "mend"),
    [
        ("1,2,3", "ragged line", "has 3 cells where the header has 2 ('a', 'b'): ['1', '2', '3']", "in double quotes"),
        ("1", "ragged line", "has 1 cell where the header has 2 ('a', 'b')", "Add the missing cells"),
        ('"1,2', "unclosed quote", "opens in the record at line 3 and is not closed by line 4", "quote: none"),
        ('"1"x,2', "bad quotes", "record at line 3 has text behind a closing double quote in line 3", "written twice"),
        ("1,x\ry", "bad line end", "A carriage return stands alone", r"tr '\r' '\n'"),
    ],
)
def test_faulty_record(line, kind, message, mend, reading, write):
    result = reading("csv", write("a.csv", f"a,b\n1,2\n{line}\n3,4\n"))
    assert result.records == [(2, {"a": "1", "b": "2"}), (4, {"a": "3", "b": "4"})]
    assert result.skipped == 1
    assert result.found == [(kind, 3)]
    assert message in result.fault.message
    assert mend in result.fault.mend


def test_ragged_tsv(reading, write):
    result = reading("tsv", write("a.tsv", "a\tb\n1\t2\t3\n4\t5\n"))
    assert result.numbers == [3]
    assert result.found == [("ragged line", 2)]
    assert r"Replace '\t' inside a cell" in result.fault.mend


def test_wrong_delimiter_is_guessed(reading, write):
    result = reading("csv", write("a.csv", "text;label\nwell, yes;x\n"))
    assert "as if ';' stood between its cells: set the reader's option `delimiter`" in result.fault.mend


def test_stray_quote_costs_one_row(reading, write):
    lines = ["a,b", *(f"{number},x" for number in range(500)), '7,"stray', *(f"{number},y" for number in range(500))]
    result = reading("csv", write("a.csv", "\n".join(lines)))
    assert len(result.rows) == 1000
    assert result.found == [("unclosed quote", 502)]
    assert result.skipped == 1


def test_stray_quote_before_a_quoted_row_costs_one_row(reading, write):
    result = reading("csv", write("a.csv", 'a,b\n1,"stray\n2,x\n3,"fine, too"\n4,y\n'))
    assert result.numbers == [3, 4, 5]
    assert result.found == [("bad quotes", 2)]
    assert "in line 4" in result.fault.message


def test_stray_quote_does_not_hold_the_file_in_memory(reading, write):
    line = b"x" * 999 + b",y\n"
    path = write("a.csv", b'a,b\n"1,2\n' + line * (8 * LONGEST // len(line)))
    tracemalloc.start()
    try:
        result = reading("csv", path)
        result_count = len(result.rows)
        held = sum(len(row["a"]) for row in result.rows)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert result_count == 8 * LONGEST // len(line)
    assert result.found == [("unclosed quote", 2)]
    assert peak - held < 8 * LONGEST


def test_long_cells_are_read(reading, write):
    cell = "x" * 1_000_000 + "\n"
    assert reading("csv", write("a.csv", written([("a", "b"), (cell, "1")]))).rows == [{"a": cell, "b": "1"}]


def test_wrong_byte_inside_a_record_of_several_lines(reading, write):
    result = reading("csv", write("a.csv", b'a,b\n1,2\n"x\ny\xff\nz",3\n4,5\n'))
    assert result.numbers == [2, 6]
    assert result.found == [("bad encoding", 3)]
    assert "Line 4 is not UTF-8: byte 2 of it is 0xFF" in result.fault.message
    assert result.skipped == 1


def test_wrong_byte_and_stray_quote(reading, write):
    result = reading("csv", write("a.csv", b'a,b\n"\xff\n3,\xfe\n4,5\n'))
    assert result.numbers == [4]
    assert result.found == [("bad encoding", 2), ("bad encoding", 3)]
    assert result.skipped == 2


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("a,b,a", "The header names 'a' more than once; given 'a', 'b', 'a'"),
        (",a,", "Column 1 of the header has no name"),
        ("a,b\rc", "carriage return"),
    ],
)
@pytest.mark.parametrize("name", ["csv", "tsv"])
def test_faulty_header(name, header, message, reading, write):
    header = header if name == "csv" else header.replace(",", "\t")
    result = reading(name, write("a", f"\n{header}\n1,2,3\n"))
    assert result.records == []
    ((kind, row),) = result.found
    assert row == 2
    if (name, kind) != ("csv", "bad line end"):
        assert kind == "bad header"
        assert message in result.fault.message


@pytest.mark.parametrize(("header", "place"), [(",a,b", 1), ("a,,b", 2), ("a,b,", 3)])
def test_a_column_without_name_is_left_out_and_said(header, place, reading, write):
    result = reading("csv", write("a.csv", f"{header}\n1,2,3\n"))
    ((_, record),) = result.records
    assert sorted(record) == ["a", "b"]
    (fault,) = result.faults.examples
    assert fault.severity == "warning"
    assert f"Column {place} of the header has no name; it is left out" in fault.message


def test_unreadable_header(reading, write):
    for name in ("csv", "tsv"):
        result = reading(name, write("a", b"a\xff\n1\n2\n"))
        assert result.records == []
        assert result.found == [("bad encoding", 1)]


def test_header_alone(reading, write):
    result = reading("csv", write("a.csv", "a,b\n"))
    assert "No records: no line follows the header" in result.fault.message
