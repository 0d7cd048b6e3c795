"""Readings are read whole with their clock, or refused with the row; their rate can be changed."""

import gzip
import io
import math
import re
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from sibu.core.columns import Column
from sibu.core.errors import DataError
from sibu.media.series import Series, read_series, resampled, series_faults

CSV = b"time,hr,spo2\n0,80,0.97\n0.5,NA,0.98\n0.5,82.5,\n2,83,0.99\n"
VALUES = [[80, 0.97], [np.nan, 0.98], [82.5, np.nan], [83, 0.99]]


def as_parquet(columns):
    stream = io.BytesIO()
    parquet.write_table(pa.table(columns), stream)
    return stream.getvalue()


def as_npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        CSV,
        CSV.replace(b",", b"\t"),
        CSV.replace(b",", b";"),
        CSV.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + CSV,
        b"\n".join(CSV.splitlines()) + b"\n\n\n",
        CSV.replace(b"2,83", b"\n2,83").replace(b"80", b'"80"').replace(b"time", b" time"),
        gzip.compress(CSV),
        as_parquet({"time": [0, 0.5, 0.5, 2], "hr": [80, None, 82.5, 83], "spo2": [0.97, 0.98, None, 0.99]}),
    ],
)
def test_formats_are_read_from_files_and_bytes_alike(tmp_path, data):
    (tmp_path / "读数").write_bytes(data)
    for source in (data, tmp_path / "读数", str(tmp_path / "读数")):
        found = read_series(source, time="time")
        assert found.names == ("hr", "spo2")
        np.testing.assert_array_equal(found.times, [0, 0.5, 0.5, 2])
        np.testing.assert_array_equal(found.values, np.float32(VALUES))
        assert (found.values.dtype, found.times.dtype, found.start) == (np.float32, np.float64, None)
        assert (found.seconds, found.rate) == (2.0, 2.0)


def test_what_is_read_of_a_file_that_is_not_small(tmp_path):
    rows = 200_000
    text = b"time,a\n" + b"".join(b"%d,%d\n" % (number, number % 7) for number in range(rows))
    (tmp_path / "long.csv").write_bytes(text)
    found = read_series(tmp_path / "long.csv", time="time")
    np.testing.assert_array_equal(found.values[:, 0], np.arange(rows) % 7)
    with pytest.raises(DataError, match=r"long\.csv holds .* numbers or more; at most 1,000 are read"):
        read_series(tmp_path / "long.csv", time="time", most=1000)


def test_numbers_of_an_array():
    array = np.array([[0, 1.5], [1, 2.5], [3, np.nan]])
    found = read_series(as_npy(array), time="0")
    assert found.names == ("1",)
    np.testing.assert_array_equal(found.times, [0, 1, 3])
    np.testing.assert_array_equal(found.values, np.float32([[1.5], [2.5], [np.nan]]))
    found = read_series(as_npy(np.arange(5, dtype=np.int16)), rate=50)
    np.testing.assert_array_equal(found.times, np.arange(5) / 50)
    assert found.values.shape == (5, 1)


def test_a_text_without_a_header():
    found = read_series(b"0,1,2\n1,NA,4\n")
    assert found.names == ("0", "1", "2")
    assert len(found.times) == 2
    assert len(read_series(b"0,1,2\n1,NA,4\n", header=True).times) == 1
    with pytest.raises(DataError, match="line 1 has 'a' in '0', where a number is expected"):
        read_series(b"a,b\n1,2\n", header=False)


def test_channels_are_chosen_and_ordered():
    found = read_series(CSV, channels=["spo2", "hr"])
    np.testing.assert_array_equal(found.values, np.float32(VALUES)[:, ::-1])
    np.testing.assert_array_equal(found.times, np.arange(4))
    assert read_series(b"id,a,id\nx,1,y\n", channels=["a"]).values.tolist() == [[1]]


