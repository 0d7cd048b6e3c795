"""Two recordings of the same speech by clocks of their own: offset and drift found, in noise.

    python bench/time_alignment.py DATA [--cases 50] [--beside 20] [--speakers nicolas theo yweweler] [--results DIR]

Source: Free Spoken Digit Dataset (Zohar Jackson and others, CC-BY-SA 4.0 per its authors), ``DATA/mm_fsdd_audio``. The
recordings of one speaker, in random order, are laid end to end to a stream at 8 kHz. The reference is a stretch of it;
the other stream is taken from the same at an offset drawn from -2 ... +2 s, by a clock that drifts by -500 ... +500
parts in a million (band-limited interpolation), so that both have ends that the other lacks. Noise of the same power as
the speech (0 dB) is added to each of the two, independently: white, or babble (four speech streams of the speakers
that are not heard). A case is right where the offset is within 10 ms and the drift within 20 parts in a million.

Beside the cases of the bar: no noise, drifts up to 2000, -5 dB, one side's sound upside down and softer; loudness as a
sensor would tell it (irregular times about 50 a second, in decibels) against the sound; and streams that have nothing
in common, to see how many pass by what their quality says (``passed``: at or above the default of ``warn``). The
weighting of frequencies was chosen on the speakers that are not reported (``--speakers george jackson lucas``, other
seeds), where plain correlation and PHAT stand beside it. One JSON: ``time-alignment.json``.
"""

from __future__ import annotations

import sys
import time
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import measure
import numpy as np

from sibu.align import TimeFit, align_readings, align_streams
from sibu.align.chance import AT_CHANCE

RATE = 8000
SPEAKERS = ("nicolas", "theo", "yweweler")
ALL = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
FAR = (0.010, 20.0)
"""Seconds of offset and parts in a million of drift within which a case is right."""


@dataclass(frozen=True)
class Setting:
    """What is done to a stream."""

    seconds: float
    noise: str = "none"
    decibel: float = 0.0
    drift: float = 500.0
    turned: bool = False
    room: bool = False
    form: str = "sound"
    related: bool = True


SETTINGS = {
    "60 s, no noise": Setting(60),
    "60 s, white 0 dB": Setting(60, "white"),
    "60 s, babble 0 dB": Setting(60, "babble"),
    "20 s, no noise": Setting(20),
    "20 s, white 0 dB": Setting(20, "white"),
    "20 s, babble 0 dB": Setting(20, "babble"),
    "60 s, white 0 dB, drift to 2000": Setting(60, "white", drift=2000.0),
    "60 s, babble 0 dB, drift to 2000": Setting(60, "babble", drift=2000.0),
    "60 s, white -5 dB": Setting(60, "white", -5.0),
    "60 s, babble -5 dB": Setting(60, "babble", -5.0),
    "60 s, white 0 dB, turned and softer": Setting(60, "white", turned=True),
    "60 s, white 0 dB, another room": Setting(60, "white", room=True),
    "60 s, loudness at irregular times": Setting(60, "white", 10.0, form="loudness"),
    "60 s, nothing in common": Setting(60, "white", related=False),
    "20 s, nothing in common": Setting(20, "white", related=False),
    "4 s, white 0 dB": Setting(4, "white"),
    "4 s, nothing in common": Setting(4, "white", related=False),
    "20 s, loudness, nothing in common": Setting(20, "white", 10.0, form="loudness", related=False),
    "4 s, loudness, nothing in common": Setting(4, "white", 10.0, form="loudness", related=False),
}
BAR = ("60 s, white 0 dB", "60 s, babble 0 dB", "20 s, white 0 dB", "20 s, babble 0 dB")


class Speech:
    """The recordings of each speaker."""

    def __init__(self, folder: Path) -> None:
        self.files = sorted((folder / "recordings").glob("*.wav"))
        self.sounds: dict[str, list[np.ndarray]] = {name: [] for name in ALL}
        for file in self.files:
            with wave.open(str(file)) as held:
                assert (held.getframerate(), held.getnchannels(), held.getsampwidth()) == (RATE, 1, 2), file
                sound = np.frombuffer(held.readframes(held.getnframes()), "<i2").astype(np.float64)
            self.sounds[file.stem.split("_")[1]].append(sound / max(float(np.std(sound)), 1.0))

    def stream(self, draw: np.random.Generator, speaker: str, seconds: float) -> np.ndarray:
        """Recordings in random order, end to end; after the last the first again, in another order."""
        parts, length = [], 0
        while length < seconds * RATE:
            for place in draw.permutation(len(self.sounds[speaker])):
                parts.append(self.sounds[speaker][place])
                length += len(parts[-1])
        whole = np.concatenate(parts)[: round(seconds * RATE)]
        return whole / np.std(whole)


def at_times(sound: np.ndarray, times: np.ndarray, half: int = 12) -> np.ndarray:
    """A sound at any times, by a windowed sinc of 24 samples."""
    places = times * RATE
    whole = np.floor(places).astype(int)
    part = places - whole
    found = np.zeros(len(times))
    for tap in range(1 - half, half + 1):
        away = part - tap
        found += sound[whole + tap] * np.sinc(away) * np.cos(np.pi / 2 * away / half) ** 2
    return found


def in_a_room(draw: np.random.Generator, sound: np.ndarray) -> np.ndarray:
    """A sound as another microphone hears it: echoes that fade by 60 dB in 0.3 s, of half the sound's power."""
    times = np.arange(round(0.3 * RATE)) / RATE
    echoes = draw.normal(size=len(times)) * np.exp(-6.9 * times / 0.3) * (times > 0.002)
    echoes *= np.sqrt(0.5) / np.linalg.norm(echoes)
    echoes[0] = 1.0
    length = 1 << int(len(sound) + len(echoes)).bit_length()
    heard: np.ndarray = np.fft.irfft(np.fft.rfft(sound, length) * np.fft.rfft(echoes, length), length)[: len(sound)]
    return heard / np.std(heard)


