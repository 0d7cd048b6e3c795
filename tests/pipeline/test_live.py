"""Live streams through pipes, sockets and the command: records are answered as files are, and faults stand in place."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import wave
from functools import partial
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import sibu
from sibu.cli import app
from sibu.core.errors import DataError, RecipeError
from sibu.pipeline.mixed import _digest
from tests.conftest import write_jsonl

RATE = 2000
TRAIN = {"epochs": 6, "learning_rate": 3e-3, "batch_tokens": 256, "seed": 5}
COLOURS = {"红": (200, 30, 30), "blue": (30, 30, 200)}


def tone(label: str, seed: int, seconds: float = 0.5) -> np.ndarray:
    """Samples in 16 bits."""
    times = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(seed).normal(0, 0.05, len(times))
    wave_of: np.ndarray = np.sin(2 * np.pi * {"低": 100, "high": 700}[label] * times) * 0.5 + noise
    return (wave_of * 32767).clip(-32768, 32767).astype(np.int16)


def write_wav(file: Path, samples: np.ndarray) -> None:
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples.tobytes())


def jpeg(label: str, seed: int) -> bytes:
    noise = np.random.default_rng(seed).integers(-20, 20, (8, 8, 3))
    stream = BytesIO()
    Image.fromarray((np.array(COLOURS[label]) + noise).clip(0, 255).astype(np.uint8)).save(stream, "JPEG")
    return stream.getvalue()


def vitals(label: str, seed: int, rows: int = 10, start: int = 0) -> list[tuple[int, float, float]]:
    """Milliseconds, pulse, oxygen."""
    draw = Random(seed)
    base = 110 if label == "急" else 60
    return [(start + 100 * n, base + draw.uniform(-5, 5), 95 + draw.uniform(-1, 1)) for n in range(rows)]


def vitals_csv(rows: list[tuple[int, float, float]], header: str = "ms,脉搏,spo2") -> str:
    return header + "\n" + "".join(f"{time},{one:.2f},{two:.2f}\n" for time, one, two in rows)


def run(home: Path, modality: dict[str, Any], rows: list[dict[str, Any]], **train: Any) -> Path:
    write_jsonl(home / "train.jsonl", rows)
    data = {"train": str(home / "train.jsonl")}
    task = {"type": "classify", "data": data}
    recipe = {"name": "it", "modalities": modality, "tasks": {"it": task}, "train": TRAIN | train}
    return sibu.run(recipe, out=home / "run")


@pytest.fixture(scope="module")
def hearing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home, rows = tmp_path_factory.mktemp("hearing"), []
    for number in range(24):
        label = ("低", "high")[number % 2]
        write_wav(home / f"{number}.wav", tone(label, number))
        rows.append({"audio": f"{number}.wav", "label": label})
    return run(home, {"name": "audio", "mels": 16, "width": 16, "depth": 1, "seconds": 1.0}, rows)


@pytest.fixture(scope="module")
def seeing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home, rows = tmp_path_factory.mktemp("seeing"), []
    for number in range(24):
        label = ("红", "blue")[number % 2]
        (home / f"{number}.jpg").write_bytes(jpeg(label, number))
        rows.append({"image": f"{number}.jpg", "label": label})
    return run(home, {"name": "image", "size": 8, "width": 16}, rows, epochs=30, learning_rate=1e-2)


@pytest.fixture(scope="module")
def sensing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home, rows = tmp_path_factory.mktemp("sensing"), []
    for number in range(24):
        label = ("急", "calm")[number % 2]
        (home / f"{number}.csv").write_text(vitals_csv(vitals(label, number)), encoding="utf-8")
        rows.append({"series": f"{number}.csv", "label": label})
    series = {"name": "series", "time": "ms", "unit": "ms", "width": 16, "heads": 2, "layers": 1, "patch": 4}
    return run(home, series, rows)


def served(data: bytes) -> str:
    """A socket that sends these bytes to whoever connects, and closes."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with server, server.accept()[0] as wire:
            wire.sendall(data)

    threading.Thread(target=serve, daemon=True).start()
    return f"tcp://127.0.0.1:{server.getsockname()[1]}"


def piped(place: Path, data: bytes) -> str:
    """A named pipe that these bytes are written into."""
    os.mkfifo(place)
    threading.Thread(target=place.write_bytes, args=(data,), daemon=True).start()
    return str(place)


def asked(*args: str, stdin: bytes = b"", exit_code: int = 0) -> tuple[list[dict[str, Any]], str]:
    """Lines and words of a process of its own."""
    done = subprocess.run([sys.executable, "-m", "tests.pipeline.test_live", *args], input=stdin, capture_output=True)
    assert done.returncode == exit_code, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.decode().splitlines()], done.stderr.decode()