@pytest.mark.parametrize(
    ("texts", "seconds", "start"),
    [
        (["2026-05-01T13:00:00", "2026-05-01 13:00:01.25", "2026-05-02T13:00:00"], [0, 1.25, 86400], 1777640400),
        (["2026/05/01 13:00", "2026/05/01 13:01"], [0, 60], 1777640400),
        (["2026-05-01", "2026-05-03"], [0, 172800], 1777593600),
        (["2026-05-01T13:00:00Z", "2026-05-01T15:00:00.5+02:00"], [0, 0.5], 1777640400),
        (["2026-05-01T13:00:00+08:00", "20260501T130000.250+0800"], [0, 0.25], 1777611600),
    ],
)
def test_dates_become_seconds_from_the_first(texts, seconds, start):
    data = "\n".join(["at,a", *(f"{text},1" for text in texts)]).encode()
    found = read_series(data, time="at")
    np.testing.assert_allclose(found.times, seconds, atol=1e-9)
    assert found.start == start


def test_dates_of_parquet():
    for kind, data in ((pa.timestamp("ns"), [1_000_000_000, 1_000_000_123]), (pa.timestamp("ms", "UTC"), [1000, 1007])):
        found = read_series(as_parquet({"t": pa.array(data, kind), "a": [1, 2]}), time="t")
        step = 123e-9 if kind.unit == "ns" else 7e-3
        np.testing.assert_allclose(found.times, [0, step], rtol=1e-12)
        assert found.start == 1.0
    found = read_series(as_parquet({"t": pa.array([1, 3], pa.date32()), "a": [True, None]}), time="t")
    assert found.times.tolist() == [0, 172800]
    np.testing.assert_array_equal(found.values, [[1], [np.nan]])


def test_units_of_the_clock():
    np.testing.assert_allclose(read_series(b"t,a\n1000,1\n1500,2\n", time="t", unit="ms").times, [1.0, 1.5])


def test_readings_of_the_row():
    column = Column("vitals", "series", "input")
    found = read_series(column.clean('{"values": [[1, null], [2, 5]], "time": [0, 2.5]}'))
    np.testing.assert_array_equal(found.values, np.float32([[1, np.nan], [2, 5]]))
    assert found.times.tolist() == [0, 2.5]
    found = read_series(column.clean([1, 2, 3]), rate=10)
    assert found.times.tolist() == [0, 0.1, 0.2]
    assert read_series(column.clean([[1, 2], [3, 4]]), channels=["1"]).values.tolist() == [[2], [4]]
    with pytest.raises(DataError, match="reading 2: 1 s after 2 s"):
        read_series({"values": [[1], [2]], "time": [2, 1]})
    named = {"values": [[1], [2]], "names": ["xy"]}
    with pytest.raises(DataError, match=r"^The row's stream has no column 'x'. Did you mean 'xy'\? It has 'xy'\.$"):
        read_series(named, channels=["x"])
    bare = {"values": [[1], [2]]}
    with pytest.raises(DataError, match=r"no channel 'x', but 1 channel without names\. Name them, in their order, as"):
        read_series(bare, channels=["x"])
    assert read_series(bare | {"names": ["x"]}, channels=["x"]).names == ("x",)
    for wrong, message in [
        ({"values": []}, "stream is empty"),
        ({"values": [[1], [1, 2]]}, "does not hold numbers in rows of equal length"),
        ({"values": [["x"]]}, "does not hold numbers"),
        ({"values": [[10**400]]}, "does not hold numbers"),
        ({"values": [[1], [2]], "time": [1]}, "has 2 readings and 1 times; each needs one"),
        ({"values": [[1], [2]], "time": [[1], [2]]}, r"a `time` of the shape \(2, 1\)"),
        ({"values": [[[1]]]}, "has the shape"),
        ({"values": [[1e60]]}, r"reading 1 has 1e\+60 in '0', which does not fit into 32 bits \(at most 3.4e\+38"),
        ({"values": [[math.inf]]}, "reading 1 has inf in '0'; a finite number is expected"),
    ]:
        with pytest.raises(DataError, match=message):
            read_series(wrong)


