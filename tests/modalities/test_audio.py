"""Recordings to vectors: how they are prepared, and the encoder that is made anew."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from tests.modalities.told import answer, learns, one_by_one, together

from sibu.core.errors import DataError, RecipeError
from sibu.media.sound import log_mel
from sibu.methods import METHODS
from sibu.modalities import MODALITIES
from sibu.modalities.audio import AudioSpec, build
from sibu.modalities.audio.network import hidden_parts

RATE = 8000


def tone(seconds: float, hertz: float = 440.0, rate: int = RATE, loud: float = 0.3) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    draw = np.random.default_rng(round(hertz))
    return (loud * np.sin(2 * np.pi * hertz * time) + 0.01 * draw.standard_normal(len(time))).astype(np.float32)


def recordings(*seconds: float) -> list[tuple[np.ndarray, int]]:
    return [(tone(each, 200 + 150 * number), RATE) for number, each in enumerate(seconds)]


def made(values: list[Any], **options: Any):
    modality = build(AudioSpec(**{"width": 32, "mels": 24, "depth": 2, **options}))
    modality.learn(iter(values))
    torch.manual_seed(3)
    return modality, modality.encoder()


def as_wav(samples: np.ndarray, rate: int = RATE) -> bytes:
    stream = BytesIO()
    soundfile.write(stream, samples, rate, format="WAV", subtype="FLOAT")
    return stream.getvalue()


def test_a_file_its_bytes_and_its_samples_are_one_recording(tmp_path: Path) -> None:
    samples = tone(0.5)
    file = tmp_path / "录音.wav"
    file.write_bytes(as_wav(samples))
    modality, _ = made([(samples, RATE)])
    wanted = log_mel(samples, RATE, mels=24).astype(np.float16).reshape(-1)
    for value in (str(file), file, as_wav(samples), (samples, RATE)):
        found = modality.arrays(value)
        assert np.array_equal(found["frames"], wanted)
        assert found["figures"].tolist() == pytest.approx([0.5, RATE, 0.0, np.abs(samples - samples.mean()).max()])
    whole = (samples * 32767).round().astype(np.int16)
    assert np.allclose(modality.arrays((whole, RATE))["frames"], wanted, atol=0.1)


def test_the_rate_is_that_of_most_recordings_at_most_16000() -> None:
    slow, fast = (tone(0.3), RATE), (tone(0.3, rate=44_100), 44_100)
    assert made([slow, slow, fast])[0].rate == RATE
    assert made([fast, fast, slow])[0].rate == 16_000
    assert made([slow], rate=4000)[0].rate == 4000
    modality, _ = made([slow, slow])
    assert modality.arrays(fast)["frames"].shape == modality.arrays(slow)["frames"].shape
    assert build(AudioSpec(mels=24), state=modality.state).rate == RATE


def test_it_learns_its_bands_and_keeps_them() -> None:
    values = recordings(0.3, 0.5, 0.4)
    modality, encoder = made([b"no recording", *values])
    frames = np.concatenate([log_mel(samples, RATE, mels=24) for samples, _ in values])
    assert np.allclose(modality.state["mean"], frames.mean(0), atol=1e-2)
    assert np.allclose(modality.state["deviation"], frames.std(0).clip(0.5), atol=1e-2)
    assert json.loads(json.dumps(modality.state)) == modality.state
    again = build(AudioSpec(width=32, mels=24, depth=2), state=modality.state)
    assert again.key == modality.key
    torch.manual_seed(3)
    batch = together([modality.arrays(value) for value in values], modality.features)
    assert torch.equal(answer(encoder, batch).vectors, answer(again.encoder(), batch).vectors)


def test_the_key_tells_what_arrays_depend_on() -> None:
    values = recordings(0.3)
    options: list[dict[str, Any]] = [{}, {"rate": 4000}, {"mels": 20}, {"seconds": 1}, {"width": 16}, {"mask": False}]
    assert len({made(values, **each)[0].key for each in options}) == 4


def test_what_is_no_recording_is_told(tmp_path: Path) -> None:
    modality, _ = made(recordings(0.3))
    with pytest.raises(DataError, match="No file"):
        modality.arrays(str(tmp_path / "none.wav"))
    with pytest.raises(DataError, match="0 bytes"):
        modality.arrays(b"")
    with pytest.raises(DataError, match=r"looks like text \(\"头痛\"\)"):
        modality.arrays("头痛".encode())
    with pytest.raises(DataError, match=r"of shape \(N,\); given float32 of shape \(3, 2\)"):
        modality.arrays((np.zeros((3, 2), np.float32), RATE))
    with pytest.raises(DataError, match="some are NaN"):
        modality.arrays((np.array([0.1, np.nan]), RATE))
    with pytest.raises(DataError, match=r"given list\."):
        modality.arrays([0.1])


def told(value: Any, **options: Any) -> dict[str, str]:
    modality, _ = made(recordings(0.3), **options)
    return {kind: message for kind, _, message, _ in modality.check(value, modality.arrays(value))}


def test_faults_of_recordings_that_can_be_read() -> None:
    assert told((tone(0.5), RATE)) == {}
    assert (
        "its greatest amplitude about its mean is 0 of full scale" in told((np.zeros(4000), RATE))["silent recording"]
    )
    assert told((np.full(4000, 0.5), RATE)).keys() == {"silent recording"}  # of one value all along
    assert told((tone(0.5) + 0.25, RATE)) == {}
    loud = (4 * tone(0.5)).clip(-1, 1)
    assert told((loud, RATE)).keys() == {"clipped recording"}
    assert (
        "8,000 Hz where the model was made for 16,000: what is above 4,000 Hz is"
        in told((tone(0.5), RATE), rate=16_000)["low rate"]
    )
    assert told((tone(0.05), RATE)) == {"short recording": "the recording lasts 50 ms."}
    assert told((tone(2.5), RATE), seconds=2) == {"cut": "the recording lasts 2.5 seconds; the first 2 are read."}


def test_what_is_too_long_is_cut() -> None:
    modality, _ = made(recordings(0.3), seconds=1)
    long, short = (tone(2.5), RATE), (tone(2.5)[:RATE], RATE)
    assert np.array_equal(modality.arrays(long)["frames"], modality.arrays(short)["frames"])


def test_noise_is_as_strong_as_the_recording() -> None:
    noise = np.random.default_rng(0).standard_normal(4 * RATE).astype(np.float32) / 10
    modality, _ = made([(noise, RATE)])
    own = modality.arrays((noise, RATE))
    noisy = modality.noised(own, np.random.default_rng(1))
    assert np.array_equal(noisy["frames"], modality.noised(own, np.random.default_rng(1))["frames"])
    assert noisy["frames"].dtype == np.float16
    power = np.exp(own["frames"].astype(np.float32)).mean()
    assert np.exp(noisy["frames"].astype(np.float32)).mean() == pytest.approx(2 * power, rel=0.1)


@pytest.mark.parametrize("lengths", [(0.5, 0.2, 0.34, 0.01), (0.013, 0.021), (1.0, 0.99, 0.98, 0.97)])
def test_padding_changes_nothing(lengths: tuple[float, ...]) -> None:
    values = recordings(*lengths)
    modality, encoder = made(values)
    arrays = [modality.arrays(value) for value in values]
    assert one_by_one(encoder, arrays, modality.features) < 1e-5
    encoded = answer(encoder, together(arrays, modality.features))
    frames = [len(own["frames"]) // 24 for own in arrays]
    assert encoded.mask.sum(1).tolist() == [-(-count // modality.stride) for count in frames]


def test_vectors_that_were_computed_before_are_handed_on() -> None:
    _, encoder = made(recordings(0.3))
    hidden, mask = torch.randn(2, 3, 32), torch.tensor([[True, True, False], [True, True, True]])
    assert encoder({"hidden": hidden, "mask": mask}).vectors is hidden


def test_equal_seeds_make_equal_weights_and_a_state_brings_them_back() -> None:
    values = recordings(0.3, 0.2)
    modality, encoder = made(values)
    _, twin = made(values)
    state = encoder.state_dict()
    assert all(torch.equal(weight, state[name]) for name, weight in twin.state_dict().items())
    torch.manual_seed(9)
    other = modality.encoder()
    batch = together([modality.arrays(value) for value in values], modality.features)
    assert not torch.equal(answer(other, batch).vectors, answer(encoder, batch).vectors)
    other.load_state_dict(state)
    assert torch.equal(answer(other, batch).vectors, answer(encoder, batch).vectors)


def test_all_of_it_trains_and_parts_are_hidden_in_training_alone() -> None:
    values = recordings(0.5, 0.4)
    modality, encoder = made(values)
    batch = together([modality.arrays(value) for value in values], modality.features)
    assert learns(encoder, batch) > 0
    assert all(weight.grad is not None for weight in encoder.parameters())
    encoder.train()
    torch.manual_seed(1)
    first = encoder(batch).vectors
    torch.manual_seed(1)
    assert torch.equal(first, encoder(batch).vectors)
    assert not torch.equal(first, encoder(batch).vectors)
    assert torch.equal(answer(encoder, batch).vectors, answer(encoder, batch).vectors)


def test_what_is_hidden_are_bands_and_stretches() -> None:
    torch.manual_seed(0)
    mask = torch.arange(60) < torch.tensor([[60], [30]] * 100)
    hidden = hidden_parts(torch.ones(200, 60, 20), mask) == 0
    bands, times = hidden.all(1), hidden.all(2)
    assert torch.equal(hidden, bands.unsqueeze(1) | times.unsqueeze(2))
    assert bands.sum(1).max() <= 8
    assert times.sum(1).max() <= 12
    assert not times[1::2, 30:].any()
    assert bands.any(0).all()
    assert times[::2].any(0).all()
    assert (times[1::2].sum(1) <= 6).all()


WAYS = [("full", {}), ("freeze", {"layers": 1}), ("bitfit", {}), ("probe", {})]


@pytest.mark.parametrize(("method", "options"), WAYS)
def test_methods_find_its_parts(method: str, options: dict[str, Any]) -> None:
    _, encoder = made(recordings(0.3))
    entry = METHODS[method]
    adapted = entry.build(encoder, entry.spec(**options))
    trained = [weight for group in adapted.groups for weight in group.parameters]
    assert len({id(weight) for weight in trained}) == len(trained)
    assert (len(trained) > 0) == (method != "probe")
    if method == "freeze":
        assert not any(weight.requires_grad for weight in encoder.stem())
        assert adapted.frozen_layers == 1


def test_lora_needs_pretrained_weights() -> None:
    _, encoder = made(recordings(0.3))
    with pytest.raises(RecipeError, match=r"made anew.*Give its `model`, or choose `full`"):
        METHODS["lora"].build(encoder, METHODS["lora"].spec())


def test_it_is_in_the_room() -> None:
    spec = MODALITIES.spec({"name": "audio", "field": "录音", "seconds": 3})
    assert MODALITIES.of(spec).build(spec).column.name == "录音"
    with pytest.raises(RecipeError, match=r"mel: .*Did you mean 'mels'"):
        MODALITIES.spec({"name": "audio", "mel": 3})
