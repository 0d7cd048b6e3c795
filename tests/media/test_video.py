"""A video's pictures are those that are shown at their times, its sound begins with them; else it is refused."""

import io
import struct
from fractions import Fraction
from functools import cache

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sibu.core.errors import DataError
from sibu.media.video import read_video

CODECS = {
    "mp4": ("libx264", "aac"),
    "mov": ("mjpeg", "pcm_s16le"),
    "matroska": ("libx264", "libopus"),
    "webm": ("libvpx-vp9", "libopus"),
    "avi": ("mpeg4", "pcm_s16le"),
    "mpegts": ("libx264", "aac"),
    "gif": ("gif", None),
}


@cache
def filmed(form="mp4", count=50, rate=10, size=(48, 64), gap=12, sound=True, beep=2.0, **options):
    """Pictures that grow brighter, 5 a picture, the left half white; a beep at second 2."""
    stream = io.BytesIO()
    pictures, heard = CODECS[form]
    with av.open(stream, "w", format=form, options=options) as container:
        shown = container.add_stream(pictures, rate=rate)
        shown.width, shown.height = size[::-1]
        shown.pix_fmt = {"mjpeg": "yuvj420p", "gif": "gray"}.get(pictures, "yuv420p")
        shown.codec_context.gop_size = gap
        voice = container.add_stream(heard, rate=16000, layout="mono") if sound and heard else None
        for number in range(count):
            pixels = np.full((*size, 3), number * 5 % 256, np.uint8)
            pixels[:, : size[1] // 2] = 255
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=shown.pix_fmt)
            frame.pts, frame.time_base = number, Fraction(1, rate)
            container.mux(shown.encode(frame))
        container.mux(shown.encode())
        if voice:
            time = np.arange(count * 16000 // rate) / 16000
            wave = np.where(abs(time - beep - 0.1) < 0.1, np.sin(2 * np.pi * 800 * time) * 0.5, 0)
            frame = av.AudioFrame.from_ndarray(np.int16(wave * 32767)[None], format="s16", layout="mono")
            frame.rate, frame.pts = 16000, 0
            container.mux(voice.encode(frame))
            container.mux(voice.encode())
    return stream.getvalue()


def brightness(video):
    """Which picture each was, by its right half."""
    return np.rint(video.pictures[:, :, -24:].mean(axis=(1, 2, 3)) / 5).astype(int).tolist()


@pytest.mark.parametrize("form", list(CODECS))
@pytest.mark.parametrize("frames", [1, 5, 49])
def test_pictures_are_those_shown_at_their_times(tmp_path, form, frames):
    data = filmed(form)
    (tmp_path / "影片").write_bytes(data)
    found = read_video(data, frames=frames)
    middles = ((np.arange(frames) + 0.5) * 50 / frames).astype(int).tolist()
    assert np.abs(np.subtract(brightness(found), middles)).max() <= (
        1 if form in {"gif", "avi"} else 0
    )  # these are coarse
    np.testing.assert_allclose(found.times, np.array(middles) / 10, atol=0.002)
    assert found.seconds == pytest.approx(5.0, abs=0.01)
    assert found.pictures.shape == (frames, 48, 64, 3)
    assert found.pictures[:, :, :20].mean() > 245
    assert found.sound is None
    np.testing.assert_array_equal(read_video(tmp_path / "影片", frames=frames).pictures, found.pictures)


def test_a_video_that_has_fewer_pictures_gives_each_once():
    found = read_video(filmed(count=3, sound=False), frames=8)
    assert brightness(found) == [0, 1, 2]
    assert read_video(filmed(count=1, sound=False), frames=8).pictures.shape[0] == 1


@pytest.mark.parametrize(("gap", "decodes"), [(5, 3 * 5), (1000, 150)])
def test_only_what_leads_to_a_picture_is_decoded(monkeypatch, gap, decodes):
    from sibu.media import video

    seen = []
    stamp = video._stamp
    monkeypatch.setattr(video, "_stamp", lambda frame: seen.append(stamp(frame)) or stamp(frame))
    assert brightness(read_video(filmed("mp4", 150, gap=gap, sound=False), frames=3))[0] == 25
    assert len(set(seen)) <= decodes


@pytest.mark.parametrize("form", [form for form in CODECS if form != "gif"])
def test_the_sound_begins_with_the_pictures(form):
    found = read_video(filmed(form), frames=2, sound_rate=8000).sound
    assert (found.rate, found.original_rate, found.channels) == (8000, 48000 if "opus" in CODECS[form][1] else 16000, 1)
    loud = np.flatnonzero(np.abs(found.samples) > 0.2)
    assert loud[0] / 8000 == pytest.approx(2.0, abs=0.05)
    assert loud[-1] / 8000 == pytest.approx(2.2, abs=0.05)
    assert found.seconds == pytest.approx(5.0, abs=0.15)
    assert found.clipped == 0


def test_no_sound():
    assert read_video(filmed(sound=False), frames=2, sound_rate=8000).sound is None
    with pytest.raises(DataError, match="has more than 1 seconds of sound"):
        read_video(filmed(), frames=2, sound_rate=8000, longest=1.0)


def test_size():
    found = read_video(filmed(sound=False), frames=3, size=(24, 24), fit="pad")
    assert found.pictures.shape == (3, 24, 24, 3)
    assert found.pictures[0, 0].max() == 0


@pytest.mark.parametrize(("turn", "matrix"), [(90, (0, 1, -1, 0)), (180, (-1, 0, 0, -1)), (270, (0, -1, 1, 0))])
def test_pictures_are_turned_as_the_header_says(turn, matrix):
    """A telephone held upright writes its sensor's rows, and by how much they are to be turned clockwise."""
    data = bytearray(filmed(count=3, sound=False))
    place = data.index(b"tkhd") + 4 + 40
    a, b, c, d = (each << 16 for each in matrix)
    data[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    plain = read_video(filmed(count=3, sound=False), frames=3).pictures
    found = read_video(bytes(data), frames=3).pictures
    np.testing.assert_array_equal(found, np.rot90(plain, -turn // 90, axes=(1, 2)))


@pytest.mark.parametrize("form", ["mp4", "matroska", "avi", "gif"])
@settings(max_examples=12, deadline=None)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_cut_off_file_is_refused(form, share):
    whole = filmed(form, count=12)
    with pytest.raises(DataError, match="the bytes given"):
        read_video(whole[: max(1, int(share * len(whole)))], frames=3)


def test_half_a_file_is_refused(tmp_path):
    for form, options in (("mp4", {}), ("matroska", {}), ("avi", {})):
        whole = filmed(form, **options)
        (tmp_path / "half.vid").write_bytes(whole[: len(whole) // 2])
        with pytest.raises(
            DataError, match=r"half\.vid is a video that is cut off or damaged \(.* missing at its end\)"
        ):
            read_video(tmp_path / "half.vid", frames=2)


def test_what_was_written_into_a_pipe_is_read():
    found = read_video(filmed("matroska", live="1", sound=False), frames=5)
    assert brightness(found) == [5, 15, 25, 35, 45]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"#EXTM3U\n#EXTINF:1\n/etc/passwd\n", r"is no video that can be read: it looks like text \(\"#EXTM3U"),
        ("这是一段文字".encode(), "looks like text"),
        (b"ffconcat version 1.0\nfile a.mp4\n", "looks like text"),
        (b"\xff\xd8\xff\xe0" + bytes(50), r"looks like a JPEG picture\. Read are MP4"),
        (b"\x9c\x01\x02\xfe\xff\x80\x81" * 9, "looks like binary data of no known form"),
        (b"\0\0\0\x18ftypisom" + bytes(12), "video that is cut off or damaged"),
        (b"\x1aE\xdf\xa3" + bytes(50), "video that is cut off or damaged"),
    ],
)
def test_what_is_no_video_is_told_for_what_it_is(data, message):
    with pytest.raises(DataError, match=message):
        read_video(data, frames=2)


def test_limits(tmp_path):
    with pytest.raises(DataError, match=r"pictures of 64 x 48 = 3,072 pixels; at most 3,071 are decoded"):
        read_video(filmed(sound=False), frames=1, most=3071)
    with pytest.raises(DataError, match=r"No file .*a\.mp4"):
        read_video(tmp_path / "a.mp4", frames=1)
    with pytest.raises(ValueError, match="at least one picture"):
        read_video(b"x", frames=0)


def test_sound_alone_is_no_video():
    stream = io.BytesIO()
    with av.open(stream, "w", format="mp4") as container:
        voice = container.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.rate = 16000
        container.mux(voice.encode(frame))
        container.mux(voice.encode())
    with pytest.raises(DataError, match="holds no pictures"):
        read_video(stream.getvalue(), frames=1)


def test_a_folder_of_pictures(tmp_path):
    for number in range(12):
        Image.new("L", (6, 4), number * 5).save(tmp_path / f"frame_{number}.png")
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / ".hidden.png").write_text("no picture")
    found = read_video(tmp_path, frames=4, rate=2)
    assert brightness(found) == [1, 4, 7, 10]
    np.testing.assert_array_equal(found.times, [0.5, 2, 3.5, 5])
    assert (found.seconds, found.sound) == (6.0, None)
    Image.new("L", (9, 9)).save(tmp_path / "frame_7.png")
    with pytest.raises(DataError, match=r"frame_7\.png is 9 x 9, and frame_1\.png \(4, 6\); all are of one size, or"):
        read_video(str(tmp_path), frames=4)
    assert read_video(tmp_path, frames=4, size=(4, 6)).pictures.shape == (4, 4, 6, 3)
    (tmp_path / "frame_4.png").write_bytes(b"text")
    with pytest.raises(DataError, match=r"frame_4\.png is no picture"):
        read_video(tmp_path, frames=4, size=(4, 6))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"holds no pictures \(\.avif"):
        read_video(tmp_path / "empty", frames=4)


def test_codes_that_are_not_known():
    before, _, behind = filmed(count=3).rpartition(b"avc1")
    with pytest.raises(DataError, match="has pictures in a code that is not known here"):
        read_video(before + b"????" + behind, frames=1)
    before, _, behind = filmed(count=3).rpartition(b"mp4a")
    data = before + b"????" + behind.replace(b"\x40\x15", b"\xfe\x15", 1)
    with pytest.raises(DataError, match="has sound in a code that is not known here"):
        read_video(data, frames=1, sound_rate=8000)
    assert read_video(data, frames=1).sound is None
