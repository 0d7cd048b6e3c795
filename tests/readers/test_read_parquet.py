import tracemalloc
from datetime import date

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from sibu.core.errors import DataError
from sibu.core.example import Faults
from sibu.readers import READERS

ROW = st.fixed_dictionaries(
    {
        "text": st.none() | st.text() | st.sampled_from(["天气", "😀", "\u2028"]),
        "label": st.integers(-5, 5),
        "answers": st.lists(st.fixed_dictionaries({"text": st.text(), "start": st.integers(0, 9)}), max_size=2),
        "score": st.floats(allow_nan=False),
    }
)
SCHEMA = pa.schema(
    {
        "text": pa.string(),
        "label": pa.int64(),
        "answers": pa.list_(pa.struct({"text": pa.string(), "start": pa.int64()})),
        "score": pa.float64(),
    }
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=st.lists(ROW, min_size=1, max_size=5))
def test_round_trip(rows, reading, tmp_path):
    parquet.write_table(pa.Table.from_pylist(rows, SCHEMA), tmp_path / "a.parquet")
    assert reading("parquet", tmp_path / "a.parquet").records == list(enumerate(rows, 1))


def test_rows_are_counted_over_batches_and_row_groups(reading, tmp_path):
    parquet.write_table(pa.table({"n": range(1, 10_001)}), tmp_path / "a.parquet", row_group_size=3000)
    result = reading("parquet", tmp_path / "a.parquet")
    assert all(number == row["n"] for number, row in result.records)
    assert len(result.records) == 10_000


def texts(values):
    """A column of texts as a careless program writes it: bytes that nobody checked."""
    return pa.Array.from_buffers(pa.string(), len(values), pa.array(values).buffers())


def test_row_with_wrong_bytes(reading, tmp_path):
    table = pa.table({"n": [1, 2, 3], "text": texts([b"a", b"b\xff", b"c"])})
    parquet.write_table(table, tmp_path / "a.parquet")
    result = reading("parquet", tmp_path / "a.parquet")
    assert result.records == [(1, {"n": 1, "text": "a"}), (3, {"n": 3, "text": "c"})]
    assert result.found == [("bad encoding", 2)]
    assert "Column 'text' is not UTF-8: byte 2 of the text is 0xFF" in result.fault.message
    assert result.skipped == 1


def test_value_beyond_python(reading, tmp_path):
    days = pa.array([0, 10_000_000], pa.int32()).cast(pa.date32())
    parquet.write_table(pa.table({"day": days}), tmp_path / "a.parquet")
    result = reading("parquet", tmp_path / "a.parquet")
    assert result.records == [(1, {"day": date(1970, 1, 1)})]
    assert result.found == [("bad value", 2)]
    assert "Column 'day' holds a date32[day] that Python cannot hold" in result.fault.message


@pytest.mark.parametrize("content", [b"", b"text,label\na,b\n", b"PAR1" + b"x" * 100 + b"PAR1"])
def test_no_parquet(content, reading, write):
    with pytest.raises(DataError, match=r"a\.parquet is not a Parquet file that can be read: .* or name its format"):
        reading("parquet", write("a.parquet", content))


def test_damaged_further_on(tmp_path):
    path = tmp_path / "a.parquet"
    parquet.write_table(
        pa.table({"n": [str(n) for n in range(100_000)]}), path, row_group_size=20_000, use_dictionary=False
    )
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20_000] = b"\xff" * 20_000
    path.write_bytes(content)
    records = READERS["parquet"].build(READERS["parquet"].spec())(str(path), Faults())
    with pytest.raises(DataError, match=r"is damaged after row \d+: .*Copy or write it again"):
        list(records)


def test_two_columns_of_one_name(reading, tmp_path):
    table = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(DataError, match="more than one column named 'a'"):
        reading("parquet", tmp_path / "a.parquet")


def test_no_rows(reading, tmp_path):
    parquet.write_table(pa.table({"a": pa.array([], pa.string())}), tmp_path / "a.parquet")
    assert reading("parquet", tmp_path / "a.parquet").found == [("no records", None)]


def test_memory_stays_constant(tmp_path):
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"text": [f"the quick brown fox {n}" for n in range(200_000)]}), path)
    tracemalloc.start()
    try:
        read = READERS["parquet"].build(READERS["parquet"].spec())
        assert sum(1 for _ in read(str(path), Faults())) == 200_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000
