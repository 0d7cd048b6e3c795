"""Audio: recordings, by a pretrained model of sound or a small convolutional one that is made anew.

With `model` any audio encoder of transformers from a folder or the Hub: of waves (Wav2Vec2, HuBERT, WavLM, Data2Vec,
UniSpeech), of spectrograms (AST), or that of Whisper. Without one a network reads the log-mel spectrogram: convolutions
over time and frequency, then over time, which look at what is there and never at the padding. A recording's places are
stretches of time (40 ms of a network that is made anew). Source: Baevski et al., 2020, arXiv:2006.11477; Gong et al.,
2021, arXiv:2104.01778; hidden bands and stretches (`mask`): Park et al., 2019, arXiv:1904.08779; the blocks: Liu et
al., 2022, arXiv:2201.03545.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from pathlib import Path

    from sibu.modalities.audio.prepare import AudioPreparer


class AudioSpec(Spec):
    """Options of the audio modality."""

    name: Literal["audio"] = "audio"
    field: str = "audio"
    """Column of the file; of two recordings a row, each has a block of its own with another column."""
    model: str | None = None
    """Pretrained model of sound: a folder, a bundle or a Hub id. null: a small network that is made anew."""
    learning_rate: PositiveFloat | None = None
    """Rate of its encoder relative to the run's; null: 1."""
    rate: Annotated[int, Field(ge=1000, le=192_000)] | None = None
    """Samples a second that each recording is brought to. null: the model's own; of one that is made anew that of most
    training recordings, at most 16,000."""
    seconds: PositiveFloat = 30.0
    """Of a longer recording the rest is cut, and told."""
    mels: Annotated[int, Field(ge=8, le=256)] = 64
    """Of a network that is made anew: bands of the spectrogram."""
    width: PositiveInt = 128
    """Of a network that is made anew: numbers of a place's vector."""
    depth: PositiveInt = 3
    """Of a network that is made anew: blocks over time."""
    mask: bool = True
    """In training bands and stretches of time of the spectrogram are hidden at random, unless a model reads waves."""


def build(spec: AudioSpec, *, state: dict[str, Any] | None = None, folder: Path | None = None) -> AudioPreparer:
    """The preparer of recordings; ``folder``: of the pretrained model, ``state``: what a bundle kept."""
    from sibu.modalities.audio.prepare import AudioPreparer

    return AudioPreparer(
        spec.field,
        folder=folder,
        state=state,
        rate=spec.rate,
        seconds=spec.seconds,
        mels=spec.mels,
        width=spec.width,
        depth=spec.depth,
        mask=spec.mask,
    )


ENTRY = Entry(AudioSpec, build, needs=("soundfile", "soxr"), extra="audio")