def test_dates_of_the_row_are_those_of_a_file():
    dates = ["2026-05-01T13:00:00", "2026-05-01T13:00:00.5", "2026/05/02 13:00:00"]
    file = "t,a\n" + "".join(f"{each},{n}\n" for n, each in enumerate(dates))
    known = read_series(file.encode(), time="t")
    column = Column("vitals", "series", "input")
    found = read_series(column.clean({"values": [0, 1, 2], "time": dates}), time="t")
    assert found.times.tolist() == known.times.tolist() == [0, 0.5, 86400]
    assert found.start == known.start == datetime(2026, 5, 1, 13, tzinfo=UTC).timestamp()
    assert read_series(column.clean({"values": [0, 1], "time": ["0", " 2.5"]})).times.tolist() == [0, 2.5]
    for wrong, message in [
        (["2026-05-01", "noon"], r"reading 2 has 'noon' in the clock 'time'; allowed are numbers, and dates such as"),
        ([0, "2026-05-01"], "reading 1 has '0' in the clock 'time'; allowed are numbers, and dates such as"),
        (["2026-05-01", ""], "the clock 'time' has no value in reading 2"),
    ]:
        with pytest.raises(DataError, match=message):
            read_series(column.clean({"values": [0, 1], "time": wrong}))
    for value, message in [
        (
            {"values": [0, 1], "time": [0, None]},
            r"^has nothing \(null\) as the `time` of reading 2; allowed are numbers",
        ),
        (
            {"values": [0, 1], "time": [0, 10**400]},
            r"as the `time` of reading 2; allowed are numbers, and dates such as",
        ),
        (
            {"values": [0, "x"]},
            r'^has "x" in reading 2, where a finite number is expected \(null where it is missing\)$',
        ),
        ({"values": [0, 10**400]}, r"^has 10+\.\.\. in reading 2, where a finite number is expected"),
    ]:
        with pytest.raises(ValueError, match=message):
            column.clean(value)


def test_a_row_has_a_clock_where_streams_have_one():
    bare = {"values": [[1], [2]]}
    for time in ("time", "zeit"):
        said = rf"^The row's stream has no clock, and streams have a clock \(`time: {time}`\)\. Give the second or date"
        with pytest.raises(DataError, match=said):
            read_series(bare, time=time)
        assert read_series(bare | {"time": [0, 3]}, time=time).times.tolist() == [0, 3]
    assert read_series(bare).times.tolist() == [0, 1]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([0, 0, 0], r"the clock 'time' stands still: all 3 readings are at 0 s\. Give each reading its own time\."),
        ([7.5, 7.5, 7.5], r"stands still: all 3 readings are at 7\.5 s"),
        ([0, 1e-300, 2e-300], "stands still"),
        ([0, 1e300, 2e300], r"leaps from 0 s to 1e\+300 s at reading 2; a stream lasts at most 1e\+11 s\. Mend the"),
        ([-1e308, 0, 1e308], r"leaps from -1e\+308 s to 0 s at reading 2"),
        ([-1.7e308, 1.7e308, 1.75e308], r"leaps from -1\.7e\+308 s to 1\.7e\+308 s at reading 2"),
        ([0, 0.1, 1e12], r"leaps from 0\.1 s to 1e\+12 s at reading 3"),
        (
            [0, 6e10, 1.2e11],
            r"the clock 'time' runs from 0 s to 1\.2e\+11 s; a stream lasts at most 1e\+11 s\. Mend the",
        ),
        ([0, 1e308, -1e308], r"runs backwards at reading 3: -1e\+308 s after 1e\+308 s"),
    ],
)
def test_clocks_that_stand_still_or_leap(times, message):
    inline = {"values": [[1], [2], [3]], "time": times}
    lines = "time,a\n" + "".join(f"{each!r},{n}\n" for n, each in enumerate(times, 1))
    of_file = re.sub(r"reading (\d)", lambda found: f"line {int(found[1]) + 1}", message)
    for source, said in ((inline, message), (lines.encode(), of_file)):
        with pytest.raises(DataError, match=said) as why:
            read_series(source, time="time")
        assert len(str(why.value)) < 300


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("data", [b"a,x\n1,2\n3,1e308\n", as_npy(np.array([[1, 2], [3, 1e308]])),
                                  as_parquet({"a": [1.0, 3.0], "x": [2.0, 1e308]})])  # fmt: skip
