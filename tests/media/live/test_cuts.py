"""However its bytes arrive, a stream gives the records that its file holds; what is cut off is told."""

import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sibu.core.example import Faults
from sibu.media.live.cuts import Cut, jpegs, lines, raw_pictures, reading_windows, windows


class Dribble:
    """A stream whose bytes arrive in portions of any size."""

    def __init__(self, data, sizes):
        self.data, self.sizes = io.BytesIO(data), sizes
        self.turn = 0

    def read(self, most):
        self.turn += 1
        return self.data.read(min(most, self.sizes[self.turn % len(self.sizes)]))


WORDS = st.text('ab 心率\n"\\,{}', max_size=6)
sizes = st.lists(st.integers(1, 700), min_size=1, max_size=5)


def cut(field="value"):
    return Cut("live", field, Faults())


def jpeg(seed, thumbnail=False):
    stream = io.BytesIO()
    picture = Image.fromarray(np.random.default_rng(seed).integers(0, 256, (9, 11, 3), dtype=np.uint8))
    exif = b"Exif\0\0" + jpeg(99) if thumbnail else b""
    picture.save(stream, "JPEG", exif=exif, progressive=seed % 2 == 1)
    return stream.getvalue()


@settings(max_examples=40, deadline=None)
@given(sizes, st.integers(0, 400), st.integers(1, 60), st.integers(1, 90), st.integers(1, 2))
def test_windows_are_those_of_the_file(portions, count, length, step, channels):
    samples = np.arange(count * channels, dtype="<i2").reshape(count, channels) * 37
    found = cut()
    got = list(
        windows(Dribble(samples.tobytes(), portions), found, rate=100, seconds=length / 100, hop=step / 100,
                channels=channels)
    )  # fmt: skip
    starts = list(range(0, count - length + 1, step))
    assert [number for number, _ in got] == list(range(1, len(starts) + 1))
    for start, (_, record) in zip(starts, got, strict=True):
        expected = (samples[start : start + length] / np.float32(32768)).mean(axis=1)
        np.testing.assert_allclose(record["value"].samples, expected, atol=1e-6)
        assert record["time"] == pytest.approx(start / 100)
        assert record["value"].rate == 100
    new = count - (starts[-1] + max(length, step) if starts else 0)
    assert found.faults.number("warning") == (new > 0)


@pytest.mark.parametrize(("kind", "data"), [
    ("u8", np.uint8([0, 128, 255, 64])), ("s16", np.int16([-32768, 0, 32767, -16384])),
    ("s32", np.int32([-(2**31), 0, 2**31 - 1, -(2**30)])), ("f32", np.float32([-1, 0, 1, -0.5])),
])  # fmt: skip
def test_kinds_of_samples(kind, data):
    ((_, record),) = windows(io.BytesIO(data.tobytes()), cut(), rate=4, seconds=1, kind=kind)
    np.testing.assert_allclose(record["value"].samples, [-1, 0, 1, -0.5], atol=0.01)


def test_a_window_cut_off_is_told_and_wrong_numbers_are_left_out():
    found = cut()
    data = np.float32([1, 2, np.nan, 4, 5, 6, 7])
    got = list(windows(io.BytesIO(data.tobytes()), found, rate=2, seconds=1, kind="f32"))
    assert [number for number, _ in got] == [1, 3]
    assert [fault.kind for fault in found.faults.examples] == ["not a number", "cut window"]
    assert "The stream ended 0.5 seconds into window 4, which needs 1." in str(found.faults.examples[1])
    assert found.faults.skipped == {"live": 2}
    with pytest.raises(ValueError, match="at least one sample"):
        list(windows(io.BytesIO(b""), cut(), rate=10, seconds=0.01))


@settings(max_examples=40, deadline=None)
@given(sizes, st.lists(st.integers(0, 3), max_size=5), st.booleans())
def test_pictures_are_cut_at_their_own_ends(portions, seeds, multipart):
    """A small picture within a picture, and what looks like a marker in its data, are no ends."""
    pictures = [jpeg(seed, thumbnail=seed == 2) for seed in seeds]
    before = b"\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n" if multipart else b""
    found = cut()
    ticks = iter(range(99))
    got = list(jpegs(Dribble(b"".join(before + each for each in pictures), portions), found, clock=lambda: next(ticks)))
    assert [record["value"] for _, record in got] == pictures
    assert [record["time"] for _, record in got] == list(range(len(pictures)))
    assert not found.faults.examples


def test_what_is_no_picture_is_told():
    found = cut()
    got = list(jpegs(io.BytesIO(jpeg(0) + b"garbage" + jpeg(1) + jpeg(0)[:-30]), found))
    assert [record["value"] for _, record in got] == [jpeg(0), jpeg(1)]
    assert [fault.kind for fault in found.faults.examples] == ["no picture", "cut picture"]
    assert '7 bytes behind picture 1 are no JPEG picture, but text ("garbage").' in str(found.faults.examples[0])
    assert found.faults.skipped == {"live": 1}
    found = cut()
    assert not list(jpegs(io.BytesIO(b"not one picture here"), found))
    assert found.faults.number("warning") == 1
    found = cut()
    assert not list(jpegs(io.BytesIO(b"\x89PNG\r\n\x1a\n" + bytes(50)), found))
    assert "are no JPEG picture, but a PNG picture. Write pictures as JPEG" in str(found.faults.examples[0])


