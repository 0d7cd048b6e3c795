"""A recording is read whole and right, or refused with a reason; its log-mel spectrogram is transformers'."""

import io
import struct

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from sibu.core.errors import DataError
from sibu.media.sound import log_mel, read_sound, resampled, sound_faults


def tone(seconds=0.5, rate=8000, hertz=440.0, channels=1):
    """A chord that swells, one column a channel."""
    time = np.arange(round(seconds * rate)) / rate
    columns = [
        0.3 * np.sin(2 * np.pi * hertz * (1 + place) * time) * (1 + np.sin(9 * time)) for place in range(channels)
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def written(samples, rate=8000, form="WAV", subtype=None, **options):
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, format=form, subtype=subtype, **options)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("form", "subtype", "close"),
    [("WAV", "PCM_U8", 1 / 127), ("WAV", "PCM_16", 1 / 32767), ("WAV", "PCM_24", 1e-6), ("WAV", "PCM_32", 1e-6),
     ("WAV", "FLOAT", 0), ("WAV", "DOUBLE", 0), ("WAV", "ULAW", 0.02), ("WAV", "IMA_ADPCM", 0.4),
     ("FLAC", "PCM_S8", 1 / 127), ("FLAC", "PCM_16", 1 / 32767), ("FLAC", "PCM_24", 1e-6), ("AIFF", "PCM_16", 1e-4),
     ("RF64", "PCM_16", 1 / 32767), ("W64", "PCM_16", 1 / 32767), ("CAF", "PCM_16", 1 / 32767), ("AU", "PCM_16", 1e-4),
     ("OGG", "VORBIS", 0.1), ("OGG", "OPUS", 0.1), ("MP3", "MPEG_LAYER_III", 0.1)],
)  # fmt: skip
def test_formats_are_read_from_files_and_bytes_alike(tmp_path, form, subtype, close):
    samples = tone()
    data = written(samples, form=form, subtype=subtype)
    (tmp_path / "录 音").write_bytes(data)  # the name says nothing of the format
    found = read_sound(data)
    assert found.samples.dtype == np.float32
    assert (found.rate, found.original_rate, found.channels, found.clipped) == (8000, 8000, 1, 0.0)
    assert found.seconds == pytest.approx(0.5, abs=0.05)
    assert found.total == pytest.approx(0.5, abs=0.05)
    assert np.abs(found.samples[:4000] - samples[:, 0]).max() <= close
    for source in (tmp_path / "录 音", str(tmp_path / "录 音")):
        np.testing.assert_array_equal(read_sound(source).samples, found.samples)


def test_large_files_are_read_from_where_they_lie(tmp_path):
    samples = np.tile(tone(1.0), (70, 1))
    (tmp_path / "long.wav").write_bytes(written(samples))
    np.testing.assert_allclose(read_sound(tmp_path / "long.wav").samples, samples[:, 0], atol=1 / 32767)


def test_channels():
    samples = tone(channels=3)
    data = written(samples, subtype="FLOAT")
    np.testing.assert_allclose(read_sound(data).samples, samples.mean(axis=1), atol=1e-6)
    each = read_sound(data, channels=None, rate=4000)
    assert each.samples.shape == (2000, 3)
    assert each.channels == 3
    assert read_sound(written(tone()), channels=None).samples.shape == (4000, 1)
    with pytest.raises(ValueError, match="channels is 1"):
        read_sound(data, channels=2)