def told(line: dict[str, Any]) -> tuple[Any, float]:
    return line["value"], pytest.approx(line["score"], abs=1e-5)


def test_sound_through_a_pipe_is_answered_as_the_same_samples(hearing: Path, tmp_path: Path) -> None:
    said = ["低", "high", "high", "低"]
    parts = [tone(label, 50 + number) for number, label in enumerate(said)]
    model = sibu.load(hearing)
    name = piped(tmp_path / "声音", b"".join(part.tobytes() for part in parts) + b"\1\2")
    records = sibu.listen(model, "sound", name, rate=RATE, seconds=0.5, wait=True)
    lines = list(sibu.live(model, records))
    assert [(line["id"], line["time"]) for line in lines] == [(1, 0.0), (2, 0.5), (3, 1.0), (4, 1.5)]
    assert [line["value"] for line in lines] == said
    for line, part in zip(lines, parts, strict=True):
        answer = model.predict({"audio": (part, RATE)})
        assert (answer.value, answer.score) == told(line)
    assert [each.kind for each in records.faults.examples] == ["cut window"]  # told, and no input that was lost


def test_pictures_through_a_socket_with_a_damaged_one_in_its_place(seeing: Path) -> None:
    pictures = [jpeg("红", 1), jpeg("blue", 2), jpeg("红", 3)]
    damaged = b"\xff\xd8\xff\xe0\x00\x01" + b"\r\n" * 3
    model = sibu.load(seeing)
    name = served(pictures[0] + damaged + pictures[1] + pictures[2])
    records = sibu.listen(model, "pictures", name, wait=True)
    lines = list(sibu.live(model, records))
    assert [line["id"] for line in lines] == [1, 2, 3, 4]
    assert lines[1]["error"] == "Picture 2 is damaged. See what writes the stream."
    found = [line for line in lines if "value" in line]
    assert [line["value"] for line in found] == ["红", "blue", "红"]
    for line, picture in zip(found, pictures, strict=True):
        answer = model.predict({"image": picture})
        assert (answer.value, answer.score) == told(line)


def test_pixels_of_a_size(seeing: Path) -> None:
    pixels = np.zeros((2, 6, 9, 3), np.uint8)
    pixels[0, :, :, 0], pixels[1, :, :, 2] = 200, 200
    model = sibu.load(seeing)
    lines = list(sibu.live(model, sibu.listen(model, "pictures", served(pixels.tobytes()), form="9x6", rate=2)))
    assert [(line["time"], line["value"]) for line in lines] == [(0.0, "红"), (0.5, "blue")]
    assert model.predict({"image": pixels[0]}).score == pytest.approx(lines[0]["score"], abs=1e-5)


def test_readings_are_answered_as_their_files(sensing: Path, tmp_path: Path) -> None:
    said = ["急", "calm", "急"]
    parts = [vitals(label, 70 + n, start=1_000_000 + 1000 * n) for n, label in enumerate(said)]
    model, files = sibu.load(sensing), []
    for number, part in enumerate(parts):
        files.append(tmp_path / f"{number}.csv")
        files[-1].write_text(vitals_csv(part), encoding="utf-8")
    rows = [row for part in parts for row in part] + [(1_003_000, 61.0, 96.0)]  # the clock ends the third
    csv = vitals_csv(rows, "ms,pulse,oxygen").encode()
    options: dict[str, Any] = {"form": "csv", "channels": ["pulse", "oxygen"], "seconds": 1.0, "wait": True}
    lines = list(sibu.live(model, sibu.listen(model, "readings", served(csv), **options)))
    assert [(line["id"], line["time"]) for line in lines] == [(1, 1000.0), (2, 1001.0), (3, 1002.0)]
    for line, file, label in zip(lines, files, said, strict=True):
        answer = model.predict({"series": str(file)})
        assert (answer.value, answer.score) == told(line)
        assert answer.value == label
    del options["wait"]
    served_again = served(b"pulse,oxygen\n" + b"".join(f"{one},{two}\n".encode() for _, one, two in rows))
    rated = list(sibu.live(model, sibu.listen(model, "readings", served_again, rate=len(parts[0]), **options)))
    assert [line["value"] for line in rated] == said  # of a stream that has no clock, for a bundle whose streams have


