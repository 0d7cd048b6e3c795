"""Records of live streams to predictions: each is answered as it comes, and what is lost is told in its place."""

from __future__ import annotations

import re
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from heapq import heappop, heappush
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast, get_args

from sibu.core.errors import RecipeError, SibuError, near_miss
from sibu.core.example import DataFault, Faults, as_names
from sibu.core.protocols import Record
from sibu.core.values import ValueModality
from sibu.media.live.capture import live_camera, live_microphone, live_pictures, live_readings, live_sound
from sibu.media.live.cuts import LOST, Samples
from sibu.media.live.holding import DROPPED, MOST
from sibu.media.live.streams import PATIENCE
from sibu.media.series import SECONDS
from sibu.pipeline.answer import answer_inputs
from sibu.pipeline.mixed import Mixed, origin_of
from sibu.pipeline.progress import Silent

if TYPE_CHECKING:
    from sibu.pipeline.bundle import Opened

KINDS = {"sound": "audio", "pictures": "image", "readings": "series"}
"""What a stream brings, and the modality that reads it."""
MICROPHONE, CAMERA = "microphone", "camera"
_OPTIONS = {
    "sound": ("rate", "seconds", "every", "form", "channels"),
    "pictures": ("rate", "form"),
    "readings": ("rate", "seconds", "every", "form", "channels", "clock"),
}
_CAMERAS = {"linux": ("v4l2", "/dev/video"), "darwin": ("avfoundation", ""), "win32": ("dshow", "video=")}
_Read = Callable[[Faults], Iterator[Record]]


@dataclass(frozen=True, slots=True)
class Source:
    """Where records come from and how they are cut; what is None is settled by the bundle, or need not be said."""

    kind: str
    """``sound``, ``pictures`` or ``readings``."""
    name: str = "-"
    """``-`` (standard input), a pipe or file, ``tcp://HOST:PORT``, ``unix:///PATH``, ``microphone[:DEVICE]`` or
    ``camera[:NUMBER]``."""
    rate: float | None = None
    """Samples, pictures or readings a second."""
    seconds: float | None = None
    """Length of a window of sound or readings."""
    every: float | None = None
    """Seconds from the beginning of one window to that of the next; None: ``seconds``."""
    form: str | None = None
    """How it is written: sound ``s16``, ``u8``, ``s32``, ``f32``; pictures ``jpeg`` or pixels of ``WIDTHxHEIGHT``;
    readings ``json`` or ``csv``. None: the first of these."""
    channels: Sequence[str] | int | None = None
    """Of sound how many; of readings their names, in the order of the bundle's channels."""
    clock: str | None = None
    """The name of the clock among readings."""
    wait: bool = False
    """Whether the sender waits where the model is slower, as a file always does; else the oldest records are given up,
    and told."""
    most: int = MOST
    """Records that are held."""
    patience: float | None = PATIENCE
    """Seconds that a socket may be silent; None: for ever."""


@dataclass(slots=True)
class Overheard(Faults):
    """Faults that can also be heard one by one, in another thread than that which tells them."""

    news: deque[DataFault] = field(default_factory=deque)
    """Those that nobody has heard yet."""

    def add(self, fault: DataFault, *, skips_row: bool = False) -> None:
        """Count it, and have it heard."""
        Faults.add(self, fault, skips_row=skips_row)
        self.news.append(fault)


class Listening:
    """The records of a live stream, which begins when they are asked for; gone through once.

    Args:
        read: Gives the records.
    """

    def __init__(self, read: _Read) -> None:
        self._read = read
        self.faults = Overheard()
        """What was wrong with the stream so far: every fault is counted."""

    def __iter__(self) -> Iterator[Record]:
        return self._read(self.faults)


def listen(opened: Opened, name: str, source: Source) -> Listening:
    """Listen to a stream, of whose records a task of a bundle reads each.

    Args:
        opened: The bundle.
        name: The task's name.
        source: The stream.

    Raises:
        RecipeError: When the bundle reads no such thing, or an option is missing, not allowed or of another stream.
    """
    if source.kind not in KINDS:
        near = near_miss(source.kind, KINDS)
        _refuse(f"{source.kind!r} is nothing live. {near}Allowed: {', '.join(KINDS)}, one of them at a time.")
    for option in ("rate", "seconds", "every", "form", "channels", "clock"):
        if getattr(source, option) is not None and option not in _OPTIONS[source.kind]:
            allowed = as_names(_OPTIONS[source.kind])
            _refuse(f"`{option}` is no option of live {source.kind}. Allowed: {allowed}.")
    for option in ("rate", "seconds", "every", "patience"):
        if (given := getattr(source, option)) is not None and not given > 0:
            _refuse(f"`{option}` is {given:g}; it must be more than 0.")
    modality = _modality(opened, name, source)
    readers = {"sound": _sound, "pictures": _pictures, "readings": _readings}
    return Listening(readers[source.kind](source, modality))