@pytest.mark.parametrize(("rate", "wanted"), [(8000, 16000), (16000, 8000), (44100, 16000), (16000, 16000)])
def test_the_rate_is_changed_without_what_does_not_fit_it(rate, wanted):
    low, high = tone(0.5, rate, 440.0)[:, 0], tone(0.5, rate, 0.45 * rate)[:, 0]
    data = written(low + (high if wanted < rate else 0), rate, subtype="FLOAT")
    found = read_sound(data, rate=wanted)
    assert (found.rate, found.original_rate) == (wanted, rate)
    assert len(found.samples) == round(len(low) * wanted / rate)
    middle = slice(wanted // 20, -wanted // 20)
    np.testing.assert_allclose(found.samples[middle], tone(0.5, wanted, 440.0)[middle, 0], atol=2e-3)
    assert resampled(np.zeros(0, np.float32), 8000, 16000).shape == (0,)


def test_only_the_beginning():
    found = read_sound(written(tone(2.0)), first=0.5, longest=1.0)
    assert (len(found.samples), found.seconds, found.total) == (4000, 0.5, 2.0)
    assert read_sound(written(tone(0.25)), first=0.5).seconds == 0.25


def test_clipping():
    samples = tone()
    assert read_sound(written(np.clip(samples * 1.7, -1, 1))).clipped < 0.02
    loud = np.clip(samples * 4, -1, 1)
    share = float((np.abs(loud) == 1).mean())
    assert share > 0.2
    for subtype in ("PCM_U8", "PCM_16", "PCM_24", "FLOAT"):
        assert read_sound(written(loud, subtype=subtype), rate=16000).clipped == pytest.approx(share, abs=0.03)
    single = np.zeros((100, 1), np.float32)
    single[[5, 50, 51]] = 1.0  # peaks alone are no clipping
    assert read_sound(written(single)).clipped == 0
    single[52] = 1.0
    assert read_sound(written(single)).clipped == pytest.approx(0.03)
    assert read_sound(written(single[50:52])).clipped == 0


def test_figures():
    figures = sound_faults(read_sound(written(tone() + 0.25, subtype="FLOAT")))
    assert figures.offset == pytest.approx(0.25, abs=0.01)
    assert figures.level == pytest.approx(0.3 * np.sqrt(0.5 * 1.5), rel=0.2)
    assert figures.peak == pytest.approx(float(tone().max()) + 0.25, abs=1e-5)
    assert figures.swing == pytest.approx(float(np.abs(tone() - tone().mean()).max()), abs=1e-5)
    assert figures.silent < 0.05
    assert figures.seconds == 0.5
    assert sound_faults(read_sound(written(np.full((80, 1), 0.25), subtype="FLOAT"))).silent == 1.0


@pytest.mark.parametrize("form", ["WAV", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF", "W64", "RF64"])
@settings(max_examples=20, deadline=None)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_cut_off_file_is_refused_or_is_all_there(form, share):
    whole = written(tone(0.2), form=form)
    try:
        found = read_sound(whole[: max(1, int(share * len(whole)))])
    except DataError as fault:
        assert "the bytes given" in str(fault)
    else:  # of CAF, libsndfile does not miss the last few bytes
        known = read_sound(whole).samples
        assert len(known) - (5 if form == "CAF" else 0) <= len(found.samples)
        np.testing.assert_array_equal(found.samples, known[: len(found.samples)])


@pytest.mark.parametrize("form", ["WAV", "FLAC", "OGG", "MP3", "AIFF"])
def test_half_a_file_is_refused(tmp_path, form):
    draw = np.random.default_rng(0)
    whole = written(draw.normal(size=(16000, 1)) * 0.1, form=form)
    path = tmp_path / "half.snd"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"half\.snd is a recording that is cut off or damaged \(.*\)\. Copy"):
        read_sound(path)


def test_what_was_written_into_a_pipe_says_no_length_and_is_read():
    data = bytearray(written(tone()))
    for unknown in (0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000):
        data[4:8] = data[40:44] = struct.pack("<I", unknown)
        assert read_sound(bytes(data)).samples.shape == (4000,)


@pytest.mark.parametrize("kind", ["AVERAGE", "VARIABLE", "CONSTANT"])
def test_an_mp3_that_does_not_count_its_frames_is_read_to_its_end(tmp_path, kind):
    """libsndfile guesses from the first frames, here far too few, and would stop there."""
    draw = np.random.default_rng(0)
    samples = np.concatenate([draw.normal(size=20000) * 0.3, np.zeros(60000), [0.5] * 500, np.zeros(1000)])
    data = written(samples, 16000, "MP3", bitrate_mode=kind, compression_level=0.5)
    tagged = read_sound(data).samples
    assert len(tagged) == len(samples)
    second = data.index(data[:2], 100)
    for stripped in (data[second:], b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + data[second:] + b"TAG" + bytes(125)):
        found = read_sound(stripped).samples
        assert len(samples) <= len(found) < len(samples) + 4000
        delay = len(found) - 4000 - np.abs(found[:-4000:-1]).argmax()  # the step near the end is there
        assert found[delay - 6000 :].max() > 0.2
    (tmp_path / "a.mp3").write_bytes(data[second:-20])
    with pytest.raises(DataError, match="bytes of its last frame are missing"):
        read_sound(tmp_path / "a.mp3")
    with pytest.raises(DataError, match="is followed by what is no frame"):
        read_sound(data[second:] + b"what is this and why")


def test_no_samples():
    with pytest.raises(DataError, match="a recording without samples: nothing follows its header"):
        read_sound(written(np.zeros((0, 1))))


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_what_is_no_number_is_refused(wrong):
    samples = tone()
    samples[[7, 9]] = wrong
    with pytest.raises(DataError, match=r"NaN or infinite\) in 2 of 4,000 samples, the first at 7\. Write it anew"):
        read_sound(written(samples, subtype="FLOAT"))


def test_too_long_is_refused_before_it_is_decoded(monkeypatch):
    data = written(np.zeros((8000 * 11, 1)), form="FLAC")
    with pytest.raises(DataError, match=r"lasts 11\.0 seconds; at most 5 seconds are decoded\. Cut it into parts"):
        read_sound(data, longest=5)
    assert read_sound(data, longest=11).seconds == 11


def test_more_channels_than_any_recording_has_are_refused():
    with pytest.raises(DataError, match=r"has 100 channels of 48,000 Hz; 400,000 a second fit"):
        read_sound(written(np.zeros((10, 100)), 48000))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("病人说：头疼。".encode(), r'is no recording that can be read: it looks like text \("病人说：头疼。"\)'),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), r"it looks like a PNG picture\. Read are WAV, FLAC, OGG"),
        (b"\0\0\0\x20ftypM4A " + bytes(50), r"M4A recording \(AAC in MP4\).*ffmpeg -i"),
        (b"#!AMR\n" + bytes(50), "looks like an AMR recording"),
        (b"RIFF\x24\0\0\0WAVEfmt \x10", "cut off or damaged"),
        (b"ID3" + bytes(50), "cut off or damaged"),
    ],
)
def test_what_is_no_recording_is_told_for_what_it_is(data, message):
    with pytest.raises(DataError, match=message):
        read_sound(data)