def test_the_command_reads_standard_input_and_tells_what_is_no_reading(sensing: Path, tmp_path: Path) -> None:
    rows = [*vitals("急", 1), *vitals("calm", 2, start=1000), *vitals("calm", 3, rows=3, start=2000)]
    lines = [
        json.dumps({"spo2": two, "ms": time, "脉搏": one, "bed": "七"}, ensure_ascii=False) for time, one, two in rows
    ]
    lines[4:4] = ["{", '{"ms": 400, "脉搏": "高"}', '{"ms": 401, "bed": "七"}']
    stdin = "\n".join([*lines, ""]).encode()
    args = ["predict", str(sensing), "--live", "readings", "--seconds", "1", "--wait"]
    found, words = asked(*args, stdin=stdin)
    assert [(line["id"], line["value"], line["time"]) for line in found] == [(1, "急", 0.0), (2, "calm", 1.0)]
    assert "warning: bad reading: standard input:6: Line 6: '脉搏' is '高'" in words  # told at once
    assert words.count("warning: bad line: ") == 1  # once is enough of what came once
    assert "warning: bad reading: 2 in standard input, such as" in words
    assert "it names none of '脉搏', 'spo2'; it has 'ms', 'bed'." not in words  # the second of its kind
    assert words.count("warning: cut window: ") == 1
    garbage = CliRunner().invoke(app, [*args, "--from", piped(tmp_path / "杂", b"hello\n\xff\xfe\n")])
    assert (garbage.exit_code, garbage.stdout) == (1, "")
    assert "sibu: nothing of the stream could be read as a record, and nothing was answered." in garbage.stderr
    quiet = CliRunner().invoke(app, [*args, "--quiet", "--from", piped(tmp_path / "读数", stdin)])
    assert (quiet.stderr, [json.loads(line) for line in quiet.stdout.splitlines()]) == ("", found)


def test_each_line_is_there_before_the_stream_goes_on(hearing: Path, tmp_path: Path) -> None:
    """Each answer is read before the next window is sent; a Ctrl-C ends it well, and the file has what was said."""
    out = tmp_path / "答.jsonl"
    args = ["predict", str(hearing), "--live", "sound", "--rate", str(RATE), "--seconds", "0.5", "--wait"]
    command = [sys.executable, "-m", "tests.pipeline.test_live", *args]
    pipes: Any = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    heeding = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # who runs in the background is deaf to it
    with subprocess.Popen(command, preexec_fn=heeding, **pipes) as process:
        assert process.stdin and process.stdout and process.stderr
        for number, label in enumerate(("high", "低"), 1):
            process.stdin.write(tone(label, number).tobytes())
            process.stdin.flush()
            line = json.loads(process.stdout.readline())
            assert (line["id"], line["value"]) == (number, label)
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 0
        assert process.stderr.read() == b""
    file = tmp_path / "samples"
    file.write_bytes(tone("低", 9).tobytes() * 20)
    done = CliRunner().invoke(app, [*args[:-1], "--from", str(file), "--output", str(out)])  # a file waits by itself
    assert (done.exit_code, done.output) == (0, "")
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [(line["id"], line["value"]) for line in lines] == [(number, "低") for number in range(1, 21)]


def test_dropped_records_stand_in_their_place(hearing: Path) -> None:
    """While the first record is answered, others come; few are held."""
    model = sibu.load(hearing)
    name = served(b"".join(tone("低", seed).tobytes() for seed in range(30)))
    records = sibu.listen(model, "sound", name, rate=RATE, seconds=0.5, most=2)
    lines = sibu.live(model, records)
    first = next(lines)
    for thread in threading.enumerate():
        if thread.name == "sibu-live":
            thread.join(120)
    every = [first, *lines]
    assert [line["id"] for line in every] == list(range(1, 31))
    lost = [line for line in every if "error" in line]
    assert len(lost) == records.faults.skipped[name] >= 26
    assert lost[0]["error"].startswith(f"Record {lost[0]['id']} was dropped: 2 were held")
    assert [line["id"] for line in every if "value" in line][-2:] == [29, 30]  # the newest are answered


def test_lost_records_make_the_exit_code(seeing: Path, tmp_path: Path) -> None:
    name = piped(tmp_path / "图", b"\xff\xd8\xff\xe0\x00\x01\r\n\r\n" + jpeg("红", 1))
    done = CliRunner().invoke(app, ["predict", str(seeing), "--live", "pictures", "--wait", "--from", name])
    assert done.exit_code == 1
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [1, 2]
    assert 'sibu: 1 input could not be answered; its line has "error".' in done.stderr
    assert f"warning: bad picture: 1 in {name}, such as {name}:1: Picture 1 is damaged." in done.stderr
    done = CliRunner().invoke(app, ["predict", str(seeing), "--live", "pictures", "--from", f"{name}s"])
    assert f"The stream {name}s cannot be read: No such file or directory. Allowed: `-`" in str(done.exception)


