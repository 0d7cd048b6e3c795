"""Where live bytes come from. A stream here is whatever has ``read(most)``: what has arrived, empty at the end."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Protocol
from urllib.parse import urlsplit

from sibu.core.errors import DataError, MissingExtra
from sibu.media.sources import library

PATIENCE = 30.0
"""Seconds that a socket may be silent unless told."""
_ALLOWED = "Allowed: `-` (standard input), the name of a pipe or file, tcp://HOST:PORT, unix:///PATH."


class Stream(Protocol):
    """Bytes as they arrive."""

    def read(self, most: int, /) -> bytes:
        """At least one byte and at most so many, as soon as there are any; none at the end."""
        ...


def called(name: str) -> str:
    """How messages call a stream."""
    return "standard input" if name == "-" else name


@contextmanager
def opened(name: str, patience: float | None = PATIENCE) -> Iterator[Stream]:
    """The bytes of a stream.

    Args:
        name: ``-`` for standard input, a pipe or file, ``tcp://host:port``, ``unix:///path``.
        patience: Seconds that a socket may be silent; None: for ever.

    Raises:
        DataError: When it cannot be opened, or breaks off.
    """
    try:
        if name == "-":
            yield sys.stdin.buffer.raw if hasattr(sys.stdin.buffer, "raw") else sys.stdin.buffer
        elif name.startswith(("tcp:", "unix:")):
            with _connected(name, patience) as wire:
                yield _Wire(wire, name, patience)
        elif "://" in name:
            raise DataError(f"{name} is no stream that can be opened. {_ALLOWED}")
        else:
            with Path(name).open("rb", buffering=0) as file:
                yield file
    except OSError as fault:
        raise DataError(f"The stream {called(name)} cannot be read: {fault.strerror or fault}. {_ALLOWED}") from fault


@contextmanager
def microphone(
    device: str = "default", *, rate: int = 16_000, channels: int = 1, command: Sequence[str] | None = None
) -> Iterator[Stream]:
    """Samples of a microphone: 16 bits, little-endian, channels in turn.

    Args:
        device: As the program that records calls it.
        rate: Samples a second.
        channels: How many.
        command: A program that writes such samples to its output; None: ``arecord`` where it is installed, else the
            package ``sounddevice``.

    Raises:
        DataError: When the program cannot be started or fails; its last words are told.
        MissingExtra: Without either.
    """
    if command is None and shutil.which("arecord"):
        command = ["arecord", "-q", "-t", "raw", "-f", "S16_LE", "-D", device, "-r", str(rate), "-c", str(channels)]
    if command is None:
        with _sounddevice(device, rate, channels) as stream:
            yield stream
        return
    with TemporaryFile() as said:
        null = subprocess.DEVNULL
        try:
            process = subprocess.Popen(command, stdin=null, stdout=subprocess.PIPE, stderr=said)
        except OSError as fault:
            raise DataError(f"The microphone's program {command[0]!r} cannot be started: {fault.strerror}.") from fault
        with process:
            try:
                yield _Output(process, command[0], said)
            finally:
                process.kill()


def camera(
    device: str = "/dev/video0", *, form: str | None = "v4l2", rate: int | None = None,
    size: tuple[int, int] | None = None,
) -> Iterator[Any]:  # fmt: skip
    """Pictures of a camera as they come, uint8 (H, W, 3).

    Args:
        device: Its file.
        form: FFmpeg's name of what it is: ``v4l2`` (Linux), ``avfoundation`` (macOS), ``dshow`` (Windows).
        rate: Pictures a second to ask it for; None: its own.
        size: Height and width to ask it for; None: its own.

    Raises:
        DataError: When it cannot be opened, or breaks off.
        MissingExtra: Without PyAV.
    """
    av = library("av", "A camera", "video")
    options = {"framerate": str(rate)} if rate else {}
    options |= {"video_size": f"{size[1]}x{size[0]}"} if size else {}
    try:
        with av.open(device, format=form, options=options) as container:
            for frame in container.decode(container.streams.video[0]):
                yield frame.to_ndarray(format="rgb24")
    except (av.FFmpegError, OSError, ValueError) as fault:
        why = getattr(fault, "strerror", None) or fault
        raise DataError(
            f"The camera {device} cannot be read: {why}. Is it there, and may this user read it?"
        ) from fault


class _Wire:
    """A socket's bytes."""

    def __init__(self, wire: socket.socket, name: str, patience: float | None) -> None:
        self._wire, self._name, self._patience = wire, name, patience

    def read(self, most: int, /) -> bytes:
        try:
            return self._wire.recv(most)
        except TimeoutError as fault:
            raise DataError(f"Nothing came from {self._name} for {self._patience:g} seconds.") from fault


class _Output:
    """What a program writes."""

    def __init__(self, process: subprocess.Popen[bytes], name: str, said: IO[bytes]) -> None:
        self._process, self._name, self._said = process, name, said

    def read(self, most: int, /) -> bytes:
        assert self._process.stdout is not None
        data: bytes = self._process.stdout.read1(most)  # type: ignore[attr-defined]
        if not data and self._process.wait():
            self._said.seek(0)
            said = self._said.read().decode(errors="replace").strip()[-300:]
            raise DataError(f"The microphone's program {self._name!r} failed: {said or self._process.returncode}.")
        return data


def _connected(name: str, patience: float | None) -> socket.socket:
    parts = urlsplit(name)
    if parts.scheme == "unix" and parts.path and not parts.netloc:
        wire = socket.socket(socket.AF_UNIX)
        wire.settimeout(patience)
        try:
            wire.connect(parts.path)
        except OSError:
            wire.close()
            raise
        return wire
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if parts.scheme != "tcp" or not host or not port:
        raise DataError(f"{name} is no stream that can be opened. {_ALLOWED}")
    return socket.create_connection((host, port), timeout=patience)


@contextmanager
def _sounddevice(device: str, rate: int, channels: int) -> Iterator[Stream]:
    try:
        sounddevice = library("sounddevice", "A microphone", "audio")
    except MissingExtra:
        raise MissingExtra("A microphone without the program `arecord`", "sounddevice") from None
    except OSError as fault:
        raise DataError(f"The microphone cannot be opened: {fault}.") from fault
    chosen = None if device == "default" else device
    try:
        with sounddevice.RawInputStream(rate, device=chosen, channels=channels, dtype="int16") as source:
            yield _Heard(source, 2 * channels)
    except sounddevice.PortAudioError as fault:
        raise DataError(f"The microphone {device!r} cannot be opened: {fault}.") from fault


class _Heard:
    """The samples of ``sounddevice``."""

    def __init__(self, source: Any, width: int) -> None:
        self._source, self._width = source, width

    def read(self, most: int, /) -> bytes:
        frames = max(1, min(self._source.read_available, most // self._width))
        return bytes(self._source.read(frames)[0])
