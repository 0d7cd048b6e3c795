"""Recorded files through real pipes, sockets and programs give what the files hold; what is dropped is told."""

import os
import socket
import sys
import threading
import time
from functools import partial

import numpy as np
import pytest

from sibu.core.errors import DataError, MissingExtra
from sibu.core.example import Faults
from sibu.media.live import streams
from sibu.media.live.capture import live_camera, live_microphone, live_pictures, live_readings, live_sound
from sibu.media.live.cuts import Cut, windows
from sibu.media.live.holding import held
from tests.media.live.test_cuts import jpeg

SAMPLES = np.int16(np.sin(np.arange(16000) / 20) * 20000)


def sent(path, data, portion=999):
    """A thread that writes a file into a named pipe."""
    os.mkfifo(path)

    def write():
        with open(path, "wb", buffering=0) as pipe:  # noqa: PTH123
            for start in range(0, len(data), portion):
                pipe.write(data[start : start + portion])

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    return thread


def served(family, address, data):
    """A thread that sends a file to whoever connects; the address that it has."""
    server = socket.socket(family)
    server.bind(address)
    server.listen()

    def serve():
        with server, server.accept()[0] as wire:
            wire.sendall(data)

    threading.Thread(target=serve, daemon=True).start()
    return server.getsockname()


def heard(records):
    return np.concatenate([record["audio"].samples for _, record in records])


def test_sound_through_a_pipe(tmp_path):
    thread = sent(tmp_path / "声音", SAMPLES.tobytes() + b"\1")
    faults = Faults()
    reader = partial(live_sound, rate=8000, seconds=0.5, hop=0.25, full="wait")
    got = list(reader(str(tmp_path / "声音"), faults))
    thread.join(10)
    assert [number for number, _ in got] == list(range(1, 8))
    for number, record in got:
        start = (number - 1) * 2000
        np.testing.assert_array_equal(record["audio"].samples, SAMPLES[start : start + 4000] / np.float32(32768))
    assert [fault.kind for fault in faults.examples] == ["cut window"]  # half a sample


def test_sound_through_a_socket_pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        thread = threading.Thread(target=lambda: (theirs.sendall(SAMPLES.tobytes()), theirs.close()), daemon=True)
        thread.start()
        found = Cut("wire", "audio", Faults())
        got = list(windows(streams._Wire(ours, "wire", 9), found, rate=8000, seconds=0.5))
        thread.join(10)
    np.testing.assert_array_equal(heard(got), SAMPLES / np.float32(32768))
    assert not found.faults.examples


def test_sound_through_sockets(tmp_path):
    host, port = served(socket.AF_INET, ("127.0.0.1", 0), SAMPLES.tobytes())
    served(socket.AF_UNIX, str(tmp_path / "wire"), SAMPLES.tobytes())
    for name in (f"tcp://{host}:{port}", f"unix://{tmp_path}/wire"):
        got = list(live_sound(name, Faults(), rate=8000, seconds=1.0, full="wait"))
        np.testing.assert_array_equal(heard(got), SAMPLES / np.float32(32768))


def test_pictures_through_a_pipe(tmp_path):
    pictures = [jpeg(seed, thumbnail=seed == 2) for seed in range(5)]
    sent(tmp_path / "mjpeg", b"".join(pictures))
    faults = Faults()
    got = list(live_pictures(str(tmp_path / "mjpeg"), faults, full="wait"))
    assert [record["image"] for _, record in got] == pictures
    assert not faults.examples
    pixels = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 3), dtype=np.uint8)
    sent(tmp_path / "raw", pixels.tobytes())
    got = list(live_pictures(str(tmp_path / "raw"), faults, size=(4, 5), rate=25, full="wait"))
    np.testing.assert_array_equal(np.stack([record["image"] for _, record in got]), pixels)


def test_readings_through_a_pipe(tmp_path):
    rows = "".join(f"{number / 10},{60 + number}\n" for number in range(25))
    sent(tmp_path / "csv", ("t,hr\n" + rows).encode())
    faults = Faults()
    reader = partial(live_readings, clock="t", channels=["hr"], seconds=1.0, form="csv", full="wait")
    got = list(reader(str(tmp_path / "csv"), faults))
    assert [len(record["series"]["values"]) for _, record in got] == [10, 10]
    assert got[1][1]["series"]["values"][0] == [70.0]
    assert [fault.kind for fault in faults.examples] == ["cut window"]


def test_standard_input(monkeypatch, tmp_path):
    path = tmp_path / "in"
    path.write_bytes(SAMPLES.tobytes())
    with path.open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        got = list(live_sound("-", Faults(), rate=8000, seconds=1.0, full="wait"))
    np.testing.assert_array_equal(heard(got), SAMPLES / np.float32(32768))


def test_a_microphones_program():
    writes = "import sys; sys.stdout.buffer.write(bytes(range(256)) * 500)"
    command = [sys.executable, "-c", writes]
    got = list(live_microphone("mic", Faults(), rate=8000, seconds=1.0, command=command, full="wait"))
    assert len(got) == 8
    expected = np.frombuffer(bytes(range(256)) * 500, "<i2") / np.float32(32768)
    np.testing.assert_array_equal(heard(got), expected)
    fails = [sys.executable, "-c", "import sys; sys.exit('no such device')"]
    with pytest.raises(DataError, match="failed: no such device"):
        list(live_microphone("mic", Faults(), rate=8000, seconds=1.0, command=fails))
    with pytest.raises(DataError, match="'no-such-program' cannot be started"):
        list(live_microphone("mic", Faults(), seconds=1.0, command=["no-such-program"]))