def test_a_picture_that_cannot_be_decoded_is_its_lines_error(seeing: Path) -> None:
    half = jpeg("红", 1)
    hollow = half[:20] + b"\xff\xd9"  # a whole JPEG by its marks, and nothing in it
    model = sibu.load(seeing)
    lines = list(sibu.live(model, sibu.listen(model, "pictures", served(hollow + half), wait=True)))
    assert "error" in lines[0]
    assert lines[1]["value"] == "红"


def test_records_from_anywhere(seeing: Path) -> None:
    model = sibu.load(seeing)
    records = [(7, {"image": jpeg("blue", 1), "time": 3}), (9, {"image": 5}), (8, {"other": 1})]
    lines = list(sibu.live(model, iter(records)))
    assert [line["id"] for line in lines] == [7, 9, 8]
    assert (lines[0]["value"], lines[0]["time"]) == ("blue", 3.0)
    assert lines[1]["error"] == "'image' must be the name of a file, given 5."
    assert lines[2]["error"] == "there is no 'image'; the input has 'other'."
    with pytest.raises(DataError, match=r"A picture is a file's name, its bytes, or pixels .*given object"):
        model.predict({"image": object()})


def test_sound_that_is_no_plain_samples_is_refused(hearing: Path, tmp_path: Path) -> None:
    write_wav(tmp_path / "录音.wav", tone("低", 1))
    model = sibu.load(hearing)
    records = sibu.listen(model, "sound", str(tmp_path / "录音.wav"), rate=RATE, seconds=0.5)
    with pytest.raises(DataError, match=r"录音\.wav brings no plain samples: it begins like a WAV recording\. Let its"):
        list(sibu.live(model, records))


def test_readings_without_a_clock(tmp_path: Path) -> None:
    rows = []
    for number in range(16):
        values = [[one, two] for _, one, two in vitals(("急", "calm")[number % 2], number)]
        rows.append({"series": {"values": values, "names": ["脉搏", "spo2"]}, "label": ("急", "calm")[number % 2]})
    bundle = run(tmp_path, {"name": "series", "width": 16, "heads": 2, "layers": 1, "patch": 4}, rows)
    model = sibu.load(bundle)
    stream = "".join(
        json.dumps(dict(zip(("脉搏", "spo2"), each, strict=True))) + "\n" for each in rows[0]["series"]["values"]
    )
    with pytest.raises(RecipeError, match="have no clock: name the stream's with `clock`, or give its `rate` a second"):
        sibu.listen(model, "readings", seconds=1)
    options: dict[str, Any] = {"rate": 10, "seconds": 1, "every": 0.5, "wait": True}
    records = sibu.listen(model, "readings", served((stream * 2).encode()), **options)
    lines = list(sibu.live(model, records))
    assert [line["time"] for line in lines] == [0.0, 0.5, 1.0]
    answer = model.predict({"series": rows[0]["series"]})
    assert (answer.value, answer.score) == told(lines[0]) == told(lines[2])
    with pytest.raises(DataError, match=r"has 2 channels .*where the training streams have 2 channels"):
        model.predict({"series": {"values": [[1, 2]], "names": ["a", "b"]}})
    with pytest.raises(DataError, match=r"has as `names` \[\"a\"\]; each of the 2 channels needs a name of its own"):
        model.predict({"series": {"values": [[1, 2]], "names": ["a"]}})


