"""Recordings to frames of a spectrogram, or to waves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sibu.core.columns import Column
from sibu.core.errors import DataError, RecipeError
from sibu.core.protocols import Features, Found
from sibu.core.text import Feature
from sibu.media.sound import Sound, clipped_share, log_mel, read_sound, resampled, sound_faults
from sibu.modalities.audio._hf import Heard, read_heard
from sibu.store.hashes import hash_json

if TYPE_CHECKING:
    from sibu.modalities._encoder import ModelEncoder

LOOKED_AT = 256
"""Training recordings that bands (and the rate, where none is said) are taken from: the first that can be read."""
RATE = 16_000
"""Samples a second, at most where none are said."""
STRIDE = 4
"""Frames to a place of a network that is made anew."""
WINDOW, HOP = 0.025, 0.010
"""Seconds of a frame, and between two."""
FIGURES = ("seconds", "rate", "clipped", "swing")
"""Of the whole file: how long it lasts, its own rate, the share of clipped samples, its greatest amplitude about its
mean."""
CLIPPED, SILENT, SHORT, LOW = 0.01, 1e-3, 0.1, 0.75


class AudioPreparer:
    """See the door plate ``sibu.modalities.audio`` for the options.

    A value is a file's name, its bytes, or samples with their rate: ``(samples (N,), rate)``, float from -1 to 1 or
    int16; or a ``Sound`` of ``sibu.media``.

    Args:
        field: The column.
        folder: Of a pretrained model; None: the encoder is made anew.
        state: What it learned; None: nothing yet.
        rate: Samples a second; None: the model's own, or that of the training recordings.
        seconds: What is behind them is cut.
        mels: Bands, for a network that is made anew.
        width: Of its vectors.
        depth: Of its blocks.
        mask: Whether parts of the spectrogram are hidden in training.

    Raises:
        RecipeError: When ``rate`` is not the model's.
    """

    def __init__(
        self,
        field: str,
        *,
        folder: Path | None,
        state: dict[str, Any] | None,
        rate: int | None,
        seconds: float,
        mels: int,
        width: int,
        depth: int,
        mask: bool,
    ) -> None:
        self.field = field
        self.column = Column(field, "file", "input", help="a recording's file")
        self.folder = folder
        self.state: dict[str, Any] = dict(state or {})
        self.heard: Heard | None = None if folder is None else read_heard(folder)
        if self.heard is not None and rate not in (None, self.heard.rate):
            raise RecipeError(
                f"The audio modality's `rate` is {rate:,}, and the model was made for {self.heard.rate:,}. Leave it "
                "out: recordings are brought to the model's rate."
            )
        self._rate = rate if self.heard is None else self.heard.rate
        self.seconds = seconds if self.heard is None else min(seconds, self.heard.seconds)
        self.mels, self.width, self.depth, self.mask = mels, width, depth, mask

    @property
    def rate(self) -> int:
        """Samples a second that recordings are brought to."""
        return int(self._rate or self.state.get("rate", RATE))

    @property
    def features(self) -> tuple[Feature, ...]:
        """Frames or samples, and ``figures`` of the file."""
        figures = Feature("figures", "float32", "window")
        if self.heard is None:
            return Feature("frames", "float16", "token", width=self.mels), figures
        return self.heard.feature, figures

    @property
    def stride(self) -> int:
        """Frames or samples to a place of the encoder."""
        return STRIDE if self.heard is None else self.heard.stride

    @property
    def key(self) -> str:
        """What the arrays depend on."""
        form = self.mels if self.heard is None else self.heard.key
        return hash_json(["audio", 1, self.rate, self.seconds, form])

    def learn(self, values: Iterable[Any]) -> None:
        """Mean and deviation of each band, and the rate where none is said; nothing for a pretrained model."""
        if self.heard is not None:
            return
        sounds = list(islice(self._readable(values), LOOKED_AT))
        if not sounds:
            return
        self.state = {}
        if self._rate is None:
            most = Counter(min(sound.original_rate, RATE) for sound in sounds).most_common(1)[0][0]
            self.state["rate"] = max(most, 1000)
        frames = [self._frames(resampled(sound.samples, sound.rate, self.rate)) for sound in sounds]
        whole = np.concatenate(frames).astype(np.float64)
        self.state["mean"] = whole.mean(0).round(3).tolist()
        self.state["deviation"] = np.maximum(whole.std(0), 0.5).round(3).tolist()

    def _readable(self, values: Iterable[Any]) -> Iterator[Sound]:
        for value in values:
            try:
                yield self._sound(value, None, self.seconds)
            except DataError:
                continue  # told of when its arrays are made

    def raw(self, value: Any) -> Sound:
        """The whole recording, at its own rate."""
        return self._sound(value, None, None)

    def _sound(self, value: Any, rate: int | None, seconds: float | None) -> Sound:
        if isinstance(value, str | bytes | Path):
            return read_sound(value, rate=rate, first=seconds)
        if isinstance(value, Sound):
            return _cut(value, rate or value.rate, seconds)
        if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], np.ndarray):
            return _given(*value, rate=rate, seconds=seconds)
        raise DataError(f"A recording is a file's name, its bytes, or (samples, rate); given {type(value).__name__}.")

    def _frames(self, samples: np.ndarray) -> np.ndarray:
        return log_mel(samples, self.rate, mels=self.mels, window=WINDOW, hop=HOP)

    def arrays(self, value: Any) -> Features:
        """The frames in one row, or the samples."""
        sound = self._sound(value, self.rate, self.seconds)
        told = sound_faults(sound)
        figures = np.array([sound.total, sound.original_rate, sound.clipped, told.swing], np.float32)
        if self.heard is not None:
            return {self.heard.feature.name: self.heard.arrays(sound.samples), "figures": figures}
        return {"frames": self._frames(sound.samples).astype(np.float16).reshape(-1), "figures": figures}

    def check(self, value: Any, arrays: Features) -> Iterator[Found]:  # noqa: ARG002
        """A recording that is silent, clipped, very short, cut, or of a rate far below the one that is asked for."""
        seconds, rate, clipped, swing = map(float, arrays["figures"])
        if swing < SILENT:
            message = f"the recording is silent: its greatest amplitude about its mean is {swing:.2g} of full scale."
            yield "silent recording", "warning", message, "Look at the microphone or the file."
        if clipped > CLIPPED:
            message = f"{clipped:.1%} of the samples stand at full scale: the recording is clipped."
            yield "clipped recording", "warning", message, "Record it with less gain."
        if rate < LOW * self.rate:
            lacks = f"what is above {rate / 2:,.0f} Hz is missing."
            message = f"{rate:,.0f} Hz where the model was made for {self.rate:,}: {lacks}"
            yield "low rate", "warning", message, "Record at the model's rate, or take one that was made for this."
        if seconds < SHORT:
            yield (
                "short recording",
                "warning",
                f"the recording lasts {1000 * seconds:.0f} ms.",
                "Look whether it is whole.",
            )
        if seconds > self.seconds + 0.5 / self.rate:
            message = f"the recording lasts {seconds:,.1f} seconds; the first {self.seconds:g} are read."
            yield "cut", "warning", message, "Raise `seconds` (where the model allows it), or cut it into rows."

    def noised(self, arrays: Features, draw: np.random.Generator) -> Features:
        """Noise of the recording's own strength (0 dB): of waves white, of a spectrogram with its own mean spectrum."""
        if self.heard is not None:
            return {**arrays, self.heard.feature.name: self.heard.noised(arrays[self.heard.feature.name], draw)}
        own = np.exp(arrays["frames"].astype(np.float32).reshape(-1, self.mels))
        # The power of Gaussian noise in a band is its mean times an exponential variable; powers of two sources add.
        power = own.mean(0) * draw.standard_exponential(own.shape, np.float32)
        return {**arrays, "frames": np.log(own + power).astype(np.float16).reshape(-1)}

    def encoder(self) -> ModelEncoder:
        """The encoder: of the pretrained model, or made anew."""
        if self.heard is not None and self.folder is not None:
            from sibu.modalities.audio.pretrained import load_audio

            return load_audio(self.folder, self.heard, mask=self.mask)
        from sibu.modalities.audio.encoder import FrameEncoder

        return FrameEncoder(
            mels=self.mels,
            width=self.width,
            depth=self.depth,
            mean=self.state.get("mean", [-8.0] * self.mels),
            deviation=self.state.get("deviation", [4.0] * self.mels),
            mask=self.mask,
        )


def _given(samples: np.ndarray, own: int, *, rate: int | None, seconds: float | None) -> Sound:
    """Samples as a recording."""
    if samples.ndim != 1 or not len(samples) or samples.dtype.kind not in "fi":
        given = f"{samples.dtype} of shape {samples.shape}"
        raise DataError(f"Samples must be float from -1 to 1 or int16, of shape (N,); given {given}.")
    if samples.dtype.kind == "i":
        samples = samples.astype(np.float32) / -float(np.iinfo(samples.dtype).min)
    if not np.isfinite(samples).all():
        raise DataError("Samples must be numbers; some are NaN or infinite.")
    total = len(samples) / own
    samples = samples[: None if seconds is None else round(seconds * own)].astype(np.float32)
    return _cut(Sound(samples, own, own, 1, clipped_share(samples), total), rate or own, seconds)


def _cut(sound: Sound, rate: int, seconds: float | None) -> Sound:
    """The first seconds of a recording, at a rate."""
    kept = sound.samples if seconds is None else sound.samples[: round(seconds * sound.rate)]
    samples = resampled(kept, sound.rate, rate)
    return replace(sound, samples=samples, rate=rate)