def answer_live(
    opened: Opened, name: str, records: Iterable[tuple[int, Mapping[str, Any]]], *, tell: Callable[[str], None]
) -> Iterator[dict[str, Any]]:
    """A line in the contract's form for each record, as soon as it comes.

    Args:
        opened: The bundle.
        name: The task's name.
        records: What ``listen`` gives, or any numbers with records of the task's fields.
        tell: Told the first fault of each kind that stands for no record, such as a line that is no reading.

    Yields:
        ``{"id": number, "task": ..., "time": second, ...}``; where a record was lost its fault as ``error``.
    """
    lost = _Lost(records.faults, tell) if isinstance(records, Listening) else None
    for number, record in records:
        for place, fault in lost.before(number) if lost is not None else ():
            yield {"id": place, "task": name, "error": fault}
        line: dict[str, Any] = {"id": number, "task": name}
        if isinstance(time := record.get("time"), int | float):
            line["time"] = round(float(time), 6)
        (found,) = answer_inputs(opened, name, [record], progress=Silent(), total=1)
        yield line | ({"error": str(found)} if isinstance(found, SibuError) else found.as_json())
    for place, fault in lost.before(None) if lost is not None else ():
        yield {"id": place, "task": name, "error": fault}


class _Lost:
    """What a stream has lost, sorted into its records.

    Args:
        faults: Where it is told.
        tell: Told the first of each kind that stands for no record.
    """

    def __init__(self, faults: Overheard, tell: Callable[[str], None]) -> None:
        self._faults, self._tell = faults, tell
        self._waiting: list[tuple[int, str]] = []
        self._told: set[str] = set()

    def before(self, number: int | None) -> Iterator[tuple[int, str]]:
        """Numbers and faults of the records that were lost before this one; None: of all."""
        news = self._faults.news
        while news:
            fault = news.popleft()
            if fault.row is not None and (fault.kind in LOST or fault.kind == DROPPED):
                heappush(self._waiting, (fault.row, f"{fault.message} {fault.mend}".rstrip()))
            elif fault.kind not in self._told:
                self._told.add(fault.kind)
                self._tell(f"warning: {fault.kind}: {fault}")
        while self._waiting and (number is None or self._waiting[0][0] < number):
            yield heappop(self._waiting)


# ---- how each kind is cut ------------------------------------------------------------------------------------------


def _modality(opened: Opened, name: str, source: Source) -> Any:
    """The modality of the bundle that reads what the stream brings.

    Raises:
        RecipeError: When there is none, or several, or the task needs something else in each row.
    """
    kind, text = KINDS[source.kind], opened.text
    specs = opened.recipe.valued
    own = [field for field, spec in specs.items() if spec.name == kind]
    reads = ", ".join([*(["text"] if opened.recipe.reads_text else []), *(spec.name for spec in specs.values())])
    if not own or not isinstance(text, Mixed):
        _refuse(f"Live {source.kind}: the modality `{kind}` is needed, and the bundle reads {reads}.")
    if len(own) > 1:
        _refuse(f"The bundle reads {as_names(own)} of a row, and a live stream brings one of them; that is not done.")
    task, block = opened.tasks[name], opened.recipe.tasks[name]
    origin = origin_of(name, block, task, text)
    roles = {column.name: column.role for column in origin.columns}
    for group in origin.needs:
        if own[0] not in group and all(roles.get(each, "input") == "input" for each in group):
            _refuse(f"The task {name!r} needs {' or '.join(map(repr, group))} in each row, and a stream brings none.")
    return text.values[own[0]]


def _sound(source: Source, modality: Any) -> _Read:
    device = _device(source.name, MICROPHONE)
    seconds = _seconds(source, modality)
    if source.channels is not None and not str(source.channels).isdigit():
        _refuse(f"`channels` of sound is how many there are, given {source.channels!r}.")
    named: dict[str, Any] = _common(source, modality) | {"seconds": seconds, "hop": source.every}
    named["channels"] = int(cast("int", source.channels)) if source.channels is not None else 1
    if device is not None:
        _refuse_form(source, "a microphone's samples are s16")
        rate = _whole(source) or modality.rate
        return partial(live_microphone, device or "default", rate=rate, **named)
    if (own := _whole(source)) is None:
        _refuse("Nothing in a stream of samples says how many there are a second: give `rate`, such as 16000.")
    if (form := source.form or "s16") not in get_args(Samples):
        _refuse(f"{form!r} is no form of samples. Allowed: {', '.join(get_args(Samples))} (little-endian).")
    samples = cast("Samples", form)
    return partial(live_sound, _stream(source), rate=own, kind=samples, **named, patience=source.patience)


