"""Where models of sound in Hugging Face layout are read: what they hear of a recording."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from sibu.core.errors import RecipeError
from sibu.core.text import Feature
from sibu.modalities._hf import kind_of
from sibu.store.hashes import hash_json

SETTINGS = ("preprocessor_config.json", "processor_config.json")
"""Files that say how recordings are prepared; the first that is there counts."""
LEAKY = ("data2vec-audio", "wav2vec2-conformer")
"""Kinds whose convolutions over time look at the padding, whatever their mask says."""
WAVES = ("wav2vec2", "hubert", "wavlm", "unispeech", "unispeech-sat", *LEAKY)
"""Kinds of models that read the wave itself."""
SPECTROGRAMS = ("audio-spectrogram-transformer", "whisper")
"""Kinds of models that read a spectrogram of one length."""
FULL = 32768.0


class WaveHeard:
    """The wave itself, of any length, in int16.

    Args:
        config: The model's ``config.json``.
        settings: How its recordings are prepared.
    """

    feature = Feature("waves", "int16", "token")
    seconds = float("inf")

    def __init__(self, config: dict[str, Any], settings: dict[str, Any]) -> None:
        self.rate = int(settings.get("sampling_rate", 16_000))
        self.normalises = bool(settings.get("do_normalize", False))
        """Whether each recording is brought to mean 0 and variance 1."""
        kernels = config.get("conv_kernel", (10, 3, 3, 3, 3, 2, 2))
        strides = config.get("conv_stride", (5, 2, 2, 2, 2, 2, 2))
        self.stride = int(np.prod(strides))
        self.least = 1
        for kernel, stride in zip(reversed(kernels), reversed(strides), strict=True):
            self.least = (self.least - 1) * stride + kernel
        self.key = hash_json(["waves", self.least])

    def arrays(self, samples: np.ndarray) -> np.ndarray:
        """Samples ``(N,)`` in float as int16; one that is too short for the model with silence behind it."""
        samples = np.pad(samples, (0, max(self.least - len(samples), 0)))
        whole: np.ndarray = (samples * FULL).round().clip(-FULL, FULL - 1).astype(np.int16)
        return whole

    def noised(self, samples: np.ndarray, draw: np.random.Generator) -> np.ndarray:
        """White noise of the same power added."""
        given = samples.astype(np.float32)
        noisy = given + draw.standard_normal(given.shape, np.float32) * given.std()
        whole: np.ndarray = noisy.round().clip(-FULL, FULL - 1).astype(np.int16)
        return whole


class SpectrogramHeard:
    """The frames of a spectrogram of one length, by the model's own feature extractor; silence behind the recording.

    Args:
        folder: The model's.
        config: Its ``config.json``.
    """

    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        from transformers import AutoFeatureExtractor

        self._extract: Any = AutoFeatureExtractor.from_pretrained(str(folder), local_files_only=True)
        self.rate = int(self._extract.sampling_rate)
        whisper = config["model_type"] == "whisper"
        self.mels = int(config["num_mel_bins"])
        self.frames = 2 * int(config["max_source_positions"]) if whisper else int(config["max_length"])
        self.hop = int(getattr(self._extract, "hop_length", self.rate // 100))
        self.seconds = self.frames * self.hop / self.rate
        self.stride = 2 if whisper else 1
        self.turned = whisper
        """Whether the extractor gives bands by frames."""
        self.feature = Feature("frames", "float16", "token", width=self.mels)
        self.key = hash_json([config["model_type"], self.mels, self.frames, self._extract.to_dict()])

    def arrays(self, samples: np.ndarray) -> np.ndarray:
        """Samples ``(N,)`` as frames in one row."""
        samples = np.pad(samples, (0, max(self.rate // 20 - len(samples), 0)))
        found = self._extract(samples, sampling_rate=self.rate, return_tensors="np")
        frames = np.asarray(next(iter(found.values())))[0]
        frames = frames.T if self.turned else frames
        if frames.shape != (self.frames, self.mels):
            raise RecipeError(
                f"The feature extractor in the model's folder gives spectrograms of {frames.shape}, and the model "
                f"reads {(self.frames, self.mels)}: its preprocessor_config.json is not the model's."
            )
        kept: np.ndarray = frames.astype(np.float16).reshape(-1)
        return kept

    def noised(self, frames: np.ndarray, draw: np.random.Generator) -> np.ndarray:
        """Noise of the spectrogram's own deviation added."""
        given = frames.astype(np.float32)
        noisy = given + draw.standard_normal(given.shape, np.float32) * given.std()
        kept: np.ndarray = noisy.astype(np.float16)
        return kept


Heard = WaveHeard | SpectrogramHeard


def read_heard(folder: Path) -> Heard:
    """What the model in a folder hears of a recording.

    Raises:
        RecipeError: When it is no model of sound, or does not say.
    """
    kind = kind_of(folder)
    if kind not in (*WAVES, *SPECTROGRAMS):
        known = ", ".join((*WAVES, *SPECTROGRAMS))
        raise RecipeError(
            f"A model of the kind {kind!r} is not one of sound that is used here. Take one of the kinds {known}, or "
            "leave `model` out."
        )
    file = next((folder / name for name in SETTINGS if (folder / name).is_file()), None)
    if file is None:
        raise RecipeError(
            f"The model in {folder} does not say how its recordings are prepared: it has no {SETTINGS[0]}. Write that "
            "file with the feature extractor of transformers (`AutoFeatureExtractor`, `save_pretrained`)."
        )
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if kind in SPECTROGRAMS:
        return SpectrogramHeard(folder, config)
    settings = json.loads(file.read_text(encoding="utf-8"))
    return WaveHeard(config, settings.get("feature_extractor") or settings)