@pytest.mark.parametrize(
    ("kind", "options", "text"),
    [
        ("video", {}, "'video' is nothing live. Allowed: sound, pictures, readings, one of them at a time."),
        ("sound,readings", {}, "is nothing live. .*one of them at a time"),
        ("readings", {"seconds": 1}, "Live readings: the modality `series` is needed, and the bundle reads audio."),
        ("sound", {"rate": 8000}, "Say how long a window of live sound is: `seconds`."),
        ("sound", {"seconds": 0.5}, "how many there are a second: give `rate`, such as 16000."),
        ("sound", {"seconds": 2, "rate": 8000}, "`seconds` is 2, and the model reads the first 1."),
        ("sound", {"seconds": 0.5, "rate": -1}, "`rate` is -1; it must be more than 0."),
        ("sound", {"seconds": 0.5, "rate": 0.5}, "`rate` of live sound is a whole number, given 0.5."),
        ("sound", {"seconds": 0.5, "rate": 8, "form": "mp3"}, "'mp3' is no form of samples. Allowed: u8, s16"),
        ("sound", {"seconds": 0.5, "rate": 8, "clock": "t"}, "`clock` is no option of live sound. Allowed: 'rate', "),
        ("sound", {"seconds": 0.5, "rate": 8, "channels": ["a"]}, r"`channels` of sound is how many .* \['a'\]"),
        ("sound", {"source": "camera", "seconds": 0.5, "rate": 8}, "A camera brings pictures, no sound."),
        ("sound", {"source": "microphone", "seconds": 0.5, "form": "u8"}, "`form` is for streams of bytes"),
    ],
)  # fmt: skip
def test_what_cannot_be_heard(hearing: Path, kind: str, options: dict[str, Any], text: str) -> None:
    with pytest.raises(RecipeError, match=text):
        sibu.listen(sibu.load(hearing), kind, **options)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"seconds": 1, "channels": ["a"]}, "`channels` are 'a'; the bundle reads 2: '脉搏', 'spo2'. Name each."),
        ({"seconds": 1, "form": "xml"}, "'xml' is no form of readings. Allowed: json"),
        ({"seconds": 1, "clock": "t", "rate": 1}, "Readings have a clock or a `rate`, not both."),
        ({"seconds": 1, "source": "microphone"}, "A microphone brings sound, no readings."),
    ],
)
def test_what_cannot_be_read(sensing: Path, options: dict[str, Any], text: str) -> None:
    with pytest.raises(RecipeError, match=text):
        sibu.listen(sibu.load(sensing), "readings", **options)


def test_a_header_that_lacks_a_channel_ends_the_stream(sensing: Path) -> None:
    model = sibu.load(sensing)
    records = sibu.listen(model, "readings", served(b"ms,spo2,spo3\n0,1,2\n"), form="csv", seconds=1)
    said = r"tcp://.* has no column '脉搏'; its header is 'ms', 'spo2', 'spo3'\..* Name its columns with `channels`"
    with pytest.raises(DataError, match=said):
        list(sibu.live(model, records))


def test_devices_go_to_their_programs(hearing: Path, seeing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[Any] = []

    def read(device: str, faults: Any, **named: Any) -> Any:
        found.append((device, named))
        return iter(())

    monkeypatch.setattr("sibu.pipeline.live.live_microphone", read)
    monkeypatch.setattr("sibu.pipeline.live.live_camera", read)
    monkeypatch.setattr("sys.platform", "linux")
    ear, eye = sibu.load(hearing), sibu.load(seeing)
    for model, kind, name, options in [
        (ear, "sound", "microphone", {"seconds": 1.0}),
        (ear, "sound", "microphone:hw:1", {"seconds": 1.0, "rate": 44100, "every": 0.25, "channels": 2}),
        (eye, "pictures", "camera", {}),
        (eye, "pictures", "camera:2", {"form": "640x480", "rate": 5}),
        (eye, "pictures", "camera:/dev/相机", {}),
    ]:
        assert list(sibu.live(model, sibu.listen(model, kind, name, **options))) == []
    assert [device for device, _ in found] == ["default", "hw:1", "/dev/video0", "/dev/video2", "/dev/相机"]
    assert [found[0][1]["rate"], found[1][1]["rate"], found[1][1]["hop"], found[1][1]["channels"]] == [
        2000,
        44100,
        0.25,
        2,
    ]
    assert (found[3][1]["size"], found[3][1]["rate"], found[3][1]["full"]) == ((480, 640), 5, "drop")


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["--rate", "8000", "--text", "a"], "--rate: only with --live."),
        (["--from", "-", "--wait", "--value", "image=a.png"], "--from, --wait: only with --live."),
        (["--live", "sound", "--text", "a"], "--live takes what the stream brings"),
        (["--live", "sound", "--input", "a.jsonl"], "--live takes what the stream brings"),
        ([], "give either --text (or --value) or --input, or --live."),
    ],
)
def test_wrong_usage(hearing: Path, args: list[str], text: str) -> None:
    done = CliRunner().invoke(app, ["predict", str(hearing), *args])
    assert done.exit_code == 2
    assert text in " ".join(done.output.replace("│", " ").split())


def test_values_in_memory_have_digests_of_what_is_in_them() -> None:
    samples = np.arange(5000.0)
    changed = samples.copy()
    changed[2500] += 1  # numpy shows neither
    assert _digest((samples, 8)) == _digest((samples.copy(), 8))
    assert len({_digest(each) for each in ((samples, 8), (changed, 8), (samples, 9), samples, b"a", b"b", "a")}) == 7


if __name__ == "__main__":
    from sibu.cli import main

    main()