def noise(speech: Speech, draw: np.random.Generator, given: Setting, speaker: str, length: int) -> np.ndarray:
    """Noise of the asked for level under a sound of power 1."""
    if given.noise == "none":
        return np.zeros(length)
    if given.noise == "white":
        made = draw.normal(size=length)
    else:
        others = [name for name in ALL if name != speaker]
        made = sum(speech.stream(draw, str(draw.choice(others)), length / RATE + 1)[:length] for _ in range(4))
    scaled: np.ndarray = made / np.std(made) * 10 ** (-given.decibel / 20)
    return scaled


def loudness(draw: np.random.Generator, sound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What a level meter tells about 50 times a second, at irregular times: decibels."""
    steps = draw.uniform(0.5, 1.5, size=round(50 * len(sound) / RATE)) / 50
    times = np.cumsum(steps)
    times = times[times < len(sound) / RATE - 0.02]
    sums = np.concatenate([[0.0], np.cumsum(sound**2)])
    low = np.maximum(np.rint((times - 0.01) * RATE).astype(int), 0)
    high = np.rint((times + 0.01) * RATE).astype(int)
    return 10 * np.log10((sums[high] - sums[low]) / (high - low) + 1e-3), times


def case(speech: Speech, given: Setting, speaker: str, seed: list[int], weighting: float | None) -> dict[str, float]:
    """One pair of streams, and how far off what was found is."""
    draw = np.random.default_rng(seed)
    offset, drift = draw.uniform(-2, 2), draw.uniform(-given.drift, given.drift)
    source = speech.stream(draw, speaker, given.seconds + 6)
    times = np.arange(round(given.seconds * RATE)) / RATE
    reference = source[3 * RATE : 3 * RATE + len(times)]
    heard = source if given.related else speech.stream(draw, speaker, given.seconds + 6)
    other = at_times(heard, 3 + offset + (1 + drift * 1e-6) * times)
    other = in_a_room(draw, other) if given.room else other
    reference = reference + noise(speech, draw, given, speaker, len(reference))
    other = other + noise(speech, draw, given, speaker, len(other))
    if given.turned:
        other = -0.01 * other
    more: dict[str, Any] = {} if weighting is None else {"weighting": weighting}
    began = time.perf_counter()
    fit: TimeFit
    if given.form == "loudness":
        fit = align_readings((reference, times), loudness(draw, other), first="envelope", second="samples")
    else:
        fit = align_streams(reference, other, RATE, most_drift=max(1000.0, 1.5 * given.drift), **more)
    return {
        "offset": abs(fit.offset - offset),
        "drift": abs(fit.drift - drift),
        "quality": fit.quality,
        "residual": fit.residual,
        "seconds": time.perf_counter() - began,
    }


def told(found: list[dict[str, float]]) -> dict[str, Any]:
    """Shares and quantiles over the cases of a setting."""
    off, drift, quality, seconds = (
        np.array([each[key] for each in found]) for key in ("offset", "drift", "quality", "seconds")
    )
    return {
        "cases": len(found),
        "right": float(np.mean((off <= FAR[0]) & (drift <= FAR[1]))),
        "offset_right": float(np.mean(off <= FAR[0])),
        "drift_right": float(np.mean(drift <= FAR[1])),
        "offset_milliseconds": {str(at): float(1000 * np.percentile(off, at)) for at in (50, 95, 100)},
        "drift_ppm": {str(at): float(np.percentile(drift, at)) for at in (50, 95, 100)},
        "passed": float(np.mean(quality >= AT_CHANCE)),
        "quality": {str(at): float(np.percentile(quality, at)) for at in (0, 5, 50, 95, 100)},
        "seconds_a_case": float(np.median(seconds)),
    }


def measured(
    speech: Speech, cases: dict[str, int], speakers: tuple[str, ...], seed: int, weighting: float | None = None
) -> dict[str, Any]:
    """Settings, each with its number of cases."""
    found = {}
    for name, count in cases.items():
        number = list(SETTINGS).index(name)
        found[name] = told(
            [
                case(speech, SETTINGS[name], speakers[at % len(speakers)], [seed, number, at], weighting)
                for at in range(count)
            ]
        )
        print(f"{name}: {found[name]['right']:.3f} right of {count}", file=sys.stderr, flush=True)
    return found


def main() -> None:
    """Measure."""
    parser = measure.options(__doc__ or "")
    parser.add_argument("--cases", type=int, default=50, help="of each setting of the bar")
    parser.add_argument("--beside", type=int, default=20, help="of each other setting")
    parser.add_argument("--speakers", nargs="+", choices=ALL, default=SPEAKERS)
    parser.add_argument("--seed", type=int, default=6)
    given = parser.parse_args()
    speech = Speech(given.data / "mm_fsdd_audio")
    most = given.limit or given.cases + given.beside
    cases = {name: min(given.cases if name in BAR else given.beside, most) for name in SETTINGS}
    found = measured(speech, cases, tuple(given.speakers), given.seed)
    measure.keep(
        {
            "name": "time-alignment",
            "command": f"python bench/time_alignment.py DATA --cases {given.cases} --beside {given.beside}",
            "what": "offset and drift of two recordings of the same speech",
            "speakers": list(given.speakers),
            "bar": list(BAR),
            "settings": found,
            **({} if given.limit is None else {"limit": given.limit}),
            **measure.facts(speech.files[:1]),
        },
        given.results,
    )


if __name__ == "__main__":
    main()