def test_what_does_not_fit_is_told_as_it_was_given(data):
    with pytest.raises(DataError, match=r"has 1e\+308 in '[x1]', which does not fit into 32 bits \(at most 3.4e\+38 "):
        read_series(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"time,hr\n1,80\n\n3,81\n2,82\n9,1\n8,1\n", r"runs backwards at line 5: 2 s after 3 s, and at 1 other\. Sort"),
        (b"time,hr\n1,80\n,81\n", "the clock 'time' has no value in line 3"),
        (b"time,hr\n1,80\nNaN,81\nnull,82\n", "no value in line 3 and 1 other"),
        (b"time,hr\n1,80\n2,high\n", "line 3 has 'high' in 'hr', where a number is expected. Leave the place empty"),
        ("time,hr\n1,八十\n".encode(), "line 2 has '八十' in 'hr'"),
        (b"time,hr\n1,80\n2,1_0\n", "line 3 has '1_0'"),
        (b"time,hr\n1,80\n2,inf\n", "line 3 has inf in 'hr'; a finite number is expected"),
        (b"time,hr\n1,80\n2\n", r"line 3 has 1 cell where the first line has 2\. Is the file cut off"),
        (b"time,hr\n1,80\n2,81,82\n", "line 3 has 3 cells"),
        (b"time,hr\nnoon,80\n", "line 2 has 'noon' in the clock 'time'; allowed are numbers, and dates such as"),
        (b"time,hr\n2026-05-01T13:00:00.5Z,8\n2026-05-01T13:00:01,8\n", "have a zone and some have none, see line 3"),
        (b"time,hr\n", "has no readings: no row follows its header"),
        (b"times,hr\n1,80\n", r"has no column 'time'\. Did you mean 'times'\? It has 'times', 'hr'"),
        (b"time\n1\n", "has no channel beside the clock 'time'"),
        (b"time,hr,hr\n1,2,3\n", "more than one column 'hr'"),
        (b",time,hr\n0,1,2\n", "column 1 has no name, as the index that pandas writes"),
        (b"\x89PNG\r\n\x1a\n", "is no stream of readings that can be read: it looks like a PNG picture"),
        (b"<!doctype html>\n", "looks like an HTML page"),
        ("时间,心率\n0,80\n".encode("gb18030"), "Texts are in UTF-8: save it so"),
        (b"time,hr\n1,2\n\0\0", "line 3 has 1 cell"),
        (gzip.compress(CSV * 50)[:-30], "gzip file that is cut off or damaged"),
        (as_npy(np.arange(9.0))[:-8], "NumPy array that is cut off or damaged"),
        (as_npy(np.zeros((2, 2, 2))), r"of the shape \(2, 2, 2\); allowed are numbers of the shape"),
        (as_npy(np.array(["a"])), "is an array of <U1"),
        (as_parquet({"time": [1.0], "hr": [2.0]})[:-9], "Parquet file that is cut off or damaged"),
        (as_parquet({"time": [1.0], "hr": ["x"]}), "the column 'hr' is string; a channel holds numbers"),
        (as_parquet({"time": [[1.0]], "hr": [1]}), "the clock 'time' is list"),
    ],
)  # fmt: skip
def test_faults_name_the_place(data, message):
    with pytest.raises(DataError, match=message):
        read_series(data, time="time")


def test_a_clock_that_was_not_named():
    with pytest.raises(DataError, match=r"line 2 has '2026-05-01' in 'at', .* If it is the clock, say so \(`time`\)"):
        read_series(b"at,a\n2026-05-01,1\n")
    with pytest.raises(DataError, match=r"'at' is timestamp.* If it is the clock, say so"):
        read_series(as_parquet({"at": pa.array([1], pa.timestamp("s")), "a": [1]}))


def test_missing_and_empty(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"")
    with pytest.raises(DataError, match=r"a\.csv has 0 bytes"):
        read_series(tmp_path / "a.csv")
    with pytest.raises(DataError, match=r"No file .*b\.csv"):
        read_series(tmp_path / "b.csv")


def test_limits():
    with pytest.raises(DataError, match="at most 5 are read"):
        read_series(as_npy(np.zeros(6)), most=5)
    with pytest.raises(DataError, match="at most 5 are read"):
        read_series(as_parquet({"a": np.zeros(6)}), most=5)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0, 1e6), min_size=1, max_size=12).filter(lambda times: len(times) == 1 or np.ptp(times) > 1e-9),
    st.integers(1, 3),
    st.data(),
)
def test_what_is_written_is_read(times, channels, data):
    times = sorted(times)
    reading = st.none() | st.floats(-1e6, 1e6, width=32)
    rows = [[data.draw(reading) for _ in range(channels)] for _ in times]
    table = "\n".join(
        [",".join(["t", *map(str, range(channels))])]
        + [",".join([repr(time), *("" if each is None else repr(each) for each in row)])
           for time, row in zip(times, rows, strict=True)]
    )  # fmt: skip
    found = read_series(table.encode(), time="t")
    inline = read_series({"values": rows, "time": times})
    np.testing.assert_array_equal(found.times, times)
    np.testing.assert_array_equal(found.values, inline.values)
    np.testing.assert_array_equal(found.times, inline.times)