def _pictures(source: Source, modality: Any) -> _Read:
    named = _common(source, modality)
    size = None
    if source.form not in (None, "jpeg"):
        if not (found := re.fullmatch(r"([1-9]\d{0,4})[x×]([1-9]\d{0,4})", str(source.form))):
            _refuse(f"{source.form!r} is no form of pictures. Allowed: jpeg, or pixels (rgb24) of WIDTHxHEIGHT.")
        size = int(found[2]), int(found[1])
    device = _device(source.name, CAMERA)
    if device is None:
        return partial(live_pictures, _stream(source), size=size, rate=source.rate, **named, patience=source.patience)
    form, begins = _CAMERAS.get(sys.platform, _CAMERAS["linux"])
    place = f"{begins}{device or 0}" if (device or "0").isdigit() else device
    return partial(live_camera, place, form=form, rate=_whole(source), size=size, **named)


def _readings(source: Source, modality: Any) -> _Read:
    if _device(source.name, MICROPHONE) is not None:
        _refuse("A microphone brings sound, no readings.")
    seconds = _seconds(source, modality)
    names = list(modality.state["names"])
    if isinstance(source.channels, int):
        _refuse(f"`channels` of readings are names, given {source.channels}.")
    channels = names if source.channels is None else list(source.channels)
    if len(channels) != len(names):
        _refuse(f"`channels` are {as_names(channels)}; the bundle reads {len(names)}: {as_names(names)}. Name each.")
    form = source.form or "json"
    if form not in ("json", "csv"):
        _refuse(f"{form!r} is no form of readings. Allowed: json (an object a line), csv (with a header).")
    clock = source.clock or (None if source.rate is not None else modality.reading["time"])
    if clock is None and source.rate is None:
        _refuse("The bundle's readings have no clock: name the stream's with `clock`, or give its `rate` a second.")
    if source.clock is not None and source.rate is not None:
        _refuse("Readings have a clock or a `rate`, not both.")
    unit = SECONDS[modality.reading["unit"]]
    named: dict[str, Any] = {"clock": clock, "rate": source.rate, "unit": unit, "form": form, "channels": channels}
    named |= _common(source, modality) | {"seconds": seconds, "hop": source.every, "patience": source.patience}

    def read(faults: Faults) -> Iterator[Record]:
        for number, record in live_readings(_stream(source), faults, **named):
            own = record[modality.field]
            if source.rate is not None and modality.reading["time"] is not None:
                own = {**own, "time": [place / source.rate for place in range(len(own["values"]))]}
            yield number, {**record, modality.field: _as_trained(own, names, unit)}

    return read


def _as_trained(value: Mapping[str, Any], names: list[str], unit: float) -> dict[str, Any]:
    """Readings with their channels as the bundle calls them, and their clock in its unit."""
    found = {**value, "names": names}
    if "time" in value:
        found["time"] = [second / unit for second in value["time"]]
    return found


def _common(source: Source, modality: ValueModality) -> dict[str, Any]:
    waits = source.wait or Path("/dev/stdin" if source.name == "-" else source.name).is_file()
    return {"field": modality.field, "most": source.most, "full": "wait" if waits else "drop"}


def _stream(source: Source) -> str:
    """The name of a stream of bytes.

    Raises:
        RecipeError: When it is a device that brings something else.
    """
    for device, brings in ((MICROPHONE, "sound"), (CAMERA, "pictures")):
        if _device(source.name, device) is not None:
            _refuse(f"A {device} brings {brings}, no {source.kind}.")
    return source.name


def _device(name: str, kind: str) -> str | None:
    """Which microphone or camera is named, an empty text for the first; None: a stream of bytes is."""
    found, sign, device = name.partition(":")
    return device if found == kind and (device or not sign) else None


def _seconds(source: Source, modality: Any) -> float:
    """The length of a window, which the model reads whole."""
    if source.seconds is None:
        _refuse(f"Say how long a window of live {source.kind} is: `seconds`.")
    if modality.seconds is not None and source.seconds > modality.seconds:
        read = f"the model reads the first {modality.seconds:g}"
        _refuse(f"`seconds` is {source.seconds:g}, and {read}. Give at most so many.")
    return source.seconds


def _whole(source: Source) -> int | None:
    """The rate, of what only has whole ones."""
    if source.rate is not None and source.rate != int(source.rate):
        _refuse(f"`rate` of live {source.kind} is a whole number, given {source.rate:g}.")
    return None if source.rate is None else int(source.rate)


def _refuse_form(source: Source, why: str) -> None:
    if source.form is not None:
        _refuse(f"`form` is for streams of bytes; {why}.")


def _refuse(what: str) -> NoReturn:
    raise RecipeError(what)