def test_a_damaged_or_endless_picture_is_given_up():
    found = cut()
    data = jpeg(0)[:2] + b"\xff\xe0\0\0" + jpeg(1)
    assert [record["value"] for _, record in jpegs(io.BytesIO(data), found)] == [jpeg(1)]
    assert "Picture 1 is damaged" in str(found.faults.examples[0])
    found = cut()
    large = b"\xff\xd8\xff\xda\0\2" + bytes(5000) + jpeg(1)
    got = [record["value"] for _, record in jpegs(Dribble(large, [100]), found, largest=3000)]
    assert got == [jpeg(1)]
    assert "has more than 3,000 bytes" in str(found.faults.examples[0])


@settings(max_examples=20, deadline=None)
@given(sizes, st.integers(0, 200))
def test_raw_pictures(portions, count):
    data = np.arange(count, dtype=np.uint8).tobytes()
    found = cut()
    got = list(raw_pictures(Dribble(data, portions), found, size=(2, 3), rate=10))
    assert b"".join(record["value"].tobytes() for _, record in got) == data[: count // 18 * 18]
    assert all(record["value"].shape == (2, 3, 3) for _, record in got)
    assert [record["time"] for _, record in got] == [number / 10 for number in range(count // 18)]
    assert found.faults.number("warning") == (count % 18 > 0)


@settings(max_examples=40, deadline=None)
@given(sizes, st.lists(st.dictionaries(WORDS, st.integers() | st.none() | WORDS, max_size=3), max_size=6))
def test_json_lines(portions, records):
    data = b"".join(json.dumps(record, ensure_ascii=False).encode() + b"\r\n" for record in records)
    found = cut()
    got = list(lines(Dribble(data, portions), found))
    expected = [json.loads(line) for line in data.splitlines()]
    assert got == list(enumerate(expected, 1))
    assert not found.faults.examples
    assert len(list(lines(io.BytesIO(data.rstrip()), cut()))) == len(records)  # a closing brace is an end


def test_wrong_lines_are_told_with_their_numbers():
    found = cut()
    data = '{"心率": 80}\n[1]\nhalf\n\n'.encode() + b'{"a": "\xff"}\n{"a": 1'
    assert list(lines(io.BytesIO(data), found)) == [(1, {"心率": 80})]
    told = [(fault.kind, fault.row) for fault in found.faults.examples]
    assert told == [("bad line", 2), ("bad line", 3), ("bad encoding", 5), ("cut line", 6)]
    assert found.faults.skipped == {"live": 4}
    found = cut()
    data = b'\xef\xbb\xbftime,hr\n1,80\n2\n\n3,"8,1"\n4,8'
    assert list(lines(io.BytesIO(data), found, form="csv")) == [
        (2, {"time": "1", "hr": "80"}), (5, {"time": "3", "hr": "8,1"})
    ]  # fmt: skip
    assert [(fault.kind, fault.row) for fault in found.faults.examples] == [("ragged line", 3), ("cut line", 6)]
    found = cut()
    assert list(lines(io.BytesIO(b"1;2\n"), found, form="csv", header=["a", "b"], delimiter=";")) == [
        (1, {"a": "1", "b": "2"})
    ]


def test_a_line_without_end_does_not_fill_the_memory():
    found = cut()
    got = list(lines(io.BytesIO(b"x" * 2_500_000 + b'\n{"a": 1}\n'), found))
    assert got == [(2, {"a": 1})]
    assert [fault.kind for fault in found.faults.examples] == ["long line"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 30), max_size=25), st.integers(1, 9), st.integers(1, 12))
def test_reading_windows_hold_what_falls_in_them(steps, seconds, hop):
    times = np.cumsum(steps).tolist()
    records = [(row, {"t": str(now), "a": now}) for row, now in enumerate(times, 1)]
    got = list(reading_windows(records, cut(), clock="t", channels=["a", "b"], seconds=seconds, hop=hop))
    expected = []
    for number in range(1, 2000):
        if not times or times[-1] < times[0] + (number - 1) * hop + seconds:
            break
        begin = times[0] + (number - 1) * hop
        if part := [now for now in times if begin <= now < begin + seconds]:
            value = {"values": [[now, None] for now in part], "time": part, "names": ["a", "b"]}
            expected.append((number, {"value": value, "time": begin}))
    assert got == expected


def test_wrong_readings_and_silence_are_told():
    found = cut()
    records = [
        (1, {"t": 0, "a": 1}), (2, {"t": 1, "a": "high"}), (3, {"t": 0.5, "a": ""}), (4, {"t": 0.2, "a": 1}),
        (5, {"a": 1}), (6, {"t": 100, "a": 3}), (7, {"t": 100.5, "a": True}),
    ]  # fmt: skip
    got = list(reading_windows(records, found, clock="t", channels=["a"], seconds=1))
    value = {"values": [[1.0], [None]], "time": [0.0, 0.5], "names": ["a"]}
    assert got == [(1, {"value": value, "time": 0.0})]
    told = [(fault.kind, fault.row) for fault in found.faults.examples]
    assert told == [("bad reading", 2), ("clock backwards", 4), ("bad reading", 5), ("empty window", 2),
                    ("bad reading", 7), ("cut window", 101)]  # fmt: skip
    assert "Nothing was read for 99 seconds from 1 s on, 99 windows." in str(found.faults.examples[3])
    assert found.faults.skipped == {"live": 5}