@settings(max_examples=60, deadline=None)
@given(
    st.binary(min_size=1, max_size=150),
    st.sampled_from([b"", b"time,a\n", b"PAR1", b"\x93NUMPY\1\0", b"\x1f\x8b\x08\0"]),
)
def test_any_bytes_are_read_or_refused(tail, head):
    try:
        found = read_series(head + tail)
    except DataError as fault:
        assert "the bytes given" in str(fault)
    else:
        assert len(found.times) == len(found.values) > 0


def test_resampled_up_is_a_line():
    series = Series(np.array([1.0, 2.0, 4.0]), np.float32([[0, 5], [1, np.nan], [3, 7]]), ("a", "b"), 9.0)
    found = resampled(series, 2)
    np.testing.assert_allclose(found.times, [1, 1.5, 2, 2.5, 3, 3.5, 4])
    np.testing.assert_allclose(found.values[:, 0], [0, 0.5, 1, 1.5, 2, 2.5, 3])
    np.testing.assert_allclose(found.values[:, 1], 5 + (found.times - 1) * 2 / 3, rtol=1e-6)
    assert (found.names, found.start) == (("a", "b"), 9.0)
    gapped = resampled(series, 2, gap=1.0)
    np.testing.assert_allclose(gapped.values[:, 0], [0, 0.5, 1, np.nan, np.nan, np.nan, 3])
    np.testing.assert_allclose(gapped.values[:, 1], [5, *[np.nan] * 5, 7])


def test_resampled_down_is_a_mean():
    times = np.arange(1000) / 100
    values = np.sin(2 * np.pi * 20 * times) + times  # 20 Hz, which 5 readings a second cannot show
    found = resampled(Series(times, np.float32(values)[:, None], ("a",)), 5)
    np.testing.assert_allclose(found.times, np.arange(50) / 5)
    np.testing.assert_allclose(found.values[1:-1, 0], found.times[1:-1] - 0.005, atol=0.01)


def test_resampled_at_its_own_rate_is_the_same():
    times = np.arange(100) * 0.1
    values = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32)
    found = resampled(Series(times, values, ("a", "b", "c")), 10)
    np.testing.assert_allclose(found.values, values, atol=1e-5)
    one = resampled(Series(times[:1], values[:1], ("a", "b", "c")), 10)
    np.testing.assert_array_equal(one.values, values[:1])


def test_resampled_leaves_empty_channels_empty_and_refuses_leaps():
    found = resampled(Series(np.array([0.0, 1.0]), np.float32([[np.nan, 1], [np.nan, 2]]), ("a", "b")), 2)
    assert np.isnan(found.values[:, 0]).all()
    with pytest.raises(DataError, match=r"1,700,000,000 seconds at 100 a second .* see whether the clock leaps"):
        resampled(Series(np.array([0.0, 1.7e9]), np.zeros((2, 1), np.float32), ("a",)), 100)
    with pytest.raises(ValueError, match="more than 0 readings"):
        resampled(found, 0)


def test_figures():
    times = np.array([0, 1, 2, 2, 3, 13, 14.0])
    values = np.full((7, 3), np.nan, np.float32)
    values[:, 0] = 5
    values[:4, 1] = [1, 2, 3, 4]
    figures = series_faults(Series(times, values, ("flat", "live", "dead")))
    assert figures.constant == ("flat",)
    assert figures.empty == ("dead",)
    np.testing.assert_allclose(figures.missing, [0, 3 / 7, 1])
    assert (figures.gaps, figures.longest_gap, figures.repeated) == (1, 10.0, 1)
    assert series_faults(Series(times[:1], values[:1], ("a", "b", "c"))).gaps == 0


def test_a_damaged_header_of_an_array():
    data = bytearray(as_npy(np.arange(9.0)))
    data[20:30] = b"(((((((((("
    with pytest.raises(DataError, match="NumPy array that is cut off or damaged"):
        read_series(bytes(data))