@pytest.mark.parametrize("full", ["wait", "drop"])
def test_an_endless_program_ends_with_its_reader(full):
    command = [sys.executable, "-c", "import sys\nwhile 1: sys.stdout.buffer.write(bytes(9999))"]
    got = live_microphone("mic", Faults(), rate=8000, seconds=0.1, command=command, most=2, full=full)
    assert next(got)[0] >= 1
    got.close()
    until = time.monotonic() + 10
    while any(thread.name == "sibu-live" for thread in threading.enumerate()):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_no_microphone(monkeypatch):
    monkeypatch.setattr(streams.shutil, "which", lambda name: None)
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(
        MissingExtra, match="A microphone without the program `arecord` needs the package 'sounddevice'"
    ):
        list(live_microphone("default", Faults(), seconds=1.0))


def test_the_package_for_microphones(monkeypatch):
    class Stream:
        read_available = 100

        def __init__(self, rate, **options):
            assert (rate, options) == (8000, {"device": None, "channels": 1, "dtype": "int16"})
            self.place = 0

        def __enter__(self):
            return self

        def __exit__(self, *fault):
            pass

        def read(self, frames):
            self.place += frames
            return SAMPLES[self.place - frames : self.place].tobytes(), False

    module = type(sys)("sounddevice")
    module.RawInputStream, module.PortAudioError = Stream, RuntimeError
    monkeypatch.setattr(streams.shutil, "which", lambda name: None)
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    got = list(live_microphone("default", Faults(), rate=8000, seconds=1.0, full="wait"))
    np.testing.assert_array_equal(heard(got), SAMPLES / np.float32(32768))


def test_a_camera(tmp_path):
    pictures = [jpeg(0), jpeg(2)]
    sent(tmp_path / "camera", b"".join(pictures))
    got = list(live_camera(str(tmp_path / "camera"), Faults(), form="mjpeg", full="wait"))
    assert [number for number, _ in got] == [1, 2]
    assert all(record["image"].shape == (9, 11, 3) for _, record in got)
    with pytest.raises(DataError, match=r"The camera /dev/no-video cannot be read: .* Is it there"):
        list(live_camera("/dev/no-video", Faults()))


@pytest.mark.parametrize("name", ["tcp://127.0.0.1", "udp://127.0.0.1:1", "unix://x", "tcp://127.0.0.1:1x"])
def test_names_that_open_nothing(name):
    with pytest.raises(DataError, match=r"is no stream that can be opened\. Allowed: `-`"):
        list(live_sound(name, Faults(), rate=8000, seconds=1.0))


def test_what_is_not_there_or_says_nothing(tmp_path):
    with pytest.raises(DataError, match=r"The stream .*none cannot be read: No such file"):
        list(live_sound(str(tmp_path / "none"), Faults(), rate=8000, seconds=1.0))
    with pytest.raises(DataError, match=r"cannot be read: .*refused"):
        list(live_sound("tcp://127.0.0.1:1", Faults(), rate=8000, seconds=1.0))
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        name = "tcp://{}:{}".format(*server.getsockname())
        with pytest.raises(DataError, match=r"Nothing came from tcp://.* for 0\.05 seconds"):
            list(live_sound(name, Faults(), rate=8000, seconds=1.0, patience=0.05))


def test_a_slow_reader_loses_the_oldest_and_is_told():
    faults = Faults()
    done = threading.Event()

    def records():
        for number in range(1, 101):
            yield number, {"value": number}
        done.set()

    got = held(records(), faults, name="live", most=4)
    first = next(got)
    assert done.wait(10)  # the world did not wait
    rest = list(got)
    numbers = [first[0], *(number for number, _ in rest)]
    assert numbers == sorted(numbers)
    assert numbers[-1] == 100
    assert len(numbers) <= 6  # four held, the first, and the one at hand
    assert len(numbers) + faults.skipped["live"] == 100
    assert "was dropped: 4 were held, and the reader did not take them" in str(faults.examples[0])


def test_a_sender_can_be_made_to_wait():
    faults = Faults()
    most, sent_so_far = [], []

    def records():
        for number in range(1, 51):
            sent_so_far.append(number)
            yield number, {}

    for taken, _ in held(records(), faults, name="live", most=3, full="wait"):
        most.append(len(sent_so_far) - taken)
    assert len(most) == 50
    assert max(most) <= 4  # three held, and one that waits
    assert not faults.examples


def test_what_breaks_comes_after_what_was_read():
    def records():
        yield 1, {}
        raise DataError("the wire broke")

    got = held(records(), Faults(), name="live")
    assert next(got) == (1, {})
    with pytest.raises(DataError, match="the wire broke"):
        next(got)
    with pytest.raises(ValueError, match="at least one record"):
        next(held([], Faults(), name="live", most=0))