def test_missing_and_empty(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"")
    with pytest.raises(DataError, match=r"a\.wav has 0 bytes"):
        read_sound(tmp_path / "a.wav")
    with pytest.raises(DataError, match=r"No file .*b\.wav; looked in"):
        read_sound(tmp_path / "b.wav")


@settings(max_examples=60, deadline=None)
@given(
    st.binary(min_size=1, max_size=200),
    st.sampled_from([b"", b"RIFF\xff\0\0\0WAVEfmt \x10\0\0\0", b"fLaC", b"OggS", b".snd", b"FORM\0\0\0\x40AIFF"]),
)
def test_any_bytes_are_read_or_refused(tail, head):
    try:
        assert len(read_sound(head + tail).samples)
    except DataError as fault:
        assert "the bytes given" in str(fault)


@pytest.mark.parametrize(
    ("rate", "mels", "window", "low", "high", "seconds"),
    [(16000, 64, 0.025, 20.0, None, 1.0), (8000, 64, 0.025, 20.0, None, 0.3), (16000, 80, 0.032, 0.0, 8000.0, 3.0),
     (22050, 40, 0.025, 50.0, 7600.0, 0.05), (8000, 128, 0.016, 20.0, None, 0.3), (44100, 24, 0.025, 20.0, None, 0.2)],
)  # fmt: skip
def test_log_mel_is_transformers(rate, mels, window, low, high, seconds):
    from transformers.audio_utils import mel_filter_bank, spectrogram

    samples = np.random.default_rng(rate).normal(size=round(seconds * rate)).astype(np.float32) * 0.1
    samples += tone(seconds, rate)[:, 0]
    samples[: len(samples) // 4] = 0  # the floor
    length, step = round(window * rate), round(0.01 * rate)
    size = 1 << (length - 1).bit_length()
    while True:
        try:
            bank = mel_filter_bank(size // 2 + 1, mels, low, high or rate / 2, rate, "slaney", "slaney")
            break
        except UserWarning:  # a band is empty: the window is padded further
            size *= 2
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    expected = spectrogram(
        samples, hann, length, step, size, power=2.0, mel_filters=bank, mel_floor=1e-10, log_mel="log"
    ).T
    found = log_mel(samples, rate, mels=mels, window=window, low=low, high=high)
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    assert len(found) == 1 + len(samples) // step
    np.testing.assert_allclose(found, expected, atol=2e-3)
    assert np.abs(found - expected).mean() < 1e-5


def test_log_mel_of_long_recordings_is_that_of_their_parts():
    samples = np.random.default_rng(0).normal(size=16000 * 25).astype(np.float32)
    whole = log_mel(samples, 16000)
    part = log_mel(samples[160 * 1500 : 160 * 1600], 16000)
    np.testing.assert_allclose(whole[1503:1597], part[3:97], atol=1e-4)


@pytest.mark.parametrize("count", [1, 2, 100, 399])
def test_log_mel_of_what_is_shorter_than_a_window(count):
    assert log_mel(np.ones(count, np.float32), 16000).shape == (1 + count // 160, 64)


def test_log_mel_refuses():
    with pytest.raises(ValueError, match=r"log_mel needs samples \(N,\)"):
        log_mel(np.zeros(0, np.float32), 8000)
    with pytest.raises(ValueError, match=r"bands lie between 0 and half the rate, 4000 Hz"):
        log_mel(np.zeros(99, np.float32), 8000, high=8000.0)
    with pytest.raises(ValueError, match="500 bands are more than a window of 40 samples"):
        log_mel(np.zeros(99, np.float32), 8000, mels=500, window=0.005)
