"""Pretrained models of sound as encoders."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sibu.core.tensors import Encoded
from sibu.modalities._encoder import ModelEncoder
from sibu.modalities._hf import kind_of, load_part
from sibu.modalities.audio._hf import FULL, LEAKY, SETTINGS, Heard, SpectrogramHeard, WaveHeard
from sibu.modalities.audio.network import hidden_parts


class WaveEncoder(ModelEncoder):
    """Waves to vectors. What it says of one never depends on the padding behind it, nor on the rest of its batch.

    Args:
        folder: The model's.
        heard: What it hears.
    """

    def __init__(self, folder: Path, heard: WaveHeard) -> None:
        model = load_part(folder, "audio_config", reads="input_values", what="a model of waves (Wav2Vec2, HuBERT, ...)")
        # It draws what it hides from numpy's global generator, which no seed of the run reaches.
        model.config.apply_spec_augment = False
        if getattr(model, "adapter", None) is not None:
            model.adapter = None  # shortens what is behind the encoder, for those that transcribe
            model.config.add_adapter = False
        super().__init__(model, width=int(model.config.hidden_size), folder=folder, settings=SETTINGS)
        self.normalises = heard.normalises
        self.leaks = model.config.model_type in LEAKY
        self.uneven = False

    def encoded(self, inputs: Mapping[str, Tensor]) -> Encoded:
        """Encode ``waves`` (B, N) in int16 under ``mask`` (B, N)."""
        mask, model = inputs["mask"], self.inner()
        waves = inputs["waves"].to(next(model.parameters()).dtype) / FULL
        if self.normalises:
            waves = _normalised(waves, mask)
        waves = waves.masked_fill(~mask, 0.0)
        counts = mask.sum(1)
        if self.leaks:
            vectors = by_length(lambda own: model(own).last_hidden_state, waves, counts)
        else:
            vectors = self._masked(model, waves, mask, counts)
        lengths = model._get_feat_extract_output_lengths(counts)
        there = torch.arange(vectors.shape[1], device=mask.device) < lengths.unsqueeze(1)
        return Encoded(vectors, there)

    def _masked(self, model: Any, waves: Tensor, mask: Tensor, counts: Tensor) -> Tensor:
        """The vectors of waves side by side."""
        alone = getattr(model.config, "feat_extract_norm", "layer") == "group" and bool((counts != counts[0]).any())
        with warnings.catch_warnings(), _row_by_row(model, counts) if alone else nullcontext():
            warnings.filterwarnings("ignore", "Support for mismatched key_padding_mask")  # WavLM's own two masks
            found: Tensor = model(waves, attention_mask=mask.long()).last_hidden_state
        return found


def _normalised(waves: Tensor, mask: Tensor) -> Tensor:
    """Each wave with mean 0 and variance 1, over what is there."""
    count = mask.sum(1, keepdim=True)
    mean = (waves * mask).sum(1, keepdim=True) / count
    centred = (waves - mean) * mask
    return centred * torch.rsqrt((centred**2).sum(1, keepdim=True) / count + 1e-7)


@contextmanager
def _row_by_row(model: Any, lengths: Tensor) -> Iterator[None]:
    """Within it a first layer that normalises over the whole time sees each wave without the padding behind it."""
    inner = model.feature_extractor
    model.feature_extractor = _RowByRow(inner, lengths)
    try:
        yield
    finally:
        model.feature_extractor = inner


class _RowByRow(nn.Module):
    """A model's first layers, that see waves of one length at a time.

    Args:
        inner: Waves ``(B, N)`` to ``(B, D, T)``.
        lengths: Of each wave. Shape ``(B,)``.
    """

    def __init__(self, inner: nn.Module, lengths: Tensor) -> None:
        super().__init__()
        self.inner = inner
        self.lengths = lengths

    def forward(self, waves: Tensor) -> Tensor:
        """``(B, N)`` to ``(B, D, T)``."""
        found = by_length(lambda own: self.inner(own).transpose(1, 2), waves, self.lengths)
        return found.transpose(1, 2)


def by_length(answer: Callable[[Tensor], Tensor], waves: Tensor, lengths: Tensor) -> Tensor:
    """What is said of waves of one length at a time, padded.

    Args:
        answer: Waves ``(B, N)`` to vectors ``(B, T, D)``.
        waves: Shape ``(B, N)``.
        lengths: Of each. Shape ``(B,)``.
    """
    rows: list[Tensor] = []
    answers: list[Tensor] = []
    for length in sorted(set(lengths.tolist())):
        rows.append((lengths == length).nonzero()[:, 0])
        answers.append(answer(waves[rows[-1], :length]))
    longest = answers[-1].shape[1]
    padded = torch.cat([nn.functional.pad(each, (0, 0, 0, longest - each.shape[1])) for each in answers])
    return padded[torch.cat(rows).argsort()]


class SpectrogramEncoder(ModelEncoder):
    """A spectrogram of one length to vectors: of AST all, of Whisper those of what the recording lasts.

    Args:
        folder: The model's.
        heard: What it hears.
        mask: Whether parts are hidden in training.
    """

    def __init__(self, folder: Path, heard: SpectrogramHeard, *, mask: bool) -> None:
        super().__init__(_load(folder), width=0, folder=folder, settings=SETTINGS)
        self.turned, self.frames, self.mels, self.mask = heard.turned, heard.frames, heard.mels, mask
        self.second = heard.rate / heard.hop
        """Frames a second."""
        self.measure(lambda: self._answer(torch.zeros(1, self.frames, self.mels)))

    def encoded(self, inputs: Mapping[str, Tensor]) -> Encoded:
        """Encode ``frames`` (B, T, mels); ``figures`` (B, 4) say first how many seconds there are."""
        frames = inputs["frames"].to(next(self.inner().parameters()).dtype)
        real = self._real(inputs["figures"], frames.shape[1])
        if self.training and self.mask:
            frames = hidden_parts(frames, real)
        vectors = self._answer(frames)
        there = real[:, ::2] if self.turned else real.new_ones(vectors.shape[:2])
        return Encoded(vectors, there)

    def _real(self, figures: Tensor, length: int) -> Tensor:
        """Which frames are the recording's. Shape ``(B, T)``."""
        counts = (figures[:, :1] * self.second).ceil().clamp(1, length)
        return torch.arange(length, device=figures.device) < counts

    def _answer(self, frames: Tensor) -> Tensor:
        found: Tensor = self.inner()(frames.transpose(1, 2) if self.turned else frames).last_hidden_state
        return found


def _load(folder: Path) -> Any:
    if kind_of(folder) != "whisper":
        return load_part(folder, "audio_config", reads="input_values", what="a model of spectrograms (AST)")
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    names = {r"^(model\.)?encoder\.": ""}
    named: dict[str, Any] = {"architecture": WhisperEncoder, "names": names}
    return load_part(folder, "audio_config", reads="input_features", what="Whisper", **named)


def load_audio(folder: Path, heard: Heard, *, mask: bool) -> ModelEncoder:
    """The model of sound in a folder, as an encoder.

    Raises:
        RecipeError: When its weights are not complete.
    """
    if isinstance(heard, WaveHeard):
        return WaveEncoder(folder, heard)
    return SpectrogramEncoder(folder, heard, mask=mask)
